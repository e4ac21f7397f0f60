"""Retrieval figures count quotes once, stop at k, and are what their papers say."""

from __future__ import annotations

import math

import pytest

from evals.metrics.retrieval import all_evidence, evidence_recall, ndcg, reciprocal_rank

LATE: list[set[int]] = [*[set[int]()] * 8, {0}]
"""The only relevant hit is the ninth."""


def test_a_quote_found_twice_counts_once() -> None:
    assert evidence_recall([{0}, {0}], quotes=2, k=8) == 0.5
    assert all_evidence([{0}, {0}], quotes=2, k=8) == 0.0


def test_quotes_may_come_from_one_hit_or_several() -> None:
    assert all_evidence([{0, 1}], quotes=2, k=1) == 1.0
    assert all_evidence([{1}, {0}], quotes=2, k=2) == 1.0


def test_hits_beyond_k_count_for_nothing() -> None:
    assert evidence_recall(LATE, quotes=1, k=8) == all_evidence(LATE, quotes=1, k=8) == 0.0
    assert reciprocal_rank(LATE, k=8) == ndcg(LATE, relevant=1, k=8) == 0.0
    assert reciprocal_rank(LATE, k=10) == pytest.approx(1 / 9)
    assert ndcg(LATE, relevant=1, k=10) == pytest.approx(1 / math.log2(10))


def test_nothing_found_is_zero() -> None:
    assert evidence_recall([], quotes=1, k=8) == all_evidence([], quotes=1, k=8) == 0.0
    assert reciprocal_rank([], k=8) == ndcg([], relevant=1, k=8) == 0.0


def test_the_best_order_has_a_gain_of_one() -> None:
    assert ndcg([{0}, {1}, set()], relevant=2, k=10) == 1.0
    assert ndcg([{0}] * 10, relevant=30, k=10) == 1.0


def test_each_relevant_passage_gains_the_more_the_earlier_it_comes() -> None:
    first, second = (ndcg(found, 2, 10) for found in ([{0}, set(), {0}], [set(), {0}, {0}]))
    assert first == pytest.approx((1 + 1 / 2) / (1 + 1 / math.log2(3)))
    assert second < first < 1.0


def test_holding_two_quotes_is_no_more_relevant_than_holding_one() -> None:
    assert ndcg([{0, 1}, set()], 2, 10) == ndcg([{0}, set()], 2, 10)


def test_quotes_that_no_passage_holds_cannot_be_found() -> None:
    assert ndcg([set(), set()], relevant=0, k=10) == 0.0


def test_more_relevant_hits_than_passages_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="2 relevant hits of 1"):
        ndcg([{0}, {0}], relevant=1, k=10)


def test_ndcg_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import ndcg_score

    # All of an index of ten passages, so that it sees the same relevant ones as `relevant` says.
    relevance = [0, 1, 0, 0, 1, 0, 0, 1, 0, 1]
    found = [{0} if gain else set[int]() for gain in relevance]
    for k in (1, 5, 10):
        theirs = ndcg_score([relevance], [list(range(10, 0, -1))], k=k)
        assert ndcg(found, relevant=4, k=k) == pytest.approx(theirs)
