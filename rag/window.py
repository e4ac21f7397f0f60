"""The window of a question: the days it is about, and whether it asks how things stand now."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rag.answer import Window
from rag.days import TO, Days, Span, days_in
from rag.plain import plain

_Bound = tuple[date | None, date | None]


@dataclass(frozen=True, slots=True)
class _Dated:
    """Days named at `start:end`, their year found."""

    start: int
    end: int
    first: date
    last: date


def window_of(text: str, today: date) -> Window:
    """The days that `text` is about, as seen from `today`. Several mentions give their hull.

    A month or day without a year is the latest one not after `today`, or takes the year of the
    next date: "from May to July 2025". Days of the future are no window: no article is from there.

    >>> window_of("Which models came out between March and June 2025?", date(2026, 1, 1)).to_dict()
    {'since': '2025-03-01', 'until': '2025-06-30'}
    """
    text = plain(text)
    if _ASKS_WHEN.search(text):
        return Window()
    mentions = _with_years(days_in(text, today), today)
    bounds = list(_bounds(text, mentions, today))
    lower = [since for since, until in bounds if since and not until]
    upper = [until for since, until in bounds if until and not since]
    if lower and upper and len(lower) + len(upper) == len(bounds) and max(lower) <= min(upper):
        return Window(max(lower), min(upper))
    return _hull(bounds)


_ASKS_WHEN = re.compile(
    r"^\W*(?:(?:and|but|so|also|since|until|by)\s+)*when\s+"
    r"(?:exactly\s+)?(?:did|was|were|is|are|will|has|have|had|does|do|can|could|would|should)\b"
    r"|\b(?:what|which)\s+(?:exact\s+)?(?:date|day|month|year|quarter)\b",
    re.I,
)


def _hull(bounds: Sequence[_Bound]) -> Window:
    """From the first day of all to the last; open where one of `bounds` is."""
    starts = [since for since, _ in bounds if since]
    ends = [until for _, until in bounds if until]
    return Window(
        min(starts) if starts and len(starts) == len(bounds) else None,
        max(ends) if ends and len(ends) == len(bounds) else None,
    )


_RELATION = re.compile(
    r"\b(?:(?P<since>since|starting(?:\s+(?:in|from|on))?)|(?P<after>after|later\s+than|following)"
    r"|(?P<before>before|prior\s+to|earlier\s+than|ahead\s+of)"
    r"|(?P<until>until|till|up\s+to|through|by|as\s+of|no\s+later\s+than))\s+(?:the\s+)?$",
    re.I,
)


def _bounds(text: str, mentions: Sequence[_Dated], today: date) -> Iterator[_Bound]:
    ranged_to = -1
    for mention in mentions:
        found = _RELATION.search(text[: mention.start])
        ranged = ranged_to >= 0 and re.fullmatch(TO, text[ranged_to : mention.start])
        kind = found.lastgroup if found and not ranged else None
        ranged_to = -1 if kind else mention.end
        if re.match(r"\s+on(?:wards?)?\b(?!\s)|\s+onwards?\b", text[mention.end :]):
            kind = "since"
        if kind == "before" and re.match(r"end\b", text[mention.start :], re.I):
            kind = "until"
        bound = _bound(kind, mention.first, mention.last)
        if not bound[0] or bound[0] <= today:
            yield bound


def _bound(kind: str | None, first: date, last: date) -> _Bound:
    if kind == "since":
        return first, None
    if kind == "after":
        return last + timedelta(days=1), None
    if kind == "before":
        return None, first - timedelta(days=1)
    if kind == "until":
        return None, last
    return first, last


def _with_years(mentions: Sequence[Days], today: date) -> list[_Dated]:
    dated: list[_Dated] = []
    for mention in reversed(mentions):
        limit = dated[-1].last if dated else today
        span = _latest(mention, limit)
        if span:
            dated.append(_Dated(mention.start, mention.end, *span))
    return dated[::-1]


def _latest(mention: Days, limit: date) -> Span | None:
    """First and last day of `mention`: of its year, else the latest that begin by `limit`."""
    if mention.year is not None:
        return _span(mention, mention.year)
    # 29 February may lie eight years back.
    spans = (_span(mention, year) for year in range(limit.year, limit.year - 9, -1))
    return next((span for span in spans if span and span[0] <= limit), None)


def _span(mention: Days, year: int) -> Span | None:
    try:
        return mention.of(year)
    except ValueError:  # 31 February
        return None


_NOW = re.compile(
    r"\b(?:latest|newest|most\s+recent(?:ly)?|recent(?:ly)?|current(?:ly)?|now(?:adays)?|still"
    r"|at\s+present|at\s+the\s+moment|these\s+days|so\s+far|to\s+date|up\s+to\s+date|today"
    r"|any\s*(?:more|\s+longer)|yet)\b|^(?:has|have)\b",
    re.I,
)


def is_recent(text: str, window: Window, today: date) -> bool:
    """Whether `text` asks how things stand now. "The latest model in 2024" asks about 2024."""
    if window.until is not None and window.until < today:
        return False
    return bool(_NOW.search(text))
