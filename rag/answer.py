"""The nouns of answering, as frozen values: from a hit to the Answer that reaches the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from corpus.article import Article, Passage

QUOTED_SENTENCES = 5  # the most that an answer quotes; the reader leaves out the weak ones

Label = Literal["supported", "partial", "unsupported", "contradicted"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a retriever found, its article, and how well it fits (higher is better)."""

    passage: Passage
    article: Article
    score: float

    def to_dict(self) -> dict[str, Any]:
        return {
            "passage_id": self.passage.id,
            "article_id": self.passage.article_id,
            "title": self.article.title,
            "publisher": self.article.publisher,
            "published": self.article.day,
            "url": self.article.url,
            "score": self.score,
            "text": self.passage.text,
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a hit that bears on the question: `article.text[start:end] == text`.

    `score` is the calibrated probability that it answers.
    """

    hit: Hit
    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the verifier says of one statement against one passage.

    `support` lies between 0 and 1. `start:end` is the sentence of the article that backs the
    statement best. `failed` names each hard check that it failed, in words for the user.
    """

    support: float
    label: Label
    start: int
    end: int
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of the answer and the numbers of the citations that back it."""

    text: str
    citations: tuple[int, ...]
    support: float
    label: Label


@dataclass(frozen=True, slots=True)
class Citation:
    """Statement → passage. `quote` is exactly `article.text[start:end]` of `revision`."""

    n: int
    passage_id: str
    article_id: str
    title: str
    publisher: str | None
    published: str | None
    url: str | None
    quote: str
    start: int
    end: int
    revision: str


@dataclass(frozen=True, slots=True)
class Window:
    """The days asked about, both inclusive; `None` leaves a side open."""

    since: date | None = None
    until: date | None = None

    def to_dict(self) -> dict[str, str | None]:
        return {
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What a user gets: statements with their citations, or an abstention with its reason."""

    question: str
    query: str
    text: str
    abstained: bool
    reason: str | None
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...]
    window: Window
    model: str
    as_of: str
    timings_ms: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `ask --json`."""
        return {
            "question": self.question,
            "query": self.query,
            "text": self.text,
            "abstained": self.abstained,
            "reason": self.reason,
            "statements": [
                {
                    "text": s.text,
                    "citations": list(s.citations),
                    "support": round(s.support, 4),
                    "label": s.label,
                }
                for s in self.statements
            ],
            "citations": [
                {
                    "n": c.n,
                    "passage_id": c.passage_id,
                    "article_id": c.article_id,
                    "title": c.title,
                    "publisher": c.publisher,
                    "published": c.published,
                    "url": c.url,
                    "quote": c.quote,
                    "start": c.start,
                    "end": c.end,
                    "revision": c.revision,
                }
                for c in self.citations
            ],
            "hits": [hit.to_dict() for hit in self.hits],
            "window": self.window.to_dict(),
            "model": self.model,
            "as_of": self.as_of,
            "timings_ms": dict(self.timings_ms),
            "notes": list(self.notes),
        }
