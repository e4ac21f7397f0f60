"""SQuAD-format files of both versions, and what is compared with the gold answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import InputError
from evals.public.asking import Said
from evals.public.figures import Figure
from evals.public.squad import Outcome, Query, figures, load

CONTEXT = "The harbour of Lunde was dug in 1880. It is nine metres deep."
HAS: dict[str, Any] = {
    "id": "a1",
    "question": "When was the harbour dug?",
    "answers": [{"text": "1880", "answer_start": 32}, {"text": "1880", "answer_start": 32}],
    "is_impossible": False,
}
HAS_NOT: dict[str, Any] = {
    "id": "a2",
    "question": "Who dug it?",
    "answers": [],
    "plausible_answers": [{"text": "Lunde", "answer_start": 15}],
    "is_impossible": True,
}


def written(folder: Path, *qas: dict[str, Any]) -> Path:
    paragraphs = [
        {"context": CONTEXT, "qas": list(qas)},
        {"context": "Ships call daily.", "qas": []},
    ]
    file = {"version": "v2.0", "data": [{"title": "Lunde_harbour", "paragraphs": paragraphs}]}
    path = folder / "dev.json"
    path.write_text(json.dumps(file), "utf-8")
    return path


def test_the_paragraphs_of_a_title_are_one_article(tmp_path: Path) -> None:
    data = load(written(tmp_path, HAS, HAS_NOT))
    (article,) = data.articles
    assert article.title == "Lunde harbour"
    assert article.text == f"{CONTEXT}\n\nShips call daily."
    assert [query.answers for query in data.queries] == [("1880",), ()]


def test_version_1_knows_no_impossible_questions(tmp_path: Path) -> None:
    old = {name: value for name, value in HAS.items() if name != "is_impossible"}
    assert load(written(tmp_path, old)).queries[0].answers == ("1880",)
    with pytest.raises(InputError, match="paragraphs 1, qas 1: it has no answer"):
        load(written(tmp_path, old | {"answers": []}))


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (HAS | {"is_impossible": True}, "qas 1: it is impossible and has answers"),
        (HAS | {"is_impossible": "no"}, "qas 1: `is_impossible` is neither true nor false"),
        (HAS | {"answers": [{"text": "1881"}]}, "qas 1: the answer '1881' is not in the paragraph"),
        (HAS | {"answers": "1880"}, "data 1, paragraphs 1, qas 1: `answers` is not a list"),
        (HAS | {"id": ""}, "qas 1: `id` is blank"),
    ],
)
def test_a_malformed_item_is_refused(tmp_path: Path, item: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        load(written(tmp_path, item))


def test_a_file_without_questions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no question"):
        load(written(tmp_path))


def found_among(made: tuple[Figure, ...]) -> dict[tuple[str, str], float | None]:
    return {(figure.group, figure.name): figure.value for figure in made}


def outcome(answers: tuple[str, ...], said: Said) -> Outcome:
    return Outcome(Query("q", "?", answers), said)


def test_the_first_statement_is_compared_and_the_whole_answer_is_looked_through() -> None:
    made = found_among(figures([outcome(("1880",), Said(("In 1880 again.", "1880")))]))
    assert made["all", "EM (first statement)"] == 0
    assert made["all", "F1 (first statement)"] == pytest.approx(2 * 1 / (3 + 1))
    assert made["HasAns", "F1 of the whole answer (ours)"] == pytest.approx(2 * 1 / (4 + 1))
    assert made["HasAns", "answer contained (ours)"] == 1


def test_saying_nothing_is_right_where_there_is_no_answer_and_a_failure_is_not() -> None:
    told = [Said(), Said(("1880",)), Said(error="The model is gone.")]
    made = found_among(figures([*(outcome((), said) for said in told), outcome(("1880",), Said())]))
    assert made["NoAns", "EM (first statement)"] == pytest.approx(1 / 3)
    assert made["NoAns", "F1 (first statement)"] == pytest.approx(1 / 3)
    assert made["HasAns", "F1 (first statement)"] == 0
    assert made["all", "EM (first statement)"] == 0.25


def test_one_kind_alone_is_shown_once() -> None:
    made = figures([outcome(("1880",), Said(("1880",)))])
    assert [f.group for f in made if f.name.startswith("EM")] == ["all"]
