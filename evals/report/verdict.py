"""Which of the two built-in generators does better: what `model="auto"` is set by."""

from __future__ import annotations

from dataclasses import dataclass

from evals.report.failures import scored
from evals.report.figures import Record, System, cell, ours
from evals.scores import FIGURES, Estimate, difference

# Two generators that differ by less in faithfulness count as equally faithful.
SAME_FAITHFULNESS = 0.01
# What decides between those: how complete an answer is, then whether it says the gold answer.
DECIDING = ("vital_nugget_recall", "answer_match")
BUILT_IN = ("extractive", "smollm2")


@dataclass(frozen=True, slots=True)
class Versus:
    """Which of two generators does better, and by how much, with paired intervals."""

    better: str
    other: str
    faithfulness: tuple[float, float]
    margins: dict[str, Estimate]
    """Of each deciding figure that applies to both, the difference."""

    def __str__(self) -> str:
        margins = ", ".join(
            f"{name.replace('_', ' ')} {m.value:+.3f} [{m.low:+.3f}, {m.high:+.3f}]"
            for name, m in self.margins.items()
        )
        better, other = self.faithfulness
        return (
            f"{self.better} does better than {self.other}: {margins}; "
            f"faithfulness {better:.3f} and {other:.3f}."
        )


def auto_verdict(record: Record) -> Versus | None:
    """The comparison that justifies `model="auto"`, where both built-in generators were asked."""
    by_model = {system["model"]: system for system in ours(record).values()}
    if not set(BUILT_IN) <= by_model.keys():
        return None
    first, second = BUILT_IN
    return versus((first, by_model[first]), (second, by_model[second]))


def versus(first: tuple[str, System], second: tuple[str, System]) -> Versus:
    """Compare two named systems: the more faithful is better, then the more complete.

    Within SAME_FAITHFULNESS, the sum of the DECIDING figures decides.
    """
    apart = _value(first[1], "faithfulness") - _value(second[1], "faithfulness")
    if abs(apart) <= SAME_FAITHFULNESS:
        apart = sum(_value(first[1], name) - _value(second[1], name) for name in DECIDING)
    (better, winner), (other, loser) = (second, first) if apart < 0 else (first, second)
    faithfulness = (_value(winner, "faithfulness"), _value(loser, "faithfulness"))
    return Versus(better, other, faithfulness, _margins(winner, loser))


def _value(system: System, name: str) -> float:
    """A figure; 0 for one that applies to no question (nothing said is not faithful)."""
    found = cell(system, "all", name)
    return found["value"] if found else 0.0


def _margins(winner: System, loser: System) -> dict[str, Estimate]:
    sides = [[scored(item) for item in s["items"]] for s in (winner, loser)]
    found = {f.name: difference(f, *sides) for f in FIGURES if f.name in DECIDING}
    return {name: margin for name, margin in found.items() if margin}
