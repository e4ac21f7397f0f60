"""The days that a question mentions: "5 August 2025", "Q3 2025", "mid-2025", "the last 3 weeks".

A mention keeps its year apart, since "in August" has none before one knows when it was asked. Words
that only look like dates ("AIME 2025", "o1-2024-12-17", "may I") are none. `rag.facts` also finds
dates, but single ones, as written in sentences; here a mention is a span, and a question's words
count ("this week", "H2 2025").
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rag.plain import blank, plain

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
# Four digits are a year only in the time of this library, and never inside "o1-2024-12-17".
_NOT_IN_NAME = r"(?<!\w-)"
_YEAR = rf"(?<![\w.$]){_NOT_IN_NAME}20(?:1[5-9]|2\d|3[0-5])(?!\w|\.\d|-\w|%)"
_DAY = r"(?<![\w.$-])\d{1,2}(?:st|nd|rd|th)?(?![\w%]|\.\d)"
# Between two ends of a range.
TO = r"\s*(?:[-/]|\bto\b|\band\b|\buntil\b|\btill\b|\bthrough\b|\bvs\.?|\bversus\b)\s*"
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
# The third of a year or a month that a word means.
_THIRDS = {"early": 0, "start": 0, "beginning": 0, "mid": 1, "middle": 1, "late": 2, "end": 2}


Span = tuple[date, date]
OfYear = Callable[[int], Span]  # raises ValueError where the year has no such day


@dataclass(frozen=True, slots=True)
class Days:
    """Days named at `start:end` of the text; which ones, `of` tells once the year is known."""

    start: int
    end: int
    of: OfYear
    year: int | None


def days_in(text: str, today: date = date(2030, 1, 1)) -> list[Days]:
    """Every mention of days in `text`, in order; where they stand does not depend on `today`.

    >>> [(days.start, days.end, days.year) for days in days_in("in May or on 5 August 2025")]
    [(3, 6, None), (13, 26, 2025)]
    """
    # A hyphen between two years is a range; elsewhere it makes a version ("o1-2024-12-17").
    masked = re.sub(r"(?<![\w-])(20\d\d)-(?=20\d\d(?![\w-]))", r"\1/", plain(text))
    found: list[Days] = []
    for pattern, read in _READERS:
        for match in pattern.finditer(masked):
            groups = match.groupdict()
            year = groups.get("y") or groups.get("y2")
            found.append(Days(*match.span(), read(match), int(year) if year else None))
            masked = blank(masked, [match.span()])
    found += _bare(masked, _BARE_MONTH, _BEFORE_MONTH, _bare_month, found)
    found += _bare(masked, _YEAR, _BEFORE_YEAR, _bare_year, found)
    found += _relative(masked, today)
    return sorted(found, key=lambda mention: mention.start)


def said_year(text: str, days: Days) -> str:
    """The year as `text` has it in `days`; "" where it has none, as in "last month"."""
    return str(days.year) if str(days.year) in text[days.start : days.end] else ""


def undated(text: str) -> str:
    """`text` with every date blanked out, so that no month or year passes for a name."""
    return blank(text, ((days.start, days.end) for days in days_in(text)))


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


def _months(year: int, first: int, count: int) -> Span:
    """First and last day of `count` months from month `first` of `year`, which may be over 12."""
    last = first + count - 1
    year_to, month_to = year + (last - 1) // 12, (last - 1) % 12 + 1
    start = date(year + (first - 1) // 12, (first - 1) % 12 + 1, 1)
    return start, date(year_to, month_to, monthrange(year_to, month_to)[1])


def _third(word: str, year: int, month: int | None) -> Span:
    third = _THIRDS[word.lower()]
    if month is None:
        return _months(year, 1 + 4 * third, 4)
    last = monthrange(year, month)[1]
    return date(year, month, 1 + 10 * third), date(year, month, (10, 20, last)[third])


def _day(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def _a_day(month: int, day: int) -> OfYear:
    return lambda year: (date(year, month, day), date(year, month, day))


def _some_months(first: int, count: int) -> OfYear:
    return lambda year: _months(year, first, count)


def _some_days(month: int, first: int, last: int) -> OfYear:
    low, high = sorted((first, last))
    return lambda year: (date(year, month, low), date(year, month, high))


def _read_season(m: re.Match[str]) -> OfYear:
    # The winter of 2025 is the one that begins in it.
    return _some_months(_SEASONS[m["season"].lower()], 3)


def _read_third(m: re.Match[str]) -> OfYear:
    month = _month(m["m"]) if m["m"] else None
    return lambda year: _third(m["third"], year, month)


_THIRD = r"\b(?P<third>early|mid|late|(?:start|beginning|middle|end)(?=\s+of))[\s-]+(?:of\s+)?"

# Each form of a date, and which days of a year it means. The order matters: what a form has read,
# no later form sees, so "5 August 2025" is never also "August 2025".
_FORMS: tuple[tuple[str, Callable[[re.Match[str]], OfYear]], ...] = (
    (
        r"(?<![\w.-])(?P<y>20[123]\d)([-/])(?P<m>\d\d?)\2(?P<d>\d\d?)(?![\w-])",
        lambda m: _a_day(int(m["m"]), int(m["d"])),
    ),
    (
        r"(?<![\w.-])(?P<y>20[123]\d)-(?P<m>0[1-9]|1[0-2])(?![\w-])",
        lambda m: _some_months(int(m["m"]), 1),
    ),
    (
        rf"(?P<d>{_DAY}){TO}(?P<e>{_DAY.replace('-]', ']', 1)})\s+(?P<m>{_MONTH})"
        rf"(?:,?\s+(?P<y>{_YEAR}))?",
        lambda m: _some_days(_month(m["m"]), _day(m["d"]), _day(m["e"])),
    ),
    (
        rf"\b(?P<m>{_MONTH})\s+(?P<d>\d\d?){TO}(?P<e>\d\d?)(?![\w-])(?:,?\s+(?P<y>{_YEAR}))?",
        lambda m: _some_days(_month(m["m"]), _day(m["d"]), _day(m["e"])),
    ),
    (
        rf"(?P<d>{_DAY})\s+(?:of\s+)?(?P<m>{_MONTH})(?:,?\s+(?:of\s+)?(?P<y>{_YEAR}))?",
        lambda m: _a_day(_month(m["m"]), _day(m["d"])),
    ),
    (
        rf"\b(?P<m>{_MONTH})\s+(?:the\s+)?(?P<d>{_DAY})(?:(?:,|\s+of)?\s+(?P<y>{_YEAR}))?",
        lambda m: _a_day(_month(m["m"]), _day(m["d"])),
    ),
    (rf"{_THIRD}(?:(?P<m>{_MONTH})(?:\s+(?:of\s+)?(?P<y>{_YEAR}))?)", _read_third),
    (rf"{_THIRD}(?P<m>)(?P<y>{_YEAR.replace(_NOT_IN_NAME, '')})", _read_third),
    (rf"\b(?P<m>{_MONTH}),?\s+(?:of\s+)?(?P<y>{_YEAR})", lambda m: _some_months(_month(m["m"]), 1)),
    (
        rf"\bq(?P<q>[1-4])[\s-]+(?:of\s+|in\s+)?(?P<y>{_YEAR})|(?P<y2>{_YEAR})\s+q(?P<q2>[1-4])\b",
        lambda m: _some_months(3 * int(m["q"] or m["q2"]) - 2, 3),
    ),
    (
        rf"\b(?P<n>first|second|third|fourth|last)\s+quarter\s+(?:of\s+|in\s+)?(?P<y>{_YEAR})",
        lambda m: _some_months(3 * _ORDINALS[m["n"].lower()] - 2, 3),
    ),
    (
        rf"\bh(?P<h>[12])[\s-]+(?:of\s+)?(?P<y>{_YEAR})|(?P<y2>{_YEAR})\s+h(?P<h2>[12])\b",
        lambda m: _some_months(6 * int(m["h"] or m["h2"]) - 5, 6),
    ),
    (
        rf"\b(?P<n>first|second|last)\s+half\s+(?:of\s+)?(?P<y>{_YEAR})",
        lambda m: _some_months(1 if m["n"].lower() == "first" else 7, 6),
    ),
    (rf"\b(?P<season>{'|'.join(_SEASONS)})\s+(?:of\s+)?(?P<y>{_YEAR})", _read_season),
)
_READERS = tuple((re.compile(pattern, re.I), read) for pattern, read in _FORMS)

# A bare month or year is a date only behind one of these: "AIME 2025", "the 2025 model" are not.
_IN_TIME = (
    r"\b(?:in|of|during|since|before|after|until|till|by|as\s+of|throughout|through|year|this|last)"
)
_BEFORE_MONTH = re.compile(rf"(?:{_IN_TIME}|\b(?:from|between))\s+(?:the\s+)?$", re.I)
_BEFORE_YEAR = re.compile(
    rf"(?:{_IN_TIME}|\b(?:from|between|than|vs\.?|versus))\s+(?:(?:all|most)\s+of\s+)?$", re.I
)
# "may", "march" and "mar" are words as well.
_BARE_MONTH = rf"\b(?-i:(?!(?:may|march|mar)(?![\w.]))){_MONTH}"


def _bare_month(name: str) -> tuple[OfYear, int | None]:
    return _some_months(_month(name), 1), None


def _bare_year(year: str) -> tuple[OfYear, int]:
    return _some_months(1, 12), int(year)


def _bare(
    text: str,
    pattern: str,
    cue: re.Pattern[str],
    read: Callable[[str], tuple[OfYear, int | None]],
    found: Sequence[Days],
) -> Iterator[Days]:
    """Months or years that stand alone: behind a cue, or at the other end of a range."""
    ends = {mention.end for mention in found}
    starts = {mention.start for mention in found}
    for match in re.finditer(pattern, text, re.I):
        ahead = re.match(TO, text[match.end() :], re.I)
        before = re.search(rf"{TO}$", text[: match.start()], re.I)
        in_range = (ahead and match.end() + ahead.end() in starts) or (
            before and before.start() in ends
        )
        if in_range or cue.search(text[: match.start()]):
            ends.add(match.end())
            yield Days(*match.span(), *read(match[0]))


_UNIT = r"(?P<unit>day|week|month|quarter|year)"
_COUNT = rf"(?P<n>\d{{1,3}}|few|couple\s+of|{'|'.join(_NUMBERS[1:])})"
_LAST_UNIT = re.compile(rf"\b(?P<which>this|last|past|previous)\s+{_UNIT}\b(?!\s+of)", re.I)
_LAST_UNITS = re.compile(rf"\b(?:past|last|previous)\s+{_COUNT}\s+{_UNIT}s?\b", re.I)
_TODAY = re.compile(r"\b(?P<day>yesterday|today)\b|(?<=\bto\s)now\b|(?<=\band\s)now\b", re.I)
# "How good are open models today?" asks for the state of things, not for one day's news.
_OF_TODAY = re.compile(
    r"\b(?:did|was|were|news|today's)\b|ed\s+today\b|\b(?:and|to|until|till)\s+(?:today|now)\b",
    re.I,
)


def _relative(text: str, today: date) -> Iterator[Days]:
    for match in _LAST_UNIT.finditer(text):
        yield _settled(match, _unit(match["which"].lower(), match["unit"].lower(), today))
    for match in _LAST_UNITS.finditer(text):
        yield _settled(match, (_back(today, match["n"].lower(), match["unit"].lower()), today))
    for match in _TODAY.finditer(text):
        day = today - timedelta(days=match[0].lower() == "yesterday")
        if day != today or (_OF_TODAY.search(text) and not re.search("as of today", text, re.I)):
            yield _settled(match, (day, day))


def _settled(match: re.Match[str], span: Span) -> Days:
    return Days(*match.span(), lambda _: span, span[0].year)


def _unit(which: str, unit: str, today: date) -> Span:
    """This, the last (calendar) or the past (up to now) week, month, quarter or year."""
    if which == "past" or unit == "day":
        return _back(today, "1", unit), today
    back = 0 if which == "this" else 1
    if unit == "week":
        monday = today - timedelta(days=today.weekday() + 7 * back)
        return monday, monday + timedelta(days=6)
    count = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = today.month - (today.month - 1) % count - count * back
    return _months(today.year, first, count)


def _back(today: date, count: str, unit: str) -> date:
    words = {"few": 3, "couple of": 2} | {word: n for n, word in enumerate(_NUMBERS)}
    count = " ".join(count.split())
    number = int(count) if count.isdigit() else words[count]
    days = {"day": 1, "week": 7, "month": 30.44, "quarter": 91.31, "year": 365.25}[unit]
    return today - timedelta(days=round(number * days))
