"""Fit the reranker: `python -m evals.calibrate_reranker` writes rag/calibration/reranker.json.

On what: the questions of `evals/calibration.py` with the passages that retrieval fuses for them.
How: logistic regression on differences of features between a passage that holds gold evidence and
one of the same question that doesn't (RankSVM's idea, Joachims 2002), since only the order within a
question counts; then one slope and one intercept make the sum a probability (Platt 1999), which
leaves the order as it is. The figures printed are out-of-fold over eight folds of questions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from corpus.settings import load_settings
from evals.bench import Bench, bench
from evals.calibration import FOLDS, STYLES, Asked, asked_questions, folds
from evals.metrics.retrieval import evidence_recall, ndcg, reciprocal_rank
from evals.scores import MRR_K, K, quotes_in
from rag.answer import Hit
from rag.features import Asked as Words
from rag.logistic import Logistic
from rag.rerank import CALIBRATION, features
from rag.retrieve import Retriever

STRENGTH = 0.3  # scikit-learn's C; 0.003 to 1 find the same evidence within half a point
LOOSE = 1e6  # no penalty: two parameters on thousands of passages

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """A question with its fused passages: their features (n, f), and which gold each holds."""

    asked: Asked
    rows: Vector
    holds: Sequence[set[int]]

    @property
    def right(self) -> NDArray[np.bool_]:
        return np.array([bool(numbers) for numbers in self.holds])


def main() -> None:
    with bench(load_settings()) as parts:
        names, cases = _cases(parts)
    order = folds([case.asked.question.id for case in cases])
    guessed: list[Vector] = []
    weights = [_weights([c for c, o in zip(cases, order, strict=True) if o != fold])
               for fold in range(FOLDS)]  # fmt: skip
    for case, fold in zip(cases, order, strict=True):
        guessed.append(case.rows @ weights[fold])
    figures = _figures(cases, guessed)
    model = _calibrated(names, _weights(cases), cases)
    document = {
        "made_by": "python -m evals.calibrate_reranker",
        "questions": len(cases),
        "passage": {"intercept": model.intercept, "weights": dict(model.weights)},
        "out_of_fold": figures,
    }
    CALIBRATION.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    print(f"written: {CALIBRATION}")


def _cases(parts: Bench) -> tuple[list[str], list[Case]]:
    """The names of the features, and every answerable question with its passages."""
    retriever = Retriever(parts.library, parts.indexes, parts.embedder)
    names: list[str] = []
    cases = []
    for asked in asked_questions(parts):
        if not asked.question.answerable:
            continue
        words = Words.of(asked.query.text, parts.indexes.words.rarity)
        queries = [asked.query.text, *asked.query.parts]
        rows, holds = [], []
        for found in retriever.found(queries, preferred=asked.hint):
            measured = features(words, found)
            names = list(measured)
            rows.append(list(measured.values()))
            hit = Hit(found.passage, found.article, 0.0)
            holds.append(quotes_in(hit, asked.question.evidence, parts.id_of))
        cases.append(Case(asked, np.array(rows), holds))
    return names, cases


def _weights(cases: Sequence[Case]) -> Vector:
    """One weight a feature, such that right passages come before the others."""
    pairs, shares = [], []
    for case in cases:
        right, wrong = case.rows[case.right], case.rows[~case.right]
        for row in right:
            pairs.append(row - wrong)
            shares.append(np.full(len(wrong), 1 / len(right)))  # each question counts the same
    above, share = np.concatenate(pairs), np.concatenate(shares)
    scale = above.std(axis=0) + 1e-9
    model = LogisticRegression(C=STRENGTH, fit_intercept=False, max_iter=5000)
    both = np.concatenate([above, -above]) / scale
    labels = np.repeat([1, 0], len(above))
    model.fit(both, labels, sample_weight=np.concatenate([share, share]))
    weights: Vector = model.coef_[0] / scale
    return weights


def _calibrated(names: Sequence[str], weights: Vector, cases: Sequence[Case]) -> Logistic:
    """`weights` with slope and intercept such that their sum is a probability."""
    sums = np.concatenate([case.rows @ weights for case in cases])
    right = np.concatenate([case.right for case in cases])
    platt = LogisticRegression(C=LOOSE, max_iter=5000).fit(sums[:, None], right)
    slope = float(platt.coef_[0, 0])
    return Logistic(
        round(float(platt.intercept_[0]), 5),
        {name: round(slope * float(w), 5) for name, w in zip(names, weights, strict=True)},
    )


def _figures(cases: Sequence[Case], guessed: Sequence[Vector]) -> dict[str, float]:
    """Recall@8, nDCG@10 and MRR@10 in the order of the fusion and reranked, by style."""
    figures: dict[str, float] = {}
    fused = [-np.arange(len(case.rows), dtype=float) for case in cases]
    for style in STYLES:
        for name, scores in (("fused", fused), ("reranked", guessed)):
            own = [(c, s) for c, s in zip(cases, scores, strict=True) if c.asked.style == style]
            means = np.mean([_ranked(case, some) for case, some in own], axis=0)
            labels = ("recall@8", "nDCG@10", "MRR@10")
            found = dict(zip(labels, means, strict=True))
            print(f"{style:6s}{name:10s}", *(f"{k} {v:.3f}" for k, v in found.items()))
            figures |= {f"{k}, {name}, {style}": round(float(v), 4) for k, v in found.items()}
    return figures


def _ranked(case: Case, scores: Vector) -> tuple[float, float, float]:
    found = [case.holds[i] for i in np.argsort(-scores, kind="stable")]
    quotes, relevant = len(case.asked.question.evidence), max(1, int(case.right.sum()))
    return (
        evidence_recall(found, quotes, K),
        ndcg(found, relevant, MRR_K),
        reciprocal_rank(found, MRR_K),
    )


if __name__ == "__main__":
    main()
