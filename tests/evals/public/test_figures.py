"""Figures with intervals, and how they are printed."""

from __future__ import annotations

import json

import pytest

from evals.public.figures import Result, figure, share, show


def test_a_figure_has_its_interval_around_it() -> None:
    made = figure("accuracy", "all", share([True] * 30 + [False] * 10))
    assert made.value == 0.75
    assert made.low is not None and made.high is not None
    assert 0.55 < made.low < 0.75 < made.high < 0.95
    assert made.of == 40


def test_a_figure_that_applies_to_nothing_has_no_value() -> None:
    made = figure("error correction rate", "counterfactual", [(0.0, 0.0)] * 3)
    assert (made.value, made.low, made.high, made.of) == (None, None, None, 0)


RESULT = Result(
    "RGB",
    "data",
    "answered by extractive",
    3,
    (
        figure("accuracy", "noise 0.0", share([1, 1, 0])),
        figure("error correction rate", "counterfactual", [(0.0, 0.0)] * 3),
    ),
    ("A remark.",),
    ("The model is gone.",),
)


def test_a_table_shows_figures_remarks_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    show(RESULT, as_json=False)
    out = " ".join(capsys.readouterr().out.split())
    for part in ("RGB: 3 items", "noise 0.0", "0.667", "counterfactual", "–", "A remark."):
        assert part in out
    assert "1 could not be asked and count as failures; the first: The model is gone." in out


def test_json_has_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    show(RESULT, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["figures"][0]["value"] == pytest.approx(2 / 3)
    assert told["figures"][1]["value"] is None
    assert told["errors"] == ["The model is gone."]
