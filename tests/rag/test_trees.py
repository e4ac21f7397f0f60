"""Trees give what scikit-learn's do, and what stands in the repository is whole."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from evals.calibrate_reader import _exported, _scaled
from rag.evidence import load_calibration
from rag.logistic import sigmoid
from rag.trees import Trees

NAMES = ["a", "b", "c"]
# a <= 1 leads to -1; else b <= 0.5 leads to 2, and above it to 3.
SMALL = Trees(0.5, ["a", "b"], [[0, 1.0, -1.0, [1, 0.5, 2.0, 3.0]], 0.25])


@pytest.mark.parametrize(
    ("a", "b", "total"), [(1.0, 9.0, -0.25), (1.1, 0.5, 2.75), (2.0, 0.6, 3.75)]
)
def test_a_tree_is_walked_by_its_thresholds(a: float, b: float, total: float) -> None:
    assert SMALL.probability({"a": a, "b": b, "more": 0.0}) == pytest.approx(sigmoid(total))


def test_a_feature_that_is_not_given_is_told() -> None:
    with pytest.raises(KeyError, match="b"):
        SMALL.probability({"a": 0.0})


def test_exported_trees_say_what_scikit_learn_says() -> None:
    chance = np.random.default_rng(3)
    rows = chance.normal(size=(400, 3))
    labels = rows[:, 0] * rows[:, 1] + 0.3 * chance.normal(size=400) > 0
    model = HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=6).fit(rows, labels)
    trees = _exported(model, NAMES)
    ours = [trees.probability(dict(zip(NAMES, row, strict=True))) for row in rows.tolist()]
    assert ours == pytest.approx(model.predict_proba(rows)[:, 1].tolist(), abs=1e-9)
    assert ((np.array(ours) > 0.5) == labels).mean() > 0.8


def test_trees_survive_json() -> None:
    read = Trees(**json.loads(json.dumps({"baseline": 0.5, "names": ["a", "b"],
                                          "trees": SMALL.trees})))  # fmt: skip
    assert read.probability({"a": 2.0, "b": 0.0}) == SMALL.probability({"a": 2.0, "b": 0.0})


def test_several_forests_are_averaged_in_the_logit() -> None:
    assert _scaled([0, 0.1234567, 3.0, [1, 2.0, -3.0, 6.0]]) == [
        0, 0.123457, 1.0, [1, 2.0, -1.0, 2.0],
    ]  # fmt: skip


def test_the_gate_in_the_repository_uses_each_feature_by_number() -> None:
    gate = load_calibration().gate
    assert isinstance(gate, Trees) and len(gate.trees) == 180
    used: set[int] = set()

    def collect(tree: object) -> None:
        if isinstance(tree, list):
            used.add(tree[0])
            collect(tree[2])
            collect(tree[3])

    for tree in gate.trees:
        collect(tree)
    assert used <= set(range(len(gate.names))) and len(used) > 10
