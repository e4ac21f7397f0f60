"""The bench is the bundled corpus, indexed afresh, apart from the user's library, then gone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from corpus.settings import Settings
from evals import bench as benches
from evals.bench import bench
from evals.questions import bundled_articles
from ingest.pipeline import Pipeline
from tests.conftest import imported, make_article
from tests.fakes import FakeEmbedder, FakeScorer

FEW = 5


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders go; the models are faked."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(benches, "load_embedder", lambda _: FakeEmbedder())
    monkeypatch.setattr(benches.TrainedReader, "open", lambda _: FakeScorer())
    return folder


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    items = list(benches.bundled_items())[:FEW]
    monkeypatch.setattr(benches, "bundled_items", lambda: items)


def test_it_holds_every_bundled_article_under_its_stem(tmp_path: Path, temporary: Path) -> None:
    texts = bundled_articles()
    with bench(Settings(home=tmp_path / "home")) as parts:
        by_id = {article.id: article.text for article in parts.library.articles()}
        assert {stem: by_id[id_] for stem, id_ in parts.id_of.items()} == texts
        found = parts.passages()
        assert {passage.id for passage, _ in found} == parts.indexes.words.ids()
        assert len(found) == parts.indexes.words.count() >= len(texts)
        for passage, article in found:
            assert article.text[passage.start : passage.end] == passage.text


@pytest.mark.usefixtures("few")
def test_it_is_apart_from_the_users_home_and_gone_afterwards(
    tmp_path: Path, temporary: Path
) -> None:
    settings = Settings(home=tmp_path / "home", chroma_url="http://127.0.0.1:9", model="smollm2")
    with bench(settings) as parts:
        (folder,) = temporary.iterdir()
        assert parts.settings.home == parts.library.home == folder
        assert parts.settings.chroma_url is None  # vectors on a server are another's, too
        assert parts.settings.model == "smollm2"
        assert not settings.home.exists()
    assert list(temporary.iterdir()) == []
    assert not settings.home.exists()


@pytest.mark.usefixtures("few")
def test_nothing_is_left_when_measuring_fails(tmp_path: Path, temporary: Path) -> None:
    with pytest.raises(KeyboardInterrupt), bench(Settings(home=tmp_path / "home")):
        raise KeyboardInterrupt
    assert list(temporary.iterdir()) == []


@pytest.mark.usefixtures("few")
def test_what_the_users_library_holds_changes_nothing(
    tmp_path: Path, temporary: Path, pipeline: Pipeline, settings: Settings
) -> None:
    pipeline.ingest(imported(make_article(1)))
    with bench(settings) as parts:
        assert len(parts.id_of) == FEW
        assert parts.library.newest() is not None
        assert make_article(1).id not in parts.id_of.values()


@pytest.mark.usefixtures("few")
def test_indexing_is_told_as_it_goes(tmp_path: Path, temporary: Path) -> None:
    ticks: list[tuple[str, int, int | None]] = []
    with bench(Settings(home=tmp_path / "home"), lambda *tick: ticks.append(tick)) as parts:
        count = len(parts.passages())
    assert any(done == of == count for _, done, of in ticks)
