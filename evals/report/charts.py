"""Charts as inline SVG, each a panel of the same width, so that a page can lay them out.

A chart has no colours: it has classes, and the page's style sheet knows light from dark. Whatever
a chart shows stands in a table too; to a screen reader it is one image with a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from evals.metrics.bootstrap import percentile

WIDTH = 360
LABELS = 142  # the width of the column of row labels, in which 20 characters fit
VALUES = 44  # and of that of values
ROW = 24
AXIS = 22  # the height below the rows for the numbers of the axis

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a chart: a value with its interval, shares of 1; `None` where none applies."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Times:
    """How long each question took, in milliseconds."""

    label: str
    values: Sequence[float]


def element(name: str, *inside: str, **attributes: str | float) -> str:
    """An SVG element. Attribute values are escaped, `inside` is markup already; `_` becomes `-`.

    >>> element("text", "5", x=1, class_="a<b")
    '<text x="1" class="a&lt;b">5</text>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{''.join(inside)}</{name}>"


def _short(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def dots(rows: Sequence[Row], about: str, mark: float | None = None) -> str:
    """Values between 0 and 1 as dots on lines that are their intervals; `mark` is a line across."""
    height = ROW * len(rows)
    parts = [*_grid(height, [0, 0.25, 0.5, 0.75, 1], _share_x, "{:g}".format)]
    if mark is not None:
        parts.append(_line("mark", (_share_x(mark), 0), (_share_x(mark), height)))
    for n, row in enumerate(rows):
        parts += _dot(row, ROW * n + ROW / 2)
    return _svg(height + AXIS, about, parts)


def _dot(row: Row, y: float) -> Iterable[str]:
    yield _row_label(row.label, y, strong=row.strong)
    if row.value is None:
        yield _text("value", WIDTH, y, "–", "end")
        return
    if row.low is not None and row.high is not None:
        yield _line("interval", (_share_x(row.low), y), (_share_x(row.high), y))
    size = 5.5 if row.strong else 4.5
    yield element("circle", class_="dot", cx=_share_x(row.value), cy=y, r=size)
    yield _text("value", WIDTH, y, f"{row.value:.2f}", "end")


def _share_x(share: float) -> float:
    return LABELS + 8 + share * (WIDTH - LABELS - VALUES - 16)


def reliability(bins: Sequence[tuple[float, float, int]], about: str) -> str:
    """Of each bin of scores: its mean, the share that is true, and how many it holds.

    On the diagonal a score means what it says (DeGroot, Fienberg 1983). Areas show how many.
    """
    side, left = 280.0, 56.0
    most = max((of for _, _, of in bins), default=1)

    def place(score: float, true: float) -> Point:
        return left + score * side, 8 + (1 - true) * side

    parts = [_line("mark", place(0, 0), place(1, 1))]
    for tick in (0, 0.25, 0.5, 0.75, 1):
        (x, y), (_, top) = place(tick, tick), place(0, 1)
        parts.append(_line("grid", (left, y), (left + side, y)))
        parts.append(_text("tick", left - 8, y, f"{tick:g}", "end"))
        parts.append(_text("tick", x, top + side + 16, f"{tick:g}", "middle"))
    spots = sorted(bins)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(s, t) for s, t, _ in spots))
    parts.append(element("polyline", class_="curve", points=path))
    for score, true, of in spots:
        (x, y), hint = place(score, true), f"score {score:.2f}: {true:.2f} true, of {of:,}"
        size = 2.5 + 8 * math.sqrt(of / most)
        parts.append(element("circle", _hint(hint), class_="dot faint", cx=x, cy=y, r=size))
    parts.append(_text("tick", left + side / 2, side + 42, "support score", "middle"))
    upright = f"translate(12 {side / 2:g}) rotate(-90)"
    parts.append(_text("tick", 0, 0, "share true", "middle", transform=upright))
    return _svg(side + 52, about, parts)


def spread(systems: Sequence[Times], about: str) -> str:
    """Where times lie, one ridge a system over one logarithmic axis; p50 and p95 as strokes."""
    ridge = 46.0
    shown = [system for system in systems if system.values]
    low, high = _decades([value for system in shown for value in system.values])
    height = ridge * len(shown)

    def x_of(value: float) -> float:
        position = (math.log10(max(value, low)) - math.log10(low)) / math.log10(high / low)
        return LABELS + 8 + position * (WIDTH - LABELS - 24)

    ticks = [10.0**n for n in range(round(math.log10(low)), round(math.log10(high)) + 1)]
    parts = [*_grid(height, ticks, x_of, _time)]
    for n, system in enumerate(shown):
        floor = ridge * (n + 1) - 4
        parts.append(_row_label(system.label, floor - 22))
        parts.append(_ridge([x_of(value) for value in system.values], floor, ridge - 12))
        for percent in (50, 95):
            at = percentile(system.values, percent) or 0
            stroke = _line("stroke", (x_of(at), floor), (x_of(at), floor - ridge + 10))
            parts.append(element("g", _hint(f"p{percent}: {at:,.0f} ms"), stroke))
        middle, late = (_time(percentile(system.values, p) or 0) for p in (50, 95))
        parts.append(_text("tick", LABELS, floor - 8, f"{middle} · {late}", "end"))
    return _svg(height + AXIS, about, parts)


def _ridge(xs: Sequence[float], floor: float, height: float) -> str:
    """A histogram of positions, 6 units a bin, as one filled outline."""
    width = 6.0
    first, last = math.floor(min(xs) / width), math.floor(max(xs) / width)
    counts = [sum(math.floor(x / width) == n for x in xs) for n in range(first, last + 1)]
    points = [(first * width, floor)]
    for n, count in enumerate(counts, start=first):
        top = floor - height * count / max(counts)
        points += [(n * width, top), ((n + 1) * width, top)]
    points.append(((last + 1) * width, floor))
    return element(
        "polygon", class_="ridge", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    )


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """The powers of ten around `values`, at least one apart.

    >>> _decades([12, 3400]), _decades([])
    ((10.0, 10000.0), (1.0, 10.0))
    """
    low = math.floor(math.log10(max(1.0, min(values, default=1))))
    high = math.ceil(math.log10(max(1.0, *values, 1.0)))
    return 10.0**low, 10.0 ** max(high, low + 1)


def _time(milliseconds: float) -> str:
    """
    >>> _time(40), _time(1500), _time(10_000)
    ('40 ms', '1.5 s', '10 s')
    """
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f}".removesuffix(".0") + " s"


# Parts of charts ----------------------------------------------------------------------------------


def _svg(height: float, about: str, parts: Iterable[str]) -> str:
    box = f"0 0 {WIDTH} {height:g}"
    return element("svg", *parts, viewBox=box, role="img", aria_label=about)


def _grid(
    height: float,
    ticks: Iterable[float],
    x_of: Callable[[float], float],
    written: Callable[[float], str],
) -> Iterable[str]:
    for tick in ticks:
        x = x_of(tick)
        yield _line("grid", (x, 0), (x, height))
        yield _text("tick", x, height + 14, written(tick), "middle")


def _row_label(label: str, y: float, *, strong: bool = False) -> str:
    """The label in full is its hint, since a long one is cut."""
    fits = 20
    cut = label if len(label) <= fits else f"{label[: fits - 1]}…"
    name = "label strong" if strong else "label"
    return element("g", _hint(label), _text(name, LABELS, y, cut, "end"))


def _line(name: str, start: Point, end: Point) -> str:
    (x1, y1), (x2, y2) = start, end
    return element("line", class_=name, x1=x1, y1=y1, x2=x2, y2=y2)


def _text(name: str, x: float, y: float, text: str, anchor: str, **more: str) -> str:
    return element(
        "text", escape(text), class_=name, x=x, y=y, text_anchor=anchor, dy="0.35em", **more
    )


def _hint(text: str) -> str:
    return element("title", escape(text))
