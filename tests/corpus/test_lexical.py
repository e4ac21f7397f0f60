from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from corpus.article import Article, Passage
from corpus.errors import BusyError, SearchIndexError
from corpus.lexical import LexicalIndex, stems
from corpus.library import Scope
from tests.conftest import make_article


def entry(n: int, text: str, **fields: object) -> tuple[Passage, Article]:
    article = make_article(n, text=text, **fields)
    return Passage(article.id, article.revision, 0, len(text), text), article


ENTRIES = [
    entry(1, "OpenAI released open weights under Apache 2.0."),
    entry(2, "Mistral priced its model at $0.60 a million tokens."),
    entry(3, "Weights were delayed again.", published=None, publisher=None),
    entry(4, "Модель вышла в августе 🚀 and 开源模型"),
]
IDS = [passage.id for passage, _ in ENTRIES]


@pytest.fixture
def index(tmp_path: Path) -> LexicalIndex:
    made = LexicalIndex(tmp_path / "words")
    made.upsert(ENTRIES)
    return made


def found(index: LexicalIndex, text: str, **scope: object) -> set[str]:
    return {id_ for id_, _ in index.search(text, 10, Scope(**scope))}  # type: ignore[arg-type]


def test_inflected_words_are_found(index: LexicalIndex) -> None:
    assert next(id_ for id_, _ in index.search("releasing weight", 10)) == IDS[0]
    assert found(index, "releasing weight") == {IDS[0], IDS[2]}


def test_titles_are_found_but_count_less(index: LexicalIndex) -> None:
    assert found(index, "Report 2") >= {IDS[1]}
    ranked = dict(index.search("Alpha", 10))
    assert set(ranked) == {IDS[i] for i, (_, a) in enumerate(ENTRIES) if a.publisher == "Alpha"}


def test_other_scripts_are_found(index: LexicalIndex) -> None:
    assert found(index, "Модель") == {IDS[3]}


@pytest.mark.parametrize(
    "query",
    ["", "   ", "the of and", "🚀🚀", '"', '"unbalanced', "text:weights^9 [", "\\", "((", "\x00"],
)
def test_odd_queries_are_harmless(index: LexicalIndex, query: str) -> None:
    assert found(index, query) <= set(IDS)


def test_operators_are_words_like_any_other(index: LexicalIndex) -> None:
    assert found(index, "weights AND NOT OpenAI") == {IDS[0], IDS[2]}
    assert found(index, "publisher:Mistral") == {IDS[1]}
    assert found(index, "weights -Apache") == {IDS[0], IDS[2]}


def test_a_hundred_thousand_characters_are_searched_by_their_first_words(
    index: LexicalIndex,
) -> None:
    assert found(index, "weights " + "nonsense " * 12_000) == {IDS[0], IDS[2]}


def test_the_scope_holds(index: LexicalIndex) -> None:
    assert found(index, "weights", since=date(2025, 2, 2), until=date(2025, 2, 2)) == {IDS[0]}
    assert not found(index, "weights", since=date(2025, 2, 3))
    assert not found(index, "weights", publishers=("Alpha",))
    assert found(index, "weights", publishers=("Alpha", "Beta")) == {IDS[0]}
    assert not found(index, "weights", until=date(2025, 2, 1)), "undated is in no window"


def test_the_same_passage_stands_once(index: LexicalIndex) -> None:
    index.upsert(ENTRIES[:2])
    assert (index.count(), index.ids()) == (4, set(IDS))


def test_what_is_deleted_is_gone(index: LexicalIndex) -> None:
    index.delete(IDS[:1])
    assert found(index, "weights") == {IDS[2]}
    assert index.having(IDS) == set(IDS[1:])


def test_an_upsert_that_fails_leaves_nothing_behind(index: LexicalIndex) -> None:
    def broken() -> object:
        yield ENTRIES[0]
        yield entry(9, "Half a batch.")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        index.upsert(broken())  # type: ignore[arg-type]
    assert index.ids() == set(IDS)
    index.delete([])  # the lock is free again


def test_two_writers_are_one_too_many(index: LexicalIndex) -> None:
    other = LexicalIndex(index.folder)
    with index._writer(), pytest.raises(BusyError):
        other.delete(["x"])


def test_another_reader_sees_it(index: LexicalIndex) -> None:
    assert LexicalIndex(index.folder).ids() == set(IDS)


def test_rare_words_weigh_more(index: LexicalIndex) -> None:
    weight, apache, unknown = (index.rarity(stem) for stem in ("weight", "apach", "zebra"))
    assert 0 < weight < apache < unknown


def test_stems_leave_out_what_says_nothing() -> None:
    assert stems("Is it that OpenAI released the weights, the WEIGHTS?") == [
        "openai",
        "releas",
        "weight",
    ]


def test_a_folder_that_is_a_file_is_a_damaged_index(tmp_path: Path) -> None:
    (tmp_path / "words").write_text("x")
    with pytest.raises(SearchIndexError, match="damaged") as caught:
        LexicalIndex(tmp_path / "words")
    assert "groundwire doctor --repair" in caught.value.remedy


# Scores of given passages


@pytest.mark.parametrize("question", ["releasing weights", "Report 2 Mistral", "Модель", "tokens"])
def test_scores_are_those_of_search(index: LexicalIndex, question: str) -> None:
    ranked = dict(index.search(question, 10))
    assert ranked
    assert index.scores(question, IDS) == pytest.approx(ranked, abs=1e-6)
    for id_ in IDS:
        expected = {id_: ranked[id_]} if id_ in ranked else {}
        assert index.scores(question, [id_]) == pytest.approx(expected, abs=1e-6)


def test_scores_of_passages_far_down_the_ranking_are_found_too(tmp_path: Path) -> None:
    index = LexicalIndex(tmp_path / "many")
    entries = [entry(n, "Weights. " * (1 + n % 7) + f"Word{n}.") for n in range(200)]
    index.upsert(entries)
    ranked = dict(index.search("weights word150", 200))
    last = sorted(ranked, key=lambda id_: ranked[id_])[:5]
    assert index.scores("weights word150", last) == pytest.approx(
        {id_: ranked[id_] for id_ in last}, abs=1e-6
    )


def test_a_passage_without_any_of_the_words_has_no_score(index: LexicalIndex) -> None:
    assert index.scores("Mistral", IDS).keys() == {IDS[1]}
    assert index.scores("zebra", IDS) == {}


@pytest.mark.parametrize("question", ["", "the of and", "🚀🚀", "((", "\x00"])
def test_a_question_without_words_scores_nothing(index: LexicalIndex, question: str) -> None:
    assert index.scores(question, IDS) == {}


def test_unknown_passages_and_none_have_no_scores(index: LexicalIndex) -> None:
    assert index.scores("weights", []) == {}
    assert index.scores("weights", ["nowhere"]) == {}
    assert index.scores("weights", ["nowhere", IDS[0], IDS[0]]).keys() == {IDS[0]}
