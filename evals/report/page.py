"""A run as one HTML page that needs nothing else: charts, tables, and a browser of questions.

Articles and answers are strangers' text. Whatever becomes markup here is escaped, the browser of
questions builds text nodes only, and the content security policy runs this one script, known by
its hash, and loads nothing from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from evals.report.browser import browser_data
from evals.report.charts import Row, Times, dots, reliability, spread
from evals.report.figures import (
    PERCENTILES,
    Cell,
    Record,
    System,
    against,
    cell,
    ends,
    first,
    is_better,
    is_clear,
    kinds,
    main_figures,
    milliseconds,
    number,
    ours,
    percent,
    signed,
    signed_ends,
    speed,
    splits,
    three,
)

FOLDER = Path(__file__).parent


def page(record: Record) -> str:
    """The whole page."""
    style = FOLDER.joinpath("page.css").read_text("utf-8")
    script = FOLDER.joinpath("page.js").read_text("utf-8")
    sections = [
        _head(record),
        _section("figures", _figures(record)),
        _section("kinds", _kinds(record)),
        _section("parts", _parts(record)),
        _section("judge", _judge(record)),
        _section("time", _time(record)),
        _section("questions", BROWSER),
    ]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>Groundwire evaluation, {escape(record["started"][:10])}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#questions">Skip to the questions</a>
<main>
{"".join(sections)}
</main>
{_foot(record)}
<script type="application/json" id="data">{_json(browser_data(record))}</script>
<script>{script}</script>
</body>
</html>
"""


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(data: Any) -> str:
    """JSON that can't end its script element, nor begin a comment or another script in it."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


# Sections -----------------------------------------------------------------------------------------


SECTIONS = {
    "figures": ("Figures", "The figures"),
    "kinds": ("Kinds", "By kind of question"),
    "parts": ("Parts", "What each part buys"),
    "judge": ("Judge", "Can the judge be trusted?"),
    "time": ("Time", "How long it takes"),
    "questions": ("Questions", "Question by question"),
}


def _section(id: str, inside: str) -> str:
    title = f'<h2 id="{id}-title">{SECTIONS[id][1]}</h2>'
    return f'<section id="{id}" aria-labelledby="{id}-title">{title}{inside}</section>'


def _head(record: Record) -> str:
    name, system = first(record)
    day = datetime.fromisoformat(record["started"])
    links = "".join(f'<a href="#{id}">{short}</a>' for id, (short, _) in SECTIONS.items())
    return f"""<header>
<p class="kicker">Groundwire evaluation · {day.day} {day:%B %Y}</p>
<h1>{escape(_headline(system))}</h1>
<p class="lead">{escape(_lead(name, record))}</p>
<nav aria-label="On this page">{links}</nav>
<dl class="key">{"".join(_key(figure, system) for figure in main_figures(record))}</dl>
</header>"""


def _headline(system: System) -> str:
    """Faithfulness never without the answer rate: whoever says nothing says nothing wrong."""
    backed, answered = cell(system, "all", "faithfulness"), cell(system, "all", "answer_rate")
    if not (backed and answered):
        return "How the answers held up"
    return (
        f"{percent(backed['value'])} of statements are backed by what they cite, "
        f"with {percent(answered['value'])} of answerable questions answered"
    )


def _lead(name: str, record: Record) -> str:
    data, about = record["data"], record["systems"][name]["about"].rstrip(".")
    split = "" if record["split"] == "all" else f" of the split {record['split']}"
    return (
        f"{data['questions']:,} questions{split} were asked on {data['articles']:,} articles. "
        f"The figures on top are of {name} ({about}). Judged by {record['judge']['name']}; "
        "intervals are at 95 %."
    )


def _key(figure: dict[str, Any], system: System) -> str:
    found = cell(system, "all", figure["name"])
    value = percent(found["value"]) if found else "–"
    span = f"{percent(found['low'])} to {percent(found['high'])}" if found else "no question"
    aim = "" if figure["higher_is_better"] else " (less is better)"
    return (
        f"<div><dt>{escape(figure['label'])}{aim}</dt>"
        f'<dd>{value}<span class="ends">{span}</span></dd></div>'
    )


def _figures(record: Record) -> str:
    """One table per system of ours; the first open, the others folded."""
    tables = []
    for n, (name, system) in enumerate((ours(record) or record["systems"]).items()):
        folded = f"<summary>{escape(name)}</summary>{_figures_table(record, name, system)}"
        tables.append(f"<details{'' if n else ' open'}>{folded}</details>")
    return "<p>Each figure with its interval, over all questions and by group.</p>" + "".join(
        tables
    )


def _figures_table(record: Record, name: str, system: System) -> str:
    groups = [*splits(system), *kinds(system)]
    counts = [(group, system["figures"][group]["questions"]) for group in groups]
    rows = [
        (figure["label"], [_with_ends(cell(system, g, figure["name"])) for g in groups])
        for figure in record["figures"]
    ]
    for key, label in PERCENTILES.items():
        rows.append((label, [milliseconds(system["figures"][g][key]) for g in groups]))
    tokens = [speed(system["figures"][g]["tokens_per_second"]) for g in groups]
    headings = [f'{escape(group)}<span class="ends">{n}</span>' for group, n in counts]
    return _table(f"All figures of {name}", headings, [*rows, ("tokens per second", tokens)])


def _with_ends(found: Cell | None) -> str:
    return f'{number(found)}<span class="ends">{ends(found)}</span>'


def _kinds(record: Record) -> str:
    _, system = first(record)
    panels = [_kinds_panel(system, figure) for figure in main_figures(record)]
    note = "<p>Dots are values, lines their intervals; the upright line is all questions.</p>"
    return note + _panels(panels)


def _kinds_panel(system: System, figure: dict[str, Any]) -> str:
    """A row for each group to which the figure applies."""
    found = ((group, cell(system, group, figure["name"])) for group in kinds(system))
    rows = [_row(_of(system, group), one) for group, one in found if one]
    chart = dots(rows, f"{figure['label']} by kind of question", _mark(system, figure))
    return _panel(figure["label"], chart)


def _of(system: System, group: str) -> str:
    return f"{group} ({system['figures'][group]['questions']})"


def _parts(record: Record) -> str:
    if len(record["systems"]) == 1:
        return "<p>Only one system was measured in this run.</p>"
    reference, _ = first(record)
    note = (
        "<p>The same questions with a part switched off, and with other systems. The upright line "
        f"is {escape(reference)}; the table has the paired differences to it, in colour where "
        "their interval leaves out 0.</p>"
    )
    panels = [_parts_panel(record, figure) for figure in main_figures(record)]
    return note + _panels(panels) + _parts_table(record)


def _parts_panel(record: Record, figure: dict[str, Any]) -> str:
    reference, system = first(record)
    rows = [
        _row(name, cell(other, "all", figure["name"]), strong=name == reference)
        for name, other in record["systems"].items()
    ]
    chart = dots(rows, f"{figure['label']} of each system", _mark(system, figure))
    return _panel(figure["label"], chart)


def _mark(system: System, figure: dict[str, Any]) -> float | None:
    """Where the upright line stands: at the figure over all questions."""
    found = cell(system, "all", figure["name"])
    return found["value"] if found else None


def _row(label: str, found: Cell | None, *, strong: bool = False) -> Row:
    if found is None:
        return Row(label, None, strong=strong)
    return Row(label, found["value"], found["low"], found["high"], strong)


def _parts_table(record: Record) -> str:
    chosen = main_figures(record)
    rows = [
        (name, [_with_difference(system, figure) for figure in chosen])
        for name, system in record["systems"].items()
    ]
    headings = [escape(figure["label"]) for figure in chosen]
    abouts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(system['about'])}</dd></div>"
        for name, system in record["systems"].items()
    )
    table = _table("Each system and its paired difference to the first", headings, rows)
    return f'{table}<dl class="abouts">{abouts}</dl>'


def _with_difference(system: System, figure: dict[str, Any]) -> str:
    value, difference = number(cell(system, "all", figure["name"])), against(system, figure["name"])
    if difference is None:
        return value
    way = ""
    if is_clear(difference):
        way = " better" if is_better(difference, figure) else " worse"
    return (
        f'{value}<span class="ends{way}">{signed(difference)}</span>'
        f'<span class="ends">{signed_ends(difference)}</span>'
    )


def _judge(record: Record) -> str:
    ruler = record["ruler"]
    if not ruler:
        return "<p>The judge itself was not measured in this run.</p>"
    caught, accepted = (
        [Row(f"{kind} ({found['of']})", found["share"]) for kind, found in ruler[verb].items()]
        for verb in ("caught", "accepted")
    )
    bins = [(b["score"], b["true"], b["of"]) for b in ruler["reliability"]]
    note = (
        f"<p>The judge, {escape(ruler['judge'])}, was given true statements and others with one "
        f"thing made false. It tells them apart with an AUROC of {three(ruler['auroc'])} and a "
        f"balanced accuracy of {three(ruler['balanced_accuracy'])}, at a threshold of "
        f"{three(ruler['threshold'])} that was set on other pairs.</p>"
    )
    panels = [_panel("False statements caught", dots(caught, "share caught, by what was false"))]
    panels.append(_panel("True statements accepted", dots(accepted, "share accepted, by kind")))
    if bins:
        chart = reliability(bins, "of each score, the share of statements that are true")
        panels.append(_panel("Does the support score mean what it says?", chart))
    return note + _panels(panels)


def _time(record: Record) -> str:
    systems = [
        Times(name, [t for i in system["items"] if (t := i["scores"]["milliseconds"]) is not None])
        for name, system in record["systems"].items()
    ]
    if not any(system.values for system in systems):
        return "<p>No question was timed.</p>"
    note = (
        "<p>From question to answer, without loading a model. Below each name are the median and "
        "the 95th percentile, which are also the two strokes.</p>"
    )
    chart = spread(systems, "distribution of the time that an answer takes, for each system")
    return note + _panels([_panel("Time per question", chart)], wide=True)


BROWSER = """
<p>Every question with its answer, what it cites, and what was expected. Marked in the articles:
<mark class="cited">what the answer quotes</mark> and
<mark class="gold">what it should have found</mark>.</p>
<noscript><p>This list needs JavaScript; report.md lists without it what failed.</p></noscript>
<form id="filters" role="search" aria-label="Questions">
<label>System <select id="system"></select></label>
<label>Kind <select id="kind"></select></label>
<label>What happened <select id="sort"></select></label>
<label class="wide">Text
<input id="text" type="search" autocomplete="off" placeholder="question, answer, id"></label>
</form>
<p id="count" role="status"></p>
<div id="list"></div>
<button id="more" type="button" hidden>Show more</button>
"""


def _foot(record: Record) -> str:
    data, prints = record["data"], record["fingerprints"]
    facts = {
        "started": record["started"],
        "split": record["split"],
        "passages": f"{record['passages']:,}",
        "questions, sha256": data["questions_sha256"],
        "articles, sha256": data["articles_sha256"],
        "judge": f"{record['judge']['name']} {record['judge']['fingerprint']}",
        **prints,
    }
    listed = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>"
        for name, value in facts.items()
    )
    return f'<footer><h2>What was measured with</h2><dl class="abouts">{listed}</dl></footer>'


# Markup -------------------------------------------------------------------------------------------


def _panel(title: str, chart: str) -> str:
    return f"<figure><figcaption>{escape(title)}</figcaption>{chart}</figure>"


def _panels(panels: Iterable[str], *, wide: bool = False) -> str:
    return f'<div class="panels{" wide" if wide else ""}">{"".join(panels)}</div>'


def _table(caption: str, headings: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    """`headings` and cells are markup, labels and the caption are text. It scrolls sideways."""
    head = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    body = "".join(
        f'<tr><th scope="row">{escape(label)}</th>{"".join(f"<td>{c}</td>" for c in cells)}</tr>'
        for label, cells in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
