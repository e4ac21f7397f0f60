"""A warm `ask`, over every question of the eval suite, and where its time goes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, Target, Tell
from benchmarks.homes import bundled_home
from corpus.embedding import Embedder, Role, Vectors
from evals.questions import bundled_questions
from rag.answer import Answer
from rag.assistant import Assistant, Stage

WHOLE = Target("<", 600)
RETRIEVAL = Target("<", 60)
STAGES = ("retrieve", "read", "generate", "verify")


class TimedEmbedder:
    """An Embedder that notes the seconds another one spends encoding."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.name = embedder.name
        self.fingerprint = embedder.fingerprint
        self.dimension = embedder.dimension
        self.max_tokens = embedder.max_tokens
        self.spent = 0.0

    def count_tokens(self, text: str) -> int:
        return self._embedder.count_tokens(text)

    def encode(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        start = time.perf_counter()
        try:
            return self._embedder.encode(texts, role)
        finally:
            self.spent += time.perf_counter() - start


@dataclass(frozen=True, slots=True)
class Asked:
    """One question answered: the Answer, and milliseconds of encoding within retrieval."""

    answer: Answer
    encoding: float


def measure(keep: Path, tell: Tell) -> list[Figure]:
    """Medians over the questions, whole and by stage."""
    assistant = Assistant(home=bundled_home(keep), model="extractive")
    embedder = TimedEmbedder(assistant.embedder)
    assistant.embedder = embedder
    questions = [question.question for question in bundled_questions()]
    assistant.ask(questions[0])
    tell(f"asking {len(questions)} questions")
    return figures([ask(assistant, embedder, question) for question in questions])


def ask(assistant: Assistant, embedder: TimedEmbedder, question: str) -> Asked:
    """The answer to `question`, and how long retrieval waited for the embedder."""
    before = after = embedder.spent
    for event in assistant.stream(question):
        match event:
            case Stage(name="searching"):
                before = embedder.spent
            case Stage(name="reading"):
                after = embedder.spent
            case Answer():
                return Asked(event, 1000 * (after - before))
    raise AssertionError("a stream ends with its Answer")


def figures(asked: Sequence[Asked]) -> list[Figure]:
    """The medians of what was asked."""
    answered = [one for one in asked if not one.answer.abstained]
    whole = [one.answer.timings_ms["total"] for one in asked]
    beside = [one.answer.timings_ms["retrieve"] - one.encoding for one in asked]
    slowest = f"slowest of {len(asked)}: {max(whole):,} ms"
    return [
        Figure("ask, warm", statistics.median(whole), "ms", WHOLE, slowest),
        Figure("retrieval beside encoding the query", statistics.median(beside), "ms", RETRIEVAL),
        Figure("encoding the query", statistics.median(one.encoding for one in asked), "ms"),
        *(_stage(name, answered) for name in STAGES),
    ]


def _stage(name: str, answered: Sequence[Asked]) -> Figure:
    times = [one.answer.timings_ms[name] for one in answered]
    return Figure(
        f"  of it, {name}", statistics.median(times or [0]), "ms", None, f"{len(answered)} answered"
    )
