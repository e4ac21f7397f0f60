"""Which built-in generator is better: faithful first, then complete."""

from __future__ import annotations

from typing import Any

import pytest

from evals.report.verdict import auto_verdict, versus
from tests.evals.report.samples import answer, item, question, record, system


def made(*, right: int, faulty: int = 0, of: int = 20) -> dict[str, Any]:
    """`of` questions, of which `right` are answered well and `faulty` unfaithfully."""
    items = [
        item(
            question(str(n), "single"),
            answer("$3 since 5 May." if n < right else "It is red."),
            unsupported="wrong" if n < faulty else "",
        )
        for n in range(of)
    ]
    return system(items)


def test_of_equally_faithful_generators_the_more_complete_is_better() -> None:
    verdict = versus(("extractive", made(right=8)), ("smollm2", made(right=16)))
    assert (verdict.better, verdict.other) == ("smollm2", "extractive")
    margin = verdict.margins["vital_nugget_recall"]
    assert margin.value == pytest.approx(0.4)
    assert 0 < margin.low < margin.value < margin.high
    assert "vital nugget recall +0.400 [" in str(verdict)


def test_a_less_faithful_generator_is_not_better_however_complete() -> None:
    verdict = versus(("smollm2", made(right=20, faulty=2)), ("extractive", made(right=8)))
    assert verdict.better == "extractive"
    assert verdict.faithfulness == (1.0, 0.9)
    assert verdict.margins["answer_match"].value == pytest.approx(-0.6)


def test_the_verdict_on_auto_needs_both_built_in_models() -> None:
    extractive = made(right=8)
    smollm2 = {**made(right=4), "model": "smollm2"}
    assert auto_verdict(record({"ours/extractive": extractive})) is None
    ablation = {**smollm2, "kind": "ablation"}
    assert auto_verdict(record({"ours/extractive": extractive, "off": ablation})) is None
    verdict = auto_verdict(record({"ours/extractive": extractive, "ours/smollm2": smollm2}))
    assert verdict is not None
    assert verdict.better == "extractive"
