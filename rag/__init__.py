"""Ask questions of AI news and get answers whose every sentence cites its source.

from rag import ask
print(ask("Has OpenAI released an open-weight model?").text)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rag.answer import Answer, Citation, Hit, Statement
from rag.assistant import Assistant, Stage, Token

__all__ = ["Answer", "Assistant", "Citation", "Hit", "Stage", "Statement", "Token", "ask"]


def ask(question: str, **options: Any) -> Answer:
    """Ask the shared default Assistant; `options` are those of `Assistant.ask`."""
    return _default().ask(question, **options)


@lru_cache(maxsize=1)
def _default() -> Assistant:
    return Assistant()
