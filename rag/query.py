"""From what a user asks to what the retriever gets.

`understand` reads a question with rules, no model: it makes a follow-up standalone, finds the days
it is about, the publishers it names as tellers, and the parts of a comparison. Every rule prefers
silence to a guess: a window that was not understood costs little, a wrong one hides the answer.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from corpus.article import distinct
from corpus.errors import UsageError
from rag.answer import Window

# Longer texts are pasted articles; the embedder reads about 1,000 characters (256 tokens) of them.
MAX_QUESTION_CHARS = 2_000

# A follow-up of a follow-up of a follow-up would else drown the new question in old words.
MAX_PASTED_WORDS = 24

# The second half of a longer list finds little that the whole question does not.
MAX_PARTS = 4


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange."""

    question: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A question, understood.

    `text` is standalone. `window` holds the days the question is about, `publishers` those it
    names as tellers, in the library's spelling. `parts` has one standalone sub-query for each part
    of a question with several, and is empty otherwise. `recent`: it asks how things stand now.
    """

    text: str
    window: Window
    publishers: tuple[str, ...]
    parts: tuple[str, ...]
    recent: bool


def understand(
    question: str,
    history: Sequence[Turn] = (),
    *,
    today: date,
    publishers: Collection[str] = (),
) -> Query:
    """Read `question` as asked on `today`, after `history`, of a library of `publishers`.

    Raises UsageError where the question is empty or longer than MAX_QUESTION_CHARS.

    >>> query = understand("What did The Verge report in July 2025?",
    ...                    today=date(2026, 1, 1), publishers=["The Verge"])
    >>> query.publishers, query.window.to_dict()
    (('The Verge',), {'since': '2025-07-01', 'until': '2025-07-31'})
    """
    asked = clean(question)
    text = standalone(asked, history)
    window = window_of(asked, today)
    if window == Window() and text != asked and not _MOVES_ON.search(asked):
        window = window_of(text, today)
    named = publishers_of(text, publishers)
    return Query(text, window, named, parts_of(text), is_recent(asked, window, today, publishers))


def clean(question: str) -> str:
    """`question` without control characters, its whitespace folded.

    Raises UsageError where nothing is left, or more than MAX_QUESTION_CHARS.
    """
    text = _folded(question)
    if not text:
        raise UsageError("The question is empty.", "Ask something about the articles.")
    if len(text) > MAX_QUESTION_CHARS:
        raise UsageError(
            f"The question has {len(text):,} characters; the limit is {MAX_QUESTION_CHARS:,}.",
            "Shorten it, or add long texts to the library with `groundwire ingest`.",
        )
    return text


def _folded(text: str) -> str:
    # Lone surrogates can't be encoded, so neither index could take them.
    kinds = ((char, unicodedata.category(char)) for char in text)
    return " ".join("".join(" " if kind in ("Cc", "Cs") else char for char, kind in kinds).split())


# Typographic quotes and dashes as plain ones, character by character: spans stay valid.
_PLAIN = str.maketrans(
    "\u2018\u2019\u201c\u201d\u2010\u2011\u2012\u2013\u2014", "''\"\"-----"
)


def _plain(text: str) -> str:
    return text.translate(_PLAIN)


# ---------------------------------------------------------------- names and words

# Publishers that also make the news they publish: naming them mostly makes them the subject. A
# longer name belongs to them when it begins with one of these ("Google DeepMind").
_NEWSMAKERS = frozenset(
    "adobe alibaba amazon amd anthropic apple baidu bytedance cerebras cognition cohere cursor "
    "databricks deepmind deepseek google groq huawei ibm intel meta microsoft midjourney minimax "
    "mistral moonshot nvidia openai oracle perplexity qwen runway salesforce samsung spotify "
    "stability tencent tesla xai xiaomi z.ai zhipu".split()
)
_FUNCTION_WORDS = frozenset(
    "a about according after all also although am an and any are as at be because been before "
    "being between both but by can compare compared considering contrast could describe did do "
    "does during each either else explain find for from give had has have he her hers him his how "
    "however i if in into is it its itself list may me might more most much must my name no nor "
    "not of on or our per please regarding shall she should show since so such summarise summarize "
    "tell than that the their theirs them then there these they this those to under until us was "
    "we were what when where whether which while who whom whose why will with would yes yet you "
    "your".split()
)
# Capitals that name nothing in particular in this library.
_GENERIC = frozenset(
    "agi ai api apis ceo cfo cto gpu gpus i ipo llm llms ml ok january february march april may "
    "june july august september october november december".split()
)
# A model's size or tier, written in lower case behind its name: "GPT-5 mini".
_TIERS = frozenset("flash large lite max medium mini nano plus preview pro small turbo ultra".split())
_WORD = re.compile(r"\w(?:[\w+/'-]|\.(?=\w))*")


@dataclass(frozen=True, slots=True)
class _Name:
    start: int
    end: int
    text: str

    @property
    def is_version(self) -> bool:
        return any(char.isdigit() for char in self.text)


def names_of(text: str) -> list[str]:
    """The names in `text`: capitals, model versions, well-known companies in any case.

    >>> names_of("Is Claude Opus 4.5 cheaper than openai's gpt-5?")
    ['Claude Opus 4.5', "openai's gpt-5"]
    """
    return [name.text for name in _names(text)]


def _names(text: str) -> list[_Name]:
    words = list(_WORD.finditer(_without_dates(_plain(text))))
    names: list[_Name] = []
    for at, word in enumerate(words):
        glued = bool(names) and text[names[-1].end : word.start()] == " "
        if glued and _continues(word[0]):
            names[-1] = _Name(names[-1].start, word.end(), text[names[-1].start : word.end()])
        elif _is_name(word[0], _opens(text, word.start())) or _opens_name(text, words, at):
            start = names.pop().start if glued else word.start()
            names.append(_Name(start, word.end(), text[start : word.end()]))
    return names


def _continues(word: str) -> bool:
    return word[0].isdigit() or word in _TIERS


def _opens(text: str, start: int) -> bool:
    return not re.search(r"[^\s.?!:]['\"]?\s*$", text[:start])


def _opens_name(text: str, words: list[re.Match[str]], at: int) -> bool:
    """Whether the first word of a sentence is a name because one follows it: "Kimi K2 ..."."""
    word, following = words[at], words[at + 1 : at + 2]
    if not word[0][0].isupper() or word[0].casefold() in _FUNCTION_WORDS | _GENERIC:
        return False
    return any(
        text[word.end() : after.start()] == " " and (_is_name(after[0], False) or after[0][0].isdigit())
        for after in following
    )


def _is_name(word: str, opens: bool) -> bool:
    bare = word.removesuffix("'s").rstrip("'")
    low = bare.casefold()
    if low in _NEWSMAKERS or low.startswith("gpt"):
        return True
    if not bare or low in _FUNCTION_WORDS or low in _GENERIC or not bare[0].isalpha():
        return False
    if any(char.isdigit() for char in bare) or any(char.isupper() for char in bare[1:]):
        return True
    return bare[0].isupper() and (not opens or word != bare)


# ---------------------------------------------------------------- days

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_M = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
# Four digits are a year only in the time of this library, and never inside "o1-2024-12-17".
_Y = r"(?<![\w.$])(?<!\w-)20(?:1[5-9]|2\d|3[0-5])(?!\w|\.\d|-\w|%)"
_D = r"(?<![\w.$-])\d{1,2}(?:st|nd|rd|th)?(?![\w%]|\.\d)"
_TO = r"\s*(?:[-/]|\bto\b|\band\b|\buntil\b|\btill\b|\bthrough\b|\bvs\.?|\bversus\b)\s*"
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}
_NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
# The third of a year or a month that a word means.
_THIRDS = {"early": 0, "start": 0, "beginning": 0, "mid": 1, "middle": 1, "late": 2, "end": 2}


_Span = tuple[date, date]
_OfYear = Callable[[int], _Span]  # raises ValueError where the year has no such day


@dataclass(frozen=True, slots=True)
class _Days:
    """First and last day, named at `start:end` of the question, once the year is known."""

    start: int
    end: int
    of: _OfYear
    year: int | None

    def dated(self, year: int) -> _Days:
        return replace(self, year=year)

    @property
    def span(self) -> _Span:
        assert self.year is not None
        return self.of(self.year)


def window_of(text: str, today: date) -> Window:
    """The days that `text` is about, as seen from `today`. Several mentions give their hull.

    A month or day without a year is the latest one not after `today`, or takes the year of the
    next date: "from May to July 2025". Days of the future are no window: no article is from there.

    >>> window_of("Which models came out between March and June 2025?", date(2026, 1, 1)).to_dict()
    {'since': '2025-03-01', 'until': '2025-06-30'}
    """
    plain = _plain(text)
    if _ASKS_WHEN.search(plain):
        return Window()
    mentions = _with_years(_mentions(plain, today), today)
    bounds = list(_bounds(plain, mentions, today))
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


def _hull(bounds: Sequence[tuple[date | None, date | None]]) -> Window:
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


def _bounds(
    text: str, mentions: Sequence[_Days], today: date
) -> Iterator[tuple[date | None, date | None]]:
    ranged_to = -1
    for mention in mentions:
        first, last = mention.span
        found = _RELATION.search(text[: mention.start])
        if ranged_to >= 0 and re.fullmatch(_TO, text[ranged_to : mention.start]):
            found = None
        kind = found.lastgroup if found else None
        ranged_to = -1 if kind else mention.end
        if re.match(r"\s+on(?:wards?)?\b(?!\s)|\s+onwards?\b", text[mention.end :]):
            kind = "since"
        if kind == "before" and re.match(r"end\b", text[mention.start :], re.I):
            kind = "until"
        bound = _bound(kind, first, last)
        if not bound[0] or bound[0] <= today:
            yield bound


def _bound(kind: str | None, first: date, last: date) -> tuple[date | None, date | None]:
    if kind == "since":
        return first, None
    if kind == "after":
        return last + timedelta(days=1), None
    if kind == "before":
        return None, first - timedelta(days=1)
    if kind == "until":
        return None, last
    return first, last


def _with_years(mentions: Sequence[_Days], today: date) -> list[_Days]:
    dated: list[_Days] = []
    for mention in reversed(mentions):
        if mention.year is None:
            later = dated[-1] if dated else None
            limit = later.span[1] if later else today
            years = range(limit.year, limit.year - 9, -1)
            mention = next((m for m in map(mention.dated, years) if _fits(m, limit)), mention)
        if mention.year is not None and _fits(mention, date.max):
            dated.append(mention)
    return dated[::-1]


def _fits(mention: _Days, limit: date) -> bool:
    """Whether its days exist (31 February does not) and begin no later than `limit`."""
    try:
        return mention.span[0] <= limit
    except ValueError:
        return False


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


def _months(year: int, first: int, count: int) -> _Span:
    """First and last day of `count` months from month `first` of `year`, which may be over 12."""
    last = first + count - 1
    year_to, month_to = year + (last - 1) // 12, (last - 1) % 12 + 1
    start = date(year + (first - 1) // 12, (first - 1) % 12 + 1, 1)
    return start, date(year_to, month_to, monthrange(year_to, month_to)[1])


def _third(word: str, year: int, month: int | None) -> _Span:
    third = _THIRDS[word.lower()]
    if month is None:
        return _months(year, 1 + 4 * third, 4)
    last = monthrange(year, month)[1]
    return date(year, month, 1 + 10 * third), date(year, month, (10, 20, last)[third])


def _day(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def _a_day(month: int, day: int) -> _OfYear:
    return lambda year: (date(year, month, day), date(year, month, day))


def _some_months(first: int, count: int) -> _OfYear:
    return lambda year: _months(year, first, count)


def _some_days(month: int, first: int, last: int) -> _OfYear:
    return lambda year: (date(year, month, first), date(year, month, last))


def _read_season(m: re.Match[str]) -> _OfYear:
    # The winter of 2025 is the one that begins in it.
    return _some_months(_SEASONS[m["season"].lower()], 3)


def _read_third(m: re.Match[str]) -> _OfYear:
    month = _month(m["m"]) if m["m"] else None
    return lambda year: _third(m["third"], year, month)


_THIRD = r"\b(?P<third>early|mid|late|(?:start|beginning|middle|end)(?=\s+of))[\s-]+(?:of\s+)?"

# Each form of a date and what it says of a year. The order matters: what a form has read, no later
# form sees, so "5 August 2025" is never also "August 2025".
_FORMS: tuple[tuple[str, Callable[[re.Match[str]], _OfYear]], ...] = (
    (
        r"(?<![\w.-])(?P<y>20[123]\d)([-/])(?P<m>\d\d?)\2(?P<d>\d\d?)(?![\w-])",
        lambda m: _a_day(int(m["m"]), int(m["d"])),
    ),
    (
        r"(?<![\w.-])(?P<y>20[123]\d)-(?P<m>0[1-9]|1[0-2])(?![\w-])",
        lambda m: _some_months(int(m["m"]), 1),
    ),
    (
        rf"(?P<d>{_D}){_TO}(?P<e>{_D.replace('-]', ']', 1)})\s+(?P<m>{_M})(?:,?\s+(?P<y>{_Y}))?",
        lambda m: _some_days(_month(m["m"]), _day(m["d"]), _day(m["e"])),
    ),
    (
        rf"\b(?P<m>{_M})\s+(?P<d>\d\d?){_TO}(?P<e>\d\d?)(?![\w-])(?:,?\s+(?P<y>{_Y}))?",
        lambda m: _some_days(_month(m["m"]), _day(m["d"]), _day(m["e"])),
    ),
    (
        rf"(?P<d>{_D})\s+(?:of\s+)?(?P<m>{_M})(?:,?\s+(?:of\s+)?(?P<y>{_Y}))?",
        lambda m: _a_day(_month(m["m"]), _day(m["d"])),
    ),
    (
        rf"\b(?P<m>{_M})\s+(?:the\s+)?(?P<d>{_D})(?:(?:,|\s+of)?\s+(?P<y>{_Y}))?",
        lambda m: _a_day(_month(m["m"]), _day(m["d"])),
    ),
    (rf"{_THIRD}(?:(?P<m>{_M})(?:\s+(?:of\s+)?(?P<y>{_Y}))?)", _read_third),
    (rf"{_THIRD}(?P<m>)(?P<y>{_Y})", _read_third),
    (rf"\b(?P<m>{_M}),?\s+(?:of\s+)?(?P<y>{_Y})", lambda m: _some_months(_month(m["m"]), 1)),
    (
        rf"\bq(?P<q>[1-4])[\s-]+(?:of\s+|in\s+)?(?P<y>{_Y})|(?P<y2>{_Y})\s+q(?P<q2>[1-4])\b",
        lambda m: _some_months(3 * int(m["q"] or m["q2"]) - 2, 3),
    ),
    (
        rf"\b(?P<n>first|second|third|fourth|last)\s+quarter\s+(?:of\s+|in\s+)?(?P<y>{_Y})",
        lambda m: _some_months(3 * _ORDINALS[m["n"].lower()] - 2, 3),
    ),
    (
        rf"\bh(?P<h>[12])[\s-]+(?:of\s+)?(?P<y>{_Y})|(?P<y2>{_Y})\s+h(?P<h2>[12])\b",
        lambda m: _some_months(6 * int(m["h"] or m["h2"]) - 5, 6),
    ),
    (
        rf"\b(?P<n>first|second|last)\s+half\s+(?:of\s+)?(?P<y>{_Y})",
        lambda m: _some_months(1 if m["n"].lower() == "first" else 7, 6),
    ),
    (rf"\b(?P<season>{'|'.join(_SEASONS)})\s+(?:of\s+)?(?P<y>{_Y})", _read_season),
)
_READERS = tuple((re.compile(pattern, re.I), read) for pattern, read in _FORMS)

# A bare month or year is a date only behind one of these: "AIME 2025", "the 2025 model" are not.
_IN_TIME = r"\b(?:in|of|during|since|before|after|until|till|by|as\s+of|throughout|through|year|this|last)"
_BEFORE_MONTH = re.compile(rf"(?:{_IN_TIME}|\b(?:from|between))\s+(?:the\s+)?$", re.I)
_BEFORE_YEAR = re.compile(
    rf"(?:{_IN_TIME}|\b(?:from|between|than|vs\.?|versus))\s+(?:(?:all|most)\s+of\s+)?$|^\W*$", re.I
)
_TOO_COMMON = ("may", "march", "mar")


def _mentions(text: str, today: date) -> list[_Days]:
    """Every mention of days in `text`, in order of place. `text` is plain."""
    # A hyphen between two years is a range; elsewhere it makes a version ("o1-2024-12-17").
    masked = re.sub(r"(?<![\w-])(20\d\d)-(?=20\d\d(?![\w-]))", r"\1/", text)
    found: list[_Days] = []
    for pattern, read in _READERS:
        for match in pattern.finditer(masked):
            groups = match.groupdict()
            year = groups.get("y") or groups.get("y2")
            found.append(_Days(*match.span(), read(match), int(year) if year else None))
            masked = masked[: match.start()] + "\0" * len(match[0]) + masked[match.end() :]
    found += _bare(masked, rf"\b{_M}", _BEFORE_MONTH, _bare_month, found)
    found += _bare(masked, _Y, _BEFORE_YEAR, _bare_year, found)
    found += _relative(masked, today)
    return sorted(found, key=lambda mention: mention.start)


def _bare_month(name: str) -> tuple[_OfYear, int | None] | None:
    # "may", "march" and "mar" are words as well.
    if name in _TOO_COMMON:
        return None
    return _some_months(_month(name), 1), None


def _bare_year(year: str) -> tuple[_OfYear, int | None]:
    return _some_months(1, 12), int(year)


def _bare(
    text: str,
    pattern: str,
    cue: re.Pattern[str],
    read: Callable[[str], tuple[_OfYear, int | None] | None],
    found: Sequence[_Days],
) -> Iterator[_Days]:
    """Months or years that stand alone: behind a cue, or at the other end of a range."""
    ends = {mention.end for mention in found}
    starts = {mention.start for mention in found}
    for match in re.finditer(pattern, text, re.I):
        ahead = re.match(_TO, text[match.end() :], re.I)
        before = re.search(rf"{_TO}$", text[: match.start()], re.I)
        in_range = (ahead and match.end() + ahead.end() in starts) or (
            before and before.start() in ends
        )
        meaning = read(match[0])
        if meaning and (in_range or cue.search(text[: match.start()])):
            ends.add(match.end())
            yield _Days(*match.span(), *meaning)


_UNIT = r"(?P<unit>day|week|month|quarter|year)"
_COUNT = rf"(?P<n>\d{{1,3}}|few|couple\s+of|{'|'.join(_NUMBERS[1:])})"
_LAST_UNIT = re.compile(rf"\b(?P<which>this|last|past|previous)\s+{_UNIT}\b(?!\s+of)", re.I)
_LAST_UNITS = re.compile(rf"\b(?:past|last|previous)\s+{_COUNT}\s+{_UNIT}s?\b", re.I)
_TODAY = re.compile(r"\b(?P<day>yesterday|today)\b", re.I)
_OF_TODAY = re.compile(r"\b(?:did|was|were|news|today's)\b|ed\s+today\b", re.I)


def _relative(text: str, today: date) -> Iterator[_Days]:
    for match in _LAST_UNIT.finditer(text):
        yield _fixed(match, _unit(match["which"].lower(), match["unit"].lower(), today))
    for match in _LAST_UNITS.finditer(text):
        yield _fixed(match, (_back(today, match["n"].lower(), match["unit"].lower()), today))
    for match in _TODAY.finditer(text):
        day = today - timedelta(days=match["day"].lower() == "yesterday")
        # "How good are open models today?" asks for the state of things, not for one day's news.
        if day != today or (_OF_TODAY.search(text) and not re.search("as of today", text, re.I)):
            yield _fixed(match, (day, day))


def _fixed(match: re.Match[str], span: _Span) -> _Days:
    return _Days(*match.span(), lambda _: span, span[0].year)


def _unit(which: str, unit: str, today: date) -> _Span:
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


def _without_dates(text: str) -> str:
    """`text` with every date blanked out, so that no month or year passes for a name."""
    for mention in _mentions(text, date.max):
        text = text[: mention.start] + "\0" * (mention.end - mention.start) + text[mention.end :]
    return text


# ---------------------------------------------------------------- now

_NOW = re.compile(
    r"\b(?:latest|newest|most\s+recent(?:ly)?|recent(?:ly)?|current(?:ly)?|now(?:adays)?|still"
    r"|at\s+present|at\s+the\s+moment|these\s+days|so\s+far|to\s+date|up\s+to\s+date|today"
    r"|any\s*(?:more|\s+longer)|yet)\b|^(?:has|have)\b",
    re.I,
)


def is_recent(text: str, window: Window, today: date, publishers: Collection[str] = ()) -> bool:
    """Whether `text` asks how things stand now. "The latest model in 2024" asks about 2024."""
    if window.until is not None and window.until < today:
        return False
    for mention in _mentioned(text, _spellings(tuple(publishers))):
        text = text[: mention.start] + "\0" * (mention.end - mention.start) + text[mention.end :]
    return bool(_NOW.search(text))


# ---------------------------------------------------------------- publishers

_TELLING = (
    r"(?:articles?|reports?|reporting|stor(?:y|ies)|pieces?|coverage|posts?|blogs?|columns?"
    r"|editorials?|newsletters?|interviews?|reviews?|analys[ei]s|scoops?|features?|profiles?"
    r"|updates?|excerpts?|news|journalists?|reporters?)"
)
_OWN_TELLING = (
    r"(?:(?:blog|news|press)\s*)?(?:posts?|blogs?|announcements?|releases?|statements?|newsroom)"
    r"|(?:technical|research)?\s*(?:reports?|articles?)|(?:system|model)\s+cards?"
)
_TOLD = (
    r"(?:report|publish|cover|describ|discuss|mention|not|detail|highlight|stat|cit|quot|outlin"
    r"|featur|suggest|claim|observ|indicat|reveal|portray|writ|wrot|narrat|profil|identif|refer"
    r"|document|explain|cover)(?:ed|ten|red|ied|s|es|e|ing)?"
)
_SAYS = (
    r"(?:says?|said|claim|suggest|stat|report|writ|wrote|describ|not|mention|reveal|publish"
    r"|detail|highlight|indicat|impl|portray|attribut|discuss|cover|express|argu|predict|estimat"
    r"|quot|tell|told|find|found|call|broke|present|emphasi[sz]|associat|identif|characteri[sz]"
    r"|focus|provid|explain|featur|make|list|maintain|credit|agree|disagree|contradict|think"
    r"|consider|rank|rate|view)(?:s|ed|es|d|e|ten|ing|y|ies|ied|t)?"
)
# What stands before the teller, or behind it. A newsmaker needs a stronger sign, since most
# sentences that name it are about it.
_ANY_BEFORE = re.compile(r"\b(?:according\s+to|as\s+per|in\s+the\s+words\s+of)\s+$", re.I)
_OWN_BEFORE = re.compile(
    rf"\b(?:{_OWN_TELLING}|{_TOLD})\s+(?:\w+\s+){{0,1}}?(?:by|from)\s+$", re.I
)
_OWN_BEHIND = re.compile(rf"(?:'s?\s+(?:own\s+|official\s+|latest\s+)*|\s+)(?:{_OWN_TELLING})\b", re.I)
_PRESS_BEFORE = re.compile(r"\b(?:by|from|in|on|per|via|told|of|through)\s+$", re.I)
_PRESS_BEHIND = re.compile(
    rf"(?:'s?)?\s+(?:(?:{_TELLING}|{_SAYS})\b|(?:[\w-]+\s+){{1,2}}{_TELLING}\b)", re.I
)
_AND = re.compile(
    r"['\"]?(?:'s)?(?:\s*,\s*|\s+)(?:(?:and|or|&|as\s+well\s+as|versus|vs\.?|but|also|not|to|than)\s+)*"
    r"(?:(?:the|both|from|by|in|on)\s+)*['\"]?",
    re.I,
)
# A feed's title often carries a section or a slogan: "CNBC | World Business News Leader".
_SLOGAN = re.compile(r"\s+[|\u2013\u2014-]\s+.*|:\s+.*|\s+\([^)]*\)$")
_LEGAL = re.compile(r"\s+(?:AI|Inc\.?|Labs?|Ltd\.?|LLC)$")


@dataclass(frozen=True, slots=True)
class _Mention:
    start: int
    end: int
    publishers: tuple[str, ...]

    @property
    def is_newsmaker(self) -> bool:
        return any(name.casefold().split()[0] in _NEWSMAKERS for name in self.publishers)


def publishers_of(text: str, publishers: Collection[str]) -> tuple[str, ...]:
    """Those of `publishers` that `text` names as the teller, not as the subject, in its order.

    >>> publishers_of("Why did OpenAI sue, according to the verge?", ["OpenAI", "The Verge"])
    ('The Verge',)
    """
    plain = _plain(text)
    tellers: list[str] = []
    for chain in _chains(plain, _mentioned(plain, _spellings(tuple(publishers)))):
        if any(_tells(plain, mention) for mention in chain):
            tellers += [name for mention in chain for name in mention.publishers]
    return distinct(tellers)


@lru_cache(maxsize=8)
def _spellings(publishers: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Every spelling under which a publisher is known → the library's names for it."""
    full: dict[str, tuple[str, ...]] = {}
    short: dict[str, tuple[str, ...]] = {}
    for name in publishers:
        key = _key(name)
        if key:
            full[key] = distinct((*full.get(key, ()), name))
        for alias in _aliases(name):
            short[alias] = distinct((*short.get(alias, ()), name))
    return short | full


def _key(name: str) -> str:
    return re.sub(r"^the ", "", " ".join(_plain(name).casefold().split()))


def _aliases(name: str) -> Iterator[str]:
    head = _SLOGAN.sub("", _plain(name)).strip()
    yield from (alias for alias in (_key(head), _key(_LEGAL.sub("", head))) if alias)
    words = _key(head).split()
    if len(words) >= 3:  # "NYT", "WSJ"; two letters name too much
        yield "".join(word[0] for word in words)


def _mentioned(text: str, spellings: dict[str, tuple[str, ...]]) -> list[_Mention]:
    if not spellings:
        return []
    shouted = text == text.casefold()  # all in lower case: capitals tell nothing
    found = []
    for match in _pattern(tuple(spellings)).finditer(text):
        names = spellings[" ".join(match["name"].casefold().split())]
        if shouted or match["name"][0] != match["name"][0].lower() or _ANY_BEFORE.search(text[: match.start()]) or not names[0][0].isupper():
            found.append(_Mention(match.start(), match.end(), names))
    return found


@lru_cache(maxsize=8)
def _pattern(spellings: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(spellings, key=len, reverse=True)
    names = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in longest_first)
    return re.compile(rf"(?<![\w@.-])(?:the\s+)?(?P<name>{names})(?![\w-]|\.\w)", re.I)


def _chains(text: str, mentions: Sequence[_Mention]) -> Iterator[list[_Mention]]:
    """Runs of mentions that share a cue: "by The Verge, Wired and TechCrunch"."""
    chain: list[_Mention] = []
    for mention in mentions:
        if chain and not _AND.fullmatch(text[chain[-1].end : mention.start]):
            yield chain
            chain = []
        chain.append(mention)
    if chain:
        yield chain


def _tells(text: str, mention: _Mention) -> bool:
    before = re.sub(r"(?:\b(?:both|the|either)\s+)?['\"]?$", "", text[: mention.start])
    behind = re.sub(r"^['\"](?!s\b)", "", text[mention.end :])
    if _ANY_BEFORE.search(before) or _OWN_BEFORE.search(before):
        return True
    if mention.is_newsmaker:
        return bool(_OWN_BEHIND.match(behind))
    return bool(_PRESS_BEFORE.search(before) or _PRESS_BEHIND.match(behind))


# ---------------------------------------------------------------- follow-ups

_MOVES_ON = re.compile(
    r"\b(?:after|before|since|next|later|then|previous(?:ly)?|earlier|when|now|latest)\b", re.I
)
_LEADS_ON = re.compile(
    r"^(?:and|but|so|or|also|then)\b|^(?:what|how)\s+about\b|^what\s+of\b"
    r"|^(?:why|how|when|who|where|which)(?:\s+(?:not|so|come|else|one|ones))?\W*$"
    r"|^(?:what|who|where|anything)\s+else\b|^(?:since\s+when|by\s+how\s+much)\b",
    re.I,
)
_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|those|these(?!\s+days)"
    r"|this(?!\s+(?:day|week|month|quarter|year)))\b"
    r"|\bthat\b(?=\W*$|\s+(?:one|day|week|month|year|time|deal|model|price|happen|mean|change)\b)"
    r"|(?:^|^\w+\s)that\b|\b(?:former|latter)\b",
    re.I,
)
_EMPTY_IT = re.compile(r"\bit\s+(?:true|possible|likely|clear|legal|safe|take|takes|cost\s+to)\b", re.I)
_DEFINITE = re.compile(
    r"\bthe\s+(?:same|other|company|model|lab|startup|firm|paper|deal|report|article|release|one)s?\b"
    r"(?!\s+(?:that|which|who|behind|of|with|called|named|from|for|between|in)\b)",
    re.I,
)
# With fewer words and no name of its own, a question leans on what came before.
_SHORT = 4
_ABOUT = re.compile(
    r"^(?:(?:and|but|so|or|then)\s+)?(?:(?:what|how)\s+about\s+|what\s+of\s+)?"
    r"(?P<lead>(?:(?:for|with|of|in|on|from|at|by)\s+)?(?:the\s+)?)(?P<topic>.+?)\W*$",
    re.I,
)


def standalone(question: str, history: Sequence[Turn] = ()) -> str:
    """`question` so that it can be understood without `history`; unchanged if it already can.

    The chain is resolved from its first turn on, so the third "And in 2025?" still knows its topic.

    >>> standalone("And GPT-5 mini?", [Turn("What does GPT-5 cost?")])
    'What does GPT-5 mini cost?'
    >>> standalone("Why was it delayed?", [Turn("What is OpenAI's open-weight model?")])
    "OpenAI's open-weight model Why was it delayed?"
    """
    before = Turn("")
    for turn in history:
        if _folded(turn.question):
            asked = _folded(turn.question)[:MAX_QUESTION_CHARS]
            before = replace(turn, question=_resolved(asked, before))
    return _resolved(question, before)


def _resolved(question: str, before: Turn) -> str:
    if not before.question or not leans(question):
        return question
    return _swapped(question, before.question) or f"{_salient(before)} {question}".strip()


def leans(question: str) -> bool:
    """Whether `question` needs an earlier one: an anaphora without antecedent, "and", "why?" ...

    >>> [leans(q) for q in ("Why did they delay it?", "Why did OpenAI delay its model?")]
    [True, False]
    """
    plain = _plain(question)
    if _LEADS_ON.search(plain):
        return True
    names = _names(plain)
    empty = _EMPTY_IT.search(plain)
    for pronoun in _PRONOUN.finditer(plain):
        if not any(name.start < pronoun.start() for name in names) and not (empty and names):
            return True
    return not names and bool(_DEFINITE.search(plain) or _is_short(plain))


def _is_short(question: str) -> bool:
    # Scripts without capitals, many without spaces, show neither names nor words to this rule.
    caseless = any(char.isalpha() and char.lower() == char.upper() for char in question)
    words = _WORD.findall(_without_dates(question))
    return len(words) < _SHORT and not caseless


def _swapped(question: str, before: str) -> str | None:
    """`before` with its one date, or its one name of that kind, replaced; None if unclear."""
    found = _ABOUT.match(question)
    if not found or not _LEADS_ON.search(question):
        return None
    topic = found["topic"]
    return _swapped_date(found["lead"] + topic, before) or _swapped_name(topic, before)


def _swapped_name(topic: str, before: str) -> str | None:
    new, old = _names(f"about {topic}"), _names(before)
    if len(new) != 1 or new[0].text != topic:
        return None
    alike = [name for name in old if name.is_version == new[0].is_version]
    if len(alike) != 1 or (len(old) > 1 and not new[0].is_version):
        return None
    end = alike[0].end
    possessive = "'s" if _plain(alike[0].text).endswith("'s") and not topic.endswith("s") else ""
    return before[: alike[0].start] + topic + possessive + before[end:]


def _swapped_date(topic: str, before: str) -> str | None:
    new, old = _mentions(_plain(topic), date.max), _mentions(_plain(before), date.max)
    if len(new) != 1 or len(old) != 1 or len(_WORD.findall(_without_dates(topic))) > 1:
        return None
    words = topic[new[0].start : new[0].end]
    if new[0].year is None and old[0].year is not None:
        words += f" {old[0].year}"
    return before[: old[0].start] + words + before[old[0].end :]


def _salient(turn: Turn) -> str:
    """The words of the question that carry its topic; where it asks for a name, the answer's."""
    words = [word[0] for word in _WORD.finditer(turn.question)]
    words = [word for word in words if word.casefold() not in _FUNCTION_WORDS]
    names = names_of(turn.question)
    if not names or re.match(r"(?:who|which|what\s+(?:company|lab|model))\b", turn.question, re.I):
        words += [name for name in names_of(turn.answer[:MAX_QUESTION_CHARS])][:3]
    kept = distinct(words)
    if len(kept) > MAX_PASTED_WORDS:
        named = {word for name in names for word in name.split()}
        kept = tuple(word for word in kept if word in named or word in kept[-MAX_PASTED_WORDS // 2 :])
    return " ".join(kept[-MAX_PASTED_WORDS:])


# ---------------------------------------------------------------- parts

_SECOND_QUESTION = re.compile(
    r"\?\s+(?:and\s+)?(?=\w)|,?\s+and\s+(?:then\s+)?(?=(?:what|why|how|who|when|which|where)\s+\w+\s+\w)", re.I
)
_CHANGES = re.compile(
    r"\b(?:chang|differ|evolv|grow|grew|compar|shift|rose|rise|fall|fell|drop|increas|decreas"
    r"|improv|develop|vs\b|versus)",
    re.I,
)
_COMPARES = re.compile(
    r"\b(?:compar\w*|contrast|differ\w*|vs|versus|each|both|respectively|either)\b", re.I
)
_JOINT = re.compile(
    r"(?P<plain>\s*,?\s*(?:\band\b|\bor\b|&|\bvs\b\.?|\bversus\b)|\s*,)"
    r"(?P<of>\s+(?:(?:the|that|those|of|in|for|with|by|from)\s+){0,3})"
    r"|\s+(?:compared?s?\s+)?(?:to|with|against)\s+(?:(?:the|that|those|of)\s+){0,3}"
    r"|\s+differs?\s+from\s+|\s+(?P<than>(?:\w+\s+){0,3}(?:\w+er|better|worse|more\s+\w+|less\s+\w+))\s+than\s+",
    re.I,
)
_ASIDE = re.compile(
    r"^(?:please\s+)?(?:compare|contrast)\s+(?:the\s+)?|^(?:what\s+(?:is|are|was|were)\s+|what's\s+)?"
    r"(?:the\s+)?(?:\w+\s+)?differences?\s+(?:between|in|of)\s+|^how\s+(?:do|does|did)\s+(?=[A-Z].*(?<!\w)$)"
    r"|\s+(?:each|both|respectively)\b|\b(?:both|between|either)\s+",
    re.I,
)


def parts_of(text: str) -> tuple[str, ...]:
    """One standalone sub-query for each part of a question with several; () if it has one part.

    >>> parts_of("Compare the API prices of Claude Opus 4.5 and Gemini 3 Pro")
    ('API prices of Claude Opus 4.5', 'API prices of Gemini 3 Pro')
    >>> parts_of("How did OpenAI's revenue change from 2024 to 2025?")
    ("How did OpenAI's revenue change in 2024", "How did OpenAI's revenue change in 2025")
    """
    for rule in (_questions, _dates, _items):
        parts = distinct(rule(text))
        if len(parts) > 1:
            return parts if len(parts) <= MAX_PARTS else ()
    return ()


def _questions(text: str) -> list[str]:
    pieces = [piece.strip(" ,;?") for piece in _SECOND_QUESTION.split(text)]
    pieces = [piece for piece in pieces if piece]
    if any(len(_WORD.findall(piece)) < _SHORT - 1 for piece in pieces):
        return []
    if any(_is_relative(piece, text) for piece in pieces[1:]):
        return []
    named = " ".join(names_of(pieces[0])) if pieces else ""
    return [
        piece if at == 0 or (names_of(piece) and not leans(piece)) else f"{named} {piece}".strip()
        for at, piece in enumerate(pieces)
    ]


def _is_relative(piece: str, text: str) -> bool:
    """Whether "who ..." only goes on with a clause: "the man who founded X and who left Y"."""
    word = piece.split()[0].lower()
    before = text[: text.index(piece)]
    return word in ("who", "which", "where") and bool(
        re.search(rf"\w\W+{word}\b|\bthat\b|^who\s+is\b|^which\b", before, re.I)
    )


def _dates(text: str) -> list[str]:
    plain = _plain(text)
    mentions = _mentions(plain, date.max)
    if len(mentions) != 2 or not _CHANGES.search(plain):
        return []
    first, second = mentions
    if not re.fullmatch(rf"{_TO}(?:in\s+|on\s+)?", plain[first.end : second.start], re.I):
        return []
    lead = re.sub(r"\b(?:from|between|in|on|of)\s+$", "", text[: first.start])
    tail = text[second.end :].rstrip(" ?!.")
    year = f" {second.year}" if first.year is None and second.year is not None else ""
    return [
        f"{lead}in {text[first.start : first.end]}{year}{tail}",
        f"{lead}in {text[second.start : second.end]}{tail}",
    ]


def _items(text: str) -> list[str]:
    """The question once for each of the names that it sets side by side."""
    names = _names(text)
    joints = [
        _JOINT.fullmatch(_plain(text[a.end : b.start])) for a, b in zip(names, names[1:], strict=False)
    ]
    run = _longest_run(joints)
    if not run or not _sets_side_by_side(text, [joints[at] for at in run]):
        return []
    listed = [names[at] for at in (*run, run[-1] + 1)]
    head, tail = text[: listed[0].start], text[listed[-1].end :]
    last = joints[run[-1]]
    than = f" {last['than']}" if last and last["than"] else ""
    return [_tidy(f"{head}{name.text}{than}{tail}") for name in listed]


def _longest_run(joints: Sequence[re.Match[str] | None]) -> list[int]:
    best: list[int] = []
    run: list[int] = []
    for at, joint in enumerate(joints):
        run = [*run, at] if joint else []
        best = max(best, run, key=len)
    return best


def _sets_side_by_side(text: str, joints: Sequence[re.Match[str] | None]) -> bool:
    words = " ".join(joint[0] for joint in joints if joint)
    if re.search(r"\b(?:vs|versus|than|compare|differs?)\b", words, re.I):
        return True
    if re.search(r"\bor\b", words, re.I):
        return bool(re.search(r"\b(?:which|who|whose|what|is|are|does|do|did|has)\b", text, re.I))
    return bool(_COMPARES.search(text))


def _tidy(part: str) -> str:
    part = _ASIDE.sub("", part.strip(" ?!.,:;"))
    part = re.sub(r"\s+([,:;])", r"\1", " ".join(part.split()))
    return part.strip(" ?!.,:;")
