"""A run as tables for the terminal, and as JSON that holds every item."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.gate import data_now
from evals.metrics import FIGURES, Estimate, Score, estimates, paired_interval, percentile
from evals.questions import Question
from rag.assistant import AUTO_MODEL

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from evals.run import Item, Run, System, Tick

CHECKOUT = Path(__file__).parents[1]
RUNS = Path(__file__).with_name("runs")

GROUPS: dict[str, Callable[[Question], bool]] = {
    "dev": lambda q: q.split == "dev",
    "test": lambda q: q.split == "test",
    "single": lambda q: q.kind == "single",
    "across": lambda q: q.kind == "across",
    "dates": lambda q: q.kind == "dates",
    "unanswerable": lambda q: q.kind == "unanswerable",
    "false premise": lambda q: q.false_premise,
}
# On two lines, so that the table fits into 80 columns, as does all that is printed.
HEADINGS = {"unanswerable": "unan-\nswerable", "false premise": "false\npremise"}
LATENCIES = {"latency_p50_ms": 50, "latency_p95_ms": 95}

# Two generators that differ by less in faithfulness count as equally faithful.
SAME_FAITHFULNESS = 0.01
# What decides between those: how complete an answer is, then whether it says the gold answer.
DECIDING = ("vital_nugget_recall", "answer_match")

Group = list[Score]


# Figures ------------------------------------------------------------------------------------------


def groups(system: System) -> dict[str, Group]:
    """The scores of all questions, of each split, and of each kind; empty groups are left out."""
    named = {
        name: [item.score for item in system.items if belongs(item.question)]
        for name, belongs in GROUPS.items()
    }
    return {"all": system.scores, **{name: group for name, group in named.items() if group}}


def latencies(scores: Group) -> dict[str, float | None]:
    """Percentiles of the time a question took, in milliseconds; loading the model excluded."""
    times = [score.milliseconds for score in scores if score.milliseconds is not None]
    return {name: percentile(times, percent) for name, percent in LATENCIES.items()}


@dataclass(frozen=True, slots=True)
class Versus:
    """Which of two generators does better, and by how much, with paired intervals."""

    better: str
    other: str
    faithfulness: tuple[float, float]
    margins: dict[str, tuple[float, float, float]]
    """Of each deciding figure: the difference, and the two ends of its interval."""

    def __str__(self) -> str:
        margins = ", ".join(
            f"{name.replace('_', ' ')} {value:+.3f} [{low:+.3f}, {high:+.3f}]"
            for name, (value, low, high) in self.margins.items()
        )
        better, other = self.faithfulness
        return (
            f"{self.better} does better than {self.other}: {margins}; "
            f"faithfulness {better:.3f} and {other:.3f}."
        )


def versus(first: System, second: System) -> Versus:
    """Compare two generators: the more faithful is better, then the more complete.

    Within SAME_FAITHFULNESS, the sum of the DECIDING figures decides. This is what AUTO_MODEL of
    `rag/assistant.py` is set by.
    """
    faithful = [_value(system, "faithfulness") for system in (first, second)]
    if abs(faithful[0] - faithful[1]) > SAME_FAITHFULNESS:
        swap = faithful[1] > faithful[0]
    else:
        swap = _deciding(second) > _deciding(first)
    better, other = (second, first) if swap else (first, second)
    return Versus(
        better.name,
        other.name,
        (_value(better, "faithfulness"), _value(other, "faithfulness")),
        {name: _margin(better, other, name) for name in DECIDING},
    )


def _deciding(system: System) -> float:
    return sum(_value(system, name) for name in DECIDING)


def _value(system: System, name: str) -> float:
    """A figure; 0 for one that applies to no question (nothing said is not faithful)."""
    found = estimates(system.scores)[name]
    return found.value if found else 0.0


def _margin(better: System, other: System, name: str) -> tuple[float, float, float]:
    figure = next(figure for figure in FIGURES if figure.name == name)
    ours, theirs = ([figure.part(s) for s in system.scores] for system in (better, other))
    return (_value(better, name) - _value(other, name), *paired_interval(ours, theirs))


def auto_verdict(run: Run) -> Versus | None:
    """The comparison that justifies `model="auto"`, where both built-in generators were asked."""
    systems = {system.name: system for system in run.systems}
    if not {"extractive", "smollm2"} <= systems.keys():
        return None
    return versus(systems["extractive"], systems["smollm2"])


# JSON ---------------------------------------------------------------------------------------------


def to_dict(run: Run) -> dict[str, Any]:
    """The whole run: what was asked of what, all figures by group, and every item."""
    verdict = auto_verdict(run)
    return {
        "started": run.started.isoformat(),
        "split": run.split,
        "articles": run.articles,
        "data": asdict(data_now(len(run.systems[0].items))) if run.systems else None,
        "passages": run.passages,
        "fingerprints": run.fingerprints,
        "systems": {system.name: _system_dict(system) for system in run.systems},
        "auto": {"model": AUTO_MODEL, "verdict": asdict(verdict) if verdict else None},
    }


def _system_dict(system: System) -> dict[str, Any]:
    return {
        "figures": {name: _group_dict(group) for name, group in groups(system).items()},
        "items": [_item_dict(item) for item in system.items],
    }


def _group_dict(group: Group) -> dict[str, Any]:
    found = {name: asdict(e) if e else None for name, e in estimates(group).items()}
    return {"questions": len(group), **found, **latencies(group)}


def _item_dict(item: Item) -> dict[str, Any]:
    return {
        "id": item.question.id,
        "expected": asdict(item.question),
        "answer": item.answer.to_dict() if item.answer else None,
        "error": item.error or None,
        "judged": [asdict(judged) for judged in item.judged],
        "quotes_in_hits": [sorted(numbers) for numbers in item.found],
        "scores": asdict(item.score),
    }


def keep(run: Run, folder: Path = RUNS) -> Path | None:
    """Write the run below `folder` when this is a checkout; the file, or None where it can't be."""
    if not (CHECKOUT / ".git").exists():
        return None
    target = folder / f"{run.started:%Y-%m-%dT%H-%M-%SZ}" / "run.json"
    try:
        target.parent.mkdir(parents=True)
        target.write_text(json.dumps(to_dict(run), ensure_ascii=False, indent=1) + "\n", "utf-8")
    except OSError as error:
        tell([f"The run was not kept in {target.parent}: {error.strerror}."])
        return None
    tell([f"Every item is in {target}"])
    return target


# The terminal -------------------------------------------------------------------------------------


def show(run: Run, *, as_json: bool) -> None:
    """Print the run to stdout."""
    if as_json:
        print(json.dumps(to_dict(run), ensure_ascii=False, indent=2))
        return
    out = _console()
    out.print(main_table(run))
    for system in run.systems:
        out.print(group_table(system))
    verdict = auto_verdict(run)
    if verdict:
        out.print(f'\n{verdict}\n`model="auto"` takes {AUTO_MODEL}.', highlight=False)


def main_table(run: Run) -> Table:
    """Rows are figures with their intervals, columns are generators."""
    asked = len(run.systems[0].items) if run.systems else 0
    table = _table(f"{asked} questions ({run.split}) on {run.articles} articles; 95 % intervals")
    for system in run.systems:
        table.add_column(system.name, justify="right")
    found = [estimates(system.scores) for system in run.systems]
    for figure in FIGURES:
        table.add_row(figure.label, *(_with_interval(column[figure.name]) for column in found))
    times = [latencies(system.scores) for system in run.systems]
    for name, percent in LATENCIES.items():
        table.add_row(f"time p{percent}", *(_milliseconds(column[name]) for column in times))
    return table


def group_table(system: System) -> Table:
    """Rows are figures, columns are splits and kinds."""
    columns = groups(system)
    table = _table(f"\n{system.name}, by split and kind", padding=(0, 0))
    for name, group in columns.items():
        heading = HEADINGS.get(name, f"\n{name}")
        table.add_column(f"{heading}\n{len(group)}", justify="right", no_wrap=True)
    found = [estimates(group) for group in columns.values()]
    for figure in FIGURES:
        cells = [column[figure.name] for column in found]
        table.add_row(figure.label, *(f"{cell.value:.3f}" if cell else "–" for cell in cells))
    return table


def _table(title: str, padding: tuple[int, int] = (0, 1)) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=padding, show_edge=False
    )
    table.add_column("", no_wrap=True)
    return table


def _with_interval(cell: Estimate | None) -> str:
    return f"{cell.value:.3f}  {cell.low:.3f}–{cell.high:.3f}" if cell else "–"


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms"


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
    with Progress(*columns, Remaining(), console=_console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def tick(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield tick


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)
