"""The page in a real browser: filters, marks, and that its policy is never broken."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evals.report.page import page
from tests.evals.report.samples import ATTACK, FAILED, ITEMS, many

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt install chromium)")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        flags = ["--headless", "--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def shown(chromium: Any, tmp_path: Path) -> Iterator[Any]:
    """The page, on a phone; fails the test where anything was asked for or complained of."""
    file = tmp_path / "report.html"
    file.write_text(page(many()), "utf-8")
    told: list[str] = []
    tab = chromium.new_page(viewport={"width": 390, "height": 800})
    tab.on("console", lambda message: told.append(message.text))
    tab.on("pageerror", lambda error: told.append(str(error)))
    tab.on("dialog", lambda dialog: told.append("an article ran its script"))
    tab.on("request", lambda request: told.append(request.url))
    tab.goto(file.as_uri())
    yield tab
    assert told == [file.as_uri()]
    tab.close()


def ids(tab: Any) -> list[str]:
    return [tags.split(" · ")[0] for tags in tab.locator(".item .tags").all_inner_texts()]


def opened(tab: Any, id: str) -> Any:
    """The item of that id, opened by keyboard."""
    item = tab.locator(".item", has=tab.locator(".tags", has_text=f"{id} · "))
    item.locator("summary").first.press("Enter")
    item.locator(".inside").wait_for()  # it is filled when the browser says that it is open
    return item


def test_failures_are_listed_first_and_filters_narrow(shown: Any) -> None:
    assert ids(shown) == [item["id"] for item in FAILED.values()]
    for sort, item in FAILED.items():
        shown.select_option("#sort", sort)
        assert ids(shown) == [item["id"]]
    shown.select_option("#sort", "no failure")
    assert ids(shown) == ["right", "silent"]
    shown.select_option("#kind", "false premise")
    assert ids(shown) == ["silent"]
    shown.select_option("#sort", "any failure")
    assert ids(shown) == []
    assert shown.locator("#count").inner_text() == "0 of 8 questions"


def test_another_system_and_free_text(shown: Any) -> None:
    shown.select_option("#sort", "all")
    shown.get_by_label("Text").fill("SINCE 5 may")
    assert ids(shown) == ["right", "wrong", "lost"]
    shown.get_by_label("Text").fill("")
    shown.select_option("#system", "naive")
    shown.select_option("#sort", "error")
    assert len(ids(shown)) == len(ITEMS)


def test_an_item_shows_quote_and_gold_in_the_article(shown: Any) -> None:
    item = opened(shown, "half")
    mark = item.locator("mark.cited.gold")
    assert mark.inner_text() == "The model costs $3.[1]"
    assert ATTACK in item.locator(".body").inner_text()
    assert ATTACK in item.locator("summary").first.inner_text()
    checks = item.locator(".checks li").all_inner_texts()
    assert [text[0] for text in checks] == ["✓", "✗", "✓"]
    assert "hit 1" in checks[2]


def test_an_item_says_what_went_wrong(shown: Any) -> None:
    assert "$3 is not in [1]" in opened(shown, "wrong").inner_text()
    assert "not among the hits" in opened(shown, "lost").inner_text()
    assert "The model is gone" in opened(shown, "broken").inner_text()
    shy = opened(shown, "shy").inner_text()
    assert "And before?" in shy
    assert "Nothing near enough." in shy


def test_only_web_addresses_are_links(shown: Any) -> None:
    links = opened(shown, "half").locator("a")
    assert [link.get_attribute("href") for link in links.all()] == [
        "https://example.com/llama?a=1&b=2"
    ]


def test_it_fits_a_phone(shown: Any) -> None:
    opened(shown, "half")
    assert shown.evaluate("document.documentElement.scrollWidth") == 390
