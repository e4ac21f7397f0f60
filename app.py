"""The web page. It shows an Answer and decides nothing; all logic is in the packages.

Articles are strangers' text: whatever reaches the page goes through `html.escape`, an address
becomes a link only where it is http or https, and a content security policy lets the browser load
nothing from any other host, whatever Gradio or an article would have it fetch.
"""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from corpus.errors import GroundwireError, UsageError
from rag.answer import Answer, Citation, Hit, Statement, Window
from rag.assistant import Stage, StageName
from rag.render import freshness, spoken_day

if TYPE_CHECKING:
    import gradio as gr

    from corpus.settings import Settings
    from rag.assistant import Assistant

ADDRESS = "127.0.0.1"
WAITING = 20  # questions in the queue; one more is told that the page is busy
HEARTBEAT = 1.0  # seconds between two looks whether the server still lives
NEAREST = 4  # articles shown with an abstention
EXAMPLES = (
    "Why did OpenAI delay its open-weight model?",
    "Why was SB 1047 vetoed?",
    "What did the judge decide about Anthropic and fair use?",
    "What did Anthropic raise in February 2026?",
)
STAGES: dict[StageName, str] = {
    "understanding": "Understanding",
    "searching": "Searching",
    "reading": "Reading",
    "writing": "Writing",
    "checking": "Checking",
}
LABELS = {
    "supported": "supported",
    "partial": "partly supported",
    "unsupported": "not supported",
    "contradicted": "contradicted",
}


def serve(settings: Settings, port: int) -> None:
    """Serve the page on 127.0.0.1 until interrupted.

    Raises UsageError when the port can't be had, and other GroundwireErrors, before it serves,
    when the library or the embedder can't be used.
    """
    from rag.assistant import Assistant

    _check_port(port)
    assistant = Assistant(**settings.model_dump())
    assistant.search("news", k=1)  # loads what every question needs, about 2 s
    page = start(assistant, port)
    with _interrupted() as stopped:
        print(f"Serving on http://{ADDRESS}:{port} (Ctrl+C stops)", flush=True)
        while page.server.thread.is_alive() and not stopped.wait(HEARTBEAT):
            pass
        page.close(verbose=False)


@contextmanager
def _interrupted() -> Iterator[threading.Event]:
    """An event that Ctrl+C sets.

    A KeyboardInterrupt instead is lost where it is raised inside a destructor or a callback of a
    compiled library, and the page would go on for ever.
    """
    stopped = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: stopped.set())
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


def start(assistant: Assistant, port: int) -> gr.Blocks:
    """The page, served in the background. Nothing is shared, uploaded or fetched from elsewhere."""
    page = build(assistant)
    page.queue(max_size=WAITING)
    page.launch(
        server_name=ADDRESS,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        inbrowser=False,
        ssr_mode=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=["settings"],
        max_file_size=1,  # byte: Gradio takes uploads whether or not a page asks for any
        app_kwargs={"middleware": _guards()},
        theme=_theme(),
        css=CSS,
    )
    return page


def build(assistant: Assistant) -> gr.Blocks:
    """The page: a question box, what may answer, examples, and the place of the answer."""
    from corpus.offline import silence

    silence()  # Gradio reads its variables when it is imported
    import gradio as gr

    with gr.Blocks(title="Groundwire", analytics_enabled=False) as page:
        heading = gr.HTML(heading_html(assistant), apply_default_css=False, js_on_load=None)
        question = gr.Textbox(
            label="Question",
            placeholder="Ask about AI news",
            submit_btn="Ask",
            autofocus=True,
            elem_id="gw-question",
        )
        with gr.Row(elem_id="gw-examples"):
            examples = [gr.Button(text, size="sm", min_width=0) for text in EXAMPLES]
        with gr.Accordion("Dates and publishers", open=False), gr.Row():
            since = gr.Textbox(label="Since", placeholder="2025-08-05", min_width=130)
            until = gr.Textbox(label="Until", placeholder="2025-12-31", min_width=130)
            wanted = gr.Dropdown(
                assistant.library.publishers(), label="Publishers", multiselect=True, scale=2
            )
        answer = gr.HTML("", elem_id="gw-answer", apply_default_css=False, js_on_load=FOLLOW_CHIPS)

        asking = {
            "fn": partial(respond_html, assistant),
            "inputs": [question, since, until, wanted],
            "outputs": answer,
            "show_progress": "hidden",  # the stages are shown instead
        }
        asked = [question.submit(**asking, api_name="ask")]
        for button in examples:
            # The text is set in the browser, so that the question stands in the box at once.
            text = f"() => {json.dumps(button.value)}"
            filled = button.click(fn=None, js=text, outputs=question, api_visibility="private")
            asked.append(filled.then(**asking, api_visibility="private"))
        for event in asked:  # a defect of ours: its traceback goes to the terminal
            event.failure(lambda: DEFECT, outputs=answer, api_visibility="private")

        def refresh() -> tuple[str, Any]:
            return heading_html(assistant), gr.Dropdown(choices=assistant.library.publishers())

        page.load(refresh, outputs=[heading, wanted], api_visibility="private")
    return page


# What the page shows, as HTML

DEFECT = (
    '<div class="gw-error" role="alert"><p><strong>Something went wrong inside Groundwire.'
    "</strong></p><p>The terminal that runs it shows what.</p></div>"
)


def respond_html(
    assistant: Assistant,
    question: str | None,
    since: str | None,
    until: str | None,
    publishers: Sequence[str] | None,
) -> Iterator[str]:
    """The page's answer as it comes: each stage when it begins, then the Answer or the error.

    Fields are as Gradio hands them over: `None` where nobody has touched them.
    """
    first, last = (day.strip() if day and day.strip() else None for day in (since, until))
    try:
        for event in assistant.stream(question or "", (), first, last, publishers):
            if isinstance(event, Stage):
                yield stages_html(event)
            elif isinstance(event, Answer):
                yield answer_html(event)
    except GroundwireError as error:
        yield error_html(error)


def heading_html(assistant: Assistant) -> str:
    """The page's name, and what the library holds."""
    counts = assistant.library.counts()
    days = ""
    if counts.oldest and counts.newest:
        days = f", {spoken_day(counts.oldest)} to {spoken_day(counts.newest)}"
    return (
        '<header class="gw-head"><h1>Groundwire</h1>'
        "<p>Answers about AI news. Every sentence cites its source.</p>"
        f'<p class="gw-small">{counts.articles:,} articles{escape(days)}</p></header>'
    )


def stages_html(stage: Stage) -> str:
    """All stages in a row: those done, the one under way with its detail, those to come."""
    names = list(STAGES)
    at = names.index(stage.name)
    items = []
    for place, name in enumerate(names):
        state = "done" if place < at else "now" if place == at else "todo"
        current = ' aria-current="step"' if state == "now" else ""
        items.append(f'<li class="gw-{state}"{current}>{STAGES[name]}</li>')
    detail = f'<p class="gw-small">{escape(stage.detail)}</p>' if stage.detail else ""
    return f'<div class="gw-working" role="status"><ol>{"".join(items)}</ol>{detail}</div>'


def answer_html(answer: Answer) -> str:
    """An Answer: its statements and their references, or why there is none and what is nearest."""
    body = _abstention(answer) if answer.abstained else _statements(answer)
    # Before the statements: "weak evidence" has to be read first.
    notes = "".join(f'<p class="gw-small">{escape(note)}</p>' for note in answer.notes)
    return (
        f'<article class="gw-result"><h2>{escape(answer.question.strip())}</h2>{notes}{body}'
        f'<footer class="gw-foot"><p class="gw-small">{_origin(answer)}</p></footer>'
        "</article>"
    )


def error_html(error: GroundwireError) -> str:
    """An error as one sentence, and what to do next."""
    remedy = f"<p>{escape(error.remedy)}</p>" if error.remedy else ""
    return (
        '<div class="gw-error" role="alert">'
        f"<p><strong>{escape(error.message)}</strong></p>{remedy}</div>"
    )


def safe_url(url: str | None) -> str | None:
    """`url` where a browser may follow it: http or https, with a host.

    >>> safe_url("https://openai.com/open-models")
    'https://openai.com/open-models'
    >>> safe_url("javascript:alert(1)") is None
    True
    """
    try:
        parts = urlsplit(url or "")
    except ValueError:  # "http://["
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None


def _statements(answer: Answer) -> str:
    cited = {citation.n: citation for citation in answer.citations}
    said = "".join(_statement(statement, cited) for statement in answer.statements)
    passages = {hit.passage.id: hit for hit in answer.hits}
    cards = "".join(
        _reference(citation, passages.get(citation.passage_id)) for citation in answer.citations
    )
    return (
        f'<div class="gw-said" role="status">{said}</div>'
        f'<h3>References</h3><ol class="gw-cards">{cards}</ol>'
    )


def _statement(statement: Statement, cited: dict[int, Citation]) -> str:
    chips = "".join(_chip(cited[n]) for n in statement.citations)
    label = escape(LABELS[statement.label])
    return (
        f'<p>{escape(statement.text)} <span class="gw-backing">{chips} '
        f'<span class="gw-label gw-{statement.label}" title="support {statement.support:.2f}">'
        f"{label}</span></span></p>"
    )


def _chip(citation: Citation) -> str:
    # A button, not a link to "#…": Gradio's <base> would make such a link load the page anew.
    origin = f"{citation.publisher or 'unknown publisher'}, {spoken_day(citation.published)}"
    return (
        f'<button type="button" class="gw-chip" data-ref="{citation.n}" '
        f'aria-label="Reference {citation.n}: {escape(origin)}" '
        f'title="{escape(f"{origin}: {citation.quote}")}">[{citation.n}]</button>'
    )


def _reference(citation: Citation, hit: Hit | None) -> str:
    return (
        f'<li class="gw-card" data-ref="{citation.n}" tabindex="-1">'
        f'<span class="gw-n">{citation.n}</span><div>'
        f"{_byline(citation.publisher, citation.published, citation.title, citation.url)}"
        f"<blockquote>{escape(citation.quote)}</blockquote>{_in_passage(citation, hit)}</div></li>"
    )


def _in_passage(citation: Citation, hit: Hit | None) -> str:
    """The passage with exactly the quote marked, folded away."""
    if hit is None:
        return ""
    text = hit.passage.text
    start, end = citation.start - hit.passage.start, citation.end - hit.passage.start
    if text[max(start, 0) : end] != citation.quote or text == citation.quote:
        return ""
    return (
        "<details><summary>In its passage</summary>"
        f'<p class="gw-passage">{escape(text[:start])}<mark>{escape(text[start:end])}</mark>'
        f"{escape(text[end:])}</p></details>"
    )


def _byline(publisher: str | None, published: str | None, title: str, url: str | None) -> str:
    address = safe_url(url)
    shown = escape(title)
    if address:
        shown = f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{shown}</a>'
    origin = f"{publisher or 'Unknown publisher'} · {spoken_day(published)}"
    return f'<p class="gw-small">{escape(origin)}</p><p class="gw-title">{shown}</p>'


def _abstention(answer: Answer) -> str:
    nearest = {hit.article.id: hit for hit in reversed(answer.hits)}
    cards = "".join(_nearest(hit) for hit in list(reversed(nearest.values()))[:NEAREST])
    found = f'<h3>Nearest articles</h3><ul class="gw-cards">{cards}</ul>' if cards else ""
    return (
        f'<div class="gw-abstained" role="status"><p><strong>{escape(answer.text)}</strong></p>'
        f"<p>{escape(answer.reason or '')}</p></div>{found}"
    )


def _nearest(hit: Hit) -> str:
    article = hit.article
    byline = _byline(article.publisher, article.day, article.title, article.url)
    return (
        f'<li class="gw-card"><div>{byline}<details><summary>Passage found</summary>'
        f'<p class="gw-passage">{escape(hit.passage.text)}</p></details></div></li>'
    )


def _origin(answer: Answer) -> str:
    """How the answer came about: days searched, model, time, freshness."""
    parts = [_days(answer.window), f"Model: {answer.model}."]
    if "total" in answer.timings_ms:
        parts.append(f"Time: {answer.timings_ms['total'] / 1000:.1f} s.")
    parts.append(freshness(answer))
    return escape(" ".join(part for part in parts if part))


def _days(window: Window) -> str:
    since = f" from {spoken_day(window.since.isoformat())}" if window.since else ""
    until = f" until {spoken_day(window.until.isoformat())}" if window.until else ""
    return f"Days asked about:{since}{until}." if since or until else ""


# How it is served


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        # As servers do: an address that is only winding down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise UsageError(
                f"Port {port} on {ADDRESS} can't be opened: {error.strerror}.",
                "Choose another with --port.",
            ) from error


# Gradio runs inline scripts and compiles templates, hence 'unsafe-inline' and 'unsafe-eval'; what
# keeps articles from running is that they are escaped. This keeps the browser on this machine.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


class ContentPolicy:
    """ASGI middleware that sends POLICY, and no referrer, with every answer."""

    HEADERS = (
        (b"content-security-policy", POLICY.encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
    )

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self.HEADERS]
            await send(message)

        await self.app(scope, receive, guarded)


def _guards() -> list[Any]:
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    return [
        # A page elsewhere whose name is made to resolve to 127.0.0.1 must not read the library.
        Middleware(TrustedHostMiddleware, allowed_hosts=[ADDRESS, "localhost"]),
        Middleware(ContentPolicy),
    ]


def _theme() -> Any:
    import gradio as gr

    # Fonts by name only: Gradio's own come as files or from Google.
    theme = gr.themes.Default(
        primary_hue="teal",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    # Gradio's grey for minor text has a contrast of 2.6 on white, and white on its teal 2.5; these
    # have 4.8 and 5.5.
    return theme.set(
        body_text_color_subdued="*neutral_500",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800",
    )


# A chip shows its card: scrolled to, focused, and lit for a moment.
FOLLOW_CHIPS = """
element.addEventListener('click', (event) => {
  const chip = event.target.closest('.gw-chip');
  const card = chip && element.querySelector(`.gw-card[data-ref="${chip.dataset.ref}"]`);
  if (!card) return;
  card.scrollIntoView({behavior: 'smooth', block: 'nearest'});
  card.focus({preventScroll: true});
});
"""

CSS = """
.gradio-container { max-width: 820px !important; margin: 0 auto !important; }
.gradio-container .html-container { padding: 0; }
.gradio-container footer .divider { display: none; }
#gw-question .submit-button {
  color: var(--button-primary-text-color); background: var(--button-primary-background-fill);
}
#gw-question .submit-button:hover { background: var(--button-primary-background-fill-hover); }
.gw-head { padding: 1.5rem 0 .25rem; }
.gw-head h1 { font-size: 1.9rem; font-weight: 700; letter-spacing: -.02em; margin: 0; }
.gw-head p { margin: .15rem 0 0; font-size: 1.05rem; }
#gw-examples { gap: .5rem; flex-wrap: wrap; }
#gw-examples button {
  flex: 0 1 auto; width: auto; font-weight: 400; white-space: normal; text-align: left;
}
.gw-small, .gw-head .gw-small { font-size: .85rem; color: var(--body-text-color-subdued); }
#gw-answer p, #gw-answer h2, #gw-answer h3, #gw-answer blockquote { margin: 0; }
#gw-answer { overflow-wrap: anywhere; }
.gw-working { padding: 1rem 0; }
.gw-working ol { display: flex; flex-wrap: wrap; gap: .4rem 1.4rem; list-style: none; padding: 0; }
.gw-working li { margin: 0; color: var(--body-text-color-subdued); }
.gw-working li::before { content: "○"; margin-right: .4rem; }
.gw-working .gw-done::before { content: "✓"; }
.gw-working .gw-now { color: var(--link-text-color); font-weight: 600; }
.gw-working .gw-now::before { content: "●"; animation: gw-pulse 1s infinite alternate; }
.gw-working p { padding-top: .5rem; }
@keyframes gw-pulse { to { opacity: .25; } }
@media (prefers-reduced-motion: reduce) { .gw-working .gw-now::before { animation: none; } }
.gw-result { padding: .5rem 0 1rem; }
.gw-result h2 { font-size: 1.3rem; font-weight: 650; line-height: 1.3; padding-bottom: .8rem; }
.gw-result h3 { font-size: 1rem; font-weight: 600; padding: 1.4rem 0 .6rem; }
.gw-said p { font-size: 1.08rem; line-height: 1.6; padding-bottom: .7rem; }
.gw-chip {
  font-size: .8rem; font-weight: 600; padding: .05rem .35rem; border-radius: 6px; cursor: pointer;
  color: var(--link-text-color); background: var(--background-fill-secondary);
  border: 1px solid var(--border-color-primary);
}
.gw-chip:hover { border-color: currentColor; }
.gw-chip:focus-visible, #gw-answer a:focus-visible { outline: 2px solid var(--color-accent); }
.gw-backing { white-space: nowrap; }
.gw-label { font-size: .75rem; color: var(--body-text-color-subdued); }
.gw-label::before { content: "✓ "; }
.gw-partial::before { content: "~ "; }
.gw-unsupported, .gw-contradicted { color: var(--error-text-color); }
.gw-unsupported::before, .gw-contradicted::before { content: "✗ "; }
#gw-answer .gw-cards { list-style: none; padding: 0; margin: 0; display: grid; gap: .7rem; }
.gw-card {
  display: flex; gap: .8rem; padding: .9rem 1rem; margin: 0; border-radius: 10px;
  border: 1px solid var(--border-color-primary); background: var(--block-background-fill);
}
.gw-card:focus { outline: 2px solid var(--color-accent); }
.gw-card > div { min-width: 0; flex: 1; }
.gw-n { font-weight: 700; color: var(--link-text-color); }
.gw-title { font-weight: 600; }
.gw-title a { color: var(--body-text-color); text-decoration: underline; }
.gw-title a:hover { color: var(--link-text-color); }
.gw-card blockquote {
  padding: .1rem 0 .1rem .8rem; border-left: 3px solid var(--color-accent); line-height: 1.5;
}
#gw-answer .gw-card blockquote { margin: .5rem 0 .2rem; white-space: pre-line; }
.gw-card summary { font-size: .85rem; cursor: pointer; color: var(--body-text-color-subdued); }
.gw-passage { font-size: .95rem; line-height: 1.55; padding-top: .4rem; white-space: pre-line; }
.gw-passage mark { background: #fde68a; color: #1f2937; padding: 0 .1em; border-radius: 2px; }
.gw-abstained, .gw-error {
  padding: .9rem 1rem; border-radius: 10px; border: 1px solid var(--border-color-primary);
  background: var(--background-fill-secondary);
}
.gw-abstained { border-left: 4px solid #b45309; }
.gw-error { border-left: 4px solid #b91c1c; margin-top: .5rem; }
.gw-foot { padding-top: 1.2rem; }
"""
