"""Our retriever and engine inside other people's LlamaIndex programs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import Settings as GlobalSettings
from llama_index.core.base.base_selector import (
    BaseSelector,
    MultiSelection,
    SelectorResult,
    SingleSelection,
)
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine, RouterQueryEngine
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.schema import QueryBundle
from llama_index.core.tools import QueryEngineTool, ToolMetadata

from corpus.errors import UsageError
from corpus.library import Library
from corpus.settings import Settings
from ingest.pipeline import Pipeline
from rag.assistant import Assistant
from rag.generate import ExtractiveGenerator
from rag.llamaindex import as_query_engine, as_retriever
from tests.conftest import imported, make_article
from tests.fakes import FakeEmbedder, FakeReader, FakeVerifier

QUESTION = "Was model number 3 released?"


class ByWord(BaseSelector):
    """Chooses the first tool whose description shares a word with the query."""

    def _select(self, choices: Sequence[ToolMetadata], query: QueryBundle) -> SelectorResult:
        words = set(query.query_str.lower().rstrip("?").split())
        shared = [len(words & set(choice.description.lower().split())) for choice in choices]
        best = shared.index(max(shared))
        return MultiSelection(selections=[SingleSelection(index=best, reason="shared words")])

    async def _aselect(self, choices: Sequence[ToolMetadata], query: QueryBundle) -> SelectorResult:
        return self._select(choices, query)

    def _get_prompts(self) -> dict[str, Any]:
        return {}

    def _update_prompts(self, prompts: dict[str, Any]) -> None:
        return None


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    home = tmp_path_factory.mktemp("llamaindex")
    fake = FakeEmbedder()
    articles = imported(*(make_article(n) for n in range(1, 9)))
    Pipeline(Library.open(home), fake, Settings(home=home)).ingest(articles)
    return faked(home, fake)


def faked(home: Path, fake: FakeEmbedder) -> Assistant:
    made = Assistant(home)
    made.embedder, made.reader, made.verifier = fake, FakeReader(), FakeVerifier()
    made.generator = ExtractiveGenerator()
    return made


@pytest.fixture(autouse=True)
def _global_settings_stay_unset() -> Any:
    """All but the callback manager, which LlamaIndex's own router fills in."""
    yield
    used = {name for name, value in vars(GlobalSettings).items() if value is not None}
    assert used <= {"_callback_manager"}


def test_nodes_are_our_passages(assistant: Assistant) -> None:
    nodes = as_retriever(assistant, k=3).retrieve(QUESTION)
    hits = assistant.search(QUESTION, 3)
    assert [(n.node_id, n.score) for n in nodes] == [(h.passage.id, h.score) for h in hits]
    first, hit = nodes[0].node, hits[0]
    assert first.get_content() == hit.passage.text
    assert hit.article.text[first.start_char_idx : first.end_char_idx] == first.get_content()
    assert first.metadata["url"] == "https://example.org/3"
    assert first.ref_doc_id == hit.article.id


def test_a_retriever_keeps_its_scope(assistant: Assistant) -> None:
    retriever = as_retriever(assistant, k=20, publishers=["alpha"], since="2025-05-01")
    nodes = retriever.retrieve("models")
    assert nodes and {n.metadata["publisher"] for n in nodes} == {"Alpha"}
    assert all(n.metadata["published"] >= "2025-05-01" for n in nodes)


def test_errors_are_ours(assistant: Assistant) -> None:
    with pytest.raises(UsageError):
        as_retriever(assistant, k=0).retrieve(QUESTION)


def test_the_engine_answers_as_the_assistant_does(assistant: Assistant) -> None:
    response = as_query_engine(assistant).query(QUESTION)
    answer = assistant.ask(QUESTION)
    assert str(response) == answer.text and "[1]" in str(response)
    assert response.metadata["citations"] == answer.to_dict()["citations"]
    assert [n.node_id for n in response.source_nodes] == [h.passage.id for h in answer.hits]


def test_the_engine_answers_asynchronously(assistant: Assistant) -> None:
    response = asyncio.run(as_query_engine(assistant).aquery(QUESTION))
    assert "Model number 3 was released." in str(response)


def test_both_serve_inside_a_router(assistant: Assistant) -> None:
    llm = MockLLM()
    plain = RetrieverQueryEngine(
        retriever=as_retriever(assistant, k=2),
        response_synthesizer=get_response_synthesizer(llm=llm, response_mode="compact"),
    )
    router = RouterQueryEngine(
        selector=ByWord(),
        query_engine_tools=[
            QueryEngineTool.from_defaults(as_query_engine(assistant), description="model news"),
            QueryEngineTool.from_defaults(plain, description="excerpts for reading"),
        ],
        llm=llm,
    )
    cited = router.query(QUESTION)
    assert "Model number 3 was released." in str(cited) and "[1]" in str(cited)
    assert cited.metadata["abstained"] is False
    read = router.query("excerpts for reading")
    assert len(read.source_nodes) == 2
