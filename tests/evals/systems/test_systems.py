"""Which systems there are, and which models each is measured with."""

from __future__ import annotations

import pytest

from corpus.errors import UsageError
from evals.bench import Bench
from evals.systems import ABLATIONS, BASELINES, OURS, SYSTEMS, build, named, planned
from rag.generate import ExtractiveGenerator
from tests.evals.conftest import canned

pytestmark = pytest.mark.usefixtures("fake_reader")


def pairs(small: Bench, *names: str, models: bool = True) -> list[tuple[str, str]]:
    generators = [ExtractiveGenerator(), *([canned("So.")] if models else [])]
    built = (build(name, g, small) for name, g in planned(names, generators))
    return [(system.name, system.model) for system in built]


def test_the_names_are_those_of_the_help() -> None:
    assert (OURS, *BASELINES, *ABLATIONS) == SYSTEMS
    assert SYSTEMS == (
        "ours", "naive", "bm25", "no-bm25", "no-vectors", "no-rerank", "no-verifier", "no-gate",
    )  # fmt: skip


def test_names_are_kept_in_order_and_each_once() -> None:
    assert named(["bm25", "ours", "bm25"]) == ("bm25", "ours")
    assert named(["bm25", "all"]) == SYSTEMS
    assert named([]) == ()


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no system 'no-luck'") as caught:
        named(["ours", "no-luck"])
    assert all(name in caught.value.remedy for name in SYSTEMS)


def test_each_system_comes_with_the_models_that_make_a_difference(small: Bench) -> None:
    assert pairs(small, *SYSTEMS) == [
        ("ours", "extractive"),
        ("ours", "canned"),
        ("naive", "canned"),
        ("bm25", "extractive"),
        ("no-bm25", "extractive"),
        ("no-vectors", "extractive"),
        ("no-rerank", "extractive"),
        ("no-verifier", "canned"),
        ("no-gate", "extractive"),
    ]


def test_without_a_language_model_what_needs_one_is_left_out(small: Bench) -> None:
    with pytest.raises(UsageError, match="Nothing is left"):
        pairs(small, "naive", "no-verifier", models=False)
    assert pairs(small, "ours", "naive", "bm25", models=False) == [
        ("ours", "extractive"),
        ("bm25", "extractive"),
    ]


def test_all_names_in_one_run_differ(small: Bench) -> None:
    found = pairs(small, *SYSTEMS)
    assert len({f"{name}/{model}" for name, model in found}) == len(found)
