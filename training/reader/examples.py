"""Questions → examples: one question with the passages that training ranks for it.

Three kinds, dealt anew in each epoch:

    answerable   the right passage and, most times, a rival: a paragraph of the same article that
                 shares rare words with the question and doesn't hold its answer
    impossible   SQuAD 2.0's questions that only seem to be answered by their passage, alone
    snippets     a sentence asked about (QAMR) among other sentences of its source, shuffled as news
                 snippets are; and, half the time, the same sentences without the one that answers
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.words import content_stems
from training.reader.data import Asked, Marked

RIVAL_SHARE = (
    0.6  # of the answerable questions get a rival: one each would make an epoch 16 % longer
)
RIVALS = 4  # a rival is drawn among so many that look most alike
SNIPPETS = range(3, 7)  # sentences a passage of snippets
SNIPPET_SHARE = 0.15  # as many snippets as this share of the other questions: few, repeated texts


@dataclass(frozen=True, slots=True)
class Example:
    """A question and its passages. At most the first one answers it."""

    question: str
    passages: tuple[Marked, ...]


class Lookalikes:
    """Finds paragraphs of an article that look as if they answered a question.

    Score: the sum of log(N / n) over the stems that question and paragraph share, where n of the
    article's N paragraphs hold the stem.
    """

    def __init__(self, asked: Iterable[Asked]) -> None:
        by_title: defaultdict[str, dict[str, frozenset[str]]] = defaultdict(dict)
        for one in asked:
            by_title[one.title].setdefault(one.passage.text, _stems(one.passage.text))
        self._paragraphs: Mapping[str, dict[str, frozenset[str]]] = by_title
        self._rarity = {title: _rarity(texts.values()) for title, texts in by_title.items()}

    def of(self, asked: Asked, k: int) -> list[str]:
        """The `k` paragraphs, other than its own, most like the question, best first.

        Those that hold one of its answers are left out: they may well answer it.
        """
        rarity, wanted = self._rarity[asked.title], _stems(asked.question)
        answers = [answer.casefold() for answer in asked.passage.answers]
        scored = [
            (-sum(rarity[stem] for stem in wanted & stems), text)
            for text, stems in self._paragraphs[asked.title].items()
            if text != asked.passage.text and not _holds(text, answers)
        ]
        return [text for _, text in sorted(scored)[:k]]


def deal(
    asked: Sequence[Asked], snippets: Sequence[Asked], rivals: Lookalikes, rng: random.Random
) -> list[Example]:
    """The examples of one epoch: each of `asked` once, and some of `snippets`, shuffled."""
    examples = [_example(one, rivals, rng) for one in asked]
    count = min(len(snippets), round(len(asked) * SNIPPET_SHARE))
    by_source = _by_title(snippets)
    drawn = rng.sample(snippets, count)
    examples += [_snippets(one, by_source[one.title], rng) for one in drawn]
    rng.shuffle(examples)
    return examples


def held_out(asked: Iterable[Asked], titles: Iterable[str]) -> tuple[list[Asked], list[Asked]]:
    """The questions to train on, and those about the articles `titles`, kept for measuring."""
    kept, every = frozenset(titles), list(asked)
    train = [one for one in every if one.title not in kept]
    return train, [one for one in every if one.title in kept]


def _example(asked: Asked, rivals: Lookalikes, rng: random.Random) -> Example:
    passages = [asked.passage]
    if asked.passage.spans and rng.random() < RIVAL_SHARE and (found := rivals.of(asked, RIVALS)):
        passages.append(Marked(rng.choice(found)))
    return Example(asked.question, tuple(passages))


def _snippets(asked: Asked, sentences: Sequence[str], rng: random.Random) -> Example:
    others = rng.sample(sentences, rng.choice(SNIPPETS))
    others = [text for text in others if text != asked.passage.text]
    place = rng.randrange(len(others) + 1)
    before = "".join(f"{text} " for text in others[:place])
    text = " ".join([*others[:place], asked.passage.text, *others[place:]])
    spans = tuple((start + len(before), end + len(before)) for start, end in asked.passage.spans)
    passages = [Marked(text, spans)]
    if rng.random() < 0.5:
        passages.append(Marked(" ".join(others)))
    return Example(asked.question, tuple(passages))


def _by_title(asked: Iterable[Asked]) -> dict[str, list[str]]:
    texts: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for one in asked:
        texts[one.title][one.passage.text] = None
    return {title: list(distinct) for title, distinct in texts.items()}


def _rarity(paragraphs: Iterable[frozenset[str]]) -> dict[str, float]:
    texts = list(paragraphs)
    holding = Counter(stem for stems in texts for stem in stems)
    return {stem: math.log(len(texts) / count) for stem, count in holding.items()}


def _holds(text: str, answers: Iterable[str]) -> bool:
    folded = text.casefold()
    return any(answer in folded for answer in answers)


@lru_cache(maxsize=50_000)
def _stems(text: str) -> frozenset[str]:
    return frozenset(content_stems(text))
