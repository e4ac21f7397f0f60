from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from corpus.article import Article
from corpus.errors import InputError
from corpus.library import Library, articles, passages, revisions
from corpus.settings import Settings
from ingest.bundled import bundled_articles
from ingest.export import export_library
from ingest.files import read_path
from ingest.pipeline import Pipeline
from tests.conftest import imported, make_article
from tests.fakes import FakeEmbedder


def rows(library: Library) -> dict[str, list[Any]]:
    """What articles, revisions and passages hold."""
    with library.engine.connect() as db:
        return {
            table.name: sorted(map(repr, db.execute(sa.select(table))))
            for table in (articles, revisions, passages)
        }


def round_trip(pipeline: Pipeline, tmp_path: Path) -> Library:
    """A second Library, made of the first one's export."""
    export_library(pipeline.library, tmp_path / "out.jsonl")
    other = Library.open(tmp_path / "other")
    report = Pipeline(other, FakeEmbedder(), Settings(home=other.home)).ingest(
        read_path(tmp_path / "out.jsonl")
    )
    assert not report.refused
    return other


def test_the_bundled_corpus_comes_back_identical(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.ingest(bundled_articles())
    assert rows(round_trip(pipeline, tmp_path)) == rows(pipeline.library)


def test_revisions_corrections_and_odd_text_come_back_identical(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    def day(n: int) -> datetime:
        return datetime(2025, 9, n, tzinfo=UTC)

    full: dict[str, Any] = {
        "author": "A",
        "updated": day(2),
        "provenance": "primary",
        "topics": ("a", "b, c"),
        "licence": "CC0-1.0",
        "kind": "digest",
    }
    odd = 'Odd \u2028 inside, \u0085 too, \x1f control, 🚀 “quoted” \\ and "more".\n\n\tNext line.'
    for n, text in enumerate(("First.", "Second.", odd), 1):
        pipeline.ingest(imported(make_article(1, text=text, **full), fetched=day(n)))
    pipeline.ingest(
        imported(make_article(1, **{**full, "text": odd, "title": "Corrected"}), fetched=day(9))
    )
    pipeline.ingest(imported(Article("No address", "Known by its text.")))
    other = round_trip(pipeline, tmp_path)
    assert rows(other) == rows(pipeline.library)
    assert len(rows(other)["revisions"]) == 4


def test_every_revision_is_a_line_the_current_one_last(pipeline: Pipeline, tmp_path: Path) -> None:
    for n, text in enumerate(("First.", "Second."), 1):
        moment = datetime(2025, 9, n, tzinfo=UTC)
        pipeline.ingest(imported(make_article(1, text=text), fetched=moment))
    assert export_library(pipeline.library, tmp_path / "out.jsonl") == 2
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [line["text"] for line in lines] == ["First.", "Second."]
    assert lines[0] == {
        "title": "Report 1",
        "text": "First.",
        "url": "https://example.org/1",
        "publisher": "Beta",
        "published": "2025-02-02T00:00:00+00:00",
        "date_found": "import",
        "fetched": "2025-09-01T00:00:00+00:00",
        "kind": "article",
    }


def test_an_export_that_fails_leaves_the_old_file(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.ingest(imported(make_article(1), make_article(2)))
    target = tmp_path / "out.jsonl"
    target.write_text("old")

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ingest.export.line", full)
    with pytest.raises(InputError, match="no space left"):
        export_library(pipeline.library, target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == ["out.jsonl"]


def test_a_folder_that_is_not_there_is_told(pipeline: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be written: no such file"):
        export_library(pipeline.library, tmp_path / "none" / "out.jsonl")


def test_an_empty_library_is_an_empty_file(library: Library, tmp_path: Path) -> None:
    assert export_library(library, tmp_path / "out.jsonl") == 0
    assert (tmp_path / "out.jsonl").read_bytes() == b""
