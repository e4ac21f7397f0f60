"""Stand-ins that obey the interfaces of the real parts, for tests without models or network."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from corpus.article import Article, Passage
from rag.answer import Answer, Citation, Hit, Statement, Window
from rag.assistant import Event, Stage
from rag.words import content_stems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from corpus.library import Library


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


class FakeAssistant:
    """An Assistant over a real Library that knows its answer, or its error, beforehand.

    It goes through the stages, `delay` seconds each, and remembers what it was asked.
    """

    def __init__(self, library: Library, outcome: Answer | Exception, delay: float = 0.0) -> None:
        self.library = library
        self.outcome = outcome
        self.delay = delay
        self.asked: list[dict[str, Any]] = []

    def stream(
        self,
        question: str,
        history: Sequence[Any] = (),
        since: str | None = None,
        until: str | None = None,
        publishers: Sequence[str] | None = None,
    ) -> Iterator[Event]:
        self.asked.append(
            {"question": question, "since": since, "until": until, "publishers": publishers}
        )
        for name in ("understanding", "searching", "reading", "writing", "checking"):
            yield Stage(name, question)
            time.sleep(self.delay)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        yield self.outcome


def answer_from(article: Article, quote: str, *, reason: str | None = None) -> Answer:
    """An answer that says `quote`, citing it; with a `reason`, an abstention near `article`."""
    start = article.text.index(quote)
    passage = Passage(article.id, article.revision, 0, len(article.text), article.text)
    citation = Citation(
        n=1,
        passage_id=passage.id,
        article_id=article.id,
        title=article.title,
        publisher=article.publisher,
        published=article.day,
        url=article.url,
        quote=quote,
        start=start,
        end=start + len(quote),
        revision=article.revision,
    )
    return Answer(
        question=quote,
        query=quote,
        text="The library does not answer this question." if reason else f"{quote} [1]",
        abstained=reason is not None,
        reason=reason,
        statements=() if reason else (Statement(quote, (1,), 0.91, "supported"),),
        citations=() if reason else (citation,),
        hits=(Hit(passage, article, 0.5),),
        window=Window(),
        model="extractive",
        as_of="2026-08-21",
        timings_ms={"total": 430},
    )
