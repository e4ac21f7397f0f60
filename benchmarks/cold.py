"""Fresh processes: what a user of the terminal waits for, and what for.

`python -m benchmarks.cold HOME` is one such process; it prints the seconds of its steps as JSON.
Nothing of Groundwire is imported here before the clock runs.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.figures import Figure, Target, Tell, seconds

RUNS = 5
QUESTION = "Has OpenAI released an open-weight model?"
ROOT = Path(__file__).parents[1]
COMMAND = (sys.executable, str(ROOT / "cli.py"))
ASK = Target("<", 6)
HELP = Target("<", 0.4)


def measure(keep: Path, tell: Tell) -> list[Figure]:
    """Medians of whole commands, and of the steps of one question in a fresh process."""
    from benchmarks.homes import bundled_home

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
    runs = []
    for _ in range(RUNS):
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
        runs.append(json.loads(done.stdout))
    tell("steps done")
    return {step: statistics.median(run[step] for run in runs) for step in runs[0]}


def steps(home: Path) -> dict[str, float]:
    """Seconds of each step of a first question; meant for a process that has done nothing yet."""
    clock = _Clock()
    for name in ("rag.assistant", "corpus.settings", "corpus.library", "corpus.embedding"):
        import_module(name)
    clock.mark("importing ourselves, SQLAlchemy, pydantic, numpy")
    import_module("chromadb")
    clock.mark("importing chromadb")
    from rag.assistant import Assistant

    assistant = Assistant(home=home, model="extractive")
    assistant.embedder.encode([QUESTION], "query")
    clock.mark("loading the embedder")
    assistant.search(QUESTION)
    clock.mark("opening library and indexes, first search")
    assistant.ask(QUESTION)
    clock.mark("the question itself")
    return clock.steps


class _Clock:
    """Seconds between marks."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self._last = time.perf_counter()

    def mark(self, step: str) -> None:
        """Note the time since the last mark as that of `step`."""
        at = time.perf_counter()
        self.steps[step] = at - self._last
        self._last = at


if __name__ == "__main__":
    print(json.dumps(steps(Path(sys.argv[1]))))
