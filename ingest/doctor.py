"""Do the Library and its indexes agree, and if not, make them.

The Library is the one source of truth: an index that is lost or wrong is made again from it, and a
passage that lies outside its text is cut again. What only a copy or the source can bring back, a
damaged database or a text that is no longer what was stored, is told and left alone.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from corpus.embedding import Embedder
from corpus.errors import SearchIndexError
from corpus.indexes import collection_of, folder_of, leftovers, opened, sweep
from corpus.lexical import LexicalIndex
from corpus.library import INDEXES, Generation, IndexName, Library
from corpus.settings import Settings
from ingest.pipeline import Pipeline, Progress, embedded_text, silent, writing
from ingest.probe import Place, Seen, look

REPAIR = "groundwire doctor --repair"
REINDEX = "groundwire reindex"
SAME = 0.99  # least cosine; the same passage in another batch gives 0.999999
PROBES = 16  # publishers searched for, to read the lists of words


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
        seen = look(_place(library, settings, generation))
    except SearchIndexError as error:
        return Finding("vectors", False, error.message, error.remedy)
    finding = _agreement(library, generation, "vectors", set(seen.ids))
    wrong = _wrong(library, generation, seen, embedder)
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


def _wrong(library: Library, generation: Generation, seen: Seen, embedder: Embedder) -> set[str]:
    """Ids whose vector is unsound, or in a sample is not what the embedder gives."""
    wrong = set(seen.wrong)
    if generation.fingerprint == embedder.fingerprint:
        entries = [
            entry for entry in library.passages(sorted(seen.sample)) if entry[0].id in seen.sample
        ]
        fresh = embedder.encode([embedded_text(*entry, embedder) for entry in entries])
        for (passage, _), vector in zip(entries, fresh, strict=True):
            if float((vector * seen.sample[passage.id]).sum()) < SAME:
                wrong.add(passage.id)
    return wrong


def _place(library: Library, settings: Settings, generation: Generation) -> Place:
    folder = folder_of(library.home, generation) / "vectors"
    return Place(str(folder), collection_of(library, generation), settings.chroma_url)


def _word_ids(library: Library, generation: Generation) -> set[str]:
    words = LexicalIndex(folder_of(library.home, generation) / "words")
    for text in ("the model was released by", *library.publishers()[:PROBES]):
        words.search(text, PROBES)  # reads what `ids` leaves unread: the lists of words
    return words.ids()


def _mend_words(library: Library, generation: Generation) -> None:
    """Delete an index of words that can't be read; it is made again by what follows."""
    try:
        _word_ids(library, generation)
    except SearchIndexError:
        _discard(folder_of(library.home, generation) / "words")
        library.unmark(generation.name, "words")


def _discard(path: Path) -> None:
    """Delete a damaged file or folder, out of the way first.

    Whoever still has the old index open looks after it by its path, and may put a lock file into
    the folder while it is being emptied.
    """
    aside = tempfile.mkdtemp(prefix=f"{path.name}-", dir=path.parent)
    path.rename(Path(aside) / path.name)
    shutil.rmtree(aside)


def _vectors_hold(
    library: Library, settings: Settings, generation: Generation, embedder: Embedder
) -> bool:
    """Whether what vectors there are can be kept."""
    if generation.fingerprint != embedder.fingerprint:
        return False
    try:
        seen = look(_place(library, settings, generation))
    except SearchIndexError:
        return False
    return bool(seen.ids) and not _wrong(library, generation, seen, embedder)


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


def _number(things: Collection[object], name: str) -> str:
    """
    >>> _number(["a"], "article"), _number([], "article")
    ('1 article', '0 articles')
    """
    return f"{len(things):,} {name}{'' if len(things) == 1 else 's'}"
