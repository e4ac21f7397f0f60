"""The vector index: nearest passages by cosine. The only home of chromadb.

Embedded in the data folder by default; a Chroma server where GROUNDWIRE_CHROMA_URL names one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from corpus.article import Article, Passage, epoch
from corpus.embedding import Vectors
from corpus.errors import SearchIndexError
from corpus.library import Scope

Ranked = list[tuple[str, float]]

REPAIR = "Rebuild it from the library: groundwire doctor --repair."
PAGE = 10_000  # `get` without pages fails above about 32,000 rows


class VectorIndex:
    """The vectors of one generation."""

    def __init__(self, folder: Path, collection: str, url: str | None = None) -> None:
        self.where = url or str(folder)
        self._folder = None if url else folder
        self._name = collection
        with self._translated():
            self._client = _client(folder, url)
            self._collection = self._client.get_or_create_collection(
                collection, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )

    def upsert(self, entries: Sequence[tuple[Passage, Article]], vectors: Vectors) -> None:
        """Add passages with their vectors, each in place of the one of the same id."""
        if not entries:
            return
        with self._translated():
            self._collection.upsert(
                ids=[passage.id for passage, _ in entries],
                embeddings=vectors,
                metadatas=[_metadata(article) for _, article in entries],
            )

    def delete(self, ids: Iterable[str]) -> None:
        """Take passages out."""
        listed = list(ids)
        with self._translated():
            for at in range(0, len(listed), PAGE):
                self._collection.delete(ids=listed[at : at + PAGE])

    def search(self, vector: Vectors, k: int, scope: Scope | None = None) -> Ranked:
        """The `k` nearest passages within `scope`, as (id, cosine). `vector` has shape (d,)."""
        with self._translated():
            found = self._collection.query(
                query_embeddings=[vector], n_results=k, where=_where(scope), include=["distances"]
            )
        ids, distances = found["ids"][0], found["distances"][0]
        return [(id_, 1.0 - float(d)) for id_, d in zip(ids, distances, strict=True)]

    def count(self) -> int:
        """How many vectors there are."""
        with self._translated():
            return int(self._collection.count())

    def ids(self) -> set[str]:
        """All ids in the index."""
        found: set[str] = set()
        with self._translated():
            for at in range(0, int(self._collection.count()), PAGE):
                found.update(self._collection.get(limit=PAGE, offset=at, include=[])["ids"])
        return found

    def drop(self) -> None:
        """Delete the index."""
        with self._translated():
            self._client.delete_collection(self._name)
            self._client.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        from chromadb.errors import ChromaError
        from httpx import HTTPError

        try:
            yield
        except HTTPError as error:
            raise SearchIndexError(
                f"The Chroma server at {self.where} does not answer.",
                "Start it, or unset GROUNDWIRE_CHROMA_URL.",
            ) from error
        except (ChromaError, ValueError, OSError) as error:
            raise SearchIndexError(
                f"The vector index in {self.where} can't be used: {error}.", REPAIR
            ) from error


def _client(folder: Path, url: str | None) -> Any:
    import chromadb
    from chromadb.config import Settings

    quiet = Settings(anonymized_telemetry=False)
    if url is None:
        folder.mkdir(parents=True, exist_ok=True)
        return chromadb.PersistentClient(path=str(folder), settings=quiet)
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 8000)
    return chromadb.HttpClient(
        host=parts.hostname or "127.0.0.1", port=port, ssl=secure, settings=quiet
    )


def _metadata(article: Article) -> dict[str, Any]:
    """What Chroma can filter on. Dates are numbers, because `$gte` takes nothing else."""
    fields = {
        "article": article.id,
        "published": epoch(article.published),
        "publisher": article.publisher,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _where(scope: Scope | None) -> dict[str, Any] | None:
    """`scope` in Chroma's language, which takes one operator at the top."""
    if not scope:
        return None
    conditions: list[dict[str, Any]] = []
    if scope.first is not None:
        conditions.append({"published": {"$gte": scope.first}})
    if scope.last is not None:
        conditions.append({"published": {"$lte": scope.last}})
    if scope.publishers:
        conditions.append({"publisher": {"$in": list(scope.publishers)}})
    return conditions[0] if len(conditions) == 1 else {"$and": conditions}
