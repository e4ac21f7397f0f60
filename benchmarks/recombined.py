"""A large corpus made of the sentences of the small one, and vectors that cost nothing.

Both are the same in every run: all chance comes from a seed, or from the text itself.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from corpus.article import Article, Passage
from corpus.embedding import Role, Vectors
from corpus.sentences import split_sentences
from ingest.bundled import bundled_articles
from ingest.files import Imported

PASSAGES_EACH = 4  # passages an article
SENTENCES_EACH = 7  # sentences a passage: about 200 tokens, as the chunker cuts them
PUBLISHERS = 40
FIRST_DAY = datetime(2023, 9, 1, tzinfo=UTC)
DAYS = 3 * 365
DIMENSION = 384


@dataclass(frozen=True, slots=True)
class Material:
    """What large corpora are made of."""

    titles: Sequence[str]
    sentences: Sequence[str]

    @classmethod
    def bundled(cls) -> Material:
        """The titles and sentences of the bundled corpus."""
        articles = [item.article for item in bundled_articles() if isinstance(item, Imported)]
        return cls(
            titles=[article.title for article in articles],
            sentences=[s for article in articles for s in split_sentences(article.text)],
        )


def recombined(
    material: Material, passages: int, seed: int = 0
) -> Iterator[tuple[Article, list[Passage]]]:
    """Articles with `passages` passages in all, spread over three years and 40 publishers.

    >>> material = Material(["A title"], ["One sentence.", "Another one."])
    >>> [len(spans) for _, spans in recombined(material, 10)]
    [4, 4, 2]
    """
    chance = random.Random(seed)
    for number, first in enumerate(range(0, passages, PASSAGES_EACH)):
        count = min(PASSAGES_EACH, passages - first)
        texts = [
            " ".join(chance.choices(material.sentences, k=SENTENCES_EACH)) for _ in range(count)
        ]
        article = Article(
            title=chance.choice(material.titles),
            text="\n\n".join(texts),
            url=f"https://example.org/{number}",
            publisher=publisher(chance.randrange(PUBLISHERS)),
            published=FIRST_DAY + timedelta(days=chance.randrange(DAYS)),
            date_found="import",
        )
        yield article, list(_passages(article, texts))


def publisher(number: int) -> str:
    """The name of publisher `number`."""
    return f"Publisher {number}"


def _passages(article: Article, texts: Sequence[str]) -> Iterator[Passage]:
    start = 0
    for text in texts:
        yield Passage(article.id, article.revision, start, start + len(text), text)
        start += len(text) + len("\n\n")


class RandomEmbedder:
    """An Embedder of random unit vectors, the same for the same text: no model, no waiting.

    Random vectors lie equally far from each other, which is the hardest case for an approximate
    index; real ones are found no slower.
    """

    name = "random"
    fingerprint = "random-384"
    dimension = DIMENSION
    max_tokens = 100_000

    def count_tokens(self, text: str) -> int:
        """Words of `text`."""
        return len(text.split())

    def encode(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        """Unit vectors of shape (n, 384)."""
        rows = [_random_vector(text) for text in texts]
        return np.array(rows, np.float32).reshape(len(texts), DIMENSION)


def _random_vector(text: str) -> Vectors:
    chance = np.random.default_rng(zlib.crc32(text.encode()))
    vector = chance.standard_normal(DIMENSION, dtype=np.float32)
    unit: Vectors = vector / np.linalg.norm(vector)
    return unit
