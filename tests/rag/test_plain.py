"""Plain text keeps its places."""

from __future__ import annotations

from rag.plain import blank, plain


def test_every_character_keeps_its_place() -> None:
    assert plain("\u2018a\u2019 \u201cb\u201d 1\u20132 \u2014 \u0130") == "'a' \"b\" 1-2 - i"
    text = "\u6bd4\u8f83 \U0001f642 \u0130\u017f\u212a"
    assert len(plain(text)) == len(text)


def test_blanked_spans_keep_the_length() -> None:
    assert blank("in May or June", [(3, 6), (10, 14)]) == "in \0\0\0 or \0\0\0\0"
