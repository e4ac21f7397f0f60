"""Fit the verifier's score and set its threshold: `python -m evals.calibrate_verifier`.

Pairs of statement and passage are made by rule from the bundled corpus (`evals.pairs`): true ones
say what a sentence says in another form, false ones change what it says. Articles are dealt into
two halves. Weights and threshold come from the fit half only; the figures printed come from the
report half. The logistic model learns from pairs that pass the hard checks, since it decides no
others.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.article import Article, Passage
from evals.pairs import SEED, SENTENCES_PER_ARTICLE, Sample, fitting_samples, load_articles
from rag.answer import Hit, Label
from rag.verify import (
    CALIBRATION,
    FEATURES,
    AlignmentVerifier,
    Calibration,
    Finding,
    Pair,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Encode = Callable[[Sequence[str]], NDArray[np.float32]]

FALSE_SUPPORT = 0.05  # the most false pairs, averaged over kinds, that may pass on the fit half
KEPT_TRUE = 0.95  # "partial" begins where this share of the true pairs still scores higher
WORST_KIND = 0.10  # and the most of any one kind that is no flip
RIDGE = 0.003  # L2 penalty on standardised features
STEPS, STEP = 5000, 0.5
# They keep nearly all words of their sentence, so that only the hard checks can see them: the score
# neither learns from them nor answers for them. Their rates are reported with the others.
FLIPS = frozenset({"number moved", "negation", "comparison", "roles"})


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, write the calibration, print the report."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=CALIBRATION, help="where to write")
    parser.add_argument("--nli", type=Path, help="JSONL of premise, hypothesis, supported")
    options = parser.parse_args(arguments)
    encode = _embedder()
    samples = fitting_samples(load_articles())
    found = examine(encode, samples)
    calibration = fit(samples, found)
    report = measure(samples, found, calibration)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(_document(calibration, samples, report), encoding="utf-8")
    print(json.dumps(report, indent=2))
    if options.nli:
        print(json.dumps(check_nli(encode, calibration, options.nli), indent=2))


def _embedder() -> Encode:
    from corpus.embedding import load_embedder

    return load_embedder().encode


# Fitting and measuring ----------------------------------------------------------------------------


def examine(encode: Encode, samples: Sequence[Sample]) -> list[Finding]:
    """Hard checks and features of every sample, in order."""
    verifier = AlignmentVerifier(encode, Calibration((0.0,) * len(FEATURES), 0.0, 1.0, 1.0))
    return verifier.examine([sample.pair for sample in samples])


def fit(samples: Sequence[Sample], found: Sequence[Finding]) -> Calibration:
    """Weights, threshold and lower bound from the fit half."""
    half = [(s, f) for s, f in zip(samples, found, strict=True) if s.fit]
    decided = [(s, f) for s, f in half if not f.failed and s.kind not in FLIPS]
    open_ = [(s, f.features) for s, f in decided if f.features]
    weights, bias = logistic([f for _, f in open_], [s.true for s, _ in open_], _evened(open_))
    free = Calibration(weights, bias, 0.0, 0.0)
    scores = sorted({round(free.support(f), 4) for _, f in open_})
    threshold = next((t for t in scores if safe(half, Calibration(weights, bias, t, t))), 1.0)
    true = sorted(free.support(f) for s, f in open_ if s.true)
    lower = min(threshold, round(true[int(len(true) * (1 - KEPT_TRUE))], 4))
    return Calibration(weights, bias, threshold, lower)


def _evened(pairs: Sequence[tuple[Sample, Any]]) -> list[float]:
    """Weights under which both truths, and within each all kinds, count the same."""
    count = Counter((s.true, s.kind) for s, _ in pairs)
    kinds = Counter(true for true, _ in count)
    return [1 / (kinds[s.true] * count[s.true, s.kind]) for s, _ in pairs]


def safe(half: Sequence[tuple[Sample, Finding]], calibration: Calibration) -> bool:
    """Whether few false pairs pass, on average and of every kind that the score decides."""
    by_kind = rates(half, calibration, true=False)
    worst = max(rate for kind, rate in by_kind.items() if kind not in FLIPS)
    return false_support(half, calibration) <= FALSE_SUPPORT and worst <= WORST_KIND


def logistic(
    rows: Sequence[Sequence[float]], truths: Sequence[bool], importance: Sequence[float]
) -> tuple[tuple[float, ...], float]:
    """Weights and bias of a logistic regression whose weights can't be negative.

    More of a feature always speaks for support, so a negative weight would only describe how these
    pairs were made. Projected gradient descent on the ridge-penalised log-loss over features
    divided by their spread; it is convex, and `STEPS` of them leave the loss still to 6 digits.
    """
    import numpy as np

    x = np.asarray(rows, dtype=float)
    y = np.asarray(truths, dtype=float)
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-3
    x = (x - mean) / spread
    each = np.asarray(importance) / np.sum(importance)
    w, bias = np.zeros(x.shape[1]), 0.0
    for _ in range(STEPS):
        error = each * (1 / (1 + np.exp(-(x @ w + bias))) - y)
        w = np.maximum(0.0, w - STEP * (x.T @ error + RIDGE * w))
        bias -= STEP * float(error.sum())
    w = w / spread
    return tuple(round(float(v), 4) for v in w), round(float(bias - w @ mean), 4)


def label_of(finding: Finding, calibration: Calibration) -> Label:
    """The label that the verifier would give."""
    if finding.failed:
        return "contradicted" if finding.contradicted else "unsupported"
    if finding.verbatim:
        return "supported"
    support = calibration.support(finding.features) if finding.features else 0.0
    return calibration.label(support)


def rates(
    half: Sequence[tuple[Sample, Finding]], calibration: Calibration, true: bool
) -> dict[str, float]:
    """Share of "supported" by kind."""
    labels: dict[str, list[bool]] = defaultdict(list)
    for sample, finding in half:
        if sample.true == true:
            labels[sample.kind].append(label_of(finding, calibration) == "supported")
    return {kind: sum(values) / len(values) for kind, values in labels.items()}


def false_support(half: Sequence[tuple[Sample, Finding]], calibration: Calibration) -> float:
    """False pairs that pass, averaged over kinds so that their mix doesn't matter."""
    by_kind = rates(half, calibration, true=False)
    return sum(by_kind.values()) / len(by_kind)


def measure(
    samples: Sequence[Sample], found: Sequence[Finding], calibration: Calibration
) -> dict[str, Any]:
    """The figures of the report half, and for the false pairs what hard checks alone stop."""
    half = [(s, f) for s, f in zip(samples, found, strict=True) if not s.fit]
    supported = rates(half, calibration, true=True)
    passed = rates(half, calibration, true=False)
    recall = sum(supported.values()) / len(supported)
    falsely = sum(passed.values()) / len(passed)
    vetoed = Counter(s.kind for s, f in half if not s.true and f.failed)
    counts = Counter(s.kind for s, _ in half)
    return {
        "balanced_accuracy": round((recall + 1 - falsely) / 2, 4),
        "false_support_rate": round(falsely, 4),
        "true_support_rate": round(recall, 4),
        "supported_of_true": {kind: round(rate, 3) for kind, rate in supported.items()},
        "caught_of_false": {kind: round(1 - rate, 3) for kind, rate in passed.items()},
        "caught_by_hard_checks": {k: round(vetoed[k] / counts[k], 3) for k in passed},
        "pairs": dict(counts),
    }


def _document(calibration: Calibration, samples: Sequence[Sample], report: dict[str, Any]) -> str:
    data = {
        "features": FEATURES,
        "weights": calibration.weights,
        "bias": calibration.bias,
        "threshold": calibration.threshold,
        "lower": calibration.lower,
        "set_by": "python -m evals.calibrate_verifier",
        "rule": (
            f"threshold: lowest score at which, on the fit half, at most {FALSE_SUPPORT:.0%} of the"
            f" false pairs pass, averaged over kinds, and at most {WORST_KIND:.0%} of any kind but"
            " the flips, which only hard checks can see; lower: score that"
            f" {KEPT_TRUE:.0%} of the fit half's true, unvetoed, unquoted pairs reach, at most the"
            " threshold"
        ),
        "data": (
            f"pairs made by rule from the bundled articles, {SENTENCES_PER_ARTICLE} an article"
            f" and rule, seed {SEED}, articles dealt alternately into a fit and a report half"
        ),
        "fit_pairs": sum(sample.fit for sample in samples),
        "report": report,
    }
    return json.dumps(data, indent=2) + "\n"


def check_nli(encode: Encode, calibration: Calibration, path: Path) -> dict[str, Any]:
    """Balanced accuracy, true and false support on each source of an entailment data set."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    verifier = AlignmentVerifier(encode, calibration)
    verdicts = verifier.verify([Pair(row["hypothesis"], _hit(row["premise"])) for row in rows])
    votes: dict[str, dict[int, list[bool]]] = defaultdict(lambda: {0: [], 1: []})
    for row, verdict in zip(rows, verdicts, strict=True):
        votes[row["source"]][row["supported"]].append(verdict.label == "supported")
    return {source: _balance(by_truth) for source, by_truth in votes.items()}


def _hit(text: str) -> Hit:
    article = Article(title="", text=text)
    return Hit(Passage(article.id, article.revision, 0, len(text), text), article, 1.0)


def _balance(votes: Mapping[int, Sequence[bool]]) -> dict[str, float]:
    true, false = (sum(votes[n]) / max(1, len(votes[n])) for n in (1, 0))
    pairs = len(votes[0]) + len(votes[1])
    accuracy = round((true + 1 - false) / 2, 3)
    return {"balanced_accuracy": accuracy, "true_support_rate": round(true, 3),
            "false_support_rate": round(false, 3), "pairs": pairs}  # fmt: skip


if __name__ == "__main__":
    main()
