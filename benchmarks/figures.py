"""What is measured: a value, the target it is held against, and what it was compared with."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Unit = Literal["ms", "s", "MB", "/s", "x", ""]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Target:
    """A bound: the value must lie on the right side of `limit`."""

    side: Literal["<", ">="]
    limit: float

    def met(self, value: float) -> bool:
        return value < self.limit if self.side == "<" else value >= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `beside` is what the value compares with, in words."""

    what: str
    value: float
    unit: Unit
    target: Target | None = None
    beside: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        return self.target.met(self.value) if self.target else None


def shown(value: float, unit: Unit) -> str:
    """`value` to three digits or so, with its unit.

    >>> shown(1234.5, "ms"), shown(0.914, "x"), shown(6.25, "s")
    ('1,234 ms', '0.91', '6.2 s')
    """
    digits = 2 if unit == "x" else 1 if abs(value) < 100 and not float(value).is_integer() else 0
    number = f"{value:,.{digits}f}"
    return number if unit in {"", "x"} else f"{number}{'' if unit == '/s' else ' '}{unit}"


def seconds(run: Callable[[], object]) -> float:
    """How long one call of `run` takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def median_ms(runs: Sequence[Callable[[], object]]) -> float:
    """The median time of `runs`, in milliseconds."""
    return 1000 * statistics.median(seconds(run) for run in runs)
