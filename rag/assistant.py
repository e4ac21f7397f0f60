"""The whole of answering on one screen: where the parts are put together.

understand → retrieve → read → generate → verify → Answer
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from corpus.errors import EmptyLibraryError, UsageError
from rag.answer import Answer, Citation, Hit, Statement, Window
from rag.cite import answer_text, check, cite
from rag.followups import Turn
from rag.query import Query, clean, understand

if TYPE_CHECKING:
    from corpus.embedding import Embedder
    from corpus.indexes import Indexes
    from corpus.library import Library, Scope
    from corpus.settings import Settings
    from rag.evidence import Reader, Reading, Scorer
    from rag.generate import Generator
    from rag.rerank import Reranker
    from rag.retrieve import Retriever
    from rag.verify import Verifier

# The better of the two built-in generators on the questions of the eval suite (README, Results).
AUTO_MODEL = "extractive"
HITS = 8
MOST_HITS = 100
DOUBT = (
    "Weak evidence: these sentences come nearest, but they may not answer the question "
    "(probability {:.2f})."
)
NO_ANSWER = "The library does not answer this question."

T = TypeVar("T")
StageName = Literal["understanding", "searching", "reading", "writing", "checking"]
Exchange = Turn | tuple[str, str] | Mapping[str, str]
Day = date | str
Statements = tuple[Statement, ...]
Citations = tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """What the assistant is doing now, in a word, and on what."""

    name: StageName
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the draft as it is written: unverified, not to be shown as the answer."""

    text: str


Event = Stage | Token | Answer


@dataclass(slots=True)
class _Clock:
    """Milliseconds by stage."""

    started: float = field(default_factory=time.perf_counter)
    spent: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timing(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.spent[name] = self.spent.get(name, 0.0) + time.perf_counter() - start

    def read(self) -> dict[str, int]:
        stages = ("retrieve", "read", "generate", "verify")
        spent = {name: self.spent.get(name, 0.0) for name in stages}
        spent["total"] = time.perf_counter() - self.started
        return {name: round(1000 * seconds) for name, seconds in spent.items()}


class part(cached_property[T]):  # noqa: N801  it is used like `property`
    """A part of the Assistant, made when first asked for, once, whichever threads ask.

    From Python 3.12 on, cached_property would let two threads fill an empty library at once.
    """

    def __get__(self, assistant: Any, owner: type[Any] | None = None) -> T:  # type: ignore[override]
        with assistant._lock:
            made: T = super().__get__(assistant, owner)
            return made


class Assistant:
    """Answers questions from the library in `home`. Parts are loaded when first needed.

    `model` is a generator's name ("auto" takes the better of the built-in two); any other setting
    can be given by name. Safe to share between threads.
    """

    def __init__(
        self,
        home: Path | str | None = None,
        model: str | None = None,
        **settings: str | Path | None,
    ) -> None:
        from corpus.settings import load_settings

        self.settings: Settings = load_settings(home=home, model=model, **settings)
        self._lock = threading.RLock()
        self._opened: tuple[object, Indexes] | None = None

    def ask(
        self,
        question: str,
        history: Sequence[Exchange] = (),
        since: Day | None = None,
        until: Day | None = None,
        publishers: Sequence[str] | None = None,
    ) -> Answer:
        """The answer to `question`, or an abstention with its reason.

        `history` holds earlier exchanges, oldest first; `since` and `until` are days, inclusive.

        Raises UsageError for a question or option that can't be used, and other GroundwireErrors
        where the library or a model can't.
        """
        for event in self.stream(question, history, since, until, publishers):
            if isinstance(event, Answer):
                return event
        raise AssertionError("a stream ends with its Answer")

    def stream(
        self,
        question: str,
        history: Sequence[Exchange] = (),
        since: Day | None = None,
        until: Day | None = None,
        publishers: Sequence[str] | None = None,
    ) -> Iterator[Event]:
        """Stages as they begin, tokens of the draft, and the Answer last."""
        from rag.evidence import newest_first

        clock, notes = _Clock(), list[str]()
        yield Stage("understanding")
        scope = self._scope(since, until, publishers)
        query = self._understood(question, history)
        yield Stage("searching", query.text)
        with clock.timing("retrieve"):
            hits = self._retrieve(query, scope, HITS)
        yield Stage("reading", f"{len(hits)} passages")
        with clock.timing("read"):
            reading = self.reader.read(query.text, query.parts, hits)
        answer = _Draft(self, question, query, scope, hits, notes, clock)
        if not reading.answers:
            yield answer.abstained(_why_not(hits, reading, scope))
            return
        if reading.doubtful:
            notes.append(DOUBT.format(reading.answerable))
        evidence = newest_first(reading.evidence) if query.recent else reading.evidence
        yield Stage("writing", self.generator.name)
        drafted = ""
        with clock.timing("generate"):
            for piece in self.generator.draft(query.text, evidence, notes):
                drafted += piece
                yield Token(piece)
        yield Stage("checking")
        with clock.timing("verify"):
            checked = check(drafted, evidence, self.verifier)
        if checked.note:
            notes.append(checked.note)
        if not checked.sentences:
            yield answer.abstained("Nothing that could be said is backed by the passages found.")
            return
        yield answer.given(*cite(checked.sentences))

    def search(
        self,
        query: str,
        k: int = HITS,
        since: Day | None = None,
        until: Day | None = None,
        publishers: Sequence[str] | None = None,
    ) -> list[Hit]:
        """The `k` passages that fit `query` best, best first."""
        if not 1 <= k <= MOST_HITS:
            raise UsageError(f"k is {k}; it must lie between 1 and {MOST_HITS}.", "Change it.")
        scope = self._scope(since, until, publishers)
        with self._retriever() as retriever:
            return retriever.search([clean(query)], k, scope)

    def retrieve(self, question: str, history: Sequence[Exchange] = (), k: int = HITS) -> list[Hit]:
        """The first `k` passages that `ask` would read, had it to read so many."""
        from corpus.library import Scope

        return self._retrieve(self._understood(question, history), Scope(), k)

    # The parts

    @part
    def library(self) -> Library:
        """The Library in the data folder, filled with the bundled corpus if it was empty."""
        from corpus.library import Library

        library = Library.open(self.settings.home)
        if library.current() is None:
            _fill(self.settings)
        if library.current() is None:
            raise EmptyLibraryError(
                f"The library in {self.settings.home} is empty.", "Fill it with: groundwire ingest"
            )
        return library

    @part
    def embedder(self) -> Embedder:
        """The embedding model."""
        from corpus.embedding import load_embedder

        return load_embedder(self.settings)

    @part
    def generator(self) -> Generator:
        """What writes drafts."""
        from rag.llms import load_generator

        name = AUTO_MODEL if self.settings.model == "auto" else self.settings.model
        return load_generator(name, self.settings.models_dir)

    @part
    def verifier(self) -> Verifier:
        """What checks drafts."""
        from rag.verify import AlignmentVerifier

        return AlignmentVerifier(self.embedder.encode)

    @part
    def reranker(self) -> Reranker | None:
        """What puts the passages found in order."""
        from rag.rerank import FeatureReranker

        return FeatureReranker(self._rarity)

    @part
    def reader(self) -> Reader:
        """What reads hits."""
        from rag.evidence import FeatureReader

        return FeatureReader(self.embedder, self._rarity, self.scorer)

    @part
    def scorer(self) -> Scorer:
        """The trained part of the reader."""
        from rag.trained import TrainedReader

        return TrainedReader.open(self.settings.models_dir)

    def _rarity(self, stem: str) -> float:
        return self.indexes().words.rarity(stem)

    @contextmanager
    def _retriever(self) -> Iterator[Retriever]:
        from rag.retrieve import Retriever

        with self._lock:  # reopening must not pull the index from under another thread
            yield Retriever(self.library, self.indexes(), self.embedder, self.reranker)

    def indexes(self) -> Indexes:
        """Both indexes, opened anew after another process has written to the library."""
        from corpus.indexes import open_current

        with self._lock:
            stamp = self.library.stamp()
            if self._opened is None or self._opened[0] != stamp:
                if self._opened is not None:
                    self._opened[1].close()
                self._opened = None
                self._opened = stamp, open_current(self.library, self.settings, self.embedder)
            return self._opened[1]

    def _understood(self, question: str, history: Sequence[Exchange]) -> Query:
        turns = [_turn(exchange) for exchange in history]
        return understand(question, turns, today=_today(), publishers=self.library.publishers())

    def _retrieve(self, query: Query, scope: Scope, k: int) -> list[Hit]:
        from corpus.library import Scope

        hint = Scope(query.window.since, query.window.until, query.publishers)
        with self._retriever() as retriever:
            return retriever.search([query.text, *query.parts], k, scope, hint)

    def _scope(
        self, since: Day | None, until: Day | None, publishers: Sequence[str] | None
    ) -> Scope:
        from corpus.library import Scope

        first, last = _day(since, "since"), _day(until, "until")
        if first and last and first > last:
            raise UsageError(f"since ({first}) lies after until ({last}).", "Exchange them.")
        given = [publishers] if isinstance(publishers, str) else publishers or ()
        named = tuple(self._publisher(name) for name in given)
        return Scope(first, last, named)

    def _publisher(self, name: str) -> str:
        """The publisher called `name`, in the library's spelling."""
        known = {publisher.casefold(): publisher for publisher in self.library.publishers()}
        folded = name.strip().casefold()
        for spelling in (folded, f"the {folded}"):
            if spelling in known:
                return known[spelling]
        raise UsageError(f"No article of the library is by {name!r}.", _did_you_mean(folded, known))


@dataclass(frozen=True, slots=True)
class _Draft:
    """What an Answer and an abstention have in common."""

    assistant: Assistant
    question: str
    query: Query
    scope: Scope
    hits: Sequence[Hit]
    notes: list[str]
    clock: _Clock

    def given(self, statements: Statements, citations: Citations) -> Answer:
        return self._answer(answer_text(statements), statements, citations, None)

    def abstained(self, reason: str) -> Answer:
        return self._answer(NO_ANSWER, (), (), reason)

    def _answer(
        self, text: str, statements: Statements, citations: Citations, reason: str | None
    ) -> Answer:
        window = self.query.window
        return Answer(
            question=self.question,
            query=self.query.text,
            text=text,
            abstained=reason is not None,
            reason=reason,
            statements=statements,
            citations=citations,
            hits=tuple(self.hits),
            window=Window(self.scope.since or window.since, self.scope.until or window.until),
            model=self.assistant.generator.name,
            as_of=self.assistant.library.newest() or "",
            timings_ms=self.clock.read(),
            notes=tuple(self.notes),
        )


def _why_not(hits: Sequence[Hit], reading: Reading, scope: Scope) -> str:
    if not hits and scope:
        return "No article lies within the days and publishers asked for and bears on it."
    if not hits:
        return "No passage bears on it."
    return (
        f"The {len(hits)} passages that come nearest do not seem to answer it "
        f"(probability {reading.answerable:.2f}; {reading.threshold:.2f} is needed)."
    )


def _fill(settings: Settings) -> None:
    """Let whoever can fill an empty library do so: the entry points `groundwire.fill`.

    Answering never imports ingestion; the package says in its metadata who fills a library.
    """
    from importlib.metadata import entry_points

    for entry in entry_points(group="groundwire.fill"):
        entry.load()(settings)


def _turn(exchange: Exchange) -> Turn:
    if isinstance(exchange, Turn):
        return exchange
    if isinstance(exchange, Mapping):
        return Turn(str(exchange.get("question", "")), str(exchange.get("answer", "")))
    question, answer = exchange
    return Turn(question, answer)


def _day(value: Day | None, name: str) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value.strip())
    except ValueError as error:
        raise UsageError(
            f"{name} is {value!r}, which is not a day.", "Write it like 2025-08-05."
        ) from error


def _did_you_mean(name: str, known: Mapping[str, str]) -> str:
    from difflib import get_close_matches

    near = [known[match] for match in get_close_matches(name, known, n=3, cutoff=0.5)]
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return "See who is: groundwire status"


def _today() -> date:
    from corpus.library import now

    return now().date()
