"""Ingest against the bare encoder: what of its speed is left when everything around it is done.

The baseline is `SentenceTransformer.encode` of the very texts that ingest embeds, at the batch size
that suits it best. The two take turns, and the ratio is the median of those of single rounds, so
that a machine which is busy for a while is unfair to neither.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Target, Tell, seconds
from benchmarks.homes import bundled_home
from corpus.embedding import Embedder, load_embedder, locate
from corpus.library import Library
from corpus.settings import Settings
from ingest.bundled import bundled_articles
from ingest.pipeline import Pipeline, embedded_text

BATCH_SIZES = (8, 16, 32, 64)
TRIED_ON = 64  # texts on which batch sizes are tried
ROUNDS = 5
LEAST_RATIO = Target(">=", 0.90)

Bare = Callable[[Sequence[str], int], object]
Times = Mapping[str, Sequence[float]]


def measure(keep: Path, tell: Tell) -> list[Figure]:
    """Passages per second of ingest, of our encoder alone, and of the bare encoder."""
    settings = Settings(home=bundled_home(keep))
    embedder, bare = load_embedder(settings), bare_encoder(settings)
    texts = texts_of(settings, embedder)
    size = best_batch_size(bare, texts[:TRIED_ON], tell)
    runs: dict[str, Callable[[], object]] = {
        "ingest": partial(ingest_afresh, embedder),
        "bare": partial(bare, texts, size),
        "ours": partial(embedder.encode, texts),
    }
    return figures(in_turns(runs, tell), len(texts), size)


def best_batch_size(bare: Bare, texts: Sequence[str], tell: Tell) -> int:
    """The batch size at which the bare encoder is fastest, each tried twice."""
    taken = {n: min(seconds(partial(bare, texts, n)) for _ in range(2)) for n in BATCH_SIZES}
    tell(", ".join(f"batches of {size}: {t:.1f} s" for size, t in taken.items()))
    return min(taken, key=taken.__getitem__)


def in_turns(runs: Mapping[str, Callable[[], object]], tell: Tell) -> Times:
    """The times of each run, in rounds of one each."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS):
        for name, run in runs.items():
            times[name].append(seconds(run))
        told = (f"{name} {taken[-1]:.1f} s" for name, taken in times.items())
        tell(f"round {turn + 1} of {ROUNDS}: {', '.join(told)}")
    return times


def figures(times: Times, passages: int, size: int) -> list[Figure]:
    """Rates by the median time, and ratios by the median of the rounds' own."""
    rates = {name: passages / statistics.median(taken) for name, taken in times.items()}
    beside = f"bare encode {rates['bare']:.1f}/s, in batches of {size}"

    def ratio(name: str) -> float:
        rounds = zip(times["bare"], times[name], strict=True)
        return statistics.median(bare / taken for bare, taken in rounds)

    return [
        Figure(f"ingest of {passages} passages", rates["ingest"], "/s", None, beside),
        Figure("ingest, against bare encode", ratio("ingest"), "x", LEAST_RATIO),
        Figure("Embedder.encode alone", rates["ours"], "/s"),
        Figure("Embedder.encode, against bare encode", ratio("ours"), "x"),
    ]


def texts_of(settings: Settings, embedder: Embedder) -> list[str]:
    """What ingest embeds of the library in the home of `settings`."""
    library = Library.open(settings.home)
    entries = library.passages(sorted(library.live()))
    library.close()
    return [embedded_text(passage, article, embedder) for passage, article in entries]


def ingest_afresh(embedder: Embedder) -> None:
    """Take the bundled corpus into an empty home."""
    with tempfile.TemporaryDirectory() as folder:
        library = Library.open(Path(folder))
        Pipeline(library, embedder, Settings(home=Path(folder))).ingest(bundled_articles())
        library.close()


def bare_encoder(settings: Settings) -> Callable[[Sequence[str], int], object]:
    """`SentenceTransformer.encode` of the same model, given texts and a batch size."""
    from sentence_transformers import SentenceTransformer

    model: Any = SentenceTransformer(str(locate(settings.embedder)), device="cpu")
    model.encode(["Warm up."])
    return lambda texts, size: model.encode(list(texts), batch_size=size, show_progress_bar=False)
