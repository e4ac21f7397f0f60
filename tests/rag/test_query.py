"""Questions as users ask them, understood as a whole."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from datetime import date

import pytest

from corpus.errors import UsageError
from rag.answer import Window
from rag.followups import leans
from rag.query import MAX_QUESTION_CHARS, Turn, understand
from tests.fakes import LIBRARY

TODAY = date(2026, 8, 20)  # a Thursday

ODD_WORDS = """in on 2025 2024 March May 31 February and or vs Compare GPT-5 OpenAI's The Verge
reported ? , ' 29 between from to until since it they that last week 3 Q3 H1 early mid - \u2013
999 years past when did what how \u017fep m\u0131d w\u0131nter \U0001f642 \u6bd4\u8f83"""


@pytest.mark.parametrize("question", ["", "   ", "\n\t", "\x00\x07", "\ud800"])
def test_a_question_without_anything_is_refused(question: str) -> None:
    with pytest.raises(UsageError, match="The question is empty") as caught:
        understand(question, today=TODAY)
    assert caught.value.remedy


def test_a_question_over_the_limit_is_refused_with_both_lengths() -> None:
    assert understand("a" * MAX_QUESTION_CHARS, today=TODAY).text
    with pytest.raises(UsageError, match=r"2,001 characters; the limit is 2,000"):
        understand("a" * (MAX_QUESTION_CHARS + 1), today=TODAY)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("  Why did\n OpenAI \t delay it? ", "Why did OpenAI delay it?"),
        ("GPT-5\x00\x1b price", "GPT-5 price"),
        ("DeepSeek 为什么涨价", "DeepSeek 为什么涨价"),
        ("لماذا تأخر النموذج؟", "لماذا تأخر النموذج؟"),
        ("👩‍💻 models?", "👩‍💻 models?"),
        ("?!...", "?!..."),
        ("\u0130\u017fp 2025", "\u0130\u017fp 2025"),
    ],
)
def test_any_script_is_kept_as_it_is(question: str, text: str) -> None:
    query = understand(question, today=TODAY, publishers=LIBRARY)
    assert query.text == text
    assert (query.window, query.publishers, query.parts) == (Window(), (), ())


@pytest.mark.parametrize(
    "unit", ["a", "A1 ", "in 2025 ", "A and ", "' ", "1-", "to ", "the model ", "Wired, ", "more "]
)
def test_no_question_takes_long(unit: str) -> None:
    question = (unit * MAX_QUESTION_CHARS)[:MAX_QUESTION_CHARS]
    started = time.perf_counter()
    understand(question, [Turn(question, question)], today=TODAY, publishers=LIBRARY)
    assert time.perf_counter() - started < 5


def test_no_mixture_of_these_words_breaks_it() -> None:
    words = ODD_WORDS.split()
    dice = random.Random(1)
    for _ in range(400):
        said, asked = (" ".join(dice.choices(words, k=dice.randint(1, 14))) for _ in range(2))
        leap_day = date(2024, 2, 29)
        query = understand(asked, [Turn(said, asked)], today=leap_day, publishers=LIBRARY)
        assert query.text.endswith(asked) or leans(asked)
        assert len(query.parts) in (0, 2, 3, 4) and all(query.parts)
        since, until = query.window.since, query.window.until
        assert since is None or until is None or since <= until


def test_a_publisher_is_no_day() -> None:
    query = understand("What did Business Today report?", today=TODAY, publishers=LIBRARY)
    assert (query.window, query.recent) == (Window(), False)
    assert query.publishers == ("Business Today",)


def test_the_chain_is_resolved_from_its_first_turn() -> None:
    history = [Turn("What did OpenAI announce in July 2025?"), Turn("And Anthropic?"), Turn("  ")]
    query = understand("And in August?", history, today=TODAY)
    assert query.text == "What did Anthropic announce in August 2025?"
    assert query.window == Window(date(2025, 8, 1), date(2025, 8, 31))


def test_a_follow_up_keeps_the_days_unless_it_moves_on() -> None:
    history = [Turn("What did OpenAI announce in July 2025?")]
    july = Window(date(2025, 7, 1), date(2025, 7, 31))
    assert understand("Which of them is open?", history, today=TODAY).window == july
    assert understand("What came after that?", history, today=TODAY).window == Window()


@pytest.mark.parametrize(
    ("question", "recent"),
    [
        ("What is the latest model of Mistral?", True),
        ("Is gpt-oss still the best?", True),
        ("Who currently leads the arena?", True),
        ("What does it cost as of today?", True),
        ("Has OpenAI released it yet?", True),
        ("Why did OpenAI delay its model?", False),
        ("What does ServiceNow sell?", False),
        ("What was the latest model in March 2025?", False),
        ("What is the latest since March 2025?", True),
    ],
)
def test_questions_about_now(question: str, recent: bool) -> None:
    assert understand(question, today=TODAY).recent is recent


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'chromadb', 'llama_index', 'numpy', 'sqlalchemy', 'tantivy'}"
    code = f"import sys, rag.query; sys.exit(str(sorted({heavy} & set(sys.modules))))"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert shown.stderr.strip() == "[]"
