"""Damage of every sort, and that what the Library can mend is mended."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.errors import SearchIndexError
from corpus.indexes import folder_of, open_current, opened
from corpus.library import Library
from corpus.settings import Settings
from ingest.doctor import Finding, diagnose, repair
from ingest.pipeline import Pipeline, writing
from ingest.probe import examine
from tests.conftest import imported, make_article
from tests.fakes import FakeEmbedder
from tests.ingest.test_export import rows

MANY = 1_200  # Chroma keeps the first 1,000 vectors in its log, and only then makes files


def faults(library: Library, settings: Settings, fake: FakeEmbedder) -> dict[str, str]:
    return {f.what: f.detail for f in diagnose(library, settings, fake) if not f.ok}


def assert_answers(library: Library, settings: Settings, fake: FakeEmbedder) -> None:
    indexes = open_current(library, settings, fake)
    wanted = make_article(2)
    (by_word, _), *_ = indexes.words.search("Report 2 number 2 $2.50", 3)
    (by_vector, _), *_ = indexes.vectors.search(
        fake.encode([f"{wanted.header}\n{wanted.text}"])[0], 3
    )
    indexes.close()
    assert by_word.startswith(wanted.id) and by_vector.startswith(wanted.id)


def scramble(path: Path) -> None:
    """Spoil the middle half of a file."""
    content = bytearray(path.read_bytes())
    for at in range(len(content) // 4, len(content) * 3 // 4):
        content[at] = (content[at] * 7 + at) % 256
    path.write_bytes(content)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def to_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("not a folder")


def segment(folder: Path) -> Path:
    return next(path for path in folder.iterdir() if path.is_dir())


def each(damage: Callable[[Path], object], pattern: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        found = list(folder.rglob(pattern))
        assert found
        for path in found:
            if path.is_file():
                damage(path)

    return apply


WORDS_DAMAGE: dict[str, Callable[[Path], object]] = {
    "deleted": shutil.rmtree,
    "emptied": empty,
    "a file": to_file,
    "garbage": each(lambda path: path.write_bytes(os.urandom(500)), "*"),
    "no meta": each(Path.unlink, "meta.json"),
    "bad meta": each(lambda path: path.write_bytes(b"\x00{"), "meta.json"),
    "no terms": each(Path.unlink, "*.term"),
    "half the terms": each(truncate, "*.term"),
    "bad terms": each(scramble, "*.term"),
    "bad postings": each(scramble, "*.idx"),
    "bad store": each(scramble, "*.store"),
}
VECTORS_DAMAGE: dict[str, Callable[[Path], object]] = {
    "deleted": shutil.rmtree,
    "emptied": empty,
    "a file": to_file,
    "garbage": each(lambda path: path.write_bytes(os.urandom(5_000)), "*"),
    "empty database": each(lambda path: os.truncate(path, 0), "chroma.sqlite3"),
    "half the database": each(truncate, "chroma.sqlite3"),
    "bad database": each(scramble, "chroma.sqlite3"),
}
SEGMENT_DAMAGE: dict[str, Callable[[Path], object]] = {
    "no segment": lambda folder: shutil.rmtree(segment(folder)),
    "empty segment": lambda folder: empty(segment(folder)),
    "no ids": each(Path.unlink, "index_metadata.pickle"),
    "bad ids": each(scramble, "index_metadata.pickle"),
    "no data": each(Path.unlink, "data_level0.bin"),
    "half the data": each(truncate, "data_level0.bin"),
    "bad data": each(scramble, "data_level0.bin"),
    "bad header": each(lambda path: path.write_bytes(os.urandom(100)), "header.bin"),
}


# These take the process down that opens the index, so the probe has to be a child indeed.
CRASHING = {"half the data", "bad data"}


@pytest.fixture(autouse=True)
def _probe_in_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the second that a child takes to import Chroma, where no crash is expected."""
    if "child" not in request.fixturenames:
        monkeypatch.setattr("ingest.doctor.look", examine)


@pytest.fixture
def child() -> None:
    """Probe in a child process, as it is done outside of tests."""


@pytest.fixture
def filled(pipeline: Pipeline) -> Pipeline:
    pipeline.ingest(imported(*map(make_article, range(40))))
    return pipeline


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with enough passages for Chroma to have written its segment."""
    home = tmp_path_factory.mktemp("template")
    library = Library.open(home)
    items = imported(*map(make_article, range(MANY)))
    Pipeline(library, FakeEmbedder(dimension=32), Settings(home=home)).ingest(items)
    library.close()
    return home


def folder(library: Library) -> Path:
    current = library.current()
    assert current is not None
    return folder_of(library.home, current)


def check_repair(
    library: Library, settings: Settings, fake: FakeEmbedder, index: str, *, found: bool = True
) -> None:
    """The damage is found, named and mended, and the Library is as it was."""
    before = rows(library)
    if found:
        assert faults(library, settings, fake).keys() == {index}, faults(library, settings, fake)
    findings = repair(library, settings, fake)
    assert [finding for finding in findings if not finding.ok] == []
    assert rows(library) == before
    assert_answers(library, settings, fake)
    assert Pipeline(library, fake, settings).ingest(imported(make_article(5_000))).embedded == 1


def test_a_sound_home_is_sound(filled: Pipeline, fake: FakeEmbedder) -> None:
    findings = diagnose(filled.library, filled.settings, fake)
    assert [finding.what for finding in findings] == [
        "library", "texts", "passages", "embedder", "words", "vectors", "unfinished",
    ]  # fmt: skip
    assert all(finding.ok and finding.detail and not finding.remedy for finding in findings)
    assert findings[0].detail == "40 articles, 40 passages"


def test_an_empty_library_is_sound(
    library: Library, settings: Settings, fake: FakeEmbedder
) -> None:
    assert all(finding.ok for finding in diagnose(library, settings, fake))
    assert all(finding.ok for finding in repair(library, settings, fake))


@pytest.mark.parametrize("damage", WORDS_DAMAGE)
def test_damaged_words_are_made_again(filled: Pipeline, fake: FakeEmbedder, damage: str) -> None:
    WORDS_DAMAGE[damage](folder(filled.library) / "words")
    fake.encoded.clear()
    check_repair(filled.library, filled.settings, fake, "words")


@pytest.mark.parametrize("damage", ["deleted", "bad terms", "bad store"])
def test_damaged_words_cost_no_vector(filled: Pipeline, fake: FakeEmbedder, damage: str) -> None:
    WORDS_DAMAGE[damage](folder(filled.library) / "words")
    generation = filled.library.current()
    repair(filled.library, filled.settings, fake)
    assert filled.library.current() == generation


@pytest.mark.parametrize("damage", VECTORS_DAMAGE)
def test_damaged_vectors_are_made_again(filled: Pipeline, fake: FakeEmbedder, damage: str) -> None:
    VECTORS_DAMAGE[damage](folder(filled.library) / "vectors")
    check_repair(filled.library, filled.settings, fake, "vectors")


@pytest.mark.parametrize("damage", sorted(CRASHING))
def test_a_segment_that_crashes_chroma_is_made_again(
    template: Path, tmp_path: Path, damage: str, child: None
) -> None:
    home = shutil.copytree(template, tmp_path / "copy")
    library, settings, fake = Library.open(home), Settings(home=home), FakeEmbedder(dimension=32)
    SEGMENT_DAMAGE[damage](folder(library) / "vectors")
    check_repair(library, settings, fake, "vectors")


def test_a_child_sees_what_there_is(filled: Pipeline, fake: FakeEmbedder, child: None) -> None:
    assert all(finding.ok for finding in diagnose(filled.library, filled.settings, fake))
    VECTORS_DAMAGE["garbage"](folder(filled.library) / "vectors")
    assert "can't be used" in faults(filled.library, filled.settings, fake)["vectors"]


@pytest.mark.parametrize("damage", sorted(SEGMENT_DAMAGE.keys() - CRASHING))
def test_a_damaged_segment_is_made_again(template: Path, tmp_path: Path, damage: str) -> None:
    home = shutil.copytree(template, tmp_path / "copy")
    library, settings, fake = Library.open(home), Settings(home=home), FakeEmbedder(dimension=32)
    SEGMENT_DAMAGE[damage](folder(library) / "vectors")
    check_repair(library, settings, fake, "vectors")


@pytest.mark.parametrize("damage", ["deleted", "empty database", "garbage", "bad database"])
def test_damaged_vectors_are_told_when_asked(
    filled: Pipeline, fake: FakeEmbedder, damage: str
) -> None:
    VECTORS_DAMAGE[damage](folder(filled.library) / "vectors")
    with pytest.raises(SearchIndexError) as caught:
        open_current(filled.library, filled.settings, fake)
    assert "groundwire doctor --repair" in caught.value.remedy


@pytest.mark.parametrize("damage", ["bad terms", "bad postings", "bad store"])
def test_damaged_words_are_told_when_asked(
    filled: Pipeline, fake: FakeEmbedder, damage: str
) -> None:
    WORDS_DAMAGE[damage](folder(filled.library) / "words")
    with pytest.raises(SearchIndexError, match="damaged") as caught:
        indexes = open_current(filled.library, filled.settings, fake)
        indexes.words.search("model released", 5)
    assert "groundwire doctor --repair" in caught.value.remedy


@pytest.mark.parametrize("damage", ["no segment", "no ids", "no data", "bad header"])
def test_a_damaged_segment_is_told_when_asked(template: Path, tmp_path: Path, damage: str) -> None:
    home = shutil.copytree(template, tmp_path / "copy")
    library, fake = Library.open(home), FakeEmbedder(dimension=32)
    SEGMENT_DAMAGE[damage](folder(library) / "vectors")
    with pytest.raises(SearchIndexError):
        open_current(library, Settings(home=home), fake)


def test_what_is_missing_and_what_is_too_much_is_told_and_mended(
    filled: Pipeline, fake: FakeEmbedder
) -> None:
    library, settings = filled.library, filled.settings
    live = sorted(library.live())
    generation = library.current()
    assert generation is not None
    with opened(library, settings, generation) as indexes:
        (entry,) = library.passages(live[-1:])
        foreign = make_article(9_999)
        surplus = (type(entry[0])(foreign.id, foreign.revision, 0, 3, "abc"), foreign)
        indexes.words.delete(live[:2])
        indexes.words.upsert([surplus])
        indexes.vectors.delete(live[:1])
        indexes.vectors.upsert([surplus], fake.encode(["abc"]))
    library.unmark(generation.name, "words", live[5:6])
    assert faults(library, settings, fake) == {
        "words": "2 of 40 passages missing, 1 too many, 1 not noted in the library",
        "vectors": "1 of 40 passages missing, 1 too many",
    }
    fake.encoded.clear()
    check_repair(library, settings, fake, "vectors", found=False)
    assert library.current() == generation, "a gap is filled, not all of it built anew"


def test_vectors_of_something_else_are_told_and_made_again(
    filled: Pipeline, fake: FakeEmbedder
) -> None:
    library, settings = filled.library, filled.settings
    generation = library.current()
    assert generation is not None
    entries = library.passages(sorted(library.live()))
    with opened(library, settings, generation) as indexes:
        indexes.vectors.upsert(entries, fake.encode([f"other {n}" for n in range(len(entries))]))
    assert "not as embedded" in faults(library, settings, fake)["vectors"]
    check_repair(library, settings, fake, "vectors")


def test_another_embedder_is_told_and_repair_embeds_anew(filled: Pipeline) -> None:
    other = FakeEmbedder(seed=7)
    library, settings = filled.library, filled.settings
    (bad,) = (f for f in diagnose(library, settings, other) if not f.ok)
    assert (bad.what, bad.remedy) == ("embedder", "groundwire reindex")
    assert all(finding.ok for finding in repair(library, settings, other))
    assert_answers(library, settings, other)


def spoil(library: Library, statement: str) -> None:
    with sqlite3.connect(library.home / "library.db") as db:
        db.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE passages SET end = 100000 WHERE id = (SELECT min(id) FROM passages)",
        "UPDATE passages SET start = end WHERE id = (SELECT min(id) FROM passages)",
        "UPDATE passages SET revision = 'gone' WHERE id = (SELECT min(id) FROM passages)",
        "DELETE FROM passages WHERE id = (SELECT min(id) FROM passages)",
        "UPDATE passages SET retired = 1 WHERE id = (SELECT min(id) FROM passages)",
    ],
)
def test_a_passage_outside_its_text_is_cut_again(
    filled: Pipeline, fake: FakeEmbedder, statement: str
) -> None:
    before = rows(filled.library)
    spoil(filled.library, statement)
    assert "1 article" in faults(filled.library, filled.settings, fake)["passages"]
    assert all(finding.ok for finding in repair(filled.library, filled.settings, fake))
    assert rows(filled.library) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE revisions SET text = text || '!' WHERE article_id = (SELECT min(id) FROM articles)",
        "UPDATE revisions SET text = ' ' WHERE article_id = (SELECT min(id) FROM articles)",
        "DELETE FROM revisions WHERE article_id = (SELECT min(id) FROM articles)",
    ],
)
def test_a_text_that_changed_is_told_and_left_alone(
    filled: Pipeline, fake: FakeEmbedder, statement: str
) -> None:
    spoil(filled.library, statement)
    (bad,) = (f for f in repair(filled.library, filled.settings, fake) if f.what == "texts")
    assert not bad.ok and "1 article" in bad.detail and "copy" in bad.remedy


def test_a_stopped_reindex_is_noted_and_no_fault(
    filled: Pipeline, fake: FakeEmbedder, library: Library, settings: Settings
) -> None:
    library.start_generation("other", "f", current=False)
    *_, last = diagnose(library, settings, fake)
    assert last == Finding(
        "unfinished", True, "a reindex for other was stopped; groundwire reindex goes on with it"
    )


def test_leftover_folders_are_noted_and_swept(
    filled: Pipeline, fake: FakeEmbedder, library: Library, settings: Settings
) -> None:
    (library.home / "index" / "0" / "words").mkdir(parents=True)
    *_, last = diagnose(library, settings, fake)
    assert (last.ok, last.detail) == (True, "1 folder left by an older index")
    *_, last = repair(library, settings, fake)
    assert last.detail == "nothing"
    assert not (library.home / "index" / "0").exists()


def test_repair_waits_for_nobody(filled: Pipeline, fake: FakeEmbedder) -> None:
    from corpus.errors import BusyError

    with writing(filled.library.home), pytest.raises(BusyError):
        repair(filled.library, filled.settings, fake)
