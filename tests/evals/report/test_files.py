"""A run is written once and whole, and what is read is a run or an error that says why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import InputError, UsageError
from evals.report import files
from evals.report.files import keep, load, place
from tests.evals.report.samples import many, record

NAME = "2026-11-22T17-30-00Z"


def test_a_run_has_its_folder_with_three_files(tmp_path: Path) -> None:
    folder = keep(many(), tmp_path / "runs")
    assert folder == tmp_path / "runs" / NAME
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", "report.md", "run.json"]
    assert [p.name for p in folder.parent.iterdir()] == [NAME]  # no draft is left


def test_the_folder_is_named_in_utc(tmp_path: Path) -> None:
    made = {**record(), "started": "2026-11-22T19:30:00+02:00"}
    assert keep(made, tmp_path).name == NAME


def test_what_was_kept_is_read_again_by_folder_or_file(tmp_path: Path) -> None:
    folder = keep(many(), tmp_path)
    assert load(folder) == load(folder / "run.json") == json.loads(json.dumps(many()))


def test_no_run_is_overwritten(tmp_path: Path) -> None:
    first = keep(record(), tmp_path)
    before = (first / "run.json").read_bytes()
    assert keep(many(), tmp_path).name == f"{NAME}-2"
    assert keep(many(), tmp_path).name == f"{NAME}-3"
    assert (first / "run.json").read_bytes() == before


def test_a_lone_surrogate_is_kept_as_json_writes_it(tmp_path: Path) -> None:
    made = record()
    made["systems"]["ours/extractive"]["about"] = "broken \udc00"
    folder = keep(made, tmp_path)
    assert load(folder)["systems"]["ours/extractive"]["about"] == "broken \udc00"


def test_a_write_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str, *_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UsageError, match="No space left on device"):
        keep(record(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_no_folder_is_told_before_measuring(tmp_path: Path) -> None:
    blocked = tmp_path / "runs"
    blocked.write_text("a file, not a folder")
    with pytest.raises(UsageError, match=r"runs: .*--out"):
        place(blocked)
    with pytest.raises(UsageError, match=r"runs: .*--out"):
        keep(record(), blocked)


def test_the_place_is_what_is_asked_for_or_depends_on_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files, "CHECKOUT", tmp_path / "groundwire")
    assert place(Path("out")) == tmp_path / "out"
    assert place() == tmp_path / "evals-runs"
    (tmp_path / "groundwire" / ".git").mkdir(parents=True)
    assert place() == tmp_path / "groundwire" / "evals" / "runs"
    assert list(place().iterdir()) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "damaged"),
        (b"\xff\xfe", "damaged"),
        ("[]", "not a run that this version wrote (the whole is amiss)"),
        ('{"started": "2026-11-22T17:30:00+00:00"}', "(split is amiss)"),
        (json.dumps({**record(), "systems": {}}), "no system"),
    ],
)
def test_what_is_no_run_is_refused_with_its_reason(
    tmp_path: Path, text: str | bytes, told: str
) -> None:
    file = tmp_path / "run.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as error:
        load(tmp_path)
    assert told in str(error.value)
    assert str(file) in str(error.value)


def test_a_run_of_another_version_names_what_is_amiss(tmp_path: Path) -> None:
    made = json.loads(json.dumps(record()))
    del made["systems"]["ours/extractive"]["items"][2]["scores"]["ndcg"]
    (tmp_path / "run.json").write_text(json.dumps(made))
    with pytest.raises(InputError, match=r"ours/extractive\.items\.2\.scores\.ndcg is amiss"):
        load(tmp_path)


def test_a_missing_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere can't be read: No such file"):
        load(tmp_path / "nowhere")
