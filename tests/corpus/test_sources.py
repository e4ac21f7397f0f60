"""The bundled data: every article and every source is what its card says."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import corpus
from ingest.bundled import ARTICLES, bundled_articles
from ingest.files import Imported

HERE = Path(corpus.__file__).parent
CATEGORIES = {"labs", "press", "research", "policy", "newsletters"}


def bundled() -> list[Imported]:
    items = list(bundled_articles())
    assert all(isinstance(item, Imported) for item in items)
    return [item for item in items if isinstance(item, Imported)]


def test_every_bundled_article_is_free_dated_and_signed() -> None:
    for item in bundled():
        article = item.article
        assert article.licence == "CC0-1.0", item.where
        assert article.publisher and article.published and article.kind == "digest", item.where
        assert article.date_found == "front matter" and not item.notes, item.where


def test_the_card_counts_right() -> None:
    articles = [item.article for item in bundled()]
    card = (HERE / "README.md").read_text("utf-8")
    sorts = Counter(article.provenance for article in articles)
    assert f"{len(articles)} digests" in card
    assert f"by {len({article.publisher for article in articles})} publishers" in card
    for sort in ("primary", "reporting", "commentary"):
        assert f"{sorts[sort]} {sort}" in card
    assert sum(article.url is None for article in articles) == 2
    days = sorted(article.day or "" for article in articles)
    assert (days[0], days[-1]) == ("2023-12-11", "2026-08-21")


def test_no_two_bundled_articles_are_the_same() -> None:
    articles = [item.article for item in bundled()]
    assert len({article.id for article in articles}) == len(articles)
    assert ARTICLES.is_dir() and not list(ARTICLES.glob("README*"))


def test_sources_are_unique_and_fetched_over_https() -> None:
    sources = tomllib.loads((HERE / "sources.toml").read_text("utf-8"))["source"]
    assert {source["category"] for source in sources} == CATEGORIES
    for field in ("name", "url", "site"):
        values = [source[field] for source in sources]
        assert len(set(values)) == len(values)
    for source in sources:
        assert set(source) == {"name", "category", "url", "site"}
        assert source["url"].startswith("https://") and source["site"].startswith("https://")
