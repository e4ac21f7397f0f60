"""Look into a vector index from a process of its own.

Chroma's graph files are read without a check: a truncated one takes the process down with it, and
no exception can be caught. So whoever wants to know whether an index is sound asks a child.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from corpus.embedding import Vectors
from corpus.errors import SearchIndexError
from corpus.vectors import REPAIR, VectorIndex

SAMPLE = 16  # vectors to look at closely; a third of all lost goes unseen in 1 of 600 indexes
PAGE = 5_000
UNIT = 1e-3  # how far from 1 the length of a vector may be
FOUND = 0.999  # least cosine of what a vector finds when it searches for itself


@dataclass(frozen=True, slots=True)
class Place:
    """Where a vector index is: the arguments of VectorIndex, as they go to the child."""

    folder: str
    collection: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a vector index holds.

    `wrong` are ids whose vector is not of length 1 or can't be found by searching for it;
    `sample` are a few vectors by id.
    """

    ids: tuple[str, ...]
    wrong: tuple[str, ...]
    sample: dict[str, list[float]]


def look(place: Place) -> Seen:
    """Examine the index at `place` in a child process.

    Raises SearchIndexError when it can't be used, be it that the child does not survive it.
    """
    done = subprocess.run(
        [sys.executable, "-m", "ingest.probe"],
        input=json.dumps(asdict(place)),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    if done.returncode < 0:
        raise SearchIndexError(
            f"The vector index in {place.folder} is so damaged that Chroma crashes on it.", REPAIR
        )
    if done.returncode > 0:
        raise RuntimeError(f"the probe of {place.folder} failed:\n{done.stderr}")
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise SearchIndexError(answer["error"], answer["remedy"])
    return Seen(tuple(answer["ids"]), tuple(answer["wrong"]), answer["sample"])


def examine(place: Place) -> Seen:
    """What `look` does, in this process. Raises SearchIndexError when the index can't be used."""
    index = VectorIndex(Path(place.folder), place.collection, place.url)
    try:
        ids = sorted(index.ids())
        wrong = [id_ for id_, vector in _all(index, ids) if not _is_unit(vector)]
        sample = index.vectors(ids[:: max(1, len(ids) // SAMPLE)][:SAMPLE])
        wrong += [id_ for id_, vector in sample.items() if not _finds_itself(index, vector)]
    finally:
        index.close()
    vectors = {id_: [float(value) for value in vector] for id_, vector in sample.items()}
    return Seen(tuple(ids), tuple(sorted(set(wrong))), vectors)


def _all(index: VectorIndex, ids: Sequence[str]) -> Iterator[tuple[str, Vectors]]:
    for at in range(0, len(ids), PAGE):
        yield from index.vectors(ids[at : at + PAGE]).items()


def _is_unit(vector: Vectors) -> bool:
    return bool(abs(float((vector * vector).sum()) - 1) < UNIT)


def _finds_itself(index: VectorIndex, vector: Vectors) -> bool:
    return any(score > FOUND for _, score in index.search(vector, 1))


def main() -> None:
    """Read a Place from standard input and write what is there to standard output, as JSON."""
    place = Place(**json.loads(sys.stdin.read()))
    try:
        json.dump(asdict(examine(place)), sys.stdout)
    except SearchIndexError as error:
        json.dump({"error": error.message, "remedy": error.remedy}, sys.stdout)


if __name__ == "__main__":
    main()
