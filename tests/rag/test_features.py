"""Measures of a sentence against a question, each worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.article import Article
from corpus.lexical import stems
from rag.features import Asked, candidates, gate_features, kin_features, with_gaps
from rag.kinship import Kinship
from tests.fakes import FakeEmbedder, hit_on

TEXT = (
    "OpenAI bought Windsurf on 5 May 2025. The price was $3 billion because two rivals bid. "
    "Grok 4 came later."
)
ARTICLE = Article(
    "Windsurf sold", TEXT, "https://e.org/1", "Alpha", published=datetime(2025, 5, 6, tzinfo=UTC)
)
RARITIES = {"windsurf": 3.0, "price": 1.0}


def rarity(stem: str) -> float:
    return RARITIES.get(stem, 2.0)


def asked(question: str) -> Asked:
    return Asked.of(question, rarity)


def test_rare_words_weigh_more() -> None:
    question = asked("Windsurf price?")
    assert question.overlap(set(stems("Windsurf rose"))) == pytest.approx(3 / 4)
    assert question.overlap(set(stems("The prices rose"))) == pytest.approx(1 / 4)
    assert question.overlap({"windsurf"}, {"price"}) == 1.0
    assert question.overlap({"else"}) == 0.0


def test_rarities_of_the_words_sum_to_one() -> None:
    question = asked("What was the price of Windsurf, the open-weight editor?")
    assert "open-weight" in question.words
    assert sum(question.rarities) == pytest.approx(1.0)
    assert len(question.rarities) == len(question.words) == len(set(question.words))


@pytest.mark.parametrize("text", ["Who is it, and of the", "?!", "…"])
def test_a_question_without_content_overlaps_with_nothing(text: str) -> None:
    question = asked(text)
    assert question.words == question.rarities == ()
    assert question.overlap(set(stems(TEXT))) == 0.0
    assert question.names_in(TEXT) == 1.0  # it names nothing


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("How much did it cost?", {"money"}),
        ("When was it released?", {"date"}),
        ("Why did they wait?", {"reason"}),
        ("How many parameters has it?", {"number"}),
        ("Who bought it?", {"name"}),
    ],
)
def test_what_is_wanted_is_read_from_the_question(question: str, kinds: set[str]) -> None:
    assert asked(question).wanted == kinds


def test_candidates_are_the_sentences_with_exact_spans() -> None:
    hit = hit_on(ARTICLE, start=38)  # a passage that starts with the second sentence
    found = candidates(asked("Windsurf"), [hit])
    assert [c.text for c in found] == [
        "The price was $3 billion because two rivals bid.",
        "Grok 4 came later.",
    ]
    assert all(ARTICLE.text[c.start : c.end] == c.text for c in found)
    assert [c.before for c in found] == ["", found[0].text]


def test_a_sentence_in_two_overlapping_hits_is_one_candidate_of_the_better_rank() -> None:
    found = candidates(asked("Windsurf"), [hit_on(ARTICLE, start=38), hit_on(ARTICLE)])
    assert len(found) == 3
    assert [c.rank for c in found] == [0, 0, 1]
    assert [c.features["rank"] for c in found] == [1.0, 1.0, 0.5]


def test_no_hits_no_candidates() -> None:
    assert candidates(asked("Windsurf"), []) == []


def test_a_sentence_is_measured_with_its_title_and_the_one_before() -> None:
    second = candidates(asked("Windsurf price"), [hit_on(ARTICLE)])[1].features
    assert second["overlap"] == pytest.approx(1 / 4)
    assert second["overlap_title"] == 1.0
    assert second["overlap_before"] == 1.0
    third = candidates(asked("billion rivals"), [hit_on(ARTICLE)])[2].features
    assert third["overlap"] == third["overlap_title"] == 0.0 and third["overlap_before"] == 1.0


def test_what_a_sentence_shows_and_whether_it_is_wanted() -> None:
    first, second, third = (c.features for c in candidates(asked("Why?"), [hit_on(ARTICLE)]))
    shown = ("money", "number", "date", "name", "reason")
    assert [second[f"has_{kind}"] for kind in shown] == [1, 1, 0, 0, 1]
    assert first["has_date"] == first["has_name"] == third["has_name"] == 1.0
    assert second["wanted_reason"] == 1.0 and second["wanted_money"] == 0.0
    assert third["wanted_reason"] == 0.0


def test_a_name_that_the_question_has_is_not_news() -> None:
    (only,) = candidates(asked("Is Windsurf good?"), [hit_on(Article("T", "We like Windsurf."))])
    assert only.features["has_name"] == 0.0 and only.features["names_title"] == 1.0


class Strange(FakeEmbedder):
    """To which no word is kin to another."""

    def encode(self, texts: Sequence[str], role: str = "passage") -> NDArray[np.float32]:
        return np.zeros((len(texts), self.dimension), np.float32)


def test_kin_are_counted_by_rarity() -> None:
    question = asked("Windsurf price")
    found = candidates(question, [hit_on(ARTICLE)])
    rows = kin_features(question, found, Kinship(Strange()))
    assert [row["kin"] for row in rows] == pytest.approx([3 / 4, 1 / 4, 0])
    for row in rows:
        assert row["kin"] <= row["kin_title"] <= row["kin_before"] <= 1 + 1e-6
    assert rows[1]["kin_title"] == pytest.approx(1.0)


def test_gaps_are_below_the_best() -> None:
    rows = with_gaps([{"a": 0.2, "b": 1.0}, {"a": 0.7, "b": 0.0}], ["a"])
    assert [row["a_gap"] for row in rows] == pytest.approx([-0.5, 0.0])
    assert rows[0]["b"] == 1.0 and "b_gap" not in rows[0]
    assert with_gaps([], ["a"]) == []


def test_the_gate_sees_the_best_passage_and_all_chosen() -> None:
    other = Article("Grok", "xAI showed Grok 4.")
    question = asked("Did OpenAI or xAI buy Windsurf?")
    first = candidates(question, [hit_on(ARTICLE)])[0]
    (second,) = candidates(question, [hit_on(other)])
    gate = gate_features(question, [first, second], Kinship(FakeEmbedder()))
    assert gate["names_in_best"] == pytest.approx(2 / 3) and gate["names_in_all"] == 1.0
    assert 0 <= gate["kin_covered"] <= 1 + 1e-6
