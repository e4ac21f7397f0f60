"""Answers are compared as SQuAD's script does it; nuggets and answers are looked for whole."""

from __future__ import annotations

import pytest

from evals.metrics.answers import answer_match, exact_match, f1, normalised, nugget_recall
from evals.questions import Nugget


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Cat,\tan A-list\ncat", "cat alist cat"),
        ("Anthem of a theme", "anthem of theme"),
        ("GPT-5.6 costs $1,000", "gpt56 costs 1000"),
        ("a.", ""),
        ("“Ça”", "“ça”"),
    ],
)
def test_normalising_is_that_of_squad(text: str, expected: str) -> None:
    assert normalised(text) == expected


def test_an_exact_match_is_of_the_whole_text() -> None:
    assert exact_match("The Kiln.", ["kiln"]) == 1.0
    assert exact_match("Kiln 2", ["Kiln"]) == 0.0
    assert exact_match("", ["Kiln"]) == exact_match("Kiln", []) == 0.0


@pytest.mark.parametrize(
    ("text", "golds", "expected"),
    [
        ("kiln two", ["kiln two"], 1.0),
        ("two kiln", ["kiln two"], 1.0),  # the order is free
        ("kiln kiln", ["kiln"], 2 / 3),  # precision 1/2, recall 1
        ("kiln", ["kiln kiln"], 2 / 3),
        ("kiln", ["oven", "kiln two"], 2 / 3),  # the best gold
        ("kiln", ["oven"], 0.0),
        ("", ["oven"], 0.0),
        ("kiln", [], 0.0),
        ("", [""], 1.0),  # as SQuAD 2.0 scores a question rightly left unanswered
        ("the", [""], 1.0),
        ("kiln", [""], 0.0),
    ],
)
def test_f1_counts_words(text: str, golds: list[str], expected: float) -> None:
    assert f1(text, golds) == pytest.approx(expected)


def test_nuggets_are_shares_and_none_without_any() -> None:
    price, day = Nugget("price", True, ("$3", "3 dollars")), Nugget("day", False, ("5 May",))
    assert nugget_recall("It costs 3 dollars.", [price, day]) == 0.5
    assert nugget_recall("It costs $30.", [price, day]) == 0.0
    assert nugget_recall("It costs $3.", []) is None


def test_an_answer_matches_inside_a_sentence_where_exact_match_does_not() -> None:
    text = "Kiln 2 costs\n$3 a month."
    assert answer_match(text, ["$4", "$3 a Month"]) == 1.0
    assert exact_match(text, ["$4", "$3 a Month"]) == 0.0
    assert answer_match(text, ["$4"]) == answer_match("", ["$4"]) == 0.0
