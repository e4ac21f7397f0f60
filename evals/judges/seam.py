"""The one seam behind which all judges stand, a LlamaIndex evaluator.

This module imports LlamaIndex (2.8 s); `evals.judges.claims` and `load_judge` don't.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from llama_index.core.evaluation.base import BaseEvaluator, EvaluationResult
from llama_index.core.prompts.mixin import PromptDictType

from corpus.article import distinct
from corpus.errors import UsageError
from evals.judges.claims import Claim, Grade

NO_CONTEXT = Grade(False, 0.0, "no context is given")
NO_STATEMENT = Grade(False, 0.0, "the statement is empty")


class Judge(BaseEvaluator):
    """Says whether contexts back a statement.

    A judge of your own has a name, a fingerprint and `_judged`. In a LlamaIndex program it serves
    as any evaluator does: `judge.evaluate(response="…", contexts=["…"])`.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What `load_judge` was asked for."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Changes whenever the grades may."""

    @abstractmethod
    def _judged(self, claims: Sequence[Claim]) -> list[Grade]:
        """A grade for each claim, in order; each has a statement and contexts, none blank or twice.

        Raises ModelError when the model can't be used at all.
        """

    def grades(self, claims: Sequence[Claim]) -> list[Grade]:
        """A grade for each claim, in order; raises ModelError when the model can't be used.

        A claim without a statement or without contexts fails, whoever judges: ALCE (Gao et al.
        2023) scores a missing citation 0, too.
        """
        trimmed = [_trimmed(claim) for claim in claims]
        plain = [_plain(claim) for claim in trimmed]
        asked = [claim for claim, grade in zip(trimmed, plain, strict=True) if grade is None]
        judged = iter(self._judged(asked) if asked else ())
        return [grade or next(judged) for grade in plain]

    async def aevaluate(
        self,
        query: str | None = None,
        response: str | None = None,
        contexts: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> EvaluationResult:
        """LlamaIndex's call: the whole `response` as one statement. The query plays no part."""
        if response is None or contexts is None:
            raise UsageError("A judge needs a response and its contexts.", "Pass both.")
        claim = Claim(response, tuple(contexts))
        (grade,) = await asyncio.to_thread(self.grades, [claim])
        unread = grade.passing is None
        return EvaluationResult(
            query=query,
            response=response,
            contexts=contexts,
            passing=grade.passing,
            score=grade.score,
            feedback=grade.reason,
            invalid_result=unread,
            invalid_reason=grade.reason if unread else None,
        )

    def _get_prompts(self) -> PromptDictType:
        return {}

    def _update_prompts(self, prompts: PromptDictType) -> None:
        """Judges have no prompts of their own; those of their parts are reached as modules."""


def _trimmed(claim: Claim) -> Claim:
    return Claim(claim.statement, distinct(text for text in claim.contexts if text.strip()))


def _plain(claim: Claim) -> Grade | None:
    """The grade of a claim that no model needs to see."""
    if not claim.statement.strip():
        return NO_STATEMENT
    return None if claim.contexts else NO_CONTEXT
