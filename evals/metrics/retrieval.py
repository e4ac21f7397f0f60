"""Whether the hits hold the gold evidence, and how early."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

Found = Sequence[Collection[int]]
"""For each hit, best first, the numbers of the gold quotes that lie in it."""


def evidence_recall(found: Found, quotes: int, k: int) -> float:
    """The share of the gold quotes that lie in one of the first `k` hits.

    >>> evidence_recall([{0}, set(), {0, 1}], quotes=2, k=2)
    0.5
    """
    return len(set().union(*found[:k])) / quotes


def all_evidence(found: Found, quotes: int, k: int) -> float:
    """1 if every gold quote lies in one of the first `k` hits, else 0.

    What a question that needs several articles asks of retrieval: with one of them missing, the
    others don't answer it (Asai et al. 2020 ask the same of paragraphs).

    >>> all_evidence([{0}, set(), {1}], quotes=2, k=2), all_evidence([{0}, {1}], quotes=2, k=2)
    (0.0, 1.0)
    """
    return float(len(set().union(*found[:k])) == quotes)


def reciprocal_rank(found: Found, k: int) -> float:
    """1 / rank of the first hit that holds a gold quote, 0 if none of `k` does (Voorhees 1999).

    >>> reciprocal_rank([set(), {0}, {1}], k=10)
    0.5
    """
    return next((1 / rank for rank, numbers in enumerate(found[:k], 1) if numbers), 0.0)


def ndcg(found: Found, relevant: int, k: int) -> float:
    """Normalised discounted cumulative gain of the first `k` hits (Järvelin, Kekäläinen 2002).

    A hit gains 1 if it holds a gold quote, divided by log2(rank + 1); the sum is divided by that
    of the best order, in which all `relevant` passages of the index come first. `relevant` counts
    the passages that hold a gold quote, also those that weren't found; where there is none (each
    quote was cut apart) nothing can be found, which is 0. Raises ValueError where more relevant
    hits were found than there are passages.

    One of two relevant passages, at rank 3: (1 / log2 4) / (1 / log2 2 + 1 / log2 3).

    >>> round(ndcg([set(), set(), {0}], relevant=2, k=10), 4)
    0.3066
    """
    ranks = [rank for rank, numbers in enumerate(found[:k], 1) if numbers]
    if len(ranks) > relevant:
        raise ValueError(f"{len(ranks)} relevant hits of {relevant} relevant passages")
    best = _discounts(range(1, min(relevant, k) + 1))
    return _discounts(ranks) / best if best else 0.0


def _discounts(ranks: Iterable[int]) -> float:
    return sum(1 / math.log2(rank + 1) for rank in ranks)
