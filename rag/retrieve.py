"""Query → hits: BM25 and vectors, fused by reciprocal rank, and the best of them reranked.

    RRF(p) = Σ over rankings of 1 / (60 + rank of p)        Cormack, Clarke, Büttcher 2009

A passage second in both rankings (2/62 = 0.032) beats one that is first in one and absent from the
other (1/61 = 0.016): agreement counts for more than a high place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from corpus.embedding import Embedder
from corpus.indexes import Indexes
from corpus.library import Library, Scope
from rag.answer import Hit
from rag.rerank import Found, Reranker

RRF_CONSTANT = 60
POOL = 50  # passages taken from each ranking
# Scopes are sifted here, because Chroma's own filter takes 160 ms and more in 100,000 passages. The
# nearest WIDE of all (8 ms) hold POOL of a scope of a sixth or more, whatever the question; the
# ids of a narrower one are looked up and searched alone (65 ms for a month of three years).
WIDE = 400
# Passages of the fused list that are reranked. 16 find 1.0 points less of the evidence, 40 no more.
RERANKED = 32

Ranking = Sequence[str]


@dataclass(frozen=True, slots=True)
class Retriever:
    """Finds the passages that bear on a query. Without a reranker, in the order of the fusion."""

    library: Library
    indexes: Indexes
    embedder: Embedder
    reranker: Reranker | None = None

    def search(
        self,
        queries: Sequence[str],
        k: int = 8,
        scope: Scope | None = None,
        preferred: Scope | None = None,
    ) -> list[Hit]:
        """The `k` best hits within `scope`, best first.

        The first of `queries` is the whole question; each other one is a part of it, and is
        ranked for itself, so that no part of a comparison is drowned by the other.

        Passages of `preferred`, a window that the question hints at, are ranked once more among
        themselves: they rise, and nothing else is lost if the hint was wrong.
        """
        if self.reranker is None:
            return self._hits(self._fused(queries, scope, preferred)[:k])
        found = self.found(queries, scope, preferred, max(k, RERANKED))
        return self.reranker.rerank(queries[0], found)[:k]

    def found(
        self,
        queries: Sequence[str],
        scope: Scope | None = None,
        preferred: Scope | None = None,
        k: int = RERANKED,
    ) -> list[Found]:
        """The first `k` of the fused passages, with what a reranker looks at."""
        ids = [id_ for id_, _ in self._fused(queries, scope, preferred)[:k]]
        words = self.indexes.words.scores(queries[0], ids)
        vector = self.embedder.encode(queries[:1], "query")[0]
        meaning = dict(self.indexes.vectors.search(vector, len(ids), ids)) if ids else {}
        inside = self.library.in_scope(ids, preferred) if preferred else set()
        return [
            Found(p, article, words.get(p.id, 0.0), meaning.get(p.id, 0.0), p.id in inside)
            for p, article in self.library.passages(ids)
        ]

    def _fused(
        self, queries: Sequence[str], scope: Scope | None, preferred: Scope | None
    ) -> list[tuple[str, float]]:
        scope = scope or Scope()
        rankings = [ranking for query in queries for ranking in self.rankings(query, scope)]
        if preferred:
            rankings += self.rankings(queries[0], narrowed(scope, preferred))
        return fuse(rankings)

    def _hits(self, fused: Sequence[tuple[str, float]]) -> list[Hit]:
        scores = dict(fused)
        found = self.library.passages([id_ for id_, _ in fused])
        return [Hit(passage, article, scores[passage.id]) for passage, article in found]

    def rankings(self, query: str, scope: Scope) -> list[Ranking]:
        """The passages for `query` by words and by meaning."""
        words = _ids(self.indexes.words.search(query, POOL, scope))
        return [words, self.nearest(query, scope)]

    def nearest(self, query: str, scope: Scope) -> Ranking:
        """The passages nearest to `query` by vector, within `scope`."""
        vector = self.embedder.encode([query], "query")[0]
        search = self.indexes.vectors.search
        if not scope:
            return _ids(search(vector, POOL))
        wide = _ids(search(vector, WIDE))
        kept = self.library.in_scope(wide, scope)
        if len(kept) >= POOL or len(wide) < WIDE:
            return [id_ for id_ in wide if id_ in kept][:POOL]
        return _ids(search(vector, POOL, self.library.ids_in_scope(scope)))


def _ids(ranked: Iterable[tuple[str, float]]) -> Ranking:
    return [id_ for id_, _ in ranked]


def fuse(rankings: Iterable[Ranking]) -> list[tuple[str, float]]:
    """Reciprocal rank fusion: (id, score), best first; ties in order of id.

    >>> [id_ for id_, _ in fuse([["a", "b", "c"], ["b", "d"]])]
    ['b', 'a', 'd', 'c']
    """
    scores: dict[str, float] = defaultdict(float)
    for ranking in rankings:
        for rank, id_ in enumerate(ranking, 1):
            scores[id_] += 1 / (RRF_CONSTANT + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def narrowed(scope: Scope, other: Scope) -> Scope:
    """The part of `scope` that lies in `other` too."""
    starts = [day for day in (scope.since, other.since) if day]
    ends = [day for day in (scope.until, other.until) if day]
    return Scope(
        since=max(starts, default=None),
        until=min(ends, default=None),
        publishers=scope.publishers or other.publishers,
    )
