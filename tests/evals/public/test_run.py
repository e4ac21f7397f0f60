"""Each benchmark from files to figures, with our assistant over a fake embedder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import evals.judges
from corpus.errors import InputError, UsageError
from corpus.settings import Settings
from evals.public import run
from evals.public.asking import Setup
from evals.public.run import run_public
from rag.generate import ExtractiveGenerator
from tests.evals.fakes import FakeJudge
from tests.fakes import FakeEmbedder, FakeScorer

Measure = Callable[..., dict[tuple[str, str], float | None]]

MILL = "The mill of Lunde closed in May 2019. Its wheel is kept in a museum."
HARBOUR = "The harbour of Sund was dug in 1880. Ships call there daily."


@pytest.fixture
def measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Measure:
    """Runs a benchmark on `tmp_path`, and returns its figures by group and name."""
    settings = Settings(home=tmp_path)
    setup = Setup(settings, FakeEmbedder(), FakeScorer(), ExtractiveGenerator())
    monkeypatch.setattr(run, "load_setup", lambda settings, model: setup)
    monkeypatch.setattr(evals.judges, "load_judge", lambda name, settings: FakeJudge())

    def figures(name: str, path: Path = tmp_path, limit: int | None = None) -> dict[Any, Any]:
        assert run_public(name, path, settings, "auto", "fake", limit, as_json=True) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["errors"] == []
        return {(f["group"], f["name"]): f["value"] for f in told["figures"]}

    return figures


def write(path: Path, *values: object, lines: bool = False) -> None:
    text = "\n".join(map(json.dumps, values)) if lines else json.dumps(values[0])
    path.write_text(text, "utf-8")


def test_multihop_rag(tmp_path: Path, measure: Measure) -> None:
    def article(title: str, body: str) -> dict[str, str]:
        day = "2023-10-01T00:00:00+00:00"
        return {"title": title, "body": body, "source": "Post", "published_at": day}

    write(tmp_path / "corpus.json", [article("Mill", MILL), article("Harbour", HARBOUR)])
    fact = {"fact": "The mill of Lunde closed in May 2019."}
    asked = {
        "query": "When was the mill of Lunde closed?",
        "answer": "2019",
        "question_type": "temporal_query",
        "evidence_list": [fact],
    }
    write(tmp_path / "MultiHopRAG.json", [asked])
    made = measure("multihop")
    assert made["all", "Hits@4"] == made["temporal_query", "MRR@10"] == 1
    assert ("all", "accuracy (word match)") in made


def test_rgb(tmp_path: Path, measure: Measure) -> None:
    item = {
        "query": "When was the harbour of Sund dug?",
        "answer": "1880",
        "positive": [HARBOUR],
        "negative": [MILL],
    }
    write(tmp_path / "en.json", item, lines=True)
    made = measure("rgb")
    assert made["noise 0.0", "accuracy"] == made["noise 0.8", "answered (ours)"] == 1
    assert made["rejection", "rejection rate"] == 1


def test_squad(tmp_path: Path, measure: Measure) -> None:
    has = {"id": "1", "question": "When was the harbour dug?", "answers": [{"text": "1880"}]}
    title = {"title": "Sund", "paragraphs": [{"context": HARBOUR, "qas": [has] * 3}]}
    path = tmp_path / "dev.json"
    write(path, {"data": [title]})
    made = measure("squad", path, limit=2)
    assert made["HasAns", "answer contained (ours)"] == made["HasAns", "answered (ours)"]
    assert made["all", "EM (first statement)"] == 0


def test_ragtruth(tmp_path: Path, measure: Measure) -> None:
    source = {"source_id": "1", "task_type": "Summary", "source_info": MILL}
    write(tmp_path / "source_info.jsonl", source, lines=True)
    fields = {"source_id": "1", "split": "test", "quality": "good"}
    good = {"id": "1", "labels": [], "response": "Its wheel is kept in a museum."}
    bad = {"id": "2", "labels": [{}], "response": "It was sold."}
    write(tmp_path / "response.jsonl", fields | good, fields | bad, lines=True)
    made = measure("ragtruth")
    assert made["all", "F1"] == made["Summary", "balanced accuracy (ours)"] == 1


def test_what_cannot_be_used_is_refused(tmp_path: Path, measure: Measure) -> None:
    with pytest.raises(UsageError, match="no public benchmark 'trivia'"):
        measure("trivia")
    with pytest.raises(UsageError, match="limit is 0"):
        measure("squad", limit=0)
    for name in run.BENCHMARKS:
        with pytest.raises(InputError):
            measure(name, tmp_path / "absent")
