"""Scores of made-up answers come out as the figures are defined."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from corpus.article import Article, Passage
from evals.questions import Nugget, Question, Quote
from evals.scores import (
    FIGURES,
    Estimate,
    Figure,
    Judged,
    Score,
    difference,
    estimate,
    estimates,
    quotes_in,
    said,
    score,
    tokens_per_second,
)
from rag.answer import Answer, Hit, Statement, Window

TEXT = "Kiln 2 costs $3 a month. It was released in May. Nobody else sells it."
FIRST = "Kiln 2 costs $3 a month."
ARTICLE = Article(
    "Kiln 2", TEXT, url="https://example.org/kiln", published=datetime(2025, 5, 4, tzinfo=UTC)
)
PASSAGE = Passage(ARTICLE.id, ARTICLE.revision, 0, 48, TEXT[:48])
QUESTION = Question(
    id="single-001",
    kind="single",
    question="What does it cost?",
    answers=("$3",),
    nuggets=(Nugget("price", True, ("$3",)), Nugget("month", False, ("May",))),
    evidence=(Quote("kiln", FIRST), Quote("kiln", "Nobody else sells it.")),
    false_premise=False,
    known_entity=False,
    history=(),
    split="dev",
)
SILENT = replace(QUESTION, kind="unanswerable", answers=(), nuggets=(), evidence=())

GOOD = Judged("a", True, "", 0.9, recalled=True, citations=1, precise=1)
SPARE = replace(GOOD, citations=2)
"""Supported, with a citation that isn't needed."""
BAD = Judged("b", False, "it says 4", 0.1, recalled=False, citations=1, precise=0)
BLURRED = Judged("c", None, "the judge said neither", None, recalled=None, citations=0, precise=0)


def answer(*statements: str, **timings: int) -> Answer:
    """What says `statements`, each citing [1]; an abstention without any."""
    return Answer(
        question="?",
        query="?",
        text="\n".join(f"{statement} [1]" for statement in statements) or "Fewer than 1.",
        abstained=not statements,
        reason=None if statements else "nothing",
        statements=tuple(Statement(text, (1,), 1.0, "supported") for text in statements),
        citations=(),
        hits=(),
        window=Window(),
        model="fake",
        as_of="2025-05-04",
        timings_ms={"generate": 0, "total": 40, **timings},
    )


def value(figure: Estimate | None) -> float:
    assert figure is not None
    return figure.value


def named(name: str) -> Figure:
    return next(figure for figure in FIGURES if figure.name == name)


# One question


def test_a_quote_is_found_only_whole_and_in_its_own_article() -> None:
    id_of = {"kiln": ARTICLE.id}
    assert quotes_in(Hit(PASSAGE, ARTICLE, 1.0), QUESTION.evidence, id_of) == {0}
    other = replace(ARTICLE, url="https://example.org/copy")
    assert quotes_in(Hit(PASSAGE, other, 1.0), QUESTION.evidence, id_of) == set()
    torn = Passage(ARTICLE.id, ARTICLE.revision, 0, 10, TEXT[:10])
    assert quotes_in(Hit(torn, ARTICLE, 1.0), QUESTION.evidence, id_of) == set()


def test_an_answer_is_scored() -> None:
    given = answer("It costs $3.", generate=30)
    got = score(QUESTION, [set(), {0}], 2, given, [SPARE, BAD, BLURRED], tokens=12)
    assert (got.evidence_recall, got.all_evidence, got.reciprocal_rank) == (0.5, 0.0, 0.5)
    assert got.ndcg == pytest.approx(0.3869, abs=1e-4)  # (1 / log2 3) / (1 + 1 / log2 3)
    assert (got.vital_nuggets, got.nuggets, got.answer_match) == (1.0, 0.5, 1.0)
    assert (got.exact_match, got.f1) == (0.0, 0.5)
    assert (got.statements, got.supported, got.unreadable) == (2, 1, 1)
    assert (got.recalled, got.citations, got.precise) == (1, 3, 1)
    assert (got.milliseconds, got.tokens, got.generate_ms) == (40, 12, 30)
    assert got.answered


def test_evidence_is_looked_for_in_eight_hits_and_ranked_in_ten() -> None:
    ninth = score(QUESTION, [*[set[int]()] * 8, {0, 1}], 1, answer("x"), [], None)
    assert (ninth.evidence_recall, ninth.all_evidence) == (0.0, 0.0)
    assert ninth.reciprocal_rank == pytest.approx(1 / 9)
    assert ninth.ndcg is not None
    assert ninth.ndcg > 0.0


def test_citation_numbers_and_abstentions_say_nothing() -> None:
    one = replace(QUESTION, answers=("1",), nuggets=(Nugget("n", True, ("1",)),))
    assert score(one, [], 0, answer("Yes."), [], None).answer_match == 0.0
    quiet = score(one, [], 0, answer(), [], None)
    assert (quiet.vital_nuggets, quiet.answer_match, quiet.f1) == (0.0, 0.0, 0.0)
    assert said(answer()) == ""
    assert said(answer("One.", "Two.")) == "One.\nTwo."


def test_an_error_is_a_failure_and_no_abstention() -> None:
    got = score(QUESTION, [{0}], 1, None, (), None)
    assert (got.error, got.abstained, got.answered) == (True, False, False)
    assert (got.vital_nuggets, got.answer_match, got.exact_match, got.f1) == (0.0,) * 4
    assert got.milliseconds is got.generate_ms is None
    figures = estimates([got, score(SILENT, [], 0, None, (), None)])
    assert value(figures["answer_rate"]) == 0.0
    assert value(figures["wrong_abstain"]) == 0.0
    assert value(figures["abstention_recall"]) == 0.0
    assert value(figures["errors"]) == 1.0
    assert figures["faithfulness"] is figures["citation_recall"] is None


def test_what_has_no_gold_is_left_out() -> None:
    got = score(SILENT, [set()], 0, answer("It costs $9."), [BAD], None)
    assert got.evidence_recall is got.all_evidence is got.reciprocal_rank is got.ndcg is None
    assert got.vital_nuggets is got.nuggets is got.answer_match is got.exact_match is None
    assert got.f1 is None
    assert (got.statements, got.supported) == (1, 0)


@pytest.mark.parametrize("known", [GOOD, BAD])
def test_a_statement_of_which_a_verdict_is_unreadable_is_not_scored(known: Judged) -> None:
    for half in (replace(known, supported=None), replace(known, recalled=None)):
        got = score(QUESTION, [], 0, answer("x"), [GOOD, half], None)
        assert (got.statements, got.supported, got.unreadable) == (1, 1, 1)
        assert (got.recalled, got.citations, got.precise) == (1, 1, 1)


# Many questions


def scores() -> list[Score]:
    """Answered: well, half well, unreadably. Abstained. Failed. And of two without an answer,
    one is abstained from and one answered.
    """
    return [
        score(QUESTION, [{0, 1}], 1, answer("$3 in May"), [GOOD, SPARE], None),
        score(QUESTION, [{0}], 1, answer("In May"), [GOOD, BAD], None),
        score(QUESTION, [set(), {1}], 1, answer("$3"), [GOOD, BLURRED], None),
        score(QUESTION, [], 1, answer(), [], None),
        score(QUESTION, [], 1, None, [], None),
        score(SILENT, [], 0, answer(), [], None),
        score(SILENT, [], 0, answer("$9"), [BAD], None),
    ]


EXPECTED = {
    "evidence_recall_8": 2 / 5,  # 1, 1/2, 1/2, 0, 0
    "all_evidence_8": 1 / 5,
    "mrr_10": 2.5 / 5,
    "ndcg_10": (1 + 1 + 0.63093) / 5,  # 1 / log2 3 for the second rank
    "vital_nugget_recall": 2 / 5,
    "nugget_recall": 2 / 5,  # 1, 1/2, 1/2, 0, 0
    "answer_match": 2 / 5,
    "exact_match": 1 / 5,
    "f1": (2 * (1 / 3 * 1) / (1 / 3 + 1) + 1) / 5,  # of "3 in may" a third is in the gold
    "answer_rate": 3 / 5,
    "faithfulness": 4 / 6,
    "faithful_answers": 1 / 3,  # the one that can't be read is not counted
    "citation_recall": 4 / 6,
    "citation_precision": 4 / 7,
    "unreadable": 1 / 7,
    "abstention_precision": 1 / 2,
    "abstention_recall": 1 / 2,
    "wrong_abstain": 1 / 5,
    "errors": 1 / 7,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_figures_over_questions(name: str) -> None:
    found = estimates(scores())[name]
    assert found is not None
    assert found.value == pytest.approx(EXPECTED[name], abs=1e-5)
    assert found.low <= found.value <= found.high
    assert found.low < found.high


def test_every_figure_is_tested_above_and_named_once() -> None:
    assert [figure.name for figure in FIGURES] == list(EXPECTED)
    assert len({figure.label for figure in FIGURES}) == len(FIGURES)


def test_the_answer_rate_stands_before_faithfulness() -> None:
    names = [figure.name for figure in FIGURES]
    assert names.index("faithfulness") == names.index("answer_rate") + 1


def test_which_figures_are_better_low() -> None:
    low = {figure.name for figure in FIGURES if not figure.higher_is_better}
    assert low == {"unreadable", "wrong_abstain", "errors"}


def test_a_figure_counts_over_what_it_applies_to() -> None:
    over = {name: found.of for name, found in estimates(scores()).items() if found}
    assert over["faithfulness"] == over["citation_recall"] == 6
    assert over["citation_precision"] == 7
    assert over["answer_rate"] == over["f1"] == 5
    assert over["abstention_recall"] == 2
    assert over["errors"] == 7


def test_without_questions_there_is_no_figure() -> None:
    assert all(estimate(figure, []) is None for figure in FIGURES)


# Differences


def test_a_difference_is_paired_and_signed() -> None:
    ours, theirs = [scores()[0]] * 20, [scores()[0]] * 19 + [scores()[1]]
    found = difference(named("answer_match"), ours, theirs)
    assert found is not None
    assert found.value == pytest.approx(1 / 20)
    assert 0.0 <= found.low <= found.value <= found.high < 0.2
    assert found.of == 20
    back = difference(named("answer_match"), theirs, ours)
    assert back is not None
    assert (back.value, back.low, back.high) == pytest.approx(
        (-found.value, -found.high, -found.low)
    )


def test_a_difference_counts_over_the_lesser_side() -> None:
    found = difference(named("faithfulness"), scores()[:3], scores()[2:5])
    assert found is not None
    assert found.value == pytest.approx(4 / 5 - 1)
    assert found.of == 1


def test_there_is_no_difference_where_a_side_has_no_figure() -> None:
    spoken, silent = scores()[:1], scores()[3:4]
    assert difference(named("faithfulness"), spoken, silent) is None
    assert difference(named("faithfulness"), silent, spoken) is None


def test_a_difference_needs_the_same_questions() -> None:
    with pytest.raises(ValueError, match="same questions"):
        difference(named("errors"), scores(), scores()[:2])


# Speed


def test_tokens_per_second_are_a_ratio_of_sums() -> None:
    def written(tokens: int | None, generate: int) -> Score:
        return score(QUESTION, [], 0, answer("x", generate=generate), [], tokens)

    assert tokens_per_second([written(10, 1000), written(50, 2000)]) == 20.0
    assert tokens_per_second([written(10, 1000), written(None, 9000)]) == 10.0
    assert tokens_per_second([written(None, 9000)]) is None
    failed = score(QUESTION, [], 0, None, [], None)
    assert tokens_per_second([failed, written(10, 1000)]) == 10.0
    assert tokens_per_second([written(0, 0)]) is None


def test_importing_the_scores_loads_nothing_heavy() -> None:
    code = "import sys, evals.scores; print({'torch', 'chromadb', 'numpy'} & set(sys.modules))"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "set()"
