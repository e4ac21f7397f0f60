from __future__ import annotations

import pytest

from evals.questions import Question, Quote
from rag.followups import Turn
from rag.network import ReaderNet
from rag.trained import PassageScore, SentenceScore
from rag.windows import Encoder
from training.reader.data import Asked, Marked
from training.reader.measure import (
    DEV_TITLES,
    dev_set,
    measure,
    news_questions,
    top,
)
from training.reader.score import TorchReader

ARTICLES = {"one": "It came in May. It cost $3.\n\nFew bought it. Why is unknown."}


def question(*quotes: str, history: tuple[Turn, ...] = ()) -> Question:
    evidence = tuple(Quote("one", quote) for quote in quotes)
    return Question(
        "q", "single", "What?", (), (), evidence, False, False, history=history, split="dev"
    )


def scored(*logits: float) -> PassageScore:
    sentences = tuple(SentenceScore((10 * n, 10 * n + 9), x) for n, x in enumerate(logits))
    return PassageScore(0.0, sentences, (0, 1), 0.0)


def squad(title: str) -> list[Asked]:
    text = "Kenya has ten lakes. Few are deep."
    return [
        Asked(title, "How many lakes?", Marked(text, ((10, 13),))),
        Asked(title, "How many seas?", Marked(text)),
        Asked(title, "Who lives there?", Marked("Lions live in the lakes.", ((0, 5),))),
    ]


def test_the_best_sentence_of_all_passages_counts() -> None:
    assert top([scored(0, 3), scored(2, 1)], [(12, 14)], 1)
    assert not top([scored(0, 3), scored(4, 1)], [(12, 14)], 1)
    assert top([scored(0, 3), scored(4, 1)], [(12, 14)], 2)


def test_the_same_place_in_a_rival_is_not_the_answer() -> None:
    assert not top([scored(0, 1), scored(0, 3)], [(12, 14)], 1)


def test_a_tie_goes_to_the_right_passage_never_twice() -> None:
    assert top([scored(1), scored(0)], [(0, 5)], 1)


def test_news_questions_mark_their_evidence_in_its_paragraph() -> None:
    (found,) = news_questions([question("It cost $3.")], ARTICLES)
    assert found.passage.text == "It came in May. It cost $3."
    assert found.passage.answers == ("It cost $3.",)


@pytest.mark.parametrize(
    "left_out",
    [
        question(),
        question("It cost $3.", "Few bought it."),
        question("It cost $3.", history=(Turn("What came?", "A car."),)),
    ],
    ids=["unanswerable", "two paragraphs", "follow-up"],
)
def test_questions_that_need_more_than_a_paragraph_are_left_out(left_out: Question) -> None:
    assert news_questions([left_out], ARTICLES) == []


def test_the_dev_set_is_of_held_out_articles_alone_and_always_the_same() -> None:
    asked = squad(DEV_TITLES[0]) + squad("Geology")
    dev = dev_set(asked, [], size=2)
    assert {one.title for one, _ in dev.answerable} == {DEV_TITLES[0]}
    assert [one.question for one in dev.impossible] == ["How many seas?"]
    assert dev == dev_set(asked, [], size=2)
    assert len(dev_set(asked, [], size=1).answerable) == 1


def test_figures_lie_between_0_and_1(net: ReaderNet, encoder: Encoder) -> None:
    dev = dev_set(squad(DEV_TITLES[0]), news_questions([question("It cost $3.")], ARTICLES))
    figures = measure(TorchReader(net, encoder), dev)
    assert all(
        0 <= value <= 1
        for value in (figures.f1, figures.exact, figures.top1, figures.news_top3)
        if value is not None
    )
    assert figures.impossible is not None
    assert "top1" in str(figures)


def test_without_questions_there_are_no_figures(net: ReaderNet, encoder: Encoder) -> None:
    figures = measure(TorchReader(net, encoder), dev_set([], []))
    assert figures.f1 is None
    assert "f1 -" in str(figures)
