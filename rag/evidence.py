"""Reading: which sentences of the hits answer the question, and whether any do.

Two calibrated scores over the measures of `rag/features.py`, fitted by
`python -m evals.calibrate_reader`:

    score        of a sentence: the probability that it is one of those that answer; logistic
    answerable   of a question: the probability that the hits answer it at all; the gate. Boosted
                 trees: much of a question's wording in a sentence means one thing where the trained
                 reader sees an answer there, and the opposite where it sees none
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from corpus.article import short_hash
from corpus.embedding import Embedder
from corpus.errors import ModelError
from rag.answer import QUOTED_SENTENCES, Evidence, Hit
from rag.features import (
    Asked,
    Candidate,
    Rarity,
    candidates,
    gate_features,
    kin_features,
    trained_features,
    with_gaps,
)
from rag.kinship import Kinship
from rag.logistic import Logistic, logit
from rag.trained import PassageScore
from rag.trees import Trees

CALIBRATION = Path(__file__).parent / "calibration" / "reader.json"

# Sentences whose cosine is measured: the 32 that words alone rank highest hold 0.96 of the right
# ones among 55, and encoding them takes 90 ms on two cores.
SHORTLIST = 32
# A sentence less likely than this share of the best one is not worth reading aloud. Up to five at
# 0.3 say more than three always did (vital nuggets 0.64 against 0.61, out of fold, on hard
# questions) and digress less (0.34 of them are gold against 0.30); 3.5 are said on average.
LEAST_SHARE = 0.3
AS_GOOD = 0.9  # of the best score: near enough for the newer article to go first
WITH_GAPS = (
    *("cosine", "overlap", "overlap_title", "overlap_before"),
    *("kin", "kin_title", "kin_before", "trained"),
)


Measured = tuple[Candidate, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Reading:
    """Evidence, best first, and the probability that it answers the question."""

    evidence: tuple[Evidence, ...]
    answerable: float
    threshold: float
    doubt: float

    @property
    def answers(self) -> bool:
        return bool(self.evidence) and self.answerable >= self.threshold

    @property
    def doubtful(self) -> bool:
        return self.answerable < self.doubt


class Scorer(Protocol):
    """What scores the sentences of passages by a trained model."""

    @property
    def fingerprint(self) -> str: ...

    def score(self, question: str, passages: Sequence[str]) -> list[PassageScore]: ...


class Reader(Protocol):
    """Anything that can read hits. `parts` are the sub-queries of a question with several."""

    @property
    def fingerprint(self) -> str: ...

    def read(self, question: str, parts: Sequence[str], hits: Sequence[Hit]) -> Reading: ...


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted, and from which probability on a question counts as answered, and surely."""

    sentence: Logistic
    gate: Logistic | Trees
    threshold: float
    doubt: float
    fingerprint: str


def load_calibration(path: Path = CALIBRATION) -> Calibration:
    """Read what `evals.calibrate_reader` wrote.

    Raises ModelError when the file is missing or damaged.
    """
    try:
        text = path.read_text("utf-8")
        raw: dict[str, Any] = json.loads(text)
        return Calibration(
            sentence=Logistic(**raw["sentence"]),
            gate=Trees(**raw["gate"]),
            threshold=float(raw["threshold"]),
            doubt=float(raw["doubt"]),
            fingerprint=short_hash(text),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"The reader's calibration {path} can't be used.",
            "Write it again with: python -m evals.calibrate_reader",
        ) from error


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate, its features with cosine and gaps, and its score."""

    candidate: Candidate
    features: dict[str, float]
    score: float


class FeatureReader:
    """Scores sentences by a trained model, words and their kin, names, kinds of facts, a cosine."""

    def __init__(
        self,
        embedder: Embedder,
        rarity: Rarity,
        scorer: Scorer,
        calibration: Calibration | None = None,
    ) -> None:
        self._embedder = embedder
        self.rarity = rarity
        self._scorer = scorer
        self._given = calibration
        self._kinship = Kinship(embedder)

    @cached_property
    def calibration(self) -> Calibration:
        return self._given or load_calibration()

    @property
    def fingerprint(self) -> str:
        return f"features-{self.calibration.fingerprint}, {self._scorer.fingerprint}"

    def read(self, question: str, parts: Sequence[str], hits: Sequence[Hit]) -> Reading:
        """Score every sentence of `hits`; where there are parts, the best of each comes first."""
        asked = Asked.of(question, self.rarity)
        ranked = self.score(asked, hits)
        if not ranked:
            return self._reading((), 0.0)
        for part in reversed(parts):
            ranked = _first(self.score(Asked.of(part, self.rarity), hits)[0], ranked)
        return self._reading(tuple(_evidence(ranked)), self._answerable(asked, ranked))

    def _reading(self, evidence: tuple[Evidence, ...], answerable: float) -> Reading:
        calibration = self.calibration
        return Reading(evidence, answerable, calibration.threshold, calibration.doubt)

    def score(self, asked: Asked, hits: Sequence[Hit]) -> list[Scored]:
        """The shortlisted sentences of `hits` with their scores, best first."""
        model = self.calibration.sentence
        scored = [Scored(c, f, _probability(model, f)) for c, f in self.measure(asked, hits)]
        return sorted(scored, key=lambda s: (-s.score, s.candidate.rank, s.candidate.start))

    def measure(self, asked: Asked, hits: Sequence[Hit]) -> list[Measured]:
        """The shortlisted sentences of `hits` with all that the sentence model weighs."""
        short = sorted(candidates(asked, hits), key=_glance, reverse=True)[:SHORTLIST]
        if not short:
            return []
        question = self._embedder.encode([asked.text], "query")[0]
        cosines = self._embedder.encode([c.text for c in short]) @ question
        kin = kin_features(asked, short, self._kinship)
        scores = self._scorer.score(asked.text, [hit.passage.text for hit in hits])
        read = trained_features(short, scores, hits)
        rows = [
            {**c.features, **k, **t, "cosine": float(cosine)}
            for c, k, t, cosine in zip(short, kin, read, cosines, strict=True)
        ]
        return list(zip(short, with_gaps(rows, WITH_GAPS), strict=True))

    def gate(self, asked: Asked, ranked: Sequence[Scored]) -> dict[str, float]:
        """What the gate weighs: what the best sentence has, the most that any sentence has, and
        what the passages of the best three say."""
        best, *others = sorted(ranked, key=lambda s: -s.score)
        second = others[0] if others else best
        plain = [name for name in best.features if not name.endswith("_gap")]
        trained = sorted((s.features["trained"] for s in ranked), reverse=True)
        return {
            **{f"top_{name}": best.features[name] for name in plain},
            **{f"max_{name}": max(s.features[name] for s in ranked) for name in plain},
            "score": logit(best.score),
            "second_score": logit(second.score),
            "second_trained": trained[min(1, len(trained) - 1)],
            **gate_features(asked, [s.candidate for s in (best, *others[:2])], self._kinship),
        }

    def _answerable(self, asked: Asked, ranked: Sequence[Scored]) -> float:
        return _probability(self.calibration.gate, self.gate(asked, ranked))


def _probability(model: Logistic | Trees, features: dict[str, float]) -> float:
    if unknown := set(model.names) - features.keys():
        raise ModelError(
            f"The reader's calibration weighs {', '.join(sorted(unknown))}, which is not measured.",
            "Write it again with: python -m evals.calibrate_reader",
        )
    return model.probability(features)


def newest_first(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The sentences that will be quoted, newest article first among those about as good as the
    best; the rest as it was.

    For questions about how things stand: what came later overtakes what came before.
    """
    quoted = evidence[:QUOTED_SENTENCES]
    least = AS_GOOD * max((item.score for item in quoted), default=0.0)
    good = sorted((e for e in quoted if e.score >= least), key=_age, reverse=True)
    others = (e for e in quoted if e.score < least)
    return (*good, *others, *evidence[QUOTED_SENTENCES:])


def _age(item: Evidence) -> float:
    published = item.hit.article.published
    return published.timestamp() if published else float("-inf")


def _glance(candidate: Candidate) -> float:
    """A first ranking without a model: 0.96 of the right sentences come among the best 32."""
    features = candidate.features
    return features["overlap_before"] + features["overlap"] + 0.5 * features["rank"]


def _first(chosen: Scored, ranked: Sequence[Scored]) -> list[Scored]:
    """`ranked` with the sentence of `chosen` moved to the front, with the better of its scores."""
    key = (chosen.candidate.hit.article.id, chosen.candidate.start)
    others = [s for s in ranked if (s.candidate.hit.article.id, s.candidate.start) != key]
    return [chosen, *others]


def _evidence(ranked: Sequence[Scored]) -> Iterable[Evidence]:
    least = LEAST_SHARE * max(scored.score for scored in ranked)
    for scored in ranked:
        c = scored.candidate
        if scored.score >= least:
            yield Evidence(c.hit, c.start, c.end, c.text, scored.score)
