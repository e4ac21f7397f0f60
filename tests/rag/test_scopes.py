"""Retrieval keeps to the scope, whichever way it takes to the nearest passages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from corpus.indexes import open_current
from corpus.library import Library, Scope
from corpus.settings import Settings
from ingest.pipeline import Pipeline
from rag import retrieve
from rag.retrieve import Retriever
from tests.conftest import imported, make_article
from tests.fakes import FakeEmbedder

ARTICLES = 60
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
WORDS = "model chip price licence court training data centre energy benchmark".split()


@pytest.fixture
def retriever(
    library: Library, settings: Settings, fake: FakeEmbedder, pipeline: Pipeline
) -> Iterator[Retriever]:
    """Sixty articles, one a day, of which every one has words of its own."""
    articles = [
        make_article(
            n,
            f"The {WORDS[n % 10]} and the {WORDS[n // 10]} number {n} were told of.",
            published=FIRST + timedelta(days=n),
        )
        for n in range(ARTICLES)
    ]
    pipeline.ingest(imported(*articles))
    indexes = open_current(library, settings, fake)
    yield Retriever(library, indexes, fake)
    indexes.close()


def exact(retriever: Retriever, query: str, scope: Scope, k: int) -> list[str]:
    """The nearest passages in `scope`, by comparing all."""
    vectors = retriever.indexes.vectors.vectors(retriever.library.ids_in_scope(scope))
    asked = retriever.embedder.encode([query], "query")[0]
    return sorted(vectors, key=lambda id_: (-round(float(vectors[id_] @ asked), 4), id_))[:k]


@pytest.mark.parametrize(
    ("wide", "pool"), [(400, 50), (30, 5), (10, 10)], ids=["all seen", "wide enough", "too narrow"]
)
@pytest.mark.parametrize(
    "scope",
    [
        Scope(since=date(2025, 1, 20)),
        Scope(date(2025, 2, 1), date(2025, 2, 3)),
        Scope(publishers=("Alpha", "Beta")),
    ],
    ids=["half", "three days", "publishers"],
)
def test_the_nearest_within_a_scope_are_found(
    retriever: Retriever, monkeypatch: pytest.MonkeyPatch, wide: int, pool: int, scope: Scope
) -> None:
    monkeypatch.setattr(retrieve, "WIDE", wide)
    monkeypatch.setattr(retrieve, "POOL", pool)
    found = retriever.nearest("the price of a chip", scope)
    inside = set(retriever.library.ids_in_scope(scope))
    assert len(found) == len(set(found)) == min(pool, len(inside))
    assert set(found) <= inside
    assert found[0] in exact(retriever, "the price of a chip", scope, 3)


def test_an_empty_scope_finds_nothing(retriever: Retriever) -> None:
    assert retriever.nearest("chip", Scope(publishers=("Nobody",))) == []
    assert retriever.search(["chip"], 8, Scope(since=date(2030, 1, 1))) == []
