"""Run a public benchmark with our assistant, or with a judge, and print the figures.

`groundwire eval public NAME PATH`
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from corpus.errors import UsageError
from corpus.settings import Settings
from evals.public import multihop, ragtruth, rgb, squad
from evals.public.asking import Setup, Tick, ask, each, handed, sample, searching
from evals.public.figures import Result, show

OK = 0

RGB_NOTES = (
    "An abstention stands for the refusal that the paper's prompt asks for.",
    "No prompt of ours asks to say that documents are false: error detection is 0 until one does.",
)
SQUAD_NOTES = (
    "The paragraph has to be found first, and answers are sentences: not comparable with "
    "published figures.",
)
MULTIHOP_NOTES = (
    "Hits, MAP and accuracy as in the authors' scripts; evidence@k is the paper's wording of "
    "Hits@k.",
)


def run_public(
    name: str,
    path: Path,
    settings: Settings,
    model: str,
    judge: str,
    limit: int | None,
    as_json: bool,
) -> int:
    """Measure on the files at `path` and print; the exit code.

    `limit` is how many items are asked, always the same ones; of RGB, of each file. `model` answers
    all benchmarks but RAGTruth, which is `judge`'s.

    Raises UsageError for a name or limit that can't be used, InputError for malformed files, and
    ModelError where a model can't be used.
    """
    from evals.report.terminal import progress

    if name not in BENCHMARKS:
        raise UsageError(
            f"There is no public benchmark {name!r}.", f"Use one of: {', '.join(BENCHMARKS)}."
        )
    if limit is not None and limit < 1:
        raise UsageError(f"The limit is {limit}; it must be at least 1.", "Change it.")
    with progress() as tick:
        result = BENCHMARKS[name](
            path, settings, judge if name == "ragtruth" else model, limit, tick
        )
    show(result, as_json=as_json)
    return OK


def run_multihop(
    path: Path, settings: Settings, model: str, limit: int | None, tick: Tick
) -> Result:
    """A library of all its articles; a sample of its queries."""
    data = multihop.load(path)
    queries = sample(data.queries, limit)
    setup = load_setup(settings, model)
    outcomes = []
    with searching(setup, data.articles, tick) as assistant:
        for query in each(queries, "asking", tick):
            hits = assistant.retrieve(query.text, k=multihop.K)
            passages = tuple(hit.passage.text for hit in hits)
            outcomes.append(multihop.Outcome(query, passages, ask(assistant, query.text)))
    errors = tuple(o.said.error for o in outcomes if o.said.error)
    figures = multihop.figures(outcomes)
    return Result(
        "MultiHop-RAG", str(path), _by(setup), len(queries), figures, MULTIHOP_NOTES, errors
    )


def run_rgb(path: Path, settings: Settings, model: str, limit: int | None, tick: Tick) -> Result:
    """Each item with the documents that the authors' script draws for it."""
    files = rgb.load(path)
    chosen = {kind: sample(items, limit) for kind, items in files.items()}
    trials = [trial for kind, items in chosen.items() for trial in rgb.trials(kind, items)]
    setup = load_setup(settings, model)
    outcomes = []
    with handed(setup, {text for trial in trials for text in trial.documents}) as assistant:
        for trial in each(trials, "asking", tick):
            assistant.hand(trial.documents)
            outcomes.append(rgb.Outcome(trial, ask(assistant, trial.item.question)))
    errors = tuple(o.said.error for o in outcomes if o.said.error)
    items = sum(map(len, chosen.values()))
    return Result("RGB", str(path), _by(setup), items, rgb.figures(outcomes), RGB_NOTES, errors)


def run_squad(path: Path, settings: Settings, model: str, limit: int | None, tick: Tick) -> Result:
    """A library of all its paragraphs; a sample of its questions."""
    data = squad.load(path)
    queries = sample(data.queries, limit)
    setup = load_setup(settings, model)
    with searching(setup, data.articles, tick) as assistant:
        outcomes = [
            squad.Outcome(query, ask(assistant, query.text))
            for query in each(queries, "asking", tick)
        ]
    errors = tuple(o.said.error for o in outcomes if o.said.error)
    figures = squad.figures(outcomes)
    return Result("SQuAD", str(path), _by(setup), len(queries), figures, SQUAD_NOTES, errors)


def run_ragtruth(
    path: Path, settings: Settings, judge: str, limit: int | None, tick: Tick
) -> Result:
    """A sample of its test responses, each sentence judged by the source."""
    from evals.judges import load_judge

    responses = sample(ragtruth.load(path), limit)
    loaded = load_judge(judge, settings)
    detections = [ragtruth.detect(loaded, one) for one in each(responses, "judging", tick)]
    figures = ragtruth.figures(detections)
    return Result("RAGTruth", str(path), f"judged by {loaded.name}", len(responses), figures)


BENCHMARKS: dict[str, Callable[[Path, Settings, str, int | None, Tick], Result]] = {
    "multihop": run_multihop,
    "rgb": run_rgb,
    "squad": run_squad,
    "ragtruth": run_ragtruth,
}


def load_setup(settings: Settings, model: str) -> Setup:
    """The parts to ask with. Raises ModelError where one is missing or can't be loaded."""
    from corpus.embedding import load_embedder
    from rag.assistant import AUTO_MODEL
    from rag.llms import load_generator
    from rag.trained import TrainedReader

    name = AUTO_MODEL if model == "auto" else model
    generator = load_generator(name, settings.models_dir)
    scorer = TrainedReader.open(settings.models_dir)
    return Setup(settings, load_embedder(settings), scorer, generator)


def _by(setup: Setup) -> str:
    return f"answered by {setup.generator.name}"
