from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.article import Article, Passage, canonical_url, distinct, epoch, short_hash, utc
from tests.conftest import make_article


@pytest.mark.parametrize(
    "spelling",
    [
        "https://openai.com/open-models",
        "HTTPS://OpenAI.com/open-models/",
        "https://openai.com/open-models#licence",
        "https://openai.com/open-models?utm_source=feed&utm_medium=rss",
        " https://openai.com/open-models?fbclid=1 ",
    ],
)
def test_one_page_has_one_spelling(spelling: str) -> None:
    assert canonical_url(spelling) == "https://openai.com/open-models"


def test_what_names_another_page_is_kept() -> None:
    assert canonical_url("https://a.org/p?id=2&utm_campaign=x") == "https://a.org/p?id=2"
    assert canonical_url("https://a.org/Path") != canonical_url("https://a.org/path")
    assert canonical_url("http://a.org/p") != canonical_url("https://a.org/p")


words = st.text("abcXYZ019-_.~%é ", max_size=8)


@given(st.lists(words, max_size=4), st.dictionaries(words, words, max_size=3), words)
def test_the_spelling_of_a_spelling_is_itself(
    path: list[str], query: dict[str, str], fragment: str
) -> None:
    pairs = "&".join(f"{key}={value}" for key, value in query.items())
    once = canonical_url(f"https://Example.org/{'/'.join(path)}?{pairs}#{fragment}")
    assert canonical_url(once) == once


def test_an_article_is_named_by_its_address_and_its_revision_by_its_text() -> None:
    one, other = make_article(1), make_article(1, text="Another text.")
    assert one.id == other.id == short_hash("https://example.org/1")
    assert one.revision != other.revision
    assert one.id != make_article(2).id


def test_without_an_address_the_text_names_the_article() -> None:
    assert (
        Article("A", "Same text.").id == Article("B", "Same text.").id == short_hash("Same text.")
    )


def test_a_passage_is_named_by_where_it_stands() -> None:
    assert Passage("aaa", "bbb", 3, 9, "sixsix").id == "aaa#bbb:3-9"


def test_the_header_leaves_out_what_is_unknown() -> None:
    assert make_article(1).header == "Report 1 · Beta · 2025-02-02"
    assert Article("Only a title", "x").header == "Only a title"


def test_a_moment_without_a_zone_is_utc() -> None:
    assert utc(datetime(2025, 8, 5)) == datetime(2025, 8, 5, tzinfo=UTC)
    east = timezone(timedelta(hours=9))
    assert utc(datetime(2025, 8, 5, 1, tzinfo=east)).day == 4
    assert epoch(None) is None


def test_distinct_keeps_the_order() -> None:
    assert distinct(["b", "a", "b"]) == ("b", "a")
