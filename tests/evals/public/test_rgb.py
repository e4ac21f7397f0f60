"""RGB: its files, the documents drawn for each trial, and its measures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import InputError
from evals.public.asking import Said
from evals.public.figures import Figure
from evals.public.rgb import (
    NOISE,
    Item,
    Outcome,
    Trial,
    counterfactual,
    detects,
    figures,
    integrating,
    is_right,
    load,
    noisy,
    rejects,
    says,
    trials,
)

PLAIN = {
    "id": 0,
    "query": "When did the bridge open?",
    "answer": [["May 3, 2022", "3 May 2022"]],
    "positive": ["The bridge opened on May 3, 2022.", "It was opened on 3 May 2022."],
    "negative": ["Another bridge is closed.", "Bridges are long."],
}
INTEGRATING = PLAIN | {
    "answer": ["May 3", ["Ada Lund", "A. Lund"]],
    "positive": [["It opened on May 3."], ["Ada Lund drew it.", "A. Lund is its architect."]],
}
FALSE = PLAIN | {
    "answer": "Ada Lund",
    "fakeanswer": "Bo Falk",
    "positive": ["Ada Lund drew it."],
    "positive_wrong": ["Bo Falk drew it."],
}


def written(folder: Path, **files: dict[str, Any]) -> Path:
    for name, item in files.items():
        (folder / f"{name}.json").write_text(json.dumps(item) + "\n", "utf-8")
    return folder


def test_all_files_of_the_folder_are_read(tmp_path: Path) -> None:
    data = load(written(tmp_path, en=PLAIN, en_int=INTEGRATING, en_fact=FALSE))
    assert list(data) == ["plain", "integrating", "false"]
    assert data["plain"][0].answer == (("May 3, 2022", "3 May 2022"),)
    assert data["integrating"][0].answer == (("May 3",), ("Ada Lund", "A. Lund"))
    assert data["integrating"][0].positive[1] == ("Ada Lund drew it.", "A. Lund is its architect.")
    assert (data["false"][0].wrong, data["false"][0].fake) == (
        ("Bo Falk drew it.",),
        (("Bo Falk",),),
    )


def test_one_file_will_do(tmp_path: Path) -> None:
    assert list(load(written(tmp_path, en_fact=FALSE) / "en_fact.json")) == ["false"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "holds none of en.json"),
        ({"en": PLAIN | {"answer": 2022}}, "en.json, line 1: `answer` is neither"),
        ({"en": PLAIN | {"answer": [" "]}}, "en.json, line 1: `answer` is blank"),
        ({"en": PLAIN | {"answer": []}}, "en.json, line 1: `answer` is blank"),
        ({"en": PLAIN | {"negative": None}}, "en.json, line 1: `negative` is not a list"),
        ({"en": INTEGRATING}, "en.json, line 1: `positive` is not a list of texts"),
        ({"en_int": PLAIN}, "en_int.json, line 1: `positive` is not a list of lists"),
        ({"en_fact": PLAIN}, "en_fact.json, line 1: `positive_wrong` is missing"),
    ],
)
def test_a_malformed_file_is_refused(
    tmp_path: Path, files: dict[str, dict[str, Any]], reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        load(written(tmp_path, **files))


def item(positive: int, negative: int) -> Item:
    return Item(
        "?",
        (("yes",),),
        tuple((f"p{n}",) for n in range(positive)),
        tuple(f"n{n}" for n in range(negative)),
        tuple(f"w{n}" for n in range(positive)),
        (("no",),),
    )


@pytest.mark.parametrize(
    ("positive", "negative", "rate", "drawn"),
    [
        (9, 9, 0.0, "p0 p1 p2 p3 p4"),
        (9, 9, 0.4, "n0 n1 p0 p1 p2"),
        (9, 9, 0.8, "n0 n1 n2 n3 p0"),
        (9, 9, 1.0, "n0 n1 n2 n3 n4"),
        (2, 9, 0.0, "n0 n1 n2 p0 p1"),  # too few with the answer
        (9, 1, 0.8, "n0 p0 p1 p2 p3"),  # too few without
        (2, 1, 0.4, "n0 p0 p1"),
        (9, 1, 1.0, "n0"),  # without the answer means without
    ],
)
def test_documents_are_mixed_as_the_script_does(
    positive: int, negative: int, rate: float, drawn: str
) -> None:
    assert sorted(noisy(item(positive, negative), rate)) == drawn.split()


def test_the_shuffle_is_that_of_their_seed() -> None:
    import random

    random.seed(2333)
    theirs = ["p0", "p1", "p2", "n0", "n1"]
    random.shuffle(theirs)
    assert list(noisy(item(9, 9), 0.4)) == theirs


def test_integration_takes_a_document_of_each_part_first() -> None:
    parts = (("a0", "a1"), ("b0", "b1", "b2"), ("c0",))
    both = Item("?", (("yes",),), parts, ("n0", "n1", "n2"))
    for rate, noise in ((0.0, 0), (0.2, 1), (0.4, 2)):
        documents = integrating(both, rate)
        assert len(documents) == 5
        assert {text[0] for text in documents} >= {"a", "b", "c"}
        assert sum(text.startswith("n") for text in documents) == noise


def test_counterfactual_documents_are_all_false_and_five_at_most() -> None:
    documents = counterfactual(item(9, 9))
    assert len(set(documents)) == 5
    assert all(text.startswith("w") for text in documents)
    assert counterfactual(item(2, 9)) in {("w0", "w1"), ("w1", "w0")}


def test_every_test_is_made_of_its_file() -> None:
    names = [trial.test for trial in trials("plain", [item(9, 9)])]
    assert names == [*(f"noise {rate}" for rate in NOISE), "rejection"]
    assert [t.test for t in trials("integrating", [item(9, 9)])][-1] == "integration 0.4"
    assert [t.test for t in trials("false", [item(9, 9)])] == ["counterfactual"]


def test_every_part_of_an_answer_has_to_be_said() -> None:
    answer = (("May 3",), ("Ada Lund", "A. Lund"))
    assert says("a. lund drew it, and it opened on may 3.", answer)
    assert not says("Ada Lund drew it.", answer)


def test_a_refusal_is_no_answer_and_a_failure_is_no_refusal() -> None:
    trial = Trial("noise 0.0", item(1, 1), ())
    refusing = Said(("Yes, but for insufficient information in documents.",))
    assert rejects(refusing) and not is_right(Outcome(trial, refusing))
    assert is_right(Outcome(trial, Said(("Yes.",))))
    assert rejects(Said())
    failed = Said(error="insufficient information")
    assert not rejects(failed) and not is_right(Outcome(trial, failed))


def test_false_documents_are_detected_in_the_text_or_a_remark() -> None:
    assert detects(Said(("There are factual errors in the provided documents.",)))
    assert detects(Said(remarks=("The sources hold factual errors.",)))
    assert not detects(Said(("Bo Falk drew it.",)))


def found_among(made: tuple[Figure, ...]) -> dict[tuple[str, str], tuple[float | None, int]]:
    return {(figure.group, figure.name): (figure.value, figure.of) for figure in made}


def test_figures_are_made_by_test() -> None:
    one = item(1, 1)
    told = [
        ("noise 0.0", Said(("Yes.",))),
        ("noise 0.0", Said()),
        ("rejection", Said()),
        ("rejection", Said(("Yes.",))),
        ("counterfactual", Said(("No.",))),
        ("counterfactual", Said(("There are factual errors; yes it is.",))),
        ("counterfactual", Said(("There are factual errors.",))),
    ]
    made = found_among(figures([Outcome(Trial(test, one, ()), said) for test, said in told]))
    assert made["noise 0.0", "accuracy"] == (0.5, 2)
    assert made["rejection", "rejection rate"] == (0.5, 2)
    assert ("rejection", "accuracy") not in made
    assert made["counterfactual", "accuracy"] == (pytest.approx(1 / 3), 3)
    assert made["counterfactual", "error detection rate"] == (pytest.approx(2 / 3), 3)
    assert made["counterfactual", "error correction rate"] == (0.5, 2)
    assert made["counterfactual", "misled (ours)"] == (pytest.approx(1 / 3), 3)


def test_without_a_detection_there_is_no_correction_rate() -> None:
    outcome = Outcome(Trial("counterfactual", item(1, 1), ()), Said(("No.",)))
    made = found_among(figures([outcome]))
    assert made["counterfactual", "error correction rate"] == (None, 0)
