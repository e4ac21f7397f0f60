"""A run as JSON: everything that was measured, so that it can be shown, compared and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, get_args

from evals.gate import data_now
from evals.metrics.bootstrap import percentile
from evals.questions import Kind, Question
from evals.scores import FIGURES, Score, difference, estimates, tokens_per_second

if TYPE_CHECKING:
    from evals.ruler import Ruling
    from evals.run import Item, Measured, Run

Record = dict[str, Any]

LATENCIES = {"latency_p50_ms": 50, "latency_p95_ms": 95}
GROUPS: dict[str, Callable[[Question], bool]] = {
    "all": lambda q: True,
    "dev": lambda q: q.split == "dev",
    "test": lambda q: q.split == "test",
    **{kind: lambda q, kind=kind: q.kind == kind for kind in get_args(Kind)},  # type: ignore[misc]
    "false premise": lambda q: q.false_premise,
    "known entity": lambda q: q.known_entity,
}


def to_record(run: Run) -> Record:
    """The whole run. Differences are taken from its first system."""
    first = run.systems[0].scores
    return {
        "started": run.started.isoformat(),
        "split": run.split,
        "judge": {"name": run.judge, "fingerprint": run.judge_fingerprint},
        "data": asdict(data_now(len(first))),
        "passages": run.passages,
        "fingerprints": run.fingerprints,
        "figures": [
            {"name": f.name, "label": f.label, "higher_is_better": f.higher_is_better}
            for f in FIGURES
        ],
        "systems": {
            measured.name: _system(measured, None if at == 0 else first)
            for at, measured in enumerate(run.systems)
        },
        "ruler": _ruler(run.ruler) if run.ruler else None,
        "texts": _texts(run),
    }


def _system(measured: Measured, first: Sequence[Score] | None) -> Record:
    return {
        "kind": measured.kind,
        "model": measured.model,
        "about": measured.about,
        "figures": {name: _group(scores) for name, scores in _groups(measured.items)},
        "against": _against(measured.scores, first) if first is not None else None,
        "items": [_item(item) for item in measured.items],
    }


def _groups(items: Sequence[Item]) -> Iterable[tuple[str, list[Score]]]:
    """The scores of all questions, of each split and of each kind; empty groups are left out."""
    for name, belongs in GROUPS.items():
        scores = [item.score for item in items if belongs(item.question)]
        if scores:
            yield name, scores


def _group(scores: Sequence[Score]) -> Record:
    times = [score.milliseconds for score in scores if score.milliseconds is not None]
    return {
        "questions": len(scores),
        **{name: asdict(found) if found else None for name, found in estimates(scores).items()},
        **{name: percentile(times, percent) for name, percent in LATENCIES.items()},
        "tokens_per_second": tokens_per_second(scores),
    }


def _against(scores: Sequence[Score], first: Sequence[Score]) -> Record:
    """What this system has more (or less) of each figure than the first one, paired."""
    found = {figure.name: difference(figure, scores, first) for figure in FIGURES}
    return {name: asdict(d) if d else None for name, d in found.items()}


def _item(item: Item) -> Record:
    return {
        "id": item.question.id,
        "expected": asdict(item.question),
        "answer": item.answer.to_dict() if item.answer else None,
        "error": item.error or None,
        "judged": [asdict(judged) for judged in item.judged],
        "quotes_in_hits": [sorted(numbers) for numbers in item.found],
        "scores": asdict(item.score),
    }


def _ruler(ruling: Ruling) -> Record:
    """What the judge is worth at the threshold frozen on the other half of the pairs."""
    decided = ruling.frozen or ruling.own

    def shares(found: Mapping[str, float]) -> Record:
        return {kind: {"share": s, "of": ruling.counts[kind]} for kind, s in found.items()}

    return {
        "judge": ruling.judge,
        "auroc": ruling.auroc,
        "balanced_accuracy": decided.balanced_accuracy,
        "own_balanced_accuracy": ruling.own.balanced_accuracy,
        "threshold": ruling.threshold,
        "pairs": ruling.pairs,
        "unreadable": ruling.unreadable,
        "caught": shares(decided.recall),
        "accepted": shares(decided.acceptance),
        "balance": shares(decided.balance),
        "reliability": [
            {"score": b.mean_score, "true": b.share_true, "of": b.count}
            for b in ruling.bins
            if b.count
        ],
    }


def _texts(run: Run) -> Record:
    """The articles that the report shows quotes in: all, since gold may lie in any."""
    return {
        article.id: {
            "title": article.title,
            "publisher": article.publisher,
            "published": article.day,
            "url": article.url,
            "text": article.text,
        }
        for article in run.articles
    }
