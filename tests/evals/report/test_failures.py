"""Every sort of failure is told from the others and from success."""

from __future__ import annotations

import pytest

from evals.report.failures import SORTS, failures, nuggets_hit, scored
from tests.evals.report.samples import FAILED, RIGHT, SILENT, answer, item, question


@pytest.mark.parametrize("sort", SORTS)
def test_each_sort_is_found_where_it_happened_and_alone(sort: str) -> None:
    assert failures(FAILED[sort]) == [sort]


@pytest.mark.parametrize("good", [RIGHT, SILENT])
def test_what_went_well_is_no_failure(good: dict[str, object]) -> None:
    assert failures(good) == []


def test_several_failures_come_gravest_first() -> None:
    bad = item(question("bad", "single"), answer("It is red."), found=(), unsupported="no")
    assert failures(bad) == ["unsupported statement", "vital nugget missing", "evidence not found"]


def test_a_verdict_that_could_not_be_read_is_not_called_unsupported() -> None:
    judged = [{**RIGHT["judged"][0], "supported": None}]
    assert failures({**RIGHT, "judged": judged}) == []


def test_nuggets_are_looked_for_in_what_was_said() -> None:
    assert nuggets_hit(FAILED["vital nugget missing"]) == [True, False]
    assert nuggets_hit(FAILED["error"]) == [False, False]


def test_a_field_of_a_later_version_is_left_out() -> None:
    assert scored({**RIGHT, "scores": {**RIGHT["scores"], "new": 1}}) == scored(RIGHT)
