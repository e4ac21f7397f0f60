"""The days that a question is about."""

from __future__ import annotations

from datetime import date

import pytest

from rag.answer import Window
from rag.window import window_of

TODAY = date(2026, 8, 20)  # a Thursday


def days(since: str | None, until: str | None) -> Window:
    return Window(
        date.fromisoformat(since) if since else None, date.fromisoformat(until) if until else None
    )


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("What happened in July 2025?", "2025-07-01", "2025-07-31"),
        ("in 2024", "2024-01-01", "2024-12-31"),
        ("on 5 August 2025", "2025-08-05", "2025-08-05"),
        ("on the 5th of August, 2025", "2025-08-05", "2025-08-05"),
        ("August 5, 2025", "2025-08-05", "2025-08-05"),
        ("Aug. 5 2025", "2025-08-05", "2025-08-05"),
        ("2025-08-05", "2025-08-05", "2025-08-05"),
        ("2025/08/05", "2025-08-05", "2025-08-05"),
        ("2025-08", "2025-08-01", "2025-08-31"),
        ("in February 2024", "2024-02-01", "2024-02-29"),
        ("in Q3 2025", "2025-07-01", "2025-09-30"),
        ("in the third quarter of 2025", "2025-07-01", "2025-09-30"),
        ("the first half of 2025", "2025-01-01", "2025-06-30"),
        ("H2 2025", "2025-07-01", "2025-12-31"),
        ("early 2025", "2025-01-01", "2025-04-30"),
        ("mid-2025", "2025-05-01", "2025-08-31"),
        ("late 2025", "2025-09-01", "2025-12-31"),
        ("in late July 2025", "2025-07-21", "2025-07-31"),
        ("in the summer of 2025", "2025-06-01", "2025-08-31"),
        ("winter 2024", "2024-12-01", "2025-02-28"),
    ],
)
def test_named_days(question: str, since: str, until: str) -> None:
    assert window_of(question, TODAY) == days(since, until)


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("between March and June 2025", "2025-03-01", "2025-06-30"),
        ("from May to July 2025", "2025-05-01", "2025-07-31"),
        ("between November and February 2026", "2025-11-01", "2026-02-28"),
        ("from August 5 to August 12, 2025", "2025-08-05", "2025-08-12"),
        ("August 5\u201312, 2025", "2025-08-05", "2025-08-12"),
        ("between 5 and 12 August 2025", "2025-08-05", "2025-08-12"),
        ("between 12 and 5 August 2025", "2025-08-05", "2025-08-12"),
        ("from 2024 to 2025", "2024-01-01", "2025-12-31"),
        ("in 2024-2025", "2024-01-01", "2025-12-31"),
        ("between 2025 and 2023", "2023-01-01", "2025-12-31"),
        ("from June 2025 to March 2025", "2025-03-01", "2025-06-30"),
        ("since March 2025", "2025-03-01", None),
        ("from March 2025 onwards", "2025-03-01", None),
        ("after 5 August 2025", "2025-08-06", None),
        ("before June 2025", None, "2025-05-31"),
        ("by the end of 2024", None, "2024-12-31"),
        ("until the end of 2024", None, "2024-12-31"),
        ("before the end of 2024", None, "2024-12-31"),
        ("as of March 2025", None, "2025-03-31"),
        ("since March but before June 2025", "2025-03-01", "2025-05-31"),
        ("between March 2025 and now", "2025-03-01", "2026-08-20"),
    ],
)
def test_ranges_and_open_ends(question: str, since: str | None, until: str | None) -> None:
    assert window_of(question, TODAY) == days(since, until)


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("last week", "2026-08-10", "2026-08-16"),
        ("last month", "2026-07-01", "2026-07-31"),
        ("last quarter", "2026-04-01", "2026-06-30"),
        ("last year", "2025-01-01", "2025-12-31"),
        ("this month", "2026-08-01", "2026-08-31"),
        ("in the past 3 weeks", "2026-07-30", "2026-08-20"),
        ("over the last two days", "2026-08-18", "2026-08-20"),
        ("yesterday", "2026-08-19", "2026-08-19"),
        ("What did OpenAI announce today?", "2026-08-20", "2026-08-20"),
        ("in August", "2026-08-01", "2026-08-31"),
        ("in September", "2025-09-01", "2025-09-30"),
        ("on 21 August", "2025-08-21", "2025-08-21"),
        ("on 29 February", "2024-02-29", "2024-02-29"),
    ],
)
def test_days_that_depend_on_the_day_of_asking(question: str, since: str, until: str) -> None:
    assert window_of(question, TODAY) == days(since, until)


@pytest.mark.parametrize("month", [1, 3, 12])
def test_the_last_month_and_quarter_cross_the_year(month: int) -> None:
    today = date(2026, month, 31)
    month_window, quarter = window_of("last month", today), window_of("last quarter", today)
    assert month_window.until == date(2026, month, 1) - date.resolution
    assert quarter.until and quarter.until < today and quarter.until.month % 3 == 0


@pytest.mark.parametrize(
    "question",
    [
        "What does GPT-4.5 cost?",
        "Is Llama 3.1 8B better than o3?",
        "How did o3 do on AIME 2025?",
        "Who won gold at IMO 2025?",
        "NeurIPS 2024 papers",
        "What was shown at CES 2026?",
        "Why was SB 1047 vetoed?",
        "Is gpt-4o-2024-08-06 or o1-2024-12-17 cheaper?",
        "the 2025 model",
        "the $2025 plan",
        "in 1998",
        "in 2040",
        "What is planned for July 2030, in July 2030?",
        "on 31 February 2025",
        "on 2025-13-45",
        "on 32 August 2025",
        "May I ask who may march?",
        "How good are open models today?",
        "as of today",
        "When did OpenAI release GPT-5 in 2025?",
        "In what year, 2024 or 2025, was it released?",
    ],
)
def test_no_days(question: str) -> None:
    assert window_of(question, TODAY) == Window()
