"""The page as text, and the server behind it: nothing of an article runs, nothing is let out."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

import app
from corpus.article import Article
from corpus.errors import EmptyLibraryError, UsageError
from corpus.library import Library
from corpus.settings import Settings
from rag.answer import Window
from rag.assistant import Stage
from tests.fakes import FakeAssistant, answer_from

ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</blockquote><iframe src=//evil.example>",
    "[click](javascript:alert(1))",
)
QUOTE = "OpenAI released two open-weight models."


def article(text: str = f"{QUOTE} They run on laptops.", **fields: object) -> Article:
    given = {
        "title": "gpt-oss",
        "url": "https://openai.com/open-models",
        "publisher": "OpenAI",
        "published": datetime(2025, 8, 5, tzinfo=UTC),
    }
    return Article(text=text, **{**given, **fields})  # type: ignore[arg-type]


class Tags(HTMLParser):
    """Every tag of a page with its attributes, as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.seen if tag == name]


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_an_answer_shows_statements_chips_references_and_freshness() -> None:
    page = app.answer_html(answer_from(article(), QUOTE))
    text = words(page)
    assert f"{QUOTE} [1] supported" in text
    assert f"OpenAI · 5 August 2025 gpt-oss {QUOTE}" in text
    assert "Model: extractive. Time: 0.4 s. Newest article in the library: 21 August 2026." in text
    (link,) = Tags(page).named("a")
    assert link == {
        "href": "https://openai.com/open-models",
        "target": "_blank",
        "rel": "noopener noreferrer",
    }


def test_each_chip_points_at_the_card_of_its_number() -> None:
    tags = Tags(app.answer_html(answer_from(article(), QUOTE)))
    (chip,) = tags.named("button")
    (card,) = tags.named("li")
    assert chip["data-ref"] == card["data-ref"] == "1"
    assert chip["aria-label"] == "Reference 1: OpenAI, 5 August 2025"


def test_the_passage_marks_exactly_the_quote() -> None:
    whole = f"Before it, <b>nothing</b>. {QUOTE} After it, more."
    page = app.answer_html(answer_from(article(whole), QUOTE))
    assert f"&lt;b&gt;nothing&lt;/b&gt;. <mark>{QUOTE}</mark> After it" in page


def test_a_quote_that_is_not_in_the_passage_marks_nothing() -> None:
    answer = answer_from(article(), QUOTE)
    moved = replace(answer.citations[0], start=3, end=3 + len(QUOTE))
    assert "<mark>" not in app.answer_html(replace(answer, citations=(moved,)))


def test_an_abstention_says_why_and_shows_each_near_article_once() -> None:
    near = answer_from(article(), QUOTE, reason="No passage bears on it.")
    page = app.answer_html(replace(near, hits=near.hits * 3))
    assert "The library does not answer this question. No passage bears on it." in words(page)
    assert page.count("gpt-oss</a>") == 1
    assert "References" not in page


def test_nearest_articles_come_best_first_and_few() -> None:
    hits = [
        answer_from(article(title=f"Number {n}", url=f"https://a.org/{n}"), QUOTE).hits[0]
        for n in range(9)
    ]
    near = replace(answer_from(article(), QUOTE, reason="So."), hits=tuple(hits))
    titles = re.findall(r"Number \d", app.answer_html(near))
    assert titles == [f"Number {n}" for n in range(app.NEAREST)]


def test_the_days_asked_about_are_shown() -> None:
    window = Window(date(2025, 7, 1), date(2025, 7, 31))
    page = app.answer_html(replace(answer_from(article(), QUOTE), window=window))
    assert "Days asked about: from 1 July 2025 until 31 July 2025." in page


def test_a_partly_supported_statement_says_so() -> None:
    answer = answer_from(article(), QUOTE)
    partial = replace(answer.statements[0], label="partial")
    assert "partly supported" in app.answer_html(replace(answer, statements=(partial,)))


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("reason", [None, "So."])
def test_nothing_that_an_article_says_becomes_html(attack: str, reason: str | None) -> None:
    calm = answer_from(article(), QUOTE, reason=reason)
    hostile = answer_from(
        article(f"{attack} and on", title=attack, publisher=attack), attack, reason=reason
    )
    page = app.answer_html(replace(hostile, model=attack, notes=(attack,)))
    allowed = {(tag, *attributes) for tag, attributes in Tags(app.answer_html(calm)).seen}
    assert {(tag, *attributes) for tag, attributes in Tags(page).seen} <= allowed
    assert attack in unescape(page)


@pytest.mark.parametrize("attack", ATTACKS)
def test_nor_does_a_question_or_an_error(attack: str) -> None:
    stages = app.stages_html(Stage("searching", attack))
    error = app.error_html(UsageError(attack, attack))
    assert {tag for tag, _ in Tags(stages + error).seen} == {"div", "ol", "li", "p", "strong"}


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "//evil.example",
        "https:",
        "http://[",
    ],
)
def test_only_http_addresses_become_links(url: str | None) -> None:
    assert app.safe_url(url) is None
    answer = answer_from(article(), QUOTE)
    page = app.answer_html(replace(answer, citations=(replace(answer.citations[0], url=url),)))
    assert not Tags(page).named("a")
    assert "gpt-oss" in page


def test_a_quote_in_an_address_stays_in_the_address() -> None:
    url = 'https://a.org/"onclick="alert(1)'
    (link,) = Tags(app.answer_html(answer_from(article(url=url), QUOTE))).named("a")
    assert link["href"] == url
    assert "onclick" not in link


def test_stages_show_what_is_done_and_what_is_under_way() -> None:
    page = app.stages_html(Stage("reading", "8 passages"))
    states = re.findall(r'class="gw-(done|now|todo)"', page)
    assert states == ["done", "done", "now", "todo", "todo"]
    assert "8 passages" in page


def test_the_stream_goes_through_the_stages_and_ends_with_the_answer(library: Library) -> None:
    assistant = FakeAssistant(library, answer_from(article(), QUOTE))
    *stages, last = app.respond_html(assistant, "Why?", " 2025-07-01 ", "", ["OpenAI"])
    assert [page.count("gw-done") for page in stages] == [0, 1, 2, 3, 4]
    assert QUOTE in last
    assert assistant.asked == [
        {"question": "Why?", "since": "2025-07-01", "until": None, "publishers": ["OpenAI"]}
    ]


def test_an_error_ends_the_stream_in_one_sentence(library: Library) -> None:
    error = EmptyLibraryError("The library is empty.", "Fill it with: groundwire ingest")
    *_, last = app.respond_html(FakeAssistant(library, error), "Why?", None, None, None)
    assert words(last) == "The library is empty. Fill it with: groundwire ingest"


# The server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((app.ADDRESS, 0))
        port: int = probe.getsockname()[1]
        return port


Serve = Callable[[FakeAssistant], httpx.Client]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves the page of an assistant; a client whose base is its address."""
    opened = []

    def start(assistant: FakeAssistant) -> httpx.Client:
        page = app.start(assistant, free_port())  # type: ignore[arg-type]
        opened.append(page)
        return httpx.Client(base_url=page.local_url, trust_env=False)

    yield start
    for page in opened:
        page.close(verbose=False)


@pytest.fixture
def client(serve: Serve, library: Library) -> httpx.Client:
    return serve(FakeAssistant(library, answer_from(article(), QUOTE)))


def ask(client: httpx.Client, *fields: object) -> str:
    """All that the server streams in reply to a question."""
    call = client.post("/gradio_api/call/ask", json={"data": fields}).raise_for_status()
    return client.get(f"/gradio_api/call/ask/{call.json()['event_id']}", timeout=20).text


def test_a_question_is_answered_over_http(client: httpx.Client) -> None:
    reply = ask(client, "Why?", "", "", [])
    assert reply.count("event: generating") >= 1
    assert QUOTE in reply.split("event: complete")[1]


def test_a_defect_shows_no_traceback(serve: Serve, library: Library) -> None:
    client = serve(FakeAssistant(library, ZeroDivisionError("a secret of the machine")))
    reply = ask(client, "Why?", "", "", [])
    assert "event: error" in reply
    assert "secret" not in reply
    assert "Traceback" not in reply


def test_the_page_names_no_other_host_that_it_would_load_from(client: httpx.Client) -> None:
    page = client.get("/").raise_for_status()
    tags = Tags(page.text)
    loaded = [a.get("src") for a in tags.named("script")] + [a["href"] for a in tags.named("link")]
    assert [url for url in loaded if url and re.match(r"(https?:)?//", url)] == []
    assert "fonts.googleapis" not in client.get("/theme.css").raise_for_status().text
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_another_host_name_is_refused(client: httpx.Client) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("path", [__file__, "/etc/hostname", "pyproject.toml", "../../etc/passwd"])
def test_no_file_of_the_machine_is_reachable(client: httpx.Client, path: str) -> None:
    assert client.get(f"/gradio_api/file={path}").status_code in {403, 404}


def test_nothing_can_be_uploaded(client: httpx.Client) -> None:
    reply = client.post("/gradio_api/upload", files={"files": ("a.txt", b"two bytes and more")})
    assert reply.status_code == 413


def test_it_listens_on_loopback_only(client: httpx.Client) -> None:
    assert client.base_url.host == app.ADDRESS == "127.0.0.1"
    with socket.socket() as probe, pytest.raises(OSError, match="refused"):
        probe.connect(("127.0.0.2", client.base_url.port))


def test_a_taken_port_is_named_with_the_remedy() -> None:
    with socket.socket() as taken:
        taken.bind((app.ADDRESS, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"Port {port} .*in use\. .*--port"):
            app.serve(Settings(), port)


def test_it_says_one_line_and_stops_quietly_on_ctrl_c(bundled_home: Path) -> None:
    port = free_port()
    program = (
        "import sys, app; from corpus.settings import load_settings;"
        "app.serve(load_settings(home=sys.argv[1]), int(sys.argv[2]))"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", program, str(bundled_home), str(port)],
        cwd=Path(app.__file__).parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    first = server.stdout.readline()
    server.send_signal(signal.SIGINT)
    rest, complaints = server.communicate(timeout=20)
    assert first == f"Serving on http://127.0.0.1:{port} (Ctrl+C stops)\n"
    assert (rest, complaints, server.returncode) == ("", "", 0)
