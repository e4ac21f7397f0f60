"""The loader refuses what it should, and the bundled file is what its data card says."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import InputError
from evals.questions import (
    Nugget,
    Question,
    Quote,
    article_body,
    bundled_articles,
    bundled_questions,
    load_questions,
    occurs,
)

ARTICLES = {
    "kiln": "The kiln costs $1.5 million. It opened on 12 August.",
    "loom": "The loom costs half.",
}
GOOD: dict[str, Any] = {
    "id": "single-001",
    "kind": "single",
    "question": "Price of the kiln?",
    "answers": ["$1.5 million"],
    "nuggets": [{"text": "$1.5 million", "vital": True, "match": ["$1.5 MILLION"]}],
    "evidence": [{"article": "kiln", "quote": "The kiln costs $1.5 million."}],
    "false_premise": False,
    "split": "dev",
}
SILENT: dict[str, Any] = {
    **GOOD,
    "id": "unanswerable-001",
    "kind": "unanswerable",
    "answers": [],
    "nuggets": [],
    "evidence": [],
}


def written(tmp_path: Path, *items: dict[str, Any] | str) -> Path:
    path = tmp_path / "some.jsonl"
    lines = (item if isinstance(item, str) else json.dumps(item) for item in items)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def test_a_good_file_becomes_frozen_values(tmp_path: Path) -> None:
    first, second = load_questions(written(tmp_path, GOOD, SILENT), ARTICLES)
    assert first == Question(
        id="single-001",
        kind="single",
        question="Price of the kiln?",
        answers=("$1.5 million",),
        nuggets=(Nugget("$1.5 million", True, ("$1.5 MILLION",)),),
        evidence=(Quote("kiln", "The kiln costs $1.5 million."),),
        false_premise=False,
        split="dev",
    )
    assert first.answerable
    assert not second.answerable
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.id = "other"  # type: ignore[misc]


@pytest.mark.parametrize("name", sorted(GOOD))
def test_every_field_is_required(tmp_path: Path, name: str) -> None:
    item = {key: value for key, value in GOOD.items() if key != name}
    with pytest.raises(InputError, match=f"`{name}` is missing"):
        load_questions(written(tmp_path, item), ARTICLES)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "an object is expected"),
        ("", "not JSON"),
        ({**GOOD, "kind": "riddle"}, "`kind` is 'riddle'"),
        ({**GOOD, "split": "train"}, "`split` is 'train'"),
        ({**GOOD, "question": " "}, "`question` is empty"),
        ({**GOOD, "false_premise": "no"}, "`false_premise` is not a bool"),
        ({**GOOD, "answers": [3]}, "`answers` holds something other than text"),
        ({**GOOD, "nuggets": [{"text": "x", "vital": True}]}, "`match` is missing"),
        ({**GOOD, "answers": []}, "has no answers"),
        ({**GOOD, "nuggets": []}, "has no nuggets"),
        ({**GOOD, "evidence": []}, "an answerable question has no evidence"),
        ({**GOOD, "false_premise": True}, "a false premise is unanswerable"),
        ({**GOOD, "kind": "across"}, "comes from one article"),
        ({**GOOD, "evidence": [{"article": "anvil", "quote": "The"}]}, "no article 'anvil'"),
        (
            {**GOOD, "evidence": [{"article": "kiln", "quote": "The kiln costs  $1.5 million."}]},
            "is not in kiln",
        ),
        (
            {**GOOD, "nuggets": [{"text": "opening", "vital": True, "match": ["12 August"]}]},
            "no evidence holds a match of the nugget 'opening'",
        ),
        ({**SILENT, "evidence": GOOD["evidence"]}, "an unanswerable question has evidence"),
        ({**SILENT, "answers": ["1"]}, "an unanswerable question has answers"),
    ],
)
def test_a_malformed_line_is_refused_with_file_line_and_reason(
    tmp_path: Path, item: dict[str, Any] | str, reason: str
) -> None:
    other = {**GOOD, "id": "single-000"}
    with pytest.raises(InputError) as caught:
        load_questions(written(tmp_path, other, item, SILENT), ARTICLES)
    assert reason in caught.value.message
    assert "some.jsonl, line 2:" in caught.value.message
    assert caught.value.remedy


def test_an_id_is_used_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 2: the id 'single-001' is taken"):
        load_questions(written(tmp_path, GOOD, GOOD), ARTICLES)


def test_a_file_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl can't be read"):
        load_questions(tmp_path / "none.jsonl", ARTICLES)


@pytest.mark.parametrize(
    ("string", "text", "expected"),
    [
        ("$1.5 billion", "It paid $1.5\n  BILLION.", True),
        ("$1.5 billion", "It paid $11.5 billion.", False),
        ("1.5 billion", "It paid $11.5 billion.", False),
        ("5 billion", "It paid $1.5 billion.", False),
        ("10%", "about 10%.", True),
        ("10%", "about 110%", False),
        ("1 July 2026", "on 21 July 2026", False),
        ("GPT-5", "GPT-5.1 followed", False),
        ("GPT-5", "It was GPT-5.", True),
        ("TPU v4", "8,192 TPU v4s", True),
    ],
)
def test_strings_are_found_with_their_numbers_whole(string: str, text: str, expected: bool) -> None:
    assert occurs(string, text) is expected


def test_a_nugget_needs_one_of_its_strings() -> None:
    nugget = Nugget("second", True, ("rank 32", "32nd"))
    assert nugget.is_in("It came 32nd.")
    assert not nugget.is_in("It came second.")


def test_the_body_of_an_article_starts_below_its_front_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("---\ntitle: A --- B\n---\n\nFirst.\n\n---\n\nLast.\n", "utf-8")
    assert article_body(path) == "First.\n\n---\n\nLast."
    path.write_text("No front matter.\n", "utf-8")
    with pytest.raises(InputError, match="no front matter"):
        article_body(path)


@pytest.fixture(scope="module")
def bundled() -> list[Question]:
    return bundled_questions()


def test_the_bundled_file_has_its_counts(bundled: list[Question]) -> None:
    assert Counter(question.kind for question in bundled) == {
        "single": 48,
        "across": 20,
        "dates": 14,
        "unanswerable": 24,
    }
    assert Counter(question.false_premise for question in bundled) == {False: 97, True: 9}


def test_a_third_of_each_kind_is_held_out(bundled: list[Question]) -> None:
    kinds = Counter(question.kind for question in bundled)
    held_out = Counter(question.kind for question in bundled if question.split == "test")
    for kind, count in kinds.items():
        assert held_out[kind] / count == pytest.approx(1 / 3, abs=0.05)


def test_no_question_is_asked_twice(bundled: list[Question]) -> None:
    assert len({question.question.casefold() for question in bundled}) == len(bundled)


def test_every_bundled_article_is_asked_about(bundled: list[Question]) -> None:
    asked = {quote.article for question in bundled for quote in question.evidence}
    assert asked == set(bundled_articles())


def test_every_answerable_question_has_a_vital_nugget(bundled: list[Question]) -> None:
    for question in bundled:
        assert not question.answerable or any(n.vital for n in question.nuggets), question.id
