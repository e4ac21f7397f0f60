"""Library → JSONL, one revision of an article a line, which `ingest` reads back as it was."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from corpus.article import Article
from corpus.errors import InputError
from corpus.library import Library


def export_library(library: Library, target: Path) -> int:
    """Write the Library to `target`, and only a whole file to that name; the number of lines.

    Raises InputError when the file can't be written.
    """
    try:
        return _write_whole(target, (line(article, at) for article, at in library.history()))
    except OSError as error:
        raise InputError(
            f"{target} can't be written: {(error.strerror or str(error)).lower()}.",
            "Give another file.",
        ) from error


def line(article: Article, stored: datetime) -> str:
    """An article, or an earlier revision of it, as a line of the import format."""
    fields: dict[str, Any] = {
        "title": article.title,
        "text": article.text,
        "url": article.url,
        "publisher": article.publisher,
        "author": article.author,
        "published": _iso(article.published),
        "updated": _iso(article.updated),
        "date_found": article.date_found or None,
        "fetched": _iso(stored),
        "kind": article.kind,
        "provenance": article.provenance,
        "topics": list(article.topics),
        "licence": article.licence,
    }
    known = {name: value for name, value in fields.items() if value not in (None, [])}
    return json.dumps(known, ensure_ascii=False) + "\n"


def _write_whole(target: Path, lines: Iterator[str]) -> int:
    """Write beside the target and rename, so that no reader ever sees half a file."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            count = 0
            for text in lines:
                file.write(text)
                count += 1
        beside.chmod(0o666 & ~_umask())  # mkstemp gives a file to its owner alone
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return count


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
