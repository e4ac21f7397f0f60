"""Changing text: a fact put in the place of another, or written in another form."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from datetime import date

from rag.facts import Day, Name, Number, facts_of


def put(text: str, fact: Number | Day | Name, instead: str) -> str:
    """`text` with `instead` where `fact` stands."""
    return text[: fact.start] + instead + text[fact.end :]


def exchange(text: str, left: Number | Name, right: Number | Name) -> str:
    """`text` with `left` and `right` in each other's place."""
    a, b = text[left.start : left.end], text[right.start : right.end]
    return text[: left.start] + b + text[left.end : right.start] + a + text[right.end :]


def related(name: Name, others: Iterable[Name]) -> bool:
    """Whether `name` shares a word with one of `others`."""
    return any(set(name.pieces) & set(other.pieces) for other in others)


def lowered(text: str) -> str:
    """`text` for use inside a sentence: its first word in lower case unless it is a name."""
    first = facts_of(text).names
    return text if first and first[0].start == 0 else text[:1].lower() + text[1:]


def capital(text: str) -> str:
    """`text` with a capital at its start."""
    return text[:1].upper() + text[1:]


def written(day: date, chance: random.Random) -> str:
    """`day` in the British or the American order."""
    return chance.choice((f"{day.day} {day:%B %Y}", f"{day:%B} {day.day}, {day.year}"))


def replace_facts(text: str, change: Callable[[Number | Day], str]) -> str:
    """`text` with every number and date as `change` has it."""
    facts = facts_of(text)
    found: list[Number | Day] = [*facts.numbers, *facts.dates]
    by_place = {fact.start: fact for fact in found}
    for _, fact in sorted(by_place.items(), reverse=True):
        text = put(text, fact, change(fact))
    return text


def otherwise(fact: Number | Day, chance: random.Random) -> str:
    """A number or date in another form; as it is where the rule knows none."""
    if isinstance(fact, Day):
        if fact.year and fact.month and fact.day:
            return written(date(fact.year, fact.month, fact.day), chance)
        return fact.text
    if fact.unit == "$" and fact.value >= 1e9:
        return f"{fact.value / 1e9:g} billion dollars"
    if fact.unit == "%" and fact.text.endswith("%"):
        return f"{fact.value:g} per cent"
    if fact.unit == "" and fact.value >= 1e9:
        return f"{fact.value / 1e9:g}B"
    return f"{fact.value:g}" if fact.unit == "" and fact.text.isalpha() else fact.text


MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
           "October", "November", "December")  # fmt: skip


def shifted(text: str, chance: random.Random) -> str:
    """A date with another month, or an earlier year where it names none."""
    for month in MONTHS:
        if month in text:
            return text.replace(month, chance.choice([m for m in MONTHS if m != month]))
    return re.sub(r"\d{4}", lambda m: str(int(m.group()) - chance.randint(1, 3)), text)


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_WORD = re.compile("|".join(MONTHS))
DAY_NUMBER = re.compile(r"\b\d{1,2}\b")
YEAR_NUMBER = re.compile(r"\b\d{4}\b")
WEEKDAY = re.compile("|".join(WEEKDAYS))


def spelled_otherwise(fact: Number | Day, chance: random.Random) -> str:
    """`otherwise`, and where that leaves it as it is, more forms of money, counts and days."""
    if isinstance(fact, Number) and (fact.value in (1, 1e12) or "-" in fact.text):
        return fact.text  # "1 of them", "15B-parameter" and "1000B" are no English
    text = otherwise(fact, chance)
    if text != fact.text:
        return text
    if isinstance(fact, Day):
        return re.sub(r"^(\d{1,2}) ([A-Z][a-z]+)$", r"\2 \1", text)
    text = re.sub(r"^\$([\d.]+ (?:million|billion|trillion))$", r"\1 dollars", text)
    return re.sub(r"^(\d{1,3}),(\d{3})$", r"\1\2", text)


def continued(text: str) -> str:
    """`lowered`, which knows no passage and takes these for common nouns."""
    return text if text.startswith(("Reuters", "Hugging Face")) else lowered(text)


def balanced(text: str) -> bool:
    """Whether every quotation mark and bracket that opens also closes."""
    return text.count("“") == text.count("”") and text.count("(") == text.count(")")
