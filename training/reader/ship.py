"""Put a trained reader's weights where Groundwire ships them from.

    python -m training.reader.ship WEIGHTS

writes rag/models/reader.safetensors: the weights of a training run in half precision, which moves
scores by 0.001 on average (0.010 at most, of 344), with a note of what made them. The same weights
always make the same file, byte for byte.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from corpus.embedding import BUILT_IN
from corpus.errors import ModelError
from rag.network import load
from rag.trained import WEIGHTS

LARGEST = 50_000_000  # bytes of a file that may stand in the repository
DATA = ("SQuAD 1.1 and 2.0, development sets (CC BY-SA 4.0)", "QAMR (MIT)")


def ship(weights: Path, target: Path) -> int:
    """Write `weights` to `target` in half precision; gives its size in bytes.

    Raises ModelError when they are missing, damaged, of another network, too large for half
    precision, or the file would be over 50 MB. `target` is then as it was.
    """
    from safetensors.numpy import save

    halves = {name: w.half().numpy() for name, w in load(weights).trained().items()}
    endless = [name for name, half in halves.items() if not np.isfinite(half).all()]
    if endless:
        raise ModelError(
            f"{weights} has numbers that half precision can't hold, in {endless[0]}.",
            "Train again with a lower rate.",
        )
    # One key alone: safetensors writes several in an order that differs from run to run.
    content = save(halves, {"about": json.dumps(about(weights))})
    if len(content) > LARGEST:
        raise ModelError(
            f"{weights} makes a file of {len(content) / 1e6:.0f} MB, and {LARGEST / 1e6:.0f} fit.",
            "Train a smaller network.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    partial.write_bytes(content)
    partial.replace(target)
    return len(content)


def about(weights: Path) -> dict[str, object]:
    """What made the weights: command, encoder, steps (null where state.pt isn't beside), data."""
    return {
        "made_by": "python -m training.reader.train",
        "encoder": BUILT_IN,
        "steps": _steps(weights.with_name("state.pt")),
        "data": DATA,
    }


def _steps(state: Path) -> int | None:
    import torch

    if not state.exists():
        return None
    return int(torch.load(state, map_location="cpu", weights_only=True, mmap=True)["step"])


def main() -> None:
    """Ship the weights named on the command line."""
    parser = argparse.ArgumentParser(description="Ship a trained reader.")
    parser.add_argument("weights", type=Path, help="weights.safetensors of a training run")
    given = parser.parse_args()
    size = ship(given.weights, WEIGHTS)
    print(f"{WEIGHTS}: {size / 1e6:.1f} MB, {json.dumps(about(given.weights))}")


if __name__ == "__main__":
    main()
