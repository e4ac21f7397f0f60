"""The reranker puts first what fits, by plain measures, and says how sure it is."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from corpus.article import Article
from corpus.errors import ModelError
from corpus.lexical import LexicalIndex
from rag import rerank
from rag.features import Asked
from rag.logistic import Logistic
from rag.rerank import CALIBRATION, FEATURES, FeatureReranker, Found, features
from rag.retrieve import RERANKED
from tests.fakes import hit_on

QUESTION = "How much did Anthropic raise in March?"
RIGHT = "Anthropic raised $3.5 billion in March."
OTHERS = [
    "OpenAI raised $40 billion in March.",
    "Mistral raised €1.7 billion in September.",
    "Anthropic released Claude Opus 4.5.",
    "The weather was fine in Paris.",
]


def rarity(stem: str) -> float:
    """Every word is as rare as any other."""
    return 2.0


def found(
    text: str,
    title: str = "News",
    words: float = 5.0,
    meaning: float = 0.4,
    preferred: bool = False,
) -> Found:
    hit = hit_on(Article(title, text))
    return Found(hit.passage, hit.article, words, meaning, preferred)


def measured(question: str, given: Found) -> dict[str, float]:
    return features(Asked.of(question, rarity), given)


@pytest.fixture
def reranker() -> FeatureReranker:
    return FeatureReranker(rarity)


# The order


def test_the_questions_names_and_words_come_first_whatever_the_fusion_said(
    reranker: FeatureReranker,
) -> None:
    hits = reranker.rerank(QUESTION, [*map(found, OTHERS), found(RIGHT)])
    assert hits[0].passage.text == RIGHT
    assert hits[-1].passage.text == "The weather was fine in Paris."


def test_all_are_kept_and_scores_fall_between_0_and_1(reranker: FeatureReranker) -> None:
    given = [found(text) for text in (*OTHERS, RIGHT)]
    hits = reranker.rerank(QUESTION, given)
    assert {hit.passage.id for hit in hits} == {f.passage.id for f in given}
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score < 1 for score in scores)


@pytest.mark.parametrize("better", [{"words": 9.0}, {"meaning": 0.7}, {"preferred": True}])
def test_of_equal_texts_the_better_found_comes_first(
    reranker: FeatureReranker, better: dict[str, Any]
) -> None:
    plain, good = found(RIGHT, "One"), found(RIGHT, "Two", **better)
    for given in ([plain, good], [good, plain]):
        assert [hit.article.title for hit in reranker.rerank(QUESTION, given)] == ["Two", "One"]


def test_ties_stay_in_the_order_of_the_fusion(reranker: FeatureReranker) -> None:
    given = [found(RIGHT, title) for title in ("One", "Two", "Three")]
    assert [hit.article.title for hit in reranker.rerank(QUESTION, given)] == [
        "One",
        "Two",
        "Three",
    ]


def test_nothing_is_reranked_to_nothing(reranker: FeatureReranker) -> None:
    assert reranker.rerank(QUESTION, []) == []


def test_the_score_is_the_models_probability() -> None:
    reranker = FeatureReranker(rarity, Logistic(-1.0, {"meaning": 2.0}))
    (hit,) = reranker.rerank(QUESTION, [found(RIGHT, meaning=0.5)])
    assert hit.score == 0.5


# The features


@pytest.mark.parametrize(
    "question", [QUESTION, "why", "the of", "", "🚀", "Что такое DeepSeek?", "a " * 500]
)
def test_features_lie_in_their_ranges(question: str) -> None:
    for text in (RIGHT, *OTHERS, "x", "…", "🚀 one. Two! " * 30):
        values = measured(question, found(text, words=3.0))
        assert tuple(values) == FEATURES
        assert values.pop("words") >= 0
        assert all(0 <= value <= 1 for value in values.values())


def test_words_are_a_share_of_the_most_that_bm25_can_give() -> None:
    asked = Asked.of(QUESTION, rarity)
    most = 2.2 * 2.0 * len(asked.weights)
    assert measured(QUESTION, found(RIGHT, words=most))["words"] == pytest.approx(1.0)
    assert measured(QUESTION, found(RIGHT, words=most / 4))["words"] == pytest.approx(0.25)


def test_words_of_the_index_stay_below_the_most(tmp_path: Path) -> None:
    index = LexicalIndex(tmp_path / "words")
    hits = [hit_on(Article("News", text)) for text in (*OTHERS, f"{RIGHT} " * 20)]
    index.upsert([(hit.passage, hit.article) for hit in hits])
    asked = Asked.of(QUESTION, index.rarity)
    scores = index.scores(QUESTION, [hit.passage.id for hit in hits])
    shares = [
        features(asked, found(hit.passage.text, words=scores.get(hit.passage.id, 0.0)))["words"]
        for hit in hits
    ]
    assert min(shares) == 0.0 and 0.3 < max(shares) <= 1.0


def test_overlap_is_that_of_the_best_single_sentence() -> None:
    apart = "Anthropic grew. Others raised money. It rained in March."
    question = "Anthropic raised March"
    assert measured(question, found(RIGHT))["overlap"] == 1.0
    assert measured(question, found(apart))["overlap"] == pytest.approx(1 / 3)
    assert measured(question, found("Cats sleep."))["overlap"] == 0.0


def test_names_count_in_the_title_too() -> None:
    question = "Did xAI buy Cursor?"
    names = [
        measured(question, found(text, title))["names"]
        for text, title in (
            ("xAI raised money.", "News"),
            ("It raised money.", "Cursor and xAI"),
            ("Cats sleep.", "News"),
        )
    ]
    assert names == [0.5, 1.0, 0.0]
    assert measured("how much was raised", found("Cats sleep."))["names"] == 1.0


def test_preferred_is_0_or_1() -> None:
    assert measured(QUESTION, found(RIGHT))["preferred"] == 0.0
    assert measured(QUESTION, found(RIGHT, preferred=True))["preferred"] == 1.0


# The calibration


def test_the_shipped_calibration_weighs_each_feature_upwards() -> None:
    model, _ = rerank._load()
    assert tuple(model.weights) == FEATURES
    assert all(weight > 0 for weight in model.weights.values())


def test_the_shipped_calibration_was_worth_it() -> None:
    """Out of fold, the right passages come earlier than in the order of the fusion."""
    figures = json.loads(CALIBRATION.read_text("utf-8"))["out_of_fold"]
    reranked = {name: value for name, value in figures.items() if ", reranked, " in name}
    assert len(reranked) == 9
    for name, value in reranked.items():
        assert value > figures[name.replace("reranked", "fused")], name


def test_a_fingerprint_changes_with_the_calibration(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(CALIBRATION.read_text("utf-8") + "\n")
    assert FeatureReranker(rarity).fingerprint == f"features-{rerank._load()[1]}"
    assert rerank._load(other)[1] != rerank._load()[1]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "[]",
        "{}",
        '{"passage": 1}',
        '{"passage": {"intercept": 0}}',
        '{"passage": {"intercept": 0, "weights": {}, "more": 1}}',
        pytest.param(
            '{"passage": {"intercept": 0, "weights": {"words": "x"}}}', id="a weight of text"
        ),
        pytest.param(
            '{"passage": {"intercept": 0, "weights": {"unknown": 1.0}}}', id="an unknown feature"
        ),
    ],
)
def test_a_damaged_calibration_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    path = tmp_path / "reranker.json"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(rerank._load, "__defaults__", (path,))
    with pytest.raises(ModelError, match="calibration") as caught:
        FeatureReranker(rarity).rerank(QUESTION, [found(RIGHT)])
    assert "evals.calibrate_reranker" in caught.value.remedy


def test_reranking_what_retrieval_hands_over_takes_milliseconds(
    reranker: FeatureReranker,
) -> None:
    given = [found(" ".join([RIGHT, *OTHERS]), f"Title {n}") for n in range(RERANKED)]
    reranker.rerank(QUESTION, given)
    started = time.perf_counter()
    reranker.rerank(QUESTION, given)
    assert time.perf_counter() - started < 1.0  # about 20 ms; this machine may be busy
