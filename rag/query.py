"""From what a user asks to what the retriever gets.

`understand` reads a question with rules, no model: it makes a follow-up standalone, finds the days
it is about, the publishers it names as tellers, and the parts of a comparison. Every rule prefers
silence to a guess: a window that was not understood costs little, a wrong one hides the answer.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from corpus.errors import UsageError
from rag.answer import Window
from rag.followups import Turn, moves_on, standalone
from rag.parts import parts_of
from rag.tellers import publishers_of, without_publishers
from rag.window import is_recent, window_of

__all__ = ["MAX_QUESTION_CHARS", "Query", "Turn", "clean", "understand"]

# Longer texts are pasted articles; the embedder reads about 1,000 characters (256 tokens) of them.
MAX_QUESTION_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Query:
    """A question, understood.

    `text` is standalone. `window` holds the days the question is about, `publishers` those it
    names as tellers, in the library's spelling. `parts` has one standalone sub-query for each part
    of a question with several, and is empty otherwise. `recent`: it asks how things stand now.
    """

    text: str
    window: Window
    publishers: tuple[str, ...]
    parts: tuple[str, ...]
    recent: bool


def understand(
    question: str,
    history: Sequence[Turn] = (),
    *,
    today: date,
    publishers: Collection[str] = (),
) -> Query:
    """Read `question` as asked on `today`, after `history`, of a library of `publishers`.

    Raises UsageError where the question is empty or longer than MAX_QUESTION_CHARS.

    >>> query = understand("What did The Verge report in July 2025?",
    ...                    today=date(2026, 1, 1), publishers=["The Verge"])
    >>> query.publishers, query.window.to_dict()
    (('The Verge',), {'since': '2025-07-01', 'until': '2025-07-31'})
    """
    asked = clean(question)
    text = standalone(asked, [_cut(turn) for turn in history], publishers)
    rewritten = not text.endswith(asked)  # then the earlier question goes on
    named = publishers_of(text if rewritten else asked, publishers)
    window = Window() if rewritten else _window(asked, publishers, today)
    if window == Window() and text != asked and not moves_on(asked):
        window = _window(text, publishers, today)
    recent = is_recent(without_publishers(asked, publishers), window, today)
    return Query(text, window, named, parts_of(text), recent)


def clean(question: str) -> str:
    """`question` without control characters, its whitespace folded.

    Raises UsageError where nothing is left, or more than MAX_QUESTION_CHARS.
    """
    text = _folded(question)
    if not text:
        raise UsageError("The question is empty.", "Ask something about the articles.")
    if len(text) > MAX_QUESTION_CHARS:
        raise UsageError(
            f"The question has {len(text):,} characters; the limit is {MAX_QUESTION_CHARS:,}.",
            "Shorten it, or add long texts to the library with `groundwire ingest`.",
        )
    return text


def _window(text: str, publishers: Collection[str], today: date) -> Window:
    # "Business Today" is no date.
    return window_of(without_publishers(text, publishers), today)


def _cut(turn: Turn) -> Turn:
    """An earlier turn, whatever its length, as far as the rules need it."""
    return Turn(_folded(turn.question)[:MAX_QUESTION_CHARS], turn.answer[:MAX_QUESTION_CHARS])


def _folded(text: str) -> str:
    # Lone surrogates can't be encoded, so neither index could take them.
    kinds = ((char, unicodedata.category(char)) for char in text)
    return " ".join("".join(" " if kind in ("Cc", "Cs") else char for char, kind in kinds).split())
