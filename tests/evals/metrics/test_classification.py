"""The measures of judges agree with their definitions, by hand, by force and by scikit-learn."""

from __future__ import annotations

import math
import random
from itertools import product

import pytest

from evals.metrics.classification import auroc, balanced_accuracy, best_threshold

T, F = True, False


def samples() -> list[tuple[list[float], list[bool]]]:
    """Scores on a coarse grid, so that many tie, with both labels among them."""
    rng = random.Random(7)
    drawn = []
    for size in (2, 3, 5, 10, 40, 40):
        labels = [T, F, *(rng.random() < 0.4 for _ in range(size - 2))]
        drawn.append(([round(rng.random() + 0.3 * label, 1) for label in labels], labels))
    return drawn


def accuracy_at(threshold: float, scores: list[float], labels: list[bool]) -> float:
    value = balanced_accuracy([score >= threshold for score in scores], labels)
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("scores", "labels", "expected"),
    [
        ([1.0, 0.0], [T, F], 1.0),
        ([0.0, 1.0], [T, F], 0.0),
        ([0.5, 0.5], [T, F], 0.5),
        ([3.0, 2.0, 1.0], [T, F, T], 0.5),
        ([0.9, 0.9, 0.1], [T, F, F], 0.75),
    ],
)
def test_auroc_by_hand(scores: list[float], labels: list[bool], expected: float) -> None:
    assert auroc(scores, labels) == expected


@pytest.mark.parametrize(("scores", "labels"), samples())
def test_auroc_is_the_share_of_pairs_in_order(scores: list[float], labels: list[bool]) -> None:
    sides = ([s for s, label in zip(scores, labels, strict=True) if label is t] for t in (T, F))
    pairs = list(product(*sides))
    wins = [1.0 if true > false else 0.5 if true == false else 0.0 for true, false in pairs]
    assert auroc(scores, labels) == pytest.approx(sum(wins) / len(pairs))


@pytest.mark.parametrize(("scores", "labels"), samples())
def test_agrees_with_scikit_learn(scores: list[float], labels: list[bool]) -> None:
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    assert auroc(scores, labels) == pytest.approx(roc_auc_score(labels, scores))
    predicted = [score >= 0.5 for score in scores]
    theirs = balanced_accuracy_score(labels, predicted)
    assert balanced_accuracy(predicted, labels) == pytest.approx(theirs)


def test_balanced_accuracy_weighs_both_classes_alike() -> None:
    assert balanced_accuracy([T, T, T, F], [T, T, F, F]) == 0.75
    assert balanced_accuracy([F] * 10, [F] * 9 + [T]) == 0.5
    assert balanced_accuracy([F, T], [T, F]) == 0.0


@pytest.mark.parametrize(("scores", "labels"), samples())
def test_no_threshold_does_better(scores: list[float], labels: list[bool]) -> None:
    threshold = best_threshold(scores, labels)
    assert threshold is not None
    everywhere = [accuracy_at(cut, scores, labels) for cut in (*scores, math.inf)]
    assert accuracy_at(threshold, scores, labels) == pytest.approx(max(everywhere))


def test_the_threshold_is_halfway_between_the_classes() -> None:
    assert best_threshold([0.0, 0.25, 0.75, 1.0], [F, F, T, T]) == 0.5


def test_of_equally_good_thresholds_the_middle_one_is_taken() -> None:
    # All of one class and a third of the other, or two thirds of both.
    scores, labels = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [F, T, F, T, F, T]
    assert [accuracy_at(cut, scores, labels) for cut in (0.5, 2.5, 4.5)] == [
        pytest.approx(2 / 3)
    ] * 3
    assert best_threshold(scores, labels) == 2.5


def test_scores_that_say_nothing_or_the_contrary_let_everything_pass() -> None:
    assert best_threshold([0.5, 0.5], [T, F]) == 0.5
    assert best_threshold([0.2, 0.8], [T, F]) == 0.2


def test_neighbouring_floats_are_kept_apart() -> None:
    for low in (1.0, math.nextafter(1.0, 2.0)):  # one of the two halves rounds down
        scores, labels = [low, math.nextafter(low, 2.0)], [F, T]
        threshold = best_threshold(scores, labels)
        assert threshold is not None
        assert accuracy_at(threshold, scores, labels) == 1.0


def test_with_one_label_there_is_nothing_to_tell_apart() -> None:
    for labels in ([T, T], [F, F]):
        assert auroc([0.1, 0.2], labels) is None
        assert balanced_accuracy([T, F], labels) is None
        assert best_threshold([0.1, 0.2], labels) is None
    assert auroc([], []) is balanced_accuracy([], []) is best_threshold([], []) is None


def test_scores_and_labels_belong_together() -> None:
    for measure in (auroc, best_threshold):
        with pytest.raises(ValueError, match="zip"):
            measure([0.1], [T, F])
    with pytest.raises(ValueError, match="zip"):
        balanced_accuracy([T], [T, F])
