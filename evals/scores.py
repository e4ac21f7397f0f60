"""What one question brought, and the figures over many.

The measures themselves are in `evals/metrics/`. Here they meet questions and answers: first the
Score of one question, then each Figure as what one Score adds to it, then Estimates over many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from evals.metrics.answers import answer_match, exact_match, f1, nugget_recall
from evals.metrics.bootstrap import Ratio, interval, paired_interval, ratio
from evals.metrics.retrieval import Found, all_evidence, evidence_recall, ndcg, reciprocal_rank
from evals.questions import Question, Quote
from rag.answer import Answer, Hit

K, MRR_K = 8, 10  # MRR_K is nDCG's too


def quotes_in(hit: Hit, quotes: Sequence[Quote], id_of: Mapping[str, str]) -> set[int]:
    """The numbers of the gold quotes that lie whole in `hit`. `id_of` maps file stem to id."""
    return {
        n
        for n, quote in enumerate(quotes)
        if id_of[quote.article] == hit.article.id and quote.text in hit.passage.text
    }


def said(answer: Answer) -> str:
    """The statements without the numbers of their citations; empty for an abstention."""
    return "\n".join(statement.text for statement in answer.statements)


# One question -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judged:
    """A statement after the fact.

    `supported` says whether what it cites backs it, `reason` why not (empty where it does), and
    `support` is the judge's score, between 0 and 1. `recalled`, `citations` and `precise` are
    ALCE's, from `evals/metrics/citations.py`. `None` is a verdict that could not be read.
    """

    statement: str
    supported: bool | None
    reason: str
    support: float | None
    recalled: bool | None
    citations: int
    precise: int

    @property
    def readable(self) -> bool:
        return self.supported is not None and self.recalled is not None


@dataclass(frozen=True, slots=True)
class Score:
    """What one question brought. `None` where a figure doesn't apply; an error is a failure.

    Statements are scored only where the judge's verdicts could be read: `unreadable` ones are in
    no other count. `tokens` were written by a language model, in `generate_ms`.
    """

    answerable: bool
    abstained: bool
    error: bool
    evidence_recall: float | None
    all_evidence: float | None
    reciprocal_rank: float | None
    ndcg: float | None
    vital_nuggets: float | None
    nuggets: float | None
    answer_match: float | None
    exact_match: float | None
    f1: float | None
    statements: int
    supported: int
    unreadable: int
    recalled: int
    citations: int
    precise: int
    milliseconds: int | None
    tokens: int | None
    generate_ms: int | None

    @property
    def answered(self) -> bool:
        return not (self.abstained or self.error)


def score(
    question: Question,
    found: Found,
    relevant: int,
    answer: Answer | None,
    judged: Sequence[Judged],
    tokens: int | None,
) -> Score:
    """All measures of one question; `answer` is `None` where asking failed.

    `relevant` is how many passages of the index hold a gold quote. What is said is compared with
    the gold without the numbers of citations, and an error or abstention says nothing.
    """
    text = said(answer) if answer else ""
    gold, quotes = question.answerable, len(question.evidence)
    read = [statement for statement in judged if statement.readable]
    timings = answer.timings_ms if answer else {}
    return Score(
        answerable=gold,
        abstained=answer is not None and answer.abstained,
        error=answer is None,
        evidence_recall=evidence_recall(found, quotes, K) if gold else None,
        all_evidence=all_evidence(found, quotes, K) if gold else None,
        reciprocal_rank=reciprocal_rank(found, MRR_K) if gold else None,
        ndcg=ndcg(found, relevant, MRR_K) if gold else None,
        vital_nuggets=nugget_recall(text, [n for n in question.nuggets if n.vital]),
        nuggets=nugget_recall(text, question.nuggets),
        answer_match=answer_match(text, question.answers) if gold else None,
        exact_match=exact_match(text, question.answers) if gold else None,
        f1=f1(text, question.answers) if gold else None,
        statements=len(read),
        supported=sum(statement.supported is True for statement in read),
        unreadable=len(judged) - len(read),
        recalled=sum(statement.recalled is True for statement in read),
        citations=sum(statement.citations for statement in read),
        precise=sum(statement.precise for statement in read),
        milliseconds=timings.get("total"),
        tokens=tokens,
        generate_ms=timings.get("generate"),
    )


# Figures ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the report: its key in JSON, its words, and what one question adds to it."""

    name: str
    label: str
    part: Callable[[Score], Ratio]
    higher_is_better: bool = True


def _mean(field: str) -> Callable[[Score], Ratio]:
    def part(score: Score) -> Ratio:
        value = getattr(score, field)
        return (0.0, 0.0) if value is None else (float(value), 1.0)

    return part


def _share(
    counted: Callable[[Score], bool], among: Callable[[Score], bool]
) -> Callable[[Score], Ratio]:
    """Of the questions in `among`, the share that is `counted` too."""
    return lambda score: (float(counted(score)), 1.0) if among(score) else (0.0, 0.0)


# Statements and citations are micro-averaged: each weighs the same, as a reader meets them (RAGAS,
# Es et al. 2024, and ALCE average over answers instead; `faithful_answers` is the strict form of
# that). Abstaining is seen as a classifier of the questions that the corpus doesn't answer, as in
# SQuAD 2.0 (Rajpurkar et al. 2018).
FIGURES = (
    Figure("evidence_recall_8", "evidence recall@8", _mean("evidence_recall")),
    Figure("all_evidence_8", "all evidence@8", _mean("all_evidence")),
    Figure("mrr_10", "MRR@10", _mean("reciprocal_rank")),
    Figure("ndcg_10", "nDCG@10", _mean("ndcg")),
    Figure("vital_nugget_recall", "nugget recall, vital", _mean("vital_nuggets")),
    Figure("nugget_recall", "nugget recall, all", _mean("nuggets")),
    Figure("answer_match", "answer match", _mean("answer_match")),
    Figure("exact_match", "exact match", _mean("exact_match")),
    Figure("f1", "F1", _mean("f1")),
    # Beside faithfulness, since whoever says nothing says nothing wrong.
    Figure(
        "answer_rate", "answer rate", _share(lambda s: s.answered, among=lambda s: s.answerable)
    ),
    Figure("faithfulness", "faithfulness", lambda s: (s.supported, s.statements)),
    # Whether an answer is faithful is unknown while one of its statements is.
    Figure(
        "faithful_answers",
        "answers all faithful",
        _share(
            lambda s: s.supported == s.statements,
            among=lambda s: s.statements > 0 and not s.unreadable,
        ),
    ),
    Figure("citation_recall", "citation recall", lambda s: (s.recalled, s.statements)),
    Figure("citation_precision", "citation precision", lambda s: (s.precise, s.citations)),
    Figure(
        "unreadable",
        "unreadable",
        lambda s: (s.unreadable, s.unreadable + s.statements),
        higher_is_better=False,
    ),
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
        higher_is_better=False,
    ),
    Figure("errors", "errors", _mean("error"), higher_is_better=False),
)  # fmt: skip


# Many questions -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, or a difference of two, with its bootstrap interval.

    `of` is how much it counts over: questions, statements or citations.
    """

    value: float
    low: float
    high: float
    of: float


def estimate(figure: Figure, scores: Iterable[Score]) -> Estimate | None:
    """`figure` over `scores` with its interval, or `None` where it applies to none of them."""
    parts = [figure.part(score) for score in scores]
    value = ratio(parts)
    if value is None:
        return None
    return Estimate(value, *interval(parts), of=_weight(parts))


def estimates(scores: Sequence[Score]) -> dict[str, Estimate | None]:
    """All figures by name."""
    return {figure.name: estimate(figure, scores) for figure in FIGURES}


def difference(figure: Figure, ours: Sequence[Score], theirs: Sequence[Score]) -> Estimate | None:
    """By how much `ours` is above `theirs`, over the same questions in the same order.

    The interval is that of the paired bootstrap, and `of` the lesser of both counts. `None` where
    the figure applies to none of one side; ValueError where the questions differ in number.
    """
    first, second = ([figure.part(score) for score in side] for side in (ours, theirs))
    our_value, their_value = ratio(first), ratio(second)
    if our_value is None or their_value is None:
        return None
    ends = paired_interval(first, second)
    return Estimate(our_value - their_value, *ends, of=min(_weight(first), _weight(second)))


def tokens_per_second(scores: Iterable[Score]) -> float | None:
    """How fast the language model wrote, over all answers; `None` where none did."""
    return ratio(
        (score.tokens, score.generate_ms / 1000)
        for score in scores
        if score.tokens is not None and score.generate_ms is not None
    )


def _weight(parts: Iterable[Ratio]) -> float:
    return sum(below for _, below in parts)
