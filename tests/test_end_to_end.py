"""Every real part together: embedder, Chroma, tantivy, reader, generators, verifier."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.embedding import Embedder
from rag import smollm2
from rag.answer import QUOTED_SENTENCES, Answer
from rag.assistant import Assistant
from rag.generate import ExtractiveGenerator
from rag.verify import AlignmentVerifier, Pair
from tests.rag.conftest import models_with_smollm2  # noqa: F401  a fixture of the rag tests

QUESTIONS = {
    "Has OpenAI released an open-weight model?": "gpt-oss",
    "Who hired the chief executive of Windsurf?": "Google",
    "Which licence does gpt-oss have?": "Apache 2.0",
    "What did the governor of California do with SB 1047?": "veto",
    "How much did Anthropic agree to pay the authors?": "$1.5 billion",
    "When did DeepSeek release R1?": "January",
}
OFF_TOPIC = ("How do I bake sourdough bread at home?", "Who won the football world cup in 1998?")


@pytest.fixture(scope="module")
def assistant(bundled_home: Path, embedder: Embedder) -> Assistant:
    made = Assistant(bundled_home)
    made.embedder = embedder
    return made


def assert_cited(answer: Answer, assistant: Assistant) -> None:
    """Every statement is backed, verified again, by quotes that stand in the articles."""
    passages = {hit.passage.id: hit for hit in answer.hits}
    citations = {citation.n: citation for citation in answer.citations}
    verifier = AlignmentVerifier(assistant.embedder.encode)
    assert not answer.abstained and answer.statements
    used = [n for statement in answer.statements for n in statement.citations]
    assert list(dict.fromkeys(used)) == list(citations) == list(range(1, len(citations) + 1))
    for statement in answer.statements:
        hits = [passages[citations[n].passage_id] for n in statement.citations]
        (verdict,) = verifier.verify([Pair(statement.text, hits[0])])
        assert verdict.label == statement.label == "supported" and not verdict.failed
        assert verdict.support == pytest.approx(statement.support, abs=1e-3)
        assert f"{statement.text} [{statement.citations[0]}]" in answer.text
    for citation in answer.citations:
        article = assistant.library.article(citation.article_id, citation.revision)
        assert article is not None
        assert article.text[citation.start : citation.end] == citation.quote != ""
        assert (citation.title, citation.url) == (article.title, article.url)


@pytest.mark.parametrize("question", QUESTIONS)
def test_quoted_answers_are_cited_exactly(assistant: Assistant, question: str) -> None:
    assistant.generator = ExtractiveGenerator()
    answer = assistant.ask(question)
    assert_cited(answer, assistant)
    assert answer.model == "extractive" and len(answer.statements) <= QUOTED_SENTENCES


def test_quoted_answers_mostly_answer(assistant: Assistant) -> None:
    """Right in at least four of six: how good answers are, the eval suite measures."""
    assistant.generator = ExtractiveGenerator()
    right = [words in assistant.ask(question).text for question, words in QUESTIONS.items()]
    assert sum(right) >= 4


@pytest.mark.parametrize("question", OFF_TOPIC)
def test_what_the_corpus_does_not_answer_is_not_answered(
    assistant: Assistant, question: str
) -> None:
    answer = assistant.ask(question)
    assert answer.abstained and answer.reason and answer.hits
    assert answer.statements == () and answer.citations == ()


def test_a_question_of_days_is_answered_from_those_days(assistant: Assistant) -> None:
    assistant.generator = ExtractiveGenerator()
    answer = assistant.ask("What did OpenAI release?", since="2025-08-01", until="2025-08-31")
    assert answer.hits
    assert all((hit.article.day or "").startswith("2025-08") for hit in answer.hits)


def test_written_answers_are_cited_exactly(
    assistant: Assistant,
    models_with_smollm2: Path,  # noqa: F811
) -> None:
    assistant.generator = smollm2.load(models_with_smollm2)
    answered = 0
    for question in QUESTIONS:
        answer = assistant.ask(question)
        assert answer.model == "smollm2"
        if answer.abstained:
            assert answer.statements == () and answer.reason
            continue
        assert_cited(answer, assistant)
        answered += 1
    assert answered >= 3
