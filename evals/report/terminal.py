"""A run as tables for the terminal, none wider than 80 columns."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from evals.report.figures import (
    PERCENTILES,
    Record,
    System,
    against,
    cell,
    ends,
    first,
    is_better,
    is_clear,
    kinds,
    main_figures,
    milliseconds,
    number,
    ours,
    percent,
    rulings,
    signed,
    speed,
    splits,
    three,
)
from evals.report.verdict import auto_verdict
from rag.assistant import AUTO_MODEL

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Tick = Callable[[str, int, int | None], None]
"""What is being done, how much of it is done, and how much there is, if that is known."""

# Broken so that the columns of all groups fit beside each other.
HEADINGS = {
    "overtaken": "over-\ntaken",
    "disagree": "dis-\nagree",
    "followup": "follow\nup",
    "unanswerable": "un-\nansw.",
    "false premise": "false\npremise",
    "known entity": "known\nentity",
}
MAIN_HEADINGS = {
    "evidence_recall_8": "evidence\nrecall",
    "vital_nugget_recall": "vital\nnuggets",
    "answer_rate": "answer\nrate",
    "faithfulness": "faith-\nful",
    "citation_precision": "citation\nprec.",
    "abstention_recall": "abstain\nrecall",
    "wrong_abstain": "wrong\nabst.",
}


def show(record: Record, *, as_json: bool) -> None:
    """Print the run to stdout."""
    if as_json:
        print(json.dumps(record, ensure_ascii=False, indent=2))
        return
    out = console()
    for name, system in (ours(record) or record["systems"]).items():
        out.print(overall_table(record, name, system))
        out.print(kinds_table(record, name, system))
    if len(record["systems"]) > 1:
        out.print(parts_table(record))
        out.print("[dim]* the 95 % interval of the difference leaves out 0[/]", highlight=False)
    if record["ruler"]:
        out.print(ruler_table(record["ruler"]))
    verdict = auto_verdict(record)
    if verdict:
        out.print(f'\n{verdict}\n`model="auto"` takes {AUTO_MODEL}.', highlight=False)


# Tables -------------------------------------------------------------------------------------------


def overall_table(record: Record, name: str, system: System) -> Table:
    """All figures with their intervals over all questions, and by split."""
    data = record["data"]
    table = _table(
        f"{name}: {data['questions']} questions ({record['split']}) on {data['articles']} "
        f"articles, judged by {record['judge']['name']}"
    )
    for heading in ("", "95 % interval", "of", *splits(system)[1:]):
        table.add_column(heading, justify="right")
    for figure in record["figures"]:
        every = cell(system, "all", figure["name"])
        parts = [number(cell(system, split, figure["name"])) for split in splits(system)[1:]]
        of = f"{every['of']:,.0f}" if every else ""
        table.add_row(figure["label"], number(every), ends(every), of, *parts)
    for key, label in PERCENTILES.items():
        times = [milliseconds(system["figures"][split][key]) for split in splits(system)]
        table.add_row(label, times[0], "", "", *times[1:])
    table.add_row("tokens per second", speed(system["figures"]["all"]["tokens_per_second"]))
    return table


def kinds_table(record: Record, name: str, system: System) -> Table:
    """One column per kind of question; two digits, since most kinds have under 50 questions."""
    table = _table(f"\n{name}, by kind of question", padding=(0, 0))
    for kind in kinds(system):
        heading = HEADINGS.get(kind, f"\n{kind}")
        asked = system["figures"][kind]["questions"]
        table.add_column(f"{heading}\n{asked}", justify="right", no_wrap=True)
    for figure in record["figures"]:
        cells = [number(cell(system, kind, figure["name"]), 2) for kind in kinds(system)]
        table.add_row(figure["label"], *cells)
    return table


def parts_table(record: Record) -> Table:
    """What each part buys: a row per system, and below its figures what it gains or loses."""
    reference, _ = first(record)
    table = _table(f"\nWhat each part buys: each system, and its difference to {reference}", (0, 0))
    figures = main_figures(record)
    for figure in figures:
        table.add_column(MAIN_HEADINGS[figure["name"]], justify="right", no_wrap=True)
    for name, system in record["systems"].items():
        table.add_row(name, *(_with_difference(system, figure) for figure in figures))
    return table


def _with_difference(system: System, figure: dict[str, Any]) -> str:
    value = number(cell(system, "all", figure["name"]), 2)
    difference = against(system, figure["name"])
    if difference is None:
        return value
    colour = "dim"
    if is_clear(difference):
        colour = "green" if is_better(difference, figure) else "red"
    return f"{value}\n[{colour}]{signed(difference, 2)}[/]"


def ruler_table(ruler: dict[str, Any]) -> Table:
    """How well the judge itself tells true statements from corrupted ones."""
    table = _table(f"\nThe judge, {ruler['judge']}")
    for heading in ("share", "of", "balanced"):
        table.add_column(heading, justify="right")
    table.add_row("AUROC", three(ruler["auroc"]))
    table.add_row(
        f"balanced accuracy at {three(ruler['threshold'])}", three(ruler["balanced_accuracy"])
    )
    for label, found, balanced in rulings(ruler):
        table.add_row(label, percent(found["share"]), f"{found['of']:,}", balanced)
    return table


def _table(title: str, padding: tuple[int, int] = (0, 1)) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=padding, show_edge=False
    )
    table.add_column("", overflow="fold")
    return table


# Beside the figures -------------------------------------------------------------------------------


def tell(lines: Sequence[str]) -> None:
    """Sentences for the user, on stderr: stdout belongs to the figures."""
    for line in lines:
        print(line, file=sys.stderr)


@contextmanager
def progress() -> Iterator[Tick]:
    """A bar on stderr for each thing that is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description:>15}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, Remaining(), console=console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def tick(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield tick


def console(*, stderr: bool = False) -> Console:
    """Where tables are printed."""
    from rich.console import Console

    return Console(stderr=stderr)
