"""Fresh processes: what a user of the terminal waits for, and what for.

`python -m benchmarks.cold HOME` is one such process; it prints the seconds of its steps as JSON.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cli
from benchmarks.figures import Figure, Target, Tell, seconds
from benchmarks.homes import bundled_home

RUNS = 5
QUESTION = "Has OpenAI released an open-weight model?"
COMMAND = (sys.executable, str(Path(cli.__file__)))
ASK = Target("<", 6)
HELP = Target("<", 0.4)


def measure(keep: Path, tell: Tell) -> list[Figure]:
    """Medians of whole commands, and of the steps of one question in a fresh process."""
    home = str(bundled_home(keep))
    asked = _median([*COMMAND, "ask", QUESTION, "--home", home], "ask", tell)
    helped = _median([*COMMAND, "--help"], "--help", tell)
    bare = _median([sys.executable, "-c", "pass"], "python alone", tell)
    beside = f"python alone: {bare:.2f} s"
    return [
        Figure("groundwire ask, cold", asked, "s", ASK, beside),
        *(Figure(f"  of it, {step}", taken, "s") for step, taken in _steps(home, tell).items()),
        Figure("groundwire --help", helped, "s", HELP, beside),
    ]


def _median(command: Sequence[str], name: str, tell: Tell) -> float:
    def run() -> None:
        subprocess.run(command, check=True, capture_output=True)

    times = [seconds(run) for _ in range(RUNS)]
    tell(f"{name}: {', '.join(f'{taken:.2f}' for taken in times)} s")
    return statistics.median(times)


def _steps(home: str, tell: Tell) -> dict[str, float]:
    """The median of each step over fresh processes."""
    command = [sys.executable, "-m", "benchmarks.cold", home]
    folder = Path(cli.__file__).parent
    runs = []
    for _ in range(RUNS):
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
        runs.append(json.loads(done.stdout))
    tell("steps done")
    return {step: statistics.median(run[step] for run in runs) for step in runs[0]}


def steps(home: Path) -> dict[str, float]:
    """Seconds of each step of a first question; meant for a process that has done nothing yet."""
    from rag.assistant import Assistant

    clock = _Clock()
    assistant = Assistant(home=home, model="extractive")
    clock.mark("settings", assistant.settings)
    clock.mark("opening the library", assistant.library)
    clock.mark("loading the embedder", assistant.embedder)
    clock.mark("importing chromadb", __import__("chromadb"))
    clock.mark("opening the indexes, first search", assistant.search(QUESTION))
    clock.mark("loading the verifier and reader", (assistant.verifier, assistant.reader))
    clock.mark("the question itself", assistant.ask(QUESTION))
    return clock.steps


class _Clock:
    """Seconds between marks."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self._last = time.perf_counter()

    def mark(self, step: str, _: object) -> None:
        """Note the time since the last mark, which went into making `_`, as that of `step`."""
        at = time.perf_counter()
        self.steps[step] = at - self._last
        self._last = at


if __name__ == "__main__":
    print(json.dumps(steps(Path(sys.argv[1]))))
