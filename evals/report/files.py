"""A run's folder: written once, whole, and read again."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from corpus.errors import InputError, UsageError
from evals.report.figures import Record
from evals.report.markdown import markdown
from evals.report.page import page
from evals.scores import Score

CHECKOUT = Path(__file__).parents[2]
RECORD = "run.json"


def place(out: Path | None = None) -> Path:
    """The folder that runs go into, made where it is missing: `out`, or else `evals/runs` in a
    checkout, and `evals-runs` in the current folder where Groundwire is installed as a package.

    To be called before hours of measuring: raises UsageError where nothing can be written there.
    """
    here = CHECKOUT / "evals" / "runs" if (CHECKOUT / ".git").exists() else Path("evals-runs")
    folder = (out or here).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as cause:
        raise _unwritable(folder, cause) from cause


def keep(record: Record, folder: Path) -> Path:
    """Write `run.json`, `report.md` and `report.html` into a new folder below `folder`.

    It is named by when the run started, as `2026-11-22T17-30-00Z`, with `-2` and so on where that
    is taken: no run is ever overwritten. The folder appears whole or not at all. Returns its path.
    Raises UsageError where it can't be written.
    """
    files = {
        RECORD: json.dumps(record, ensure_ascii=False, indent=1) + "\n",
        "report.md": markdown(record),
        "report.html": page(record),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
    except OSError as cause:
        raise _unwritable(folder, cause) from cause
    try:
        for name, text in files.items():
            # A lone surrogate, which UTF-8 can't hold, stays readable as \udc00, in JSON as such.
            (draft / name).write_text(text, "utf-8", errors="backslashreplace")
        draft.chmod(0o755)  # mkdtemp's are for the owner alone
        return _moved(draft, folder / f"{_started(record):%Y-%m-%dT%H-%M-%SZ}")
    except OSError as cause:
        raise _unwritable(folder, cause) from cause
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _moved(draft: Path, wanted: Path) -> Path:
    """Rename `draft` to the first free of `wanted`, `wanted-2`, ...

    Should another process take that name in between, renaming fails: its folder isn't empty.
    """
    names = (wanted.name if n == 1 else f"{wanted.name}-{n}" for n in count(1))
    free = (wanted.with_name(name) for name in names if not wanted.with_name(name).exists())
    return draft.rename(next(free))


def _started(record: Record) -> datetime:
    return datetime.fromisoformat(record["started"]).astimezone(UTC)


def _unwritable(folder: Path, cause: OSError) -> UsageError:
    return UsageError(
        f"The run can't be written to {folder}: {cause.strerror}.",
        "Name another folder with --out.",
    )


# Reading ------------------------------------------------------------------------------------------


class _Item(BaseModel):
    id: str
    expected: dict[str, Any]
    answer: dict[str, Any] | None
    error: str | None
    judged: list[dict[str, Any]]
    quotes_in_hits: list[list[int]]
    scores: Score


class _System(BaseModel):
    kind: str
    model: str
    about: str
    figures: dict[str, dict[str, Any]]
    items: list[_Item]


class _Record(BaseModel):
    """What every reader of a record relies on; there may be more."""

    started: datetime
    split: str
    data: dict[str, Any]
    fingerprints: dict[str, str]
    figures: list[dict[str, Any]]
    systems: dict[str, _System]
    texts: dict[str, dict[str, Any]]


def load(path: Path) -> Record:
    """The record of a run, from its folder or its `run.json`.

    Raises InputError, which says what is wrong, where that isn't one, or is of another version.
    """
    file = path / RECORD if path.is_dir() else path
    try:
        record: Record = json.loads(file.read_text("utf-8"))
        _Record.model_validate(record)
    except OSError as cause:
        raise InputError(
            f"{file} can't be read: {cause.strerror}.", "Name a run's folder or its run.json."
        ) from cause
    except ValidationError as cause:
        where = ".".join(map(str, cause.errors()[0]["loc"])) or "the whole"
        raise InputError(
            f"{file} is not a run that this version wrote ({where} is amiss).",
            "Measure again with `groundwire eval`.",
        ) from cause
    except ValueError as cause:  # neither UTF-8 nor JSON
        raise InputError(
            f"{file} is damaged, or not a run at all: it holds no JSON.",
            "Name a run's folder or its run.json.",
        ) from cause
    if not record["systems"]:
        raise InputError(f"{file} holds no system.", "Measure again with `groundwire eval`.")
    return record
