"""Who tells, and who is only told about."""

from __future__ import annotations

import pytest

from rag.tellers import publishers_of
from tests.fakes import LIBRARY


@pytest.mark.parametrize(
    ("question", "publishers"),
    [
        ("What happened, according to The Verge?", ["The Verge"]),
        ("what happened, according to the verge?", ["The Verge"]),
        ("What did Verge report about gpt-oss?", ["The Verge"]),
        ("What is new in TechCrunch\u2019s article?", ["TechCrunch"]),
        ("What did he say in Wired?", ["Wired"]),
        ("as reported by both 'The Verge' and 'TechCrunch'", ["The Verge", "TechCrunch"]),
        ("according to Wired, The Verge, and TechCrunch", ["Wired", "The Verge", "TechCrunch"]),
        ("Does CNBC say so?", ["CNBC | World Business News Leader"]),
        ("What did the NYT report?", ["The New York Times"]),
        ("Why was it delayed, according to OpenAI?", ["OpenAI"]),
        ("What does OpenAI's own announcement say?", ["OpenAI"]),
        ("What stands in the blog post by Anthropic?", ["Anthropic"]),
        ("according to Google DeepMind", ["Google DeepMind"]),
        ("according to Mistral", ["Mistral AI"]),
    ],
)
def test_tellers(question: str, publishers: list[str]) -> None:
    assert list(publishers_of(question, LIBRARY)) == publishers


@pytest.mark.parametrize(
    "question",
    [
        "Why did OpenAI delay its model?",
        "What did OpenAI say about safety?",
        "What did Anthropic announce in July?",
        "Who invested in Anthropic?",
        "Did The New York Times sue OpenAI?",
        "What has OpenAI wired, according to the information released?",
        "Which tools are wired in nature?",
        "According to the information released, who won?",
        "What did The Financial Times report?",
        "What is NatureBench?",
        "Which models are by OpenAI?",
    ],
)
def test_subjects_are_no_tellers(question: str) -> None:
    assert publishers_of(question, LIBRARY) == ()


def test_no_library_names_no_publisher() -> None:
    assert publishers_of("according to The Verge", ()) == ()
    assert publishers_of("according to The Verge", ("",)) == ()
