"""The gate: figures may not fall below their floors, on the questions and corpus of the floors.

    groundwire eval --gate                 fails below a floor
    python -m evals.gate --pin             sets the floors to what is measured now
    python -m evals.gate --pin --lower     ... even where that lowers one

A figure may fall short by what one question (for faithfulness, one statement) weighs: another
processor rounds differently, and can turn a close decision round. More than that is a change.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.errors import GroundwireError, InputError
from evals.questions import BUNDLED_ARTICLES, BUNDLED_QUESTIONS
from evals.scores import estimates

if TYPE_CHECKING:
    from evals.ruler import Ruling
    from evals.run import Run

FLOORS = Path(__file__).with_name("floors.json")
PIN = "python -m evals.gate --pin"
# Wrong abstaining has no ceiling of its own: it is what lacks in the answer rate.
GUARDED = (
    "evidence_recall_8", "all_evidence_8", "mrr_10", "ndcg_10", "vital_nugget_recall",
    "nugget_recall", "answer_match", "answer_rate", "faithfulness", "citation_recall",
    "citation_precision", "abstention_precision", "abstention_recall",
)  # fmt: skip
EPSILON = 1.0  # questions (of faithfulness: statements)
# A judge's figures may fall short by a hundredth: some of its 2,217 pairs are close.
RULER_STEPS = 100.0
UNMEASURED = (0.0, math.inf)  # what can't be measured is below any floor, with no allowance
ROUNDING = 1e-9
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Data:
    """What the questions were asked of: how many, and the sha256 of all of it."""

    questions: int
    questions_sha256: str
    articles: int
    articles_sha256: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run brought: each figure with the number of questions (statements) it counts."""

    data: Data
    figures: dict[str, tuple[float, float]]
    errors: int = 0


@dataclass(frozen=True, slots=True)
class Floors:
    """What `floors.json` holds. `epsilon` is in questions: what a figure may fall short by."""

    data: Data
    floors: dict[str, float]
    epsilon: float = EPSILON


def measured(run: Run) -> Measured:
    """The guarded figures of the first system of `run`. What can't be measured is 0."""
    scores = run.systems[0].scores
    found = estimates(scores)
    figures = {}
    for name in GUARDED:
        figure = found[name]
        figures[name] = (figure.value, figure.of) if figure else UNMEASURED
    for name, value in _judged(run.ruler).items():
        figures[f"ruler_{name}"] = UNMEASURED if value is None else (value, RULER_STEPS)
    return Measured(data_now(len(scores)), figures, sum(score.error for score in scores))


def _judged(ruling: Ruling | None) -> dict[str, float | None]:
    """The judge's own figures, on true and corrupted statements."""
    return {
        "auroc": ruling.auroc if ruling else None,
        "balanced_accuracy": ruling.frozen_accuracy if ruling else None,
    }


def data_now(questions: int) -> Data:
    """The bundled questions and articles as they are on disk, `questions` of them asked."""
    files = sorted(BUNDLED_ARTICLES.glob("*.md"))
    return Data(questions, fingerprint([BUNDLED_QUESTIONS]), len(files), fingerprint(files))


def fingerprint(files: Sequence[Path]) -> str:
    """The sha256 over the names and contents of `files`, in their order."""
    whole = sha256()
    for file in files:
        whole.update(f"{file.name}\0{sha256(file.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def check(now: Measured, floors: Floors) -> list[str]:
    """One sentence for each thing that is wrong; none where the gate holds."""
    faults = [
        f"The {name} are not those that the floors were set on; run `{PIN}` if that is meant."
        for name in ("questions", "articles")
        if _differs(now.data, floors.data, name)
    ]
    if now.errors:
        faults.append(f"{now.errors} questions ended in an error.")
    for name, floor in floors.floors.items():
        value, of = now.figures.get(name, UNMEASURED)
        if value < floor - floors.epsilon / of - ROUNDING:
            faults.append(
                f"{name} is {value:.4f}, below its floor of {floor:.4f} by more than "
                f"{floors.epsilon / of:.4f}."
            )
    return faults


def _differs(now: Data, then: Data, name: str) -> bool:
    return any(getattr(now, key) != getattr(then, key) for key in (name, f"{name}_sha256"))


def pinned(now: Measured) -> Floors:
    """Floors at what is measured now, rounded down."""
    scale = 10**DIGITS
    floors = {
        name: math.floor(v * scale + ROUNDING) / scale for name, (v, _) in now.figures.items()
    }
    return Floors(now.data, floors)


def lowered(new: Floors, old: Floors) -> list[str]:
    """One sentence for each floor that `new` would lower or leave out, however little."""
    return [
        f"The floor of {name} would fall from {floor:.4f} to {new.floors.get(name, 0.0):.4f}."
        for name, floor in old.floors.items()
        if new.floors.get(name, 0.0) < floor - ROUNDING
    ]


def load_floors(path: Path = FLOORS) -> Floors:
    """Read the floors. Raises InputError when they are missing or damaged."""
    try:
        raw: dict[str, Any] = json.loads(path.read_text("utf-8"))
        floors = {str(name): float(floor) for name, floor in raw["floors"].items()}
        return Floors(Data(**raw["data"]), floors, float(raw["epsilon"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"The floors in {path} can't be read.", f"Run `{PIN}`.") from error


def save_floors(floors: Floors, path: Path = FLOORS) -> None:
    """Write the floors as JSON."""
    path.write_text(json.dumps({"made_by": PIN, **asdict(floors)}, indent=2) + "\n", "utf-8")


def pin(now: Measured, path: Path = FLOORS, *, lower: bool = False) -> list[str]:
    """Set the floors at `path` to `now`; the reasons why not, where it refuses to lower one."""
    new = pinned(now)
    if path.exists() and not lower:
        reasons = lowered(new, load_floors(path))
        if reasons:
            return [*reasons, "Nothing was written; add --lower if that is meant."]
    save_floors(new, path)
    return []


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m evals.gate`: check the floors, or set them with --pin."""
    from corpus.settings import load_settings
    from evals.record import to_record
    from evals.report.terminal import progress, show, tell
    from evals.run import GATED, Plan, evaluate, measure

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pin", action="store_true", help="set the floors to today's figures")
    parser.add_argument("--lower", action="store_true", help="... even where that lowers one")
    parser.add_argument("--home", type=Path, help="the data folder whose models are used")
    flags = parser.parse_args(arguments)
    settings = load_settings(home=flags.home)
    if not flags.pin:
        return evaluate(settings, Plan(), None, gate=True, as_json=False)
    with progress() as tick:
        run = measure(settings, GATED, tick)
    show(to_record(run), as_json=False)
    reasons = pin(measured(run), lower=flags.lower)
    tell(reasons or [f"The floors are pinned in {FLOORS}."])
    return 1 if reasons else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except GroundwireError as fault:
        sys.exit(f"groundwire: {fault}")
