"""The default judge: our own verifier's hard checks and alignment. Deterministic, no network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from evals.judges.claims import Claim, Grade, hit_of
from evals.judges.seam import Judge
from rag.answer import Verdict
from rag.verify import Pair, Verifier

_SHORTEST_PART = 3  # words: less is an item of a list, not a part that says something
_BETWEEN_PARTS = re.compile(
    r";\s+|,?\s+(?:while|whereas)\s+|,\s+(?:and|but|yet|although|though)\s+", re.IGNORECASE
)


class VerifierJudge(Judge):
    """Judges with a Verifier, by the best of the contexts.

    A statement merged from two cited passages passes when each of its parts is backed by one of
    them alone; the weakest part gives the score. The passages are not simply read as one text:
    alignment can't tell whose number stands beside a name, and took "Meta has 117 billion
    parameters" from one passage on Meta and one on OpenAI.
    """

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    @property
    def name(self) -> str:
        return "verifier"

    @property
    def fingerprint(self) -> str:
        return f"verifier-{self._verifier.fingerprint}"

    def _judged(self, claims: Sequence[Claim]) -> list[Grade]:
        hits = {text: hit_of(text) for claim in claims for text in claim.contexts}
        asked = [(_asked(claim), [hits[text] for text in claim.contexts]) for claim in claims]
        pairs = [Pair(said, hit) for texts, backing in asked for said in texts for hit in backing]
        verdicts = iter(self._verifier.verify(pairs))
        return [
            _grade([_best(list(islice(verdicts, len(backing)))) for _ in texts])
            for texts, backing in asked
        ]


def parts_of(statement: str) -> list[str]:
    """The parts that a statement was merged from; only itself where it can't be told apart.

    >>> parts_of("OpenAI published two models, while Meta delayed one.")
    ['OpenAI published two models', 'Meta delayed one.']
    >>> parts_of("It came to Spain, France, and Italy.")
    ['It came to Spain, France, and Italy.']
    """
    parts = _BETWEEN_PARTS.split(statement)
    whole = any(len(part.split()) < _SHORTEST_PART for part in parts)
    return [statement] if whole else parts


def _asked(claim: Claim) -> list[str]:
    """The statement, then its parts where different contexts may back them."""
    parts = parts_of(claim.statement) if len(claim.contexts) > 1 else []
    return [claim.statement, *parts] if len(parts) > 1 else [claim.statement]


def _best(verdicts: Sequence[Verdict]) -> Verdict:
    return max(verdicts, key=lambda v: (v.label == "supported", v.support, -len(v.failed)))


def _grade(best: Sequence[Verdict]) -> Grade:
    """The grade from the best verdict on the whole, and those on each part."""
    whole, *parts = best
    if whole.label != "supported" and parts and all(v.label == "supported" for v in parts):
        return Grade(True, min(v.support for v in parts), "each part by a context of its own")
    reason = "; ".join(whole.failed) or f"{whole.label}, {whole.support:.2f}"
    return Grade(whole.label == "supported", whole.support, reason)
