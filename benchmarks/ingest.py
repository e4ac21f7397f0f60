"""Ingest against the bare encoder: what of its speed is left when everything around it is done.

The baseline is `SentenceTransformer.encode` of the very texts that ingest embeds, at the batch size
that suits it best, in the same run. Rounds alternate, so that a busy machine is unfair to neither.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
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
ROUNDS = 3
LEAST_RATIO = Target(">=", 0.90)


def measure(keep: Path, tell: Tell) -> list[Figure]:
    """Passages per second of ingest, of our encoder alone, and of the bare encoder."""
    settings = Settings(home=bundled_home(keep))
    embedder = load_embedder(settings)
    texts = texts_of(settings, embedder)
    bare = bare_encoder(settings)
    runs: dict[str, Callable[[], object]] = {
        "ingest": partial(ingest_afresh, embedder),
        "ours": partial(embedder.encode, texts),
        **{f"bare {size}": partial(bare, texts, size) for size in BATCH_SIZES},
    }
    rates = passages_per_second(runs, len(texts), tell)
    best = max((name for name in rates if name.startswith("bare")), key=rates.__getitem__)
    beside = f"bare encode {rates[best]:.1f}/s at its best batch size, {best.split()[1]}"
    ratio = rates["ingest"] / rates[best]
    return [
        Figure(f"ingest of {len(texts)} passages", rates["ingest"], "/s"),
        Figure("ingest, against bare encode", ratio, "x", LEAST_RATIO, beside),
        Figure("Embedder.encode alone", rates["ours"], "/s", None, beside),
    ]


def passages_per_second(
    runs: dict[str, Callable[[], object]], passages: int, tell: Tell
) -> dict[str, float]:
    """The median rate of each run over all rounds."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS):
        for name, run in runs.items():
            taken[name].append(seconds(run))
            tell(f"round {turn + 1} of {ROUNDS}: {name} {taken[name][-1]:.1f} s")
    return {name: passages / statistics.median(times) for name, times in taken.items()}


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
