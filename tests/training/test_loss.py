from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
import torch

from rag.network import NEVER, Logits
from training.reader.loss import Targets, loss, rank

GOLD = Targets(
    group=torch.tensor([0, 0]),
    passage=torch.tensor([1.0, 0.0]),
    sentence=torch.tensor([[0.0, 1.0], [0.0, 0.0]]),
    real=torch.tensor([[True, True], [True, False]]),
    start=torch.tensor([2, 0]),
    end=torch.tensor([3, 0]),
)
PERFECT = Logits(
    passage=torch.tensor([4.0, -4.0]),
    sentence=torch.tensor([[-4.0, 4.0], [-4.0, NEVER]]),
    start=torch.tensor([[0.0, 0, 9, 0], [9, 0, 0, 0]]),
    end=torch.tensor([[0.0, 0, 0, 9], [9, 0, 0, 0]]),
)


def with_(**changed: Any) -> float:
    return loss(dataclasses.replace(PERFECT, **changed), GOLD).item()


def test_what_is_right_costs_little() -> None:
    assert with_() < 0.5


@pytest.mark.parametrize(
    "wrong",
    [
        {"passage": torch.tensor([-4.0, 4.0])},
        {"sentence": torch.tensor([[4.0, -4.0], [-4.0, NEVER]])},
        {"sentence": torch.tensor([[-4.0, 4.0], [8.0, NEVER]])},
        {"start": PERFECT.start.flip(0)},
        {"end": PERFECT.end.flip(0)},
    ],
    ids=["passage", "sentence", "sentence of the rival", "start", "end"],
)
def test_each_head_pays_for_its_own_mistakes(wrong: dict[str, Any]) -> None:
    assert with_(**wrong) > with_() + 1


def test_a_sentence_that_is_not_there_costs_nothing() -> None:
    assert with_(sentence=torch.tensor([[-4.0, 4.0], [-4.0, 50.0]])) == with_()


def test_a_rank_looks_at_its_own_group_alone() -> None:
    scores, right = torch.tensor([1.0, 0.0, 9.0]), torch.tensor([True, False, False])
    together = rank(scores, right, torch.tensor([0, 0, 0]))
    apart = rank(scores, right, torch.tensor([0, 0, 1]))
    assert apart.item() == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-6)
    assert together > 8


def test_right_ones_do_not_compete_with_each_other() -> None:
    scores, group = torch.tensor([5.0, -5.0]), torch.zeros(2)
    assert rank(scores, torch.tensor([True, True]), group).item() == pytest.approx(0)


def test_without_a_right_one_there_is_nothing_to_rank() -> None:
    scores = torch.tensor([1.0, 2.0], requires_grad=True)
    value = rank(scores, torch.tensor([False, False]), torch.zeros(2))
    assert value.item() == 0
    value.backward()  # type: ignore[no-untyped-call]
