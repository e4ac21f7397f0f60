"""`python -m benchmarks [name ...]`: measure, and print a table of figures and their targets."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from benchmarks.figures import Figure, Tell, shown

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH = 120

Measure = Callable[[Path, Tell], list[Figure]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks that are named, or all."""
    from rich.console import Console

    given = _parser().parse_args(arguments)
    benchmarks = _benchmarks(given.passages)
    unknown = [name for name in given.names if name not in benchmarks]
    if unknown:
        _parser().error(f"no benchmark {unknown[0]!r}; there are {', '.join(benchmarks)}")
    # Where the table goes to a file, no terminal tells how wide it may be.
    out, err = Console(width=None if sys.stdout.isatty() else WIDTH), Console(stderr=True)
    out.print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    for name in given.names or benchmarks:
        figures = benchmarks[name](given.keep, partial(_tell, err, name))
        out.print(table(name, figures))


def table(name: str, figures: Sequence[Figure]) -> Table:
    """`figures` as a table."""
    from rich.table import Table

    drawn = Table(title=name, title_justify="left")
    for column in ("what", "figure", "target", "", "beside"):
        drawn.add_column(column, justify="right" if column in {"figure", "target"} else "left")
    for figure in figures:
        drawn.add_row(*row(figure))
    return drawn


def row(figure: Figure) -> tuple[str, ...]:
    """The cells of one figure.

    >>> from benchmarks.figures import Target
    >>> row(Figure("ask", 310, "ms", Target("<", 600), "warm"))
    ('ask', '310 ms', '< 600 ms', 'met', 'warm')
    """
    target, verdict = "", ""
    if figure.target is not None:
        target = f"{figure.target.side} {shown(figure.target.limit, figure.unit)}"
        verdict = "met" if figure.met else "MISSED"
    return figure.what, shown(figure.value, figure.unit), target, verdict, figure.beside


def _benchmarks(passages: int) -> dict[str, Measure]:
    from benchmarks import ask, cold, ingest, scale

    return {
        "ingest": ingest.measure,
        "ask": ask.measure,
        "cold": cold.measure,
        "scale": partial(scale.measure, passages=passages),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="ingest, ask, cold or scale")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        default=user_cache_path("groundwire", appauthor=False) / "benchmarks",
        help="where data folders are kept between runs (%(default)s)",
    )
    parser.add_argument(
        "--passages", type=int, default=100_000, help="size of the large library (%(default)s)"
    )
    return parser


def _tell(err: Console, name: str, line: str) -> None:
    err.print(f"{name}: {line}", style="dim", highlight=False)


if __name__ == "__main__":
    main()
