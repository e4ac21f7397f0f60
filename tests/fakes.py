"""Stand-ins that obey the interfaces of the real parts, for tests without models or network."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from corpus.article import Article, Passage
from corpus.sentences import sentence_spans
from rag.answer import Answer, Citation, Evidence, Hit, Statement, Verdict, Window
from rag.assistant import Event, Stage
from rag.evidence import Reading
from rag.trained import PassageScore, SentenceScore
from rag.verify import Pair
from rag.words import content_stems, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from corpus.library import Library

# The publishers of a library, as questions are read against them.
LIBRARY = (
    "OpenAI",
    "Anthropic",
    "Google DeepMind",
    "Mistral AI",
    "The Verge",
    "TechCrunch",
    "Wired",
    "Nature",
    "The Information",
    "The New York Times",
    "CNBC | World Business News Leader",
    "Business Today",
)


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


class FakeReader:
    """A Reader: every sentence of the hits, those that share most words with the question first.

    What it finds answers the question with the probability `answerable`, of which 0.5 is needed,
    and 0.7 not to be doubtful.
    """

    fingerprint = "fake"

    def __init__(self, answerable: float = 0.9) -> None:
        self.answerable = answerable
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def read(self, question: str, parts: Sequence[str], hits: Sequence[Hit]) -> Reading:
        self.asked.append((question, tuple(parts)))
        wanted = set(words(question))
        evidence = [evidence_at(hit, a, b) for hit in hits for a, b in spans_of(hit)]
        evidence.sort(key=lambda item: -len(wanted & set(words(item.text))))
        return Reading(tuple(evidence), self.answerable if evidence else 0.0, 0.5, 0.7)


class FakeScorer:
    """Scores a sentence by how many of the question's stems it has."""

    fingerprint = "fake"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def score(self, question: str, passages: Sequence[str]) -> list[PassageScore]:
        self.asked.append(question)
        return [self._passage(set(content_stems(question)), text) for text in passages]

    def _passage(self, wanted: set[str], text: str) -> PassageScore:
        found = [
            SentenceScore(span, 2.0 * len(wanted & set(content_stems(text[slice(*span)]))) - 3)
            for span in sentence_spans(text)
        ]
        best = max(found, key=lambda one: one.logit, default=SentenceScore((0, 0), -9.0))
        return PassageScore(best.logit, tuple(found), best.span, best.logit)


class FakeVerifier:
    """A Verifier: a statement is supported by a passage that has what it quotes, or all of it.

    Sentences of `refused` are never supported, whatever the passage says.
    """

    fingerprint = "fake"

    def __init__(self, refused: Collection[str] = ()) -> None:
        self.refused = refused
        self.pairs: list[Pair] = []

    def verify(self, pairs: Sequence[Pair]) -> list[Verdict]:
        self.pairs.extend(pairs)
        return [self._verdict(pair) for pair in pairs]

    def _verdict(self, pair: Pair) -> Verdict:
        quoted = re.search("“(.*)”", pair.statement)
        said = quoted[1] if quoted else pair.statement
        for start, end in spans_of(pair.hit):
            sentence = pair.hit.article.text[start:end]
            if said in sentence and not any(text in sentence for text in self.refused):
                return Verdict(1.0, "supported", start, end)
        start, end = spans_of(pair.hit)[0]
        return Verdict(0.1, "unsupported", start, end, ("nothing says so",))


class FakeGenerator:
    """A Generator that drafts the given pieces, and leaves a remark where it has one."""

    name = "fake"

    def __init__(self, *pieces: str, remark: str = "") -> None:
        self.pieces = pieces
        self.remark = remark

    def draft(self, question: str, evidence: Sequence[Evidence], notes: list[str]) -> Iterator[str]:
        if self.remark:
            notes.append(self.remark)
        yield from self.pieces


def spans_of(hit: Hit) -> list[tuple[int, int]]:
    """The spans of the sentences of a hit, in its article."""
    start = hit.passage.start
    return [(start + a, start + b) for a, b in sentence_spans(hit.passage.text)]


def evidence_at(hit: Hit, start: int, end: int, score: float = 0.9) -> Evidence:
    """The evidence `article.text[start:end]`."""
    return Evidence(hit, start, end, hit.article.text[start:end], score)


def hit_on(article: Article, start: int = 0, end: int | None = None, score: float = 0.5) -> Hit:
    """A hit on a passage of `article`, the whole of it if no span is given."""
    text = article.text[start:end]
    return Hit(
        Passage(article.id, article.revision, start, start + len(text), text), article, score
    )
