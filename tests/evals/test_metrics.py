"""Figures are what their papers say; the judge takes no answer at its own word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from corpus.article import Article, Passage
from corpus.library import Library
from evals.metrics import (
    FIGURES,
    Estimate,
    Judged,
    Score,
    cited_hit,
    estimate,
    estimates,
    evidence_recall,
    interval,
    judge,
    nugget_recall,
    paired_interval,
    percentile,
    quotes_in,
    reciprocal_rank,
    score,
)
from evals.questions import Nugget, Question, Quote
from rag.answer import Answer, Citation, Hit, Statement, Window
from rag.verify import AlignmentVerifier
from tests.fakes import BagEncoder

TEXT = "Kiln 2 costs $3 a month. It was released in May. Nobody else sells it."
FIRST = "Kiln 2 costs $3 a month."
ARTICLE = Article(
    "Kiln 2", TEXT, url="https://example.org/kiln", published=datetime(2025, 5, 4, tzinfo=UTC)
)
# Two passages: the first two sentences, and the last.
PASSAGES = [
    Passage(ARTICLE.id, ARTICLE.revision, start, end, TEXT[start:end])
    for start, end in ((0, 48), (49, len(TEXT)))
]
QUESTION = Question(
    id="single-001",
    kind="single",
    question="What does it cost?",
    answers=("$3",),
    nuggets=(Nugget("price", True, ("$3",)), Nugget("month", False, ("May",))),
    evidence=(Quote("kiln", FIRST), Quote("kiln", "Nobody else sells it.")),
    false_premise=False,
    split="dev",
)
SILENT = replace(QUESTION, kind="unanswerable", answers=(), nuggets=(), evidence=())


@pytest.fixture
def filled(library: Library) -> Library:
    library.put(ARTICLE, PASSAGES, datetime(2025, 6, 1, tzinfo=UTC))
    return library


@pytest.fixture(scope="module")
def verifier() -> Iterator[AlignmentVerifier]:
    yield AlignmentVerifier(BagEncoder().encode)


def citation(n: int = 1, quote: str = FIRST, passage: Passage = PASSAGES[0]) -> Citation:
    start = TEXT.index(quote)
    return Citation(
        n=n,
        passage_id=passage.id,
        article_id=ARTICLE.id,
        title=ARTICLE.title,
        publisher=None,
        published=None,
        url=ARTICLE.url,
        quote=quote,
        start=start,
        end=start + len(quote),
        revision=ARTICLE.revision,
    )


def answer(*statements: Statement, citations: tuple[Citation, ...] = ()) -> Answer:
    return Answer(
        question="?",
        query="?",
        text="\n".join(statement.text for statement in statements),
        abstained=not statements,
        reason=None if statements else "nothing",
        statements=statements,
        citations=citations,
        hits=(),
        window=Window(),
        model="fake",
        as_of="2025-05-04",
        timings_ms={"total": 40},
    )


def says(text: str, *numbers: int, label: str = "supported") -> Statement:
    return Statement(text, numbers, 1.0, label)  # type: ignore[arg-type]


# Retrieval


def test_a_quote_is_found_only_whole_and_in_its_own_article() -> None:
    id_of = {"kiln": ARTICLE.id}
    assert quotes_in(Hit(PASSAGES[0], ARTICLE, 1.0), QUESTION.evidence, id_of) == {0}
    other = replace(ARTICLE, url="https://example.org/copy")
    assert quotes_in(Hit(PASSAGES[0], other, 1.0), QUESTION.evidence, id_of) == set()
    torn = Passage(ARTICLE.id, ARTICLE.revision, 0, 10, TEXT[:10])
    assert quotes_in(Hit(torn, ARTICLE, 1.0), QUESTION.evidence, id_of) == set()


def test_a_quote_found_twice_counts_once() -> None:
    assert evidence_recall([{0}, {0}], quotes=2, k=8) == 0.5


def test_hits_beyond_k_count_for_nothing() -> None:
    late = [set[int]()] * 8 + [{0}]
    assert evidence_recall(late, quotes=1, k=8) == 0.0
    assert reciprocal_rank(late, k=8) == 0.0
    assert reciprocal_rank(late, k=10) == pytest.approx(1 / 9)


# Faithfulness


def faults(given: Answer, library: Library, verifier: AlignmentVerifier) -> list[str]:
    return [judged.fault for judged in judge(given, library, verifier)]


def test_a_true_statement_is_supported_whatever_its_label(
    filled: Library, verifier: AlignmentVerifier
) -> None:
    given = answer(says(FIRST, 1, label="unsupported"), citations=(citation(),))
    assert faults(given, filled, verifier) == [""]


def test_a_false_statement_is_not_whatever_its_label(
    filled: Library, verifier: AlignmentVerifier
) -> None:
    given = answer(says("Kiln 2 costs $4 a month.", 1), citations=(citation(),))
    assert "4" in faults(given, filled, verifier)[0]


def test_a_citation_that_is_missing_or_out_of_range_supports_nothing(
    filled: Library, verifier: AlignmentVerifier
) -> None:
    given = answer(says(FIRST), says(FIRST, 2), says(FIRST, 1, 2), citations=(citation(),))
    nothing, *nowhere = faults(given, filled, verifier)
    assert nothing == "it cites nothing"
    assert nowhere == ["[2] leads to no passage that holds its quote"] * 2


def test_a_true_statement_that_cites_another_passage_is_not_supported(
    filled: Library, verifier: AlignmentVerifier
) -> None:
    elsewhere = citation(quote="Nobody else sells it.", passage=PASSAGES[1])
    assert faults(answer(says(FIRST, 1), citations=(elsewhere,)), filled, verifier) != [""]


def test_one_of_several_sound_citations_is_enough(
    filled: Library, verifier: AlignmentVerifier
) -> None:
    second = citation(2, quote="Nobody else sells it.", passage=PASSAGES[1])
    given = answer(says(FIRST, 2, 1), citations=(citation(), second))
    assert faults(given, filled, verifier) == [""]


@pytest.mark.parametrize(
    "changed",
    [
        {"quote": "Kiln 2 costs $4 a month."},
        {"start": 1, "end": 25},
        {"start": 0, "end": 0, "quote": ""},
        {"revision": "000000000000"},
        {"article_id": "000000000000"},
        {"passage_id": f"{ARTICLE.id}#000000000000:0-48"},
        {"passage_id": PASSAGES[1].id},
    ],
)
def test_a_citation_is_unsound_unless_its_quote_stands_where_it_says(
    filled: Library, changed: dict[str, object]
) -> None:
    assert cited_hit(citation(), filled) is not None
    assert cited_hit(replace(citation(), **changed), filled) is None  # type: ignore[arg-type]


# One question


def test_an_answer_is_scored() -> None:
    given = answer(says("It costs $3.", 1))
    got = score(QUESTION, [set(), {0}], given, [Judged("It costs $3.")])
    assert (got.evidence_recall, got.any_evidence, got.reciprocal_rank) == (0.5, 1.0, 0.5)
    assert (got.vital_nuggets, got.nuggets, got.answer_match) == (1.0, 0.5, 1.0)
    assert (got.statements, got.supported, got.milliseconds) == (1, 1, 40)
    assert got.answered


def test_citation_numbers_and_abstentions_say_nothing() -> None:
    three = replace(QUESTION, answers=("1",), nuggets=(Nugget("n", True, ("1",)),))
    marked = replace(answer(says("Yes.", 1)), text="Yes. [1]")
    assert score(three, [], marked, [Judged("Yes.")]).answer_match == 0.0
    quiet = replace(answer(), text="Fewer than 1.")
    assert score(three, [], quiet, []).vital_nuggets == 0.0


def test_an_error_is_a_failure_and_no_abstention() -> None:
    got = score(QUESTION, [{0}], None, ())
    assert (got.error, got.abstained, got.answered) == (True, False, False)
    assert (got.vital_nuggets, got.answer_match) == (0.0, 0.0)
    figures = estimates([got, score(SILENT, [], None, ())])
    assert value(figures["answer_rate"]) == 0.0
    assert value(figures["wrong_abstain"]) == 0.0
    assert value(figures["abstention_recall"]) == 0.0
    assert value(figures["errors"]) == 1.0
    assert figures["faithfulness"] is None


def test_what_has_no_gold_is_left_out() -> None:
    got = score(SILENT, [set()], answer(), [])
    assert got.evidence_recall is got.vital_nuggets is got.answer_match is None
    assert nugget_recall("text", []) is None


# Many questions


def value(figure: Estimate | None) -> float:
    assert figure is not None
    return figure.value


def scores() -> list[Score]:
    """Three answerable questions, one abstained; two unanswerable, one of them answered."""
    right = score(QUESTION, [{0, 1}], answer(says("$3 in May", 1)), [Judged("a"), Judged("b")])
    half = score(QUESTION, [{0}], answer(says("In May", 1)), [Judged("a"), Judged("b", "no")])
    quiet = score(QUESTION, [], answer(), [])
    silent = score(SILENT, [], answer(), [])
    invented = score(SILENT, [], answer(says("$9", 1)), [Judged("a", "no")])
    return [right, half, quiet, silent, invented]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("evidence_recall_8", 0.5),
        ("any_evidence_8", 2 / 3),
        ("mrr_10", 2 / 3),
        ("vital_nugget_recall", 1 / 3),
        ("nugget_recall", 0.5),
        ("answer_match", 1 / 3),
        ("answer_rate", 2 / 3),
        ("faithfulness", 3 / 5),
        ("faithful_answers", 1 / 3),
        ("abstention_precision", 0.5),
        ("abstention_recall", 0.5),
        ("wrong_abstain", 1 / 3),
        ("errors", 0.0),
    ],
)
def test_figures_over_questions(name: str, expected: float) -> None:
    found = estimates(scores())[name]
    assert found is not None
    assert found.value == pytest.approx(expected)
    assert found.low <= found.value <= found.high


def test_every_figure_is_tested_above() -> None:
    marks = test_figures_over_questions.pytestmark  # type: ignore[attr-defined]
    assert {figure.name for figure in FIGURES} == {row[0] for row in marks[0].args[1]}


def test_a_figure_counts_over_what_it_applies_to() -> None:
    over = {name: found.of for name, found in estimates(scores()).items() if found}
    assert over["faithfulness"] == 5
    assert over["answer_rate"] == 3
    assert over["abstention_recall"] == 2
    assert over["errors"] == 5


def test_without_questions_there_is_no_figure() -> None:
    assert all(estimate(figure, []) is None for figure in FIGURES)


# Intervals


def test_an_interval_is_the_same_each_time_and_narrows_with_more_questions() -> None:
    few, many = [(1.0, 1.0), (0.0, 1.0)] * 10, [(1.0, 1.0), (0.0, 1.0)] * 250
    assert interval(few) == interval(few)
    (low, high), (lower, higher) = interval(few), interval(many)
    assert higher - lower < (high - low) / 3
    # 1.96 standard errors of a share of one half among 500
    assert (higher - lower) / 2 == pytest.approx(1.96 * (0.25 / 500) ** 0.5, rel=0.1)


def test_another_seed_draws_other_questions() -> None:
    uneven = [(n / 7, 1.0) for n in range(20)]
    assert interval(uneven) != interval(uneven, seed=1)


def test_draws_without_any_applicable_question_are_left_out() -> None:
    low, high = interval([(1.0, 1.0), *[(0.0, 0.0)] * 9])
    assert (low, high) == (1.0, 1.0)


def test_pairing_takes_out_what_both_share() -> None:
    hard_and_easy = [(float(n % 2), 1.0) for n in range(40)]
    bit_better = [(1.0, 1.0) if n == 0 else part for n, part in enumerate(hard_and_easy)]
    low, high = paired_interval(bit_better, hard_and_easy)
    assert 0.0 <= low <= 1 / 40 <= high < 0.1
    alone_low, alone_high = interval(hard_and_easy)
    assert high - low < (alone_high - alone_low) / 2


def test_pairs_need_the_same_questions() -> None:
    with pytest.raises(ValueError, match="same questions"):
        paired_interval([(1, 1)], [])


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile(list(range(1, 101)), 95) == 95
    assert percentile([7], 50) == percentile([7], 95) == 7
    assert percentile([], 50) is None


def test_importing_the_metrics_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    code = "import sys, evals.metrics; print(sorted({'torch', 'chromadb'} & set(sys.modules)))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert done.stdout.strip() == "[]", done.stderr
