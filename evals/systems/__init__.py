"""What is measured: Groundwire, Groundwire with one part switched off, and plain baselines."""

from __future__ import annotations

from collections.abc import Sequence

from corpus.errors import UsageError
from evals.bench import Bench
from evals.systems.seam import System
from rag.generate import Generator, LLMGenerator

OURS = "ours"
BASELINES = ("naive", "bm25")
# In this order: what each part buys is read against the first.
ABLATIONS = ("no-bm25", "no-vectors", "no-rerank", "no-verifier", "no-gate")
SYSTEMS = (OURS, *BASELINES, *ABLATIONS)


def named(names: Sequence[str]) -> tuple[str, ...]:
    """The systems called `names` without repetition; all of them for "all".

    Raises UsageError for a name that there isn't.
    """
    if unknown := [name for name in names if name not in (*SYSTEMS, "all")]:
        raise UsageError(
            f"There is no system {unknown[0]!r}.", f"Use one of: {', '.join(SYSTEMS)}, all."
        )
    return SYSTEMS if "all" in names else tuple(dict.fromkeys(names))


def planned(names: Sequence[str], generators: Sequence[Generator]) -> list[tuple[str, Generator]]:
    """Which system is measured with which generator.

    `naive` needs a language model, `bm25` and the ablations are measured with the first generator
    alone. Without a verifier only what a language model drafts can differ, since a quotation
    always passes. Raises UsageError where nothing is left.
    """
    models = [generator for generator in generators if isinstance(generator, LLMGenerator)]
    chosen: dict[str, Sequence[Generator]] = {OURS: generators, "naive": models}
    chosen["no-verifier"] = models
    plan = [(name, g) for name in names for g in chosen.get(name, generators[:1])]
    if not plan:
        raise UsageError(
            "Nothing is left to measure: naive and no-verifier need a language model.",
            "Fetch one: groundwire models pull smollm2",
        )
    return plan


def build(name: str, generator: Generator, parts: Bench) -> System:
    """The system called `name` over the bench."""
    from evals.systems.bm25 import Bm25
    from evals.systems.naive import Naive
    from evals.systems.ours import ours

    if name == "bm25":
        return Bm25(parts)
    if name == "naive" and isinstance(generator, LLMGenerator):
        return Naive(parts, generator)
    return ours(parts, generator, "" if name == OURS else name)
