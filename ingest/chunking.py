"""Article → passages: whole sentences, about 200 tokens, with exact spans.

    article.text[passage.start:passage.end] == passage.text

LlamaIndex's own splitters find offsets by searching for the text, which is wrong where a sentence
occurs twice, so ours carries spans from the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from llama_index.core.node_parser import NodeParser
from llama_index.core.schema import BaseNode, MetadataMode

from corpus.article import Article, Passage, short_hash
from corpus.sentences import Span, sentence_spans, strip_span

TARGET_TOKENS = 200
LEAST_TOKENS = 48  # a header that leaves a passage less than this is not embedded with it
MID_PARAGRAPH = 0.05  # tearing a paragraph is worth being a fifth off the size aimed at
SLACK = 2  # some tokenizers count a whole a little longer than its parts

CHARS_PER_TOKEN = 12  # English has 4 to 5

CountTokens = Callable[[str], int]
Weigh = Callable[[str], int]


class PassageParser(NodeParser):
    """A LlamaIndex NodeParser whose nodes are passages.

    `count_tokens` is the embedder's own count, its marks and prompt included; `max_tokens` its
    limit.
    """

    count_tokens: CountTokens
    max_tokens: int

    def passages(self, article: Article) -> list[Passage]:
        """The passages of `article`, in order.

        Each fits the embedder, together with its header unless that is a page in itself.
        """
        revision = article.revision
        return [
            Passage(article.id, revision, start, end, article.text[start:end])
            for start, end in self.spans(article.text, article.header)
        ]

    def spans(self, text: str, header: str = "") -> list[Span]:
        """Where `text` is cut, given the header that is embedded with each passage."""
        budget = self._budget(header)
        pieces = list(_pieces(text, budget, self._weight))
        return [(group[0].start, group[-1].end) for group in _pack(pieces, budget)]

    def _budget(self, header: str) -> int:
        """Tokens that a passage under this header may have."""
        beside = self.max_tokens - self.count_tokens(header) - SLACK
        alone = self.max_tokens - self.count_tokens("") - SLACK
        return max(1, min(TARGET_TOKENS, beside if beside >= LEAST_TOKENS else alone))

    def _weight(self, text: str) -> int:
        """Tokens of `text`, and never fewer than its length suggests: WordPiece counts a run of
        100,000 letters without a space as one unknown word."""
        return max(self.count_tokens(text) - self.count_tokens(""), len(text) // CHARS_PER_TOKEN)

    def _parse_nodes(
        self, nodes: Sequence[BaseNode], show_progress: bool = False, **kwargs: Any
    ) -> list[BaseNode]:
        return [child for node in nodes for child in self._children(node)]

    def _children(self, node: BaseNode) -> Iterator[BaseNode]:
        from llama_index.core.schema import NodeRelationship, TextNode

        text = node.get_content(metadata_mode=MetadataMode.NONE)
        revision = short_hash(text)
        for start, end in self.spans(text):
            passage = Passage(node.node_id, revision, start, end, text[start:end])
            yield TextNode(
                id_=passage.id,
                text=passage.text,
                start_char_idx=start,
                end_char_idx=end,
                metadata=node.metadata,
                excluded_embed_metadata_keys=node.excluded_embed_metadata_keys,
                excluded_llm_metadata_keys=node.excluded_llm_metadata_keys,
                relationships={NodeRelationship.SOURCE: node.as_related_node_info()},
            )

    def _postprocess_parsed_nodes(
        self, nodes: list[BaseNode], parent_doc_map: dict[str, Any]
    ) -> list[BaseNode]:
        """Leave the spans alone: the base class would search for them again."""
        return nodes


class _Piece:
    """A sentence, or as much of an overlong one as the budget holds."""

    __slots__ = ("end", "ends_paragraph", "start", "tokens")

    def __init__(self, start: int, end: int, tokens: int, ends_paragraph: bool) -> None:
        self.start = start
        self.end = end
        self.tokens = tokens
        self.ends_paragraph = ends_paragraph


def _pieces(text: str, budget: int, weigh: Weigh) -> Iterator[_Piece]:
    spans = sentence_spans(text)
    for (start, end), (next_start, _) in pairwise([*spans, (len(text), len(text))]):
        parts = list(_parts(text, start, end, budget, weigh))
        ends_paragraph = "\n" in text[end:next_start]
        for a, b, tokens in parts:
            yield _Piece(a, b, tokens, ends_paragraph and b == end)


def _parts(
    text: str, start: int, end: int, budget: int, weigh: Weigh
) -> Iterator[tuple[int, int, int]]:
    """A sentence with its weight; an overlong one is halved, at a space if it can be."""
    tokens = weigh(text[start:end])
    if tokens <= budget or end - start == 1:
        yield start, end, tokens
        return
    middle = (start + end + 1) // 2
    space = max((text.rfind(mark, start, middle) for mark in " \t\u00a0"), default=-1)
    cut = space if space > start else middle
    for a, b in (strip_span(text, start, cut), strip_span(text, cut, end)):
        if a < b:
            yield from _parts(text, a, b, budget, weigh)


def _pack(pieces: Sequence[_Piece], budget: int) -> Iterator[Sequence[_Piece]]:
    """Group pieces into passages: even in size, and ending where a paragraph ends if one is near.

    The shortest path over all cuts (Knuth and Plass 1981 break lines the same way): a passage
    costs the square of its distance from the size aimed at, and MID_PARAGRAPH if it ends within
    a paragraph. The size aimed at is the whole over the fewest passages that hold it, so no
    passage is a left-over of one short sentence.
    """
    aim = _aim(pieces, budget)
    cost = [0.0] + [float("inf")] * len(pieces)
    came_from = [0] * (len(pieces) + 1)
    for start in range(len(pieces)):
        size = 0
        for end in range(start + 1, len(pieces) + 1):
            size += pieces[end - 1].tokens
            if size > budget and end > start + 1:
                break
            torn = 0.0 if pieces[end - 1].ends_paragraph or end == len(pieces) else MID_PARAGRAPH
            through = cost[start] + ((size - aim) / aim) ** 2 + torn
            if through < cost[end]:
                cost[end], came_from[end] = through, start
    cuts = [len(pieces)]
    while cuts[-1] > 0:
        cuts.append(came_from[cuts[-1]])
    for start, end in pairwise(reversed(cuts)):
        yield pieces[start:end]


def _aim(pieces: Sequence[_Piece], budget: int) -> float:
    total = max(1, sum(piece.tokens for piece in pieces))
    return total / -(-total // budget)
