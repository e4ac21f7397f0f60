"""A reader through torch, as it is measured while it is trained, on whatever device it is on.

>>> reader = TorchReader.load(Path("runs/reader/weights.safetensors"))      # doctest: +SKIP
>>> reader.score("What did it cost?", ["It came in May. It cost $3."])      # doctest: +SKIP
[PassageScore(logit=2.1, sentences=(...), answer=(24, 26), margin=4.2)]
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from corpus.embedding import BUILT_IN, locate
from rag.network import ReaderNet, load
from rag.trained import PassageScore, feed, read, score
from rag.windows import Encoder, Window


class TorchReader:
    """A network with the tokenizer that goes with it. Making one ends the network's training."""

    def __init__(self, net: ReaderNet, encoder: Encoder) -> None:
        self._net = net.eval()
        self._encoder = encoder
        self._device = next(net.parameters()).device

    @classmethod
    def load(cls, weights: Path) -> TorchReader:
        """The reader with the trained `weights` over the installed encoder.

        Raises ModelError when the weights are missing, damaged or of another network.
        """
        return cls(load(weights), Encoder(locate(BUILT_IN)))

    def score(self, question: str, passages: Sequence[str]) -> list[PassageScore]:
        """Score each passage and each of its sentences, in the order given."""
        return self.score_pairs([(question, passage) for passage in passages])

    def score_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[PassageScore]:
        """Score pairs of question and passage; those of similar length go through together."""
        return score(pairs, self._encoder, self._read)

    def _read(self, windows: Sequence[Window]) -> list[PassageScore]:
        given = [torch.from_numpy(one).to(self._device) for one in feed(windows)]
        with torch.inference_mode():
            values, logits = (found.cpu() for found in self._net(*given))
        return [read(*one) for one in zip(windows, values.numpy(), logits.tolist(), strict=True)]
