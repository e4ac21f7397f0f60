"""Fused passages → hits, in the order of how likely they hold evidence.

Ranks tell which passages are worth a look; how well each fits the question, and whether it names
what the question names, tells them apart. A logistic model over plain measures, fitted by
`python -m evals.calibrate_reranker` and kept in rag/calibration/reranker.json:

    words      BM25 of the question, as a share of the most it could be
    meaning    cosine of the question and the passage
    overlap    share of the question's stems, weighed by rarity, in one sentence of the passage
    names      share of the question's names that stand in the passage or its title
    preferred  whether it lies in the days, and by the publishers, that the question hints at
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from corpus.article import Article, Passage, short_hash
from corpus.errors import ModelError
from corpus.lexical import stems
from corpus.sentences import split_sentences
from rag.answer import Hit
from rag.features import Asked, Rarity
from rag.logistic import Logistic

CALIBRATION = Path(__file__).parent / "calibration" / "reranker.json"

# BM25 weighs a term by up to k1 + 1 times its rarity (Robertson and Zaragoza 2009; k1 = 1.2).
SATURATION = 2.2
FEATURES = ("words", "meaning", "overlap", "names", "preferred")


@dataclass(frozen=True, slots=True)
class Found:
    """A passage as retrieval found it: `words` is its BM25, `meaning` its cosine."""

    passage: Passage
    article: Article
    words: float
    meaning: float
    preferred: bool


class Reranker(Protocol):
    """Anything that puts passages in order for a question."""

    @property
    def fingerprint(self) -> str: ...

    def rerank(self, question: str, found: Sequence[Found]) -> list[Hit]:
        """All of `found` as hits, best first."""
        ...


class FeatureReranker:
    """Orders passages by a few measures; takes about half a millisecond a passage."""

    def __init__(self, rarity: Rarity, model: Logistic | None = None) -> None:
        self._rarity = rarity
        self._given = model

    @cached_property
    def model(self) -> Logistic:
        return self._given or _load()[0]

    @property
    def fingerprint(self) -> str:
        return f"features-{_load()[1]}"

    def rerank(self, question: str, found: Sequence[Found]) -> list[Hit]:
        """All of `found` as hits, best first; the score is the probability of evidence in it."""
        asked = Asked.of(question, self._rarity)
        hits = [Hit(f.passage, f.article, self._probability(asked, f)) for f in found]
        return sorted(hits, key=lambda hit: -hit.score)

    def _probability(self, asked: Asked, found: Found) -> float:
        return self.model.probability(features(asked, found))


def features(asked: Asked, found: Found) -> dict[str, float]:
    """What the model weighs, each between 0 and about 1."""
    most = SATURATION * sum(asked.weights.values())
    sentences = split_sentences(found.passage.text)
    return {
        "words": found.words / most if most else 0.0,
        "meaning": found.meaning,
        "overlap": max((asked.overlap(frozenset(stems(s))) for s in sentences), default=0.0),
        "names": asked.names_in(f"{found.article.title}. {found.passage.text}"),
        "preferred": float(found.preferred),
    }


def _load(path: Path = CALIBRATION) -> tuple[Logistic, str]:
    """The fitted model and its fingerprint. Raises ModelError when it is missing or damaged."""
    try:
        text = path.read_text("utf-8")
        model = Logistic(**json.loads(text)["passage"])
        model.probability(dict.fromkeys(FEATURES, 0.0))  # fails on a weight of no or odd use
        return model, short_hash(text)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"The reranker's calibration {path} can't be used.",
            "Write it again with: python -m evals.calibrate_reranker",
        ) from error
