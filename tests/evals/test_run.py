"""A run of real parts on a few questions, and what is made of a plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from corpus.embedding import Embedder
from corpus.errors import InputError, ModelError, UsageError
from corpus.indexes import open_current
from corpus.library import Library, now
from corpus.settings import Settings
from evals import run as runs
from evals.bench import Bench
from evals.gate import GUARDED, UNMEASURED, data_now, measured, pinned
from evals.pairs import load_articles
from evals.questions import Kind, Question, Quote, bundled_articles, bundled_questions
from evals.record import to_record
from evals.report.files import load
from evals.run import (
    GATED,
    Item,
    Measured,
    Plan,
    Run,
    ask,
    chosen,
    evaluate,
    measure,
    ready,
)
from evals.scores import Judged, quotes_in, score
from evals.systems import SYSTEMS
from evals.systems.seam import Reply
from rag.answer import Evidence
from rag.llms import load_generator
from rag.trained import TrainedReader
from tests.conftest import make_article
from tests.evals.fakes import FakeJudge
from tests.fakes import FakeReader, answer_from, hit_on

ARTICLE = make_article(1)
SAID = "Model number 1 was released."
KNOWN = replace(
    next(q for q in bundled_questions() if q.kind == "single"), evidence=(Quote("report-1", SAID),)
)


class Failing:
    """A generator that has lost its model."""

    name = "failing"

    def draft(self, question: str, evidence: Sequence[Evidence], notes: list[str]) -> Iterator[str]:
        raise ModelError("The model is gone.", "Fetch it.")


class Told:
    """A System that replies as told, or raises."""

    name, kind, model, about = "told", "baseline", "none", "as told"

    def __init__(self, outcome: Reply | Exception) -> None:
        self.outcome = outcome
        self.asked: list[tuple[str, Any]] = []

    def passages(self) -> list[Any]:
        return []

    def reply(self, question: str, history: Any) -> Reply:
        self.asked.append((question, history))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


# The real parts


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    """One of each kind."""
    everything = bundled_questions()
    return [next(q for q in everything if q.kind == kind) for kind in get_args(Kind)]


@pytest.fixture(scope="module")
def parts(bundled_home: Path, embedder: Embedder) -> Iterator[Bench]:
    """The bundled corpus as the bench has it, indexed once for all tests."""
    settings, library = Settings(home=bundled_home), Library.open(bundled_home)
    indexes = open_current(library, settings, embedder)
    stems = {text: stem for stem, text in bundled_articles().items()}
    id_of = {stems[article.text]: article.id for article in library.articles()}
    scorer = TrainedReader.open(settings.models_dir)
    yield Bench(settings, library, indexes, embedder, scorer, id_of)
    indexes.close()
    library.close()


@pytest.fixture(scope="module")
def ticks() -> list[tuple[str, int, int | None]]:
    return []


@pytest.fixture(scope="module")
def made(
    parts: Bench, questions: list[Question], ticks: list[tuple[str, int, int | None]]
) -> Iterator[Run]:
    """Ours with a generator that quotes and one that fails, one ablation, and a baseline."""

    @contextmanager
    def bench(*_: object) -> Iterator[Bench]:
        yield parts

    def generator(name: str, models_dir: Path) -> Any:
        return Failing() if name == "failing" else load_generator(name, models_dir)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "bench", bench)
        patch.setattr(runs, "load_generator", generator)
        patch.setattr(runs, "chosen", lambda split: questions)
        plan = Plan(
            ("ours", "bm25", "no-gate"), ("auto", "extractive", "failing"), "dev", ruler=False
        )
        yield measure(parts.settings, plan, lambda *tick: ticks.append(tick))


def items_of(run: Run, name: str) -> tuple[Item, ...]:
    return next(system.items for system in run.systems if system.name == name)


def test_each_system_is_asked_each_question_once_in_order(
    made: Run, questions: list[Question], ticks: list[tuple[str, int, int | None]]
) -> None:
    names = ["ours/extractive", "ours/failing", "bm25/extractive", "no-gate/extractive"]
    assert [system.name for system in made.systems] == names
    assert [system.kind for system in made.systems] == ["ours", "ours", "baseline", "ablation"]
    for system in made.systems:
        assert [item.question for item in system.items] == questions
        steps = [(done, of) for name, done, of in ticks if name == system.name]
        assert steps == [(n, len(questions)) for n in range(len(questions) + 1)]


def test_a_run_says_what_it_depends_on(made: Run, parts: Bench) -> None:
    assert (made.split, made.judge, made.ruler) == ("dev", "verifier", None)
    assert {article.text for article in made.articles} == set(bundled_articles().values())
    assert made.passages == len(parts.passages()) >= len(made.articles)
    assert made.fingerprints.keys() == {"embedder", "reranker", "reader", "verifier"}
    assert made.fingerprints["embedder"] == parts.embedder.fingerprint
    assert made.fingerprints["reranker"].startswith("features-")
    assert made.judge_fingerprint.startswith("verifier-")


def test_the_hits_that_are_scored_are_those_that_were_read(made: Run, parts: Bench) -> None:
    for system in made.systems:
        for item in system.items:
            if item.answer is not None:
                quotes = item.question.evidence
                read = [quotes_in(hit, quotes, parts.id_of) for hit in item.answer.hits]
                assert list(item.found)[: len(read)] == read
                assert len(read) <= len(item.found) <= 10


def test_what_extractive_says_is_supported(made: Run) -> None:
    judged = [judged for item in items_of(made, "ours/extractive") for judged in item.judged]
    assert judged
    assert [statement.reason for statement in judged] == [""] * len(judged)
    assert all(j.supported and j.recalled and j.precise == j.citations == 1 for j in judged)


def test_the_baseline_answers_what_ours_may_not(made: Run) -> None:
    assert not any(item.score.abstained for item in items_of(made, "bm25/extractive"))
    assert not any(item.score.abstained for item in items_of(made, "no-gate/extractive"))


def test_errors_of_ours_are_kept_and_count_as_failures(made: Run) -> None:
    failing = next(system for system in made.systems if system.name == "ours/failing")
    for item in failing.items:
        if item.answer is None:
            assert item.error == "The model is gone. Fetch it."
            assert item.score.error and not item.score.answered
            assert item.judged == item.found == ()
        else:
            assert item.answer.abstained and not item.error
    errors = sum(item.answer is None for item in failing.items)
    assert errors > 0
    assert measured(replace(made, systems=(failing,))).errors == errors


def test_a_followup_is_asked_with_its_history(made: Run) -> None:
    (item,) = (i for i in items_of(made, "ours/extractive") if i.question.kind == "followup")
    assert item.answer is not None
    assert item.answer.query != item.question.question


# One question


def test_an_item_holds_what_was_found_said_and_judged(small: Bench) -> None:
    told = answer_from(ARTICLE, SAID)
    other = hit_on(make_article(2))
    system = Told(Reply(told, (other, hit_on(ARTICLE)), tokens=7))
    item = ask(system, KNOWN, 1, small, FakeJudge())
    assert system.asked == [(KNOWN.question, KNOWN.history)]
    assert item.found == [set(), {0}]
    assert item.answer is told and item.error == ""
    assert [judged.supported for judged in item.judged] == [True]
    assert item.score == score(KNOWN, item.found, 1, told, item.judged, 7)
    assert (item.score.reciprocal_rank, item.score.tokens) == (0.5, 7)


def test_an_unreadable_verdict_is_counted_and_in_no_figure(small: Bench) -> None:
    system = Told(Reply(answer_from(ARTICLE, SAID), (), None))
    item = ask(system, KNOWN, 1, small, FakeJudge(unreadable=[SAID]))
    assert item.judged[0].supported is None
    assert (item.score.unreadable, item.score.statements, item.score.supported) == (1, 0, 0)


def test_an_error_of_ours_is_a_failed_item_that_found_nothing(small: Bench) -> None:
    item = ask(Told(ModelError("It is gone.", "Fetch it.")), KNOWN, 1, small, FakeJudge())
    assert (item.answer, item.error) == (None, "It is gone. Fetch it.")
    assert item.score.error and item.score.evidence_recall == 0.0
    assert item.score.vital_nuggets == 0.0


def test_a_defect_is_no_failed_item_but_a_crash(small: Bench) -> None:
    with pytest.raises(ZeroDivisionError):
        ask(Told(ZeroDivisionError()), KNOWN, 1, small, FakeJudge())


def test_the_relevant_passages_are_those_of_the_system_itself(small: Bench) -> None:
    """Two passages of its own hold the quote, so finding one is not all there was to find."""
    system = Told(Reply(answer_from(ARTICLE, SAID), (hit_on(ARTICLE),), None))
    whole, half = hit_on(ARTICLE), hit_on(ARTICLE, 0, len(SAID))
    for known, expected in (([whole], 1.0), ([whole, half], 1 / (1 + 0.63093))):
        system.passages = lambda known=known: [(h.passage, h.article) for h in known]  # type: ignore[method-assign, misc]
        found = runs._measured(system, [KNOWN], small, FakeJudge(), lambda *_: None)  # type: ignore[arg-type]
        assert found.items[0].score.ndcg == pytest.approx(expected, abs=1e-4)
        assert found.name == "told/none"


# Plans


@pytest.fixture
def staged(
    small: Bench, monkeypatch: pytest.MonkeyPatch, fake_reader: FakeReader
) -> Callable[..., Run]:
    """`measure` on the small bench, with a judge that knows its grades."""

    @contextmanager
    def bench(*_: object) -> Iterator[Bench]:
        yield small

    monkeypatch.setattr(runs, "bench", bench)
    monkeypatch.setattr(runs, "chosen", lambda split: [KNOWN])
    monkeypatch.setattr(runs, "load_judge", lambda *_: FakeJudge())
    return lambda plan: measure(small.settings, plan, lambda *_: None)


def test_the_judge_is_measured_on_the_pairs_of_the_ruler(
    staged: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "load_articles", lambda: load_articles()[:6])
    ruling = staged(Plan(("bm25",), ("extractive",))).ruler
    assert ruling is not None
    assert (ruling.judge, ruling.unreadable) == ("fake", 0)
    assert ruling.pairs > 50
    assert ruling.own.acceptance["sentence"] == 1.0
    assert ruling.auroc is not None and ruling.auroc > 0.5
    figures = measured(replace(RUN, ruler=ruling)).figures
    assert figures["ruler_auroc"][0] == ruling.auroc
    assert figures["ruler_balanced_accuracy"][0] == ruling.frozen_accuracy


def test_a_plan_of_which_nothing_is_left_is_told(staged: Callable[..., Run]) -> None:
    with pytest.raises(UsageError, match="need a language model") as caught:
        staged(Plan(("naive", "no-verifier"), ("extractive",), ruler=False))
    assert "groundwire models pull smollm2" in caught.value.remedy


def test_an_unknown_model_is_told_before_anything_is_asked(staged: Callable[..., Run]) -> None:
    with pytest.raises(UsageError, match="no model called"):
        staged(Plan(("ours",), ("gpt-12",), ruler=False))


def test_splits_are_apart_and_an_unknown_one_is_wrong_use() -> None:
    dev, test = ({q.id for q in chosen(split)} for split in ("dev", "test"))
    assert dev and test
    assert not dev & test
    assert dev | test == {q.id for q in chosen("all")}
    with pytest.raises(UsageError, match="no split 'train'"):
        chosen("train")


def test_a_missing_built_in_model_is_told_with_its_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ready(Settings(home=tmp_path)) == ("extractive",)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"groundwire models pull smollm2 --home {tmp_path}")


# What `evaluate` does with a run; the run is made of made-up scores


def system(name: str, *, right: int, of: int = 20) -> Measured:
    """`of` answerable questions, of which `right` are answered well."""
    told = answer_from(ARTICLE, SAID)
    judged = (Judged(SAID, True, "", 1.0, recalled=True, citations=1, precise=1),)
    items = []
    for n in range(of):
        plain = score(KNOWN, [{0}], 1, told, judged, None)
        good = float(n < right)
        marks = replace(plain, vital_nuggets=good, nuggets=good, answer_match=good)
        items.append(Item(replace(KNOWN, id=f"q{n}"), [{0}], told, judged, marks))
    return Measured(name, "ours", name.partition("/")[2], "made up", tuple(items))


SYSTEM = system("ours/extractive", right=10)
RUN = Run(now(), "all", "fake", "", (ARTICLE,), 1, {}, (SYSTEM,), None)


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """`evaluate` without asking anything; which plans it would have measured."""
    plans: list[Plan] = []

    def measure(settings: object, plan: Plan, tick: object) -> Run:
        plans.append(plan)
        return RUN

    monkeypatch.setattr(runs, "measure", measure)
    return plans


def run(home: Path, plan: Plan, *, gate: bool = False, as_json: bool = False) -> int:
    return evaluate(Settings(home=home), plan, home / "out", gate=gate, as_json=as_json)


def test_a_plan_that_names_nothing_measures_everything_there_is(
    tmp_path: Path, stubbed: list[Plan]
) -> None:
    assert run(tmp_path, Plan()) == 0
    assert stubbed == [Plan(SYSTEMS, ("extractive",))]


def test_what_is_named_is_measured_and_each_once(tmp_path: Path, stubbed: list[Plan]) -> None:
    plan = Plan(("bm25", "ours", "bm25"), ("extractive",), "dev", "nli/some", ruler=False)
    assert run(tmp_path, plan) == 0
    assert stubbed == [replace(plan, systems=("bm25", "ours"))]


def test_an_unknown_system_is_told_before_anything_is_measured(
    tmp_path: Path, stubbed: list[Plan]
) -> None:
    with pytest.raises(UsageError, match="no system 'no-luck'"):
        run(tmp_path, Plan(("no-luck",)))
    assert stubbed == []


def test_a_place_that_cant_be_written_is_told_before_anything_is_measured(
    tmp_path: Path, stubbed: list[Plan]
) -> None:
    (tmp_path / "out").write_text("a file, not a folder")
    with pytest.raises(UsageError, match="can't be written"):
        run(tmp_path, Plan(("ours",), ("extractive",)))
    assert stubbed == []


def test_the_run_is_kept_whole_and_json_stands_alone_on_stdout(
    tmp_path: Path, stubbed: list[Plan], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, Plan(("ours",), ("extractive",)), as_json=True) == 0
    out, err = capsys.readouterr()
    (folder,) = (tmp_path / "out").iterdir()
    assert load(folder) == json.loads(out)
    assert str(folder / "report.html") in err
    assert (folder / "report.html").is_file()


def test_tables_are_printed_without_json(
    tmp_path: Path, stubbed: list[Plan], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, Plan(("ours",), ("extractive",))) == 0
    out = capsys.readouterr().out
    assert "ours/extractive" in out and "answer rate" in out


# The gate


@pytest.mark.parametrize(
    "plan",
    [
        Plan(systems=("ours",)),
        Plan(models=("smollm2",)),
        Plan(split="dev"),
        Plan(judge="nli/some"),
        Plan(ruler=False),
    ],
)
def test_the_gate_takes_no_other_plan(tmp_path: Path, stubbed: list[Plan], plan: Plan) -> None:
    with pytest.raises(UsageError, match="what its floors were set on"):
        run(tmp_path, plan, gate=True)
    assert stubbed == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("right", "code"), [(10, 0), (9, 0), (11, 0), (12, 1)])
def test_the_gate_decides_the_exit_code(
    tmp_path: Path,
    stubbed: list[Plan],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    right: int,
    code: int,
) -> None:
    pin = replace(RUN, systems=(system("ours/extractive", right=right),))
    monkeypatch.setattr("evals.gate.load_floors", lambda: pinned(measured(pin)))
    assert run(tmp_path, Plan(), gate=True) == code
    assert stubbed == [GATED]
    told = capsys.readouterr().err
    assert ("vital_nugget_recall is 0.5000, below" in told) is bool(code)
    assert ("The gate holds" in told) is not bool(code)
    assert len(list((tmp_path / "out").iterdir())) == 1  # whatever it says, there to be read


def test_floors_that_cant_be_read_are_told_before_anything_is_measured(
    tmp_path: Path, stubbed: list[Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged() -> Any:
        raise InputError("The floors can't be read.")

    monkeypatch.setattr("evals.gate.load_floors", damaged)
    with pytest.raises(InputError, match="floors"):
        run(tmp_path, Plan(), gate=True)
    assert stubbed == []


def test_what_is_guarded_is_what_was_measured() -> None:
    found = measured(RUN)
    assert set(found.figures) == {*GUARDED, "ruler_auroc", "ruler_balanced_accuracy"}
    assert found.figures["vital_nugget_recall"] == (0.5, 20.0)
    assert found.figures["abstention_recall"] == UNMEASURED
    assert found.figures["ruler_auroc"] == UNMEASURED  # the judge was not measured
    assert found.data == data_now(20)


def test_the_gate_looks_at_the_first_system_only() -> None:
    worse = system("ours/smollm2", right=0)
    assert measured(replace(RUN, systems=(SYSTEM, worse))) == measured(RUN)


def test_what_the_gate_measures_is_ours_without_a_model() -> None:
    assert Plan(("ours",), ("extractive",)) == GATED
    assert to_record(RUN)["systems"].keys() == {"ours/extractive"}
