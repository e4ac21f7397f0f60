"""What can go wrong with a question, each sort under the name that a reader filters by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from evals.questions import Nugget
from evals.scores import Score

Item = dict[str, Any]
"""One of the `items` of a system in a record."""


def said(item: Item) -> str:
    """The statements without the numbers of their citations; empty for an abstention or error."""
    answer = item["answer"] or {"statements": []}
    return "\n".join(statement["text"] for statement in answer["statements"])


def scored(item: Item) -> Score:
    """The item's Score as a value; what a later version may have added is left out."""
    return Score(**{field.name: item["scores"][field.name] for field in fields(Score)})


def nuggets_hit(item: Item) -> list[bool]:
    """Of each expected nugget, whether the answer says it."""
    text = said(item)
    nuggets = item["expected"]["nuggets"]
    return [Nugget(n["text"], n["vital"], tuple(n["match"])).is_in(text) for n in nuggets]


def _answered(item: Item) -> bool:
    return not (item["scores"]["abstained"] or item["scores"]["error"])


def _incomplete(share: float | None) -> bool:
    return share is not None and share < 1


# An abstention lacks every nugget too, but that is what "wrong abstain" says already.
SORTS: dict[str, Callable[[Item], bool]] = {
    "error": lambda i: i["scores"]["error"],
    "wrong abstain": lambda i: i["scores"]["answerable"] and i["scores"]["abstained"],
    "should have abstained": lambda i: not i["scores"]["answerable"] and _answered(i),
    "unsupported statement": lambda i: any(j["supported"] is False for j in i["judged"]),
    "vital nugget missing": lambda i: _answered(i) and _incomplete(i["scores"]["vital_nuggets"]),
    "evidence not found": lambda i: _incomplete(i["scores"]["evidence_recall"]),
}


def failures(item: Item) -> list[str]:
    """The names of all that went wrong, the gravest first; empty where nothing did."""
    return [name for name, happened in SORTS.items() if happened(item)]
