"""The index pair of one generation, opened where the Library says it is."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from corpus.embedding import Embedder
from corpus.errors import EmbedderChanged, EmptyLibrary
from corpus.lexical import LexicalIndex
from corpus.library import Generation, Library
from corpus.settings import Settings
from corpus.vectors import VectorIndex


@dataclass(frozen=True, slots=True)
class Indexes:
    """Words and vectors over the same passages."""

    generation: Generation
    words: LexicalIndex
    vectors: VectorIndex


def folder_of(home: Path, generation: Generation) -> Path:
    """Where the files of a generation lie."""
    return home / "index" / generation.name


def open_indexes(library: Library, settings: Settings, generation: Generation) -> Indexes:
    """Open both indexes of `generation`, empty where they are not there yet."""
    folder = folder_of(library.home, generation)
    return Indexes(
        generation=generation,
        words=LexicalIndex(folder / "words"),
        vectors=VectorIndex(
            folder / "vectors", f"groundwire-{library.id}-{generation.name}", settings.chroma_url
        ),
    )


def open_current(library: Library, settings: Settings, embedder: Embedder) -> Indexes:
    """Open the indexes that answer questions.

    Raises EmptyLibrary before the first ingest, and EmbedderChanged when the vectors were made
    by another embedder than `embedder`: comparing the two would return noise.
    """
    generation = library.current()
    if generation is None:
        raise EmptyLibrary(
            f"The library in {library.home} is empty.", "Fill it with: groundwire ingest"
        )
    check_embedder(generation, embedder)
    return open_indexes(library, settings, generation)


def check_embedder(generation: Generation, embedder: Embedder) -> None:
    """Raises EmbedderChanged unless `embedder` made the vectors of `generation`."""
    if generation.fingerprint != embedder.fingerprint:
        raise EmbedderChanged(
            f"The index was made with the embedder {generation.embedder!r} "
            f"({generation.fingerprint}), not with {embedder.name!r} ({embedder.fingerprint}).",
            "Rebuild it with: groundwire reindex (questions are answered from the old index "
            "until the new one is complete, if you name the old embedder).",
        )


def sweep(library: Library) -> None:
    """Delete the files of generations that the Library no longer knows."""
    known = {g.name for g in (library.current(), library.building()) if g is not None}
    root = library.home / "index"
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.is_dir() and folder.name not in known:
            shutil.rmtree(folder, ignore_errors=True)
