"""RAGTruth: its files, and a judge as a detector of hallucinations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import InputError
from evals.public.figures import Figure
from evals.public.ragtruth import Detection, Response, Source, detect, figures, lines_of, load
from tests.evals.fakes import FakeJudge

LABEL = {"start": 0, "end": 3, "text": "The", "label_type": "Evident Conflict"}
SUMMARY = {"source_id": "s1", "task_type": "Summary", "source_info": "The mill closed.\n"}
QA = {
    "source_id": "s2",
    "task_type": "QA",
    "source_info": {
        "question": "when did it close",
        "passages": "passage 1:It closed in May.\n\npassage 2:It was old.\n\n",
    },
}
DATA = {"source_id": "s3", "task_type": "Data2txt", "source_info": {"name": "Mill", "stars": 3.0}}
RESPONSE = {
    "id": "1",
    "source_id": "s1",
    "model": "some-model",
    "labels": [],
    "split": "test",
    "quality": "good",
    "response": "The mill closed.",
}


def written(folder: Path, sources: list[Any], responses: list[Any]) -> Path:
    for name, rows in (("source_info", sources), ("response", responses)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, "utf-8")
    return folder


def test_sources_of_all_tasks_become_texts(tmp_path: Path) -> None:
    rows = [RESPONSE | {"source_id": f"s{n}"} for n in (1, 2, 3)]
    summary, answer, data = load(written(tmp_path, [SUMMARY, QA, DATA], rows))
    assert summary.source.contexts == ("The mill closed.\n",)
    assert answer.source.contexts == ("passage 1:It closed in May.", "passage 2:It was old.")
    assert data.source.contexts == ("name: Mill\nstars: 3.0",)


def test_only_good_responses_of_the_test_split_count(tmp_path: Path) -> None:
    others = [{"split": "train"}, {"quality": "truncated"}, {"quality": "incorrect_refusal"}]
    rows = [RESPONSE | {"labels": [LABEL]}, *(RESPONSE | other for other in others)]
    (kept,) = load(written(tmp_path, [SUMMARY], rows))
    assert kept.hallucinated
    with pytest.raises(InputError, match="has no response of split “test” and quality “good”"):
        load(written(tmp_path, [SUMMARY], rows[1:]))


@pytest.mark.parametrize(
    ("source", "response", "reason"),
    [
        ({"task_type": "Chat"}, {}, "source_info.jsonl, line 1: `task_type` is 'Chat'"),
        ({"source_info": {}}, {}, "line 1: `source_info` is not a text"),
        ({"task_type": "QA"}, {}, "line 1: `source_info` is not an object"),
        ({"task_type": "QA", "source_info": {}}, {}, "line 1, source_info: `passages` is missing"),
        ({}, {"source_id": "s9"}, "response.jsonl, line 1: `source_id` 's9' is not in"),
        ({}, {"labels": None}, "response.jsonl, line 1: `labels` is not a list"),
        ({}, {"response": None}, "response.jsonl, line 1: `response` is not a text"),
    ],
)
def test_a_malformed_file_is_refused(
    tmp_path: Path, source: dict[str, Any], response: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        load(written(tmp_path, [SUMMARY | source], [RESPONSE | response]))


def test_nested_data_keeps_its_names() -> None:
    told = list(
        lines_of({"attributes": {"parking": {"lot": True}}, "reviews": [{"text": "Good."}]})
    )
    assert told == ["attributes parking lot: true", "reviews text: Good."]


def response(text: str, hallucinated: bool = False, task: str = "QA") -> Response:
    return Response("1", Source(task, ("It closed in May. It was old.",)), text, hallucinated)


def test_every_sentence_is_judged_by_the_source() -> None:
    judge = FakeJudge()
    assert detect(judge, response("It closed in May. It was old.")).flagged is False
    assert detect(judge, response("It closed in May. It was new.")).flagged is True
    assert [claim.statement for claim in judge.claims[2:]] == ["It closed in May.", "It was new."]
    assert detect(judge, response("")).flagged is False


def test_an_unreadable_sentence_leaves_the_response_open_unless_another_fails() -> None:
    judge = FakeJudge(unreadable=["It was old."])
    assert detect(judge, response("It closed in May. It was old.")).flagged is None
    assert detect(judge, response("It was new. It was old.")).flagged is True


def found_among(made: tuple[Figure, ...]) -> dict[tuple[str, str], float | None]:
    return {(figure.group, figure.name): figure.value for figure in made}


# In truth, said: two found, one missed, one false alarm, two left in peace, one unread.
TOLD = [(1, 1), (1, 1), (1, 0), (0, 1), (0, 0), (0, 0), (1, None)]


def test_figures_are_those_of_a_detector() -> None:
    detections = [
        Detection(response("", bool(is_so)), None if said is None else bool(said))
        for is_so, said in TOLD
    ]
    made = found_among(figures(detections))
    assert made["all", "precision"] == pytest.approx(2 / 3)
    assert made["all", "recall"] == pytest.approx(2 / 3)
    assert made["all", "F1"] == pytest.approx(2 / 3)
    assert made["all", "balanced accuracy (ours)"] == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert made["all", "judged (ours)"] == pytest.approx(6 / 7)
    assert made["QA", "F1"] == made["all", "F1"]
    assert ("Summary", "F1") not in made


def test_one_class_alone_has_no_balanced_accuracy() -> None:
    made = found_among(figures([Detection(response("", hallucinated=True), True)] * 3))
    assert made["all", "balanced accuracy (ours)"] is None
    assert made["all", "F1"] == 1
