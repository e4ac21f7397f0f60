"""Our assistant over the documents of a benchmark: searched, or handed over."""

from __future__ import annotations

import math
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from corpus.article import Article, Passage
from corpus.errors import GroundwireError
from rag.answer import Answer, Hit
from rag.assistant import Assistant

if TYPE_CHECKING:
    from corpus.embedding import Embedder
    from corpus.library import Scope
    from corpus.settings import Settings
    from rag.evidence import Scorer
    from rag.generate import Generator
    from rag.query import Query

Tick = Callable[[str, int, int | None], None]
"""What is being done, how much of it is done, and how much there is, if that is known."""

T = TypeVar("T")
A = TypeVar("A", bound=Assistant)


@dataclass(frozen=True, slots=True)
class Said:
    """What the assistant said, without the numbers of citations.

    No statement and no error is an abstention. `remarks` are its notes to the user.
    """

    statements: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    error: str = ""

    @property
    def text(self) -> str:
        return "\n".join(self.statements)

    @property
    def first(self) -> str:
        """The first statement; empty where there is none."""
        return self.statements[0] if self.statements else ""

    @property
    def abstained(self) -> bool:
        return not self.statements and not self.error

    @classmethod
    def of(cls, answer: Answer) -> Said:
        return cls(tuple(statement.text for statement in answer.statements), answer.notes)


@dataclass(frozen=True, slots=True)
class Setup:
    """The parts that every question is asked with."""

    settings: Settings
    embedder: Embedder
    scorer: Scorer
    generator: Generator

    def assistant(self, home: Path) -> Assistant:
        return self.equipped(Assistant(home), home)

    def equipped(self, assistant: A, home: Path) -> A:
        """`assistant` with these parts, over the library in `home`."""
        assistant.settings = self.settings.model_copy(update={"home": home, "chroma_url": None})
        assistant.embedder = self.embedder
        assistant.scorer = self.scorer
        assistant.generator = self.generator
        return assistant


@contextmanager
def searching(setup: Setup, articles: Iterable[Article], tick: Tick) -> Iterator[Assistant]:
    """An assistant over a library of `articles`, in a folder that is gone afterwards."""
    from corpus.library import Library
    from ingest.files import Imported
    from ingest.pipeline import Pipeline

    with tempfile.TemporaryDirectory(prefix="groundwire-public-") as folder:
        assistant = setup.assistant(Path(folder))
        items = (Imported(f"article {n}", article) for n, article in enumerate(articles, 1))
        with closing(Library.open(Path(folder))) as library:
            Pipeline(library, setup.embedder, assistant.settings).ingest(items, tick)
        try:
            yield assistant
        finally:
            assistant.indexes().close()
            assistant.library.close()


class Handed(Assistant):
    """An assistant that reads the documents it is handed instead of searching a library."""

    hits: Sequence[Hit] = ()
    rarity: Callable[[str], float]

    def hand(self, documents: Sequence[str]) -> None:
        """From now on, `documents` are what a search finds, in this order."""
        self.hits = [hit_on(text, rank) for rank, text in enumerate(documents, 1)]

    def _retrieve(self, query: Query, scope: Scope, k: int) -> list[Hit]:
        return list(self.hits[:k])

    def _rarity(self, stem: str) -> float:
        return self.rarity(stem)


@contextmanager
def handed(setup: Setup, everything: Iterable[str]) -> Iterator[Handed]:
    """An assistant without an index. How rare a word is, it knows from the texts `everything`."""
    from corpus.library import Library

    with tempfile.TemporaryDirectory(prefix="groundwire-public-") as folder:
        assistant = setup.equipped(Handed(Path(folder)), Path(folder))
        assistant.rarity = rarity_among(everything)
        with closing(Library.open(Path(folder))) as library:
            assistant.library = library
            yield assistant


def hit_on(text: str, rank: int) -> Hit:
    """`text` as a passage of an article of which nothing else is known."""
    article = Article("", text)
    passage = Passage(article.id, article.revision, 0, len(text), text)
    return Hit(passage, article, 1 / rank)


def rarity_among(texts: Iterable[str]) -> Callable[[str], float]:
    """Inverse document frequency of a stem among `texts`, as the lexical index has it.

    >>> rarity = rarity_among(["a red car", "a blue car"])
    >>> rarity("car") < rarity("red") < rarity("green")
    True
    """
    from corpus.lexical import stems

    sets = [set(stems(text)) for text in texts]
    has = Counter(stem for one in sets for stem in one)
    return lambda stem: math.log(1 + (len(sets) - has[stem] + 0.5) / (has[stem] + 0.5))


def ask(assistant: Assistant, question: str) -> Said:
    """What the assistant says; an error of ours is kept, to be counted as a failure."""
    try:
        return Said.of(assistant.ask(question))
    except GroundwireError as error:
        return Said(error=str(error))


def sample(items: Sequence[T], limit: int | None) -> list[T]:
    """`limit` of `items`, always the same ones, in order; all of them where there is no limit.

    Drawn, not every n-th: the rows of RAGTruth go round through six models.
    """
    if limit is None or limit >= len(items):
        return list(items)
    return [items[at] for at in sorted(random.Random(0).sample(range(len(items)), limit))]


def each(items: Sequence[T], name: str, tick: Tick) -> Iterator[T]:
    """`items`, telling `tick` as each is done."""
    tick(name, 0, len(items))
    for done, item in enumerate(items, 1):
        yield item
        tick(name, done, len(items))
