"""The page in a real browser, over the bundled corpus and over an article that attacks it."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import app
from corpus.library import Library
from rag.assistant import Assistant
from tests.conftest import make_article
from tests.fakes import FakeAssistant, answer_from

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt install chromium)")

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
ANSWERED = "Why did OpenAI delay its open-weight model?"
UNANSWERED = "What is the capital of Peru?"
SECONDS = 1000


@dataclass
class Watch:
    """A browser page, and all that it asked for or complained of."""

    page: Any
    hosts: set[str | None] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._request)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _request(self, request: Any) -> None:
        if request.url.startswith(("http", "ws")):
            self.hosts.add(urlsplit(request.url).hostname)

    def _console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def ask(self, question: str) -> None:
        box = self.page.get_by_label("Question")
        box.fill(question)
        box.press("Enter")

    def answer(self) -> Any:
        result = self.page.locator(".gw-result")
        result.wait_for(timeout=60 * SECONDS)
        return result


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


def serve(assistant: Any) -> Any:
    with socket.socket() as probe:
        probe.bind((app.ADDRESS, 0))
        port = probe.getsockname()[1]
    return app.start(assistant, port)


@pytest.fixture(scope="module")
def bundled(bundled_home: Path) -> Iterator[str]:
    """The address of the page over the bundled corpus, with every part real."""
    page = serve(Assistant(home=bundled_home, model="extractive"))
    yield page.local_url
    page.close(verbose=False)


def visit(browser: Any, url: str, **options: Any) -> Iterator[Watch]:
    context = browser.new_context(**options)
    watch = Watch(context.new_page())
    watch.page.goto(url)
    watch.page.get_by_label("Question").wait_for(timeout=30 * SECONDS)
    yield watch
    context.close()


@pytest.fixture
def visitor(browser: Any, bundled: str) -> Iterator[Watch]:
    yield from visit(browser, bundled)


# Collects each state of the answer's place as it is drawn.
RECORD = """
window.seen = [];
new MutationObserver(() => {
  const now = document.querySelector('.gw-now');
  if (now && window.seen.at(-1) !== now.textContent) window.seen.push(now.textContent);
}).observe(document.querySelector('#gw-answer'), {subtree: true, childList: true});
"""


def test_a_question_goes_through_its_stages_to_a_cited_answer(visitor: Watch) -> None:
    visitor.page.evaluate(RECORD)
    visitor.ask(ANSWERED)
    answer = visitor.answer()
    seen = visitor.page.evaluate("window.seen")
    # A stage of a few milliseconds can come and go between two frames.
    assert seen
    assert seen == [name for name in app.STAGES.values() if name in seen]
    chips, quotes = answer.locator(".gw-chip"), answer.locator("blockquote")
    assert chips.first.inner_text() == "[1]"
    assert "open-weight model" in quotes.first.inner_text()
    assert answer.locator(".gw-label").first.inner_text().endswith("supported")
    assert "Newest article in the library" in answer.inner_text()
    assert not visitor.complaints
    assert visitor.hosts == {"127.0.0.1"}


def test_a_chip_leads_to_its_card_and_the_passage_marks_the_quote(visitor: Watch) -> None:
    visitor.ask(ANSWERED)
    answer = visitor.answer()
    chip = answer.locator(".gw-chip").last
    chip.click()
    number = chip.get_attribute("data-ref")
    card = answer.locator(f'.gw-card[data-ref="{number}"]')
    assert card.evaluate("card => card === document.activeElement")
    card.locator("summary").click()
    quote = card.locator("blockquote").inner_text()
    assert card.locator("mark").inner_text() == quote
    assert card.locator("a").get_attribute("rel") == "noopener noreferrer"


def test_a_question_that_the_corpus_does_not_answer(visitor: Watch) -> None:
    visitor.ask(UNANSWERED)
    answer = visitor.answer()
    assert "The library does not answer this question." in answer.inner_text()
    assert answer.locator(".gw-card a").count() >= 1
    assert not visitor.complaints


def test_an_example_is_filled_in_and_asked(visitor: Watch) -> None:
    visitor.page.get_by_role("button", name=app.EXAMPLES[1]).click()
    assert visitor.answer().locator("h2").inner_text() == app.EXAMPLES[1]
    assert visitor.page.get_by_label("Question").input_value() == app.EXAMPLES[1]


def test_dates_and_publishers_narrow_the_search(visitor: Watch) -> None:
    visitor.page.get_by_role("button", name="Dates and publishers").click()
    visitor.page.get_by_label("Since").fill("2025-08-01")
    visitor.page.get_by_label("Publishers").click()
    visitor.page.get_by_role("option", name="OpenAI", exact=True).click()
    visitor.ask("Has OpenAI released an open-weight model?")
    answer = visitor.answer()
    origins = answer.locator(".gw-card .gw-small").all_inner_texts()
    assert origins
    assert all(re.match(r"OpenAI · .* 202[56]", origin) for origin in origins)
    assert "from 1 August 2025" in answer.inner_text()


def test_a_wrong_day_is_told_in_one_sentence(visitor: Watch) -> None:
    visitor.page.get_by_role("button", name="Dates and publishers").click()
    visitor.page.get_by_label("Until").fill("yesterday")
    visitor.ask(ANSWERED)
    error = visitor.page.locator(".gw-error")
    error.wait_for(timeout=30 * SECONDS)
    assert "which is not a day. Write it like 2025-08-05." in " ".join(error.inner_text().split())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_on_a_phone(browser: Any, bundled: str, scheme: str) -> None:
    phone = {"width": 390, "height": 800}
    for watch in visit(browser, bundled, viewport=phone, color_scheme=scheme):
        watch.ask(ANSWERED)
        watch.answer()
        assert watch.page.evaluate("document.documentElement.scrollWidth") <= phone["width"]
        dark = watch.page.evaluate("document.body.classList.contains('dark')")
        assert dark == (scheme == "dark")


ATTACK = (
    '<img src=x onerror="window.pwned=1"><script>window.pwned=2</script>'
    "${window.pwned=3}{{constructor.constructor('window.pwned=4')()}}`+(window.pwned=5)+`"
    "<img src=https://evil.example/beacon.png>"
)


@pytest.mark.parametrize("reason", [None, "So."])
def test_an_article_full_of_attacks_is_shown_and_not_run(
    browser: Any, library: Library, reason: str | None
) -> None:
    hostile = make_article(
        1, f"{ATTACK} and more.", title=ATTACK, publisher=ATTACK, url="javascript:window.pwned=6"
    )
    page = serve(FakeAssistant(library, answer_from(hostile, ATTACK, reason=reason)))
    try:
        for watch in visit(browser, page.local_url):
            watch.ask(ATTACK)
            shown = watch.answer()
            watch.page.wait_for_timeout(500)
            assert "onerror" in shown.inner_text()
            assert "${window.pwned=3}" in shown.inner_text()
            assert shown.locator("img, script, a").count() == 0
            assert watch.page.evaluate("window.pwned") is None
            assert watch.hosts == {"127.0.0.1"}
    finally:
        page.close(verbose=False)


def test_the_browser_itself_refuses_other_hosts(visitor: Watch) -> None:
    refused = visitor.page.evaluate(
        "fetch('https://evil.example/').then(() => 'let through', () => 'refused')"
    )
    assert refused == "refused"
    assert "Content Security Policy" in " ".join(visitor.complaints)


def test_a_defect_is_told_without_its_traceback(browser: Any, library: Library) -> None:
    page = serve(FakeAssistant(library, ZeroDivisionError("a secret")))
    try:
        for watch in visit(browser, page.local_url):
            watch.ask("Why?")
            error = watch.page.locator(".gw-error")
            error.wait_for(timeout=30 * SECONDS)
            assert "Something went wrong inside Groundwire." in error.inner_text()
            assert "secret" not in watch.page.inner_text("body")
    finally:
        page.close(verbose=False)
