"""A run of real parts on a few questions, and what is made of it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import ModelError, UsageError
from corpus.library import now
from corpus.settings import Settings
from evals import report
from evals import run as runs
from evals.gate import GUARDED, UNMEASURED, Floors, data_now, measured, pinned
from evals.metrics import Judged, quotes_in, score
from evals.questions import Question, bundled_articles, bundled_questions
from evals.run import Item, Run, System, chosen, measure, ready, run
from rag.answer import Evidence
from rag.llms import load_generator

ASKED = ("single", "across", "dates", "unanswerable")


class Failing:
    """A generator that has lost its model."""

    name = "failing"

    def draft(self, question: str, evidence: Sequence[Evidence], notes: list[str]) -> Iterator[str]:
        raise ModelError("The model is gone.", "Fetch it.")


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    """One of each kind."""
    return [next(q for q in bundled_questions() if q.kind == kind) for kind in ASKED]


@pytest.fixture(scope="module")
def record(
    models_dir: Path, questions: list[Question], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """Extractive, and a generator that always fails; nothing of the run stays on disk."""
    temporary = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(temporary))
        patch.setattr(
            runs,
            "load_generator",
            lambda n, at: Failing() if n == "failing" else load_generator(n, at),
        )
        settings = Settings(home=models_dir.parent, chroma_url="http://127.0.0.1:9")
        ticks: list[tuple[str, int, int | None]] = []
        made = measure(
            settings, questions, ("auto", "extractive", "failing"), "all",
            lambda *tick: ticks.append(tick),
        )  # fmt: skip
    assert ("extractive", len(questions), len(questions)) in ticks
    assert list(temporary.iterdir()) == []
    return made


def test_each_question_is_asked_of_each_generator_once(
    record: Run, questions: list[Question]
) -> None:
    assert [system.name for system in record.systems] == ["extractive", "failing"]
    for system in record.systems:
        assert [item.question for item in system.items] == questions


def test_the_library_is_the_bundled_corpus(record: Run) -> None:
    assert record.articles == len(bundled_articles())
    assert record.passages >= record.articles


def test_the_hits_that_are_scored_are_those_that_ask_reads(record: Run) -> None:
    texts = bundled_articles()
    for item in record.systems[0].items:
        assert item.answer is not None
        ids = {hit.article.text: hit.article.id for hit in item.answer.hits}
        id_of = {stem: ids.get(text, "") for stem, text in texts.items()}
        read = [quotes_in(hit, item.question.evidence, id_of) for hit in item.answer.hits]
        assert list(item.found)[: len(read)] == read


def test_what_extractive_says_is_supported(record: Run) -> None:
    judged = [judged for item in record.systems[0].items for judged in item.judged]
    assert judged
    assert [statement.fault for statement in judged] == [""] * len(judged)


def test_errors_are_kept_and_count_as_failures(record: Run) -> None:
    for item in record.systems[1].items:
        if item.answer is None:
            assert item.error == "The model is gone. Fetch it."
            assert item.score.error
        else:
            assert item.answer.abstained
    assert any(item.error for item in record.systems[1].items)
    assert measured(replace(record, systems=record.systems[1:])).errors > 0


def test_the_json_holds_every_item(record: Run) -> None:
    whole = json.loads(json.dumps(report.to_dict(record)))
    assert set(whole["systems"]) == {"extractive", "failing"}
    assert set(whole["fingerprints"]) == {"embedder", "reader", "verifier"}
    items = whole["systems"]["extractive"]["items"]
    assert [item["expected"]["kind"] for item in items] == list(ASKED)
    for item in items:
        assert len(item["quotes_in_hits"]) <= 10
        assert item["answer"]["timings_ms"]["total"] == item["scores"]["milliseconds"]
    figures = whole["systems"]["extractive"]["figures"]
    assert figures["all"]["questions"] == 4
    assert figures["unanswerable"]["vital_nugget_recall"] is None
    assert figures["all"]["latency_p95_ms"] >= figures["all"]["latency_p50_ms"] > 0


def test_the_tables_fit_into_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    items = []
    for question in bundled_questions():
        plain = score(question, [], None, (Judged("said"),))
        items.append(Item(question, [], None, (), replace(plain, milliseconds=123_456)))
    report.show(
        made_up(System("extractive", tuple(items)), System("smollm2", tuple(items))), as_json=False
    )
    out = capsys.readouterr().out
    lines = out.splitlines()
    answer_rate = next(n for n, line in enumerate(lines) if "answer rate" in line)
    assert "faithfulness" in lines[answer_rate + 1]
    assert "premise" in out
    assert "…" not in out
    assert max(map(len, lines)) <= 80


# What run does with a record; the record is made of made-up scores.


def system(name: str, *, right: int, faulty: int = 0, of: int = 20) -> System:
    """`of` answerable questions, of which `right` are answered well and `faulty` unfaithfully."""
    question = next(q for q in bundled_questions() if q.kind == "single")
    found = [set(range(len(question.evidence)))]
    items = []
    for n in range(of):
        judged = (Judged("said", "wrong" if n < faulty else ""),)
        plain = score(question, found, None, judged)
        good = float(n < right)
        made = replace(plain, error=False, vital_nuggets=good, nuggets=good, answer_match=good)
        items.append(Item(question, found, None, judged, replace(made, milliseconds=10 + n)))
    return System(name, tuple(items))


def made_up(*systems: System) -> Run:
    return Run(now(), "all", 88, 195, {}, systems)


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Sequence[str]]:
    """`run` without asking anything; which generators it would have asked."""
    asked: list[Sequence[str]] = []

    def measure(settings: object, questions: object, names: Sequence[str], *_: object) -> Run:
        asked.append(names)
        return made_up(*(system(name, right=10) for name in names))

    monkeypatch.setattr(runs, "measure", measure)
    monkeypatch.setattr(report, "keep", lambda record: None)
    return asked


def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_a_missing_built_in_model_is_told_with_its_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ready(settings(tmp_path)) == ("extractive",)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"groundwire models pull smollm2 --home {tmp_path}")


def test_named_models_are_asked_and_json_stands_alone_on_stdout(
    tmp_path: Path, stubbed: list[Sequence[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(settings(tmp_path), ["extractive"], "dev", gate=False, as_json=True) == 0
    assert stubbed == [("extractive",)]
    assert json.loads(capsys.readouterr().out)["systems"]


def test_splits_are_apart_and_an_unknown_one_is_wrong_use() -> None:
    dev, test = ({q.id for q in chosen(split)} for split in ("dev", "test"))
    assert dev
    assert test
    assert not dev & test
    assert dev | test == {q.id for q in chosen("all")}
    with pytest.raises(UsageError, match="no split 'train'"):
        chosen("train")


@pytest.mark.parametrize(("models", "split"), [((), "dev"), (("smollm2",), "all")])
def test_the_gate_takes_no_other_questions_or_models(
    tmp_path: Path, stubbed: list[Sequence[str]], models: tuple[str, ...], split: str
) -> None:
    with pytest.raises(UsageError, match="The gate measures extractive"):
        run(settings(tmp_path), models, split, gate=True, as_json=False)
    assert stubbed == []


@pytest.mark.parametrize(("right", "code"), [(10, 0), (9, 0), (12, 1)])
def test_the_gate_decides_the_exit_code(
    tmp_path: Path,
    stubbed: list[Sequence[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    right: int,
    code: int,
) -> None:
    floors: Floors = pinned(measured(made_up(system("extractive", right=right))))
    monkeypatch.setattr("evals.gate.load_floors", lambda: floors)
    assert run(settings(tmp_path), (), "all", gate=True, as_json=False) == code
    assert stubbed == [("extractive",)]
    told = capsys.readouterr().err
    assert ("vital_nugget_recall is 0.5000, below" in told) is bool(code)
    assert ("The gate holds" in told) is not bool(code)


def test_what_is_guarded_is_what_was_measured() -> None:
    found = measured(made_up(system("extractive", right=10)))
    assert tuple(found.figures) == GUARDED
    assert found.figures["vital_nugget_recall"] == (0.5, 20.0)
    assert found.figures["abstention_recall"] == UNMEASURED
    assert found.data == data_now(20)


# Which built-in generator is better


def test_of_equally_faithful_generators_the_more_complete_is_better() -> None:
    verdict = report.versus(system("extractive", right=8), system("smollm2", right=16))
    assert (verdict.better, verdict.other) == ("smollm2", "extractive")
    value, low, high = verdict.margins["vital_nugget_recall"]
    assert value == pytest.approx(0.4)
    assert 0 < low < value < high
    assert "vital nugget recall +0.400 [" in str(verdict)


def test_a_less_faithful_generator_is_not_better_however_complete() -> None:
    verdict = report.versus(system("smollm2", right=20, faulty=2), system("extractive", right=8))
    assert verdict.better == "extractive"
    assert verdict.faithfulness == (1.0, 0.9)
    assert verdict.margins["answer_match"][0] == pytest.approx(-0.6)


def test_the_verdict_on_auto_needs_both(capsys: pytest.CaptureFixture[str]) -> None:
    extractive, smollm2 = system("extractive", right=8), system("smollm2", right=4)
    assert report.auto_verdict(made_up(extractive)) is None
    report.show(made_up(extractive, smollm2), as_json=False)
    out = " ".join(capsys.readouterr().out.split())
    assert "extractive does better than smollm2: vital nugget recall +0.200" in out


# Keeping


def test_a_run_is_kept_in_a_folder_of_its_time(tmp_path: Path, record: Run) -> None:
    target = report.keep(record, tmp_path / "runs")
    assert target is not None
    assert target.parent.name == f"{record.started:%Y-%m-%dT%H-%M-%SZ}"
    assert json.loads(target.read_text("utf-8"))["articles"] == record.articles


def test_where_nothing_can_be_written_the_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "runs"
    blocked.write_text("a file, not a folder")
    assert report.keep(made_up(system("extractive", right=1)), blocked) is None
    assert "was not kept" in capsys.readouterr().err


def test_outside_a_checkout_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "CHECKOUT", tmp_path)
    assert report.keep(made_up(system("extractive", right=1)), tmp_path / "runs") is None
    assert not (tmp_path / "runs").exists()
