"""What two runs have in common, what moved, and which questions flipped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import InputError, UsageError
from evals.compare import Flip, Moved, compare, compared
from tests.evals.report.samples import ATTACK, answer, item, question, record, system

Items = Sequence[dict[str, Any]]


def single(id: str, *said: str, **given: Any) -> dict[str, Any]:
    return item(question(id, "single"), answer(*said), **given)


def run(folder: Path, items: Items, **changed: Any) -> Path:
    """The folder of a run of one system with these items."""
    return written(folder, {**record({"ours/extractive": system(items)}), **changed})


def written(folder: Path, made: dict[str, Any]) -> Path:
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps(made), "utf-8")
    return folder


GOOD, BAD = "It costs $3, since 5 May.", "It is red."


@pytest.fixture
def a(tmp_path: Path) -> Path:
    """Twenty questions, all answered badly."""
    return run(tmp_path / "a", [single(str(n), BAD) for n in range(20)])


@pytest.fixture
def b(tmp_path: Path) -> Path:
    """The same, of which the first twelve are answered well."""
    return run(tmp_path / "b", [single(str(n), GOOD if n < 12 else BAD) for n in range(20)])


def figure(found: Sequence[Moved], name: str) -> Moved:
    return next(moved for moved in found if moved.name == name)


def flips(tmp_path: Path, before: dict[str, Any], after: dict[str, Any]) -> list[Flip]:
    found = compared(run(tmp_path / "one", [before]), run(tmp_path / "two", [after]))
    return [flip for flipped in found.flipped for flip in flipped.flips]


# Figures


def test_a_figure_that_moved_has_its_paired_difference(a: Path, b: Path) -> None:
    moved = figure(compared(a, b).figures, "vital_nugget_recall")
    assert moved.change is not None
    assert (moved.a, moved.b) == (0.0, 0.6)
    assert moved.change.value == pytest.approx(0.6)
    assert 0 < moved.change.low < 0.6 < moved.change.high < 1
    assert moved.clear
    assert moved.better


def test_one_that_did_not_move_is_not_marked(a: Path, b: Path) -> None:
    moved = figure(compared(a, b).figures, "faithfulness")
    assert moved.change is not None
    assert (moved.change.value, moved.clear) == (0.0, False)


def test_a_small_difference_is_not_clear(tmp_path: Path) -> None:
    one = run(tmp_path / "a", [single(str(n), BAD) for n in range(20)])
    two = run(tmp_path / "b", [single(str(n), GOOD if n < 1 else BAD) for n in range(20)])
    moved = figure(compared(one, two).figures, "vital_nugget_recall")
    assert moved.b == 0.05
    assert not moved.clear


def test_more_of_what_should_be_less_is_worse(tmp_path: Path) -> None:
    one = run(tmp_path / "a", [single(str(n), GOOD) for n in range(9)])
    two = run(tmp_path / "b", [single(str(n)) for n in range(9)])
    moved = figure(compared(one, two).figures, "wrong_abstain")
    assert moved.clear
    assert not moved.better
    faithfulness = figure(compared(one, two).figures, "faithfulness")
    assert (faithfulness.a, faithfulness.b, faithfulness.change) == (1.0, None, None)


def test_times_are_compared(a: Path, tmp_path: Path) -> None:
    slow = [item(question(str(n), "single"), answer(BAD, milliseconds=900)) for n in range(20)]
    assert compared(a, run(tmp_path / "slow", slow)).times["time p50"] == (400, 900)


# Which questions


def test_only_questions_that_are_the_same_are_compared(tmp_path: Path) -> None:
    changed = item(question("changed", "single", question="Otherwise?"), answer(GOOD))
    moved_on = item(question("split", "single", split="test"), answer(GOOD))
    one = run(tmp_path / "a", [single(id, BAD) for id in ("same", "changed", "gone", "split")])
    two = run(tmp_path / "b", [moved_on, changed, single("new", GOOD), single("same", GOOD)])
    found = compared(one, two)
    assert [i["id"] for i in found.a.items] == [i["id"] for i in found.b.items] == ["same", "split"]
    assert found.left_out == ("changed", "gone", "new")
    assert figure(found.figures, "vital_nugget_recall").b == 1.0


def test_what_is_left_out_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = run(tmp_path / "a", [single("same", BAD), single("gone", BAD)])
    two = run(tmp_path / "b", [single("same", BAD)])
    compare(one, two, as_json=False)
    out = " ".join(capsys.readouterr().out.split())
    assert "Only the 1 questions that are the same in both" in out
    assert "1 (gone)" in out


def test_runs_without_a_common_question_are_refused(tmp_path: Path) -> None:
    one, two = run(tmp_path / "a", [single("1", BAD)]), run(tmp_path / "b", [single("2", BAD)])
    with pytest.raises(InputError, match="no question in common"):
        compared(one, two)


# Which system


def test_the_first_of_ours_is_compared_with_its_namesake(tmp_path: Path) -> None:
    good, bad = system([single("1", GOOD)]), system([single("1", BAD)])
    one = written(tmp_path / "a", record({"naive": {**bad, "kind": "baseline"}, "ours/x": bad}))
    two = written(tmp_path / "b", record({"ours/y": bad, "ours/x": good}))
    found = compared(one, two)
    assert (found.a.system, found.b.system) == ("ours/x", "ours/x")
    assert figure(found.figures, "vital_nugget_recall").b == 1.0


def test_without_a_namesake_the_first_of_ours_is_and_that_is_a_change(tmp_path: Path) -> None:
    one = written(tmp_path / "a", record({"ours/x": system([single("1", BAD)])}))
    two = written(tmp_path / "b", record({"ours/y": system([single("1", BAD)], model="y")}))
    found = compared(one, two)
    assert found.changes["system"] == ("ours/x", "ours/y")
    assert found.changes["model"] == ("extractive", "y")


def test_a_system_can_be_named_and_must_be_in_both(tmp_path: Path, a: Path) -> None:
    bad = system([single("1", BAD)])
    one = written(tmp_path / "one", record({"ours/extractive": bad, "naive": bad}))
    assert compared(one, one, "naive").b.system == "naive"
    with pytest.raises(UsageError, match=r"a has no system 'naive'\. It has ours/extractive"):
        compared(one, a, "naive")


# What changed beside


def test_changed_parts_and_data_are_told(
    tmp_path: Path, a: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = run(
        tmp_path / "other",
        [single(str(n), BAD) for n in range(20)],
        fingerprints={"embedder": "e1", "reader": "r2", "verifier": "v1"},
        judge={"name": "nli", "fingerprint": "v1"},
    )
    assert compared(a, other).changes == {
        "judge.name": ("verifier", "nli"),
        "fingerprints.reader": ("r1", "r2"),
    }
    compare(a, other, as_json=False)
    assert "fingerprints.reader: r1 → r2" in capsys.readouterr().out


def test_the_same_run_twice_says_that_nothing_changed(
    a: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(a, a, as_json=False) == 0
    out = capsys.readouterr().out
    assert "Both were asked the same 20 questions." in out
    assert "Data, parts and judge are the same." in out
    assert "No question flipped." in out
    assert "better" not in out
    assert "worse" not in out


# Flips


def test_an_answer_lost_and_won_back(tmp_path: Path) -> None:
    lost = Flip("outcome", "answered", "abstained", better=False)
    assert lost in flips(tmp_path, single("1", GOOD), single("1"))


def test_to_abstain_is_better_where_the_corpus_is_silent(tmp_path: Path) -> None:
    asked = question("1", "unanswerable")
    assert flips(tmp_path, item(asked, answer(BAD)), item(asked, answer())) == [
        Flip("outcome", "answered", "abstained", better=True)
    ]


def test_an_error_is_worse_than_a_wrong_answer(tmp_path: Path) -> None:
    asked = question("1", "unanswerable")
    assert flips(tmp_path, item(asked, answer(BAD)), item(asked, None)) == [
        Flip("outcome", "answered", "error", better=False)
    ]


def test_support_evidence_and_nuggets_flip_apart(tmp_path: Path) -> None:
    before = single("1", GOOD, unsupported="no", found=())
    assert flips(tmp_path, before, single("1", "It costs $3.")) == [
        Flip("statements", "not all supported", "all supported", better=True),
        Flip("vital nuggets", "1.00", "0.50", better=False),
        Flip("evidence found", "0.00", "1.00", better=True),
    ]


def test_a_verdict_that_could_not_be_read_flips_nothing(tmp_path: Path) -> None:
    unread = single("1", GOOD)
    unread["scores"] |= {"statements": 0, "supported": 0, "unreadable": 1}
    assert flips(tmp_path, single("1", GOOD, unsupported="no"), unread) == []


def test_flipped_questions_are_printed_with_their_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = question("odd", "single", question=f"[bold]What[/bold] of {ATTACK}?")
    one = run(tmp_path / "a", [item(asked, answer(GOOD))])
    compare(one, run(tmp_path / "b", [item(asked, answer())]), as_json=False)
    out = capsys.readouterr().out
    assert f"odd  [bold]What[/bold] of {ATTACK}?" in out
    assert "− outcome: answered → abstained" in out


# As a whole


def test_what_is_printed_fits_80_columns(
    a: Path, b: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(a.parent)
    compare(Path("a"), Path("b"), as_json=False)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out
    line = next(line for line in out.splitlines() if "nugget recall, vital" in line)
    assert line.split()[3:6] == ["0.000", "0.600", "+0.600*"]
    assert line.split()[-1] == "better"


def test_the_json_says_the_same(a: Path, b: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(a, b, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["a"] == {"run": str(a), "system": "ours/extractive"}
    assert found["questions"] == 20
    vital = next(f for f in found["figures"] if f["name"] == "vital_nugget_recall")
    assert vital["clear"] is True
    assert vital["change"]["value"] == pytest.approx(0.6)
    assert [flipped["id"] for flipped in found["flipped"]] == [str(n) for n in range(12)]
    assert found["flipped"][0]["question"] == "What of 0?"


def test_a_file_that_is_no_run_is_refused(a: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text('{"my": "notes"}')
    with pytest.raises(InputError, match=r"notes\.json is not a run"):
        compare(a, tmp_path / "notes.json", as_json=False)
    with pytest.raises(InputError, match="can't be read"):
        compare(tmp_path / "nowhere", a, as_json=False)
