"""The index pair of one generation, opened where the Library says it is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from corpus.embedding import Embedder
from corpus.errors import EmbedderChangedError, EmptyLibraryError, SearchIndexError
from corpus.lexical import LexicalIndex
from corpus.library import INDEXES, Generation, IndexName, Library
from corpus.settings import Settings
from corpus.vectors import REPAIR, VectorIndex, discard, discard_others

# Passages looked up when indexes are opened, which takes about 3 ms whatever there is.
SAMPLE = 16


@dataclass(frozen=True, slots=True)
class Indexes:
    """Words and vectors over the same passages."""

    generation: Generation
    words: LexicalIndex
    vectors: VectorIndex

    def having(self, index: IndexName, ids: Sequence[str]) -> set[str]:
        """Those of `ids` that `index` holds."""
        return self.words.having(ids) if index == "words" else set(self.vectors.vectors(ids))

    def close(self) -> None:
        """Let go of the files."""
        self.vectors.close()


def folder_of(home: Path, generation: Generation) -> Path:
    """Where the files of a generation lie."""
    return home / "index" / generation.name


def collection_of(library: Library, generation: Generation) -> str:
    """What the vectors of a generation are called in Chroma; no other Library uses that name."""
    return f"{_prefix(library)}{generation.name}"


def _prefix(library: Library) -> str:
    return f"groundwire-{library.id}-"


def open_indexes(library: Library, settings: Settings, generation: Generation) -> Indexes:
    """Open both indexes of `generation`, empty where they are not there yet."""
    folder = folder_of(library.home, generation)
    return Indexes(
        generation=generation,
        words=LexicalIndex(folder / "words"),
        vectors=VectorIndex(
            folder / "vectors", collection_of(library, generation), settings.chroma_url
        ),
    )


@contextmanager
def opened(library: Library, settings: Settings, generation: Generation) -> Iterator[Indexes]:
    """Both indexes of `generation`, until the end of the block."""
    indexes = open_indexes(library, settings, generation)
    try:
        yield indexes
    finally:
        indexes.close()


def open_current(library: Library, settings: Settings, embedder: Embedder) -> Indexes:
    """Open the indexes that answer questions.

    Raises EmptyLibraryError before the first ingest, EmbedderChangedError when the vectors were
    made by another embedder than `embedder` (comparing the two would return noise), and
    SearchIndexError when an index is damaged or has lost what the Library knows to be in it.
    """
    generation = library.current()
    if generation is None:
        raise EmptyLibraryError(
            f"The library in {library.home} is empty.", "Fill it with: groundwire ingest"
        )
    check_embedder(generation, embedder)
    indexes = open_indexes(library, settings, generation)
    check_held(library, indexes)
    return indexes


def check_held(library: Library, indexes: Indexes) -> None:
    """Raises SearchIndexError when an index lacks passages that the Library noted as indexed.

    Both libraries make an empty index where a folder was deleted, and would answer from it.
    """
    for index in INDEXES:
        # An ingest may take a passage out between the two looks: only a lasting gap is damage.
        if all(_lacks(library, indexes, index) for _ in range(3)):
            raise SearchIndexError(
                f"The index of {index} in {folder_of(library.home, indexes.generation)} "
                "has lost passages.",
                REPAIR,
            )


def _lacks(library: Library, indexes: Indexes, index: IndexName) -> bool:
    sample = library.sample(indexes.generation.name, index, SAMPLE)
    return len(indexes.having(index, sample)) < len(sample)


def check_embedder(generation: Generation, embedder: Embedder) -> None:
    """Raises EmbedderChangedError unless `embedder` made the vectors of `generation`."""
    if generation.fingerprint != embedder.fingerprint:
        raise EmbedderChangedError(
            f"The index was made with the embedder {generation.embedder!r} "
            f"({generation.fingerprint}), not with {embedder.name!r} ({embedder.fingerprint}).",
            "Rebuild it with: groundwire reindex (questions are answered from the old index "
            "until the new one is complete, if you name the old embedder).",
        )


def drop_indexes(library: Library, settings: Settings, generation: Generation) -> None:
    """Delete the indexes of `generation`, sound or not."""
    folder = folder_of(library.home, generation)
    discard(folder / "vectors", collection_of(library, generation), settings.chroma_url)
    shutil.rmtree(folder, ignore_errors=True)


def sweep(library: Library, settings: Settings) -> None:
    """Delete the indexes of generations that the Library no longer knows: what a crash left."""
    known = [g for g in (library.current(), library.building()) if g is not None]
    for folder in leftovers(library):
        shutil.rmtree(folder, ignore_errors=True)
    if settings.chroma_url is not None:
        keep = [collection_of(library, generation) for generation in known]
        discard_others(_prefix(library), keep, settings.chroma_url)


def leftovers(library: Library) -> list[Path]:
    """Folders of generations that the Library no longer knows."""
    known = {g.name for g in (library.current(), library.building()) if g is not None}
    root = library.home / "index"
    found = root.iterdir() if root.is_dir() else ()
    return [folder for folder in found if folder.is_dir() and folder.name not in known]
