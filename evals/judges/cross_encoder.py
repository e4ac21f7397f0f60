"""Judges that are a trained model of entailment or consistency, read in whole sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from corpus.article import distinct
from corpus.sentences import split_sentences
from evals.judges.claims import Claim, Grade, parted
from evals.judges.seam import Judge

if TYPE_CHECKING:
    from evals.judges.checkpoints import Checkpoint

THRESHOLD = 0.5

Fits = Callable[[str], bool]


class CrossEncoderJudge(Judge):
    """Scores a statement by the probability of support that a Checkpoint gives it.

    A context longer than the model reads at once is judged window by window, and the best window
    counts, as in SummaC (Laban et al. 2022) and MiniCheck (Tang et al. 2024). Of several contexts
    the best counts, or their concatenation where the model can read that whole.
    """

    def __init__(self, name: str, checkpoint: Checkpoint, threshold: float = THRESHOLD) -> None:
        self._name = name
        self._checkpoint = checkpoint
        self._threshold = threshold

    @property
    def name(self) -> str:
        return self._name

    @property
    def fingerprint(self) -> str:
        return f"nli-{self._checkpoint.fingerprint}-{self._threshold:g}"

    def _judged(self, claims: Sequence[Claim]) -> list[Grade]:
        asked = [self._premises(claim) for claim in claims]
        pairs = [
            (premise, claim.statement)
            for claim, premises in zip(claims, asked, strict=True)
            for premise in premises
        ]
        scores = iter(self._checkpoint.support(pairs))
        return [self._grade(list(islice(scores, len(premises)))) for premises in asked]

    def _premises(self, claim: Claim) -> list[str]:
        """What the model is to read, piece by piece; nothing where the statement is too long."""

        def fits(context: str) -> bool:
            return self._checkpoint.fits(context, claim.statement)

        premises = [window for text in claim.contexts for window in windows(text, fits)]
        together = "\n".join(claim.contexts)
        return list(distinct([*premises, together])) if fits(together) else premises

    def _grade(self, scores: Sequence[float]) -> Grade:
        if not scores:
            limit = self._checkpoint.limit
            return Grade(None, None, f"the statement leaves no room in the {limit} tokens read")
        best = max(scores)
        return Grade(best >= self._threshold, best, f"probability of support {best:.2f}")


def windows(context: str, fits: Fits) -> list[str]:
    """`context` in stretches of whole sentences that fit, none left out; empty if nothing fits.

    Each stands under the header line of the context, unless that takes a sentence's place.

    >>> windows("One is here. Two is there. Three is gone.", lambda text: len(text) < 28)
    ['One is here. Two is there.', 'Three is gone.']
    """
    if fits(context):
        return [context]
    if not fits(""):
        return []
    header, body = parted(context)
    sentences = split_sentences(body)
    top = f"{header}\n" if header else ""
    if not all(fits(top + sentence) for sentence in sentences):
        top, sentences = "", split_sentences(context)
    pieces = [piece for sentence in sentences for piece in _pieces(sentence, fits)]
    return [top + text for text in _packed(pieces, lambda text: fits(top + text))]


def _packed(pieces: Sequence[str], fits: Fits) -> Iterator[str]:
    current = ""
    for piece in pieces:
        longer = f"{current} {piece}" if current else piece
        if fits(longer):
            current = longer
            continue
        yield current
        current = piece
    if current:
        yield current


def _pieces(sentence: str, fits: Fits) -> list[str]:
    """The sentence, or its halves, quarters, … where it is longer than the model's limit."""
    if fits(sentence):
        return [sentence]
    words = sentence.split() if " " in sentence else list(sentence)
    if len(words) < 2:
        return []
    glue, half = " " if " " in sentence else "", len(words) // 2
    halves = (glue.join(words[:half]), glue.join(words[half:]))
    return [piece for part in halves for piece in _pieces(part, fits)]
