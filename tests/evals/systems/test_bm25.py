"""The plain baseline: BM25's order, exact sentences, and an answer to nearly everything."""

from __future__ import annotations

import pytest

from evals.bench import Bench
from evals.systems.bm25 import QUOTED, READ, Bm25
from evals.systems.ours import RETRIEVED
from rag.followups import Turn
from tests.evals.conftest import KILN

QUESTION = "Which owner paid for the kiln?"


@pytest.fixture
def bm25(small: Bench) -> Bm25:
    return Bm25(small)


def test_hits_come_in_the_order_of_bm25(bm25: Bm25, small: Bench) -> None:
    reply = bm25.reply("Which model was released?", ())
    found = [(hit.passage.id, hit.score) for hit in reply.retrieved]
    assert found == small.indexes.words.search("Which model was released?", RETRIEVED)
    assert reply.answer.hits == reply.retrieved[:READ]


def test_the_sentence_with_the_rare_words_comes_first(bm25: Bm25) -> None:
    answer = bm25.reply(QUESTION, ()).answer
    assert answer.statements[0].text == "Its owner Brickworks paid $1.5 million for it."
    assert answer.text.startswith(f"{answer.statements[0].text} [1]\n")


def test_every_statement_is_a_sentence_and_cites_just_it(bm25: Bm25, small: Bench) -> None:
    answer = bm25.reply("Which model was released, and who paid for the kiln?", ()).answer
    assert len(answer.statements) == QUOTED
    by_number = {citation.n: citation for citation in answer.citations}
    for statement in answer.statements:
        (n,) = statement.citations
        citation = by_number[n]
        assert citation.quote == statement.text
        ((passage, article),) = small.library.passages([citation.passage_id])
        assert article.text[citation.start : citation.end] == citation.quote
        assert passage.start <= citation.start < citation.end <= passage.end


def test_it_abstains_only_where_no_word_is_found(bm25: Bm25) -> None:
    lost = bm25.reply("Zebras?", ()).answer
    assert lost.abstained and lost.reason and lost.statements == lost.citations == ()
    assert not bm25.reply("Did the kiln win a prize for zebras?", ()).answer.abstained


def test_a_followup_is_asked_with_the_question_before_it(bm25: Bm25) -> None:
    history = [Turn("Which model was released?", "All."), Turn("Who owns the kiln?", "One.")]
    reply = bm25.reply("And the price?", history)
    assert reply.answer.query == "Who owns the kiln? And the price?"
    assert reply.answer.question == "And the price?"
    assert reply.retrieved[0].article.text == KILN


def test_no_model_writes(bm25: Bm25, small: Bench) -> None:
    reply = bm25.reply(QUESTION, ())
    assert (bm25.name, bm25.kind, bm25.model) == ("bm25", "baseline", "extractive")
    assert reply.tokens is None
    assert reply.answer.timings_ms["total"] >= 0
    assert reply.answer.as_of == small.library.newest()
    assert bm25.passages() == small.passages()
