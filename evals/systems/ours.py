"""Groundwire as users get it, and with one part switched off at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from corpus.article import Article, Passage
from corpus.indexes import Indexes
from evals.bench import Bench
from evals.systems.seam import Kind, Reply
from rag.answer import Answer, Hit, Verdict
from rag.assistant import Assistant, Token
from rag.evidence import Reader, Reading
from rag.followups import Turn
from rag.generate import Generator, LLMGenerator
from rag.verify import Pair, Verifier

RETRIEVED = 10  # hits that the figures of ranking look at


@dataclass(slots=True)
class Ours:
    """An Assistant over the bench."""

    name: str
    kind: Kind
    about: str
    assistant: Benched
    everything: Sequence[tuple[Passage, Article]]

    @property
    def model(self) -> str:
        return self.assistant.generator.name

    def passages(self) -> Sequence[tuple[Passage, Article]]:
        return self.everything

    def reply(self, question: str, history: Sequence[Turn]) -> Reply:
        """Ask, and look up what more retrieval would have found."""
        drafted, answer = "", None
        for event in self.assistant.stream(question, history):
            if isinstance(event, Token):
                drafted += event.text
            elif isinstance(event, Answer):
                answer = event
        assert answer is not None, "a stream ends with its Answer"
        retrieved = self.assistant.retrieve(question, history, RETRIEVED)
        return Reply(answer, tuple(retrieved), self._tokens(drafted))

    def _tokens(self, drafted: str) -> int | None:
        generator = self.assistant.generator
        return generator.count_tokens(drafted) if isinstance(generator, LLMGenerator) else None


class Benched(Assistant):
    """An Assistant over the bench: its library and embedder, and indexes that stay as they are."""

    def __init__(self, parts: Bench, generator: Generator) -> None:
        super().__init__(parts.settings.home)
        self.settings = parts.settings
        self.library = parts.library
        self.embedder = parts.embedder
        self.scorer = parts.scorer
        self.generator = generator
        self.fixed = parts.indexes

    def indexes(self) -> Indexes:
        return self.fixed


# Parts switched off -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoWords:
    """A lexical index that finds nothing, but still says how rare a word is, as reading needs."""

    real: Any

    def search(self, *_: object, **__: object) -> list[tuple[str, float]]:
        return []

    def scores(self, *_: object, **__: object) -> dict[str, float]:
        return {}

    def rarity(self, stem: str) -> float:
        return float(self.real.rarity(stem))


@dataclass(frozen=True, slots=True)
class NoVectors:
    """A vector index that finds nothing."""

    def search(self, *_: object, **__: object) -> list[tuple[str, float]]:
        return []


@dataclass(frozen=True, slots=True)
class Trusting:
    """A verifier that lets everything pass, and cites what the real one would."""

    real: Verifier

    @property
    def fingerprint(self) -> str:
        return "none"

    def verify(self, pairs: Sequence[Pair]) -> list[Verdict]:
        return [replace(verdict, label="supported") for verdict in self.real.verify(pairs)]


@dataclass(frozen=True, slots=True)
class NeverSilent:
    """A reader that holds every question answered."""

    real: Reader

    @property
    def fingerprint(self) -> str:
        return f"{self.real.fingerprint}, no gate"

    def read(self, question: str, parts: Sequence[str], hits: Sequence[Hit]) -> Reading:
        return replace(self.real.read(question, parts, hits), threshold=0.0, doubt=0.0)


def _without_words(assistant: Benched) -> None:
    silent: Any = NoWords(assistant.fixed.words)
    assistant.fixed = replace(assistant.fixed, words=silent)


def _without_vectors(assistant: Benched) -> None:
    silent: Any = NoVectors()
    assistant.fixed = replace(assistant.fixed, vectors=silent)


def _without_rerank(assistant: Benched) -> None:
    assistant.reranker = None


def _without_verifier(assistant: Benched) -> None:
    assistant.verifier = Trusting(assistant.verifier)


def _without_gate(assistant: Benched) -> None:
    assistant.reader = NeverSilent(assistant.reader)


Switch = Callable[[Benched], None]

SWITCHES: dict[str, tuple[str, Switch]] = {
    "no-bm25": ("retrieval by vectors alone", _without_words),
    "no-vectors": ("retrieval by words alone", _without_vectors),
    "no-rerank": ("hits in the order of the fusion", _without_rerank),
    "no-verifier": ("drafts are said as they are", _without_verifier),
    "no-gate": ("every question is taken for answerable", _without_gate),
}


def ours(parts: Bench, generator: Generator, without: str = "") -> Ours:
    """Groundwire on the bench; `without` names one of SWITCHES."""
    assistant = Benched(parts, generator)
    if not without:
        return Ours("ours", "ours", "Groundwire", assistant, parts.passages())
    about, switch = SWITCHES[without]
    switch(assistant)
    return Ours(without, "ablation", f"Groundwire: {about}", assistant, parts.passages())
