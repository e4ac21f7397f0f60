"""Ask every question with every generator, score the answers, and say how they did.

The library is a fresh one in a temporary folder, of the bundled corpus alone: what a user's own
library holds doesn't change the figures. Only the models come from the user's home.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from corpus.embedding import Embedder, load_embedder
from corpus.errors import GroundwireError, UsageError
from corpus.indexes import open_current
from corpus.library import Library, Scope, now
from corpus.settings import Settings
from evals.metrics import MRR_K, Found, Judged, Score, judge, quotes_in, score
from evals.questions import Question, Split, bundled_articles, bundled_questions
from ingest.bundled import bundled_articles as bundled_items
from ingest.pipeline import Pipeline
from rag.answer import Answer
from rag.assistant import AUTO_MODEL, Assistant
from rag.llms import installed, load_generator
from rag.query import understand
from rag.retrieve import Retriever
from rag.verify import AlignmentVerifier, Verifier

if TYPE_CHECKING:
    from rag.generate import Generator

BUILT_IN = ("extractive", "smollm2")
ALL = "all"
OK, FAILED = 0, 1

Tick = Callable[[str, int, int | None], None]
"""What is being done, how much of it is done, and how much there is, if that is known."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question and what one generator made of it. `error` is empty where asking worked."""

    question: Question
    found: Found
    answer: Answer | None
    judged: tuple[Judged, ...]
    score: Score
    error: str = ""


@dataclass(frozen=True, slots=True)
class System:
    """A generator with all its items, in the order of the questions."""

    name: str
    items: tuple[Item, ...]

    @property
    def scores(self) -> list[Score]:
        return [item.score for item in self.items]


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that was measured at one time, on one corpus with one set of parts."""

    started: datetime
    split: str
    articles: int
    passages: int
    fingerprints: dict[str, str]
    systems: tuple[System, ...]


def run(settings: Settings, models: Sequence[str], split: str, *, gate: bool, as_json: bool) -> int:
    """Measure and print; the exit code. With `gate`, 1 where a floor is not reached.

    Raises UsageError for a split or model that there isn't, and ModelError for one named that
    can't be loaded.
    """
    from evals import report
    from evals.gate import check, load_floors, measured

    if gate and (split != ALL or set(models) - {"extractive"}):
        raise UsageError(
            "The gate measures extractive on all questions.", "Leave --model and --split out."
        )
    floors = load_floors() if gate else None
    names = ("extractive",) if gate else tuple(models) or ready(settings)
    with report.progress() as tick:
        record = measure(settings, chosen(split), names, split, tick)
    report.show(record, as_json=as_json)
    report.keep(record)
    if floors is None:
        return OK
    faults = check(measured(record), floors)
    report.tell(faults or ["The gate holds: no figure is below its floor."])
    return FAILED if faults else OK


def ready(settings: Settings) -> tuple[str, ...]:
    """The built-in generators that are there; of a missing one, says how to get it."""
    present = {model.name for model in installed(settings.models_dir) if model.present}
    for name in BUILT_IN:
        if name not in present:
            pull = f"groundwire models pull {name} --home {settings.home}"
            print(f"{name} is not measured, since it isn't here. Fetch it: {pull}", file=sys.stderr)
    return tuple(name for name in BUILT_IN if name in present)


def chosen(split: str) -> list[Question]:
    """The bundled questions of a split. Raises UsageError when there is no such split."""
    if split not in (ALL, *get_args(Split)):
        raise UsageError(f"There is no split {split!r}.", "Use dev, test or all.")
    return [question for question in bundled_questions() if split in (ALL, question.split)]


def measure(
    settings: Settings, questions: Sequence[Question], names: Sequence[str], split: str, tick: Tick
) -> Run:
    """Ask `questions` with each of the generators `names`, on the bundled corpus alone."""
    named = dict.fromkeys(AUTO_MODEL if name == "auto" else name for name in names)
    generators = [load_generator(name, settings.models_dir) for name in named]
    started = now()
    with bench(settings, tick) as parts:
        found = [parts.found(question) for question in questions]
        systems = [_system(parts, g, questions, found, tick) for g in generators]
        counts = parts.library.counts()
        return Run(started, split, counts.articles, counts.passages, parts.prints, tuple(systems))


@dataclass(frozen=True, slots=True)
class Bench:
    """A library of the bundled corpus, what searches it, and what judges answers from it."""

    settings: Settings
    library: Library
    retriever: Retriever
    verifier: Verifier
    id_of: dict[str, str]
    """The id of the article in each file, by the file's stem."""

    @property
    def embedder(self) -> Embedder:
        return self.retriever.embedder

    @property
    def prints(self) -> dict[str, str]:
        """What the figures depend on, beside the questions and the corpus."""
        reader = self.assistant().reader.fingerprint
        verifier = self.verifier.fingerprint
        return {"embedder": self.embedder.fingerprint, "reader": reader, "verifier": verifier}

    def assistant(self) -> Assistant:
        """An Assistant over this library, with the parts that are loaded already."""
        assistant = Assistant(self.settings.home)
        assistant.settings = self.settings
        assistant.embedder = self.embedder
        return assistant

    def found(self, question: Question) -> Found:
        """Which gold quotes lie in which of the hits that `ask` would read, and two more."""
        publishers = self.library.publishers()
        query = understand(question.question, today=now().date(), publishers=publishers)
        hint = Scope(query.window.since, query.window.until, query.publishers)
        hits = self.retriever.search([query.text, *query.parts], MRR_K, None, hint)
        return [quotes_in(hit, question.evidence, self.id_of) for hit in hits]


@contextmanager
def bench(settings: Settings, tick: Tick) -> Iterator[Bench]:
    """The bundled corpus, indexed in a folder that is gone afterwards."""
    embedder = load_embedder(settings)
    with tempfile.TemporaryDirectory(prefix="groundwire-eval-") as folder:
        apart = settings.model_copy(update={"home": Path(folder), "chroma_url": None})
        library = Library.open(apart.home)
        Pipeline(library, embedder, apart).ingest(bundled_items(), tick)
        indexes = open_current(library, apart, embedder)
        stems = {text: stem for stem, text in bundled_articles().items()}
        id_of = {stems[article.text]: article.id for article in library.articles()}
        try:
            retriever = Retriever(library, indexes, embedder)
            yield Bench(apart, library, retriever, AlignmentVerifier(embedder.encode), id_of)
        finally:
            indexes.close()
            library.close()


def _system(
    parts: Bench,
    generator: Generator,
    questions: Sequence[Question],
    found: Sequence[Found],
    tick: Tick,
) -> System:
    assistant = parts.assistant()
    assistant.generator = generator
    items: list[Item] = []
    tick(generator.name, 0, len(questions))
    for question, evidence in zip(questions, found, strict=True):
        items.append(ask(assistant, question, evidence, parts))
        tick(generator.name, len(items), len(questions))
    return System(generator.name, tuple(items))


def ask(assistant: Assistant, question: Question, found: Found, parts: Bench) -> Item:
    """Ask, judge and score one question; an error of ours is scored as a failure."""
    try:
        answer = assistant.ask(question.question)
    except GroundwireError as error:
        return Item(question, found, None, (), score(question, found, None, ()), str(error))
    judged = judge(answer, parts.library, parts.verifier)
    return Item(question, found, answer, tuple(judged), score(question, found, answer, judged))
