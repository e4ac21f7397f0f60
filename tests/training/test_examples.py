from __future__ import annotations

import random

from training.reader.data import Asked, Marked
from training.reader.examples import Lookalikes, deal, held_out


def asked(question: str, text: str, answer: str = "", title: str = "Tesla") -> Asked:
    start = text.index(answer)
    spans = ((start, start + len(answer)),) if answer else ()
    return Asked(title, question, Marked(text, spans))


COIL = asked("When did Tesla patent the coil?", "Tesla patented the coil in 1891.", "1891")
RADIO = asked("Who built the coil radio?", "The coil radio was built by Marconi.", "Marconi")
PIGEON = asked("What did he feed?", "He fed pigeons.", "pigeons")
YEAR = asked("What came in 1891?", "The coil patent is of 1891, one says.")
OTHER = asked("When was the coil patented?", "The coil was patented in 1900.", title="Coils")
ALL = [COIL, RADIO, PIGEON, YEAR, OTHER]
SNIPPETS = [
    asked(f"Who is number {n}?", f"Number {n} is agent {n}.", f"agent {n}", "news")
    for n in range(20)
]


def test_rivals_share_rare_words_and_come_from_the_same_article() -> None:
    assert Lookalikes(ALL).of(COIL, 2) == [RADIO.passage.text, PIGEON.passage.text]


def test_a_paragraph_with_the_answer_is_no_rival() -> None:
    assert YEAR.passage.text not in Lookalikes(ALL).of(COIL, 9)
    assert YEAR.passage.text in Lookalikes(ALL).of(RADIO, 9)


def test_each_question_is_dealt_once_with_the_right_passage_first() -> None:
    examples = deal(ALL, [], Lookalikes(ALL), random.Random(1))
    assert sorted((e.question, e.passages[0]) for e in examples) == sorted(
        (one.question, one.passage) for one in ALL
    )


def test_answerable_questions_get_a_rival_most_times_and_impossible_ones_never() -> None:
    rivals, rng = Lookalikes(ALL), random.Random(1)
    dealt = [e for _ in range(300) for e in deal(ALL, [], rivals, rng)]
    coil = [e for e in dealt if e.question == COIL.question]
    assert 0.5 < sum(len(e.passages) == 2 for e in coil) / len(coil) < 0.7
    assert all(e.passages[1].spans == () for e in coil if len(e.passages) == 2)
    assert all(len(e.passages) == 1 for e in dealt if e.question == YEAR.question)


def test_snippets_hold_the_answer_where_they_say_and_are_few() -> None:
    many = ALL * 20
    examples = deal(many, SNIPPETS, Lookalikes(ALL), random.Random(2))
    snippets = [e for e in examples if e.question.startswith("Who is number")]
    assert len(snippets) == 15
    for example in snippets:
        number = example.question.removeprefix("Who is number ").removesuffix("?")
        assert example.passages[0].answers == (f"agent {number}",)
        assert 3 <= example.passages[0].text.count("Number") <= 7


def test_the_rival_of_snippets_lacks_the_sentence_that_answers() -> None:
    examples = deal(ALL * 20, SNIPPETS, Lookalikes(ALL), random.Random(3))
    pairs = [e.passages for e in examples if e.question.startswith("Who is") and e.passages[1:]]
    assert pairs
    for right, rival in pairs:
        assert not any(answer in rival.text.split(". ") for answer in right.answers)
        assert len(rival.text) < len(right.text)
        assert rival.spans == ()


def test_dealing_depends_on_the_seed_alone() -> None:
    one, same, other = (
        deal(ALL, SNIPPETS, Lookalikes(ALL), random.Random(seed)) for seed in (4, 4, 5)
    )
    assert one == same != other


def test_held_out_articles_are_not_trained_on() -> None:
    train, dev = held_out(ALL, ["Coils"])
    assert dev == [OTHER]
    assert OTHER not in train
    assert len(train) == 4
