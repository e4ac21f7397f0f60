"""Tables for people, JSON for programs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evals.report.terminal import progress, show, tell
from tests.evals.report.samples import ITEMS, RULER, many, record, system


def printed(made: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
    show(made, as_json=False)
    return capsys.readouterr().out


def row(out: str, label: str) -> list[str]:
    """The cells of the first line that begins with `label`."""
    line = next(line for line in out.splitlines() if line.strip().startswith(label))
    return line.strip().removeprefix(label).split()


def test_json_stands_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    show(many(), as_json=True)
    told = capsys.readouterr()
    assert json.loads(told.out) == json.loads(json.dumps(many()))
    assert told.err == ""


def test_nothing_is_wider_than_80_columns_nor_cut(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(many(), capsys)
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out


def test_answer_rate_stands_beside_faithfulness(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(record(), capsys).splitlines()
    at = next(n for n, line in enumerate(lines) if "answer rate" in line)
    assert "faithfulness" in lines[at + 1]


def test_the_figures_are_those_of_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(record(), capsys)
    # 6 answerable: 1 error, 1 abstention; 6 statements, of which 1 isn't supported.
    assert row(out, "answer rate")[0] == "0.667"
    assert row(out, "faithfulness")[0] == "0.833"
    assert row(out, "time p50")[:2] == ["400", "ms"]
    # 8 asked, of which all but one are in dev
    kinds = next(
        line
        for line in out.splitlines()
        if line.split() == ["1", "1", "1", "1", "1", "1", "2", "1", "1"]
    )
    assert kinds


def test_each_of_ours_has_its_tables_and_others_only_a_row(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = printed(many(), capsys)
    assert "ours/smollm2, by kind of question" in out
    assert "naive, by kind" not in out
    assert row(out, "naive")[:2] == ["0.00", "0.00"]


def test_parts_show_the_paired_difference_and_star_the_clear_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = printed(many(), capsys).splitlines()
    naive = next(n for n, line in enumerate(lines) if line.startswith("naive"))
    assert "−0.83*" in lines[naive + 1]
    same = next(n for n, line in enumerate(lines) if line.startswith("no verifier/smollm2"))
    assert lines[same + 1].split() == ["+0.00"] * 7


def test_one_system_has_no_parts_to_show(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(record(), capsys)
    assert "each part buys" not in out
    assert "The judge, " not in out


def test_the_ruler_is_shown_where_it_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(many(), capsys)
    assert row(out, "AUROC") == ["0.960"]
    assert row(out, "caught: number") == ["99", "%", "200", "0.995"]
    assert row(out, "caught: addition") == ["60", "%", "150"]


def test_a_judge_that_could_not_be_ruled_has_dashes(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = {"auroc": None, "balanced_accuracy": None, "threshold": None}
    assert row(printed(record(ruler={**RULER, **nothing}), capsys), "AUROC") == ["–"]


def test_a_run_of_one_split_does_not_show_it_twice(capsys: pytest.CaptureFixture[str]) -> None:
    dev = [one for one in ITEMS if one["expected"]["split"] == "dev"]
    out = printed(record({"ours/extractive": system(dev)}), capsys)
    assert row(out, "answer rate")[2:] == ["6"]


def test_a_run_without_ours_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(record({"naive": system(ITEMS, kind="baseline")}), capsys)
    assert "naive, by kind of question" in out


def test_sentences_and_bars_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as tick:
        tick("asking", 0, None)
        tick("asking", 3, 3)
    tell(["Done."])
    told = capsys.readouterr()
    assert told.out == ""
    assert "asking" in told.err
    assert "3/3" in told.err
    assert "Done." in told.err
