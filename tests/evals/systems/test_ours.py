"""Every ablation is without its part and no other, and `ours` is without none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from evals.bench import Bench
from evals.systems import ABLATIONS
from evals.systems.ours import RETRIEVED, SWITCHES, Ours, ours
from rag.assistant import HITS
from rag.followups import Turn
from rag.generate import ExtractiveGenerator
from rag.rerank import FeatureReranker
from rag.retrieve import Retriever
from tests.evals.conftest import canned
from tests.fakes import FakeReader

QUESTION = "What does model number 5 cost?"
INVENTED = "Model number 5 eats grass in Wales."


class Watched:
    """A part that notes by which methods it was used."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.used: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        self.used[name] += 1
        return getattr(self.real, name)


@pytest.fixture(autouse=True)
def reader(fake_reader: FakeReader) -> FakeReader:
    """Questions about made-up reports are answerable, which the real reader wouldn't know."""
    return fake_reader


def watched(small: Bench) -> tuple[Bench, Watched, Watched]:
    words, vectors = Watched(small.indexes.words), Watched(small.indexes.vectors)
    indexes: Any = replace(small.indexes, words=words, vectors=vectors)
    return replace(small, indexes=indexes), words, vectors


def made(small: Bench, without: str = "", said: str | None = None) -> Ours:
    return ours(small, canned(said) if said else ExtractiveGenerator(), without)


# What a reply holds


def test_ours_answers_and_says_what_it_is(small: Bench) -> None:
    system = made(small)
    assert (system.name, system.kind, system.model) == ("ours", "ours", "extractive")
    reply = system.reply(QUESTION, ())
    assert "number 5" in reply.answer.text or "$5.50" in reply.answer.text
    assert reply.answer.citations
    assert system.passages() == small.passages()


def test_more_is_retrieved_than_read_and_begins_with_what_was_read(small: Bench) -> None:
    for without in ("", *SWITCHES):
        reply = made(small, without).reply(QUESTION, ())
        assert (len(reply.answer.hits), len(reply.retrieved)) == (HITS, RETRIEVED), without
        assert reply.retrieved[:HITS] == reply.answer.hits


def test_tokens_are_those_of_the_draft_and_of_a_language_model_only(small: Bench) -> None:
    assert made(small).reply(QUESTION, ()).tokens is None
    # What the verifier left out was written too.
    assert made(small, said=INVENTED).reply(QUESTION, ()).tokens == len(INVENTED.split())


def test_history_reaches_the_answer_and_what_is_retrieved(small: Bench) -> None:
    followup, history = "And when was it released?", [Turn("What does Report 3 cost?", "$3.50.")]
    reply = made(small).reply(followup, history)
    assert "Report 3" in reply.answer.query
    assert reply.retrieved[0].article.title == "Report 3"


def test_it_reads_the_bench_and_nothing_else(small: Bench) -> None:
    assistant = made(small).assistant
    assert assistant.library is small.library
    assert assistant.embedder is small.embedder
    assert assistant.indexes() is small.indexes


# Parts switched off


def test_every_ablation_has_its_switch_and_says_so() -> None:
    assert tuple(SWITCHES) == ABLATIONS


@pytest.mark.parametrize("without", SWITCHES)
def test_an_ablation_is_named_after_its_part(small: Bench, without: str) -> None:
    system = made(small, without)
    assert (system.name, system.kind) == (without, "ablation")
    assert system.about == f"Groundwire: {SWITCHES[without][0]}"


@pytest.mark.parametrize(
    ("without", "words", "scores", "vectors"),
    [
        ("", True, True, True),
        ("no-bm25", False, False, True),
        ("no-vectors", True, True, False),
        ("no-rerank", True, False, True),
        ("no-verifier", True, True, True),
        ("no-gate", True, True, True),
    ],
)
def test_an_index_that_is_off_is_never_asked_and_the_others_are(
    small: Bench, without: str, words: bool, scores: bool, vectors: bool
) -> None:
    parts, words_index, vector_index = watched(small)
    reply = made(parts, without).reply(QUESTION, ())
    assert (words_index.used["search"] > 0) is words
    assert (words_index.used["scores"] > 0) is scores
    assert (vector_index.used["search"] > 0) is vectors
    assert reply.answer.hits


def test_without_bm25_the_rarity_of_words_is_still_known(small: Bench) -> None:
    parts, words, _ = watched(small)
    assistant = made(parts, "no-bm25").assistant
    assert assistant._rarity("grass") == small.indexes.words.rarity("grass") > 0
    assert set(words.used) == {"rarity"}


def test_without_vectors_the_order_is_that_of_words(small: Bench) -> None:
    system = made(small, "no-vectors")
    system.assistant.reranker = None
    found = [hit.passage.id for hit in system.reply(QUESTION, ()).retrieved]
    assert found == [id_ for id_, _ in small.indexes.words.search(QUESTION, RETRIEVED)]


def test_hits_are_in_the_order_of_the_reranker_or_without_it_of_the_fusion(small: Bench) -> None:
    reranker = FeatureReranker(small.indexes.words.rarity)
    plain = Retriever(small.library, small.indexes, small.embedder)
    orders = {
        without: [hit.passage.id for hit in retriever.search([QUESTION], RETRIEVED)]
        for without, retriever in (("", replace(plain, reranker=reranker)), ("no-rerank", plain))
    }
    for without, order in orders.items():
        reply = made(small, without).reply(QUESTION, ())
        assert [hit.passage.id for hit in reply.retrieved] == order
    assert orders[""] != orders["no-rerank"]


def test_without_a_verifier_an_invented_sentence_is_said(small: Bench) -> None:
    said = {
        without: made(small, without, INVENTED).reply(QUESTION, ()).answer
        for without in ("", *SWITCHES)
    }
    assert [name for name, answer in said.items() if INVENTED in answer.text] == ["no-verifier"]
    (statement,) = said["no-verifier"].statements
    (citation,) = said["no-verifier"].citations  # where the real one would have looked
    assert statement.citations == (citation.n,)
    assert citation.quote in small.library.passages([citation.passage_id])[0][0].text


def test_without_a_gate_what_is_likely_unanswerable_is_answered(
    small: Bench, reader: FakeReader
) -> None:
    reader.answerable = 0.01
    replies = {name: made(small, name).reply(QUESTION, ()).answer for name in ("", *SWITCHES)}
    assert [name for name, answer in replies.items() if not answer.abstained] == ["no-gate"]
    assert not any("Weak evidence" in note for note in replies["no-gate"].notes)
