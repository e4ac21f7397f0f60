"""Intervals are repeatable and as wide as theory says; pairing takes out what both share."""

from __future__ import annotations

import pytest

from evals.metrics.bootstrap import interval, paired_interval, percentile, ratio


def test_a_ratio_is_of_sums_and_not_a_mean_of_ratios() -> None:
    assert ratio([(1.0, 1.0), (0.0, 3.0)]) == 0.25
    assert ratio([]) is ratio([(0.0, 0.0)]) is None


def test_an_interval_is_the_same_each_time_and_narrows_with_more_questions() -> None:
    few, many = [(1.0, 1.0), (0.0, 1.0)] * 10, [(1.0, 1.0), (0.0, 1.0)] * 250
    (low, high), (lower, higher) = interval(few), interval(many)
    assert (low, high) == interval(few)
    assert higher - lower < (high - low) / 3
    # 1.96 standard errors of a share of one half among 500
    assert (higher - lower) / 2 == pytest.approx(1.96 * (0.25 / 500) ** 0.5, rel=0.1)


def test_another_seed_draws_other_questions() -> None:
    uneven = [(n / 7, 1.0) for n in range(20)]
    assert interval(uneven) != interval(uneven, seed=1)


def test_draws_without_any_applicable_question_are_left_out() -> None:
    low, high = interval([(1.0, 1.0), *[(0.0, 0.0)] * 9])
    assert (low, high) == (1.0, 1.0)


def test_questions_are_drawn_and_not_statements() -> None:
    # Ten statements of one question stand or fall together, so they say less than ten apart.
    together = [(10.0, 10.0), (0.0, 10.0)] * 5
    apart = [(1.0, 1.0), (0.0, 1.0)] * 50
    (low, high), (lower, higher) = interval(together), interval(apart)
    assert high - low > 2 * (higher - lower)


def test_pairing_takes_out_what_both_share() -> None:
    hard_and_easy = [(float(n % 2), 1.0) for n in range(40)]
    bit_better = [(1.0, 1.0) if n == 0 else part for n, part in enumerate(hard_and_easy)]
    low, high = paired_interval(bit_better, hard_and_easy)
    assert 0.0 <= low <= 1 / 40 <= high < 0.1
    alone_low, alone_high = interval(hard_and_easy)
    assert high - low < (alone_high - alone_low) / 2


def test_pairs_need_the_same_questions() -> None:
    with pytest.raises(ValueError, match="same questions"):
        paired_interval([(1, 1)], [])


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile(list(range(1, 101)), 95) == 95
    assert percentile([7], 50) == percentile([7], 95) == 7
    assert percentile([], 50) is None
