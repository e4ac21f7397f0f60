"""The hard facts of a sentence: its numbers, dates, quoted words and names, in one spelling each.

They are what a reader checks first and what a language model gets wrong unseen. Everything here is
pattern matching on text, so that it is quick, the same everywhere, and can say which words failed.
Nothing is guessed: a date without a year has none until `day_holds` is told when the article
appeared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from rag.words import FUNCTION_WORDS

CURRENCIES = frozenset({"$", "C$", "A$", "HK$", "NT$", "S$", "R$", "€", "£", "¥", "yuan", "₹", "₩"})


@dataclass(frozen=True, slots=True)
class Number:
    """A quantity: `value` in `unit` ("" for a plain count), and the words at `start:end`."""

    value: float
    unit: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Day:
    """A date as far as it is said: `weekday` counts from Monday = 0, `None` is not said."""

    year: int | None
    month: int | None
    day: int | None
    weekday: int | None
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    """A person, company, product or model. `pieces` are its words, each with its version."""

    pieces: tuple[str, ...]
    text: str
    start: int
    end: int

    @property
    def key(self) -> str:
        """The name without space and hyphens: "GPT-4o" and "GPT 4o" are both "gpt4o"."""
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a sentence can be checked word for word."""

    numbers: tuple[Number, ...] = ()
    dates: tuple[Day, ...] = ()
    quotes: tuple[str, ...] = ()
    names: tuple[Name, ...] = ()


# One passage is asked about for each statement that cites it.
@lru_cache(maxsize=1024)
def facts_of(sentence: str, premise: str = "") -> Facts:
    """The hard facts of `sentence`.

    `premise` helps with the first word only: capitalised there inside a sentence it is a name,
    found there in lower case it is none.

    >>> facts = facts_of("On 5 August OpenAI paid $1.5B for GPT-4.5.")
    >>> [n.value for n in facts.numbers], [n.text for n in facts.names], facts.dates[0].month
    ([1500000000.0], ['OpenAI', 'GPT-4.5'], 8)
    """
    dates = tuple(find_dates(sentence))
    undated = _masked(sentence, dates)
    names = tuple(find_names(undated, premise))
    numbers = tuple(find_numbers(_masked(undated, [n for n in names if _has_digit(n.text)])))
    return Facts(numbers, dates, tuple(find_quotes(sentence)), names)


def _masked(text: str, found: Iterable[Day | Name]) -> str:
    for fact in found:
        # "|" belongs to no word, number or name, and keeps every offset.
        text = text[: fact.start] + "|" * (fact.end - fact.start) + text[fact.end :]
    return text


def _has_digit(text: str) -> bool:
    return any(char.isdigit() for char in text)


# Numbers ------------------------------------------------------------------------------------------

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen twenty"
).split()
_ORDINALS = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
    " thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
).split()
_TENS = dict(
    zip("thirty forty fifty sixty seventy eighty ninety".split(), range(30, 91, 10), strict=True)
)
_WORD_VALUES = {word: float(n) for n, word in enumerate(_ONES)} | {
    word: float(n) for word, n in _TENS.items()
}
_SCALES = {
    "k": 1e3, "m": 1e6, "mn": 1e6, "mln": 1e6, "b": 1e9, "bn": 1e9, "t": 1e12, "tn": 1e12,
    "dozen": 12.0, "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9,
    "trillion": 1e12,
}  # fmt: skip
_VAGUE_SCALES = {"ten": 10.0} | {w: v for w, v in _SCALES.items() if len(w) > 3}

_UNITS = {
    "%": r"%|per\s?cent\b|pct\b",
    "points": r"(?:percentage\s)?points?\b",
    "C$": r"canadian\sdollars?\b",
    "A$": r"australian\sdollars?\b",
    "$": r"(?:u\.?s\.?\s)?dollars?\b|usd\b",
    "cents": r"(?:u\.?s\.?\s)?cents?\b",
    "€": r"euros?\b|eur\b",
    "£": r"pounds?(?:\ssterling)?\b|gbp\b",
    "yuan": r"yuan\b|renminbi\b|rmb\b|cny\b",
    "¥": r"yen\b",
    "₹": r"rupees?\b",
    "₩": r"won\b",
    "kB": r"kb\b|kilobytes?\b",
    "MB": r"mb\b|mib\b|megabytes?\b",
    "GB": r"gb\b|gib\b|gigabytes?\b",
    "TB": r"tb\b|tib\b|terabytes?\b",
    "bit": r"bits?\b",
    "kW": r"kw\b|kilowatts?\b",
    "MW": r"mw\b|megawatts?\b",
    "GW": r"gw\b|gigawatts?\b",
    "second": r"seconds?\b",
    "minute": r"minutes?\b",
    "hour": r"hours?\b",
    "day": r"days?\b",
    "week": r"weeks?\b",
    "month": r"months?\b",
    "year": r"years?\b",
    "times": r"x\b|×|times\b|fold\b",
    "th": r"(?:st|nd|rd|th)\b",
}
_SYMBOLS = {
    "us$": "$", "$": "$", "usd": "$", "c$": "C$", "ca$": "C$", "a$": "A$", "hk$": "HK$",
    "nt$": "NT$", "s$": "S$", "r$": "R$", "€": "€", "eur": "€", "£": "£", "gbp": "£", "¥": "¥",
    "rmb": "yuan", "cny": "yuan", "₹": "₹", "₩": "₩",
}  # fmt: skip
_UNIT = "|".join(_UNITS.values())
_SCALE_WORD = "dozen|hundred|thousand|million|billion|trillion"
_NUMBER = re.compile(
    rf"""(?:(?P<symbol>(?<![a-z])(?:us|ca|nt|hk|[casr])?\$|[€£¥₹₩]|\b(?:usd|eur|gbp|rmb|cny))\s?)?
    (?<![\w.])(?:(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)
      |(?P<tens>twenty|{"|".join(_TENS)})[-\s](?P<ones>{"|".join(_ONES[1:10])})\b
      |(?P<word>{"|".join(sorted([*_ONES, *_TENS], key=len, reverse=True))})\b
      |(?P<article>an?)(?=\s(?:{_SCALE_WORD})\b))
    (?:(?P<letter>k|mn|mln|m|bn|b|tn|t)\b)?
    (?P<scales>(?:[\s-](?:{_SCALE_WORD})\b)*)
    (?:[\s-]?(?P<unit>{_UNIT}))?(?![\d])""",
    re.IGNORECASE | re.VERBOSE,
)
_VAGUE = re.compile(
    r"\b(tens|dozens|hundreds|thousands|millions|billions|trillions)"
    r"(?:\sof\s(hundreds|thousands|millions|billions|trillions))?\b",
    re.IGNORECASE,
)
_ORDINAL = re.compile(rf"(?<!per\s)\b({'|'.join(_ORDINALS[1:])})\b(?!s)", re.IGNORECASE)
_FRACTION = re.compile(
    r"\bhalf\b(?!-|\syear)|\b(a|one|two)[\s-](third|quarter)s?\b"
    r"(?=\s(?:of|more|less|as|lower|higher)\b|\s?[.,;:)]|\s*$)|\bthree[\s-]quarters\b",
    re.IGNORECASE,
)
_TWICE = re.compile(r"\btwice\b", re.IGNORECASE)
_RANGE = re.compile(r"\s?(?:-|–|—|to|or)\s?", re.IGNORECASE)
_NO_COUNT_BEFORE = re.compile(
    r"\b(?:the|this|that|each|every|any|no|which|some|only|\w+er)\s$", re.IGNORECASE
)
_COUNT_AFTER = re.compile(r"[\s-](?!(?:of|another|that|which|day)\b)[a-z]", re.IGNORECASE)


def find_numbers(text: str) -> list[Number]:
    """The quantities of `text` in order; dates and names have to be masked before.

    >>> [(n.value, n.unit) for n in find_numbers("US$1,500 million, a dozen, 59.5 per cent")]
    [(1500000000.0, '$'), (12.0, ''), (59.5, '%')]
    """
    exact = _ranges_filled(text, [_number(m) for m in _NUMBER.finditer(text) if _counts(text, m)])
    found = [*exact, *_loose_numbers(text)]
    return sorted(found, key=lambda number: number.start)


def _counts(text: str, match: re.Match[str]) -> bool:
    """Whether the match is a quantity: "one model" is, "no one" and "one of them" are not."""
    if (match["word"] or "").lower() != "one" or match["unit"] or match["scales"]:
        return True
    before, after = text[: match.start()], text[match.end() :]
    return bool(_COUNT_AFTER.match(after)) and not _NO_COUNT_BEFORE.search(before)


def _number(match: re.Match[str]) -> Number:
    unit = _unit(match)
    value = _value(match)
    if unit == "cents":
        unit, value = "$", value / 100
    return Number(value, unit, match.group().strip(), match.start(), match.end())


def _value(match: re.Match[str]) -> float:
    if match["digits"]:
        value = float(match["digits"].replace(",", ""))
    elif match["tens"]:
        value = _WORD_VALUES[match["tens"].lower()] + _WORD_VALUES[match["ones"].lower()]
    else:
        value = 1.0 if match["article"] else _WORD_VALUES[match["word"].lower()]
    for scale in [match["letter"] or "", *re.split(r"[\s-]", match["scales"])]:
        value *= _SCALES.get(scale.lower(), 1.0)
    return value


def _unit(match: re.Match[str]) -> str:
    if match["symbol"]:
        return _SYMBOLS[match["symbol"].lower()]
    said = match["unit"] or ""
    return next((u for u, form in _UNITS.items() if said and re.fullmatch(form, said, re.I)), "")


def _ranges_filled(text: str, numbers: list[Number]) -> list[Number]:
    """Give both ends of "$10–15 billion" and "50 to 70%" the unit and scale said once."""
    filled = list(numbers)
    for i, (low, high) in enumerate(pairwise(numbers)):
        if not _RANGE.fullmatch(text[low.end : high.start]):
            continue
        scale = _scale(high.text) if _scale(low.text) == 1 else 1.0
        filled[i] = _with(low, low.value * scale, low.unit or high.unit)
        filled[i + 1] = _with(high, high.value, high.unit or low.unit)
    return filled


def _scale(text: str) -> float:
    found = re.search(rf"(?<=\d)(k|mn|m|bn|b|tn|t)\b|\b({_SCALE_WORD})\b", text, re.IGNORECASE)
    return _SCALES[found.group().lower()] if found else 1.0


def _with(number: Number, value: float, unit: str) -> Number:
    return Number(value, unit, number.text, number.start, number.end)


def _loose_numbers(text: str) -> Iterator[Number]:
    """ "hundreds of thousands", "17th" in words, "half" and "twice"."""
    for m in _VAGUE.finditer(text):
        value = math.prod(_VAGUE_SCALES[part.lower()[:-1]] for part in m.groups() if part)
        yield Number(value, "vague", m.group(), m.start(), m.end())
    fractions = list(_FRACTION.finditer(text))
    for m in fractions:
        yield Number(_percent(m.group().lower()), "%", m.group(), m.start(), m.end())
    for m in _ORDINAL.finditer(text):
        if not any(f.start() <= m.start() < f.end() for f in fractions):
            value = float(_ORDINALS.index(m.group().lower()))
            yield Number(value, "th", m.group(), m.start(), m.end())
    for m in _TWICE.finditer(text):
        yield Number(2.0, "times", m.group(), m.start(), m.end())


def _percent(fraction: str) -> float:
    if fraction == "half":
        return 50.0
    parts = {"a": 1, "one": 1, "two": 2, "three": 3}[re.split(r"[\s-]", fraction)[0]]
    return 100.0 * parts / (3 if "third" in fraction else 4)


def same_number(said: Number, shown: Number) -> bool:
    """Whether `shown` backs `said`: equal values, and a unit that the statement didn't make up.

    A statement may leave a unit out ("59.5" for "59.5%"), but not a currency, and add none.
    """
    unit = said.unit == shown.unit or (said.unit == "" and shown.unit not in CURRENCIES)
    return unit and math.isclose(said.value, shown.value, rel_tol=1e-9)


# Dates --------------------------------------------------------------------------------------------

_MONTHS = "january february march april may june july august september october november december"
_MONTH_NUMBER = {m[:3]: n for n, m in enumerate(_MONTHS.split(), 1)}
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTH_NAME = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\b\.?)"
)
_YEAR = r"(?:19[5-9]\d|20[0-4]\d)"
_DAY = r"(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?"
_DATE_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"\b(?P<year>{_YEAR})-(?P<nn>0[1-9]|1[0-2])(?:-(?P<day>[0-3]\d))?\b",
        rf"\b(?:(?P<from>{_DAY})\s?(?:-|–|to|and)\s?)?(?P<day>{_DAY})(?:\sof)?\s(?P<month>{_MONTH_NAME})"
        rf"(?:,?\s(?P<year>{_YEAR})\b)?(?!\w)",
        rf"\b(?P<month>{_MONTH_NAME})\s(?:(?P<from>{_DAY})\s?(?:-|–|to|and)\s?)?(?P<day>{_DAY})"
        rf"(?![\d.%]\d|\d)(?:,?\s(?P<year>{_YEAR})\b)?(?!\w)",
        rf"\b(?P<month>{_MONTH_NAME}),?\s(?:of\s)?(?P<year>{_YEAR})\b",
        r"(?<![.\w])(?P<month>(?:January|February|March|April|June|July|August|September|October"
        r"|November|December)|(?:(?<=[Ii]n\s)|(?<=[Bb]y\s)|(?<=of\s)|(?<=since\s)|(?<=[Ss]ince\s)"
        r"|(?<=until\s)|(?<=last\s)|(?<=early\s)|(?<=late\s)|(?<=mid-)|(?<=from\s)|(?<=to\s)"
        r"|(?<=and\s))May)\b",
        rf"(?<![$€£¥\d.,-])\b(?P<year>{_YEAR})\b(?![,.]\d|\s?%|\s(?:million|billion|tokens|GPUs))",
        r"\b(?P<weekday>Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b",
    )
)


def find_dates(text: str) -> list[Day]:
    """The dates of `text` in order, each as exact as it is written.

    >>> [(d.year, d.month, d.day) for d in find_dates("Aug. 5 or 2025-08-07, not May 2024")]
    [(None, 8, 5), (2025, 8, 7), (2024, 5, None)]
    """
    found: list[Day] = []
    for form in _DATE_FORMS:
        for match in form.finditer(text):
            days = list(_days(match))
            text = text[: match.start()] + "|" * len(match.group()) + text[match.end() :]
            found.extend(days)
    return sorted(found, key=lambda day: (day.start, day.day or 0))


def _days(match: re.Match[str]) -> Iterator[Day]:
    part = match.groupdict()
    year = int(part["year"]) if part.get("year") else None
    month = int(part["nn"]) if part.get("nn") else None
    if part.get("month"):
        month = _MONTH_NUMBER[part["month"][:3].lower()]
    weekday = _WEEKDAYS.index(part["weekday"].lower()) if part.get("weekday") else None
    said = [part.get("from"), part.get("day")]
    days = [int(re.sub(r"\D", "", day)) for day in said if day]
    for day in days or (None,):
        yield Day(year, month, day, weekday, match.group(), match.start(), match.end())


def day_holds(said: Day, shown: Iterable[Day], published: date | None) -> bool:
    """Whether some date of `shown` makes `said` true, in an article published on `published`.

    All that `said` says must be in the shown date; a year left out there, or a weekday, is filled
    in from `published`. "In August" follows from "5 August", never the other way round.

    >>> passage = find_dates("on 5 August")
    >>> day_holds(find_dates("2025-08-05")[0], passage, date(2025, 8, 6))
    True
    >>> day_holds(find_dates("2025-08-05")[0], passage, None)
    False
    """
    return any(_implies(full, said) for day in shown for full in _resolved(day, published))


def day_of(published: date) -> Day:
    """The day of publication as a date of the header."""
    iso = published.isoformat()
    return Day(published.year, published.month, published.day, None, iso, 0, 0)


def _resolved(day: Day, published: date | None) -> Iterator[Day]:
    yield day
    if published is None or day.year is not None:
        return
    if day.weekday is not None:
        near = (published + timedelta(days=n) for n in range(-6, 7))
        yield from (day_of(d) for d in near if d.weekday() == day.weekday)
    elif day.month is not None:
        years = (published.year - 1, published.year, published.year + 1)
        year = min(years, key=lambda y: _distance(y, day, published))
        yield Day(year, day.month, day.day, None, day.text, day.start, day.end)


def _distance(year: int, day: Day, published: date) -> int:
    # Day 28 at most, so that 29 February needs no leap year: the nearest year is the same.
    return abs((date(year, day.month or 1, min(day.day or 15, 28)) - published).days)


def _implies(shown: Day, said: Day) -> bool:
    weekday = shown.weekday
    if weekday is None and shown.year and shown.month and shown.day:
        weekday = _weekday(shown.year, shown.month, shown.day)
    pairs = (
        (said.year, shown.year),
        (said.month, shown.month),
        (said.day, shown.day),
        (said.weekday, weekday),
    )
    return all(wanted is None or wanted == there for wanted, there in pairs)


def _weekday(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).weekday()
    except ValueError:  # "31 June" is written, but is no day
        return None


# Quoted words -------------------------------------------------------------------------------------

_QUOTED = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|„([^“”„]+)[“”]|«([^«»]+)»|‘(.+?)’(?!\w)")
_QUOTE_MARKS = str.maketrans("“”„«»‘’‚", '"""""\'\'\'')


def find_quotes(text: str) -> list[str]:
    """The words between quotation marks, without the marks.

    >>> find_quotes("He called it “too cheap” and 'fine'.")
    ['too cheap']
    """
    return [next(part for part in m.groups() if part).strip() for m in _QUOTED.finditer(text)]


def folded(text: str) -> str:
    """`text` with one kind of quotation mark, dash and space, in lower case.

    >>> folded("“Too\\n cheap”")
    '"too cheap"'
    """
    text = re.sub(r"[‐‑–—]", "-", text.translate(_QUOTE_MARKS))
    return re.sub(r"\s+", " ", text).strip().casefold()


def quote_holds(quote: str, text: str) -> bool:
    """Whether `text` has the quoted words, whole words only; the last stop or comma is free."""
    wanted = re.escape(folded(quote).rstrip(".,;: ").strip("\"'"))
    return bool(wanted) and re.search(rf"(?<!\w){wanted}(?!\w|[.,]\d)", folded(text)) is not None


# Names --------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"[^\W_]+(?:[-.'’&+/][^\W_]+)*", re.UNICODE)
_QUANTITY = re.compile(
    r"\d[\d,.]*(?:k|mn?|bn?|tn?|st|nd|rd|th|x|s|[kmgt]i?b|[kmg]w)?|\d[\d,.]*-[a-z][a-z-]*", re.I
)
_VERSION = re.compile(r"\d{1,3}(?:\.\d+)*(?:[bk])?", re.IGNORECASE)
_COUNTED = re.compile(rf"\s?(?:{_UNIT}|(?:{_SCALE_WORD})\b)", re.IGNORECASE)
_PLAIN_ENDING = re.compile(
    r"(?:ly|ing|ings|ed|tion|tions|ment|ments|[a-z]{3}ers|tors|ists|ness|ity|ties|ics|ents|ants)$"
)
# Words of every article on AI that name nobody.
_GENERIC = frozenset(
    "ai i a.i ceo cto cfo llm llms api apis gpu gpus cpu ml ok faq pdf tv it mr mrs ms dr"
    " usd eur gbp rmb cny".split()
)
STARTING_WORDS = FUNCTION_WORDS | frozenset(
    """access across against agents ahead all almost along already although always amid analysts and
    another anyone apart around article asked at authors average based below besides better beyond
    billions businesses buyers charges chief chips companies compared competitors consumers contrary
    copies costs countries courts critics customers data days depending despite down early earlier
    engineers even everyone everything experts far fewer figures files final finally first five for
    former four from further given half head here hours hundreds income inference instead
    investors journalists judges last lastly late later lawyers leaders least less like likewise
    little long many meanwhile members millions model models money months moreover most names near
    nearly neither new news next nine nobody none nor nothing observers officials old once one open
    opponents opinions opposite outside overall parameters parts partly past people perhaps
    performance plans politicians prices profits programmers proponents publishers questions reports
    research researchers results revenue rivals rules safety sales scientists scores second see
    seven several shares shortly similar six software sources speed start start-ups startups still
    subscribers supporters talks teams ten test testers tests thanks third thirty thousands three
    time today together tokens tools top training twelve twenty two unlike unless usage users
    using version versions voice weeks weights what whatever whenever wherever whoever work workers
    writers year years yes yesterday""".split()
)


def find_names(text: str, premise: str = "") -> list[Name]:
    """Capitalised words and model-like tokens, neighbours joined, versions kept with their name.

    >>> [n.text for n in find_names("The xAI's Llama 3.1 405B beat o3 by 4 points.")]
    ['xAI', 'Llama 3.1 405B', 'o3']
    """
    names: list[Name] = []
    run: list[re.Match[str]] = []
    for match in _TOKEN.finditer(text):
        if run and not _joins(text, run[-1], match):
            names.extend(_name(run))
            run = []
        if _is_name(text, match, premise) or (run and _is_version(text, match)):
            run.append(match)
        elif run:
            names.extend(_name(run))
            run = []
    return [*names, *_name(run)]


def _joins(text: str, left: re.Match[str], right: re.Match[str]) -> bool:
    possessive = re.search(r"['’]s$", left.group()) is not None
    return text[left.end() : right.start()] == " " and not possessive


def _is_version(text: str, match: re.Match[str]) -> bool:
    counted = _COUNTED.match(text, match.end())
    return _VERSION.fullmatch(match.group()) is not None and counted is None


def _is_name(text: str, match: re.Match[str], premise: str) -> bool:
    token = _bare(match.group())
    if token.lower() in _GENERIC or token.lower() in FUNCTION_WORDS or _QUANTITY.fullmatch(token):
        return False
    if _has_digit(token):
        return any(char.isalpha() for char in token)
    if not any(char.isupper() for char in token):
        return False
    return not _begins(text, match.start()) or _name_though_first(token, premise)


def _begins(text: str, start: int) -> bool:
    before = text[:start].rstrip(" ")
    return not before or before[-1] in '.!?:;“"‘(\n—•*#'


def _name_though_first(token: str, premise: str) -> bool:
    lower = token.lower()
    if any(char.isupper() for char in token[1:]):
        return True
    if re.search(rf"[\w,]\s{re.escape(token)}\b", premise):
        return True
    if lower in STARTING_WORDS or _PLAIN_ENDING.search(lower):
        return False
    return re.search(rf"\b{re.escape(lower)}\b", premise) is None


def _bare(token: str) -> str:
    return re.sub(r"['’]s?$", "", token)


def _name(run: list[re.Match[str]]) -> Iterator[Name]:
    """The name made of the tokens of `run`: "Microsoft-backed" names Microsoft."""
    pieces: list[str] = []
    for match in run:
        piece = squashed("-".join(_named_parts(_bare(match.group()))))
        if pieces and match.group()[0].isdigit():
            pieces[-1] += piece
        elif piece and piece not in _GENERIC:
            pieces.append(piece)
    if pieces:
        text = " ".join(_bare(match.group()) for match in run)
        yield Name(tuple(pieces), text, run[0].start(), run[0].start() + len(text))


def _named_parts(token: str) -> list[str]:
    parts = token.split("-")
    if not any(char.isupper() for char in token):
        return parts
    return [part for part in parts if not part.isalpha() or not part.islower()]


def squashed(name: str) -> str:
    """A name in lower case without space, hyphens and slashes; dots stay between digits only.

    >>> squashed("U.S."), squashed("Claude-3.5 Sonnet")
    ('us', 'claude3.5sonnet')
    """
    return re.sub(r"(?<!\d)\.|\.(?!\d)|[\s/'’-]", "", name).casefold()


_LONGEST_NAME = 6  # parts: "Llama 3.1 405B Instruct Turbo FP8"
_ALIASES = {
    "us": ("unitedstates", "usa", "america"),
    "uk": ("unitedkingdom", "britain"),
    "eu": ("europeanunion",),
    "unitedstates": ("us", "usa"),
    "unitedkingdom": ("uk",),
    "europeanunion": ("eu",),
}


@lru_cache(maxsize=1024)
def spellings(text: str) -> frozenset[str]:
    """All that `text` can be said to name: every run of up to six parts of words, squashed.

    >>> sorted(spellings("GPT-4o mini"))
    ['4o', '4omini', 'gpt', 'gpt4o', 'gpt4omini', 'mini']
    """
    parts = [p for m in _TOKEN.finditer(text) for p in _parts(_bare(m.group()))]
    ends = range(1, _LONGEST_NAME + 1)
    runs = ("".join(parts[i : i + n]) for i in range(len(parts)) for n in ends)
    whole = (squashed(_bare(m.group())) for m in _TOKEN.finditer(text))
    return frozenset((*runs, *whole))


def _parts(token: str) -> list[str]:
    parts = [squashed(part) for part in re.split(r"[-/]", token)]
    # "Qwen2.5" also names Qwen; "4o" and "o3" stay whole.
    return [p for part in parts for p in re.split(r"(?<=[a-z]{3})(?=\d)", part) if p]


def name_holds(name: Name, shown: Collection[str]) -> bool:
    """Whether the name, or else each of its words with its version, is among `shown` spellings."""
    return _spelled(name.key, shown) or all(_spelled(piece, shown) for piece in name.pieces)


def _spelled(key: str, shown: Collection[str]) -> bool:
    if key in shown or any(alias in shown for alias in _ALIASES.get(key, ())):
        return True
    if key.isalpha() and key.endswith("s") and len(key) > 3 and key[:-1] in shown:
        return True
    # "Canadian" is backed by "Canada", "Chinese" by "China".
    people = re.search(r"(?:ese|ian|ean|an|ish)$", key) is not None and len(key) > 5
    return people and any(len(s) < 12 and s.startswith(key[:4]) and s != key for s in shown)
