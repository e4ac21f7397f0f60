"""The naive baseline is LlamaIndex's stock engine, held against one that is built by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.settings import Settings

from corpus.errors import ModelError
from corpus.nodes import to_document
from evals.bench import Bench
from evals.systems.naive import Naive
from evals.systems.ours import RETRIEVED
from rag.followups import Turn
from tests.evals.conftest import KILN, canned
from tests.fakes import FakeEmbedder

QUESTION = "Has Brickworks paid for the Oslo kiln by model number 4?"
SAID = "Brickworks paid $1.5 million. It opened in August."
DECLINES = [
    "",
    "  \n",
    "Empty Response",
    "The context does not mention a price.",
    "The provided information doesn't say so.",
    "There is no information about it.",
    "I cannot determine who paid.",
    "I don't know.",
]


class ByHand(BaseEmbedding):
    """The fake embedder as LlamaIndex's, written apart from the one under test."""

    def _get_text_embedding(self, text: str) -> list[float]:
        return list(map(float, long_embedder().encode([text])[0]))

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def long_embedder() -> FakeEmbedder:
    """Reads as much as the default chunks hold, and has a place for every word: no ties."""
    return FakeEmbedder(dimension=4096, max_tokens=10_000)


@pytest.fixture
def parts(small: Bench) -> Bench:
    return replace(small, embedder=long_embedder())


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Global settings that break whatever reads them."""

    def forbidden(_: Any) -> Any:
        raise AssertionError("the global Settings were read")

    for name in ("llm", "embed_model", "node_parser", "transformations"):
        monkeypatch.setattr(type(Settings), name, property(forbidden))


def test_it_runs_the_stock_engine(parts: Bench) -> None:
    naive, by_hand = Naive(parts, canned(SAID)), canned(SAID)
    index = VectorStoreIndex.from_documents(
        [Document(text=article.text, id_=article.id) for article in parts.library.articles()],
        embed_model=ByHand(),
        transformations=[SentenceSplitter()],
    )
    expected = index.as_query_engine(llm=by_hand.llm).query(QUESTION)
    reply = naive.reply(QUESTION, ())
    assert reply.answer.text == str(expected) == SAID
    assert [hit.passage.text for hit in reply.answer.hits] == [
        scored.node.get_content() for scored in expected.source_nodes
    ]
    assert [hit.score for hit in reply.answer.hits] == pytest.approx(
        [scored.score for scored in expected.source_nodes]
    )
    (prompt,) = naive.generator.llm.prompts  # type: ignore[attr-defined]
    for hit in reply.answer.hits:
        assert hit.passage.text in prompt
    assert f"Query: {QUESTION}\nAnswer:" in prompt
    assert f"Query: {QUESTION}\nAnswer:" in by_hand.llm.prompts[0]  # type: ignore[attr-defined]


def test_it_reads_two_nodes_and_retrieves_ten(parts: Bench) -> None:
    reply = Naive(parts, canned(SAID)).reply(QUESTION, ())
    assert (len(reply.answer.hits), len(reply.retrieved)) == (2, RETRIEVED)
    assert reply.retrieved[:2] == reply.answer.hits
    assert reply.answer.hits[0].article.text == KILN


def test_nodes_are_passages_of_our_articles(parts: Bench) -> None:
    found = Naive(parts, canned(SAID)).passages()
    assert {article.id for _, article in found} == set(parts.id_of.values())
    for passage, article in found:
        assert article.text[passage.start : passage.end] == passage.text


def test_an_article_of_many_words_is_cut_by_the_default_chunks(
    parts: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = replace(next(parts.library.articles()), text="A plain sentence of seven words. " * 300)
    library = parts.library
    monkeypatch.setattr(type(library), "articles", lambda _: iter([long]))
    found = Naive(parts, canned(SAID)).passages()
    nodes = SentenceSplitter().get_nodes_from_documents([to_document(long)])
    assert [passage.text for passage, _ in found] == [node.get_content() for node in nodes]
    assert len(found) > 1


def test_each_sentence_is_a_statement_without_citations(parts: Bench) -> None:
    reply = Naive(parts, canned(SAID)).reply(QUESTION, ())
    assert [s.text for s in reply.answer.statements] == [
        "Brickworks paid $1.5 million.",
        "It opened in August.",
    ]
    assert all(s.citations == () and s.label == "unsupported" for s in reply.answer.statements)
    assert reply.answer.citations == ()
    assert not reply.answer.abstained
    assert reply.tokens == len(SAID.split())
    assert reply.answer.timings_ms.keys() == {"generate", "total"}


@pytest.mark.parametrize("said", DECLINES)
def test_declining_is_abstaining(parts: Bench, said: str) -> None:
    answer = Naive(parts, canned(said)).reply(QUESTION, ()).answer
    assert answer.abstained and answer.statements == ()
    assert answer.reason == "The model declined."


@pytest.mark.parametrize(
    "said",
    [
        "The court did not find him guilty.",
        "It is not known for its prices, which doubled.",
        "Its licence does not allow that.",
    ],
)
def test_a_negation_is_an_answer(parts: Bench, said: str) -> None:
    assert not Naive(parts, canned(said)).reply(QUESTION, ()).answer.abstained


def test_a_followup_is_asked_with_the_question_before_it(parts: Bench) -> None:
    naive = Naive(parts, canned(SAID))
    answer = naive.reply("And the price?", [Turn("Who owns the kiln?", "One.")]).answer
    assert answer.query == "Who owns the kiln? And the price?"
    (prompt,) = naive.generator.llm.prompts  # type: ignore[attr-defined]
    assert "Query: Who owns the kiln? And the price?" in prompt


def test_a_model_that_fails_is_an_error_of_ours(parts: Bench) -> None:
    """As in LLMGenerator: its `failures` become a ModelError, so the run goes on."""
    gone = replace(canned(SAID, ConnectionError("refused")), failures=(ConnectionError,))
    with pytest.raises(ModelError):
        Naive(parts, gone).reply(QUESTION, ())


def test_its_names(parts: Bench) -> None:
    naive = Naive(parts, canned(SAID))
    assert (naive.name, naive.kind, naive.model) == ("naive", "baseline", "canned")
