"""What is measured of an answer, as plain functions, and how questions are summed up.

First what one question brings, then figures over many. Every figure is a ratio of sums over
questions, so that one bootstrap serves them all, and so that a question to which a figure does
not apply (no gold evidence, nothing said) weighs nothing instead of counting as right or wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evals.questions import Nugget, Question, Quote, occurs
from rag.answer import Answer, Citation, Hit, Statement
from rag.verify import Pair, Verifier

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from corpus.library import Library

K, MRR_K = 8, 10
RESAMPLES = 2_000
LEVEL = 0.95

Found = Sequence[Collection[int]]
"""For each hit, best first, the numbers of the gold quotes that lie in it."""

Ratio = tuple[float, float]
"""Numerator and denominator of one question; (0, 0) where the figure does not apply to it."""


# Retrieval ----------------------------------------------------------------------------------------


def quotes_in(hit: Hit, quotes: Sequence[Quote], id_of: dict[str, str]) -> set[int]:
    """The numbers of the gold quotes that lie whole in `hit`. `id_of` maps file stem to id."""
    return {
        n
        for n, quote in enumerate(quotes)
        if id_of[quote.article] == hit.article.id and quote.text in hit.passage.text
    }


def evidence_recall(found: Found, quotes: int, k: int) -> float:
    """The share of the gold quotes that lie in one of the first `k` hits.

    >>> evidence_recall([{0}, set(), {0, 1}], quotes=2, k=2)
    0.5
    """
    return len(set().union(*found[:k])) / quotes


def any_evidence(found: Found, k: int) -> float:
    """1 if a gold quote lies in one of the first `k` hits: top-k accuracy (Karpukhin et al. 2020).

    >>> any_evidence([set(), {1}], k=1), any_evidence([set(), {1}], k=2)
    (0.0, 1.0)
    """
    return float(any(found[:k]))


def reciprocal_rank(found: Found, k: int) -> float:
    """1 / rank of the first hit that holds a gold quote, 0 if none of `k` does (Voorhees 1999).

    >>> reciprocal_rank([set(), {0}, {1}], k=10)
    0.5
    """
    return next((1 / rank for rank, numbers in enumerate(found[:k], 1) if numbers), 0.0)


# What is said -------------------------------------------------------------------------------------


def said(answer: Answer) -> str:
    """The statements without the numbers of their citations; empty for an abstention."""
    return "\n".join(statement.text for statement in answer.statements)


def nugget_recall(text: str, nuggets: Sequence[Nugget]) -> float | None:
    """The share of `nuggets` in `text`; `None` without nuggets.

    TREC's nuggets (Voorhees 2003), each matched by its strings where an assessor would judge.

    >>> price, day = Nugget("cost", True, ("$3",)), Nugget("day", True, ("5 May", "May 5"))
    >>> nugget_recall("It came out on May 5.", [price, day])
    0.5
    """
    if not nuggets:
        return None
    return sum(nugget.is_in(text) for nugget in nuggets) / len(nuggets)


def answer_match(text: str, answers: Iterable[str]) -> float:
    """1 if one of the gold answers occurs in `text` (as in Mallen et al. 2023), else 0.

    >>> answer_match("The price is $1.50.", ["$1.50"]), answer_match("It is $11.50.", ["$1.50"])
    (1.0, 0.0)
    """
    return float(any(occurs(answer, text) for answer in answers))


# Faithfulness -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judged:
    """A statement after the fact. `fault` says why it isn't supported, empty where it is."""

    statement: str
    fault: str = ""


def judge(answer: Answer, library: Library, verifier: Verifier) -> list[Judged]:
    """Check each statement again, against what its citations point to in the Library.

    The label that the answer carries is not looked at, nor are its hits: the passage is read from
    the Library by the citation's passage and revision. A statement is supported if all its
    citations are sound and a cited passage backs it; one without citations, or with a number that
    leads nowhere, is not (ALCE's citation recall, Gao et al. 2023).
    """
    cited = {c.n: cited_hit(c, library) for c in answer.citations}
    sound = {n: hit for n, hit in cited.items() if hit is not None}
    return [Judged(s.text, _fault(s, sound, verifier)) for s in answer.statements]


def cited_hit(citation: Citation, library: Library) -> Hit | None:
    """The passage of the Library that a citation points to, unless its quote isn't in it."""
    for passage, article in library.passages([citation.passage_id]):
        inside = passage.start <= citation.start < citation.end <= passage.end
        same = (article.id, article.revision) == (citation.article_id, citation.revision)
        if inside and same and article.text[citation.start : citation.end] == citation.quote:
            return Hit(passage, article, 0.0)
    return None


def _fault(statement: Statement, sound: dict[int, Hit], verifier: Verifier) -> str:
    if not statement.citations:
        return "it cites nothing"
    for n in statement.citations:
        if n not in sound:
            return f"[{n}] leads to no passage that holds its quote"
    verdicts = verifier.verify([Pair(statement.text, sound[n]) for n in statement.citations])
    best = max(verdicts, key=lambda verdict: verdict.support)
    if any(verdict.label == "supported" for verdict in verdicts):
        return ""
    return "; ".join(best.failed) or f"{best.label} (support {best.support:.2f})"


# One question -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Score:
    """What one question brought. `None` where a figure doesn't apply; an error is a failure."""

    answerable: bool
    abstained: bool
    error: bool
    evidence_recall: float | None
    any_evidence: float | None
    reciprocal_rank: float | None
    vital_nuggets: float | None
    nuggets: float | None
    answer_match: float | None
    statements: int
    supported: int
    milliseconds: int | None

    @property
    def answered(self) -> bool:
        return not (self.abstained or self.error)


def score(
    question: Question, found: Found, answer: Answer | None, judged: Sequence[Judged]
) -> Score:
    """All measures of one question; `answer` is `None` where asking failed."""
    text = said(answer) if answer else ""
    gold, vital = question.answerable, [n for n in question.nuggets if n.vital]
    quotes = len(question.evidence)
    return Score(
        answerable=gold,
        abstained=answer is not None and answer.abstained,
        error=answer is None,
        evidence_recall=evidence_recall(found, quotes, K) if gold else None,
        any_evidence=any_evidence(found, K) if gold else None,
        reciprocal_rank=reciprocal_rank(found, MRR_K) if gold else None,
        vital_nuggets=nugget_recall(text, vital),
        nuggets=nugget_recall(text, question.nuggets),
        answer_match=answer_match(text, question.answers) if gold else None,
        statements=len(judged),
        supported=sum(not statement.fault for statement in judged),
        milliseconds=answer.timings_ms["total"] if answer else None,
    )


# Many questions -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the report: its key in JSON, its words, and what one question adds to it."""

    name: str
    label: str
    part: Callable[[Score], Ratio]


def _mean(field: str) -> Callable[[Score], Ratio]:
    def part(score: Score) -> Ratio:
        value = getattr(score, field)
        return (0.0, 0.0) if value is None else (float(value), 1.0)

    return part


def _share(
    counted: Callable[[Score], bool], among: Callable[[Score], bool]
) -> Callable[..., Ratio]:
    """Of the questions in `among`, the share that is `counted` too."""
    return lambda score: (float(counted(score)), 1.0) if among(score) else (0.0, 0.0)


# Micro-averaged: every statement weighs the same, as a reader meets them (RAGAS, Es et al. 2024,
# averages over answers instead; `faithful_answers` is the strict form of that).
FIGURES = (
    Figure("evidence_recall_8", "evidence recall@8", _mean("evidence_recall")),
    Figure("any_evidence_8", "any evidence@8", _mean("any_evidence")),
    Figure("mrr_10", "MRR@10", _mean("reciprocal_rank")),
    Figure("vital_nugget_recall", "nugget recall, vital", _mean("vital_nuggets")),
    Figure("nugget_recall", "nugget recall, all", _mean("nuggets")),
    Figure("answer_match", "answer match", _mean("answer_match")),
    Figure(
        "answer_rate", "answer rate", _share(lambda s: s.answered, among=lambda s: s.answerable)
    ),
    Figure("faithfulness", "faithfulness", lambda s: (s.supported, s.statements)),
    Figure(
        "faithful_answers",
        "answers all faithful",
        _share(lambda s: s.supported == s.statements, among=lambda s: s.statements > 0),
    ),
    # Abstaining as a classifier of questions that the corpus doesn't answer, which is how SQuAD
    # 2.0 (Rajpurkar et al. 2018) sees it.
    Figure(
        "abstention_precision",
        "abstention precision",
        _share(lambda s: not s.answerable, among=lambda s: s.abstained),
    ),
    Figure(
        "abstention_recall",
        "abstention recall",
        _share(lambda s: s.abstained, among=lambda s: not s.answerable),
    ),
    Figure(
        "wrong_abstain",
        "wrong abstain",
        _share(lambda s: s.abstained, among=lambda s: s.answerable),
    ),
    Figure("errors", "errors", _mean("error")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its bootstrap interval; `of` is how much it counts over."""

    value: float
    low: float
    high: float
    of: float


def ratio(parts: Iterable[Ratio]) -> float | None:
    """Sum of the numerators over sum of the denominators; `None` if those are 0.

    >>> ratio([(2, 3), (0, 0), (1, 1)])
    0.75
    """
    above, below = (sum(side) for side in zip((0.0, 0.0), *parts, strict=True))
    return above / below if below else None


def estimate(figure: Figure, scores: Iterable[Score]) -> Estimate | None:
    """`figure` over `scores` with its interval, or `None` where it applies to none of them."""
    parts = [figure.part(score) for score in scores]
    value = ratio(parts)
    if value is None:
        return None
    return Estimate(value, *interval(parts), of=sum(below for _, below in parts))


def estimates(scores: Sequence[Score]) -> dict[str, Estimate | None]:
    """All figures by name."""
    return {figure.name: estimate(figure, scores) for figure in FIGURES}


def interval(
    parts: Sequence[Ratio], samples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """The percentile bootstrap interval of `ratio(parts)` (Efron, Tibshirani 1993), at 95 %.

    Questions are drawn with replacement; draws to which the figure does not apply are left out.
    Where all questions agree it has no width, which says nothing of questions not asked.

    >>> low, high = interval([(1, 1)] * 80 + [(0, 1)] * 20)
    >>> 0.71 < low < 0.74 and 0.86 < high < 0.89
    True
    """
    return _middle(_resampled(parts, samples, seed))


def paired_interval(
    first: Sequence[Ratio],
    second: Sequence[Ratio],
    samples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float]:
    """The interval of `ratio(first) - ratio(second)` over the same questions in the same order.

    Both are drawn together (paired bootstrap, Koehn 2004), so that what makes a question easy
    for both does not widen it.

    >>> paired_interval([(1, 1), (0, 1)] * 9, [(1, 1), (0, 1)] * 9)
    (0.0, 0.0)
    """
    if len(first) != len(second):
        raise ValueError("paired figures need the same questions")
    return _middle(_resampled(first, samples, seed) - _resampled(second, samples, seed))


def _resampled(parts: Sequence[Ratio], samples: int, seed: int) -> NDArray[np.float64]:
    """The ratio of each draw; NaN where it doesn't apply. One seed draws the same questions."""
    import numpy as np

    n = len(parts)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=samples)
    above, below = (draws @ np.asarray(parts, dtype=float)).T
    ratios: NDArray[np.float64] = np.full(samples, np.nan)
    np.divide(above, below, out=ratios, where=below > 0)
    return ratios


def _middle(values: NDArray[np.float64]) -> tuple[float, float]:
    import numpy as np

    outside = 100 * (1 - LEVEL) / 2
    low, high = np.nanpercentile(values, [outside, 100 - outside])
    return float(low), float(high)


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The nearest-rank percentile: a value that did occur; `None` of nothing.

    >>> percentile([30, 10, 20, 40], 50), percentile([30, 10, 20, 40], 95)
    (20, 40)
    """
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
