"""The lexical index: BM25 over passages. The only home of tantivy.

Passages are found by their words and by those of their header (title and publisher). Stemmed
English; words of other scripts are indexed as they stand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from corpus.article import Article, Passage, epoch
from corpus.errors import BusyError, SearchIndexError
from corpus.library import Scope
from corpus.panics import is_panic

Ranked = list[tuple[str, float]]

REPAIR = "Rebuild it from the library: groundwire doctor --repair."
HEAP_BYTES = 64_000_000
MAX_TERMS = 64  # distinct words of a question that are searched for; the first ones
HEADER_BOOST = 0.5  # a word in the title counts half as much as one in the passage


class LexicalIndex:
    """BM25 over the passages of one generation, in a folder.

    Every method raises SearchIndexError on a damaged index.
    """

    def __init__(self, folder: Path) -> None:
        import tantivy

        self.folder = folder
        with _translated(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._index = tantivy.Index(_schema(), path=str(folder), reuse=True)
            self._index.reload()

    def upsert(self, entries: Iterable[tuple[Passage, Article]]) -> None:
        """Add passages, each in place of the one of the same id."""
        with self._writer() as writer:
            for passage, article in entries:
                writer.delete_documents_by_term("id", passage.id)
                writer.add_document(_document(passage, article))

    def delete(self, ids: Iterable[str]) -> None:
        """Take passages out."""
        with self._writer() as writer:
            for id_ in ids:
                writer.delete_documents_by_term("id", id_)

    def search(self, text: str, k: int, scope: Scope | None = None) -> Ranked:
        """The `k` best passages for the words of `text` within `scope`, as (id, BM25 score)."""
        return self._best(text, k, _filters(scope or Scope()))

    def scores(self, text: str, ids: Sequence[str]) -> dict[str, float]:
        """BM25 for the words of `text` of those passages among `ids` that have any of them."""
        import tantivy

        among = tantivy.Query.term_set_query(_schema(), "id", list(ids))
        return dict(self._best(text, len(ids), [tantivy.Query.const_score_query(among, 0.0)]))

    def _best(self, text: str, k: int, filters: Iterable[Any]) -> Ranked:
        import tantivy

        terms = stems(text)[:MAX_TERMS]
        if not terms or k < 1:
            return []
        words = tantivy.Query.boolean_query([(tantivy.Occur.Should, q) for q in _words(terms)])
        must = [(tantivy.Occur.Must, query) for query in (words, *filters)]
        return self._run(tantivy.Query.boolean_query(must), k)

    def ids(self) -> set[str]:
        """All ids in the index."""
        import tantivy

        return {id_ for id_, _ in self._run(tantivy.Query.all_query(), self.count())}

    def having(self, ids: Iterable[str]) -> set[str]:
        """Those of `ids` that are in the index."""
        import tantivy

        wanted = list(ids)
        query = tantivy.Query.term_set_query(_schema(), "id", wanted)
        return {id_ for id_, _ in self._run(query, len(wanted))}

    def rarity(self, term: str) -> float:
        """Inverse document frequency of a stem among passages: ln(1 + (N - n + ½) / (n + ½)).

        Robertson and Zaragoza 2009, as BM25 weighs it; high for a word that no passage has.
        """
        searcher = self._index.searcher()
        has = searcher.doc_freq("text", term)
        return math.log(1 + (searcher.num_docs - has + 0.5) / (has + 0.5))

    def count(self) -> int:
        """How many passages there are."""
        return int(self._index.searcher().num_docs)

    def _run(self, query: Any, limit: int) -> Ranked:
        if limit < 1:
            return []
        with _translated(self.folder):
            searcher = self._index.searcher()
            found = searcher.search(query, limit=limit, count=False)
            return [(searcher.doc(address)["id"][0], score) for score, address in found.hits]

    @contextmanager
    def _writer(self) -> Iterator[Any]:
        """A tantivy writer that commits at the end, or not at all."""
        with _translated(self.folder):
            writer = self._index.writer(heap_size=HEAP_BYTES, num_threads=1)
            try:
                yield writer
                writer.commit()
            except BaseException:
                writer.rollback()
                raise
            finally:
                writer.wait_merging_threads()
            self._index.reload()


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:
        if "lockbusy" in str(error).lower():
            raise BusyError(
                f"Another process is writing to the index in {folder}.",
                "Try again when it is done.",
            ) from error
        raise SearchIndexError(f"The lexical index in {folder} is damaged.", REPAIR) from error
    except BaseException as error:
        if is_panic(error):
            raise SearchIndexError(f"The lexical index in {folder} is damaged.", REPAIR) from error
        raise


@lru_cache(maxsize=1)
def _schema() -> Any:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("text", tokenizer_name="en_stem", index_option="freq")
    builder.add_text_field("header", tokenizer_name="en_stem", index_option="freq")
    builder.add_text_field("publisher", tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("published", indexed=True, fast=True)
    return builder.build()


def _document(passage: Passage, article: Article) -> Any:
    import tantivy

    fields: dict[str, Any] = {
        "id": passage.id,
        "text": passage.text,
        "header": " ".join(part for part in (article.title, article.publisher) if part),
    }
    if article.publisher:
        fields["publisher"] = article.publisher
    published = epoch(article.published)
    if published is not None:
        fields["published"] = published
    return tantivy.Document(**fields)


@lru_cache(maxsize=1)
def _analyzer() -> Any:
    import tantivy

    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(40),
        tantivy.Filter.lowercase(),
        tantivy.Filter.stopword("english"),
        tantivy.Filter.stemmer("english"),
    ):
        builder = builder.filter(step)
    return builder.build()


def stems(text: str) -> list[str]:
    """The distinct stems of `text` that carry meaning, in order.

    >>> stems("Is OpenAI to release the weights?")
    ['openai', 'releas', 'weight']
    """
    return list(dict.fromkeys(_analyzer().analyze(text)))


def _words(terms: Iterable[str]) -> Iterable[Any]:
    import tantivy

    schema = _schema()
    for term in terms:
        yield tantivy.Query.term_query(schema, "text", term)
        in_header = tantivy.Query.term_query(schema, "header", term)
        yield tantivy.Query.boost_query(in_header, HEADER_BOOST)


def _filters(scope: Scope) -> Iterable[Any]:
    import tantivy

    schema = _schema()
    if scope.first is not None or scope.last is not None:
        first = scope.first if scope.first is not None else -(2**62)
        last = scope.last if scope.last is not None else 2**62
        kind = tantivy.FieldType.Integer
        yield tantivy.Query.range_query(schema, "published", kind, first, last)
    if scope.publishers:
        yield tantivy.Query.term_set_query(schema, "publisher", list(scope.publishers))
