"""The report as Markdown, in which strangers' words stay words."""

from __future__ import annotations

import re

from evals.report.markdown import markdown, plain, table
from tests.evals.report.samples import ATTACK, FAILED, many, record


def cells(text: str, label: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {label} |"))
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[2:-1]]


def test_figures_have_their_intervals_in_every_group() -> None:
    all_, dev, test = cells(markdown(record()), "answer rate")
    assert re.fullmatch(r"0\.667<br>0\.\d{3}–1\.000", all_)
    assert dev.startswith("0.667<br>")  # all answerable ones are in dev
    assert test == "–"


def test_every_table_is_well_formed() -> None:
    lines = [re.sub(r"\\\|", "", line) for line in markdown(many()).splitlines()]
    tables = [[line] for line in lines if line.startswith("| --- ")]
    assert len(tables) == 6
    widths: list[int] = []
    for line in lines:
        if not line.startswith("|"):
            widths.clear()
            continue
        widths.append(line.count("|"))
        assert set(widths) == {widths[0]}


def test_differences_stand_with_their_intervals() -> None:
    found = cells(markdown(many()), "naive")
    assert found[0].startswith("0.000<br>−0.833\\* (−1.000 to −0.")
    assert "ours/smollm2" in markdown(many())


def test_the_judge_is_there_where_it_was_measured() -> None:
    assert cells(markdown(many()), "caught: number") == ["99 %", "200", "0.995"]
    assert "## The judge" not in markdown(record())


def test_each_failure_is_listed_once_under_its_sort() -> None:
    text = markdown(record())
    for sort, item in FAILED.items():
        section = text.split(f"### {sort.capitalize()} (1)")[1].split("###")[0]
        assert f"- **{item['id']}**" in section
        assert text.count(f"- **{item['id']}**") == 1
    assert "6 of 8 questions." in text
    assert "- **right**" not in text


def test_a_failure_says_what_was_said_expected_and_missing() -> None:
    text = markdown(record())
    assert "  - vital nuggets missing: came out 5 May" in text
    assert "  - error: The model is gone. Fetch it." in text
    assert "  - abstained: Nothing near enough." in text
    assert "  - unsupported: It costs $3 since 5 May. ($3 is not in \\[1\\])" in text


def test_markup_of_strangers_is_escaped() -> None:
    assert ATTACK not in markdown(many())
    assert "\\<script\\>" in markdown(many())
    assert plain("a\n\n# b  c") == "a\n\\# b c"
    assert table(["", "x"], [["a|b", "1\n2"]]).splitlines()[2] == "| a\\|b | 1<br>2 |"
