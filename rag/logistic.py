"""Logistic regression, applied: features by name → a probability.

    p = 1 / (1 + e^-(intercept + Σ weight · feature))

The weights are fitted by the scripts under evals/ and read from JSON; nothing here learns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LARGEST = 50.0  # e^50 is still a number


@dataclass(frozen=True, slots=True)
class Logistic:
    """A fitted model: an intercept and one weight a feature."""

    intercept: float
    weights: Mapping[str, float]

    @property
    def names(self) -> Sequence[str]:
        """The features that it weighs."""
        return tuple(self.weights)

    def probability(self, features: Mapping[str, float]) -> float:
        """Probability of the positive class; every weighted feature must be given.

        >>> Logistic(-1.0, {"cosine": 2.0}).probability({"cosine": 0.5})
        0.5
        """
        return sigmoid(
            self.intercept + sum(weight * features[name] for name, weight in self.weights.items())
        )


def sigmoid(score: float) -> float:
    """1 / (1 + e^-score)."""
    return 1 / (1 + math.exp(-max(-LARGEST, min(LARGEST, score))))


def logit(probability: float) -> float:
    """The inverse of `sigmoid`, kept finite.

    >>> round(logit(sigmoid(2.0)), 6)
    2.0
    """
    kept = min(1 - 1e-9, max(1e-9, probability))
    return math.log(kept / (1 - kept))
