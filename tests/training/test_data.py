from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import InputError
from training.reader.data import Asked, Marked, read_questions


def line(**changed: Any) -> dict[str, Any]:
    return {
        "title": "Cars",
        "question": " What did it cost? ",
        "context": "It cost $3.",
        "answers": [{"text": "$3", "answer_start": 8}],
    } | changed


def written(folder: Path, *items: dict[str, Any]) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("\n".join(map(json.dumps, items)), "utf-8")
    return path


def test_a_line_becomes_a_question_with_its_answer_marked(tmp_path: Path) -> None:
    found = read_questions(written(tmp_path, line()))
    assert found == [Asked("Cars", "What did it cost?", Marked("It cost $3.", ((8, 10),)))]


def test_without_a_title_questions_belong_together_by_source(tmp_path: Path) -> None:
    item = line(source="wikinews")
    del item["title"]
    assert read_questions(written(tmp_path, item))[0].title == "wikinews"


def test_an_impossible_question_marks_nothing(tmp_path: Path) -> None:
    assert read_questions(written(tmp_path, line(answers=[])))[0].passage.spans == ()


def test_the_answer_most_people_gave_comes_first_then_the_shorter(tmp_path: Path) -> None:
    three, cost, whole = (
        {"text": "$3", "answer_start": 8},
        {"text": "cost $3", "answer_start": 3},
        {"text": "It cost $3", "answer_start": 0},
    )
    found = read_questions(written(tmp_path, line(answers=[whole, cost, cost, three])))
    assert found[0].passage.answers == ("cost $3", "$3", "It cost $3")


def test_the_same_question_on_the_same_passage_counts_once(tmp_path: Path) -> None:
    path = written(tmp_path, line(), line(), line(context="It will cost $3.", answers=[]))
    assert len(read_questions(path)) == 2


@pytest.mark.parametrize(
    "broken",
    [
        line(answers=[{"text": "$3", "answer_start": 7}]),
        line(answers=[{"text": "$3"}]),
        line(answers=None),
        {"question": "Why?"},
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, broken: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="line 2"):
        read_questions(written(tmp_path, line(), broken))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl"):
        read_questions(tmp_path / "none.jsonl")
