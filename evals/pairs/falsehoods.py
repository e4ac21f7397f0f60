"""The ruler's false statements: changed only where a rule can see that they are false."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from evals.pairs.cases import DISCOURSE, PLAIN, Case, Line, Rule
from evals.pairs.coarse import ACTION, moved_number, negated, turned
from evals.pairs.edits import (
    DAY_NUMBER,
    MONTH_WORD,
    MONTHS,
    WEEKDAY,
    WEEKDAYS,
    YEAR_NUMBER,
    capital,
    continued,
    exchange,
    put,
    related,
)
from rag.facts import (
    Name,
    Number,
    day_holds,
    day_of,
    facts_of,
    find_names,
    name_holds,
    same_number,
    spellings,
)
from rag.names import NEWSMAKERS
from rag.words import content_stems, words

# "More than 50" follows from "more than 100": a bound may only be moved to the side that is false.
_AT_LEAST = re.compile(
    r"\b(?:more than|over|at least|above|exceed\w*|beyond|past|minimum of|or more than)\s$", re.I
)
_AT_MOST = re.compile(
    r"\b(?:less than|under|below|fewer than|at most|up to|within|nearly|almost|maximum of)\s$", re.I
)
_BOUND_DAY = re.compile(
    r"\b(?:before|after|by|until|till|since|from|between|through|to|and|or)\s(?:the\s|\w+\s)?$",
    re.I,
)
_COUNTS = "two three four five six seven eight nine ten eleven twelve".split()
_DIGITS = re.compile(r"\d[\d,]*(?:\.\d+)?")
_FACTORS = (0.5, 0.6, 0.75, 1.3, 1.5, 2, 3)
_HUNDRED = 100
_GROUPED_FROM = 10_000  # written "12,000", where "1200" may stand without its comma


def other_number(case: Case, chance: random.Random) -> str | None:
    """One number changed by a fifth or more, to one that the passage doesn't have, written alike.

    Where it is a bound, only to the side on which it is false.
    """
    numbers = [n for n in facts_of(case.sentence, case.premise).numbers if _alone(case, n)]
    chance.shuffle(numbers)
    for number in numbers:
        instead = _other_amount(case.sentence, number, chance)
        if instead is None:
            continue
        statement = put(case.sentence, number, instead)
        new = [n for n in facts_of(statement, case.premise).numbers if n.start == number.start]
        shown = facts_of(case.premise).numbers
        if new and not any(same_number(new[0], n) for n in shown):
            return statement
    return None


def _alone(case: Case, number: Number) -> bool:
    """Whether it is no ordinal and no end of a range: those read oddly with another value."""
    before, after = case.sentence[: number.start], case.sentence[number.end :]
    ranged = re.search(r"\d\s?(?:-|–|to|or)\s?[$€£]?$", before) or re.match(
        r"\s?(?:–|-|to|or)\s?[$€£]?\d", after
    )
    return number.unit not in ("th", "vague") and not ranged


def _other_amount(sentence: str, number: Number, chance: random.Random) -> str | None:
    before = sentence[: number.start]
    factors = [
        f
        for f in _FACTORS
        if not (f < 1 and _AT_LEAST.search(before)) and not (f > 1 and _AT_MOST.search(before))
    ]
    if number.text.lower() in _COUNTS:
        return _other_count(number.text, factors, chance)
    digits = _DIGITS.search(number.text)
    if digits is None:
        return None
    new = _scaled(digits.group(), chance.choice(factors))
    value = float(new.replace(",", ""))
    over = number.unit == "%" and value > _HUNDRED
    if value <= 1 or over or new == digits.group():
        return None
    return number.text.replace(digits.group(), new, 1)


def _other_count(word: str, factors: Sequence[float], chance: random.Random) -> str | None:
    at = _COUNTS.index(word.lower())
    may = [w for i, w in enumerate(_COUNTS) if i != at and ((i > at) == (max(factors) > 1))]
    if not may:
        return None
    new = chance.choice(may)
    return new.capitalize() if word[0].isupper() else new


def _scaled(digits: str, factor: float) -> str:
    """`digits` times `factor`, with as many decimals and about as round.

    >>> _scaled("1,500", 2), _scaled("0.60", 1.5), _scaled("47", 0.5), _scaled("700", 0.75)
    ('3,000', '0.90', '24', '520')
    """
    plain = digits.replace(",", "")
    decimals = len(plain.partition(".")[2])
    zeros = len(plain) - len(plain.rstrip("0")) if decimals == 0 else 0
    value = round(float(plain) * factor, decimals or -max(0, zeros - 1))
    grouped = "," in digits or value >= _GROUPED_FROM
    return f"{value:{',' if grouped else ''}.{decimals}f}"


def other_date(case: Case, chance: random.Random) -> str | None:
    """The day, month or year of one date changed to one that the passage doesn't have."""
    sentence, article = case.sentence, case.hit.article
    days = [d for d in facts_of(sentence).dates if not _BOUND_DAY.search(sentence[: d.start])]
    if not days:
        return None
    day = chance.choice(days)
    statement = put(sentence, day, _other_day(day.text, chance))
    published = article.published.date() if article.published else None
    shown = [*facts_of(case.premise).dates, *([day_of(published)] if published else [])]
    new = [d for d in facts_of(statement).dates if d.start == day.start]
    return None if not new or any(day_holds(d, shown, published) for d in new) else statement


_LAST_DAY = 28  # of every month


def _other_day(text: str, chance: random.Random) -> str:
    changes = [MONTH_WORD, DAY_NUMBER, YEAR_NUMBER, WEEKDAY]
    change = chance.choice([form for form in changes if form.search(text)] or [DAY_NUMBER])
    return change.sub(lambda m: _instead(m.group(), chance), text, count=1)


def _instead(part: str, chance: random.Random) -> str:
    for all_ in (MONTHS, WEEKDAYS):
        if part in all_:
            return chance.choice([w for w in all_ if w != part])
    if len(part) == len("2025"):
        return str(int(part) + chance.choice((-2, -1, 1)))
    return str(chance.choice([d for d in range(1, _LAST_DAY + 1) if abs(d - int(part)) > 1]))


def other_name(case: Case, chance: random.Random) -> str | None:
    """A company, person or model put for another of its sort, of the passage where it has one."""
    here = find_names(case.sentence, case.premise)
    may = [n for n in here if _sort(n) and not re.search(r"\b[Aa]n? $", case.sentence[: n.start])]
    if not may:
        return None
    name = chance.choice(may)
    passage = case.hit.passage.text
    lines = [line.text for line in chance.sample(case.kin, min(len(case.kin), 40))]
    for text in (passage, "\n".join(lines)):
        rivals = [n.text for n in find_names(text, text) if _rival(n, name, here)]
        if rivals:
            return put(case.sentence, name, chance.choice(sorted(set(rivals))))
    return None


_FIRST_NAMES = frozenset(
    """sam dario elon satya mark sundar demis ilya mira greg yann arthur jensen tim jeff andrej
    jan john daniela gary andy timothée guillaume liang mustafa aidan alexandr brad kevin jack
    helen adam fei-fei geoffrey yoshua emad clem thomas noam aravind nick nat ursula thierry
    joe donald gavin lina kara scarlett sarah david michael james daniel""".split()
)
# One is part of the other, so that what is said of either is often true of both.
_HOUSES = (
    {"google", "deepmind", "alphabet"}, {"alibaba", "qwen"}, {"zhipu", "z.ai"},
    {"meta", "facebook"}, {"xai", "tesla"}, {"openai", "microsoft"},
)  # fmt: skip


def _sort(name: Name) -> str | None:
    first = name.pieces[0]
    if any(char.isdigit() for char in name.text):
        return "model" if re.fullmatch(r"[A-Z][A-Za-z-]+.*\d.*", name.text) else None
    if first in NEWSMAKERS:
        return "company"
    return "person" if first in _FIRST_NAMES and len(name.pieces) > 1 else None


def _rival(name: Name, old: Name, here: Sequence[Name]) -> bool:
    housed = any({name.pieces[0], old.pieces[0]} <= house for house in _HOUSES)
    return _sort(name) == _sort(old) and not housed and not related(name, here)


_NEGATING = re.compile(
    r"\b(?:no|not|never|none|neither|nor|nothing|nobody|without|hardly|cannot|few|little|fail\w*"
    r"|refus\w*|declin\w*|den(?:y|ie[sd])|lack\w*|unlike|except|only)\b|n[’']t\b",
    re.I,
)
# A denial under one of these is not clearly false, or is no English.
_OPEN = re.compile(
    r"\b(?:if|whether|unless|until|once|but|why|rather|instead|even|much|any|either|question\w*"
    r"|doubt\w*|unclear)\b|\?",
    re.I,
)
_NO_PARTICIPLE = re.compile(r"\b(?:has|have|had) not (?!\w+(?:ed|en|wn|de|ld|nt|un|ne|ome)\b)")
_NOT_THESE = re.compile(
    r"\bnot (?:only|just|also|even|still|already|all|both|every|each|a|an|the|now|likely|nearly"
    r"|some|more|less|about|around|roughly)\b"
)


def denied(case: Case, chance: random.Random) -> str | None:
    """`negated`, where the sentence has one plain statement to deny, or one denial to take out."""
    sentence = case.sentence
    denials = _NEGATING.findall(sentence)
    removable = len(re.findall(r"\b(?:not|never) ", sentence))
    if _OPEN.search(sentence) or len(denials) != removable or removable > 1:
        return None
    text = negated(case, chance)
    clumsy = text is None or _NO_PARTICIPLE.search(text) or _NOT_THESE.search(text + sentence)
    return None if clumsy or text is None else text.replace("can not", "cannot")


# Where a word of direction gives none, or its opposite is no English.
_IDIOM = re.compile(
    r"\b(?:once more|more or less|more and more|no (?:more|less|fewer)|left|joined|allowed"
    r"|at (?:first|last|best|worst|least)|(?:best|better)[- ]known|lost|won|cuts?"
    r"|(?<!the )(?<!its )first|first[- ](?:party|person|come|hand)|last|rais\w+|ahead"
    r"|after all|(?:named|looked|looking|look) after|before (?:a|the|an) \w+ (?:court|committee)"
    r"|before it|never before|worse|never|not|more \w+(?<!than)(?<!ive)(?<!ful)(?<!able)(?<!ent)"
    r"(?<!ate)(?<!ant)(?<!ble)(?<!ult)(?<!ely)(?<!lly))\b",
    re.I,
)


def reversed_direction(case: Case, chance: random.Random) -> str | None:
    """`turned`, away from idioms."""
    return None if _IDIOM.search(case.sentence) else turned(case, chance)


# Between two names of which neither is the doer, or which belong to one list.
_LEVEL = re.compile(
    r"\b(?:between|both|like|such as|including|among|as well as|partner\w*|merge\w*|compet\w*"
    r"|agree\w*|similar|same|equal\w*|matche[sd]|alongside|together|compared|comparison|differ\w*"
    r"|variants?|versions?)\b",
    re.I,
)
_APART = 3  # words between them, or one of `ACTION`


def swapped_roles(case: Case, _: random.Random) -> str | None:
    """Two companies, people or models of which different things are said, changed places."""
    names = [n for n in facts_of(case.sentence, case.premise).names if _sort(n)]
    if _LEVEL.search(case.sentence):
        return None
    for left, right in pairwise(names):
        between, after = case.sentence[left.end : right.start], case.sentence[right.end :]
        apart = len(words(between)) >= _APART or ACTION.search(between)
        alike = _sort(left) == _sort(right) and not related(left, [right])
        if apart and alike and ";" not in between and _once(case.sentence, left, right, after):
            return exchange(case.sentence, left, right)
    return None


def _once(sentence: str, left: Name, right: Name, after: str) -> bool:
    """Whether each is named once, and neither as part of a longer name or list."""
    once = sentence.count(left.text) == 1 and sentence.count(right.text) == 1
    return once and not re.match(r",? (?:and|or) [A-Z]|, [A-Z]| [A-Z]", after)


_QUANTIFIERS = (
    (r"\b[Nn]early all\b|\b[Aa]lmost all\b", "hardly any"), (r"\bmost of\b", "none of"),
    (r"\bmost (?=[a-z]+s\b)", "no "), (r"\bmany of\b", "all of"),
    (
        r"(?<!as )\b(?:many|several|some|a few) (?!(?:year|month|week|day|hour|time|point|other)s)"
        r"(?=[a-z]+s\b)",
        "all ",
    ),
    (r"\b[Ss]ome of\b", "all of"), (r"\b[Ss]everal of\b", "none of"),
    (r"\b(?:all|every one) of\b", "none of"), (r"\b[Bb]oth of\b", "neither of"),
    (r"\ball (?=(?:the|its|their) [a-z]+s\b)", "few of "),
    (r"(?<!above )\ball (?=[a-z]+s\b)", "few "), (r"\bevery (?=[a-z]+\b)", "no "),
    (r"\balways\b", "never"), (r"\busually\b|\boften\b|\bsometimes\b", "always"),
    (r"\brarely\b|\bseldom\b", "often"), (r"\bmostly\b|\blargely\b|\bmainly\b", "entirely"),
    (r"\bpartly\b|\bpartially\b", "entirely"),
)  # fmt: skip


def requantified(case: Case, _: random.Random) -> str | None:
    """How many or how often changed, never to what follows: from all to few, from some to all."""
    if re.search(r"\b(?:not|no|than) (?:all|both|every|many|most|some|always)\b", case.sentence):
        return None
    for form, instead in _QUANTIFIERS:
        text, count = re.subn(form, instead, case.sentence, count=1)
        if count:
            return capital(text)
    return None


_PUBLISHERS = (
    "Reuters", "Bloomberg", "The Verge", "Wired", "TechCrunch", "Ars Technica", "CNBC",
    "The Guardian", "The New York Times", "VentureBeat", "The Register", "Financial Times",
)  # fmt: skip


def misattributed(case: Case, chance: random.Random) -> str | None:
    """The sentence under the name of another publisher, or a line of that one under its own."""
    lines = [line for line in case.kin if _foreign(line, case)]
    if lines and chance.random() < 1 / 2:
        line = chance.choice(lines)
        return f"According to {line.article.publisher}, {continued(line.text)}"
    shown = spellings(case.premise)
    names = [p for p in _PUBLISHERS if not all(name_holds(n, shown) for n in find_names(f"x {p}"))]
    form = chance.choice(("According to {}, {}", "{} reported that {}"))
    return form.format(chance.choice(names), continued(case.sentence)) if names else None


_KNOWN = 0.5  # from this share of its content words on, a line may be true of the passage
_NEAREST = 5


def estranged(case: Case, chance: random.Random) -> str | None:
    """A true sentence of another article: one of the nearest in words that isn't told here."""
    lines = [line.text for line in case.kin if _foreign(line, case)]
    near = sorted(lines, key=lambda text: -_shared(text, case.premise))[:_NEAREST]
    return chance.choice(near) if near else None


def _foreign(line: Line, case: Case) -> bool:
    other = line.article.publisher != case.hit.article.publisher
    plain = PLAIN.fullmatch(line.text) and not DISCOURSE.match(line.text)
    return other and bool(plain) and _shared(line.text, case.premise) < _KNOWN


def _shared(text: str, premise: str) -> float:
    stems = _stems(text)
    return len(stems & _stems(premise)) / len(stems) if stems else 1.0


@lru_cache(maxsize=4096)
def _stems(text: str) -> frozenset[str]:
    return frozenset(content_stems(text))


# None of those that the verifier was fitted on.
_PLAUSIBLE = (
    ", and a second round is planned for the autumn",
    ", partly because of rising electricity prices",
    ", a move that rivals quickly copied",
    ", and the company apologised to its customers",
    ", which two former employees confirmed",
    ", under pressure from European lawmakers",
    ", and its share price fell on the news",
    ", after an earlier attempt had failed",
    ", with support from the Canadian government",
    ", despite warnings from security experts",
    ", although engineers had advised against it",
    ", and universities will get it free of charge",
    ", as part of a wider reorganisation",
    ", which the board approved unanimously",
    ", and it intends to hire more staff in London",
    ", mainly to save money",
)


def extended(case: Case, chance: random.Random) -> str | None:
    """A plausible addition that the passage doesn't make."""
    endings = [e for e in _PLAUSIBLE if _shared(e, case.premise) < _KNOWN]
    return f"{case.sentence.rstrip('.')}{chance.choice(endings)}." if endings else None


def moved_apart(case: Case, chance: random.Random) -> str | None:
    """`moved_number`, where the two are no range or list and no "one", which is also a pronoun."""
    if re.search(r"\b[Oo]ne\b", case.sentence):
        return None
    listed = re.search(r"\d\s?(?:–|-|,|and|or|to|of)\s?[$€£]?\d", case.sentence)
    statement = None if listed else moved_number(case, chance)
    return capital(statement) if statement else None


RULER_FALSE: Mapping[str, Rule] = {
    "number": other_number,
    "number moved": moved_apart,
    "date": other_date,
    "name": other_name,
    "negation": denied,
    "comparison": reversed_direction,
    "roles": swapped_roles,
    "quantifier": requantified,
    "source": misattributed,
    "stranger": estranged,
    "addition": extended,
}
