"""How near two words are in meaning, so that "bought" finds "acquire".

    kinship(w, v) = 1                                if they share a stem
                    (cos(w, v) - 0.3) / 0.5, in 0..1  otherwise

A word is encoded by itself, once, and kept: the words of a question and of the 32 sentences read
for it are about 400, of which few are new after some questions. Unrelated words have a cosine of
about 0.2 under MiniLM, synonyms of 0.5 to 0.8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from corpus.embedding import Embedder, Vectors
from corpus.lexical import stems
from rag.words import FUNCTION_WORDS

# Not the full stop behind it: "cost." is less near to "price" (cosine 0.55) than "cost" (0.74).
WORD = re.compile(r"[$€£]?\w(?:[\w'’.,%-]*[\w%])?")
UNRELATED, SAME = 0.3, 0.8
Table = tuple[dict[str, int], Vectors]

KEPT_WORDS = 20_000  # 30 MB of vectors; then the table is emptied


class Kinship:
    """The table of words that were met, and their vectors."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._table: Table = {}, np.zeros((0, embedder.dimension), np.float32)

    def cover(self, wanted: Sequence[str], texts: Sequence[str]) -> NDArray[np.float32]:
        """For each text (row) the nearest kin in it of each wanted word (column), 0 to 1."""
        said = [content_words(text) for text in texts]
        vocabulary = list(dict.fromkeys(word for words in said for word in words))
        cover = np.zeros((len(texts), len(wanted)), np.float32)
        if not vocabulary or not wanted:
            return cover
        column = {word: at for at, word in enumerate(vocabulary)}
        kin = self._kin(wanted, vocabulary)
        for row, words in enumerate(said):
            if words:
                cover[row] = kin[:, [column[word] for word in words]].max(axis=1)
        return cover

    def _kin(self, wanted: Sequence[str], vocabulary: Sequence[str]) -> NDArray[np.float32]:
        cosines = self._lookup(wanted) @ self._lookup(vocabulary).T
        kin: NDArray[np.float32] = np.clip((cosines - UNRELATED) / (SAME - UNRELATED), 0, 1)
        for row, word in enumerate(wanted):
            own = set(word_stems(word))
            same = [at for at, other in enumerate(vocabulary) if own & set(word_stems(other))]
            kin[row, same] = 1
        return kin

    def _lookup(self, words: Sequence[str]) -> Vectors:
        rows, vectors = self._table
        if len(rows) > KEPT_WORDS:
            rows, vectors = {}, vectors[:0]
        new = [word for word in dict.fromkeys(words) if word not in rows]
        if new:
            rows = rows | {word: len(vectors) + at for at, word in enumerate(new)}
            vectors = np.concatenate([vectors, self._embedder.encode(new)])
            self._table = rows, vectors  # whole: another thread may do the same
        return vectors[[rows[word] for word in words]]


@lru_cache(maxsize=20_000)
def word_stems(word: str) -> tuple[str, ...]:
    """The stems of one word: two of "open-weight"."""
    return tuple(stems(word))


def content_words(text: str) -> list[str]:
    """The words of `text` that carry meaning, in lower case.

    >>> content_words("Who bought Windsurf for $3 billion?")
    ['bought', 'windsurf', '$3', 'billion']
    """
    return [word for word in _words(text) if word not in FUNCTION_WORDS and word_stems(word)]


def _words(text: str) -> Iterable[str]:
    return (match.group().lower() for match in WORD.finditer(text))
