"""A text as the rules want to see it; what they find keeps its place in the text as typed."""

from __future__ import annotations

from collections.abc import Iterable

# Typographic quotes and dashes as plain ones. The last four are letters that `re` takes for i, s
# and k when it ignores case, but no table of ours does.
_PLAIN = str.maketrans(
    "\u2018\u2019\u201c\u201d\u2010\u2011\u2012\u2013\u2014\u0130\u0131\u017f\u212a",
    "''\"\"-----iisk",
)


def plain(text: str) -> str:
    """`text` with plain quotes, dashes and letters: one character for each, so that spans stay.

    >>> plain("OpenAI\u2019s 2024\u20132025")
    "OpenAI's 2024-2025"
    """
    return text.translate(_PLAIN)


def blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """`text` with `spans` blanked out, so that no later rule reads them; its length stays."""
    for start, end in spans:
        text = text[:start] + "\0" * (end - start) + text[end:]
    return text
