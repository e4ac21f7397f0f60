"""What tests of the eval suite share: a small bench, and a language model that knows its text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from corpus.indexes import open_current
from corpus.library import Library
from corpus.settings import Settings
from evals.bench import Bench
from evals.systems.ours import Benched
from ingest.pipeline import Pipeline
from rag.generate import LLMGenerator
from tests.conftest import imported, make_article
from tests.fakes import FakeEmbedder, FakeReader, FakeScorer

REPORTS = 14
KILN = (
    "The Oslo kiln opened on 12 August. Its owner Brickworks paid $1.5 million for it. "
    "Neighbours had feared the smoke."
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A bench of 14 reports "Model number n was released. …" and an article on a kiln."""
    home = tmp_path_factory.mktemp("bench")
    settings, embedder = Settings(home=home), FakeEmbedder()
    reports = {f"report-{n}": make_article(n) for n in range(1, REPORTS + 1)}
    articles = {**reports, "kiln": make_article(99, KILN, title="Brickworks in Oslo")}
    library = Library.open(home)
    Pipeline(library, embedder, settings).ingest(imported(*articles.values()))
    indexes = open_current(library, settings, embedder)
    id_of = {stem: article.id for stem, article in articles.items()}
    yield Bench(settings, library, indexes, embedder, FakeScorer(), id_of)
    indexes.close()
    library.close()


@pytest.fixture
def fake_reader(monkeypatch: pytest.MonkeyPatch) -> FakeReader:
    """What reads on the bench, in place of the real reader: every question is answerable."""
    reader = FakeReader()
    # `raising`, since a part of the Assistant is seen on its instances only.
    monkeypatch.setattr(Benched, "reader", reader, raising=False)
    return reader


def canned(said: str, failure: Exception | None = None) -> LLMGenerator:
    """A generator whose LlamaIndex model says `said` to everything, and keeps what it was told.

    `canned(…).llm.prompts` are the prompts. It raises `failure` instead, if one is given.
    """
    from llama_index.core.llms import (
        ChatMessage,
        ChatResponse,
        CompletionResponse,
        CustomLLM,
        LLMMetadata,
    )

    class Canned(CustomLLM):
        prompts: list[str] = []  # noqa: RUF012  pydantic makes a list for each

        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(context_window=4096, num_output=64)

        def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
            self.prompts.append(prompt)
            if failure:
                raise failure
            return CompletionResponse(text=said)

        def stream_complete(
            self, prompt: str, formatted: bool = False, **_: Any
        ) -> Iterator[CompletionResponse]:
            yield self.complete(prompt).model_copy(update={"delta": said})

        def stream_chat(self, messages: Any, **_: Any) -> Iterator[ChatResponse]:
            self.complete("\n".join(str(message.content) for message in messages))
            message = ChatMessage(role="assistant", content=said)
            yield ChatResponse(message=message, delta=said)

    return LLMGenerator(
        llm=Canned(),
        name="canned",
        count_tokens=lambda text: len(text.split()),
        context_window=4096,
        max_new_tokens=64,
    )
