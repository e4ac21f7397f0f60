"""Stand-ins that obey the interfaces of the real parts, for tests without models or network."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.words import content_stems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class BagEncoder:
    """Encodes a text as its hashed bag of stemmed words: similar means sharing words."""

    def __init__(self, dimension: int = 512) -> None:
        self.dimension = dimension
        self.calls = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        self.calls += 1
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for stem in content_stems(text):
                vectors[row, zlib.crc32(stem.encode()) % self.dimension] += 1
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= np.maximum(norms, 1e-9)
        return vectors


class FakeEmbedder:
    """An Embedder of hashed words: unit vectors, counted calls, and no model behind them.

    `delay` is in seconds a passage; two fakes of different `seed` are different embedders.
    """

    def __init__(
        self, seed: int = 0, dimension: int = 64, max_tokens: int = 256, delay: float = 0.0
    ) -> None:
        self.name = f"fake-{seed}"
        self.fingerprint = f"{seed:016x}"
        self.dimension = dimension
        self.max_tokens = max_tokens
        self.delay = delay
        self.encoded: list[str] = []
        self._seed = seed

    def count_tokens(self, text: str) -> int:
        """Words and marks of `text`, and two for [CLS] and [SEP]."""
        return len(re.findall(r"\w+|[^\w\s]", text)) + 2

    def encode(self, texts: Sequence[str], role: str = "passage") -> NDArray[np.float32]:
        import numpy as np

        assert all(self.count_tokens(text) <= self.max_tokens for text in texts), "cut silently"
        self.encoded.extend(texts)
        time.sleep(self.delay * len(texts))
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in ("", *re.findall(r"\w+", text.lower())):
                hashed = zlib.crc32(word.encode("utf-8", "surrogatepass"), self._seed)
                vectors[row, hashed % self.dimension] += 1
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit
