"""Do the Library and its indexes agree, and if not, make them.

The Library is the one source of truth: an index that is lost or wrong is made again from it, and a
passage that lies outside its text is cut again. What only a copy or the source can bring back, a
damaged database or a text that is no longer what was stored, is told and left alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpus.embedding import Embedder, Vectors
from corpus.errors import SearchIndexError
from corpus.indexes import Indexes, folder_of, leftovers, opened, sweep
from corpus.lexical import LexicalIndex
from corpus.library import INDEXES, Generation, IndexName, Library
from corpus.settings import Settings
from ingest.pipeline import Pipeline, Progress, embedded_text, silent, writing

REPAIR = "groundwire doctor --repair"
REINDEX = "groundwire reindex"
SAMPLE = 16  # passages embedded again; with 8, one in three vectors lost goes unseen in 1 of 25
SAME = 0.99  # cosine; the same passage in another batch gives 0.999999
UNIT = 1e-3  # how far from 1 the length of a vector may be


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, whether it is well, and what to do if it isn't."""

    what: str
    ok: bool
    detail: str
    remedy: str = ""


def diagnose(library: Library, settings: Settings, embedder: Embedder) -> list[Finding]:
    """Look at everything; change nothing.

    Raises HomeError when the Library itself can't be read, and SearchIndexError when the Chroma
    server does not answer.
    """
    generation = library.current()
    findings = [_database(library), _texts(library), _cuts(library)]
    if generation is None:
        findings.append(Finding("indexes", True, "the library is empty, so there are none yet"))
    else:
        findings.append(_embedder(generation, embedder))
        findings.append(_words(library, generation))
        findings.append(_vectors(library, settings, generation, embedder))
    return [*findings, _leftovers(library)]


def repair(
    library: Library, settings: Settings, embedder: Embedder, progress: Progress = silent
) -> list[Finding]:
    """Mend what the Library can mend, and look at everything again.

    Raises BusyError while another process writes.
    """
    pipeline = Pipeline(library, embedder, settings)
    with writing(library.home):
        for article_id in library.badly_cut():
            pipeline.cut_anew(article_id)
        generation = library.current()
        if generation is not None:
            _mend_words(library, generation)
            if _vectors_hold(library, settings, generation, embedder):
                _mend_missing(pipeline, generation, progress)
            else:
                # Never in the same folder: Chroma may hold on to what it knew of it.
                pipeline.rebuild(progress)
        sweep(library, settings)
    return diagnose(library, settings, embedder)


def _database(library: Library) -> Finding:
    damage = library.damage()
    if damage:
        return Finding("library", False, f"SQLite reports: {damage[0]}", "Restore it from a copy.")
    counts = library.counts()
    return Finding("library", True, f"{counts.articles:,} articles, {counts.passages:,} passages")


def _texts(library: Library) -> Finding:
    spoilt = library.spoilt_texts()
    if spoilt:
        detail = f"{_number(spoilt, 'article')} not with the text that was stored"
        return Finding("texts", False, detail, "Restore the library from a copy.")
    return Finding("texts", True, "every text is the one that was stored")


def _cuts(library: Library) -> Finding:
    bad = library.badly_cut()
    if bad:
        return Finding(
            "passages", False, f"{_number(bad, 'article')} with a passage outside its text", REPAIR
        )
    return Finding("passages", True, "every passage lies in its text")


def _embedder(generation: Generation, embedder: Embedder) -> Finding:
    made = f"{generation.embedder} ({generation.fingerprint})"
    if generation.fingerprint == embedder.fingerprint:
        return Finding("embedder", True, made)
    given = f"{embedder.name} ({embedder.fingerprint})"
    return Finding("embedder", False, f"the vectors are by {made}, not by {given}", REINDEX)


def _words(library: Library, generation: Generation) -> Finding:
    try:
        held = _word_ids(library, generation)
    except SearchIndexError as error:
        return Finding("words", False, error.message, REPAIR)
    return _agreement(library, generation, "words", held)


def _vectors(
    library: Library, settings: Settings, generation: Generation, embedder: Embedder
) -> Finding:
    try:
        with opened(library, settings, generation) as indexes:
            held = indexes.vectors.ids()
            finding = _agreement(library, generation, "vectors", held)
            wrong = _wrong_vectors(library, indexes, held, embedder)
    except SearchIndexError as error:
        return Finding("vectors", False, error.message, REPAIR)
    if finding.ok and wrong:
        return Finding("vectors", False, f"{_number(wrong, 'vector')} not as embedded", REPAIR)
    return finding


def _leftovers(library: Library) -> Finding:
    """Not a fault: a stopped `reindex` goes on where it was, and leftovers only take room."""
    building, folders = library.building(), leftovers(library)
    if building is not None:
        detail = f"a reindex for {building.embedder} was stopped; {REINDEX} goes on with it"
        return Finding("unfinished", True, detail)
    if folders:
        return Finding("unfinished", True, f"{_number(folders, 'folder')} left by an older index")
    return Finding("unfinished", True, "nothing")


def _agreement(
    library: Library, generation: Generation, index: IndexName, held: set[str]
) -> Finding:
    live, marked = library.live(), library.indexed(generation.name, index)
    missing, surplus = live - held, held - live
    unknown = (marked ^ held) - missing - surplus
    faults = [
        f"{len(ids):,} {fault}"
        for ids, fault in (
            (missing, f"of {len(live):,} passages missing"),
            (surplus, "too many"),
            (unknown, "not noted in the library"),
        )
        if ids
    ]
    if faults:
        return Finding(index, False, ", ".join(faults), REPAIR)
    return Finding(index, True, f"{len(held):,} passages, as in the library")


def _wrong_vectors(
    library: Library, indexes: Indexes, held: set[str], embedder: Embedder
) -> list[str]:
    """Ids whose vector is not of length 1, and those of a sample that are not what the embedder
    gives or are not found by their own vector."""
    import numpy as np

    stored = indexes.vectors.vectors(sorted(held))
    wrong = [id_ for id_, vector in stored.items() if abs(np.linalg.norm(vector) - 1) > UNIT]
    if indexes.generation.fingerprint != embedder.fingerprint:
        return wrong
    for id_, vector in _embedded_again(library, sorted(held & library.live()), embedder):
        same = float(np.dot(vector, stored[id_])) > SAME
        if not same or not _found_by(indexes, vector):
            wrong.append(id_)
    return wrong


def _embedded_again(
    library: Library, ids: Sequence[str], embedder: Embedder
) -> Iterator[tuple[str, Vectors]]:
    step = max(1, len(ids) // SAMPLE)
    entries = library.passages(ids[::step][:SAMPLE])
    texts = [embedded_text(passage, article, embedder) for passage, article in entries]
    vectors = embedder.encode(texts)
    for (passage, _), vector in zip(entries, vectors, strict=True):
        yield passage.id, vector


def _found_by(indexes: Indexes, vector: Vectors) -> bool:
    return any(score > SAME for _, score in indexes.vectors.search(vector, 1))


def _word_ids(library: Library, generation: Generation) -> set[str]:
    words = LexicalIndex(folder_of(library.home, generation) / "words")
    for text in ("the model was released by", *library.publishers()[:SAMPLE]):
        words.search(text, SAMPLE)  # reads what `ids` leaves unread: the lists of words
    return words.ids()


def _mend_words(library: Library, generation: Generation) -> None:
    """Delete an index of words that can't be read; it is made again by what follows."""
    try:
        _word_ids(library, generation)
    except SearchIndexError:
        folder = folder_of(library.home, generation) / "words"
        shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
        library.unmark(generation.name, "words")


def _vectors_hold(
    library: Library, settings: Settings, generation: Generation, embedder: Embedder
) -> bool:
    """Whether what vectors there are can be kept."""
    if generation.fingerprint != embedder.fingerprint:
        return False
    try:
        with opened(library, settings, generation) as indexes:
            held = indexes.vectors.ids()
            return bool(held) and not _wrong_vectors(library, indexes, held, embedder)
    except SearchIndexError:
        return False


def _mend_missing(pipeline: Pipeline, generation: Generation, progress: Progress) -> None:
    library = pipeline.library
    with opened(library, pipeline.settings, generation) as indexes:
        live = library.live()
        for index in INDEXES:
            held = indexes.words.ids() if index == "words" else indexes.vectors.ids()
            library.unmark(generation.name, index, library.indexed(generation.name, index) - held)
            if surplus := held - live:
                (indexes.words if index == "words" else indexes.vectors).delete(surplus)
                library.unmark(generation.name, index, surplus)
            library.mark(generation.name, index, held & live)
        pipeline.catch_up(indexes, progress)


def _number(things: Sequence[object], name: str) -> str:
    """
    >>> _number(["a"], "article"), _number([], "article")
    ('1 article', '0 articles')
    """
    return f"{len(things):,} {name}{'' if len(things) == 1 else 's'}"
