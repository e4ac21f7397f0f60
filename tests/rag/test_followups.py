"""Which questions lean on an earlier one, and what they become."""

from __future__ import annotations

import pytest

from rag.followups import Turn, leans, standalone
from tests.fakes import LIBRARY


@pytest.mark.parametrize(
    "question",
    [
        "Why did OpenAI delay its open-weight model?",
        "why did openai delay its model?",
        "What is Kimi K2, and who made it?",
        "Is it true that OpenAI delayed the model?",
        "Which models that run on a laptop did Mistral release?",
        "What did DeepSeek announce this month?",
        "What is the company behind Claude called?",
        "谁发布了这个模型?",
        "What happened this week?",
        "What was announced yesterday?",
        "What came in July 2025?",
        "Any AI news this month?",
    ],
)
def test_an_independent_question_stays_as_it_is(question: str) -> None:
    assert standalone(question, [Turn("What is SB 1047?", "A bill.")]) == question


@pytest.mark.parametrize(
    "question",
    [
        "Why did they delay it?",
        "Why did OpenAI delay it?",
        "What did Meta say about that?",
        "Which licence does the model have?",
        "And what did Anthropic do?",
        "What about Anthropic?",
        "Why?",
        "why not?",
        "When was that?",
        "Anthropic?",
        "Pricing?",
        "Pricing in 2025?",
        "In 2025?",
        "What happened?",
        "What did it do this week?",
        "Who vetoed it, and why?",
        "🙂",
    ],
)
def test_a_leaning_question_gets_the_words_of_the_one_before(question: str) -> None:
    assert leans(question)
    history = [Turn("How did Llama 4 do on LMArena?")]
    assert "LMArena" in standalone(question, history) or "Llama 4" in standalone(question, history)
    assert standalone(question) == question


@pytest.mark.parametrize(
    ("before", "question", "text"),
    [
        ("What does GPT-5 cost?", "And GPT-5 mini?", "What does GPT-5 mini cost?"),
        ("What was OpenAI's loss?", "And Anthropic?", "What was Anthropic's loss?"),
        ("What does OpenAI ask for GPT-5?", "What about o3?", "What does OpenAI ask for o3?"),
        ("What came in July 2025?", "And in August?", "What came in August 2025?"),
        ("What came last month?", "And in August?", "What came in August?"),
        ("What did Meta do today?", "And after 5 May 2025?", "What did Meta do after 5 May 2025?"),
        ("What came in 2024?", "What about 2025?", "What came in 2025?"),
        ("What did Wired report?", "And The Verge?", "What did The Verge report?"),
    ],
)
def test_a_clear_swap(before: str, question: str, text: str) -> None:
    assert standalone(question, [Turn(before)], LIBRARY) == text


@pytest.mark.parametrize(
    ("before", "question", "text"),
    [
        ("Did OpenAI buy Cursor?", "And Anthropic?", "OpenAI buy Cursor And Anthropic?"),
        ("What is SB 1047?", "why?", "SB 1047 why?"),
        ("When did Meta ship it?", "And GPT-5?", "Meta ship And GPT-5?"),
    ],
)
def test_an_unclear_one_is_pasted(before: str, question: str, text: str) -> None:
    assert standalone(question, [Turn(before)]) == text


def test_names_come_from_the_answer_where_the_question_asked_for_one() -> None:
    turn = Turn("Which lab released Kimi K2?", "Moonshot AI released Kimi K2 in July.")
    assert standalone("What else has it released?", [turn]) == (
        "lab released Kimi K2 Moonshot AI What else has it released?"
    )


def test_a_long_chain_does_not_drown_the_question() -> None:
    history = [Turn(f"Why did it {' '.join(f'word{n}x{m}' for m in range(30))}?") for n in range(9)]
    text = standalone("Why was it delayed?", history)
    assert text.endswith("Why was it delayed?")
    assert len(text.split()) <= 24 + 4
