"""Fit the reader and its gate, and set the thresholds between silence, doubt and an answer.

    python -m evals.calibrate_reader            writes rag/calibration/reader.json

On what: questions written by hand over the bundled corpus, in three styles. "plain" (200) are asked
as most people ask, "cal" (170) as analysts do, in words far from the articles'; both stand in
evals/calibration.jsonl. "dev" (70) is the development split of evals/questions.jsonl; its test
split is never read here. Positive for the sentence model are the sentences of the gold evidence,
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
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from corpus.embedding import load_embedder
from corpus.indexes import open_current
from corpus.library import Library
from corpus.settings import Settings, load_settings
from evals.questions import Question, bundled_articles, bundled_questions, load_questions
from ingest.bundled import bundled_articles as items
from ingest.files import Item
from ingest.pipeline import Pipeline
from rag.answer import Hit
from rag.evidence import CALIBRATION, FeatureReader, Measured, Scored
from rag.evidence import Calibration as Fitted
from rag.features import Asked
from rag.logistic import Logistic
from rag.retrieve import Retriever

QUESTIONS = Path(__file__).with_name("calibration.jsonl")
STYLES = ("plain", "cal", "dev")
WRONG_ABSTAIN = 0.05
LIKELIHOOD = 2.0
FOLDS = 8
HITS = 8
STEPS = np.arange(0.01, 1.0, 0.01).round(2)
STRENGTH = 0.3  # scikit-learn's C; 0.05 to 1 give the same nuggets within a point

Rows = list[dict[str, float]]


@dataclass(frozen=True, slots=True)
class Case:
    """A question with what was retrieved for it: its gold in reach, or hidden."""

    question: Question
    asked: Asked
    hits: Sequence[Hit]
    hidden: bool

    @property
    def answerable(self) -> bool:
        return self.question.answerable and not self.hidden

    @property
    def style(self) -> str:
        prefix = self.question.id.partition("-")[0]
        return prefix if prefix in STYLES else "dev"


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
    settings = load_settings()
    with tempfile.TemporaryDirectory() as folder:
        retriever = _retriever(settings, Path(folder), items())
        reader = FeatureReader(retriever.embedder, retriever.indexes.words.rarity, _unfitted())
        cases = list(_cases(retriever))
        measured = [reader.measure(case.asked, case.hits) for case in cases]
        folds = _folds(cases)

        print(f"{len(cases)} cases, {sum(case.answerable for case in cases)} answerable")
        sentence = _sentence_model(cases, measured, folds)
        ranked = _out_of_fold_scores(cases, measured, folds)
        _print_nuggets(cases, ranked)
        gate_rows = [reader.gate(c.asked, r) for c, r in zip(cases, ranked, strict=True)]
        gate, guessed = _gate_model(cases, gate_rows, folds)
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


def _retriever(settings: Settings, folder: Path, articles: Iterable[Item]) -> Retriever:
    """A fresh library of `articles` alone, whatever the user's own holds."""
    embedder = load_embedder(settings)
    apart = settings.model_copy(update={"home": folder, "chroma_url": None})
    library = Library.open(folder)
    Pipeline(library, embedder, apart).ingest(articles)
    return Retriever(library, open_current(library, apart, embedder), embedder)


def _cases(retriever: Retriever) -> Iterator[Case]:
    texts = bundled_articles()
    id_of = {article.text: article.id for article in retriever.library.articles()}
    dev = [question for question in bundled_questions() if question.split == "dev"]
    for question in [*load_questions(QUESTIONS, texts), *dev]:
        asked = Asked.of(question.question, retriever.indexes.words.rarity)
        hits = retriever.search([question.question], 3 * HITS)
        yield Case(question, asked, hits[:HITS], hidden=False)
        if question.answerable:
            gold = {id_of[texts[quote.article].strip()] for quote in question.evidence}
            rest = [hit for hit in hits if hit.article.id not in gold]
            yield Case(question, asked, rest[:HITS], hidden=True)


def _folds(cases: Sequence[Case]) -> NDArray[np.int64]:
    """The fold of each case; both cases of a question share one."""
    numbers = {id_: at % FOLDS for at, id_ in enumerate(sorted({c.question.id for c in cases}))}
    return np.array([numbers[case.question.id] for case in cases])


def _labels(case: Case, measured: Sequence[Measured]) -> list[int]:
    quotes = [quote.text for quote in case.question.evidence]
    return [int(any(q in c.text or c.text in q for q in quotes)) for c, _ in measured]


def _sentence_model(
    cases: Sequence[Case],
    measured: Sequence[list[Measured]],
    folds: NDArray[np.int64],
    without: int | None = None,
) -> Logistic:
    rows: Rows = []
    labels: list[int] = []
    for case, sentences, fold in zip(cases, measured, folds, strict=True):
        if case.answerable and fold != without:
            rows.extend(features for _, features in sentences)
            labels.extend(_labels(case, sentences))
    return Fit.of(rows, labels).model


def _out_of_fold_scores(
    cases: Sequence[Case],
    measured: Sequence[list[Measured]],
    folds: NDArray[np.int64],
) -> list[list[Scored]]:
    models = [_sentence_model(cases, measured, folds, fold) for fold in range(FOLDS)]
    ranked = []
    for sentences, fold in zip(measured, folds, strict=True):
        scored = [Scored(c, f, models[fold].probability(f)) for c, f in sentences]
        ranked.append(sorted(scored, key=lambda s: -s.score))
    return ranked


def _print_nuggets(cases: Sequence[Case], ranked: Sequence[list[Scored]]) -> None:
    by_cosine = [sorted(r, key=lambda s: -s.features["cosine"]) for r in ranked]
    print("vital nuggets in the best sentences      1      2      3      5")
    for name, order in (("similarity alone", by_cosine), ("reader, out of fold", ranked)):
        shares = [_nugget_share(cases, order, k) for k in (1, 2, 3, 5)]
        print(f"  {name:34s}" + "".join(f"{share:7.3f}" for share in shares))


def _nugget_share(cases: Sequence[Case], ranked: Sequence[list[Scored]], k: int) -> float:
    shares = []
    for case, order in zip(cases, ranked, strict=True):
        vital = [nugget for nugget in case.question.nuggets if nugget.vital]
        if not case.answerable or not vital:
            continue
        pairs = [(s.candidate, s.features) for s in order[:k]]
        right = [c.text for (c, _), y in zip(pairs, _labels(case, pairs), strict=True) if y]
        shares.append(sum(any(n.is_in(t) for t in right) for n in vital) / len(vital))
    return float(np.mean(shares))


def _gate_model(
    cases: Sequence[Case], rows: Rows, folds: NDArray[np.int64]
) -> tuple[Logistic, NDArray[np.float64]]:
    labels = np.array([int(case.answerable) for case in cases])
    guessed = np.zeros(len(cases))
    for fold in range(FOLDS):
        kept = np.flatnonzero(folds != fold)
        model = Fit.of([rows[i] for i in kept], labels[kept].tolist()).model
        for i in np.flatnonzero(folds == fold):
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
