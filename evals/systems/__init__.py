"""What is measured: Groundwire, Groundwire with one part switched off, and plain baselines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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


def systems(
    names: Sequence[str], parts: Bench, generators: Sequence[Generator]
) -> Iterator[System]:
    """The systems `names`, each with every one of `generators` that it can be measured with.

    `naive` needs a language model, and `bm25` none. Without a verifier only what a language model
    drafts can differ, since a quotation always passes.
    """
    from evals.systems.bm25 import Bm25
    from evals.systems.naive import Naive
    from evals.systems.ours import ours

    models = [generator for generator in generators if isinstance(generator, LLMGenerator)]
    for name in names:
        if name == "bm25":
            yield Bm25(parts)
        elif name == "naive":
            yield from (Naive(parts, model) for model in models)
        elif name == OURS:
            yield from (ours(parts, generator) for generator in generators)
        else:
            chosen = models if name == "no-verifier" else generators[:1]
            yield from (ours(parts, generator, name) for generator in chosen)
