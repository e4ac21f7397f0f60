"""MultiHop-RAG: its files, and its measures as the authors' scripts have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import InputError
from evals.public.asking import Said
from evals.public.figures import Figure
from evals.public.multihop import (
    Outcome,
    Query,
    average_precision,
    facts_in,
    figures,
    hits_at,
    load,
    word_match,
)

ARTICLE = {
    "title": "Orchard opens its laboratory",
    "author": None,
    "source": "The Valley Post",
    "published_at": "2023-10-01T09:30:00+02:00",
    "category": "technology",
    "url": "https://example.org/orchard",
    "body": "Orchard opened a laboratory in Bergen. It employs forty people.\n",
}
QUERY = {
    "query": "Where did Orchard open its laboratory?",
    "answer": "Bergen",
    "question_type": "inference_query",
    "evidence_list": [{"title": "…", "fact": "Orchard opened a laboratory in Bergen."}],
}
NULL = {
    "query": "Who paid for it?",
    "answer": "Insufficient information.",
    "question_type": "null_query",
    "evidence_list": [],
}


def written(folder: Path, articles: list[Any], queries: list[Any]) -> Path:
    (folder / "corpus.json").write_text(json.dumps(articles), "utf-8")
    (folder / "MultiHopRAG.json").write_text(json.dumps(queries), "utf-8")
    return folder


def test_articles_and_queries_are_read(tmp_path: Path) -> None:
    data = load(written(tmp_path, [ARTICLE], [QUERY, NULL]))
    (article,) = data.articles
    assert (article.title, article.publisher, article.author) == (
        "Orchard opens its laboratory",
        "The Valley Post",
        None,
    )
    assert article.published is not None
    assert article.published.isoformat() == "2023-10-01T07:30:00+00:00"
    assert article.text == "Orchard opened a laboratory in Bergen. It employs forty people."
    assert data.queries[0].facts == ("Orchard opened a laboratory in Bergen.",)
    assert data.queries[1].facts == ()


@pytest.mark.parametrize(
    ("article", "query", "reason"),
    [
        ({"body": ""}, {}, "corpus.json, item 1: `body` is blank"),
        ({"published_at": "yesterday"}, {}, "item 1: `published_at` is 'yesterday', which is no"),
        ({}, {"question_type": "hard"}, "MultiHopRAG.json, item 1: `question_type` is 'hard'"),
        ({}, {"evidence_list": []}, "item 1: `evidence_list` is empty"),
        ({}, {"evidence_list": [{}]}, "item 1, evidence_list 1: `fact` is missing"),
        ({}, {"answer": 3}, "item 1: `answer` is not a text"),
    ],
)
def test_a_malformed_file_is_refused(
    tmp_path: Path, article: dict[str, Any], query: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        load(written(tmp_path, [ARTICLE | article], [QUERY | query]))


def test_a_fact_is_found_whatever_the_spaces() -> None:
    assert facts_in("It rose\nby 3 %.", ["It rose by 3%.", "It fell."]) == {0}


def test_a_fact_given_twice_is_found_once() -> None:
    assert facts_in("It rose.", ["It rose.", "It rose."]) == {0}


def test_hits_need_one_fact_and_precision_all() -> None:
    found = [set(), {0}, {0}, {1, 2}]
    assert [hits_at(found, k) for k in (1, 2, 4)] == [0, 1, 1]
    assert average_precision(found, facts=3) == pytest.approx((1 / 2 + 2 / 4) / 3)
    assert average_precision([set()] * 10 + [{0}], facts=1) == 0


def test_words_match_whole_and_with_their_punctuation() -> None:
    assert word_match("Sam Bankman-Fried was tried", "sam bankman-fried")
    assert not word_match("“Yes”", "Yes")


FACTS = ("Alpha rose.", "Beta fell.")
OUTCOMES = [
    Outcome(
        Query("Which rose?", "Alpha", "inference_query", FACTS),
        ("Nothing.", "Alpha rose.", "Beta fell."),
        Said(("Post: “Alpha rose.”",)),
    ),
    Outcome(Query("Both?", "Yes", "comparison_query", FACTS), ("Nothing.",), Said(("“Alpha”",))),
    Outcome(Query("Who?", "Insufficient information.", "null_query", ()), (), Said()),
    Outcome(
        Query("Why?", "Insufficient information.", "null_query", ()), (), Said(error="It is gone.")
    ),
]


def found_among(made: tuple[Figure, ...]) -> dict[tuple[str, str], tuple[float | None, int]]:
    return {(figure.group, figure.name): (figure.value, figure.of) for figure in made}


def test_retrieval_leaves_null_queries_out_and_accuracy_does_not() -> None:
    made = found_among(figures(OUTCOMES))
    assert made["all", "Hits@4"] == (0.5, 2)
    assert made["all", "evidence@4"] == (0.5, 2)
    assert made["all", "MRR@10"] == (0.25, 2)
    assert made["all", "MAP@10"] == (pytest.approx((1 / 2 + 1 / 3) / 2 / 2), 2)
    assert made["all", "accuracy (word match)"] == (0.25, 4)
    assert made["all", "answer contained (ours)"] == (0.5, 2)


def test_an_abstention_is_right_on_a_null_query_and_a_failure_is_not() -> None:
    made = found_among(figures(OUTCOMES))
    assert made["null_query", "accuracy (word match)"] == (0.5, 2)
    assert ("null_query", "Hits@4") not in made
    assert ("temporal_query", "Hits@4") not in made
