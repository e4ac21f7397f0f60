"""The questions that the reranker and the reader are fitted on, and what fitting shares.

They are written by hand over the bundled corpus, in four styles: "plain" (199) are asked as most
people ask, "cal" (167) as analysts do, in words far from the articles', and "far" (60) are about
something else altogether; these stand in calibration.jsonl. "dev" is the development split of
questions.jsonl; its test split is never read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.library import Scope, now
from evals.bench import Bench
from evals.questions import Question, bundled_articles, bundled_questions, load_questions
from rag.query import Query, understand

QUESTIONS = Path(__file__).with_name("calibration.jsonl")
STYLES = ("plain", "cal", "dev")
FAR = "far"  # none of these is answered
FOLDS = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, understood as the assistant would."""

    question: Question
    query: Query

    @property
    def hint(self) -> Scope:
        """The days and publishers that it hints at."""
        window = self.query.window
        return Scope(window.since, window.until, self.query.publishers)

    @property
    def style(self) -> str:
        prefix = self.question.id.partition("-")[0]
        return prefix if prefix in (*STYLES, FAR) else "dev"


def asked_questions(parts: Bench) -> list[Asked]:
    """All questions to fit on."""
    dev = [question for question in bundled_questions() if question.split == "dev"]
    questions = [*load_questions(QUESTIONS, bundled_articles()), *dev]
    today, publishers = now().date(), parts.library.publishers()
    return [
        Asked(q, understand(q.question, q.history, today=today, publishers=publishers))
        for q in questions
    ]


def folds(ids: Sequence[str]) -> NDArray[np.int64]:
    """The fold of each case; all cases of a question share one."""
    numbers = {id_: at % FOLDS for at, id_ in enumerate(sorted(set(ids)))}
    return np.array([numbers[id_] for id_ in ids])
