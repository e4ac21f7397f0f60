"""Where a question mentions days, and which."""

from __future__ import annotations

from datetime import date

import pytest

from rag.days import days_in, said_year, undated


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("What came in May, or on 5 August 2025?", ["May", "5 August 2025"]),
        ("between 5\u201312 August and Q3 2025", ["5\u201312 August", "Q3 2025"]),
        ("from 2024 to 2025", ["2024", "2025"]),
        ("last week or the past two years", ["last week", "past two years"]),
        ("in may, march or mar", []),
        ("AIME 2025, gpt-4o-2024-08-06 and $2025", []),
    ],
)
def test_mentions_stand_where_the_text_has_them(text: str, mentioned: list[str]) -> None:
    assert [text[days.start : days.end] for days in days_in(text)] == mentioned


def test_which_days_follow_from_the_year() -> None:
    (february,) = days_in("in February")
    assert february.year is None
    assert february.of(2024) == (date(2024, 2, 1), date(2024, 2, 29))
    (no_day,) = days_in("on 31 February")
    with pytest.raises(ValueError, match="day is out of range"):
        no_day.of(2024)


def test_only_a_written_year_is_said() -> None:
    for text, year in (("in May 2025", "2025"), ("in May", ""), ("last month", "")):
        (days,) = days_in(text)
        assert said_year(text, days) == year


def test_dates_are_blanked_in_place() -> None:
    text = undated("Was o3 out in May 2025?")
    assert text == "Was o3 out in " + "\0" * len("May 2025") + "?"
