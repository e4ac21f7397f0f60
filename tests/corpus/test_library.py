from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from corpus.article import Article, Passage
from corpus.errors import BusyError, HomeError, SchemaError
from corpus.library import Library, Scope
from tests.conftest import make_article

THEN = datetime(2025, 9, 1, tzinfo=UTC)
LATER = datetime(2025, 9, 2, tzinfo=UTC)


def cut(article: Article, at: int | None = None) -> list[Passage]:
    """The article as one passage, or as two."""
    end = len(article.text)
    spans = [(0, end)] if at is None else [(0, at), (at, end)]
    return [Passage(article.id, article.revision, a, b, article.text[a:b]) for a, b in spans]


def put(library: Library, article: Article, moment: datetime = THEN) -> str:
    return library.put(article, cut(article), moment)


def ids(article: Article) -> list[str]:
    return [passage.id for passage in cut(article)]


def test_an_article_comes_back_as_it_went_in(library: Library) -> None:
    article = make_article(
        1,
        text="Ein Text mit Ünïcode 🚀\n\nund zwei Absätzen.",
        author="A. Writer",
        updated=THEN,
        provenance="primary",
        topics=("a", "b, c"),
        licence="CC0-1.0",
    )
    assert put(library, article) == "new"
    assert library.article(article.id) == article
    assert list(library.articles()) == [article]
    assert library.passages(ids(article)) == [(cut(article)[0], article)]


def test_the_same_again_changes_nothing(library: Library) -> None:
    put(library, make_article(1))

    def refuse() -> Iterator[Passage]:
        raise AssertionError("an unchanged article needs no cutting")
        yield

    assert library.put(make_article(1), refuse(), LATER) == "unchanged"


def test_another_text_is_a_revision_and_retires_the_passages(library: Library) -> None:
    first, second = make_article(1), make_article(1, text="It was withdrawn.")
    put(library, first)
    library.mark("1", "words", ids(first))
    assert put(library, second, LATER) == "revised"
    assert library.article(first.id) == second
    assert library.article(first.id, first.revision) == first, "a citation opens what it quoted"
    assert library.in_scope([*ids(first), *ids(second)], Scope()) == set(ids(second))
    assert library.stale("1", "words") == ids(first)
    library.unmark("1", "words", ids(first))
    assert library.passages(ids(first)) == [], "retired, held by no index, gone"
    assert library.counts().revisions == 2


def test_an_old_text_read_again_does_not_come_back(library: Library) -> None:
    first, second = make_article(1), make_article(1, text="It was withdrawn.")
    put(library, first)
    put(library, second)
    assert put(library, first, LATER) == "unchanged"
    assert library.article(first.id) == second


def test_a_changed_title_is_indexed_again_and_a_changed_author_is_not(library: Library) -> None:
    article = make_article(1)
    put(library, article)
    library.mark("1", "words", ids(article))
    assert put(library, make_article(1, author="Somebody"), LATER) == "updated"
    assert library.pending("1", "words") == []
    assert put(library, make_article(1, title="Corrected", author="Somebody"), LATER) == "updated"
    assert library.pending("1", "words") == ids(article)
    ((_, stored),) = library.history()
    assert stored == THEN, "a text was fetched when it was first read"


def test_history_tells_every_revision_the_current_one_last(library: Library) -> None:
    texts = ("First.", "Second.", "Third.")
    for day, text in enumerate(texts, 1):
        put(library, make_article(1, text=text), datetime(2025, 9, day, tzinfo=UTC))
    assert [(a.text, at.day) for a, at in library.history()] == [
        (text, day) for day, text in enumerate(texts, 1)
    ]


def test_pending_is_newest_first_and_undated_last(library: Library) -> None:
    old, new, undated = make_article(1), make_article(3), make_article(2, published=None)
    for article in (undated, old, new):
        put(library, article)
    assert library.pending("1", "words") == [*ids(new), *ids(old), *ids(undated)]
    assert library.pending("1", "words", limit=1) == ids(new)
    library.mark("1", "words", ids(new))
    assert library.pending("1", "words") == [*ids(old), *ids(undated)]
    assert len(library.pending("1", "vectors")) == 3, "each index has its own account"


def test_an_article_can_be_cut_anew(library: Library) -> None:
    article = make_article(1)
    put(library, article)
    library.mark("1", "words", ids(article))
    two = cut(article, at=10)
    library.recut(article.id, two)
    assert library.live() == {passage.id for passage in two}
    assert library.stale("1", "words") == ids(article)
    library.recut(article.id, cut(article))
    assert (library.live(), library.stale("1", "words")) == (set(ids(article)), [])


def test_the_scope_takes_whole_days_and_leaves_out_the_undated(library: Library) -> None:
    evening = make_article(1, published=datetime(2025, 8, 5, 23, 59, 59, tzinfo=UTC))
    undated = make_article(2, published=None, publisher="Beta")
    for article in (evening, undated):
        put(library, article)
    day = date(2025, 8, 5)
    both = [*ids(evening), *ids(undated)]
    assert library.in_scope(both, Scope(day, day)) == set(ids(evening))
    assert library.in_scope(both, Scope(until=date(2025, 8, 4))) == set()
    assert library.in_scope(both, Scope(until=date.max)) == set(ids(evening))
    assert library.in_scope(both, Scope(publishers=("Beta",))) == set(both)
    assert set(library.ids_in_scope(Scope())) == set(both)
    assert library.ids_in_scope(Scope(since=day, publishers=("Beta",))) == ids(evening)
    assert not Scope() and Scope(since=day)


def test_ids_beyond_sqlites_limit_are_looked_up(library: Library) -> None:
    article = make_article(1)
    put(library, article)
    many = [f"none#none:{n}-{n + 1}" for n in range(40_000)] + ids(article)
    assert library.in_scope(many, Scope()) == set(ids(article))
    assert len(library.passages(many)) == 1


def test_counts_and_publishers(library: Library) -> None:
    assert library.counts().oldest is None and library.publishers() == []
    for n in (1, 2):
        put(library, make_article(n))
    generation = library.start_generation("fake", "f", current=True)
    library.mark(generation.name, "words", ids(make_article(1)))
    counts = library.counts()
    assert (counts.articles, counts.passages, counts.words, counts.vectors) == (2, 2, 1, 0)
    assert (counts.oldest, counts.newest) == ("2025-02-02", "2025-03-03")
    assert library.publishers() == ["Beta", "Gamma"]


def test_generations_are_swapped_in_one_step_and_never_named_twice(library: Library) -> None:
    old = library.start_generation("a", "fa", current=True)
    new = library.start_generation("b", "fb", current=False)
    assert (library.current(), library.building()) == (old, new)
    library.mark(old.name, "words", ["x"])
    library.swap_generation(new.name)
    current = library.current()
    assert current is not None and current.name == new.name
    assert library.building() is None and library.indexed(old.name, "words") == set()
    library.drop_generation(new.name)
    assert library.current() is None
    assert library.start_generation("c", "fc", current=True).name == "3"


def test_a_library_is_told_from_others_and_keeps_its_name(library: Library, tmp_path: Path) -> None:
    other = Library.open(tmp_path / "other")
    assert library.id and library.id != other.id
    assert Library.open(library.home).id == library.id


@pytest.mark.parametrize(
    ("found", "remedy"), [("2", "Upgrade Groundwire"), ("0", "Give another folder"), ("?", "Give")]
)
def test_another_schema_is_refused(library: Library, found: str, remedy: str) -> None:
    with sqlite3.connect(library.home / "library.db") as db:
        db.execute("UPDATE meta SET value = ? WHERE key = 'schema'", [found])
    with pytest.raises(SchemaError, match=f"has schema {'[?]' if found == '?' else found};") as e:
        Library.open(library.home)
    assert e.value.remedy.startswith(remedy)


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "library.db") as db:
        db.execute("CREATE TABLE songs (title)")
    with pytest.raises(SchemaError):
        Library.open(tmp_path)


def test_a_damaged_database_is_told(library: Library) -> None:
    put(library, make_article(1))
    library.close()
    (library.home / "library.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(HomeError, match="is damaged"):
        Library.open(library.home)


def test_damage_inside_the_file_is_found(library: Library) -> None:
    for n in range(300):
        put(library, make_article(n, text=f"{n} " + "long text " * 100))
    assert library.damage() == []
    library.close()
    path = library.home / "library.db"
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 20_000] = os.urandom(20_000)
    path.write_bytes(content)
    broken = Library.open(library.home)
    try:
        assert broken.damage()
    except HomeError as error:
        assert "is damaged" in error.message


def test_a_home_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for home in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(HomeError, match="can't be used") as caught:
            Library.open(home)
        assert "--home" in caught.value.remedy


def test_odd_names_of_folders_are_just_names(tmp_path: Path) -> None:
    home = tmp_path / "a?b#c%20 d"
    put(Library.open(home), make_article(1))
    assert (home / "library.db").exists()
    assert Library.open(home).counts().articles == 1


OPEN = """
import os, sys
from pathlib import Path
from corpus.errors import HomeError
from corpus.library import Library
Library.open(Path(sys.argv[2]))  # everything is imported before this process becomes nobody
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    Library.open(Path(sys.argv[1])).start_generation("e", "f", current=True)
except HomeError as error:
    print(error)
"""


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_that_may_not_be_written_is_told_in_one_sentence(
    tmp_path: Path, exists: bool
) -> None:
    with TemporaryDirectory() as folder:  # pytest's own can be entered by nobody but its owner
        home = Path(folder) / "home"
        home.mkdir()
        if exists:
            put(Library.open(home), make_article(1))
        for path in [*home.iterdir(), home, home.parent]:
            path.chmod(0o444 if path.is_file() else 0o555)
        command = [sys.executable, "-c", OPEN, str(home), str(tmp_path / "other")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        home.parent.chmod(0o755)
        home.chmod(0o755)
    assert done.stdout.startswith(f"The data folder {home} can't be used: "), done.stderr
    assert done.stdout.count(". ") == 1 and "--home" in done.stdout


def test_two_first_openings_at_once_both_succeed(tmp_path: Path) -> None:
    found: list[str] = []
    barrier = threading.Barrier(4)

    def first() -> None:
        barrier.wait()
        found.append(Library.open(tmp_path / "new").id)

    threads = [threading.Thread(target=first) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(found)) == 1


def test_a_writer_that_does_not_let_go_is_told(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(library.home / "library.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        library.engine.dispose()
        monkeypatch.setattr("corpus.library.BUSY_SECONDS", 0.1)
        with pytest.raises(BusyError):
            put(Library.open(library.home), make_article(1))
        other.execute("ROLLBACK")


def test_storing_an_article_takes_milliseconds(library: Library) -> None:
    started = time.perf_counter()
    for n in range(200):
        put(library, make_article(n))
    assert (time.perf_counter() - started) / 200 < 0.02  # about 0.001 alone on the machine
