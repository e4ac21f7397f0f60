"""Article → Library → both indexes, so that a killed run loses at most work, never an article.

Articles are stored first, one transaction each. The indexes then catch up with the Library: words
at once, vectors newest first. Both loops ask the Library what is missing and note what is done,
so a second run after a kill goes on where the first stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from corpus.article import Article, Passage
from corpus.embedding import Embedder
from corpus.errors import BusyError, SearchIndexError
from corpus.indexes import (
    Indexes,
    check_embedder,
    check_held,
    drop_indexes,
    folder_of,
    opened,
    sweep,
)
from corpus.lexical import LexicalIndex
from corpus.library import Change, Generation, Library, now
from corpus.settings import Settings
from corpus.vectors import VectorIndex
from ingest.chunking import PassageParser
from ingest.files import Imported, Item, Refused

WORDS_BATCH = 2_000  # passages a commit: a commit costs about 30 ms, whatever is in it
VECTOR_BATCH = 64  # passages embedded between two notes to the Library: what a kill can cost
LOCK = "writing.lock"

# What is told while it happens: the stage, how much of it is done, and of how much.
Progress = Callable[[str, int, int | None], None]


def silent(stage: str, done: int, total: int | None) -> None:
    """A Progress that tells nobody."""


@dataclass(slots=True)
class Report:
    """What became of the items of one ingest."""

    counts: Counter[Change] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    embedded: int = 0

    @property
    def failed_entirely(self) -> bool:
        return bool(self.refused) and not self.counts.total()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Library, embedder and settings, put together for writing."""

    library: Library
    embedder: Embedder
    settings: Settings

    def ingest(self, items: Iterable[Item], progress: Progress = silent) -> Report:
        """Store the articles among `items` and bring both indexes up to date.

        Raises BusyError while another process writes, and EmbedderChangedError when the index was
        made by another embedder.
        """
        report = Report()
        with writing(self.library.home):
            generation = self._generation()
            self._store(items, report, progress)
            with self._opened(generation) as indexes:
                report.embedded = self.catch_up(indexes, progress)
            sweep(self.library, self.settings)
        return report

    def reindex(self, progress: Progress = silent) -> Generation:
        """Build both indexes anew beside the old ones, then swap.

        Questions go on being answered from the old ones. A run that was stopped is resumed,
        unless the embedder has changed since. Raises BusyError while another process writes.
        """
        with writing(self.library.home):
            return self.rebuild(progress)

    def rebuild(self, progress: Progress = silent) -> Generation:
        """What `reindex` does, for one who holds the right to write already."""
        building = self.library.building()
        if building is not None and not self._resumable(building):
            drop_indexes(self.library, self.settings, building)
            self.library.drop_generation(building.name)
            building = None
        generation = building or self._start(current=False)
        self._recut_what_does_not_fit(generation, progress)
        with self._opened(generation) as indexes:
            self.catch_up(indexes, progress)
        old = self.library.current()
        self.library.swap_generation(generation.name)
        if old is not None:
            drop_indexes(self.library, self.settings, old)
        sweep(self.library, self.settings)
        return generation

    def catch_up(self, indexes: Indexes, progress: Progress = silent) -> int:
        """Make both indexes agree with the Library; the number of passages embedded."""
        self._update_words(indexes.words, indexes.generation.name, progress)
        return self._update_vectors(indexes.vectors, indexes.generation.name, progress)

    def cut_anew(self, article_id: str) -> None:
        """Give an article the passages that the chunker would give it now."""
        article = self.library.article(article_id)
        if article is not None:
            self.library.recut(article_id, self.parser().passages(article))

    def parser(self) -> PassageParser:
        """The chunker that fits the embedder."""
        return PassageParser(
            count_tokens=self.embedder.count_tokens, max_tokens=self.embedder.max_tokens
        )

    def _generation(self) -> Generation:
        current = self.library.current()
        if current is not None:
            check_embedder(current, self.embedder)
        return current or self._start(current=True)

    def _start(self, *, current: bool) -> Generation:
        return self.library.start_generation(
            self.embedder.name, self.embedder.fingerprint, current=current
        )

    @contextmanager
    def _opened(self, generation: Generation) -> Iterator[Indexes]:
        with opened(self.library, self.settings, generation) as indexes:
            check_held(self.library, indexes)
            yield indexes

    def _resumable(self, building: Generation) -> bool:
        if building.fingerprint != self.embedder.fingerprint:
            return False
        try:
            with self._opened(building):
                return True
        except SearchIndexError:
            return False

    def _recut_what_does_not_fit(self, generation: Generation, progress: Progress) -> None:
        """Cut anew the articles of which a passage is too long for this embedder.

        Passages belong to the Library, not to a generation: so until the swap the old vectors
        lack these articles. They stay answerable by their words, which are brought up to date
        in the old index at once; the price of keeping one set of passages.
        """
        too_long: set[str] = set()
        for _, ids in _batches(self.library.pending(generation.name, "vectors"), WORDS_BATCH):
            for passage, article in self.library.passages(ids):
                if not fits(with_header(passage, article), self.embedder):
                    too_long.add(article.id)
        for article_id in sorted(too_long):
            self.cut_anew(article_id)
        current = self.library.current()
        if current is not None:
            self._bridge(current, progress)

    def _bridge(self, old: Generation, progress: Progress) -> None:
        """Bring the words of the old index up to date; its vectors may be why it is replaced."""
        try:
            words = LexicalIndex(folder_of(self.library.home, old) / "words")
            self._update_words(words, old.name, progress)
        except SearchIndexError:
            return  # it can't be searched anyhow, and is about to be replaced

    def _store(self, items: Iterable[Item], report: Report, progress: Progress) -> None:
        parser = self.parser()
        seen = _Seen()
        for done, item in enumerate(items, 1):
            progress("reading", done, None)
            if isinstance(item, Refused):
                report.refused.append(item)
                continue
            report.notes.extend(f"{item.where}: {note}" for note in item.notes)
            earlier = seen.same_text(item)
            if earlier is not None:
                # Two files that differ in the title alone would else undo each other for ever.
                report.counts["unchanged"] += 1
                report.notes.append(
                    f"{item.where}: has the address and the text of {earlier}, so it is passed over"
                )
                continue
            earlier = seen.same_address(item)
            change = self._store_one(item, parser)
            report.counts[change] += 1
            if earlier is not None and change == "revised":
                report.notes.append(
                    f"{item.where}: has the address of {earlier} and another text, "
                    "so it is kept as a later revision of that article"
                )

    def _store_one(self, item: Imported, parser: PassageParser) -> Change:
        return self.library.put(item.article, _lazily(parser, item.article), item.fetched or now())

    def _update_words(self, words: LexicalIndex, name: str, progress: Progress) -> None:
        if stale := self.library.stale(name, "words"):
            words.delete(stale)
            self.library.unmark(name, "words", stale)
        pending = self.library.pending(name, "words")
        for done, ids in _batches(pending, WORDS_BATCH):
            words.upsert(self.library.passages(ids))
            self.library.mark(name, "words", ids)
            progress("indexing words", done, len(pending))

    def _update_vectors(self, vectors: VectorIndex, name: str, progress: Progress) -> int:
        if stale := self.library.stale(name, "vectors"):
            vectors.delete(stale)
            self.library.unmark(name, "vectors", stale)
        pending = self.library.pending(name, "vectors")
        for done, ids in _batches(pending, VECTOR_BATCH):
            entries = self.library.passages(ids)
            texts = [embedded_text(passage, article, self.embedder) for passage, article in entries]
            vectors.upsert(entries, self.embedder.encode(texts))
            self.library.mark(name, "vectors", ids)
            progress("embedding", done, len(pending))
        return len(pending)


def embedded_text(passage: Passage, article: Article, embedder: Embedder) -> str:
    """What the embedder sees of a passage: its article's header, then the passage.

    Where the two don't fit together, because a title is a page long, the passage is seen alone.
    """
    whole = with_header(passage, article)
    return whole if fits(whole, embedder) else passage.text


def with_header(passage: Passage, article: Article) -> str:
    """The passage below its article's title, publisher and date."""
    return f"{article.header}\n{passage.text}"


def fits(text: str, embedder: Embedder) -> bool:
    """Whether the embedder sees all of `text`."""
    return embedder.count_tokens(text) <= embedder.max_tokens


class _Seen:
    """Where each article of this ingest stood first."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._addresses: dict[str, str] = {}

    def same_text(self, item: Imported) -> str | None:
        """Where this text of this article stood before, if it did; from now on, here."""
        key = f"{item.article.id}#{item.article.revision}"
        first = self._texts.setdefault(key, item.where)
        return first if first != item.where else None

    def same_address(self, item: Imported) -> str | None:
        """Where the article stood before, if it did; from now on, here."""
        first = self._addresses.setdefault(item.article.id, item.where)
        return first if first != item.where else None


@contextmanager
def writing(home: Path) -> Iterator[None]:
    """Hold the right to write to `home`; raises BusyError while another process has it."""
    from filelock import FileLock, Timeout

    lock = FileLock(home / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise BusyError(
            f"Another ingest is writing to {home}.", "Try again when it is done."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _lazily(parser: PassageParser, article: Article) -> Iterator[Passage]:
    """The passages, cut only if the Library wants them: an unchanged article needs none."""
    yield from parser.passages(article)


def _batches(ids: Sequence[str], size: int) -> Iterator[tuple[int, Sequence[str]]]:
    """Slices of `ids`, each with the number done once it is."""
    for at in range(0, len(ids), size):
        batch = ids[at : at + size]
        yield at + len(batch), batch
