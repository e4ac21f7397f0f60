"""Figures of a benchmark with their intervals, as a table for the terminal or as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from evals.metrics.bootstrap import Ratio, interval, ratio

if TYPE_CHECKING:
    from rich.table import Table

ALL = "all"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure over the items of a group, and the ends of its 95 % bootstrap interval.

    `of` counts the items to which it applies; with none of them there is no value.
    """

    name: str
    group: str
    value: float | None
    low: float | None
    high: float | None
    of: int


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark brought. `errors` are the items that could not be asked: failures."""

    benchmark: str
    data: str
    measured: str
    items: int
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


def figure(name: str, group: str, parts: Sequence[Ratio]) -> Figure:
    """The ratio of the sums of `parts`, one of each item; (0, 0) where it does not apply.

    >>> found = figure("accuracy", "all", [(1, 1), (0, 1), (0, 0)])
    >>> found.value, found.of
    (0.5, 2)
    """
    value = ratio(parts)
    applies = sum(below > 0 for _, below in parts)
    if value is None:
        return Figure(name, group, None, None, None, applies)
    return Figure(name, group, value, *interval(parts), of=applies)


def share(values: Sequence[float | bool]) -> list[Ratio]:
    """The parts of a plain mean."""
    return [(float(value), 1.0) for value in values]


def show(result: Result, *, as_json: bool) -> None:
    """Print `result` to stdout."""
    if as_json:
        print(json.dumps(asdict(result), ensure_ascii=False, indent=2))
        return
    from evals.report.terminal import console

    out = console()
    out.print(table(result))
    for note in (*result.notes, *_told(result.errors)):
        out.print(f"[dim]·[/] {note}", highlight=False)


def table(result: Result) -> Table:
    """The figures, a line each, in groups."""
    from rich.table import Table

    title = f"{result.benchmark}: {result.items} items of {result.data}, {result.measured}"
    shown = Table(title=title, title_justify="left")
    for heading in ("", "figure", "value", "95 % interval", "of"):
        shown.add_column(heading, justify="left" if heading in ("", "figure") else "right")
    group = None
    for item in result.figures:
        if group is not None and item.group != group:
            shown.add_section()
        shown.add_row(item.group if item.group != group else "", *_cells(item))
        group = item.group
    return shown


def _cells(item: Figure) -> tuple[str, str, str, str]:
    if item.value is None:
        return item.name, "–", "–", str(item.of)
    return item.name, f"{item.value:.3f}", f"{item.low:.3f} – {item.high:.3f}", str(item.of)


def _told(errors: Sequence[str]) -> list[str]:
    if not errors:
        return []
    return [f"{len(errors)} could not be asked and count as failures; the first: {errors[0]}"]
