"""Vectors against Chroma in a folder and against a real Chroma server on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from corpus import vectors
from corpus.article import Article, Passage
from corpus.errors import SearchIndexError
from corpus.library import Library
from corpus.settings import Settings
from corpus.vectors import VectorIndex, discard, discard_others
from ingest.doctor import diagnose
from ingest.pipeline import Pipeline
from tests.conftest import imported, make_article
from tests.fakes import FakeEmbedder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            pytest.fail("chroma run ended")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("chroma run did not answer within 30 s")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    folder = tmp_path_factory.mktemp("chroma")
    command = [Path(sys.executable).with_name("chroma"), "run", "--host", "127.0.0.1"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--path", folder / "data"], stdout=log, stderr=log
        )
        try:
            wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def entry(n: int, **fields: object) -> tuple[Passage, Article]:
    article = make_article(n, **fields)
    text = article.text
    return Passage(article.id, article.revision, 0, len(text), text), article


ENTRIES = [entry(1), entry(2), entry(3), entry(4, published=None, publisher=None)]
IDS = [passage.id for passage, _ in ENTRIES]
VECTORS = np.eye(4, 8, dtype=np.float32)


@pytest.fixture(params=["folder", "server"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorIndex]:
    url = request.getfixturevalue("server") if request.param == "server" else None
    name = f"groundwire-{tmp_path.name}"[:60].rstrip("_-")
    made = VectorIndex(tmp_path / "vectors", name, url)
    made.upsert(ENTRIES, VECTORS)
    yield made
    made.close()
    discard(tmp_path / "vectors", name, url)


def test_the_nearest_comes_first_with_its_cosine(index: VectorIndex) -> None:
    between = (VECTORS[0] * 0.8 + VECTORS[1] * 0.6).astype(np.float32)
    ranked = index.search(between, 2)
    assert [id_ for id_, _ in ranked] == IDS[:2]
    assert [score for _, score in ranked] == pytest.approx([0.8, 0.6], abs=1e-5)


@pytest.mark.parametrize("few", [0, 1_000])
def test_only_those_asked_for_are_found(
    index: VectorIndex, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """By comparing each, and by searching the graph."""
    monkeypatch.setattr(vectors, "FEW", few)
    near_second = (VECTORS[1] * 0.8 + VECTORS[2] * 0.6).astype(np.float32)
    ranked = index.search(near_second, 2, [IDS[3], IDS[2], IDS[0]])
    assert ranked[0][0] == IDS[2]
    assert [score for _, score in ranked] == pytest.approx([0.6, 0.0], abs=1e-5)
    assert [id_ for id_, _ in index.search(near_second, 4, [IDS[2]])] == [IDS[2]]


@pytest.mark.parametrize("few", [0, 1_000])
def test_an_id_without_a_vector_is_passed_over(
    index: VectorIndex, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(vectors, "FEW", few)
    assert [id_ for id_, _ in index.search(VECTORS[0], 4, ["not embedded yet", IDS[1]])] == IDS[1:2]
    assert index.search(VECTORS[0], 4, ["not embedded yet"]) == []
    assert index.search(VECTORS[0], 4, []) == []


def test_the_same_passage_stands_once(index: VectorIndex) -> None:
    index.upsert(ENTRIES[:1], VECTORS[3:])
    assert (index.count(), index.ids()) == (4, set(IDS))
    assert index.vectors(IDS[:1])[IDS[0]] == pytest.approx(VECTORS[3])
    index.upsert([], VECTORS[:0])


def test_what_is_deleted_is_gone(index: VectorIndex) -> None:
    index.delete([IDS[0], "never there"])
    assert index.ids() == set(IDS[1:])
    assert set(index.vectors(IDS)) == set(IDS[1:])


def test_a_vector_of_another_size_is_told(index: VectorIndex) -> None:
    with pytest.raises(SearchIndexError, match="can't be used"):
        index.search(np.ones(3, np.float32), 1)


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(SearchIndexError, match=r"does not answer") as caught:
        VectorIndex(tmp_path, "groundwire-x", url)
    assert "GROUNDWIRE_CHROMA_URL" in caught.value.remedy


def test_discarding_what_is_not_there_is_no_error(server: str, tmp_path: Path) -> None:
    discard(tmp_path / "nothing", "groundwire-none", server)
    discard(tmp_path / "nothing", "groundwire-none")


def test_others_of_the_same_library_are_discarded(server: str, tmp_path: Path) -> None:
    names = ["groundwire-aaa-1", "groundwire-aaa-2", "groundwire-bbb-1"]
    for name in names:
        VectorIndex(tmp_path, name, server).close()
    discard_others("groundwire-aaa-", ["groundwire-aaa-2"], server)
    left = VectorIndex(tmp_path, "groundwire-aaa-2", server)
    kept = {collection.name for collection in left._client.list_collections()}
    left.close()
    assert kept & set(names) == {"groundwire-aaa-2", "groundwire-bbb-1"}


def test_a_whole_library_lives_on_a_server(server: str, library: Library) -> None:
    settings = Settings(home=library.home, chroma_url=server)
    articles = imported(*map(make_article, range(5)))
    Pipeline(library, FakeEmbedder(), settings).ingest(articles)
    assert all(finding.ok for finding in diagnose(library, settings, FakeEmbedder()))
    Pipeline(library, FakeEmbedder(seed=1), settings).reindex()
    findings = diagnose(library, settings, FakeEmbedder(seed=1))
    assert all(finding.ok for finding in findings), findings
    assert not (library.home / "index" / "2" / "vectors").exists()
