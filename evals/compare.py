"""Two runs side by side: which figures moved, by how much, and which questions flipped.

Only questions that are the same in both runs are compared, and the interval of a difference comes
from the paired bootstrap over them, so that runs on grown or corrected questions still compare.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.errors import InputError, UsageError
from evals.metrics.bootstrap import percentile, ratio
from evals.report.failures import Item, scored
from evals.report.figures import Record, first, is_better, is_clear, minus, signed, signed_ends
from evals.report.files import load
from evals.report.terminal import console
from evals.scores import FIGURES, Estimate, Figure, Score, difference

if TYPE_CHECKING:
    from rich.table import Table

OK = 0
PERCENTS = (50, 95)


# What is found ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: a system of a run, and its items on the common questions."""

    path: Path
    system: str
    record: Record
    items: tuple[Item, ...]

    @property
    def scores(self) -> list[Score]:
        return [scored(item) for item in self.items]


@dataclass(frozen=True, slots=True)
class Moved:
    """A figure in both runs. `change` is B minus A, `None` where one of them has no value."""

    name: str
    label: str
    higher_is_better: bool
    a: float | None
    b: float | None
    change: Estimate | None

    @property
    def clear(self) -> bool:
        """Whether the interval of the change leaves out 0."""
        return self.change is not None and is_clear(asdict(self.change))

    @property
    def better(self) -> bool:
        """Whether it changed for the better."""
        rule = {"higher_is_better": self.higher_is_better}
        return self.change is not None and is_better(asdict(self.change), rule)


@dataclass(frozen=True, slots=True)
class Flip:
    """What one question did otherwise in B. `better` says whether that is as it should be."""

    what: str
    before: str
    after: str
    better: bool

    def __str__(self) -> str:
        return f"{'+' if self.better else '−'} {self.what}: {self.before} → {self.after}"


@dataclass(frozen=True, slots=True)
class Flipped:
    """A question with all that flipped."""

    id: str
    kind: str
    question: str
    flips: tuple[Flip, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that `compare` says. `left_out` are the ids of questions that only one run has, or that
    were changed in between; `changes` are parts of the configuration as (before, after)."""

    a: Side
    b: Side
    left_out: tuple[str, ...]
    changes: dict[str, tuple[Any, Any]]
    figures: tuple[Moved, ...]
    times: dict[str, tuple[float | None, float | None]]
    flipped: tuple[Flipped, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `compare --json`."""
        sides = {"a": self.a, "b": self.b}
        return {
            **{n: {"run": str(s.path), "system": s.system} for n, s in sides.items()},
            "questions": len(self.a.items),
            "left_out": list(self.left_out),
            "changes": {name: {"a": a, "b": b} for name, (a, b) in self.changes.items()},
            "figures": [{**asdict(m), "clear": m.clear} for m in self.figures],
            "times": {name: {"a": a, "b": b} for name, (a, b) in self.times.items()},
            "flipped": [asdict(flipped) for flipped in self.flipped],
        }


def compare(a: Path, b: Path, as_json: bool, system: str | None = None) -> int:
    """Print what changed from run `a` to run `b`, each a run's folder or its `run.json`; 0.

    `system` names the one to compare, the first of ours in `a` otherwise. Raises InputError for a
    file that is no run or has no question in common, and UsageError for a system that isn't there.
    """
    found = compared(a, b, system)
    if as_json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
    else:
        show(found)
    return OK


def compared(a: Path, b: Path, system: str | None = None) -> Comparison:
    """The comparison as a value; raises as `compare` does."""
    before, after = load(a), load(b)
    names = _names(before, after, a, b, system)
    items = [_items(record, name) for record, name in zip((before, after), names, strict=True)]
    common = [id for id in items[0] if id in items[1] and _same(items[0][id], items[1][id])]
    if not common:
        raise InputError(
            f"{a} and {b} have no question in common.", "Compare runs on the same questions."
        )
    one, two = (
        Side(path, name, record, tuple(side[id] for id in common))
        for path, name, record, side in zip((a, b), names, (before, after), items, strict=True)
    )
    return Comparison(
        one,
        two,
        left_out=tuple(sorted((items[0].keys() | items[1].keys()) - set(common))),
        changes=_changes(before, after, names),
        figures=tuple(moved for figure in FIGURES if (moved := _moved(figure, one, two))),
        times={f"time p{p}": (_time(one, p), _time(two, p)) for p in PERCENTS},
        flipped=tuple(_flipped(one.items, two.items)),
    )


# Which systems and which questions ----------------------------------------------------------------


def _names(before: Record, after: Record, a: Path, b: Path, system: str | None) -> tuple[str, str]:
    """The system in each run: the one that is named, or the first of ours and its namesake.

    Where that has no namesake, the first of ours in the other run: runs of two models compare.
    """
    if system is not None:
        for path, record in ((a, before), (b, after)):
            if system not in record["systems"]:
                there = ", ".join(record["systems"])
                raise UsageError(f"{path} has no system {system!r}.", f"It has {there}.")
        return system, system
    name, _ = first(before)
    return name, name if name in after["systems"] else first(after)[0]


def _items(record: Record, system: str) -> dict[str, Item]:
    return {item["id"]: item for item in record["systems"][system]["items"]}


def _same(one: Item, two: Item) -> bool:
    """Whether both were asked and scored by the same gold; in which split it is doesn't matter."""
    return {**one["expected"], "split": ""} == {**two["expected"], "split": ""}


# What changed -------------------------------------------------------------------------------------


def _changes(before: Record, after: Record, names: tuple[str, str]) -> dict[str, tuple[Any, Any]]:
    """What differs in data, parts and judge, by its name in the record."""
    one, two = (
        _configuration(record, name) for record, name in zip((before, after), names, strict=True)
    )
    keys = dict.fromkeys([*one, *two])
    return {key: (one.get(key), two.get(key)) for key in keys if one.get(key) != two.get(key)}


def _configuration(record: Record, name: str) -> dict[str, Any]:
    system = record["systems"][name]
    return {
        "system": name,
        "model": system["model"],
        "about": system["about"],
        "split": record["split"],
        "passages": record.get("passages"),
        **{f"data.{key}": value for key, value in record["data"].items()},
        **{f"judge.{key}": value for key, value in (record.get("judge") or {}).items()},
        **{f"fingerprints.{key}": value for key, value in record["fingerprints"].items()},
    }


def _moved(figure: Figure, a: Side, b: Side) -> Moved | None:
    """`None` for a figure that applies to neither."""
    one, two = (ratio(figure.part(score) for score in side.scores) for side in (a, b))
    if one is None and two is None:
        return None
    change = difference(figure, b.scores, a.scores)
    return Moved(figure.name, figure.label, figure.higher_is_better, one, two, change)


def _time(side: Side, percent: float) -> float | None:
    times = [score.milliseconds for score in side.scores if score.milliseconds is not None]
    return percentile(times, percent)


# Which questions flipped --------------------------------------------------------------------------


def _flipped(before: Sequence[Item], after: Sequence[Item]) -> Iterator[Flipped]:
    for one, two in zip(before, after, strict=True):
        flips = tuple(_flips(scored(one), scored(two)))
        if flips:
            expected = two["expected"]
            yield Flipped(two["id"], expected["kind"], expected["question"], flips)


def _flips(one: Score, two: Score) -> Iterator[Flip]:
    """What a reader would notice, the gravest first."""
    if _outcome(one) != _outcome(two):
        yield Flip("outcome", _outcome(one), _outcome(two), _merit(two) > _merit(one))
    supported, now = _supported(one), _supported(two)
    if supported is not None and now is not None and supported != now:
        words = {True: "all supported", False: "not all supported"}
        yield Flip("statements", words[supported], words[now], better=now)
    for what, before, after in (
        ("vital nuggets", one.vital_nuggets, two.vital_nuggets),
        ("evidence found", one.evidence_recall, two.evidence_recall),
    ):
        if before is not None and after is not None and before != after:
            yield Flip(what, f"{before:.2f}", f"{after:.2f}", after > before)


def _outcome(score: Score) -> str:
    return "error" if score.error else "abstained" if score.abstained else "answered"


def _merit(score: Score) -> int:
    """An error is never right; to abstain is, where the corpus has no answer."""
    return 0 if score.error else 1 + (score.abstained != score.answerable)


def _supported(score: Score) -> bool | None:
    """Whether all that is said is supported; `None` where nothing is, or a verdict is missing."""
    if not score.statements or score.unreadable:
        return None
    return score.supported == score.statements


# In words -----------------------------------------------------------------------------------------


def show(found: Comparison) -> None:
    """Print the comparison to stdout, in 80 columns."""
    from rich.markup import escape

    out = console()
    for name, side in (("A", found.a), ("B", found.b)):
        out.print(escape(f"{name}: {side.system} in {side.path}"), highlight=False)
    out.print(escape(_coverage(found)), highlight=False)
    out.print(figures_table(found))
    out.print(f"[dim]{_chance(found)}[/]", highlight=False)
    for lines in (_changed_lines(found), _flipped_lines(found)):
        out.print(escape("\n".join(["", *lines])), highlight=False)


def _coverage(found: Comparison) -> str:
    n, out = len(found.a.items), found.left_out
    if not out:
        return f"Both were asked the same {n} questions."
    listed = ", ".join(out[:8]) + (", …" if len(out) > 8 else "")
    return (
        f"Only the {n} questions that are the same in both are compared. Left out, since one run "
        f"lacks them or they were changed: {len(out)} ({listed})."
    )


def figures_table(found: Comparison) -> Table:
    """A row per figure: both values, the paired difference and its interval."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column("")
    for heading in ("A", "B", "B − A", "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for moved in found.figures:
        table.add_row(*_row(moved))
    for name, (a, b) in found.times.items():
        apart = "" if a is None or b is None else minus(f"{b - a:+,.0f}")
        table.add_row(name, *("–" if t is None else f"{t:,.0f}" for t in (a, b)), apart, "ms", "")
    return table


def _row(moved: Moved) -> tuple[str, ...]:
    a, b = ("–" if value is None else f"{value:.3f}" for value in (moved.a, moved.b))
    change = asdict(moved.change) if moved.change else None
    mark = ""
    if moved.clear:
        mark = "[green]better[/]" if moved.better else "[red]worse[/]"
    return moved.label, a, b, signed(change), signed_ends(change), mark


def _chance(found: Comparison) -> str:
    """What a star is worth when there are many figures."""
    return (
        f"* the interval leaves out 0. Of {len(found.figures)} figures, about "
        f"{len(found.figures) * 0.05:.0f} would by chance alone."
    )


def _changed_lines(found: Comparison) -> list[str]:
    if not found.changes:
        return ["Data, parts and judge are the same."]
    lines = (f"  {name}: {_short(a)} → {_short(b)}" for name, (a, b) in found.changes.items())
    return ["What else changed:", *lines]


def _short(value: Any) -> str:
    text = "none" if value in (None, "") else str(value)
    return text if len(text) <= 30 else f"{text[:12]}…"


def _flipped_lines(found: Comparison) -> list[str]:
    if not found.flipped:
        return ["No question flipped."]
    lines = [f"{len(found.flipped)} questions flipped (+ for the better, − for the worse):"]
    for flipped in found.flipped:
        lines += ["", f"{flipped.id}  {flipped.question}"]
        lines += [f"    {flip}" for flip in flipped.flips]
    return lines
