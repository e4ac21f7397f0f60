"""The plainest thing that could answer: BM25, and the sentences that share most words."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from corpus.article import Article, Passage
from corpus.lexical import stems
from corpus.sentences import sentence_spans
from evals.bench import Bench
from evals.systems.ours import RETRIEVED
from evals.systems.seam import Kind, Reply
from rag.answer import Answer, Hit, Verdict, Window
from rag.cite import Backed, answer_text, cite
from rag.features import Asked
from rag.followups import Turn

READ = 8  # hits, as many as ours
QUOTED = 3  # sentences, about as many as ours


@dataclass(slots=True)
class Bm25:
    """Quotes the sentences of the first hits that share most of the question's rare words.

    It always answers where any word is found. A follow-up is asked together with the question
    before it.
    """

    parts: Bench
    name: str = "bm25"
    kind: Kind = "baseline"
    model: str = "extractive"
    about: str = "BM25, and the three sentences that share most words with the question"

    def passages(self) -> Sequence[tuple[Passage, Article]]:
        return self.parts.passages()

    def reply(self, question: str, history: Sequence[Turn]) -> Reply:
        started = time.perf_counter()
        query = pasted(question, history)
        hits = self._hits(query)
        statements, citations = cite(self._best(query, hits[:READ]))
        answer = Answer(
            question=question,
            query=query,
            text=answer_text(statements),
            abstained=not statements,
            reason=None if statements else "No passage shares a word with the question.",
            statements=statements,
            citations=citations,
            hits=tuple(hits[:READ]),
            window=Window(),
            model=self.model,
            as_of=self.parts.library.newest() or "",
            timings_ms={"total": round(1000 * (time.perf_counter() - started))},
        )
        return Reply(answer, tuple(hits), None)

    def _hits(self, query: str) -> list[Hit]:
        scores = dict(self.parts.indexes.words.search(query, RETRIEVED))
        found = self.parts.library.passages(list(scores))
        return [Hit(passage, article, scores[passage.id]) for passage, article in found]

    def _best(self, query: str, hits: Sequence[Hit]) -> list[Backed]:
        asked = Asked.of(query, self.parts.indexes.words.rarity)
        sentences = [sentence for hit in hits for sentence in _sentences(asked, hit)]
        return sorted(sentences, key=lambda b: -b.verdict.support)[:QUOTED]


def pasted(question: str, history: Sequence[Turn]) -> str:
    """The question with the one before it, for systems that know no history.

    >>> pasted("And the price?", [Turn("When did Grok 4 come out?")])
    'When did Grok 4 come out? And the price?'
    """
    return " ".join([*(turn.question for turn in history[-1:]), question])


def _sentences(asked: Asked, hit: Hit) -> list[Backed]:
    found = []
    for start, end in sentence_spans(hit.passage.text):
        text = hit.passage.text[start:end]
        at = hit.passage.start + start
        share = asked.overlap(frozenset(stems(text)))
        found.append(Backed(text, hit, Verdict(share, "supported", at, at + end - start)))
    return found
