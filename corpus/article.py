"""What an article is, and how it, its revisions and its passages are named.

Ids come from content, so that storing the same thing twice is storing it once:

    article    first 12 hex digits of sha256 of the canonical URL (of the text where there is none)
    revision   first 12 hex digits of sha256 of the text
    passage    article#revision:start-end
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

# Parameters that say where a reader came from, never which page it is.
TRACKING_PREFIXES = ("utm_", "mc_", "fbclid", "gclid", "igshid", "ref_src", "cmpid")


@dataclass(frozen=True, slots=True)
class Article:
    """One document of the corpus, in one revision.

    `published` and `updated` are UTC; midnight sharp means that only the day is known, and `None`
    that nothing is: an undated article stays undated. `date_found` says how `published` was found
    ("front matter", "import", "feed", ...), empty where it wasn't.
    """

    title: str
    text: str
    url: str | None = None
    publisher: str | None = None
    author: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    date_found: str = ""
    kind: str = "article"
    provenance: str | None = None
    topics: tuple[str, ...] = ()
    licence: str | None = None

    @property
    def id(self) -> str:
        return short_hash(canonical_url(self.url) if self.url else self.text)

    @property
    def revision(self) -> str:
        return short_hash(self.text)

    @property
    def day(self) -> str | None:
        """The day of publication in ISO form, "2025-08-05"."""
        return self.published.date().isoformat() if self.published else None

    @property
    def header(self) -> str:
        """Title · publisher · date: what is embedded with each passage, outside its span."""
        return " · ".join(part for part in (self.title, self.publisher, self.day) if part)


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit of retrieval and citation: `article.text[start:end] == passage.text`, always."""

    article_id: str
    revision: str
    start: int
    end: int
    text: str

    @property
    def id(self) -> str:
        return f"{self.article_id}#{self.revision}:{self.start}-{self.end}"


def short_hash(text: str) -> str:
    """First 12 hex digits of the sha256 of `text`.

    >>> short_hash("https://openai.com/open-models")
    '879e59a2a4dc'
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def canonical_url(url: str) -> str:
    """One spelling for all addresses of a page: host in lower case, no fragment, no tracking.

    >>> canonical_url("HTTPS://OpenAI.com/open-models/?utm_source=x#top")
    'https://openai.com/open-models'
    """
    parts = urlsplit(url.strip())
    query = [
        (key, value)
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
        if not key.lower().startswith(TRACKING_PREFIXES)
    ]
    return urlunsplit(
        (parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/ "), urlencode(query), "")
    )


def utc(moment: datetime) -> datetime:
    """`moment` in UTC; one without a zone is taken to be UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def epoch(moment: datetime | None) -> int | None:
    """Seconds since 1970, the form in which both indexes compare dates."""
    return int(moment.timestamp()) if moment else None


def distinct(values: Iterable[str]) -> tuple[str, ...]:
    """`values` in order, each once."""
    return tuple(dict.fromkeys(values))
