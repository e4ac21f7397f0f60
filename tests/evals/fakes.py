"""A judge that knows its grades, for tests without models. It imports LlamaIndex (2.8 s)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from evals.judges import Claim, Grade
from evals.judges.seam import Judge


class FakeJudge(Judge):
    """A statement is backed by a context that has it word for word.

    Statements of `refused` never are, and those of `unreadable` can't be read. `claims` are all
    that was asked, in order.
    """

    name = "fake"
    fingerprint = "fake"

    def __init__(self, refused: Collection[str] = (), unreadable: Collection[str] = ()) -> None:
        self.refused = refused
        self.unreadable = unreadable
        self.claims: list[Claim] = []

    def _judged(self, claims: Sequence[Claim]) -> list[Grade]:
        self.claims.extend(claims)
        return [self._grade(claim) for claim in claims]

    def _grade(self, claim: Claim) -> Grade:
        if claim.statement in self.unreadable:
            return Grade(None, None, "the fake was told not to read this")
        stands = any(claim.statement in context for context in claim.contexts)
        if stands and claim.statement not in self.refused:
            return Grade(True, 1.0, "stands in a context")
        return Grade(False, 0.0, "stands in no context")
