"""A child process that is killed with SIGKILL at an exact moment of its work."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chromadb  # so that the server that children are forked from has imported it
import chromadb.api.rust
import tantivy

from corpus.lexical import LexicalIndex
from corpus.library import Library
from corpus.settings import Settings
from corpus.vectors import VectorIndex
from ingest import pipeline
from ingest.files import Imported
from ingest.pipeline import Pipeline
from tests.conftest import imported, make_article
from tests.fakes import FakeEmbedder

PRELOADED = (chromadb, tantivy)

OWNERS: dict[str, Any] = {
    "Library": Library,
    "LexicalIndex": LexicalIndex,
    "VectorIndex": VectorIndex,
    "FakeEmbedder": FakeEmbedder,
    "pipeline": pipeline,
}


@dataclass(frozen=True)
class Moment:
    """Just before or just after the `nth` call of something, in an ingest or a reindex."""

    work: str
    when: str
    nth: int
    call: str

    def __str__(self) -> str:
        return f"{self.work}: {self.when} {self.call} {self.nth}"


def articles() -> list[Imported]:
    """60 articles of a few passages each, the last five in a second revision."""
    first = [make_article(n, text=f"{_text(n)} It has {n} parts.") for n in range(60)]
    second = [make_article(n, text=f"{_text(n)} It was withdrawn.") for n in range(55, 60)]
    return imported(*first, *second)


def _text(n: int) -> str:
    return "\n\n".join(f"Model {n} of series {part} costs ${n}.{part}0. " * 12 for part in range(3))


def work(home: Path, kind: str) -> None:
    """An ingest with one embedder, or a reindex with another of a smaller limit."""
    library, settings = Library.open(home), Settings(home=home)
    if kind == "ingest":
        Pipeline(library, FakeEmbedder(), settings).ingest(articles())
    else:
        Pipeline(library, FakeEmbedder(seed=1, max_tokens=128), settings).reindex()
    library.close()


def work_and_die(home: Path, moment: Moment) -> None:
    """Do the work of `moment` and be killed at it."""
    owner, name = moment.call.split(".")
    _die_at(OWNERS[owner], name, moment)
    work(home, moment.work)


def _die_at(owner: Any, name: str, moment: Moment) -> None:
    real: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def deadly(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == moment.nth and moment.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **options)
        if calls == moment.nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)
