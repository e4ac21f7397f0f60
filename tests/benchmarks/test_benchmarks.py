"""The benchmarks measure what they say: at sizes that take seconds, with no bound on time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import ask, cold, homes, ingest, scale
from benchmarks.figures import Figure, Target, median_ms, shown
from benchmarks.recombined import Material, RandomEmbedder, recombined
from corpus.library import Library, Scope
from corpus.settings import Settings
from rag.answer import Answer, Window
from tests.fakes import FakeEmbedder

ROOT = Path(__file__).parents[2]
SMALL = 60
MATERIAL = Material(["A title", "Another"], [f"Sentence number {n} is here." for n in range(50)])


def quiet(_: str) -> None:
    """A Tell that tells nobody."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a very small "large" home is kept."""
    keep = tmp_path_factory.mktemp("keep")
    homes.large_home(keep, SMALL, quiet)
    return keep


# Figures


def test_a_target_is_met_on_its_own_side_only() -> None:
    assert Figure("a", 599, "ms", Target("<", 600)).met is True
    assert Figure("a", 600, "ms", Target("<", 600)).met is False
    assert Figure("a", 0.9, "x", Target(">=", 0.9)).met is True
    assert Figure("a", 0.89, "x", Target(">=", 0.9)).met is False
    assert Figure("a", 1, "x").met is None


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (600, "ms", "600 ms"),
        (3.14159, "ms", "3.1 ms"),
        (0.4, "s", "0.4 s"),
        (68.21, "/s", "68.2/s"),
    ],
)
def test_a_value_is_shown_with_its_unit(value: float, unit: Any, text: str) -> None:
    assert shown(value, unit) == text


def test_the_median_ignores_one_slow_run() -> None:
    waits = iter([0.0, 0.0, 0.05])
    runs = [lambda: __import__("time").sleep(next(waits))] * 3
    assert median_ms(runs) < 40


def test_the_table_says_what_was_missed(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    figures = [Figure("slow", 2.5, "s", Target("<", 1)), Figure("unbound", 7, "/s")]
    Console(width=100).print(command.table("name", figures))
    printed = capsys.readouterr().out
    slow = next(line for line in printed.splitlines() if "slow" in line)
    assert "2.5 s" in slow and "< 1 s" in slow and "MISSED" in slow
    assert "met" not in next(line for line in printed.splitlines() if "unbound" in line)


def test_an_unknown_benchmark_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["sacle"])
    assert ended.value.code == 2
    assert "'sacle'" in capsys.readouterr().err


def test_named_benchmarks_alone_are_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[tuple[str, Path]] = []

    def fake(name: str) -> command.Measure:
        def measure(keep: Path, tell: Any) -> list[Figure]:
            ran.append((name, keep))
            tell("at work")
            return [Figure(name, 1, "s")]

        return measure

    monkeypatch.setattr(command, "_benchmarks", lambda _: {n: fake(n) for n in ("one", "two")})
    command.main(["two", "--keep", str(tmp_path)])
    assert ran == [("two", tmp_path)]
    assert "two: at work" in capsys.readouterr().err


# The large corpus


def test_the_recombined_corpus_is_the_same_each_time_and_cut_exactly() -> None:
    made, again = list(recombined(MATERIAL, 41)), list(recombined(MATERIAL, 41))
    assert made == again
    assert sum(len(spans) for _, spans in made) == 41
    for article, spans in made:
        assert all(article.text[p.start : p.end] == p.text and p.text for p in spans)


def test_the_recombined_corpus_spreads_over_three_years_and_all_publishers() -> None:
    articles = [article for article, _ in recombined(MATERIAL, 4_000)]
    days = [article.published for article in articles if article.published]
    assert len(days) == len(articles)
    assert 1_000 < (max(days) - min(days)).days <= 3 * 365
    assert len({article.publisher for article in articles}) == 40


def test_random_vectors_are_unit_and_depend_on_the_text_alone() -> None:
    embedder = RandomEmbedder()
    vectors = embedder.encode(["a", "b", "a"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(vectors[0], vectors[2])
    assert abs(float(vectors[0] @ vectors[1])) < 0.5
    assert embedder.encode([]).shape == (0, 384)


def test_a_large_home_is_whole_and_made_once(large: Path) -> None:
    told: list[str] = []
    home, built = homes.large_home(large, SMALL, told.append)
    assert told == []
    assert built.store > 0 and built.words > 0 and built.vectors > 0
    library = Library.open(home)
    counts = library.counts()
    library.close()
    assert (counts.passages, counts.words, counts.vectors) == (SMALL, SMALL, SMALL)


def test_scale_measures_every_part(large: Path) -> None:
    figures = {figure.what: figure for figure in scale.measure(large, quiet, SMALL)}
    assert scale.TARGETS.keys() <= figures.keys()
    assert all(figure.value > 0 for figure in figures.values())
    assert figures["retrieval, one month"].target == Target("<", 120)
    assert figures["on disk: vectors"].value > SMALL * 384 * 4 / 1e6


@pytest.mark.parametrize("name", scale.SCOPES)
def test_the_scopes_differ_from_query_to_query(name: str) -> None:
    import random

    chance = random.Random(0)
    scopes = {scale.SCOPES[name](chance) for _ in range(20)}
    assert scopes == {Scope()} if name.endswith("no filter") else len(scopes) > 5


def test_peak_memory_is_that_of_this_process() -> None:
    code = (
        "from benchmarks.scale import peak_memory_mb as m; a = m(); bytearray(10**8); print(m()-a)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert 80 < float(done.stdout) < 130


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_bytes(b"x" * 500_000)
    assert homes.size_mb(tmp_path) == homes.size_mb(tmp_path / "inner" / "file") == 0.5


# Ask


def answered(total: int, retrieve: int, encoding: float, reason: str | None = None) -> ask.Asked:
    timings = {"retrieve": retrieve, "read": 1, "generate": 2, "verify": 3, "total": total}
    answer = Answer(
        "q", "q", "", reason is not None, reason, (), (), (), Window(), "extractive", "", timings
    )
    return ask.Asked(answer, encoding)


def test_encoding_is_taken_out_of_retrieval() -> None:
    asked = [answered(100, 30, 20.0), answered(300, 40, 20.0), answered(900, 90, 20.0, "no")]
    figures = {figure.what: figure for figure in ask.figures(asked)}
    assert figures["ask, warm"].value == 300
    assert figures["ask, warm"].beside == "slowest of 3: 900 ms"
    assert figures["retrieval beside encoding the query"].value == 20
    assert figures["  of it, verify"].value == 3
    assert figures["  of it, retrieve"].value == 35  # of those that were answered


def test_the_time_of_the_embedder_is_noted_and_its_vectors_are_passed_on() -> None:
    fake = FakeEmbedder(delay=0.01)
    timed = ask.TimedEmbedder(fake)
    vectors = timed.encode(["one", "two"], "query")
    assert np.array_equal(vectors, fake.encode(["one", "two"]))
    assert timed.spent >= 0.02
    assert timed.count_tokens("one") == fake.count_tokens("one")


def test_a_real_question_is_timed(bundled_home: Path) -> None:
    from rag.assistant import Assistant

    assistant = Assistant(home=bundled_home, model="extractive")
    timed = ask.TimedEmbedder(assistant.embedder)
    assistant.embedder = timed
    asked = ask.ask(assistant, timed, cold.QUESTION)
    assert asked.answer.hits
    assert 0 < asked.encoding < 1000 * timed.spent
    assert asked.encoding <= asked.answer.timings_ms["retrieve"] + 1


# Cold


def test_the_steps_of_a_cold_question_are_told_as_json(bundled_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.cold", str(bundled_home)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    steps = json.loads(done.stdout)
    assert {"loading the embedder", "importing chromadb", "the question itself"} <= steps.keys()
    assert all(taken >= 0 for taken in steps.values())


# Ingest


def test_ingest_embeds_the_texts_that_the_baseline_encodes(bundled_home: Path) -> None:
    fake = FakeEmbedder(max_tokens=4_000)
    texts = ingest.texts_of(Settings(home=bundled_home), fake)
    library = Library.open(bundled_home)
    count = library.counts().passages
    library.close()
    assert len(texts) == len(set(texts)) == count > 80
    assert all("\n" in text for text in texts), "a header stands above each passage"


def test_ingest_afresh_leaves_nothing_and_embeds_all() -> None:
    fake = FakeEmbedder()
    ingest.ingest_afresh(fake)
    once = len(fake.encoded)
    ingest.ingest_afresh(fake)
    assert once > 80 and len(fake.encoded) == 2 * once


def test_the_ratio_is_that_of_the_middle_round() -> None:
    times = {"ingest": [1.0, 2.0, 40.0], "bare": [1.2, 3.0, 4.0], "ours": [0.5, 1.0, 2.0]}
    values = [figure.value for figure in ingest.figures(times, 60, 8)]
    assert values == pytest.approx([30, 1.2, 60, 2.4])


def test_runs_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "ROUNDS", 2)
    order: list[str] = []
    runs = {name: (lambda name=name: order.append(name)) for name in ("one", "two")}
    times = ingest.in_turns(runs, quiet)
    assert order == ["one", "two", "one", "two"]
    assert [len(taken) for taken in times.values()] == [2, 2]


def test_the_fastest_batch_size_is_taken() -> None:
    import time

    def bare(texts: Any, size: int) -> None:
        time.sleep(0 if size == 32 else 0.02)

    assert ingest.best_batch_size(bare, ["a"], quiet) == 32
