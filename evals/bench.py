"""A fresh library of the bundled corpus, on which everything is measured.

It lies in a temporary folder, so that what a user's own library holds doesn't change a figure. Only
the models come from the user's home.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from corpus.article import Article, Passage
from corpus.embedding import Embedder, load_embedder
from corpus.indexes import Indexes, open_current
from corpus.library import Library
from corpus.settings import Settings
from evals.questions import bundled_articles
from ingest.bundled import bundled_articles as bundled_items
from ingest.pipeline import Pipeline, silent
from rag.evidence import Scorer
from rag.trained import TrainedReader

Tick = Callable[[str, int, int | None], None]
"""What is being done, how much of it is done, and how much there is, if that is known."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The library, its indexes, and `id_of`: the id of the article in each file, by its stem."""

    settings: Settings
    library: Library
    indexes: Indexes
    embedder: Embedder
    scorer: Scorer
    id_of: dict[str, str]

    def passages(self) -> list[tuple[Passage, Article]]:
        """All that the library holds."""
        return self.library.passages(sorted(self.library.live()))


@contextmanager
def bench(settings: Settings, tick: Tick = silent) -> Iterator[Bench]:
    """The bundled corpus, indexed in a folder that is gone afterwards."""
    embedder, scorer = load_embedder(settings), TrainedReader.open(settings.models_dir)
    with tempfile.TemporaryDirectory(prefix="groundwire-eval-") as folder:
        apart = settings.model_copy(update={"home": Path(folder), "chroma_url": None})
        library = Library.open(apart.home)
        Pipeline(library, embedder, apart).ingest(bundled_items(), tick)
        indexes = open_current(library, apart, embedder)
        stems = {text: stem for stem, text in bundled_articles().items()}
        id_of = {stems[article.text]: article.id for article in library.articles()}
        try:
            yield Bench(apart, library, indexes, embedder, scorer, id_of)
        finally:
            indexes.close()
            library.close()
