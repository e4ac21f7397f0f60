"""How well scores and decisions tell true from false.

Each is `None` where all labels are the same, since then there is nothing to tell apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from operator import itemgetter


def auroc(scores: Sequence[float], labels: Sequence[bool]) -> float | None:
    """Area under the ROC curve: how often a true one scores above a false one.

    Over all pairs of a true and a false one, ties counting half: the Mann-Whitney statistic
    (Hanley, McNeil 1982). 0.5 is chance, 1 is perfect.

    Four pairs: 0.9 beats 0.4 and 0.1, 0.4 beats 0.1 and ties with 0.4.

    >>> auroc([0.9, 0.4, 0.4, 0.1], [True, True, False, False])
    0.875
    """
    true, false = _counts(labels)
    if not (true and false):
        return None
    won, below = 0.0, 0
    ranked = sorted(zip(scores, labels, strict=True))
    for _, tied in groupby(ranked, key=itemgetter(0)):
        true_here, false_here = _counts([label for _, label in tied])
        won += true_here * (below + false_here / 2)
        below += false_here
    return won / (true * false)


def balanced_accuracy(predicted: Sequence[bool], labels: Sequence[bool]) -> float | None:
    """Mean of the share of the true that are predicted true, and of the false predicted false.

    Unlike accuracy it doesn't reward siding with the larger class (Brodersen et al. 2010):

    >>> balanced_accuracy([True, True, True, True], [True, True, True, False])
    0.5
    """
    true, false = _counts(labels)
    if not (true and false):
        return None
    right = [label for said, label in zip(predicted, labels, strict=True) if said == label]
    right_true, right_false = _counts(right)
    return (right_true / true + right_false / false) / 2


def best_threshold(scores: Sequence[float], labels: Sequence[bool]) -> float | None:
    """The threshold with the best balanced accuracy, where `score >= threshold` says true.

    It lies halfway between two scores; where several do equally well it is the middle one, and
    where no cut does better than chance it is the lowest score, which says true of everything.

    >>> best_threshold([0.9, 0.6, 0.2, 0.1], [True, True, False, False])
    0.4
    """
    true, false = _counts(labels)
    if not (true and false):
        return None
    ranked = sorted(zip(scores, labels, strict=True))
    # In whole numbers, `true * false` times as large as (share right of true + of false - 1), so
    # that equally good cuts are equal.
    gain, gains = 0, {ranked[0][0]: 0}
    for (below, label), (above, _) in pairwise(ranked):
        gain += -false if label else true
        if below < above:
            gains[_between(below, above)] = gain
    most = max(gains.values())
    best = [threshold for threshold, gain in gains.items() if gain == most]
    return best[(len(best) - 1) // 2]


def _counts(labels: Sequence[bool]) -> tuple[int, int]:
    """How many are true, and how many false."""
    true = sum(labels)
    return true, len(labels) - true


def _between(below: float, above: float) -> float:
    """Halfway, but never `below` itself, to which two neighbouring floats would round."""
    middle = (below + above) / 2
    return middle if middle > below else above
