"""Train the reader.

    python -m training.reader.train DATA OUT

DATA holds squad/questions.jsonl and qa/qamr.jsonl. OUT gets, every five minutes and when the run
is stopped with Ctrl+C or SIGTERM,

    weights.safetensors   what `training.reader.score` loads and `training.reader.ship` ships
    state.pt              with which the same command goes on where a stopped run was
    log.txt               loss, speed, and figures on held-out questions

The rate rises over the first steps and falls as a cosine to 0 at the last (Loshchilov and Hutter
2017). A run can be stopped and gone on with under another number of steps: the rate is then that of
the new curve at the step reached.
"""

from __future__ import annotations

import argparse
import math
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from corpus.embedding import BUILT_IN, locate
from rag.network import ReaderNet, build
from rag.windows import Encoder
from training.reader.batches import Group, batches, inputs, label, targets
from training.reader.data import Asked, read_questions
from training.reader.examples import Lookalikes, deal, held_out
from training.reader.loss import loss
from training.reader.measure import DEV_TITLES, Dev, dev_set, measure, read_news
from training.reader.score import TorchReader

HEAD_RATE = 5.0  # the heads begin from nothing: they learn so many times faster
WARMUP = 0.08  # share of the steps
CLIP = 1.0
DECAY = 0.01
DEV_SIZE = 100  # questions of each kind while training; the whole takes some 5 minutes on two cores


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run goes. Times in seconds."""

    steps: int = 2000
    batch: int = 16
    rate: float = 1.5e-4
    seed: int = 5
    bf16: bool = False
    device: str = "cpu"
    save_every: float = 300
    measure_every: float = 900


class Run:
    """A network under training, its optimizer, and the step it has reached."""

    def __init__(self, net: ReaderNet, plan: Plan, out: Path) -> None:
        self.net = net.to(plan.device).train()
        self.plan = plan
        self.step = 0
        self._out = out
        self._optimizer = torch.optim.AdamW(_parameters(net, plan.rate), weight_decay=DECAY)
        self._rates = [group["lr"] for group in self._optimizer.param_groups]

    def learn(self, groups: Sequence[Group]) -> float:
        """One step on one batch; gives its loss."""
        factor = rate_factor(self.step, self.plan.steps)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        value = self._loss(groups)
        self._optimizer.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), CLIP)
        self._optimizer.step()
        self.step += 1
        return value.item()

    def save(self) -> None:
        """Write weights and state, each whole or not at all."""
        from safetensors.torch import save_file

        trained = {n: w.detach().cpu().contiguous() for n, w in self.net.trained().items()}
        state = {"step": self.step, "net": trained, "optimizer": self._optimizer.state_dict()}
        _replace(self._out / "weights.safetensors", lambda path: save_file(trained, path))
        _replace(self._out / "state.pt", lambda path: torch.save(state, path))

    def resume(self) -> bool:
        """Go on from the state that is saved; whether there was one."""
        path = self._out / "state.pt"
        if not path.exists():
            return False
        state: dict[str, Any] = torch.load(path, map_location=self.plan.device, weights_only=True)
        self.net.load_trained(state["net"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        return True

    def _loss(self, groups: Sequence[Group]) -> Tensor:
        device = self.plan.device
        given = inputs([labelled.window for group in groups for labelled in group])
        with torch.autocast(device.split(":")[0], torch.bfloat16, enabled=self.plan.bf16):
            states = self.net.states(*_moved(given, device))
        logits = self.net.heads(states, given.sentence_of.to(device))
        gold = targets(groups)
        return loss(logits, type(gold)(*_moved(gold, device)))


class Log:
    """Lines with the time, on the terminal and in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, line: str) -> None:
        stamped = f"{time.strftime('%H:%M:%S')}  {line}"
        print(stamped, flush=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(stamped + "\n")


def rate_factor(step: int, steps: int) -> float:
    """The share of the full rate at `step` of `steps`.

    >>> [round(rate_factor(step, 100), 2) for step in (0, 7, 8, 54, 100)]
    [0.12, 1.0, 1.0, 0.5, 0.0]
    """
    warmup = max(1, round(steps * WARMUP))
    if step < warmup:
        return (step + 1) / warmup
    done = min(1.0, (step - warmup) / max(1, steps - warmup))
    return (1 + math.cos(math.pi * done)) / 2


def endless(
    asked: Sequence[Asked], snippets: Sequence[Asked], encoder: Encoder, plan: Plan
) -> Iterator[list[Group]]:
    """The batches of epoch after epoch, always the same for the same plan."""
    rivals = Lookalikes(asked)
    epoch = 0
    while True:
        rng = random.Random(plan.seed + epoch)
        groups = [label(encoder, example, rng) for example in deal(asked, snippets, rivals, rng)]
        yield from batches([group for group in groups if group], plan.batch, rng)
        epoch += 1


def train(run: Run, stream: Iterator[list[Group]], dev: Dev, encoder: Encoder, log: Log) -> None:
    """Learn until the plan's last step, saving and measuring on the way."""
    for _ in range(run.step):
        next(stream)
    saved = measured = time.monotonic()
    since, losses = time.monotonic(), list[float]()
    while run.step < run.plan.steps:
        losses.append(run.learn(next(stream)))
        now = time.monotonic()
        if len(losses) == 25 or run.step == run.plan.steps:
            pace = len(losses) / (now - since) * 60
            log(f"step {run.step}  loss {sum(losses) / len(losses):.3f}  {pace:.1f} steps/min")
            since, losses = now, []
        if now - saved > run.plan.save_every:
            run.save()
            saved = now
        if now - measured > run.plan.measure_every:
            log(f"step {run.step}  {_figures(run, dev, encoder)}")
            measured = since = time.monotonic()
            losses = []
    run.save()
    log(f"step {run.step}  {_figures(run, dev, encoder)}")


def main() -> None:
    """Train with the plan given on the command line, going on with what is in OUT."""
    data, out, threads, plan = _arguments()
    torch.set_num_threads(threads)
    torch.manual_seed(plan.seed)
    out.mkdir(parents=True, exist_ok=True)
    log = Log(out / "log.txt")
    squad = read_questions(data / "squad" / "questions.jsonl")
    snippets = read_questions(data / "qa" / "qamr.jsonl")
    asked, _ = held_out(squad, DEV_TITLES)
    folder = locate(BUILT_IN)
    encoder, run = Encoder(folder), Run(build(folder), plan, out)
    log(f"going on at step {run.step}" if run.resume() else f"new run: {plan}")
    stream = endless(asked, snippets, encoder, plan)
    dev = dev_set(squad, read_news(), DEV_SIZE)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        train(run, stream, dev, encoder, log)
    except KeyboardInterrupt:
        run.save()
        log(f"stopped and saved at step {run.step}")


def _arguments() -> tuple[Path, Path, int, Plan]:
    parser = argparse.ArgumentParser(description="Train the reader.")
    parser.add_argument("data", type=Path, help="folder with squad/questions.jsonl, qa/qamr.jsonl")
    parser.add_argument("out", type=Path, help="folder for weights, state and log")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=Plan().steps)
    parser.add_argument("--batch", type=int, default=Plan().batch)
    parser.add_argument("--rate", type=float, default=Plan().rate)
    parser.add_argument("--seed", type=int, default=Plan().seed)
    parser.add_argument("--device", default=Plan().device)
    parser.add_argument("--bf16", action="store_true", help="where the processor has it: 1.5 x")
    given = parser.parse_args()
    named = {f.name: getattr(given, f.name) for f in fields(Plan) if hasattr(given, f.name)}
    return given.data, given.out, given.threads, Plan(**named)


def _figures(run: Run, dev: Dev, encoder: Encoder) -> str:
    figures = measure(TorchReader(run.net, encoder), dev)
    run.net.train()
    return str(figures)


def _parameters(net: ReaderNet, rate: float) -> list[dict[str, Any]]:
    named = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
    encoder = [p for name, p in named if name.startswith("encoder.")]
    heads = [p for name, p in named if not name.startswith("encoder.")]
    return [{"params": encoder, "lr": rate}, {"params": heads, "lr": rate * HEAD_RATE}]


def _moved(value: Any, device: str) -> list[Tensor]:
    return [getattr(value, field.name).to(device) for field in fields(value)]


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    partial = path.with_name(path.name + ".partial")
    write(partial)
    partial.replace(path)


if __name__ == "__main__":
    main()
