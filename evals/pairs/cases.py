"""What a rule works on: a sentence in its passage, and lines of other articles to borrow."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from corpus.article import Article, Passage
from corpus.sentences import split_sentences
from rag.answer import Hit

PASSAGE_WORDS = 150

Rule = Callable[["Case", random.Random], str | None]

# A statement of prose: no heading, list item or piece of a longer quotation.
PLAIN = re.compile(r"(?=(?:\S+\s+){5})[A-Z\d$€£“][^\n]*\.")
DISCOURSE = re.compile(
    r"(?:However|But|And|Yet|Still|Nevertheless|Meanwhile|Therefore|Instead|Both|Neither|Or|So"
    r"|That|This|These|Those|It|They|He|She|Its|Their|His|Her)\b"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and the article it stands in."""

    text: str
    article: Article


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence, the passage it stands in, what follows it there, and lines to borrow from.

    `kin` are lines of articles on the same topic, `strangers` of articles that share none.
    """

    sentence: str
    following: str | None
    hit: Hit
    kin: Sequence[Line]
    strangers: Sequence[Line]

    @property
    def premise(self) -> str:
        """All that a true statement may draw on: the passage, the title and the publisher."""
        article = self.hit.article
        return f"{self.hit.passage.text}\n{article.title}\n{article.publisher or ''}"


def load_articles() -> list[Article]:
    """The bundled digests, in order of their file names."""
    from ingest.bundled import bundled_articles
    from ingest.files import Imported

    return [item.article for item in bundled_articles() if isinstance(item, Imported)]


def dealt(articles: Sequence[Article], chance: random.Random) -> list[tuple[Article, bool]]:
    """Articles in a shuffled order; every second one is for fitting."""
    order = list(articles)
    chance.shuffle(order)
    return [(article, i % 2 == 0) for i, article in enumerate(order)]


def cases_of(article: Article, articles: Sequence[Article]) -> list[Case]:
    others = [a for a in articles if a.id != article.id]
    kin = [a for a in others if article.topics and article.topics[0] in a.topics]
    strangers = [a for a in others if not set(a.topics) & set(article.topics)]
    kin_lines = [line for a in kin for line in _lines(a)]
    stranger_lines = [line for a in strangers for line in _lines(a)]
    cases = []
    for passage in _passages(article):
        lines, hit = split_sentences(passage.text), Hit(passage, article, 1.0)
        follow = [*lines[1:], None]
        cases += [
            Case(line, after, hit, kin_lines, stranger_lines)
            for line, after in zip(lines, follow, strict=True)
        ]
    return cases


def _lines(article: Article) -> list[Line]:
    return [Line(text, article) for text in split_sentences(article.text)]


def _passages(article: Article) -> Iterator[Passage]:
    """Whole paragraphs, joined up to `PASSAGE_WORDS`."""
    paragraphs = [m.span() for m in re.finditer(r"\S.*", article.text)]
    start, end = paragraphs[0]
    for a, b in paragraphs[1:]:
        if len(article.text[start:b].split()) > PASSAGE_WORDS:
            yield _passage(article, start, end)
            start = a
        end = b
    yield _passage(article, start, end)


def _passage(article: Article, start: int, end: int) -> Passage:
    return Passage(article.id, article.revision, start, end, article.text[start:end])
