"""Retrieval over a large library: how long, how much memory, how much disk.

`python -m benchmarks.scale HOME` is the process that is measured: it opens a home, queries it, and
prints what it found as JSON. The vectors are random, so encoding the query costs nothing here.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from benchmarks.figures import Figure, Target, Tell, Unit, median_ms, seconds
from benchmarks.homes import Built, large_home, size_mb
from benchmarks.recombined import (
    DAYS,
    FIRST_DAY,
    PUBLISHERS,
    Material,
    RandomEmbedder,
    publisher,
)
from corpus.indexes import folder_of, open_current
from corpus.library import DATABASE, Library, Scope
from corpus.settings import Settings
from rag.rerank import FeatureReranker
from rag.retrieve import POOL, Retriever

PASSAGES = 100_000
QUERIES = 200
WORDS_EACH = 12  # words a query: the questions of the eval suite have 13 on average
ANYWHERE, SOMEWHERE = Target("<", 60), Target("<", 120)
MEMORY = Target("<", 2_000)
TARGETS = {
    "retrieval, no filter": ANYWHERE,
    "retrieval, one month": SOMEWHERE,
    "retrieval, one year": SOMEWHERE,
    "retrieval, one publisher": SOMEWHERE,
    "peak memory": MEMORY,
}

ScopeOf = Callable[[random.Random], Scope]


def measure(keep: Path, tell: Tell, passages: int = PASSAGES) -> list[Figure]:
    """Times of retrieval in several scopes, memory of a process that does nothing else, sizes."""
    home, built = large_home(keep, passages, tell)
    tell(f"querying {passages:,} passages")
    command = [sys.executable, "-m", "benchmarks.scale", str(home)]
    folder = Path(__file__).parents[1]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    found: dict[str, float] = json.loads(done.stdout)
    units: dict[str, Unit] = {"peak memory": "MB", "opening": "s"}
    return [
        *(Figure(what, v, units.get(what, "ms"), TARGETS.get(what)) for what, v in found.items()),
        *_on_disk(home),
        *_building(built, passages),
    ]


def _on_disk(home: Path) -> list[Figure]:
    library = Library.open(home)
    generation = library.current()
    library.close()
    assert generation is not None
    folder = folder_of(home, generation)
    return [
        Figure("on disk: library", size_mb(home / DATABASE), "MB"),
        Figure("on disk: words", size_mb(folder / "words"), "MB"),
        Figure("on disk: vectors", size_mb(folder / "vectors"), "MB"),
    ]


def _building(built: Built, passages: int) -> list[Figure]:
    return [
        Figure("stored in the library", passages / built.store, "/s"),
        Figure("indexed by words", passages / built.words, "/s"),
        Figure("indexed by vectors", passages / built.vectors, "/s", None, "random vectors given"),
    ]


# The process that is measured


def query(home: Path, queries: int = QUERIES) -> dict[str, float]:
    """Median milliseconds by scope and by part, seconds to open, and megabytes at the peak."""
    library, embedder = Library.open(home), RandomEmbedder()
    retrievers: list[Retriever] = []

    def begin() -> None:
        indexes = open_current(library, Settings(home=home), embedder)
        reranker = FeatureReranker(indexes.words.rarity)
        retrievers.append(Retriever(library, indexes, embedder, reranker))
        retrievers[0].search(["warm up"])

    opening = seconds(begin)
    texts = list(_texts(queries))
    return {
        **{what: _by_scope(retrievers[0], texts, scope) for what, scope in SCOPES.items()},
        **_by_part(retrievers[0], texts),
        "opening": opening,
        "peak memory": peak_memory_mb(),
    }


def _by_scope(retriever: Retriever, texts: Sequence[str], scope_of: ScopeOf) -> float:
    chance = random.Random(len(texts))
    scopes = [scope_of(chance) for _ in texts]
    runs = zip(texts, scopes, strict=True)
    return median_ms([partial(retriever.search, [text], 8, scope) for text, scope in runs])


def _by_part(retriever: Retriever, texts: Sequence[str]) -> dict[str, float]:
    """What a search without a filter is made of."""
    words, vectors = retriever.indexes.words, retriever.indexes.vectors
    encoded = retriever.embedder.encode(texts, "query")
    found = [[id_ for id_, _ in words.search(text, 8)] for text in texts]
    library = retriever.library
    return {
        "  of it, words": median_ms([partial(words.search, t, POOL) for t in texts]),
        "  of it, vectors": median_ms([partial(vectors.search, v, POOL) for v in encoded]),
        "  of it, reading 8 passages": median_ms([partial(library.passages, f) for f in found]),
    }


def _texts(count: int) -> Sequence[str]:
    sentences = Material.bundled().sentences
    chosen = random.Random(count).choices(sentences, k=count)
    return [" ".join(sentence.split()[:WORDS_EACH]) for sentence in chosen]


def _days(length: int) -> ScopeOf:
    def scope(chance: random.Random) -> Scope:
        since = FIRST_DAY.date() + timedelta(days=chance.randrange(DAYS - length))
        return Scope(since=since, until=since + timedelta(days=length - 1))

    return scope


def _publisher(chance: random.Random) -> Scope:
    return Scope(publishers=(publisher(chance.randrange(PUBLISHERS)),))


SCOPES: dict[str, ScopeOf] = {
    "retrieval, no filter": lambda _: Scope(),
    "retrieval, one week": _days(7),
    "retrieval, one month": _days(30),
    "retrieval, one year": _days(365),
    "retrieval, one publisher": _publisher,
}


def peak_memory_mb() -> float:
    """The most memory that this process has held, in megabytes.

    Linux counts into `getrusage` what a parent held when it started us, so its own record of this
    process is read where there is one.
    """
    record = Path("/proc/self/status")
    if record.exists():
        line = next(ln for ln in record.read_text().splitlines() if ln.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    print(json.dumps(query(Path(sys.argv[1]))))
