"""The seam of everything that can be measured: it takes a question and replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from corpus.article import Article, Passage
from rag.answer import Answer, Hit
from rag.followups import Turn

Kind = Literal["ours", "ablation", "baseline"]


@dataclass(frozen=True, slots=True)
class Reply:
    """An Answer, what retrieval found for it (at least ten hits where there are so many, for the
    figures of ranking), and how many tokens a language model wrote, if one did."""

    answer: Answer
    retrieved: tuple[Hit, ...]
    tokens: int | None


class System(Protocol):
    """Anything that answers questions from the corpus.

    `name` is what `--system` takes, `model` what writes, `about` a line for the report.
    """

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> Kind: ...

    @property
    def model(self) -> str: ...

    @property
    def about(self) -> str: ...

    def passages(self) -> Sequence[tuple[Passage, Article]]:
        """All that it can find, as it has cut it."""
        ...

    def reply(self, question: str, history: Sequence[Turn]) -> Reply:
        """The reply to `question` after `history`. Raises GroundwireErrors."""
        ...
