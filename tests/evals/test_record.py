"""A run as JSON holds everything that was measured, and survives the way through a file."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import ModelError
from corpus.library import now
from evals.bench import Bench
from evals.gate import data_now
from evals.judges import Claim, as_context
from evals.questions import Nugget, Question, Quote
from evals.record import GROUPS, to_record
from evals.report.files import keep, load
from evals.ruler import Probe, Ruling
from evals.ruler import measure as measure_judge
from evals.run import Measured, Run, ask
from evals.scores import FIGURES, Score, difference, estimates
from evals.systems.bm25 import Bm25
from evals.systems.seam import Reply
from rag.followups import Turn
from tests.conftest import make_article
from tests.evals.fakes import FakeJudge
from tests.fakes import hit_on


def question(n: int, **given: Any) -> Question:
    text = f"Model number {n} was released."
    plain = Question(
        id=f"q{n}",
        kind="single",
        question=f"Was model number {n} released?",
        answers=(text,),
        nuggets=(Nugget("it was", True, ("released",)),),
        evidence=(Quote(f"report-{n}", text),),
        false_premise=False,
        known_entity=False,
        history=(),
        split="dev",
    )
    return replace(plain, **given)


NOTHING: dict[str, Any] = {
    "kind": "unanswerable",
    "answers": (),
    "nuggets": (),
    "evidence": (),
    "split": "test",
}
QUESTIONS = [
    question(1),
    question(2, kind="followup", history=(Turn("Which models are there?", "Many."),)),
    question(3, question="Who sells zebras?", **NOTHING, false_premise=True),
    question(4, question="Who sells lions?", **NOTHING, known_entity=True),
]


class Gone(Bm25):
    """A system whose index is gone."""

    def reply(self, question: str, history: Any) -> Reply:
        raise ModelError("It is gone.", "Fetch it.")


@pytest.fixture(scope="module")
def run(small: Bench) -> Run:
    """BM25, and a system that fails on everything."""

    def measured(system: Bm25, name: str) -> Measured:
        judge = FakeJudge(unreadable=["Model number 2 was released."])
        items = tuple(ask(system, q, 1, small, judge) for q in QUESTIONS)
        return Measured(name, system.kind, system.model, system.about, items)

    return Run(
        started=now(),
        split="all",
        judge="fake",
        judge_fingerprint="f1",
        articles=tuple(small.library.articles()),
        passages=len(small.passages()),
        fingerprints={"embedder": "e1"},
        systems=(measured(Bm25(small), "bm25/x"), measured(Gone(small), "gone/x")),
        ruler=None,
    )


@pytest.fixture(scope="module")
def record(run: Run) -> dict[str, Any]:
    return to_record(run)


def items(record: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return list(record["systems"][name]["items"])


def test_a_record_survives_the_way_through_a_file(record: dict[str, Any], tmp_path: Path) -> None:
    assert load(keep(record, tmp_path)) == json.loads(json.dumps(record))


def test_every_item_is_there_with_all_that_was_measured(run: Run, record: dict[str, Any]) -> None:
    assert list(record["systems"]) == ["bm25/x", "gone/x"]
    for system in run.systems:
        for item, kept in zip(system.items, items(record, system.name), strict=True):
            assert kept["id"] == item.question.id
            assert kept["expected"] == asdict(item.question)
            assert Score(**kept["scores"]) == item.score
            assert kept["quotes_in_hits"] == [sorted(numbers) for numbers in item.found]
            assert [judged["supported"] for judged in kept["judged"]] == [
                judged.supported for judged in item.judged
            ]
            assert kept["answer"] == (item.answer.to_dict() if item.answer else None)


def test_a_question_comes_back_as_it_was(record: dict[str, Any]) -> None:
    _, followup, *_ = json.loads(json.dumps(items(record, "bm25/x")))
    assert followup["expected"]["history"] == [
        {"question": "Which models are there?", "answer": "Many."}
    ]
    assert followup["expected"]["nuggets"][0]["match"] == ["released"]


def test_unknown_stays_null_and_an_error_its_sentence(record: dict[str, Any]) -> None:
    first, followup, *_ = items(record, "bm25/x")
    assert first["error"] is None
    unread = [judged for judged in followup["judged"] if judged["supported"] is None]
    assert [judged["support"] for judged in unread] == [None]
    assert {item["error"] for item in items(record, "gone/x")} == {"It is gone. Fetch it."}
    assert all(item["answer"] is None for item in items(record, "gone/x"))


def test_figures_are_those_of_each_group(run: Run, record: dict[str, Any]) -> None:
    figures = record["systems"]["bm25/x"]["figures"]
    counts = {name: group["questions"] for name, group in figures.items()}
    assert counts == {
        "all": 4, "dev": 2, "test": 2, "single": 1, "followup": 1, "unanswerable": 2,
        "false premise": 1, "known entity": 1,
    }  # fmt: skip
    assert set(counts) < set(GROUPS)  # those without questions are left out
    for name, found in estimates(run.systems[0].scores).items():
        assert figures["all"][name] == (asdict(found) if found else None)
    assert figures["unanswerable"]["evidence_recall_8"] is None
    assert figures["dev"]["evidence_recall_8"]["value"] == 1.0
    assert figures["single"]["latency_p50_ms"] == run.systems[0].scores[0].milliseconds
    assert figures["all"]["latency_p95_ms"] >= figures["all"]["latency_p50_ms"]
    assert figures["all"]["tokens_per_second"] is None
    assert record["systems"]["gone/x"]["figures"]["all"]["latency_p50_ms"] is None


def test_differences_are_paired_with_the_first_system(run: Run, record: dict[str, Any]) -> None:
    assert record["systems"]["bm25/x"]["against"] is None
    against = record["systems"]["gone/x"]["against"]
    first, second = (system.scores for system in run.systems)
    assert against.keys() == {figure.name for figure in FIGURES}
    for figure in FIGURES:
        found = difference(figure, second, first)
        assert against[figure.name] == (asdict(found) if found else None)
    assert against["evidence_recall_8"]["value"] == -1.0


def test_the_record_says_what_it_was_made_with(run: Run, record: dict[str, Any]) -> None:
    assert record["started"] == run.started.isoformat()
    assert record["judge"] == {"name": "fake", "fingerprint": "f1"}
    assert record["fingerprints"] == {"embedder": "e1"}
    assert record["data"] == asdict(data_now(4))
    assert record["passages"] == run.passages
    assert [figure["name"] for figure in record["figures"]] == [f.name for f in FIGURES]
    assert record["ruler"] is None


def test_the_texts_are_those_that_gold_and_citations_lie_in(
    record: dict[str, Any], small: Bench
) -> None:
    assert record["texts"].keys() == set(small.id_of.values())
    for item in items(record, "bm25/x"):
        for quote in item["expected"]["evidence"]:
            assert quote["text"] in record["texts"][small.id_of[quote["article"]]]["text"]
        for citation in item["answer"]["citations"]:
            text = record["texts"][citation["article_id"]]["text"]
            assert text[citation["start"] : citation["end"]] == citation["quote"]


# The ruler


def ruled(unreadable: int = 0) -> Ruling:
    """A judge measured on ten true pairs and ten false ones, half of each to freeze on."""
    context = as_context(hit_on(make_article(1)))
    true, false = "Model number 1 was released.", "Model number 1 was recalled."
    probes = [
        Probe(Claim(f"{text}", (context,)), kind, text == true, n % 2 == 0)
        for n in range(10)
        for kind, text in (("verbatim", true), ("verb", false))
    ]
    lost = [Probe(Claim("?", (context,)), "lost", True, False)] * unreadable
    return measure_judge(FakeJudge(unreadable=["?"]), [*probes, *lost], lambda *_: None)


def test_the_ruler_is_kept_with_how_much_each_share_counts(run: Run) -> None:
    kept = json.loads(json.dumps(to_record(replace(run, ruler=ruled(unreadable=2)))))["ruler"]
    assert (kept["judge"], kept["pairs"], kept["unreadable"]) == ("fake", 12, 2)
    assert (kept["auroc"], kept["balanced_accuracy"]) == (1.0, 1.0)
    assert kept["caught"] == {"verb": {"share": 1.0, "of": 5}}
    assert kept["accepted"] == {"verbatim": {"share": 1.0, "of": 5}}
    assert kept["balance"] == {"verb": {"share": 1.0, "of": 5}}
    assert kept["reliability"] == [
        {"score": 0.0, "true": 0.0, "of": 5},
        {"score": 1.0, "true": 1.0, "of": 5},
    ]


def test_without_a_threshold_the_judges_own_yes_and_no_stand(run: Run) -> None:
    ruling = replace(ruled(), frozen=None, threshold=None)
    kept = to_record(replace(run, ruler=ruling))["ruler"]
    assert kept["threshold"] is None
    assert kept["balanced_accuracy"] == kept["own_balanced_accuracy"] == 1.0
