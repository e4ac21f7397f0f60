from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from corpus.article import Article, Passage
from evals.calibrate_verifier import CALIBRATION
from evals.pairs import Sample, fitting_samples, load_articles, ruler_samples
from evals.pairs.cases import Case, Line, Rule
from evals.pairs.falsehoods import (
    RULER_FALSE,
    denied,
    estranged,
    extended,
    misattributed,
    other_date,
    other_name,
    other_number,
    requantified,
    reversed_direction,
    swapped_roles,
)
from evals.pairs.truths import joined, reordered, rewritten, told_by, whole_clause
from rag.answer import Hit
from rag.facts import facts_of, quote_holds, same_number

DAY = datetime(2025, 8, 5, tzinfo=UTC)
TRIES = range(40)


def case_of(
    sentence: str, *, rest: str = "", following: str | None = None, kin: str = "", by: str = "Wired"
) -> Case:
    text = f"{sentence} {rest}".strip()
    article = Article("A title", text, publisher=by, published=DAY)
    other = Article("Another", kin, publisher="CNBC", published=DAY)
    hit = Hit(Passage(article.id, article.revision, 0, len(text), text), article, 1.0)
    lines = [Line(kin, other)] if kin else []
    return Case(sentence, following, hit, lines, lines)


def all_of(rule: Rule, case: Case) -> set[str]:
    """What `rule` makes of `case` under many chances."""
    made = {rule(case, random.Random(n)) for n in TRIES}
    return {statement for statement in made if statement is not None}


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    return load_articles()


@pytest.fixture(scope="module")
def samples(articles: list[Article]) -> list[Sample]:
    return ruler_samples(articles)


# The whole set


def test_the_report_half_is_large_balanced_and_of_many_kinds(samples: list[Sample]) -> None:
    reported = [s for s in samples if not s.fit]
    kinds = {s.kind for s in reported if not s.true}
    assert len(reported) >= 1500
    assert 0.45 < sum(s.true for s in reported) / len(reported) < 0.55
    assert len(kinds) >= 8
    assert kinds == set(RULER_FALSE)


def test_the_same_seed_makes_the_same_pairs_and_another_does_not(
    articles: list[Article],
) -> None:
    few = articles[:8]
    assert ruler_samples(few) == ruler_samples(few)
    assert ruler_samples(few, seed=8) != ruler_samples(few)


def test_an_article_lies_in_one_half_the_one_that_the_verifier_was_fitted_on(
    articles: list[Article], samples: list[Sample]
) -> None:
    fitted = {s.pair.hit.article.id for s in fitting_samples(articles) if s.fit}
    freezing = {s.pair.hit.article.id for s in samples if s.fit}
    reported = {s.pair.hit.article.id for s in samples if not s.fit}
    assert freezing == fitted
    assert not reported & fitted
    assert len(reported | fitted) == len(articles)


def test_the_seed_moves_no_article_to_the_other_half(articles: list[Article]) -> None:
    halves = [
        {s.pair.hit.article.id for s in ruler_samples(articles[:8], seed) if s.fit}
        for seed in (7, 8)
    ]
    assert halves[0] == halves[1]


def test_the_fitting_pairs_are_those_of_the_calibration(articles: list[Article]) -> None:
    made = fitting_samples(articles)
    kinds = Counter(s.kind for s in made if not s.fit)
    calibration = json.loads(CALIBRATION.read_text(encoding="utf-8"))
    assert dict(kinds) == calibration["report"]["pairs"]
    assert sum(s.fit for s in made) == calibration["fit_pairs"]


def test_statements_are_distinct_and_no_false_one_is_a_quotation(samples: list[Sample]) -> None:
    by_article: dict[str, list[str]] = {}
    for sample in samples:
        by_article.setdefault(sample.pair.hit.article.id, []).append(sample.pair.statement)
        if not sample.true:
            assert not quote_holds(sample.pair.statement, sample.pair.hit.passage.text)
    assert all(len(said) == len(set(said)) for said in by_article.values())


def test_statements_read_like_sentences(samples: list[Sample]) -> None:
    for sample in samples:
        said = sample.pair.statement
        assert said.endswith("."), said
        assert "  " not in said, said
        assert "e+" not in said, said
        assert len(said.split()) > 4, said


def test_most_true_statements_are_no_copies(samples: list[Sample]) -> None:
    true = [s for s in samples if s.true]
    copies = sum(s.pair.statement in s.pair.hit.passage.text for s in true)
    assert copies / len(true) < 0.35


# Falsehoods


def test_a_number_is_changed_to_one_that_the_passage_does_not_have() -> None:
    case = case_of("The plan costs $20 a month and has 300 users.", rest="It had 600 before.")
    made = all_of(other_number, case)
    shown = facts_of(case.hit.passage.text).numbers
    assert len(made) > 3
    for statement in made:
        new = [
            n
            for n in facts_of(statement).numbers
            if not any(same_number(n, other) for other in shown)
        ]
        assert len(new) == 1, statement


@pytest.mark.parametrize(
    ("bound", "larger"), [("more than 400", True), ("at least 400", True), ("under 400", False)]
)
def test_a_bound_is_moved_only_to_where_it_is_false(bound: str, larger: bool) -> None:
    made = all_of(other_number, case_of(f"The firm has {bound} people in Paris today."))
    values = [facts_of(statement).numbers[0].value for statement in made]
    assert values
    assert all((value > 400) == larger for value in values)


def test_a_share_stays_below_a_hundred_per_cent() -> None:
    made = all_of(other_number, case_of("The model solved 70% of the tasks in the test."))
    assert made
    assert all(facts_of(statement).numbers[0].value <= 100 for statement in made)


def test_a_date_is_changed_to_one_that_the_passage_does_not_have() -> None:
    case = case_of("It opened on 5 August 2025 in Berlin.", rest="It closed on 5 May 2025.")
    made = all_of(other_date, case)
    assert len(made) > 5
    shown = {(d.year, d.month, d.day) for d in facts_of(case.hit.passage.text).dates}
    assert not any((d.year, d.month, d.day) in shown for said in made for d in facts_of(said).dates)


def test_a_date_that_is_a_bound_is_left_alone() -> None:
    assert not all_of(other_date, case_of("The offer is open to all until 5 August 2025."))


def test_a_name_is_replaced_by_another_of_its_sort() -> None:
    case = case_of(
        "The deal was signed by OpenAI in Paris.",
        rest="Then Anthropic and Sam Altman saw GPT-4 run.",
    )
    assert all_of(other_name, case) == {"The deal was signed by Anthropic in Paris."}


def test_a_name_is_not_replaced_by_a_part_of_its_own_house() -> None:
    assert not all_of(
        other_name, case_of("The deal was signed by Google.", rest="Now DeepMind is glad.")
    )


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The model was released in Paris.", "The model was not released in Paris."),
        ("The model was not released in Paris.", "The model was released in Paris."),
        ("OpenAI released the model in Paris.", "OpenAI did not release the model in Paris."),
    ],
)
def test_a_sentence_is_denied(sentence: str, expected: str) -> None:
    assert all_of(denied, case_of(sentence)) == {expected}


@pytest.mark.parametrize(
    "sentence",
    [
        "It is unclear if the model was released in Paris.",
        "Not only was it late, the model was not good.",
        "The model has eight experts in each layer.",
        "Nobody was told that the model was released.",
    ],
)
def test_what_would_not_be_clearly_false_is_not_denied(sentence: str) -> None:
    assert not all_of(denied, case_of(sentence))


def test_a_comparison_is_turned_and_an_idiom_is_not() -> None:
    case = case_of("Its price is higher than that of the rival.")
    assert all_of(reversed_direction, case) == {"Its price is lower than that of the rival."}
    assert not all_of(reversed_direction, case_of("Once more the price is higher than before."))


def test_who_and_whom_change_places() -> None:
    case = case_of("In August OpenAI sued Anthropic over its licence.")
    assert all_of(swapped_roles, case) == {"In August Anthropic sued OpenAI over its licence."}


def test_names_that_are_on_one_level_stay() -> None:
    assert not all_of(swapped_roles, case_of("A deal between OpenAI, the firm, and Nvidia holds."))


def test_all_never_becomes_some_which_would_follow() -> None:
    made = all_of(requantified, case_of("The firm says that all models are open to everyone."))
    assert made == {"The firm says that few models are open to everyone."}


def test_some_becomes_all_and_an_amount_of_time_stays() -> None:
    made = all_of(requantified, case_of("In the test some users found gaps in its knowledge."))
    assert made == {"In the test all users found gaps in its knowledge."}
    assert not all_of(requantified, case_of("The work on the new chip took some years."))


def test_a_source_is_another_publisher_than_the_article_s() -> None:
    made = all_of(misattributed, case_of("Prices fell by half.", by="Wired"))
    assert len(made) > 4
    assert not any("Wired" in statement for statement in made)


def test_a_stranger_is_not_what_the_passage_says_too() -> None:
    told = "The court in Paris sided with the authors on all counts."
    assert not all_of(estranged, case_of(told, kin=told))
    kin = "The chip maker raised its forecast for the coming year."
    assert all_of(estranged, case_of(told, kin=kin)) == {kin}


def test_an_addition_is_not_one_that_the_passage_makes() -> None:
    case = case_of("The price fell.", rest="It did so mainly to save money.")
    made = all_of(extended, case)
    assert len(made) > 5
    assert not any("save money" in statement for statement in made)


# Truths


def test_a_clause_is_shortened_only_at_its_end() -> None:
    ends = case_of("The new model costs five dollars, which surprised many.")
    assert all_of(whole_clause, ends) == {"The new model costs five dollars."}
    inside = case_of("The newest model of all, which surprised many, costs five dollars.")
    assert not all_of(whole_clause, inside)


def test_two_sentences_are_joined_unless_the_second_leans() -> None:
    case = case_of("Prices fell in May.", following="The firm said nothing.")
    assert all_of(joined, case) == {"Prices fell in May, and the firm said nothing."}
    assert not all_of(joined, case_of("Prices fell in May.", following="It said nothing."))


def test_the_article_s_own_publisher_and_day_are_added() -> None:
    made = all_of(told_by, case_of("The price fell by half."))
    assert "According to Wired, the price fell by half." in made
    assert "Wired reported on August 5, 2025 that the price fell by half." in made


def test_numbers_and_dates_take_another_form() -> None:
    case = case_of("It paid $5 million for 1,200 seats and 59.5% of it.")
    assert all_of(rewritten, case) == {
        "It paid 5 million dollars for 1200 seats and 59.5 per cent of it."
    }


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "The chip will ship in May, The Information reported on 5 August 2025.",
            "The Information reported on 5 August 2025 that the chip will ship in May.",
        ),
        (
            "In the first test, the model scored 40 points.",
            "The model scored 40 points in the first test.",
        ),
        (
            "The dispute is unusual because the firm was an early partner.",
            "Because the firm was an early partner, the dispute is unusual.",
        ),
    ],
)
def test_a_sentence_is_reordered(sentence: str, expected: str) -> None:
    assert all_of(reordered, case_of(sentence)) == {expected}


def test_an_opening_with_a_clause_of_its_own_stays() -> None:
    assert not all_of(reordered, case_of("On the test it scored 9.9%, less than the rival."))
