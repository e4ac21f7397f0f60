from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from corpus.article import Article
from rag.render import freshness, reference, spoken_day, to_markdown
from tests.fakes import answer_from

ARTICLE = Article(
    "gpt-oss", "OpenAI released\ntwo models. More.", "https://openai.com/o", "OpenAI",
    published=datetime(2025, 8, 5, tzinfo=UTC),
)  # fmt: skip
ANSWER = answer_from(ARTICLE, "OpenAI released\ntwo models.")


def test_a_reference_has_publisher_date_title_and_address() -> None:
    (citation,) = ANSWER.citations
    assert reference(citation) == "OpenAI, 5 August 2025, gpt-oss, https://openai.com/o"


def test_a_reference_says_that_the_date_is_unknown_and_leaves_out_the_rest() -> None:
    bare = replace(ANSWER.citations[0], publisher=None, published=None, url=None)
    assert reference(bare) == "undated, gpt-oss"


def test_days_are_spoken_without_a_leading_zero() -> None:
    assert spoken_day("2026-12-01") == "1 December 2026"


def test_freshness_of_a_library_without_dates() -> None:
    assert freshness(replace(ANSWER, as_of="")) == "No article in the library has a date."


def test_markdown_has_question_answer_and_references() -> None:
    lines = to_markdown(ANSWER).splitlines()
    assert "## References" in lines
    assert "1. OpenAI, 5 August 2025, gpt-oss, https://openai.com/o  " in lines
    assert "   > OpenAI released two models." in lines
    assert lines[-1] == "*Newest article in the library: 21 August 2026.*"


def test_markdown_of_an_abstention_gives_the_reason_and_no_references() -> None:
    text = to_markdown(answer_from(ARTICLE, "OpenAI released\ntwo models.", reason="Too far off."))
    assert "The library does not answer this question." in text and "Too far off." in text
    assert "References" not in text


def test_a_question_of_several_lines_stays_one_heading() -> None:
    text = to_markdown(replace(ANSWER, question="What\n# happened\n\nthen?"))
    assert text.splitlines()[0] == "# What # happened then?"
