"""What tables and charts take from a record, and how a figure is written."""

from __future__ import annotations

import math
from typing import Any

Record = dict[str, Any]
"""What `run.json` holds."""

System = dict[str, Any]
"""One of `record["systems"]`."""

Cell = dict[str, float]
"""A figure or a difference: `value`, and the ends `low` and `high` of its 95 % interval."""

SPLITS = ("all", "dev", "test")
PERCENTILES = {"latency_p50_ms": "time p50", "latency_p95_ms": "time p95"}

# What decides whether a part stays, few enough for the columns of a table.
MAIN = (
    "evidence_recall_8",
    "vital_nugget_recall",
    "answer_rate",
    "faithfulness",
    "citation_precision",
    "abstention_recall",
    "wrong_abstain",
)


def ours(record: Record) -> dict[str, System]:
    """The systems that are ours, whole, in the order of the run."""
    return {name: s for name, s in record["systems"].items() if s["kind"] == "ours"}


def first(record: Record) -> tuple[str, System]:
    """The system that the others are compared with: the first of ours, or else of all."""
    return next(iter((ours(record) or record["systems"]).items()))


def main_figures(record: Record) -> list[dict[str, Any]]:
    """Those of the record's figures that are in MAIN, in its order."""
    by_name = {figure["name"]: figure for figure in record["figures"]}
    return [by_name[name] for name in MAIN if name in by_name]


def splits(system: System) -> list[str]:
    """The groups that are all questions or a split of them; a single split is all there is."""
    found = [name for name in SPLITS if _asked(system, name)]
    return found if len(found) > 2 else found[:1]


def kinds(system: System) -> list[str]:
    """The groups of questions of one kind, those with a false premise, and the like."""
    return [name for name in system["figures"] if name not in SPLITS and _asked(system, name)]


def _asked(system: System, group: str) -> bool:
    return bool(system["figures"].get(group, {}).get("questions"))


def cell(system: System, group: str, figure: str) -> Cell | None:
    """A figure of a group; `None` where it applies to none of its questions."""
    found: Cell | None = system["figures"][group].get(figure)
    return found


def against(system: System, figure: str) -> Cell | None:
    """This system minus the first of ours, over the same questions; `None` for that one itself."""
    found: Cell | None = (system.get("against") or {}).get(figure)
    return found


def is_clear(difference: Cell) -> bool:
    """Whether the interval leaves out 0, so that chance alone seldom makes such a difference.

    >>> is_clear({"value": 0.1, "low": 0.0, "high": 0.2})
    False
    """
    return difference["low"] > 0 or difference["high"] < 0


def is_better(difference: Cell, figure: dict[str, Any]) -> bool:
    """Whether the difference goes the way in which the figure is meant to go."""
    rose: bool = difference["value"] > 0
    return rose if figure["higher_is_better"] else not rose


def rulings(ruler: dict[str, Any]) -> list[tuple[str, dict[str, Any], str]]:
    """What a judge caught and accepted by kind: in words, as share and count, and balanced.

    The last is the balanced accuracy of a kind of false statement against all true ones.
    """
    balance = ruler.get("balance", {})
    return [
        (f"{verb}: {kind}", found, three(balance[kind]["share"]) if kind in balance else "")
        for verb in ("caught", "accepted")
        for kind, found in ruler[verb].items()
    ]


# In words -----------------------------------------------------------------------------------------


def number(cell: Cell | None, digits: int = 3) -> str:
    """
    >>> number({"value": 0.84, "low": 0.76, "high": 0.91, "of": 82}), number(None)
    ('0.840', '–')
    """
    return f"{cell['value']:.{digits}f}" if cell else "–"


def three(value: float | None) -> str:
    """
    >>> three(0.5), three(None)
    ('0.500', '–')
    """
    return "–" if value is None else f"{value:.3f}"


def ends(cell: Cell | None) -> str:
    """
    >>> ends({"value": 0.84, "low": 0.76, "high": 0.91, "of": 82})
    '0.760–0.910'
    """
    return f"{cell['low']:.3f}–{cell['high']:.3f}" if cell else ""


def signed(difference: Cell | None, digits: int = 3) -> str:
    """With a star where the interval leaves out 0.

    >>> signed({"value": -0.05, "low": -0.09, "high": -0.01}), signed(None)
    ('−0.050*', '')
    """
    if difference is None:
        return ""
    return minus(f"{difference['value']:+.{digits}f}") + "*" * is_clear(difference)


def signed_ends(difference: Cell | None) -> str:
    """
    >>> signed_ends({"value": -0.05, "low": -0.09, "high": 0.01})
    '−0.090 to +0.010'
    """
    if difference is None:
        return ""
    return minus(f"{difference['low']:+.3f} to {difference['high']:+.3f}")


def minus(text: str) -> str:
    """With true minus signs, which are as wide as the plus."""
    return text.replace("-", "−")


def percent(share: float) -> str:
    """Rounded down, so that only all is 100 %.

    >>> percent(0.9996), percent(1.0), percent(0.3)
    ('99.9 %', '100 %', '30 %')
    """
    return f"{math.floor(round(share * 1000, 6)) / 10:g} %"


def milliseconds(value: float | None) -> str:
    """
    >>> milliseconds(1234.4), milliseconds(None)
    ('1,234 ms', '–')
    """
    return "–" if value is None else f"{value:,.0f} ms"


def speed(value: float | None) -> str:
    """Tokens per second; a dash where no language model wrote."""
    return "–" if value is None else f"{value:.1f}"
