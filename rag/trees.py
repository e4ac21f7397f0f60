"""Gradient-boosted trees, applied: features by name → a probability (Friedman 2001).

    p = 1 / (1 + e^-(baseline + Σ over trees of the leaf that the features lead to))

The trees are grown by the scripts under evals/ and read from JSON; nothing here learns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.logistic import sigmoid

Tree = Any
"""A leaf's value, or [number of the feature, threshold, tree up to it, tree above it]."""


@dataclass(frozen=True, slots=True)
class Trees:
    """Grown trees; `names` are the features in the order of their numbers."""

    baseline: float
    names: Sequence[str]
    trees: Sequence[Tree]

    def probability(self, features: Mapping[str, float]) -> float:
        """Probability of the positive class; every feature in `names` must be given.

        >>> Trees(0.0, ["cosine"], [[0, 0.5, -50.0, 0.0]]).probability({"cosine": 0.6})
        0.5
        """
        values = [features[name] for name in self.names]
        return sigmoid(self.baseline + sum(_leaf(tree, values) for tree in self.trees))


def _leaf(tree: Tree, values: Sequence[float]) -> float:
    while isinstance(tree, list):
        feature, threshold, low, high = tree
        tree = low if values[feature] <= threshold else high
    return float(tree)
