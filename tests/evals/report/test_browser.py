"""What the browser of questions is given."""

from __future__ import annotations

from typing import Any

from evals.report.browser import browser_data
from tests.evals.report.samples import FAILED, ITEMS, NEWS, many, record


def marked(span: tuple[int, int], text: str = NEWS.text) -> str:
    """What JavaScript's slice would cut out."""
    units = text.encode("utf-16-le")
    return units[2 * span[0] : 2 * span[1]].decode("utf-16-le")


def shown(id: str, made: dict[str, Any] | None = None) -> dict[str, Any]:
    items = browser_data(made or record())["systems"]["ours/extractive"]
    return next(item for item in items if item["id"] == id)


def test_every_item_of_every_system_is_there_and_questions_once() -> None:
    data = browser_data(many())
    assert {name: len(items) for name, items in data["systems"].items()} == dict.fromkeys(
        many()["systems"], len(ITEMS)
    )
    assert list(data["questions"]) == [item["id"] for item in ITEMS]


def test_spans_are_counted_as_javascript_counts() -> None:
    (citation,) = shown("right")["citations"]
    (gold,) = browser_data(record())["questions"]["right"]["evidence"]
    assert "🦙" in NEWS.text[: NEWS.text.index("The model")]
    assert marked(citation["span"]) == citation["quote"] == "The model costs $3."
    assert gold["article"] == NEWS.id
    assert marked(gold["span"]) == gold["text"]


def test_a_quote_that_the_text_no_longer_has_there_is_not_marked() -> None:
    made = record()
    made["texts"][NEWS.id]["text"] = "Now other words."
    assert shown("right", made)["citations"][0]["span"] is None
    assert browser_data(made)["questions"]["right"]["evidence"][0]["article"] is None


def test_a_cited_article_may_be_missing() -> None:
    made = record()
    made["texts"] = {}
    assert shown("right", made)["citations"][0]["article"] is None


def test_gold_evidence_has_the_rank_of_the_first_hit_that_holds_it() -> None:
    made = record()
    items = made["systems"]["ours/extractive"]["items"]
    items[0] = {**items[0], "quotes_in_hits": [[], [0], [0]]}
    assert shown("right", made)["ranks"] == [2]
    assert shown("lost")["ranks"] == [None]


def test_statements_carry_what_the_judge_says() -> None:
    wrong, so = shown("wrong")["statements"]
    assert (wrong["supported"], wrong["reason"]) == (False, "$3 is not in [1]")
    assert (so["supported"], so["citations"]) == (True, [1])


def test_errors_and_abstentions_say_why() -> None:
    assert shown("broken")["error"] == FAILED["error"]["error"]
    assert shown("shy")["reason"] == "Nothing near enough."
    assert browser_data(record())["questions"]["shy"]["history"][0]["question"] == "And before?"
