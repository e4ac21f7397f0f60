"""Citation recall and precision are ALCE's, and an invented citation costs something."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from evals.metrics.citations import UNREADABLE, Cited, Entails, cited

KNOWN = {1, 2, 3}


def needs(*sets: set[int]) -> Entails:
    """A judge for whom the statement follows once all passages of one of `sets` are read."""
    return lambda numbers: any(wanted <= set(numbers) for wanted in sets)


def unreadable_of(*numbers: int, otherwise: Entails) -> Entails:
    """Like `otherwise`, but what it says of exactly these passages can't be read."""
    return lambda asked: None if set(asked) == set(numbers) else otherwise(asked)


@pytest.mark.parametrize(
    ("numbers", "entails", "expected"),
    [
        ([1], needs({1}), Cited(True, 1, 1)),
        ([1], needs({2}), Cited(False, 1, 0)),
        # Each is needed: alone neither entails, but neither do the others without it.
        ([1, 2], needs({1, 2}), Cited(True, 2, 2)),
        # Each is enough: neither is irrelevant, since alone it entails.
        ([1, 2], needs({1}, {2}), Cited(True, 2, 2)),
        ([1, 2], needs({1}), Cited(True, 2, 1)),
        ([1, 2, 3], needs({1, 2}), Cited(True, 3, 2)),
        ([2, 3], needs({1}), Cited(False, 2, 0)),
        # Of three of which any two suffice, each is irrelevant.
        ([1, 2, 3], needs({1, 2}, {1, 3}, {2, 3}), Cited(True, 3, 0)),
    ],
)
def test_recall_and_precision(numbers: list[int], entails: Entails, expected: Cited) -> None:
    assert cited(numbers, KNOWN, entails) == expected


def test_without_citations_or_with_one_that_leads_nowhere_the_judge_is_not_asked() -> None:
    def never(numbers: Sequence[int]) -> bool:
        raise AssertionError("asked")

    assert cited([], KNOWN, never) == Cited(False, 0, 0)
    assert cited([1, 9], KNOWN, never) == Cited(False, 2, 0)
    assert cited([0], KNOWN, never) == Cited(False, 1, 0)
    assert cited([1], (), never) == Cited(False, 1, 0)


def test_a_number_given_twice_is_one_citation() -> None:
    assert cited([1, 1], KNOWN, needs({1})) == Cited(True, 1, 1)
    assert cited([2, 1, 2], KNOWN, needs({1})) == Cited(True, 2, 1)


def test_a_single_citation_is_judged_once() -> None:
    asked: list[Sequence[int]] = []

    def entails(numbers: Sequence[int]) -> bool:
        asked.append(tuple(numbers))
        return True

    cited([1], KNOWN, entails)
    assert asked == [(1,)]


def test_an_unreadable_verdict_that_decides_leaves_the_statement_unscored() -> None:
    assert cited([1], KNOWN, lambda _: None) == UNREADABLE
    assert cited([1, 2], KNOWN, unreadable_of(1, 2, otherwise=needs({1}))) == UNREADABLE
    # Of 2, which alone doesn't entail, whether 1 does without it decides.
    whole = needs({1, 2})
    assert cited([1, 2], KNOWN, unreadable_of(1, otherwise=whole)) == UNREADABLE
    assert cited([1, 2], KNOWN, unreadable_of(2, otherwise=needs({1}))) == UNREADABLE


def test_an_unreadable_verdict_that_decides_nothing_is_passed_over() -> None:
    # What 3 says alone doesn't matter while the others without it don't entail.
    needed = unreadable_of(3, otherwise=needs({1, 2, 3}))
    assert cited([1, 2, 3], KNOWN, needed) == Cited(True, 3, 3)
    # Nor what the others say of a citation that entails alone.
    enough = unreadable_of(2, 3, otherwise=needs({1}, {2}, {3}))
    assert cited([1, 2, 3], KNOWN, enough) == Cited(True, 3, 3)
    # A statement that isn't entailed has no precise citation, whatever each says.
    assert cited([2, 3], KNOWN, unreadable_of(2, otherwise=needs({1}))) == Cited(False, 2, 0)
