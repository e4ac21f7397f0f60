"""An Answer as text: references, and Markdown to keep."""

from __future__ import annotations

from datetime import date

from rag.answer import Answer, Citation
from rag.prompts import MONTHS


def reference(citation: Citation) -> str:
    """Publisher, date, title and address of a citation, as far as they are known."""
    parts = [citation.publisher, spoken_day(citation.published), citation.title, citation.url]
    return ", ".join(part for part in parts if part)


def spoken_day(day: str | None) -> str:
    """An ISO day as it is said, and "undated" for none.

    >>> spoken_day("2025-08-05")
    '5 August 2025'
    """
    if day is None:
        return "undated"
    on = date.fromisoformat(day)
    return f"{on.day} {MONTHS[on.month - 1]} {on.year}"


def freshness(answer: Answer) -> str:
    """How fresh the answer can be: the day of the library's newest article."""
    if not answer.as_of:
        return "No article in the library has a date."
    return f"Newest article in the library: {spoken_day(answer.as_of)}."


def to_markdown(answer: Answer) -> str:
    """The answer with its references, as a Markdown document."""
    lines = [f"# {_one_line(answer.question)}", "", answer.text.replace("\n", "\n\n"), ""]
    if answer.reason:
        lines += [answer.reason, ""]
    if answer.citations:
        lines += ["## References", ""]
    for citation in answer.citations:
        lines += [f"{citation.n}. {reference(citation)}  ", f"   > {_one_line(citation.quote)}", ""]
    lines += [*(f"*{note}*  " for note in answer.notes), f"*{freshness(answer)}*", ""]
    return "\n".join(lines)


def _one_line(text: str) -> str:
    return " ".join(text.split())
