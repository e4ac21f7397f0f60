from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from corpus.article import Article
from corpus.errors import InputError
from corpus.library import Library, now
from corpus.settings import Settings
from ingest import files
from ingest.files import Imported, Refused, read_path
from ingest.pipeline import Pipeline
from tests.fakes import FakeEmbedder

FRONT = "---\ntitle: A title\nurl: https://a.org/1\npublished: 2025-08-05\n---\n"


def read(path: Path) -> tuple[list[Imported], list[Refused]]:
    items = list(read_path(path))
    good = [item for item in items if isinstance(item, Imported)]
    return good, [item for item in items if isinstance(item, Refused)]


def one(path: Path, content: str | bytes) -> Imported:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (item,), refused = read(path)
    assert not refused
    return item


def refusal(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    good, (refused,) = read(path)
    assert not good
    return refused.reason


def line(**fields: object) -> str:
    return json.dumps({"title": "T", "text": "A text.", **fields}) + "\n"


def test_markdown_with_front_matter(tmp_path: Path) -> None:
    head = (
        "title: 'Weights: released'\nurl: https://a.org/1\npublisher: A\nauthor: W\n"
        "published: 2025-08-05\nupdated: 2025-08-06T10:00:00+02:00\nkind: digest\n"
        "provenance: primary\ntopics: [x, y, x]\nlicence: CC0-1.0\n"
    )
    article = one(tmp_path / "a.md", f"---\n{head}---\n\nBody one.\n\nBody two.\n").article
    assert article == Article(
        title="Weights: released",
        text="Body one.\n\nBody two.",
        url="https://a.org/1",
        publisher="A",
        author="W",
        published=datetime(2025, 8, 5, tzinfo=UTC),
        updated=datetime(2025, 8, 6, 8, tzinfo=UTC),
        date_found="front matter",
        kind="digest",
        provenance="primary",
        topics=("x", "y"),
        licence="CC0-1.0",
    )


def test_markdown_and_text_without_front_matter(tmp_path: Path) -> None:
    assert one(tmp_path / "a.md", "# A heading\n\nBody.").article.title == "A heading"
    assert one(tmp_path / "b.txt", "First line\nBody.").article.title == "First line"
    long = one(tmp_path / "long name.txt", "word " * 100).article
    assert (long.title, long.published, long.date_found) == ("long name", None, "")


@pytest.mark.parametrize("suffix", [".md", ".txt", ".jsonl"])
def test_marks_and_line_ends_of_windows_are_nothing(tmp_path: Path, suffix: str) -> None:
    content = line(text="One.\r\nTwo.") if suffix == ".jsonl" else "T\r\n\r\nOne.\r\nTwo."
    text = one(tmp_path / f"a{suffix}", b"\xef\xbb\xbf" + content.encode()).article.text
    assert text.endswith("One.\nTwo.") and "\r" not in text and "\ufeff" not in text


def test_front_matter_after_a_byte_order_mark(tmp_path: Path) -> None:
    windows = FRONT.replace("\n", "\r\n")
    assert (
        one(tmp_path / "a.md", b"\xef\xbb\xbf" + f"{windows}x".encode()).article.title == "A title"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no text"),
        (" \n\t\n", "no text"),
        (FRONT, "has no text"),
        ("---\ntitle: A\nnever ends", "does not end"),
        ("---\ntitle: [\n---\nx", "not valid YAML"),
        ("---\ntitle: 'a\n---\nx", "not valid YAML"),
        ("---\npublished: 2025-13-45\n---\nx", "not valid YAML"),
        ("---\n- a list\n---\nx", "not a list of `field: value`"),
        ("---\ntitle: {a: b}\n---\nx", "'title' is not text"),
        ("---\ntopics: {a: b}\n---\nx", "'topics' is not a list"),
        ("---\n" + "[" * 5_000 + "\n---\nx", "not valid YAML"),
        (f"---\ntitle: {'t' * 2_000}\n---\nx", "title has more than"),
        (b"PNG\x00\x01\x02", "binary"),
        (b"caf\xe9 latin", "not UTF-8"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(
    tmp_path: Path, content: str | bytes, reason: str
) -> None:
    found = refusal(tmp_path / "a.md", content)
    assert reason in found and "\n" not in found


def test_aliases_do_not_multiply(tmp_path: Path) -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{n}: &{n} [*{m}, *{m}, *{m}, *{m}]\n"
        for m, n in zip("abcdefghij", "bcdefghijk", strict=True)
    )
    assert "topics" in refusal(tmp_path / "a.md", f"---\ntitle: T\n{bomb}topics: *k\n---\nx")


def test_fifty_megabytes_are_refused_by_size_alone(tmp_path: Path) -> None:
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(50_000_000)
    _, (refused,) = read(tmp_path / "a.txt")
    assert "50 MB" in refused.reason and "split it" in refused.reason


def test_a_text_that_is_too_long_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_CHARS", 100)
    assert "101 characters" in refusal(tmp_path / "a.jsonl", line(text="x" * 101))


def test_jsonl_bad_lines_are_told_by_number_and_the_others_go_in(tmp_path: Path) -> None:
    lines = [
        line(title="First"),
        "\n",
        "{not json\n",
        "[1, 2]\n",
        line(text=""),
        line(title=None),
        line(text={"a": 1}),
        "[" * 100_000 + "\n",
        '{"title": "T", "text": "x", "n": ' + "9" * 5_000 + "}\n",
        line(title="Last").rstrip(),
    ]
    (tmp_path / "a.jsonl").write_bytes(b"".join(map(str.encode, lines)) + b"\n\xff\xfe\n")
    good, refused = read(tmp_path / "a.jsonl")
    assert [item.article.title for item in good] == ["First", "Last"]
    assert [int(item.where.rsplit(":", 1)[1]) for item in refused] == [3, 4, 5, 6, 7, 8, 9, 11]
    assert all(item.reason and "\n" not in item.reason for item in refused)


def test_an_overlong_line_is_one_bad_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 200)
    content = line(title="First") + line(text="x" * 1_000) + line(title="Last")
    (tmp_path / "a.jsonl").write_text(content)
    good, (refused,) = read(tmp_path / "a.jsonl")
    assert [item.article.title for item in good] == ["First", "Last"]
    assert refused.where.endswith(":2") and "long" in refused.reason


def test_what_no_database_holds_is_cleaned(tmp_path: Path) -> None:
    bad = "a\ud800b\x00c"
    content = line(title=bad, text=bad, publisher=bad, topics=[bad, None, 7], url="https://a.org/1")
    item = one(tmp_path / "a.jsonl", content)
    library = Library.open(tmp_path / "home")
    Pipeline(library, FakeEmbedder(), Settings(home=library.home)).ingest([item])
    (stored,) = library.articles()
    assert (stored.title, stored.text, stored.topics) == ("a?bc", "a?bc", ("a?bc", "7"))


@pytest.mark.parametrize(
    "value",
    ["yesterday", "2099-01-01", 20250805, "5/8/2025", ["2025"], "0001-01-01T00:00:00+14:00"],
)
def test_a_date_that_can_not_be_read_is_left_out_and_told(tmp_path: Path, value: object) -> None:
    item = one(tmp_path / "a.jsonl", line(published=value, updated="2025-08-05"))
    assert (item.article.published, item.article.date_found) == (None, "")
    assert item.article.updated is not None
    (note,) = item.notes
    assert note.startswith("published ") and note.endswith("so it is left out")


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2025-08-05", datetime(2025, 8, 5, tzinfo=UTC)),
        ("2025-08-05T23:30:00-05:00", datetime(2025, 8, 6, 4, 30, tzinfo=UTC)),
        ("2025-08-05T10:00:00.123456Z", datetime(2025, 8, 5, 10, tzinfo=UTC)),
        ("1969-07-20", datetime(1969, 7, 20, tzinfo=UTC)),
        (None, None),
        ("", None),
    ],
)
def test_dates_are_utc_to_the_second(
    tmp_path: Path, value: str | None, moment: datetime | None
) -> None:
    item = one(tmp_path / "a.jsonl", line(published=value))
    assert (item.article.published, item.notes) == (moment, ())
    assert item.article.date_found == ("import" if moment else "")


def test_a_clock_may_be_a_little_ahead(tmp_path: Path) -> None:
    soon = now() + timedelta(hours=10)
    assert one(tmp_path / "a.jsonl", line(published=soon.isoformat())).article.published == soon


@pytest.mark.parametrize("url", ["not an address", "javascript:alert(1)", "http://[::1", "//a.org"])
def test_what_is_no_web_address_is_left_out_and_told(tmp_path: Path, url: str) -> None:
    item = one(tmp_path / "a.jsonl", line(url=url))
    assert item.article.url is None and item.article.id
    assert "is not a web address" in item.notes[0]


def test_a_folder_is_read_in_order_and_passes_over_what_is_none(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("b.txt", "a.md", "sub/c.jsonl", ".hidden.md", ".git/d.md", "code.py", "x.toml"):
        (tmp_path / name).write_text(line() if name.endswith("jsonl") else f"Title {name}\nBody.")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "empty.md").write_text("")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)))
    good, refused = read(tmp_path)
    assert [Path(item.where).name for item in good] == ["a.md", "b.txt", "c.jsonl:1"]
    assert [Path(item.where).name for item in refused] == ["binary.txt", "empty.md", "picture.png"]


def test_links_do_not_lead_round_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Title\nBody.")
    (tmp_path / "round").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self.md").symlink_to(tmp_path / "self.md")
    (tmp_path / "gone.md").symlink_to(tmp_path / "nothing")
    good, refused = read(tmp_path)
    assert len(good) == 1
    assert [Path(item.where).name for item in refused] == ["gone.md", "self.md"]


def test_what_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.md").write_text("Title\nBody.")
    (tmp_path / "locked").mkdir()
    real = os.scandir

    def scandir(path: str) -> object:  # as for a folder that belongs to somebody else
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    good, (refused,) = read(tmp_path)
    assert len(good) == 1
    assert refused == Refused(str(tmp_path / "locked"), "can't be read: Permission denied")


def test_a_path_that_is_not_there_or_of_another_kind_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file or folder"):
        list(read_path(tmp_path / "nothing"))
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    with pytest.raises(InputError, match="not of a kind") as caught:
        list(read_path(tmp_path / "a.pdf"))
    assert ".jsonl" in caught.value.remedy
