"""LlamaIndex as its first example has it, over the same embedder and the same language model.

`VectorStoreIndex` with the default chunks, `as_query_engine()` with the default two nodes and the
default response synthesis. It cites nothing, so it is judged by all the nodes that it was given.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from corpus.article import Article, Passage
from corpus.embedding import Embedder
from corpus.nodes import to_document
from corpus.sentences import split_sentences
from evals.bench import Bench
from evals.systems.bm25 import pasted
from evals.systems.ours import RETRIEVED
from evals.systems.seam import Kind, Reply
from rag.answer import Answer, Hit, Statement, Window
from rag.followups import Turn
from rag.generate import LLMGenerator

# What a model says in place of an answer. LlamaIndex's own word for no nodes comes first.
_DECLINES = re.compile(
    r"empty response|\b(context|information|passage|text)s?( provided| given)? (does|do)(n't| not) "
    r"(say|state|mention|specify|provide|contain|include|give|answer|tell)"
    r"|\bnot (provided|mentioned|specified|stated|given)\b|\bno information\b"
    r"|\b(cannot|can't|unable to) (answer|determine|find)"
    r"|\bI (don't|do not) know\b",
    re.IGNORECASE,
)


@dataclass
class Naive:
    """The stock query engine. A follow-up is asked together with the question before it."""

    parts: Bench
    generator: LLMGenerator
    name: str = "naive"
    kind: Kind = "baseline"
    about: str = "LlamaIndex's VectorStoreIndex and query engine with their defaults"

    @property
    def model(self) -> str:
        return self.generator.name

    def passages(self) -> Sequence[tuple[Passage, Article]]:
        return [self._cut[node.node_id] for node in self._nodes]

    def reply(self, question: str, history: Sequence[Turn]) -> Reply:
        started = time.perf_counter()
        query = pasted(question, history)
        with self.generator.translating():
            response = self._engine.query(query)
        generated = time.perf_counter() - started
        text = str(response).strip()
        declined = not text or _DECLINES.search(text) is not None
        sentences = [] if declined else split_sentences(text)
        hits = tuple(self._hit(scored) for scored in response.source_nodes)
        answer = Answer(
            question=question,
            query=query,
            text=text,
            abstained=declined,
            reason="The model declined." if declined else None,
            statements=tuple(Statement(s, (), 0.0, "unsupported") for s in sentences),
            citations=(),
            hits=hits,
            window=Window(),
            model=self.model,
            as_of=self.parts.library.newest() or "",
            timings_ms={"generate": round(1000 * generated), "total": round(1000 * generated)},
        )
        retrieved = tuple(self._hit(scored) for scored in self._retriever.retrieve(query))
        return Reply(answer, retrieved, self.generator.count_tokens(text))

    @cached_property
    def _index(self) -> Any:
        from llama_index.core import VectorStoreIndex
        from llama_index.core.node_parser import SentenceSplitter

        documents = [to_document(article) for article in self.parts.library.articles()]
        return VectorStoreIndex.from_documents(
            documents,
            embed_model=_embedding(self.parts.embedder),
            transformations=[SentenceSplitter()],  # the default, but not by the global Settings
        )

    @cached_property
    def _engine(self) -> Any:
        return self._index.as_query_engine(llm=self.generator.llm)

    @cached_property
    def _retriever(self) -> Any:
        return self._index.as_retriever(similarity_top_k=RETRIEVED)

    @cached_property
    def _nodes(self) -> list[Any]:
        return list(self._index.docstore.docs.values())

    @cached_property
    def _cut(self) -> dict[str, tuple[Passage, Article]]:
        articles = {article.id: article for article in self.parts.library.articles()}
        return {node.node_id: _passage(node, articles[node.ref_doc_id]) for node in self._nodes}

    def _hit(self, scored: Any) -> Hit:
        return Hit(*self._cut[scored.node.node_id], float(scored.score or 0.0))


def _passage(node: Any, article: Article) -> tuple[Passage, Article]:
    """A node as a passage. LlamaIndex finds its place by searching, and may find none."""
    text = node.get_content()
    start = max(0, article.text.find(text))
    return Passage(article.id, article.revision, start, start + len(text), text), article


def _embedding(embedder: Embedder) -> Any:
    """Our embedder as LlamaIndex's."""
    from llama_index.core.embeddings import BaseEmbedding

    class Ours(BaseEmbedding):
        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return [[float(x) for x in vector] for vector in embedder.encode(texts)]

        def _get_query_embedding(self, query: str) -> list[float]:
            return [float(x) for x in embedder.encode([query], "query")[0]]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    return Ours(model_name=embedder.name)
