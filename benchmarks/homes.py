"""The data folders that are measured, kept between runs because making them takes minutes."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.figures import Tell
from benchmarks.recombined import Material, RandomEmbedder, recombined
from corpus.library import Library, now
from corpus.settings import Settings

TOLD_EVERY = 10_000  # passages between two lines of progress


@dataclass(frozen=True, slots=True)
class Built:
    """How long the parts of a large home took to make, in seconds."""

    store: float
    words: float
    vectors: float


def bundled_home(keep: Path) -> Path:
    """A home under `keep` with the bundled corpus as it is now, and the embedder converted."""
    from ingest.bundled import fill

    home = keep / "bundled"
    fill(Settings(home=home))
    return home


def large_home(keep: Path, passages: int, tell: Tell) -> tuple[Path, Built]:
    """A home under `keep` with `passages` recombined passages, made unless it is there.

    A build that was stopped goes on where it was; its times then are those of the last stretch.
    """
    home = keep / f"recombined-{passages}"
    record = home / "built.json"
    if not record.exists():
        built = _build(home, passages, tell)
        record.write_text(json.dumps(asdict(built)), "utf-8")
    return home, Built(**json.loads(record.read_text("utf-8")))


def _build(home: Path, passages: int, tell: Tell) -> Built:
    from corpus.indexes import opened
    from ingest.pipeline import Pipeline

    library, embedder, settings = Library.open(home), RandomEmbedder(), Settings(home=home)
    started = time.perf_counter()
    _store(library, passages, tell)
    stored = time.perf_counter()
    ended = dict.fromkeys(("indexing words", "embedding"), stored)

    def progress(stage: str, done: int, total: int | None) -> None:
        ended[stage] = time.perf_counter()
        if total and (done % TOLD_EVERY < TOLD_EVERY / 100 or done == total):
            tell(f"{stage} {done:,} of {total:,}")

    generation = library.current() or library.start_generation(
        embedder.name, embedder.fingerprint, current=True
    )
    with opened(library, settings, generation) as indexes:
        Pipeline(library, embedder, settings).catch_up(indexes, progress)
    library.close()
    return Built(
        store=stored - started,
        words=ended["indexing words"] - stored,
        vectors=ended["embedding"] - ended["indexing words"],
    )


def _store(library: Library, passages: int, tell: Tell) -> None:
    done = 0
    for article, spans in recombined(Material.bundled(), passages):
        library.put(article, spans, now())
        done += len(spans)
        if done % TOLD_EVERY == 0:
            tell(f"storing {done:,} of {passages:,}")


def size_mb(path: Path) -> float:
    """Megabytes on disk of the file or folder `path`."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6
