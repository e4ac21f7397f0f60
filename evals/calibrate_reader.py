"""Fit the reader and its gate, and set the thresholds between silence, doubt and an answer.

    python -m evals.calibrate_reader            writes rag/calibration/reader.json

On what: the questions of `evals/calibration.py`, with the hits that the assistant would read for
them. Positive for the sentence model are the sentences of the gold evidence,
negative all others that were shortlisted. (1,500 questions of SQuAD were tried as further
examples, at six weights: no gain.) For the gate, positive are the answerable questions; negative
are the unanswerable ones, and the answerable ones asked again with their gold articles hidden.

How: logistic regression with an L2 penalty on standardised features. All figures printed are
out-of-fold over eight folds of questions.

    threshold   the highest below which at most WRONG_ABSTAIN of the answerable questions fall,
                averaged over the styles: below it the answer is withheld
    doubt       the highest below which an unanswerable question falls LIKELIHOOD times as often as
                an answerable one: below it the answer is given with a warning
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from corpus.settings import load_settings
from evals.bench import Bench, bench
from evals.calibration import FOLDS, STYLES, asked_questions, folds
from evals.calibration import Asked as Understood
from evals.questions import Question
from rag.answer import Hit
from rag.assistant import HITS
from rag.evidence import CALIBRATION, FeatureReader, Measured, Scored
from rag.evidence import Calibration as Fitted
from rag.features import Asked
from rag.logistic import Logistic
from rag.rerank import FeatureReranker
from rag.retrieve import Retriever

WRONG_ABSTAIN = 0.05
LIKELIHOOD = 2.0
STEPS = np.arange(0.01, 1.0, 0.01).round(2)
STRENGTH = 0.3  # scikit-learn's C; 0.05 to 1 give the same nuggets within a point

Rows = list[dict[str, float]]


@dataclass(frozen=True, slots=True)
class Case:
    """A question with what was retrieved for it: its gold in reach, or hidden."""

    understood: Understood
    asked: Asked
    hits: Sequence[Hit]
    hidden: bool

    @property
    def question(self) -> Question:
        return self.understood.question

    @property
    def answerable(self) -> bool:
        return self.question.answerable and not self.hidden

    @property
    def style(self) -> str:
        return self.understood.style


@dataclass(frozen=True, slots=True)
class Fit:
    """A model fitted on standardised features, its weights folded back to the raw ones."""

    model: Logistic

    @classmethod
    def of(cls, rows: Rows, labels: Sequence[int]) -> Fit:
        names = list(rows[0])
        raw = np.array([[row[name] for name in names] for row in rows])
        mean, scale = raw.mean(axis=0), raw.std(axis=0) + 1e-9
        fitted = LogisticRegression(C=STRENGTH, max_iter=5000)
        fitted.fit((raw - mean) / scale, labels)
        slope = fitted.coef_[0] / scale
        intercept = float(fitted.intercept_[0] - (slope * mean).sum())
        return cls(
            Logistic(
                round(intercept, 5),
                {name: round(float(w), 5) for name, w in zip(names, slope, strict=True)},
            )
        )


def main() -> None:
    with bench(load_settings()) as parts:
        reader = FeatureReader(parts.embedder, parts.indexes.words.rarity, _unfitted())
        cases = list(_cases(parts))
        measured = [reader.measure(case.asked, case.hits) for case in cases]
        order = folds([case.question.id for case in cases])

        print(f"{len(cases)} cases, {sum(case.answerable for case in cases)} answerable")
        sentence = _sentence_model(cases, measured, order)
        ranked = _out_of_fold_scores(cases, measured, order)
        _print_nuggets(cases, ranked)
        gate_rows = [reader.gate(c.asked, r) for c, r in zip(cases, ranked, strict=True)]
        gate, guessed = _gate_model(cases, gate_rows, order)
        threshold, doubt = _threshold(cases, guessed), _doubt(cases, guessed)
        figures = _gate_figures(cases, guessed, threshold, doubt)

    CALIBRATION.write_text(
        json.dumps(
            {
                "made_by": "python -m evals.calibrate_reader",
                "questions": len({case.question.id for case in cases}),
                "sentence": {"intercept": sentence.intercept, "weights": dict(sentence.weights)},
                "gate": {"intercept": gate.intercept, "weights": dict(gate.weights)},
                "threshold": threshold,
                "doubt": doubt,
                "out_of_fold": figures,
            },
            indent=1,
        )
        + "\n",
        "utf-8",
    )
    print(f"written: {CALIBRATION}")


def _cases(parts: Bench) -> Iterator[Case]:
    rarity = parts.indexes.words.rarity
    ranker = FeatureReranker(rarity)
    retriever = Retriever(parts.library, parts.indexes, parts.embedder, ranker)
    for understood in asked_questions(parts):
        query, question = understood.query, understood.question
        asked = Asked.of(query.text, rarity)
        hits = retriever.search([query.text, *query.parts], 3 * HITS, None, understood.hint)
        yield Case(understood, asked, hits[:HITS], hidden=False)
        if question.answerable:
            gold = {parts.id_of[quote.article] for quote in question.evidence}
            rest = [hit for hit in hits if hit.article.id not in gold]
            yield Case(understood, asked, rest[:HITS], hidden=True)


def _labels(case: Case, measured: Sequence[Measured]) -> list[int]:
    quotes = [quote.text for quote in case.question.evidence]
    return [int(any(q in c.text or c.text in q for q in quotes)) for c, _ in measured]


def _sentence_model(
    cases: Sequence[Case],
    measured: Sequence[list[Measured]],
    order: NDArray[np.int64],
    without: int | None = None,
) -> Logistic:
    rows: Rows = []
    labels: list[int] = []
    for case, sentences, fold in zip(cases, measured, order, strict=True):
        if case.answerable and fold != without:
            rows.extend(features for _, features in sentences)
            labels.extend(_labels(case, sentences))
    return Fit.of(rows, labels).model


def _out_of_fold_scores(
    cases: Sequence[Case],
    measured: Sequence[list[Measured]],
    order: NDArray[np.int64],
) -> list[list[Scored]]:
    models = [_sentence_model(cases, measured, order, fold) for fold in range(FOLDS)]
    ranked = []
    for sentences, fold in zip(measured, order, strict=True):
        scored = [Scored(c, f, models[fold].probability(f)) for c, f in sentences]
        ranked.append(sorted(scored, key=lambda s: -s.score))
    return ranked


def _print_nuggets(cases: Sequence[Case], ranked: Sequence[list[Scored]]) -> None:
    by_cosine = [sorted(r, key=lambda s: -s.features["cosine"]) for r in ranked]
    print("vital nuggets in the best sentences      1      2      3      5")
    for name, order in (("similarity alone", by_cosine), ("reader, out of fold", ranked)):
        for style in STYLES:
            own = [(c, o) for c, o in zip(cases, order, strict=True) if c.style == style]
            shares = [_nugget_share(own, k) for k in (1, 2, 3, 5)]
            print(f"  {name:28s}{style:6s}" + "".join(f"{share:7.3f}" for share in shares))


def _nugget_share(ranked: Sequence[tuple[Case, list[Scored]]], k: int) -> float:
    shares = []
    for case, order in ranked:
        vital = [nugget for nugget in case.question.nuggets if nugget.vital]
        if not case.answerable or not vital:
            continue
        pairs = [(s.candidate, s.features) for s in order[:k]]
        right = [c.text for (c, _), y in zip(pairs, _labels(case, pairs), strict=True) if y]
        shares.append(sum(any(n.is_in(t) for t in right) for n in vital) / len(vital))
    return float(np.mean(shares))


def _gate_model(
    cases: Sequence[Case], rows: Rows, order: NDArray[np.int64]
) -> tuple[Logistic, NDArray[np.float64]]:
    labels = np.array([int(case.answerable) for case in cases])
    guessed = np.zeros(len(cases))
    for fold in range(FOLDS):
        kept = np.flatnonzero(order != fold)
        model = Fit.of([rows[i] for i in kept], labels[kept].tolist()).model
        for i in np.flatnonzero(order == fold):
            guessed[i] = model.probability(rows[i])
    return Fit.of(rows, labels.tolist()).model, guessed


def _threshold(cases: Sequence[Case], guessed: NDArray[np.float64]) -> float:
    by_style = [
        np.array([g for c, g in zip(cases, guessed, strict=True) if c.answerable and c.style == s])
        for s in STYLES
    ]
    fine = [t for t in STEPS if np.mean([(some < t).mean() for some in by_style]) <= WRONG_ABSTAIN]
    return float(max(fine))


def _doubt(cases: Sequence[Case], guessed: NDArray[np.float64]) -> float:
    asked = [(c.answerable, g) for c, g in zip(cases, guessed, strict=True) if not c.hidden]
    right = np.array([g for answerable, g in asked if answerable])
    wrong = np.array([g for answerable, g in asked if not answerable])
    telling = [t for t in STEPS if (wrong < t).mean() >= LIKELIHOOD * (right < t).mean() > 0]
    return float(max(telling))


def _gate_figures(
    cases: Sequence[Case], guessed: NDArray[np.float64], threshold: float, doubt: float
) -> dict[str, float]:
    answerable = np.array([case.answerable for case in cases])
    hidden = np.array([case.hidden for case in cases])
    silent = ~answerable & ~hidden
    figures = {
        "AUROC, unanswerable": roc_auc_score(answerable[~hidden], guessed[~hidden]),
        "AUROC, gold hidden": roc_auc_score(
            answerable[answerable | hidden], guessed[answerable | hidden]
        ),
    }
    for name, bound in (("withheld", threshold), ("withheld or doubted", doubt)):
        below = guessed < bound
        for style in STYLES:
            own = np.array([case.style == style for case in cases])
            figures[f"{name}, answerable, {style}"] = below[answerable & own].mean()
            figures[f"{name}, unanswerable, {style}"] = below[silent & own].mean()
        figures[f"{name}, gold hidden"] = below[hidden].mean()
    for name, value in figures.items():
        print(f"  {name:44s}{value:7.3f}")
    print(f"  threshold {threshold:.2f}, doubt {doubt:.2f}")
    return {name: round(float(value), 4) for name, value in figures.items()}


def _unfitted() -> Fitted:
    return Fitted(Logistic(0.0, {}), Logistic(0.0, {}), 0.0, 0.0, "unfitted")


if __name__ == "__main__":
    main()
