"""The gate fails when it should, says why in a sentence, and lowers nothing on the quiet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import InputError
from corpus.library import now as library_now
from evals import run as runs
from evals.gate import (
    EPSILON,
    FLOORS,
    GUARDED,
    PIN,
    RULER_STEPS,
    UNMEASURED,
    Data,
    Floors,
    Measured,
    check,
    data_now,
    fingerprint,
    load_floors,
    lowered,
    measured,
    pin,
    pinned,
    save_floors,
)
from evals.questions import bundled_questions
from evals.ruler import Decided, Ruling
from evals.run import Item, Run
from evals.scores import FIGURES, Score, score

JUDGED = ("ruler_auroc", "ruler_balanced_accuracy")
DATA = Data(questions=100, questions_sha256="aa", articles=88, articles_sha256="bb")
FLOOR = Floors(DATA, {"answer_rate": 0.80, "faithfulness": 0.98})


def now(answer_rate: float = 0.80, faithfulness: float = 0.98, errors: int = 0) -> Measured:
    figures = {"answer_rate": (answer_rate, 100.0), "faithfulness": (faithfulness, 200.0)}
    return Measured(DATA, figures, errors)


def test_figures_at_their_floors_pass() -> None:
    assert check(now(), FLOOR) == []


def test_one_question_less_passes_and_two_do_not() -> None:
    assert EPSILON == 1
    assert check(now(answer_rate=0.79), FLOOR) == []
    assert check(now(answer_rate=0.78), FLOOR) == [
        "answer_rate is 0.7800, below its floor of 0.8000 by more than 0.0100."
    ]


def test_faithfulness_may_fall_short_by_one_statement() -> None:
    assert check(now(faithfulness=0.975), FLOOR) == []
    assert len(check(now(faithfulness=0.97), FLOOR)) == 1


def test_every_failure_has_its_sentence() -> None:
    faults = check(now(0.5, 0.5, errors=3), FLOOR)
    assert len(faults) == 3
    assert "3 questions ended in an error." in faults


def test_a_guarded_figure_that_is_gone_fails() -> None:
    gone = Measured(DATA, {"faithfulness": (0.98, 200.0)})
    assert [fault.split()[0] for fault in check(gone, FLOOR)] == ["answer_rate"]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"questions": 99}, "questions"),
        ({"questions_sha256": "cc"}, "questions"),
        ({"articles": 89}, "articles"),
        ({"articles_sha256": "cc"}, "articles"),
    ],
)
def test_other_data_than_the_floors_were_set_on_fails_with_the_remedy(
    changed: dict[str, object], name: str
) -> None:
    other = replace(now(), data=replace(DATA, **changed))  # type: ignore[arg-type]
    (fault,) = check(other, FLOOR)
    assert fault.startswith(f"The {name} are not those")
    assert PIN in fault


# Pinning


def test_what_is_pinned_holds_at_once() -> None:
    third = Measured(DATA, {"answer_rate": (1 / 3, 90.0), "faithfulness": (1.0, 90.0)})
    floors = pinned(third)
    assert floors.floors == {"answer_rate": 0.3333, "faithfulness": 1.0}
    assert check(third, replace(floors, epsilon=0.0)) == []


def test_floors_are_read_back_as_written(tmp_path: Path) -> None:
    save_floors(FLOOR, tmp_path / "floors.json")
    assert load_floors(tmp_path / "floors.json") == FLOOR


def test_pinning_raises_floors(tmp_path: Path) -> None:
    path = tmp_path / "floors.json"
    assert pin(now(), path) == []
    assert pin(now(answer_rate=0.9), path) == []
    assert load_floors(path).floors["answer_rate"] == 0.9


def test_pinning_refuses_to_lower_even_within_epsilon(tmp_path: Path) -> None:
    path = tmp_path / "floors.json"
    pin(now(), path)
    before = path.read_bytes()
    reasons = pin(now(answer_rate=0.799, faithfulness=1.0), path)
    assert reasons[0] == "The floor of answer_rate would fall from 0.8000 to 0.7990."
    assert "--lower" in reasons[-1]
    assert path.read_bytes() == before


def test_pinning_lowers_when_told_to(tmp_path: Path) -> None:
    path = tmp_path / "floors.json"
    pin(now(), path)
    assert pin(now(answer_rate=0.7), path, lower=True) == []
    assert load_floors(path).floors["answer_rate"] == 0.7


def test_new_questions_do_not_excuse_a_lower_floor(tmp_path: Path) -> None:
    path = tmp_path / "floors.json"
    pin(now(), path)
    other = replace(now(answer_rate=0.7), data=replace(DATA, questions_sha256="cc"))
    assert pin(other, path) != []


def test_leaving_a_floor_out_is_lowering_it() -> None:
    assert len(lowered(Floors(DATA, {"answer_rate": 0.8}), FLOOR)) == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"data": {}, "floors": {}, "epsilon": 1}'])
def test_damaged_floors_are_refused_and_not_overwritten(tmp_path: Path, text: str) -> None:
    path = tmp_path / "floors.json"
    path.write_text(text)
    with pytest.raises(InputError, match="can't be read") as caught:
        load_floors(path)
    assert PIN in caught.value.remedy
    with pytest.raises(InputError):
        pin(now(), path)
    assert path.read_text() == text


# The data


def test_a_fingerprint_changes_with_a_name_or_a_byte(tmp_path: Path) -> None:
    one, two = tmp_path / "one.md", tmp_path / "two.md"
    one.write_text("a")
    two.write_text("a")
    first = fingerprint([one, two])
    assert first == fingerprint([one, two])
    assert fingerprint([one]) != fingerprint([two])
    two.write_text("b")
    assert fingerprint([one, two]) != first


def test_the_data_are_counted_from_the_files() -> None:
    data = data_now(7)
    assert data.questions == 7
    assert data.articles > 80
    assert len(data.questions_sha256) == len(data.articles_sha256) == 64


@pytest.fixture(scope="module")
def shipped() -> Floors:
    return load_floors(FLOORS)


def test_the_shipped_floors_guard_every_main_figure_and_the_judge(shipped: Floors) -> None:
    assert set(GUARDED) <= {figure.name for figure in FIGURES}
    assert set(shipped.floors) == {*GUARDED, *JUDGED}
    assert shipped.epsilon == EPSILON
    assert shipped.floors["faithfulness"] >= 0.98
    assert shipped.floors["ruler_balanced_accuracy"] >= 0.80


def test_the_shipped_floors_were_set_on_the_data_that_is_shipped(shipped: Floors) -> None:
    assert shipped.data == data_now(len(bundled_questions()))


# From a run to what is measured


def ruling(auroc: float | None, frozen: float | None) -> Ruling:
    decided = Decided(frozen, None, {}, {}, {})
    return Ruling(
        judge="fake",
        fingerprint="fake",
        auroc=auroc,
        threshold=0.5,
        frozen=decided if frozen is not None else None,
        own=Decided(0.5, None, {}, {}, {}),
        bins=(),
        counts={},
        unreadable=0,
        ms_per_pair=1.0,
    )


def run_of(*scores: Score, ruler: Ruling | None = None) -> Run:
    (some, *_) = bundled_questions()
    items = tuple(Item(some, (), None, (), score) for score in scores)
    system = runs.Measured("ours/extractive", "ours", "extractive", "", items)
    return Run(library_now(), "all", "fake", "", (), 0, {}, (system,), ruler)


def failed(**changed: object) -> Score:
    (some, *_) = bundled_questions()
    return replace(score(some, (), 1, None, (), None), **changed)  # type: ignore[arg-type]


def test_each_guarded_figure_comes_with_how_much_it_counts() -> None:
    answered = failed(error=False, statements=3, supported=2, citations=4, precise=1, recalled=2)
    found = measured(run_of(answered, failed()))
    assert found.figures["answer_rate"] == (0.5, 2.0)
    assert found.figures["faithfulness"] == (pytest.approx(2 / 3), 3.0)
    assert found.figures["citation_precision"] == (0.25, 4.0)
    assert found.figures["citation_recall"] == (pytest.approx(2 / 3), 3.0)
    assert (found.errors, found.data.questions) == (1, 2)


def test_what_cannot_be_measured_is_below_any_floor() -> None:
    found = measured(run_of(failed()))
    assert found.figures["abstention_recall"] == UNMEASURED
    assert found.figures["faithfulness"] == UNMEASURED
    for name in ("abstention_recall", "faithfulness"):
        (fault,) = check(replace(found, errors=0), Floors(found.data, {name: 0.01}))
        assert fault.startswith(f"{name} is 0.0000, below its floor of 0.0100")


def test_the_judge_is_guarded_at_its_frozen_threshold() -> None:
    figures = measured(run_of(failed(), ruler=ruling(0.97, 0.91))).figures
    assert figures["ruler_auroc"] == (0.97, RULER_STEPS)
    assert figures["ruler_balanced_accuracy"] == (0.91, RULER_STEPS)


@pytest.mark.parametrize("ruler", [None, ruling(None, None)])
def test_a_judge_that_was_not_measured_fails_the_gate(ruler: Ruling | None) -> None:
    found = measured(run_of(failed(), ruler=ruler))
    for name in JUDGED:
        assert found.figures[name] == UNMEASURED
        assert check(replace(found, errors=0), Floors(found.data, {name: 0.5})) != []


def test_a_judge_may_fall_short_by_a_hundredth() -> None:
    floors = Floors(DATA, {"ruler_auroc": 0.95})
    for value, faults in ((0.941, 0), (0.939, 1)):
        now = Measured(DATA, {"ruler_auroc": (value, RULER_STEPS)})
        assert len(check(now, floors)) == faults
