"""The loader refuses what it should, and the bundled file is what its data card says."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import InputError
from corpus.indexes import open_current
from corpus.library import Library
from corpus.settings import Settings
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
from evals.scores import quotes_in
from evals.systems.bm25 import pasted
from ingest.bundled import bundled_articles as bundled_items
from ingest.pipeline import Pipeline
from rag.answer import Hit
from rag.followups import Turn
from tests.fakes import FakeEmbedder

MISSED_AT = 8  # hits
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
    "known_entity": False,
    "history": [],
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
FOLLOWUP: dict[str, Any] = {
    **GOOD,
    "id": "followup-001",
    "kind": "followup",
    "question": "And its price?",
    "history": [{"question": "When did the kiln open?", "answer": "On 12 August. [1]"}],
}
BOTH = [
    {"article": "kiln", "quote": "The kiln costs $1.5 million."},
    {"article": "loom", "quote": "The loom costs half."},
]


def written(tmp_path: Path, *items: dict[str, Any] | str) -> Path:
    path = tmp_path / "some.jsonl"
    lines = (item if isinstance(item, str) else json.dumps(item) for item in items)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def test_a_good_file_becomes_frozen_values(tmp_path: Path) -> None:
    first, second, third = load_questions(written(tmp_path, GOOD, SILENT, FOLLOWUP), ARTICLES)
    assert first == Question(
        id="single-001",
        kind="single",
        question="Price of the kiln?",
        answers=("$1.5 million",),
        nuggets=(Nugget("$1.5 million", True, ("$1.5 MILLION",)),),
        evidence=(Quote("kiln", "The kiln costs $1.5 million."),),
        false_premise=False,
        known_entity=False,
        history=(),
        split="dev",
    )
    assert first.answerable
    assert not second.answerable
    assert third.history == (Turn("When did the kiln open?", "On 12 August. [1]"),)
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
        ({**GOOD, "false_premise": True}, "are kinds of unanswerable questions"),
        ({**GOOD, "known_entity": True}, "are kinds of unanswerable questions"),
        ({**GOOD, "known_entity": 1}, "`known_entity` is not a bool"),
        ({**GOOD, "history": FOLLOWUP["history"]}, "only a follow-up has a history"),
        ({**SILENT, "history": FOLLOWUP["history"]}, "only a follow-up has a history"),
        ({**FOLLOWUP, "history": []}, "a follow-up has no history"),
        ({**FOLLOWUP, "history": {}}, "`history` is not a list"),
        ({**FOLLOWUP, "history": ["And?"]}, "an object is expected"),
        ({**FOLLOWUP, "history": [{"question": "And?"}]}, "`answer` is missing"),
        ({**FOLLOWUP, "history": [{"question": "", "answer": "1"}]}, "`question` is empty"),
        ({**GOOD, "kind": "overtaken"}, "'overtaken' needs two pieces of evidence"),
        ({**GOOD, "kind": "disagree"}, "'disagree' needs two pieces of evidence"),
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


@pytest.mark.parametrize("kind", ["across", "overtaken", "disagree"])
def test_kinds_that_need_two_pieces_of_evidence_take_them(tmp_path: Path, kind: str) -> None:
    item = {**GOOD, "kind": kind, "evidence": BOTH}
    (question,) = load_questions(written(tmp_path, item), ARTICLES)
    assert (question.kind, len(question.evidence)) == (kind, 2)


@pytest.mark.parametrize("sort", ["false_premise", "known_entity"])
def test_the_unanswerable_come_in_sorts(tmp_path: Path, sort: str) -> None:
    (question,) = load_questions(written(tmp_path, {**SILENT, sort: True}), ARTICLES)
    assert getattr(question, sort) and not question.answerable


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
        "single": 92,
        "across": 41,
        "dates": 31,
        "overtaken": 16,
        "disagree": 16,
        "followup": 16,
        "unanswerable": 38,
    }
    assert Counter(question.split for question in bundled) == {"dev": 169, "test": 81}
    assert sum(question.false_premise for question in bundled) == 17
    assert sum(question.known_entity for question in bundled) == 16


def test_there_are_enough_of_each_kind_to_measure_by(bundled: list[Question]) -> None:
    counts = Counter(question.kind for question in bundled)
    least = {"single": 90, "across": 40, "dates": 30, "overtaken": 15, "disagree": 15,
             "followup": 15, "unanswerable": 35}  # fmt: skip
    assert len(bundled) >= 220
    assert {kind: counts[kind] for kind in least if counts[kind] < least[kind]} == {}  # type: ignore[index]
    assert sum(question.false_premise for question in bundled) >= 15
    assert sum(question.known_entity for question in bundled) >= 10


def test_a_third_is_held_out_and_some_of_every_kind(bundled: list[Question]) -> None:
    kinds = Counter(question.kind for question in bundled)
    held_out = Counter(question.kind for question in bundled if question.split == "test")
    assert 0.30 <= held_out.total() / len(bundled) <= 0.36
    for kind, count in kinds.items():
        assert held_out[kind] / count == pytest.approx(1 / 3, abs=0.08), kind


def test_no_question_is_asked_twice(bundled: list[Question]) -> None:
    asked = {(q.question.casefold(), q.history) for q in bundled}
    assert len(asked) == len(bundled)


def test_every_bundled_article_is_asked_about(bundled: list[Question]) -> None:
    asked = {quote.article for question in bundled for quote in question.evidence}
    assert asked == set(bundled_articles())


def test_every_answerable_question_has_a_vital_nugget(bundled: list[Question]) -> None:
    for question in bundled:
        assert not question.answerable or any(n.vital for n in question.nuggets), question.id


def test_plain_bm25_misses_the_evidence_of_about_a_fifth(
    bundled: list[Question], tmp_path: Path
) -> None:
    """A set that the plainest search passes measures nothing; nor does one that it always fails.

    Follow-ups are asked as they stand after the question before them.
    """
    library = Library.open(tmp_path / "home")
    Pipeline(library, FakeEmbedder(), Settings(home=library.home)).ingest(bundled_items())
    indexes = open_current(library, Settings(home=library.home), FakeEmbedder())
    stems = {text: stem for stem, text in bundled_articles().items()}
    id_of = {stems[article.text]: article.id for article in library.articles()}

    def missed(question: Question) -> bool:
        asked = pasted(question.question, question.history)
        ids = [id_ for id_, _ in indexes.words.search(asked, MISSED_AT)]
        hits = [Hit(passage, article, 0.0) for passage, article in library.passages(ids)]
        found = set().union(*(quotes_in(hit, question.evidence, id_of) for hit in hits))
        return len(found) < len(question.evidence)

    answerable = [question for question in bundled if question.answerable]
    lost = sum(map(missed, answerable))
    indexes.close()
    library.close()
    assert 0.15 <= lost / len(answerable) <= 0.30
