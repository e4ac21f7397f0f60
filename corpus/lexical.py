"""The lexical index: BM25 over passages. The only home of tantivy.

Passages are found by their words and by those of their header (title and publisher). Stemmed
English; words of other scripts are indexed as they stand.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from corpus.article import Article, Passage, epoch
from corpus.errors import BusyError, SearchIndexError
from corpus.library import Scope

Ranked = list[tuple[str, float]]

REPAIR = "Rebuild it from the library: groundwire doctor --repair."
HEAP_BYTES = 64_000_000
MAX_TERMS = 64  # distinct words of a question that are searched for; the first ones
HEADER_BOOST = 0.5  # a word in the title counts half as much as one in the passage


class LexicalIndex:
    """BM25 over the passages of one generation, in a folder."""

    def __init__(self, folder: Path) -> None:
        import tantivy

        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._index = tantivy.Index(_schema(), path=str(folder), reuse=True)
            self._index.reload()
        except (ValueError, OSError) as error:
            raise SearchIndexError(f"The lexical index in {folder} is damaged.", REPAIR) from error

    def upsert(self, entries: Iterable[tuple[Passage, Article]]) -> None:
        """Add passages, each in place of the one of the same id."""
        with _Writer(self._index, self.folder) as writer:
            for passage, article in entries:
                writer.delete_documents("id", passage.id)
                writer.add_document(_document(passage, article))

    def delete(self, ids: Iterable[str]) -> None:
        """Take passages out."""
        with _Writer(self._index, self.folder) as writer:
            for id_ in ids:
                writer.delete_documents("id", id_)

    def search(self, text: str, k: int, scope: Scope | None = None) -> Ranked:
        """The `k` best passages for the words of `text` within `scope`, as (id, BM25 score)."""
        import tantivy

        terms = _terms(text)
        if not terms or k < 1:
            return []
        words = tantivy.Query.boolean_query([(tantivy.Occur.Should, q) for q in _words(terms)])
        must = [(tantivy.Occur.Must, query) for query in (words, *_filters(scope or Scope()))]
        searcher = self._index.searcher()
        found = searcher.search(tantivy.Query.boolean_query(must), limit=k, count=False)
        return [(searcher.doc(address)["id"][0], score) for score, address in found.hits]

    def ids(self) -> set[str]:
        """All ids in the index."""
        import tantivy

        searcher = self._index.searcher()
        if not searcher.num_docs:
            return set()
        found = searcher.search(tantivy.Query.all_query(), limit=searcher.num_docs, count=False)
        return {searcher.doc(address)["id"][0] for _, address in found.hits}

    def drop(self) -> None:
        """Delete the index from the disk."""
        shutil.rmtree(self.folder, ignore_errors=True)


class _Writer:
    """A tantivy writer that commits at the end, or not at all."""

    def __init__(self, index: Any, folder: Path) -> None:
        self._index = index
        self._folder = folder

    def __enter__(self) -> Any:
        try:
            self._writer = self._index.writer(heap_size=HEAP_BYTES, num_threads=1)
        except ValueError as error:
            if "lock" in str(error).lower():
                raise BusyError(
                    f"Another process is writing to the index in {self._folder}.",
                    "Try again when it is done.",
                ) from error
            raise SearchIndexError(
                f"The lexical index in {self._folder} is damaged.", REPAIR
            ) from error
        return self._writer

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._writer.commit()
        else:
            self._writer.rollback()
        self._writer.wait_merging_threads()
        self._index.reload()


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


def _terms(text: str) -> Sequence[str]:
    """The distinct stems of `text` that carry meaning.

    >>> _terms("Has OpenAI released the weights?")
    ['openai', 'releas', 'weight']
    """
    return list(dict.fromkeys(_analyzer().analyze(text)))[:MAX_TERMS]


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
