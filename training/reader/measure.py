"""Figures of a reader on questions that training doesn't see.

python -m training.reader.measure DATA WEIGHTS

f1                words of the answer's span right, on answerable questions of SQuAD
exact             ... all of them right
top1              the best sentence of five passages, the right one and four rivals of the same
                  article, is one that holds the answer
passages          AUROC of the right passage against its rivals
impossible        AUROC of answerable against impossible questions, by the passage's logit
impossible_span   the same by the margin of the answer's span
news_top1         as top1, on questions asked by hand about bundled articles
news_top3         ... one of the best three sentences
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from corpus.sentences import Span
from evals.metrics.answers import exact_match, f1
from evals.metrics.classification import auroc
from evals.questions import Question, bundled_articles, load_questions
from rag.trained import PassageScore
from training.reader.data import Asked, Marked, read_questions
from training.reader.examples import Lookalikes, held_out
from training.reader.score import TorchReader

# Articles of SQuAD kept from training: politics, money, places, an institution; one (Kenya) of
# SQuAD 1.1 alone, so without impossible questions.
DEV_TITLES = (
    "Amazon_rainforest",
    "Economic_inequality",
    "Harvard_University",
    "Kenya",
    "Scottish_Parliament",
)
RIVALS = 4
SEED = 11
NEWS = Path("evals/calibration.jsonl")


@dataclass(frozen=True, slots=True)
class Dev:
    """What is measured on: passages of SQuAD, answered or not, and of the news, with rivals."""

    answerable: tuple[tuple[Asked, tuple[str, ...]], ...]
    impossible: tuple[Asked, ...]
    news: tuple[tuple[Asked, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures, each between 0 and 1; None where there is nothing to compare."""

    f1: float | None
    exact: float | None
    top1: float | None
    passages: float | None
    impossible: float | None
    impossible_span: float | None
    news_top1: float | None
    news_top3: float | None

    def __str__(self) -> str:
        return "  ".join(
            f"{name} {'-' if value is None else format(value, '.3f')}"
            for name, value in asdict(self).items()
        )


def dev_set(squad: Sequence[Asked], news: Sequence[Asked], size: int | None = None) -> Dev:
    """At most `size` questions of each kind, always the same ones; all of them by default."""
    _, dev = held_out(squad, DEV_TITLES)
    answerable = [one for one in dev if one.passage.spans]
    return Dev(
        answerable=_with_rivals(_some(answerable, size), Lookalikes(dev)),
        impossible=tuple(_some([one for one in dev if not one.passage.spans], size)),
        news=_with_rivals(_some(news, size), _lookalikes_of_news()),
    )


def measure(reader: TorchReader, dev: Dev) -> Figures:
    """The figures of `reader` on `dev`."""
    found = [_read(reader, asked, rivals) for asked, rivals in dev.answerable]
    news = [_read(reader, asked, rivals) for asked, rivals in dev.news]
    none = reader.score_pairs([(one.question, one.passage.text) for one in dev.impossible])
    asked = [one for one, _ in dev.answerable]
    said = [(_said(one, scores[0]), one) for one, scores in zip(asked, found, strict=True)]
    right = [True] * len(found)
    return Figures(
        f1=_mean([f1(text, one.passage.answers) for text, one in said]),
        exact=_mean([exact_match(text, one.passage.answers) for text, one in said]),
        top1=_top(asked, found, 1),
        passages=auroc(
            [score.logit for scores in found for score in scores],
            [n == 0 for scores in found for n in range(len(scores))],
        ),
        impossible=auroc(
            [scores[0].logit for scores in found] + [score.logit for score in none],
            right + [False] * len(none),
        ),
        impossible_span=auroc(
            [scores[0].margin for scores in found] + [score.margin for score in none],
            right + [False] * len(none),
        ),
        news_top1=_top([one for one, _ in dev.news], news, 1),
        news_top3=_top([one for one, _ in dev.news], news, 3),
    )


def news_questions(questions: Sequence[Question], articles: dict[str, str]) -> list[Asked]:
    """The questions without history whose evidence is one paragraph's, asked about it."""
    asked = []
    for one in questions:
        quotes = [quote.text for quote in one.evidence]
        homes = [p for body in articles.values() for p in _paragraphs(body) if _all_in(quotes, p)]
        if quotes and homes and not one.history:
            spans = tuple((homes[0].index(q), homes[0].index(q) + len(q)) for q in quotes)
            asked.append(Asked("news", one.question, Marked(homes[0], spans)))
    return asked


def top(scores: Sequence[PassageScore], right: Sequence[Span], k: int) -> bool:
    """Whether a best-k sentence of all passages overlaps a span of `right` in the first passage."""
    ranked = sorted(
        (
            (one.logit, n == 0, one.span)
            for n, score in enumerate(scores)
            for one in score.sentences
        ),
        reverse=True,
    )
    return any(
        first and span[0] < end and start < span[1]
        for _, first, span in ranked[:k]
        for start, end in right
    )


def _read(reader: TorchReader, asked: Asked, rivals: Sequence[str]) -> list[PassageScore]:
    return reader.score(asked.question, [asked.passage.text, *rivals])


def _top(asked: Sequence[Asked], found: Sequence[list[PassageScore]], k: int) -> float | None:
    return _mean(
        [float(top(scores, one.passage.spans, k)) for one, scores in zip(asked, found, strict=True)]
    )


def _said(asked: Asked, score: PassageScore) -> str:
    return asked.passage.text[score.answer[0] : score.answer[1]]


def _with_rivals(
    asked: Sequence[Asked], lookalikes: Lookalikes
) -> tuple[tuple[Asked, tuple[str, ...]], ...]:
    return tuple((one, tuple(lookalikes.of(one, RIVALS))) for one in asked)


def _lookalikes_of_news() -> Lookalikes:
    paragraphs = [p for body in bundled_articles().values() for p in _paragraphs(body)]
    return Lookalikes(Asked("news", "", Marked(text)) for text in paragraphs)


def _paragraphs(body: str) -> list[str]:
    return [paragraph.strip() for paragraph in body.split("\n\n") if paragraph.strip()]


def _all_in(quotes: Sequence[str], paragraph: str) -> bool:
    return all(quote in paragraph for quote in quotes)


def _some(asked: Sequence[Asked], size: int | None) -> list[Asked]:
    shuffled = random.Random(SEED).sample(asked, len(asked))
    return shuffled[:size]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def read_news() -> list[Asked]:
    """The bundled calibration questions that `news_questions` takes."""
    articles = bundled_articles()
    return news_questions(load_questions(NEWS, articles), articles)


def main() -> None:
    """Print the figures of the weights named on the command line, on the whole of the dev set."""
    parser = argparse.ArgumentParser(description="Figures of a reader on held-out questions.")
    parser.add_argument("data", type=Path, help="folder with squad/questions.jsonl")
    parser.add_argument("weights", type=Path, help="weights.safetensors of a training run")
    parser.add_argument("--size", type=int, help="questions of each kind (default: all)")
    given = parser.parse_args()
    squad = read_questions(given.data / "squad" / "questions.jsonl")
    print(measure(TorchReader.load(given.weights), dev_set(squad, read_news(), given.size)))


if __name__ == "__main__":
    main()
