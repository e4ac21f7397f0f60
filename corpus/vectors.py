"""The vector index: nearest passages by cosine. The only home of chromadb.

Embedded in the data folder by default; a Chroma server where GROUNDWIRE_CHROMA_URL names one.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from corpus.article import Article, Passage, epoch
from corpus.errors import SearchIndexError
from corpus.panics import is_panic

if TYPE_CHECKING:
    from corpus.embedding import Vectors

Ranked = list[tuple[str, float]]

REPAIR = "Rebuild it from the library: groundwire doctor --repair."
# Candidates that a search keeps while it walks the graph. Chroma's 100 missed some of the 50
# nearest even among 195 passages, in 2 of 4 fresh indexes.
EF_SEARCH = 400
PAGE = 10_000  # `get` without pages fails above about 32,000 rows
# Up to so many passages, comparing each is faster than searching the graph for them: 100 of
# 100,000 take 8 ms against 135, 1,000 take 41 against 52, 2,600 take 135 against 35.
FEW = 1_000


class VectorIndex:
    """The vectors of one generation. Every method raises SearchIndexError on a damaged index."""

    def __init__(self, folder: Path, collection: str, url: str | None = None) -> None:
        self.where = url or str(folder)
        with _translated(self.where):
            self._client = _client(folder, url)
            self._collection = self._client.get_or_create_collection(
                collection,
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine", "ef_search": EF_SEARCH}},
            )

    def upsert(self, entries: Sequence[tuple[Passage, Article]], vectors: Vectors) -> None:
        """Add passages with their vectors, each in place of the one of the same id."""
        if not entries:
            return
        with _translated(self.where):
            self._collection.upsert(
                ids=[passage.id for passage, _ in entries],
                embeddings=vectors,
                metadatas=[_metadata(article) for _, article in entries],
            )

    def delete(self, ids: Iterable[str]) -> None:
        """Take passages out."""
        listed = list(ids)
        with _translated(self.where):
            for at in range(0, len(listed), PAGE):
                self._collection.delete(ids=listed[at : at + PAGE])

    def search(self, vector: Vectors, k: int, among: Sequence[str] | None = None) -> Ranked:
        """The `k` nearest passages, of those in `among` if given, as (id, cosine).

        `vector` has shape (d,). Ids of which there is no vector are passed over.
        """
        if among is None or len(among) > FEW:
            with _translated(self.where):
                return self._query(vector, k) if among is None else self._within(vector, k, among)
        cosines = {id_: _cosine(vector, other) for id_, other in self.vectors(among).items()}
        return sorted(cosines.items(), key=lambda pair: (-pair[1], pair[0]))[:k]

    def _within(self, vector: Vectors, k: int, ids: Sequence[str]) -> Ranked:
        from chromadb.errors import ChromaError

        try:
            return self._query(vector, k, list(ids))
        except ChromaError:
            # Chroma refuses an id that it lacks: a passage stored and not embedded yet.
            held = self._held(ids)
            return self._query(vector, k, held) if held else []

    def _query(self, vector: Vectors, k: int, ids: list[str] | None = None) -> Ranked:
        found = self._collection.query(
            query_embeddings=[vector], n_results=k, ids=ids, include=["distances"]
        )
        nearest, distances = found["ids"][0], found["distances"][0]
        return [(id_, 1.0 - float(d)) for id_, d in zip(nearest, distances, strict=True)]

    def _held(self, ids: Sequence[str]) -> list[str]:
        return [
            id_
            for at in range(0, len(ids), PAGE)
            for id_ in self._collection.get(ids=list(ids[at : at + PAGE]), include=[])["ids"]
        ]

    def count(self) -> int:
        """How many vectors there are."""
        with _translated(self.where):
            return int(self._collection.count())

    def ids(self) -> set[str]:
        """All ids in the index."""
        found: set[str] = set()
        with _translated(self.where):
            for at in range(0, int(self._collection.count()), PAGE):
                found.update(self._collection.get(limit=PAGE, offset=at, include=[])["ids"])
        return found

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """The stored vectors of those `ids` that are in the index."""
        found: dict[str, Vectors] = {}
        with _translated(self.where):
            for at in range(0, len(ids), PAGE):
                some = list(ids[at : at + PAGE])
                rows = self._collection.get(ids=some, include=["embeddings"])
                found.update(zip(rows["ids"], rows["embeddings"], strict=True))
        return found

    def close(self) -> None:
        """Let go of the files, so that the folder can be opened anew as it then is."""
        with _translated(self.where):
            self._client.close()


def discard(folder: Path, collection: str, url: str | None = None) -> None:
    """Delete the index of a generation, sound or not, or do nothing where there is none."""
    if url is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    from chromadb.errors import NotFoundError

    with _server(url) as client:
        try:
            client.delete_collection(collection)
        except NotFoundError:
            return  # deleted before a crash kept the Library from noting it


def discard_others(prefix: str, keep: Iterable[str], url: str) -> None:
    """Delete the collections on a server that begin with `prefix`, but for those in `keep`."""
    kept = set(keep)
    with _server(url) as client:
        for collection in client.list_collections():
            if collection.name.startswith(prefix) and collection.name not in kept:
                client.delete_collection(collection.name)


@contextmanager
def _server(url: str) -> Iterator[Any]:
    with _translated(url):
        client = _connect(url)
        try:
            yield client
        finally:
            client.close()


@contextmanager
def _translated(where: str) -> Iterator[None]:
    from chromadb.errors import ChromaError
    from httpx import HTTPError

    try:
        yield
    except HTTPError as error:
        raise _silent_server(where) from error
    except (ChromaError, ValueError, OSError) as error:
        if "Could not connect to a Chroma server" in str(error):
            raise _silent_server(where) from error
        raise _damaged(where, error) from error
    except BaseException as error:
        if is_panic(error):
            raise _damaged(where, error) from error
        raise


def _damaged(where: str, error: BaseException) -> SearchIndexError:
    reason = " ".join(str(error).split())[:120]
    return SearchIndexError(f"The vector index in {where} can't be used: {reason}.", REPAIR)


def _silent_server(where: str) -> SearchIndexError:
    return SearchIndexError(
        f"The Chroma server at {where} does not answer.",
        "Start it, or unset GROUNDWIRE_CHROMA_URL.",
    )


def _client(folder: Path, url: str | None) -> Any:
    return _connect(url) if url else _open_folder(folder)


def _open_folder(folder: Path) -> Any:
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient

    folder.mkdir(parents=True, exist_ok=True)
    try:
        return chromadb.PersistentClient(path=str(folder), settings=_settings())
    except BaseException:
        # Chroma keeps one engine a folder and would hand out this one, which never started, again.
        SharedSystemClient.clear_system_cache()
        raise


def _connect(url: str) -> Any:
    import chromadb

    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 8000)
    return chromadb.HttpClient(
        host=parts.hostname or "127.0.0.1", port=port, ssl=secure, settings=_settings()
    )


def _settings() -> Any:
    from chromadb.config import Settings

    return Settings(anonymized_telemetry=False)


def _metadata(article: Article) -> dict[str, Any]:
    """What Chroma can filter on. Dates are numbers, because `$gte` takes nothing else."""
    fields = {
        "article": article.id,
        "published": epoch(article.published),
        "publisher": article.publisher,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _cosine(one: Vectors, other: Vectors) -> float:
    norms = float(one @ one) * float(other @ other)
    return float(one @ other) / math.sqrt(norms)
