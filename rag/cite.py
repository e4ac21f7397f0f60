"""From a draft to statements: every sentence is verified, and only then cited.

A sentence is checked against each passage that the evidence came from. The passage that backs it
best is cited, by the sentence of it that does so. A sentence that no passage backs is not said:
the best evidence that is left is quoted instead, or there is one sentence less.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from corpus.sentences import split_sentences
from rag.answer import QUOTED_SENTENCES, Citation, Evidence, Hit, Statement, Verdict
from rag.generate import quote_line
from rag.verify import Pair, Verifier

# Passages a sentence is checked against: each quoted sentence may come from one of its own. Each
# more costs about 15 ms a sentence that isn't a quotation.
PASSAGES = QUOTED_SENTENCES
# "[7]" or "[1, 2]" in a draft is a number that a model made up, or saw in an article.
_MADE_UP = re.compile(r"[^\S\n]*\[\d+(?:\s*[,–-]\s*\d+)*\]")


@dataclass(frozen=True, slots=True)
class Backed:
    """A sentence and the span of the hit's article that backs it."""

    text: str
    hit: Hit
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Checked:
    """What is left of a draft, and how many of its sentences were quoted instead or dropped."""

    sentences: tuple[Backed, ...]
    replaced: int = 0
    dropped: int = 0

    @property
    def note(self) -> str | None:
        """A remark for the user, where the draft said more than the sources do."""
        parts = []
        if self.replaced:
            parts.append(f"{self.replaced} replaced by a quotation")
        if self.dropped:
            parts.append(f"{self.dropped} dropped")
        if not parts:
            return None
        return f"Of the drafted sentences the sources did not back: {', '.join(parts)}."


def drafted_sentences(draft: str) -> list[str]:
    """The sentences of a draft. A line break always ends one, and half a sentence is none.

    Numbers of citations that stand in it are taken out: numbering is ours.

    >>> drafted_sentences("Grok 4 leads [7]. It costs $3.\\nAnd the")
    ['Grok 4 leads.', 'It costs $3.']
    """
    lines = [line.strip() for line in _MADE_UP.sub("", draft).split("\n") if line.strip()]
    sentences = [s for line in lines for s in split_sentences(line)]
    return [s for s in sentences if s.rstrip("\"'”’»)]")[-1:] in {".", "!", "?", "…", "。"}]


def check(draft: str, evidence: Sequence[Evidence], verifier: Verifier) -> Checked:
    """Verify each sentence of `draft` against the passages of `evidence`, best first."""
    hits = list({item.hit.passage.id: item.hit for item in evidence}.values())[:PASSAGES]
    sentences = list(dict.fromkeys(drafted_sentences(draft)))
    pairs = [Pair(sentence, hit) for sentence in sentences for hit in hits]
    verdicts = verifier.verify(pairs)
    kept: list[Backed] = []
    failed = 0
    for at, sentence in enumerate(sentences):
        span = slice(at * len(hits), (at + 1) * len(hits))
        tried = [
            Backed(sentence, hit, verdict)
            for hit, verdict in zip(hits, verdicts[span], strict=True)
        ]
        best = max(tried, key=lambda backed: backed.verdict.support)
        if best.verdict.label == "supported":
            kept.append(best)
        else:
            failed += 1
    quotations = _quotations(failed, kept, evidence, verifier)
    return Checked(tuple(kept + quotations), len(quotations), failed - len(quotations))


def _quotations(
    failed: int,
    kept: Sequence[Backed],
    evidence: Sequence[Evidence],
    verifier: Verifier,
) -> list[Backed]:
    """A quotation for each of the `failed` sentences: the best evidence not said already."""
    said = {_place(backed.hit, backed.verdict) for backed in kept}
    unsaid = [e for e in evidence if (e.hit.article.id, e.start) not in said]
    chosen = unsaid[:failed]
    pairs = [Pair(quote_line(item), item.hit) for item in chosen]
    return [
        Backed(pair.statement, pair.hit, verdict)
        for pair, verdict in zip(pairs, verifier.verify(pairs), strict=True)
        if verdict.label == "supported"
    ]


def cite(sentences: Iterable[Backed]) -> tuple[tuple[Statement, ...], tuple[Citation, ...]]:
    """Number the citations in order of first use; a sentence of an article has one number."""
    numbers: dict[tuple[str, int], int] = {}
    statements: list[Statement] = []
    citations: list[Citation] = []
    for backed in sentences:
        place = _place(backed.hit, backed.verdict)
        if place not in numbers:
            numbers[place] = len(numbers) + 1
            citations.append(_citation(numbers[place], backed))
        verdict = backed.verdict
        statements.append(Statement(backed.text, (numbers[place],), verdict.support, verdict.label))
    return tuple(statements), tuple(citations)


def answer_text(statements: Iterable[Statement]) -> str:
    """The statements, a line each, with the numbers of their citations."""
    return "\n".join(
        f"{s.text} {''.join(f'[{n}]' for n in s.citations)}".strip() for s in statements
    )


def _place(hit: Hit, verdict: Verdict) -> tuple[str, int]:
    return hit.article.id, verdict.start


def _citation(n: int, backed: Backed) -> Citation:
    passage, article, verdict = backed.hit.passage, backed.hit.article, backed.verdict
    return Citation(
        n=n,
        passage_id=passage.id,
        article_id=passage.article_id,
        title=article.title,
        publisher=article.publisher,
        published=article.day,
        url=article.url,
        quote=passage.text[verdict.start - passage.start : verdict.end - passage.start],
        start=verdict.start,
        end=verdict.end,
        revision=passage.revision,
    )
