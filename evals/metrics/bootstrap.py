"""Figures over many questions, with intervals.

Every figure is a ratio of sums over questions, so that one bootstrap serves them all, and so that
a question to which a figure does not apply (no gold evidence, nothing said) weighs nothing instead
of counting as right or wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 2_000
LEVEL = 0.95

Ratio = tuple[float, float]
"""Numerator and denominator of one question; (0, 0) where the figure does not apply to it."""


def ratio(parts: Iterable[Ratio]) -> float | None:
    """Sum of the numerators over sum of the denominators; `None` if those are 0.

    >>> ratio([(2, 3), (0, 0), (1, 1)])
    0.75
    """
    above, below = (sum(side) for side in zip((0.0, 0.0), *parts, strict=True))
    return above / below if below else None


def interval(
    parts: Sequence[Ratio], samples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """The percentile bootstrap interval of `ratio(parts)` (Efron, Tibshirani 1993), at 95 %.

    Questions are drawn with replacement; draws to which the figure does not apply are left out.
    Where all questions agree it has no width, which says nothing of questions not asked.

    >>> low, high = interval([(1, 1)] * 80 + [(0, 1)] * 20)
    >>> 0.71 < low < 0.74 and 0.86 < high < 0.89
    True
    """
    return _middle(_resampled(parts, samples, seed))


def paired_interval(
    first: Sequence[Ratio],
    second: Sequence[Ratio],
    samples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float]:
    """The interval of `ratio(first) - ratio(second)` over the same questions in the same order.

    Both are drawn together (paired bootstrap, Koehn 2004), so that what makes a question easy
    for both does not widen it.

    >>> paired_interval([(1, 1), (0, 1)] * 9, [(1, 1), (0, 1)] * 9)
    (0.0, 0.0)
    """
    if len(first) != len(second):
        raise ValueError("paired figures need the same questions")
    return _middle(_resampled(first, samples, seed) - _resampled(second, samples, seed))


def _resampled(parts: Sequence[Ratio], samples: int, seed: int) -> NDArray[np.float64]:
    """The ratio of each draw; NaN where it doesn't apply. One seed draws the same questions."""
    import numpy as np

    above, below = (_draws(len(parts), samples, seed) @ np.asarray(parts, dtype=float)).T
    ratios: NDArray[np.float64] = np.full(samples, np.nan)
    np.divide(above, below, out=ratios, where=below > 0)
    return ratios


# Nearly all the time goes into drawing (20 ms for 220 questions), and all figures over the same
# questions take the same draws. Only the last are kept: 170 MB for 10,000 questions.
@lru_cache(maxsize=1)
def _draws(questions: int, samples: int, seed: int) -> NDArray[np.float64]:
    """How often each question is in each draw, one row a draw."""
    import numpy as np

    even = np.full(questions, 1 / questions)
    return np.random.default_rng(seed).multinomial(questions, even, size=samples).astype(float)


def _middle(values: NDArray[np.float64]) -> tuple[float, float]:
    import numpy as np

    outside = 100 * (1 - LEVEL) / 2
    low, high = np.nanpercentile(values, [outside, 100 - outside])
    return float(low), float(high)


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The nearest-rank percentile: a value that did occur; `None` of nothing.

    >>> percentile([30, 10, 20, 40], 50), percentile([30, 10, 20, 40], 95)
    (20, 40)
    """
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
