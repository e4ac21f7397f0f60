"""Articles and passages as LlamaIndex sees them: Documents and TextNodes with our ids and spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corpus.article import Article, Passage

if TYPE_CHECKING:
    from llama_index.core.schema import Document, TextNode


def to_document(article: Article) -> Document:
    """`article` as a LlamaIndex Document whose id is ours."""
    from llama_index.core.schema import Document

    return Document(
        id_=article.id,
        text=article.text,
        metadata=article_metadata(article),
        excluded_embed_metadata_keys=list(article_metadata(article)),
        excluded_llm_metadata_keys=["article_id", "revision", "url"],
    )


def to_node(passage: Passage, article: Article) -> TextNode:
    """`passage` as a TextNode: id, span and source are ours, the header is its metadata."""
    from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

    metadata = article_metadata(article)
    return TextNode(
        id_=passage.id,
        text=passage.text,
        start_char_idx=passage.start,
        end_char_idx=passage.end,
        metadata=metadata,
        excluded_embed_metadata_keys=list(metadata),
        excluded_llm_metadata_keys=["article_id", "revision", "url"],
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=article.id)},
    )


def article_metadata(article: Article) -> dict[str, Any]:
    """What a LlamaIndex program gets to know of an article; unknown fields are left out."""
    fields = {
        "article_id": article.id,
        "revision": article.revision,
        "title": article.title,
        "publisher": article.publisher,
        "published": article.day,
        "url": article.url,
    }
    return {name: value for name, value in fields.items() if value is not None}
