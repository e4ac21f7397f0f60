from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch

from rag.windows import Encoder
from tests.training.conftest import tiny_net
from training.reader.data import Asked, Marked
from training.reader.measure import dev_set
from training.reader.train import Log, Plan, Run, endless, rate_factor, train

COLOURS = "red green blue black white grey".split()
ASKED = [
    Asked("Cars", f"What did the {colour} car cost?", Marked(f"The {colour} car cost ${n}.", span))
    for n, colour in enumerate(COLOURS)
    for span in [((14 + len(colour), 16 + len(colour)),)]
]
PLAN = Plan(steps=8, batch=4, rate=1e-2)


def a_run(out: Path, plan: Plan = PLAN) -> Run:
    return Run(tiny_net(), plan, out)


def weights(run: Run) -> dict[str, torch.Tensor]:
    return {name: w.clone() for name, w in run.net.trained().items()}


def test_the_answers_of_the_examples_are_the_prices() -> None:
    assert [one.passage.answers[0] for one in ASKED] == [f"${n}" for n in range(6)]


def test_the_loss_falls(tmp_path: Path, encoder: Encoder) -> None:
    run = a_run(tmp_path, Plan(steps=60, batch=4, rate=5e-3))
    batch = next(endless(ASKED, [], encoder, run.plan))
    losses = [run.learn(batch) for _ in range(60)]
    assert losses[-1] < 0.5 * losses[0]


def test_batches_are_the_same_each_time_and_differ_by_epoch(encoder: Encoder) -> None:
    def questions() -> list[int]:
        stream = endless(ASKED, [], encoder, PLAN)
        return [hash(one[0].window.ids) for batch in islice(stream, 40) for one in batch]

    first = questions()
    assert first == questions()
    assert first[:6] != first[6:12]


def test_a_stopped_run_ends_as_one_that_was_not(tmp_path: Path, encoder: Encoder) -> None:
    dev = dev_set([], [])
    (tmp_path / "a").mkdir()
    whole = a_run(tmp_path / "a")
    train(whole, endless(ASKED, [], encoder, PLAN), dev, encoder, Log(tmp_path / "a.txt"))

    (tmp_path / "b").mkdir()
    first = a_run(tmp_path / "b")
    for batch in islice(endless(ASKED, [], encoder, PLAN), 3):
        first.learn(batch)
    first.save()
    second = a_run(tmp_path / "b")
    assert second.resume()
    assert second.step == 3
    train(second, endless(ASKED, [], encoder, PLAN), dev, encoder, Log(tmp_path / "b.txt"))

    assert second.step == whole.step == 8
    for name, wanted in weights(whole).items():
        torch.testing.assert_close(weights(second)[name], wanted, msg=name)


def test_a_new_run_has_nothing_to_go_on_with(tmp_path: Path) -> None:
    assert not a_run(tmp_path).resume()


def test_frozen_embeddings_are_not_trained(tmp_path: Path, encoder: Encoder) -> None:
    run = a_run(tmp_path)
    before = run.net.state_dict()["encoder.embeddings.word_embeddings.weight"].clone()
    run.learn(next(endless(ASKED, [], encoder, PLAN)))
    after = run.net.state_dict()["encoder.embeddings.word_embeddings.weight"]
    assert torch.equal(before, after)


def test_training_writes_weights_state_and_log(tmp_path: Path, encoder: Encoder) -> None:
    run = a_run(tmp_path)
    train(run, endless(ASKED, [], encoder, PLAN), dev_set([], []), encoder, Log(tmp_path / "l.txt"))
    assert {path.name for path in tmp_path.iterdir()} == {
        "weights.safetensors",
        "state.pt",
        "l.txt",
    }
    assert "step 8  loss" in (tmp_path / "l.txt").read_text("utf-8")


@pytest.mark.parametrize("steps", [10, 100, 1500])
def test_the_rate_rises_to_1_and_falls_to_0(steps: int) -> None:
    rates = [rate_factor(step, steps) for step in range(steps + 1)]
    assert max(rates) == pytest.approx(1)
    assert rates[0] > 0
    assert rates[-1] == pytest.approx(0)
    assert rate_factor(steps + 50, steps) == pytest.approx(0)
