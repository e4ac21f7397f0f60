"""Fusion worked out by hand, and every way of searching held against brute force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.embedding import Embedder
from corpus.indexes import Indexes, open_current
from corpus.library import Library, Scope
from corpus.settings import Settings
from ingest.bundled import bundled_articles
from ingest.files import Imported
from ingest.pipeline import Pipeline
from rag import retrieve
from rag.answer import Hit
from rag.rerank import FeatureReranker, Found
from rag.retrieve import POOL, RERANKED, Retriever, fuse, narrowed
from tests.conftest import imported, make_article
from tests.fakes import FakeEmbedder

MANY = 240
QUESTION = "model released costs million tokens"
SCOPES = {
    "all": Scope(),
    "half": Scope(until=date(2025, 6, 30)),
    "a third": Scope(publishers=("Alpha",)),
    "two thirds": Scope(publishers=("Alpha", "Beta")),
    "a month": Scope(date(2025, 3, 1), date(2025, 3, 31)),
    "a day": Scope(date(2025, 4, 4), date(2025, 4, 4)),
    "a publisher's month": Scope(date(2025, 3, 1), date(2025, 3, 31), ("Gamma",)),
    "nothing": Scope(since=date(2031, 1, 1)),
}
QUESTIONS = """
Has OpenAI released an open-weight model?
Why did OpenAI delay its open-weight model?
What did DeepSeek R1 cost to train?
Who bought Windsurf?
What does Claude Opus 4.5 cost?
Which licence does gpt-oss have?
How did Gemini 3 Pro score?
What did the judge rule on fair use?
Who signed the EU code of practice?
When was Grok 4 released?
What is Stargate?
How much did Anthropic raise?
Why was the chatbot ruling against Air Canada?
Which chips may China buy?
What is ARC-AGI-3?
What happened to SB 1047?
Mixtral 8x7B
prices of the API
Что такое DeepSeek?
深度求索
""".strip().splitlines()


@dataclass
class Watched:
    """A vector index that notes how it was asked."""

    real: Any
    asked: list[tuple[int, Sequence[str] | None]] = field(default_factory=list)

    def search(
        self, vector: Any, k: int, among: Sequence[str] | None = None
    ) -> list[tuple[str, float]]:
        self.asked.append((k, among))
        return self.real.search(vector, k, among)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 articles over a year, of three publishers, and three without a date."""
    home = tmp_path_factory.mktemp("many")
    library = Library.open(home)
    dated = [make_article(n) for n in range(MANY)]
    undated = [make_article(n, published=None, date_found="") for n in range(MANY, MANY + 3)]
    Pipeline(library, FakeEmbedder(), Settings(home=home)).ingest(imported(*dated, *undated))
    library.close()
    return home


@pytest.fixture(scope="module")
def parts(home: Path) -> Iterator[tuple[Library, Indexes, FakeEmbedder]]:
    library, fake = Library.open(home), FakeEmbedder()
    indexes = open_current(library, Settings(home=home), fake)
    yield library, indexes, fake
    indexes.close()
    library.close()


@pytest.fixture
def retriever(parts: tuple[Library, Indexes, FakeEmbedder]) -> Retriever:
    return Retriever(*parts)


def watched(retriever: Retriever) -> tuple[Retriever, Watched]:
    watch = Watched(retriever.indexes.vectors)
    return replace(retriever, indexes=replace(retriever.indexes, vectors=watch)), watch


def cosines(retriever: Retriever, query: str, scope: Scope) -> dict[str, float]:
    """Of every passage in `scope`, worked out one by one."""
    vector = retriever.embedder.encode([query], "query")[0]
    stored = retriever.indexes.vectors.vectors(sorted(retriever.library.live()))
    inside = retriever.library.in_scope(list(stored), scope)
    return {id_: float(np.dot(stored[id_], vector)) for id_ in inside}


def days_and_publishers(retriever: Retriever, ids: list[str]) -> list[tuple[str, str]]:
    return [(a.day or "", a.publisher or "") for _, a in retriever.library.passages(ids)]


# Fusion


def test_fusion_is_the_sum_of_reciprocal_ranks() -> None:
    fused = dict(fuse([["a", "b", "c"], ["b", "d"]]))
    assert fused == pytest.approx(
        {"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 63, "d": 1 / 62}, abs=1e-12
    )


def test_agreement_beats_a_first_place() -> None:
    assert next(iter(fuse([["alone", "both"], ["other", "both"]])))[0] == "both"


def test_ties_are_broken_by_id_whatever_the_order_of_rankings() -> None:
    one = fuse([["b", "x"], ["a", "y"]])
    assert [id_ for id_, _ in one] == ["a", "b", "x", "y"]
    assert one == fuse([["a", "y"], ["b", "x"]])


def test_nothing_fuses_to_nothing() -> None:
    assert fuse([]) == fuse([[], []]) == []


@pytest.mark.parametrize(
    ("scope", "other", "both"),
    [
        (Scope(), Scope(date(2025, 1, 1)), Scope(date(2025, 1, 1))),
        (
            Scope(date(2025, 2, 1), date(2025, 5, 1)),
            Scope(date(2025, 1, 1), date(2025, 3, 1)),
            Scope(date(2025, 2, 1), date(2025, 3, 1)),
        ),
        (Scope(publishers=("Alpha",)), Scope(publishers=("Beta",)), Scope(publishers=("Alpha",))),
    ],
)
def test_a_hint_never_widens_the_scope(scope: Scope, other: Scope, both: Scope) -> None:
    assert narrowed(scope, other) == both


# Scope


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_both_rankings_stay_within_the_scope(retriever: Retriever, scope: Scope) -> None:
    for ranking in retriever.rankings(QUESTION, scope):
        found = days_and_publishers(retriever, list(ranking))
        assert len(found) == min(POOL, len(retriever.library.ids_in_scope(scope)))
        for day, publisher in found:
            assert not scope.since or day >= scope.since.isoformat()
            assert not scope.until or "" < day <= scope.until.isoformat()
            assert not scope.publishers or publisher in scope.publishers


@pytest.fixture(params=[400, 100, 60], ids="wide {}".format)
def wide(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many of the nearest are sifted before the scope is looked up; 243 are all there are."""
    monkeypatch.setattr(retrieve, "WIDE", request.param)
    return int(request.param)


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_every_scope_finds_what_brute_force_finds(
    retriever: Retriever, scope: Scope, wide: int
) -> None:
    expected = cosines(retriever, QUESTION, scope)
    ranking = list(retriever.nearest(QUESTION, scope))
    best = sorted(expected.values(), reverse=True)[:POOL]
    assert [expected[id_] for id_ in ranking] == pytest.approx(best, abs=1e-5)
    assert len(set(ranking)) == len(ranking)


def test_a_narrow_scope_is_searched_alone_and_a_wide_one_sifted(
    retriever: Retriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieve, "WIDE", 100)
    for name, alone in (("all", False), ("two thirds", False), ("a month", True), ("a day", True)):
        spied, watch = watched(retriever)
        spied.nearest(QUESTION, SCOPES[name])
        assert (watch.asked[-1][1] is not None) is alone, name
        assert len(watch.asked) == 1 + alone


@pytest.mark.parametrize("scope", [Scope(since=date(1990, 1, 1)), Scope(until=date(2030, 1, 1))])
def test_an_undated_article_lies_in_no_window(retriever: Retriever, scope: Scope) -> None:
    undated = f"Report {MANY + 1} number {MANY + 1}"
    assert any(hit.article.day is None for hit in retriever.search([undated], 8))
    assert all(hit.article.day for hit in retriever.search([undated], 1000, scope))


# Search


def test_the_best_hit_comes_first_and_k_is_kept(retriever: Retriever) -> None:
    hits = retriever.search(["Report 17 number 17 costs $17.50"], 5)
    assert hits[0].article.title == "Report 17" and len(hits) == 5
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_preferred_window_raises_and_adds_but_takes_nothing_away(retriever: Retriever) -> None:
    march = SCOPES["a month"]
    plain = [hit.passage.id for hit in retriever.search([QUESTION], 1000)]
    hinted = [hit.passage.id for hit in retriever.search([QUESTION], 1000, preferred=march)]
    inside = retriever.library.in_scope(hinted, march)
    assert set(plain) <= set(hinted)
    assert set(hinted) - set(plain) <= inside
    assert [id_ for id_ in hinted if id_ not in inside] == [
        id_ for id_ in plain if id_ not in inside
    ]
    for at, id_ in enumerate(plain):
        if id_ in inside:  # it is still before all that it was before
            after = set(plain[at:]) - inside
            assert after <= set(hinted[hinted.index(id_) :])
    best = min(plain.index(id_) for id_ in inside if id_ in plain)
    assert min(hinted.index(id_) for id_ in inside) < best


def test_a_preferred_window_stays_within_the_scope(retriever: Retriever) -> None:
    scope = SCOPES["a third"]
    hits = retriever.search([QUESTION], 1000, scope, preferred=SCOPES["a month"])
    assert {hit.article.publisher for hit in hits} == {"Alpha"}


def test_each_part_is_ranked_for_itself(retriever: Retriever) -> None:
    whole = "Compare report 31 with report 77"
    first, second = "Report 31 number 31", "Report 77 number 77"
    retriever.embedder.encoded.clear()
    hits = retriever.search([whole, first, second], 100)
    assert retriever.embedder.encoded == [whole, first, second]
    rankings = [r for text in (whole, first, second) for r in retriever.rankings(text, Scope())]
    assert [(hit.passage.id, hit.score) for hit in hits] == fuse(rankings)[:100]
    assert {hits[0].article.title, hits[1].article.title} & {"Report 31", "Report 77"}


def test_a_query_of_stop_words_is_found_by_meaning_alone(retriever: Retriever) -> None:
    by_words, by_meaning = retriever.rankings("what is it", Scope())
    assert list(by_words) == [] and len(by_meaning) == POOL


# Found, and reranked


@dataclass
class Backwards:
    """A reranker that turns the order round, and notes what it was given."""

    fingerprint: str = "backwards"
    asked: list[tuple[str, list[Found]]] = field(default_factory=list)

    def rerank(self, question: str, found: Sequence[Found]) -> list[Hit]:
        self.asked.append((question, list(found)))
        return [Hit(f.passage, f.article, float(n)) for n, f in enumerate(found)][::-1]


def test_what_is_found_is_the_head_of_the_fusion_in_its_order(retriever: Retriever) -> None:
    order = [hit.passage.id for hit in retriever.search([QUESTION], 1000)]
    assert [f.passage.id for f in retriever.found([QUESTION])] == order[:RERANKED]
    assert [f.passage.id for f in retriever.found([QUESTION], k=3)] == order[:3]
    assert retriever.found([QUESTION], SCOPES["nothing"]) == []


def test_what_is_found_carries_bm25_and_cosine_whichever_ranking_found_it(
    retriever: Retriever,
) -> None:
    question = "Report 17 number 17 costs $17.50"
    cosine = cosines(retriever, question, Scope())
    words = dict(retriever.indexes.words.search(question, 1000))
    found = retriever.found([question], k=100)
    assert len(found) > POOL  # so some stand in one of the two rankings only
    for f in found:
        assert f.meaning == pytest.approx(cosine[f.passage.id], abs=1e-5)
        assert f.words == pytest.approx(words.get(f.passage.id, 0.0), abs=1e-5)


def test_the_measures_are_those_of_the_whole_question_not_of_its_parts(
    retriever: Retriever,
) -> None:
    whole = "Compare report 31 with report 77"
    cosine = cosines(retriever, whole, Scope())
    words = retriever.indexes.words.scores(whole, list(cosine))
    for f in retriever.found([whole, "Report 31 number 31", "Report 77 number 77"]):
        assert f.meaning == pytest.approx(cosine[f.passage.id], abs=1e-5)
        assert f.words == pytest.approx(words.get(f.passage.id, 0.0), abs=1e-5)


def test_preferred_are_those_in_the_window_that_is_hinted_at(retriever: Retriever) -> None:
    march = SCOPES["a month"]
    found = retriever.found([QUESTION], preferred=march)
    inside = {f.article.day for f in found if f.preferred}
    assert inside and all("2025-03-01" <= (day or "") <= "2025-03-31" for day in inside)
    assert not any((f.article.day or "").startswith("2025-03") for f in found if not f.preferred)
    assert not any(f.preferred for f in retriever.found([QUESTION]))
    assert not any(f.preferred for f in retriever.found([QUESTION], preferred=Scope()))


@pytest.mark.parametrize("k", [1, 8, RERANKED, RERANKED + 10])
def test_the_reranker_gets_enough_and_k_of_its_order_are_taken(
    retriever: Retriever, k: int
) -> None:
    backwards = Backwards()
    hits = replace(retriever, reranker=backwards).search([QUESTION, "tokens"], k)
    ((question, found),) = backwards.asked
    assert question == QUESTION
    assert found == retriever.found([QUESTION, "tokens"], k=max(k, RERANKED))
    assert [hit.passage.id for hit in hits] == [f.passage.id for f in found[::-1][:k]]


def test_with_a_reranker_hits_stay_within_the_scope(retriever: Retriever) -> None:
    reranked = replace(retriever, reranker=FeatureReranker(retriever.indexes.words.rarity))
    for name in ("a third", "a publisher's month", "nothing"):
        plain = {hit.passage.id for hit in retriever.search([QUESTION], RERANKED, SCOPES[name])}
        hits = reranked.search([QUESTION], RERANKED, SCOPES[name], SCOPES["a month"])
        assert {hit.passage.id for hit in hits} <= set(retriever.library.ids_in_scope(SCOPES[name]))
        assert bool(hits) is bool(plain)


def test_the_reranker_brings_the_named_report_to_the_front(retriever: Retriever) -> None:
    reranker = FeatureReranker(retriever.indexes.words.rarity)
    hits = replace(retriever, reranker=reranker).search(["What does model number 17 cost?"], 8)
    assert hits[0].article.title == "Report 17"
    assert all(0 < hit.score < 1 for hit in hits)


# The real corpus


def test_hits_reproduce_the_bundled_articles_exactly(
    bundled_home: Path, embedder: Embedder
) -> None:
    library = Library.open(bundled_home)
    indexes = open_current(library, Settings(home=bundled_home), embedder)
    read = [item.article for item in bundled_articles() if isinstance(item, Imported)]
    texts = {article.id: article.text for article in read}
    seen = set()
    for question in QUESTIONS:
        hits = Retriever(library, indexes, embedder).search([question], 30)
        assert len(hits) == 30
        for hit in hits:
            passage = hit.passage
            assert texts[passage.article_id][passage.start : passage.end] == passage.text
            assert hit.article.text == texts[passage.article_id]
            seen.add(passage.article_id)
    indexes.close()
    library.close()
    assert len(QUESTIONS) == 20 and len(seen) > len(texts) / 2


@pytest.mark.parametrize(
    ("question", "words"),
    [("Who bought Windsurf?", "Windsurf"), ("What happened to SB 1047?", "SB 1047")],
)
def test_a_plain_question_finds_its_article_first(
    bundled_home: Path, embedder: Embedder, question: str, words: str
) -> None:
    library = Library.open(bundled_home)
    indexes = open_current(library, Settings(home=bundled_home), embedder)
    hits = Retriever(library, indexes, embedder).search([question], 3)
    indexes.close()
    library.close()
    assert words in hits[0].passage.text
