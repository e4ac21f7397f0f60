"""Names in questions."""

from __future__ import annotations

from rag.names import names_of


def test_names() -> None:
    assert names_of("Did Claude Opus 4.5 beat GPT-5 mini on the API in May 2025?") == [
        "Claude Opus 4.5",
        "GPT-5 mini",
    ]
    assert names_of("Kimi K2 and gpt-oss? Which is newer?") == ["Kimi K2", "gpt-oss"]
