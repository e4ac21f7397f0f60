"""The corpus that comes with Groundwire: something to ask from the first minute."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import corpus
from corpus.embedding import load_embedder
from corpus.library import Library
from corpus.settings import Settings
from ingest.files import Item, read_path
from ingest.pipeline import Pipeline, Progress, Report, silent

ARTICLES = Path(corpus.__file__).parent / "articles"


def bundled_articles() -> Iterator[Item]:
    """The digests under corpus/articles."""
    yield from read_path(ARTICLES)


def fill(settings: Settings, progress: Progress = silent) -> Report:
    """Ingest the bundled corpus: what an empty library is filled with."""
    library = Library.open(settings.home)
    return Pipeline(library, load_embedder(settings), settings).ingest(bundled_articles(), progress)
