"""Killed with SIGKILL at any moment and started again, all is as if nothing had happened."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.indexes import opened
from corpus.library import INDEXES, Library
from corpus.settings import Settings
from tests.ingest.killed import Moment, work, work_and_die
from tests.ingest.test_export import rows

MOMENTS = [
    Moment("ingest", "after", 1, "Library.start_generation"),
    Moment("ingest", "before", 30, "Library.put"),
    Moment("ingest", "after", 62, "Library.put"),
    Moment("ingest", "before", 1, "LexicalIndex.upsert"),
    Moment("ingest", "after", 1, "LexicalIndex.upsert"),
    Moment("ingest", "after", 1, "Library.mark"),
    Moment("ingest", "before", 2, "FakeEmbedder.encode"),
    Moment("ingest", "after", 2, "VectorIndex.upsert"),
    Moment("reindex", "after", 1, "Library.start_generation"),
    Moment("reindex", "after", 10, "Library.recut"),
    Moment("reindex", "after", 1, "LexicalIndex.delete"),
    Moment("reindex", "after", 3, "VectorIndex.upsert"),
    Moment("reindex", "before", 1, "Library.swap_generation"),
    Moment("reindex", "after", 1, "Library.swap_generation"),
    Moment("reindex", "after", 1, "pipeline.drop_indexes"),
]


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Real processes, forked from a server that has imported everything and opened nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.ingest.killed"])
    return context


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("ingested")
    work(home, "ingest")
    return home


@pytest.fixture(scope="module")
def undisturbed(ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is there after each kind of work when nothing comes between."""
    home = tmp_path_factory.mktemp("reindexed") / "home"
    shutil.copytree(ingested, home)
    work(home, "reindex")
    return {"ingest": state(ingested), "reindex": state(home)}


def state(home: Path) -> dict[str, Any]:
    """All that a home holds, but for names and moments, which differ from run to run."""
    library = Library.open(home)
    generation = library.current()
    assert generation is not None and library.building() is None
    with opened(library, Settings(home=home), generation) as indexes:
        vectors = indexes.vectors.vectors(sorted(indexes.vectors.ids()))
        words = indexes.words.ids()
    held = {table: content for table, content in rows(library).items() if table == "passages"}
    texts = [(article, article.revision) for article, _ in library.history()]
    marks = {index: library.indexed(generation.name, index) for index in INDEXES}
    library.close()
    folders = [path.name for path in (home / "index").iterdir()]
    assert folders == [generation.name]
    return {
        **held,
        "texts": sorted(texts, key=repr),
        "marks": marks,
        "words": words,
        "vectors": {id_: np.round(vector, 5).tolist() for id_, vector in vectors.items()},
        "embedder": generation.fingerprint,
    }


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_a_killed_run_that_is_started_again_ends_as_an_undisturbed_one(
    moment: Moment,
    tmp_path: Path,
    processes: ForkServerContext,
    ingested: Path,
    undisturbed: dict[str, Any],
) -> None:
    home = tmp_path / "home"
    if moment.work == "reindex":
        shutil.copytree(ingested, home)
    child = processes.Process(target=work_and_die, args=(home, moment))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL, "the moment came"
    work(home, moment.work)
    assert state(home) == undisturbed[moment.work]


def test_a_run_that_is_killed_again_and_again_ends_as_an_undisturbed_one(
    tmp_path: Path, processes: ForkServerContext, undisturbed: dict[str, Any]
) -> None:
    home = tmp_path / "home"
    for moment in (
        Moment("ingest", "after", 20, "Library.put"),
        Moment("ingest", "after", 1, "LexicalIndex.upsert"),
        Moment("ingest", "after", 1, "VectorIndex.upsert"),
        Moment("ingest", "after", 1, "VectorIndex.upsert"),
    ):
        child = processes.Process(target=work_and_die, args=(home, moment))
        child.start()
        child.join(60)
        assert child.exitcode == -signal.SIGKILL
    work(home, "ingest")
    assert state(home) == undisturbed["ingest"]
