"""Our assistant over documents that a benchmark brings."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.article import Article
from corpus.errors import ModelError
from corpus.settings import Settings
from evals.public.asking import Said, Setup, ask, each, handed, rarity_among, sample, searching
from rag.generate import ExtractiveGenerator
from tests.fakes import FakeEmbedder, FakeGenerator, FakeReader, FakeScorer, FakeVerifier

MILL = "The mill of Lunde closed in May. Its wheel is kept in a museum."
HARBOUR = "The harbour was dug in 1880. Ships call there daily."


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    settings = Settings(home=tmp_path, chroma_url="http://127.0.0.1:9")
    return Setup(settings, FakeEmbedder(), FakeScorer(), ExtractiveGenerator())


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """Where temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        yield folder


def nowhere(name: str, done: int, total: int | None) -> None:
    """A tick that nobody sees."""


def test_a_library_holds_the_articles_and_is_gone_afterwards(setup: Setup, temporary: Path) -> None:
    articles = [Article("Mill", MILL), Article("Harbour", HARBOUR)]
    with searching(setup, articles, nowhere) as assistant:
        found = assistant.retrieve("When did the mill of Lunde close?", k=10)
        assert found[0].article.title == "Mill"
        assert assistant.library.counts().articles == 2
        assert assistant.settings.chroma_url is None
    assert list(temporary.iterdir()) == []


def test_what_is_handed_over_is_what_is_read(setup: Setup, temporary: Path) -> None:
    with handed(setup, [MILL, HARBOUR]) as assistant:
        assistant.reader, assistant.verifier = FakeReader(), FakeVerifier()
        assistant.hand([HARBOUR])
        said = ask(assistant, "When was the harbour dug?")
        assert "dug in 1880" in said.first and not said.abstained
        assert not any("mill" in statement for statement in said.statements)
        assistant.hand([])
        assert ask(assistant, "When was the harbour dug?").abstained
    assert list(temporary.iterdir()) == []


def test_the_real_reader_reads_what_is_handed_over(setup: Setup) -> None:
    with handed(setup, [MILL, HARBOUR]) as assistant:
        assistant.hand([MILL, HARBOUR])
        reading = assistant.reader.read("When was the harbour dug?", (), assistant.hits)
    assert reading.evidence[0].text == "The harbour was dug in 1880."


def test_an_error_is_kept_and_is_no_abstention(setup: Setup) -> None:
    class Failing(FakeGenerator):
        def draft(self, *_: object) -> Iterator[str]:
            raise ModelError("The model is gone.", "Fetch it.")

    with handed(setup, [MILL]) as assistant:
        assistant.reader, assistant.generator = FakeReader(), Failing()
        assistant.hand([MILL])
        said = ask(assistant, "When did the mill close?")
    assert said == Said(error="The model is gone. Fetch it.")
    assert not said.abstained and said.text == ""


def test_a_stem_is_rare_among_the_texts_it_is_not_in() -> None:
    rarity = rarity_among([MILL, HARBOUR])
    assert rarity("mill") == rarity("harbour") < rarity("castl")


def test_a_sample_is_always_the_same_and_in_order() -> None:
    drawn = sample(range(1000), 20)
    assert drawn == sample(range(1000), 20) == sorted(set(drawn))
    assert len(drawn) == 20
    assert len({number % 6 for number in drawn}) > 2
    assert sample([1, 2], 5) == sample([1, 2], None) == [1, 2]


def test_each_item_is_told_when_it_is_done() -> None:
    told: list[tuple[str, int, int | None]] = []
    seen = [(item, len(told)) for item in each("ab", "asking", lambda *tick: told.append(tick))]
    assert seen == [("a", 1), ("b", 2)]
    assert told == [("asking", 0, 2), ("asking", 1, 2), ("asking", 2, 2)]
