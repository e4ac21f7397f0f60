"""Ask every question of every system, judge and score the answers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import get_args

from corpus.article import Article
from corpus.errors import GroundwireError, UsageError
from corpus.library import now
from corpus.settings import Settings
from evals.bench import Bench, Tick, bench
from evals.judges import load_judge
from evals.judges.load import DEFAULT
from evals.judges.seam import Judge
from evals.judging import judged
from evals.metrics.retrieval import Found
from evals.pairs import load_articles, ruler_samples
from evals.questions import Question, Split, bundled_questions
from evals.ruler import Ruling, probes_of
from evals.ruler import measure as measure_judge
from evals.scores import Judged, Score, quotes_in, score
from evals.systems import ABLATIONS, BASELINES, OURS, build, named, planned
from evals.systems.seam import Kind, System
from rag.answer import Answer, Hit
from rag.assistant import AUTO_MODEL
from rag.llms import installed, load_generator

BUILT_IN = ("extractive", "smollm2")
ALL = "all"
OK, FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Item:
    """One question and what one system made of it. `error` is empty where asking worked."""

    question: Question
    found: Found
    answer: Answer | None
    judged: tuple[Judged, ...]
    score: Score
    error: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """A system with all its items, in the order of the questions."""

    name: str
    kind: Kind
    model: str
    about: str
    items: tuple[Item, ...]

    @property
    def scores(self) -> list[Score]:
        return [item.score for item in self.items]


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that was measured at one time, on one corpus with one set of parts."""

    started: datetime
    split: str
    judge: str
    judge_fingerprint: str
    articles: tuple[Article, ...]
    passages: int
    fingerprints: dict[str, str]
    systems: tuple[Measured, ...]
    ruler: Ruling | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured: names of systems and models, a split, and who judges."""

    systems: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    split: str = ALL
    judge: str = DEFAULT
    ruler: bool = True


def evaluate(settings: Settings, plan: Plan, out: Path | None, *, gate: bool, as_json: bool) -> int:
    """Measure, print and keep; the exit code. With `gate`, 1 where a floor is not reached.

    Raises UsageError for a split, system, model or judge that there isn't, and ModelError for one
    that can't be loaded.
    """
    from evals.gate import check, load_floors, measured
    from evals.record import to_record
    from evals.report.files import keep, place
    from evals.report.terminal import progress, show, tell

    if gate and plan != Plan():
        raise UsageError(
            "The gate measures what its floors were set on.", "Leave the other options out."
        )
    floors = load_floors() if gate else None
    folder = place(out)
    with progress() as tick:
        run = measure(settings, GATED if gate else _filled(plan, settings), tick)
    record = to_record(run)
    show(record, as_json=as_json)
    tell([f"Every item, to read: {keep(record, folder) / 'report.html'}"])
    if floors is None:
        return OK
    faults = check(measured(run), floors)
    tell(faults or ["The gate holds: no figure is below its floor."])
    return FAILED if faults else OK


# All questions and the ruler, in about three minutes on two cores: no model writes.
GATED = Plan(systems=(OURS,), models=("extractive",))


def _filled(plan: Plan, settings: Settings) -> Plan:
    """`plan` with everything that can be measured where it names nothing."""
    return Plan(
        systems=named(plan.systems) or (OURS, *BASELINES, *ABLATIONS),
        models=plan.models or ready(settings),
        split=plan.split,
        judge=plan.judge,
        ruler=plan.ruler,
    )


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


def measure(settings: Settings, plan: Plan, tick: Tick) -> Run:
    """Ask the questions of `plan` of each of its systems, on the bundled corpus alone."""
    questions = chosen(plan.split)
    models = dict.fromkeys(AUTO_MODEL if name == "auto" else name for name in plan.models)
    generators = [load_generator(name, settings.models_dir) for name in models]
    pairs = planned(plan.systems, generators)
    judge = load_judge(plan.judge, settings)
    started = now()
    with bench(settings, tick) as parts:
        asked = [
            _measured(build(name, generator, parts), questions, parts, judge, tick)
            for name, generator in pairs
        ]
        return Run(
            started=started,
            split=plan.split,
            judge=judge.name,
            judge_fingerprint=judge.fingerprint,
            articles=tuple(parts.library.articles()),
            passages=len(parts.passages()),
            fingerprints=_fingerprints(parts),
            systems=tuple(asked),
            ruler=_ruled(judge, tick) if plan.ruler else None,
        )


def _ruled(judge: Judge, tick: Tick) -> Ruling:
    """The judge measured on the ruler's own pairs."""
    return measure_judge(judge, probes_of(ruler_samples(load_articles())), tick)


def _fingerprints(parts: Bench) -> dict[str, str]:
    """What the figures depend on, beside the questions and the corpus."""
    from evals.systems.ours import ours
    from rag.generate import ExtractiveGenerator

    assistant = ours(parts, ExtractiveGenerator()).assistant
    reranker = assistant.reranker
    return {
        "embedder": parts.embedder.fingerprint,
        "reranker": reranker.fingerprint if reranker else "none",
        "reader": assistant.reader.fingerprint,
        "verifier": assistant.verifier.fingerprint,
    }


def _measured(
    system: System, questions: Sequence[Question], parts: Bench, judge: Judge, tick: Tick
) -> Measured:
    name = f"{system.name}/{system.model}"
    everything = [Hit(passage, article, 0.0) for passage, article in system.passages()]
    items: list[Item] = []
    tick(name, 0, len(questions))
    for question in questions:
        relevant = sum(bool(quotes_in(hit, question.evidence, parts.id_of)) for hit in everything)
        items.append(ask(system, question, relevant, parts, judge))
        tick(name, len(items), len(questions))
    return Measured(name, system.kind, system.model, system.about, tuple(items))


def ask(system: System, question: Question, relevant: int, parts: Bench, judge: Judge) -> Item:
    """Ask, judge and score one question; an error of ours is scored as a failure.

    `relevant` is how many of the system's passages hold gold evidence.
    """
    try:
        reply = system.reply(question.question, question.history)
    except GroundwireError as error:
        return Item(
            question, (), None, (), score(question, (), relevant, None, (), None), str(error)
        )
    found = [quotes_in(hit, question.evidence, parts.id_of) for hit in reply.retrieved]
    told = tuple(judged(reply.answer, parts.library, judge))
    marks = score(question, found, relevant, reply.answer, told, reply.tokens)
    return Item(question, found, reply.answer, told, marks)
