from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from corpus.article import Article, Passage
from corpus.errors import ModelError
from rag import smollm2
from rag.answer import Evidence, Hit

MakeEvidence = Callable[..., Evidence]


def make_evidence(
    text: str,
    publisher: str | None = "OpenAI",
    published: datetime | None = datetime(2025, 8, 5, tzinfo=UTC),
    *,
    before: str = "",
    url: str | None = None,
) -> Evidence:
    """A sentence of an article that reads `before`, then `text`."""
    whole = before + text
    article = Article("Title", whole, url=url, publisher=publisher, published=published)
    passage = Passage(article.id, article.revision, 0, len(whole), whole)
    return Evidence(Hit(passage, article, 1.0), len(before), len(whole), text, 0.9)


@pytest.fixture
def evidence_of() -> MakeEvidence:
    return make_evidence


@pytest.fixture(scope="session")
def models_with_smollm2() -> Path:
    """A models folder that holds SmolLM2, fetched once for this machine."""
    named = os.environ.get("GROUNDWIRE_TEST_MODELS")
    folder = Path(named) if named else Path.home() / ".cache" / "groundwire-tests"
    try:
        smollm2.pull(folder, print)
    except ModelError as error:
        pytest.skip(f"SmolLM2 can't be fetched here: {error}")
    return folder


@pytest.fixture(scope="session")
def fake_llm() -> Callable[..., object]:
    """Makes a LlamaIndex LLM that streams given pieces and keeps the messages it was sent."""
    from llama_index.core.llms import (
        ChatMessage,
        ChatResponse,
        CompletionResponse,
        CustomLLM,
        LLMMetadata,
    )

    class FakeLLM(CustomLLM):
        pieces: list[str]
        sent: list[list[str]]
        failure: Any = None

        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(is_chat_model=True)

        def complete(self, prompt: str, formatted: bool = False, **_: object) -> CompletionResponse:
            return CompletionResponse(text="".join(self.pieces))

        def stream_complete(
            self, prompt: str, formatted: bool = False, **_: object
        ) -> Iterator[CompletionResponse]:
            for piece in self.pieces:
                yield CompletionResponse(text=piece, delta=piece)
            if self.failure:
                raise self.failure

        def stream_chat(
            self, messages: Sequence[ChatMessage], **_: object
        ) -> Iterator[ChatResponse]:
            self.sent.append([message.content or "" for message in messages])
            for response in self.stream_complete(""):
                message = ChatMessage(role="assistant", content=response.text)
                yield ChatResponse(message=message, delta=response.delta)

    return FakeLLM
