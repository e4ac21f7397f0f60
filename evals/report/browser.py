"""What the page's browser of questions is given: every item with its article text and spans.

Spans are counted in UTF-16 units, as JavaScript counts: a pictogram before a quote would else move
its highlight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evals.report.failures import SORTS, Item, failures, nuggets_hit
from evals.report.figures import Record
from evals.scores import K

Texts = Mapping[str, Mapping[str, Any]]


def browser_data(record: Record) -> dict[str, Any]:
    """What is shared by all systems once, and of each system what it made of each question."""
    texts = record["texts"]
    questions: dict[str, Any] = {}
    for system in record["systems"].values():
        for item in system["items"]:
            questions.setdefault(item["id"], _question(item["expected"], texts))
    return {
        "sorts": list(SORTS),
        "read": K,
        "questions": questions,
        "systems": {
            name: [_item(item, texts) for item in system["items"]]
            for name, system in record["systems"].items()
        },
        "texts": {id: dict(text) for id, text in texts.items()},
    }


def _question(expected: dict[str, Any], texts: Texts) -> dict[str, Any]:
    kept = ("kind", "split", "question", "answers", "history", "false_premise", "known_entity")
    return {
        **{key: expected[key] for key in kept},
        "nuggets": [{"text": n["text"], "vital": n["vital"]} for n in expected["nuggets"]],
        "evidence": [_gold(quote, texts) for quote in expected["evidence"]],
    }


def _gold(quote: dict[str, str], texts: Texts) -> dict[str, Any]:
    """A gold quote names its article by file; which one it is, its text says."""
    for id, article in texts.items():
        start = article["text"].find(quote["text"])
        if start >= 0:
            place = _units(article["text"], start, start + len(quote["text"]))
            return {"text": quote["text"], "article": id, "span": place}
    return {"text": quote["text"], "article": None, "span": None}


def _item(item: Item, texts: Texts) -> dict[str, Any]:
    answer = item["answer"] or {"statements": [], "citations": [], "reason": None}
    return {
        "id": item["id"],
        "failures": failures(item),
        "abstained": item["scores"]["abstained"],
        "reason": answer["reason"],
        "error": item["error"],
        "milliseconds": item["scores"]["milliseconds"],
        "statements": _statements(answer, item["judged"]),
        "citations": [_citation(citation, texts) for citation in answer["citations"]],
        "nuggets": nuggets_hit(item),
        "ranks": [_rank(item, n) for n in range(len(item["expected"]["evidence"]))],
    }


def _statements(answer: dict[str, Any], judged: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each statement with what the judge made of it."""
    verdicts = ({key: j[key] for key in ("supported", "reason", "support")} for j in judged)
    return [
        {"text": statement["text"], "citations": statement["citations"], **verdict}
        for statement, verdict in zip(answer["statements"], verdicts, strict=True)
    ]


def _citation(citation: dict[str, Any], texts: Texts) -> dict[str, Any]:
    kept = ("n", "title", "publisher", "published", "url", "quote")
    id, start, end = citation["article_id"], citation["start"], citation["end"]
    text = texts.get(id, {}).get("text", "")
    # The Library may hold another revision by now, in which the quote stands elsewhere or nowhere.
    found = text[start:end] == citation["quote"] != ""
    return {
        **{key: citation[key] for key in kept},
        "article": id if text else None,
        "span": _units(text, start, end) if found else None,
    }


def _rank(item: Item, quote: int) -> int | None:
    """The place of the first hit that holds a gold quote, from 1; `None` where none does."""
    ranked = enumerate(item["quotes_in_hits"], start=1)
    return next((rank for rank, quotes in ranked if quote in quotes), None)


def _units(text: str, start: int, end: int) -> tuple[int, int]:
    """A span in UTF-16 units.

    >>> _units("🦙 spits", 2, 7)
    (3, 8)
    """
    before, inside = (len(part.encode("utf-16-le", "surrogatepass")) // 2
                      for part in (text[:start], text[start:end]))  # fmt: skip
    return before, before + inside
