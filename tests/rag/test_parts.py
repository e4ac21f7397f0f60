"""Which questions have parts."""

from __future__ import annotations

import pytest

from rag.parts import parts_of


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "Compare the API prices of Claude Opus 4.5 and Gemini 3 Pro",
            ["API prices of Claude Opus 4.5", "API prices of Gemini 3 Pro"],
        ),
        ("GPT-5 vs o3 on SWE-bench", ["GPT-5 on SWE-bench", "o3 on SWE-bench"]),
        ("What is the difference between DeepSeek V3 and R1?", ["DeepSeek V3", "R1"]),
        ("How does Kimi K2 compare to o3 on price?", ["Kimi K2 on price", "o3 on price"]),
        ("Is Claude cheaper than o3?", ["Is Claude cheaper", "Is o3 cheaper"]),
        ("Which is older, o1 or o3?", ["Which is older, o1", "Which is older, o3"]),
        ("What did Meta and xAI each say?", ["What did Meta say", "What did xAI say"]),
        ("Compare OpenAI's and xAI's loss", ["OpenAI's loss", "xAI's loss"]),
        ("Compare OpenAI's loss with xAI's", ["OpenAI's loss", "xAI's loss"]),
        ("Compare Llama 4, Qwen3 and o3", ["Llama 4", "Qwen3", "o3"]),
        (
            "How did Meta's loss change from 2024 to 2025?",
            ["How did Meta's loss change in 2024", "How did Meta's loss change in 2025"],
        ),
        (
            "How did prices change between May and August 2026?",
            ["How did prices change in May 2026", "How did prices change in August 2026"],
        ),
        (
            "How did prices change between May and last month?",
            ["How did prices change in May", "How did prices change in last month"],
        ),
        (
            "What is Kimi K2's licence and how much does it cost?",
            ["What is Kimi K2's licence", "Kimi K2 how much does it cost"],
        ),
        (
            "Why was GPT-5 delayed? When was it released?",
            ["Why was GPT-5 delayed", "GPT-5 When was it released"],
        ),
    ],
)
def test_parts(question: str, parts: list[str]) -> None:
    assert list(parts_of(question)) == parts


@pytest.mark.parametrize(
    "question",
    [
        "Why did OpenAI delay its model?",
        "What deal did OpenAI and Microsoft sign?",
        "What did OpenAI announce between March and June 2025?",
        "Who is the man who founded xAI and who left OpenAI?",
        "What did OpenAI delay and why?",
        "Compare o1, o2, o3, o4 and o5",
        "Compare GPT-5 and GPT-5",
        "Compare",
        "and and or or vs vs",
        "? ? ?",
        "比较这两个模型",
    ],
)
def test_one_part_is_no_part(question: str) -> None:
    assert parts_of(question) == ()
