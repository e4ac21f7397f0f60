"""What a judge is asked and what it says, as values, and how a hit becomes text for any judge."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from corpus.article import Article, Passage
from rag.answer import Hit
from rag.prompts import one_line

SEPARATOR = " · "
UNKNOWN = "–"  # stands for a missing part, so that a header always has three
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")

Header = tuple[str, str | None, date | None]


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement, and the texts that are to back it."""

    statement: str
    contexts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grade:
    """What a judge says of a claim.

    `passing` is `None` where the judge could not be read: counted, never passed. `score` lies
    between 0 and 1, more for more support. `reason` is for people.
    """

    passing: bool | None
    score: float | None
    reason: str


def as_context(hit: Hit) -> str:
    """The passage under one line of title · publisher · day; what is unknown is a dash.

    >>> article = Article("gpt-oss is here", "It is free.", publisher="OpenAI")
    >>> print(as_context(Hit(Passage("", "", 0, 11, article.text), article, 1.0)))
    gpt-oss is here · OpenAI · –
    It is free.
    """
    article = hit.article
    # Read back from the right, only a title may hold the mark that separates.
    publisher = (article.publisher or "").replace("·", "-")
    parts = (one_line(part or "") for part in (article.title, publisher, article.day))
    return SEPARATOR.join(part or UNKNOWN for part in parts) + f"\n{hit.passage.text}"


def hit_of(context: str) -> Hit:
    """The hit that `as_context` wrote down, as far as a verifier can tell.

    Author, address and place in the article are not in the text and so are lost. A text from
    elsewhere, without that first line, is a passage of an article of which nothing is known.

    >>> hit_of("gpt-oss is here · OpenAI · 2025-08-05\\nIt is free.").article.day
    '2025-08-05'
    >>> hit_of("It is free.").article.title
    ''
    """
    line, text = parted(context)
    title, publisher, day = _read_header(line) or ("", None, None)
    published = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
    article = Article(title, text, publisher=publisher, published=published)
    return Hit(Passage(article.id, article.revision, 0, len(text), text), article, 0.0)


def parted(context: str) -> tuple[str, str]:
    """Header line and text of `context`; an empty line where it has no header.

    >>> parted("Two lines\\nof prose")
    ('', 'Two lines\\nof prose')
    """
    line, _, text = context.partition("\n")
    return (line, text) if _read_header(line) else ("", context)


def _read_header(line: str) -> Header | None:
    match line.rsplit(SEPARATOR, 2):
        case [title, publisher, day] if day == UNKNOWN or _ISO_DAY.fullmatch(day):
            known = [None if part == UNKNOWN else part for part in (title, publisher, day)]
        case _:
            return None
    try:
        return known[0] or "", known[1], date.fromisoformat(known[2]) if known[2] else None
    except ValueError:  # "2025-13-40" is no day, so this is no header
        return None
