"""A run as Markdown: the terminal's tables with all intervals, and what failed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from evals.report.failures import SORTS, Item, failures, nuggets_hit, said
from evals.report.figures import (
    PERCENTILES,
    Record,
    System,
    against,
    cell,
    ends,
    first,
    kinds,
    main_figures,
    milliseconds,
    number,
    ours,
    percent,
    rulings,
    signed,
    signed_ends,
    speed,
    splits,
    three,
)

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~&])")


def markdown(record: Record) -> str:
    """The whole report."""
    measured = ours(record) or record["systems"]
    parts = [head(record)]
    for name, system in measured.items():
        parts += [figures(record, name, system), by_kind(record, name, system)]
    if len(record["systems"]) > 1:
        parts.append(what_parts_buy(record))
    if record["ruler"]:
        parts.append(judge(record["ruler"]))
    parts += [what_failed(name, system) for name, system in measured.items()]
    return "\n\n".join(parts) + "\n"


def head(record: Record) -> str:
    """What was measured, on what, with what."""
    data = record["data"]
    facts = {
        "started": record["started"],
        "questions": f"{data['questions']} ({record['split']}), sha256 {data['questions_sha256']}",
        "articles": f"{data['articles']}, {record['passages']} passages, "
        f"sha256 {data['articles_sha256']}",
        "judge": f"{record['judge']['name']} {record['judge']['fingerprint']}",
        **record["fingerprints"],
    }
    lines = (f"- {plain(name)}: {plain(str(value))}" for name, value in facts.items())
    return "# Groundwire evaluation\n\n" + "\n".join(lines)


def figures(record: Record, name: str, system: System) -> str:
    """All figures over all questions and by split, each with its interval."""
    groups = splits(system)
    rows = [
        [f["label"], *(_interval(cell(system, group, f["name"])) for group in groups)]
        for f in record["figures"]
    ]
    for key, label in PERCENTILES.items():
        rows.append([label, *(milliseconds(system["figures"][g][key]) for g in groups)])
    tokens = (speed(system["figures"][g]["tokens_per_second"]) for g in groups)
    rows.append(["tokens per second", *tokens])
    title = f"## {plain(name)}\n\n{plain(system['about'])}\n\n"
    return title + table(["", *_counted(system, groups)], rows)


def by_kind(record: Record, name: str, system: System) -> str:
    """One column per kind of question."""
    groups = kinds(system)
    rows = [
        [f["label"], *(_interval(cell(system, group, f["name"])) for group in groups)]
        for f in record["figures"]
    ]
    return f"### {plain(name)}, by kind of question\n\n" + table(
        ["", *_counted(system, groups)], rows
    )


def what_parts_buy(record: Record) -> str:
    """A row per system: its figures and, in brackets, the paired differences to the first."""
    chosen = main_figures(record)
    rows = [
        [name, *(_with_difference(system, figure) for figure in chosen), system["about"]]
        for name, system in record["systems"].items()
    ]
    headings = ["", *(figure["label"] for figure in chosen), "what it is"]
    return (
        f"## What each part buys\n\nEach system and, below, its paired difference to "
        f"{plain(first(record)[0])} with the 95 % interval; * where that leaves out 0.\n\n"
        + table(headings, rows)
    )


def judge(ruler: dict[str, Any]) -> str:
    """How well the judge tells true statements from corrupted ones."""
    rows = [
        [label, percent(found["share"]), f"{found['of']:,}", balanced]
        for label, found, balanced in rulings(ruler)
    ]
    return (
        f"## The judge, {plain(ruler['judge'])}\n\nAUROC {three(ruler['auroc'])}; balanced "
        f"accuracy {three(ruler['balanced_accuracy'])} at the threshold "
        f"{three(ruler['threshold'])}.\n\n" + table(["", "share", "of", "balanced"], rows)
    )


# What failed --------------------------------------------------------------------------------------


def what_failed(name: str, system: System) -> str:
    """Each failed question once, under the gravest thing that went wrong with it."""
    worst: dict[str, list[Item]] = {sort: [] for sort in SORTS}
    for item in system["items"]:
        for sort in failures(item)[:1]:
            worst[sort].append(item)
    failed = sum(map(len, worst.values()))
    parts = [f"## What failed: {plain(name)}\n\n{failed} of {len(system['items'])} questions."]
    for sort, items in worst.items():
        if items:
            listed = "\n".join(_failure(item) for item in items)
            parts.append(f"### {sort.capitalize()} ({len(items)})\n\n{listed}")
    return "\n\n".join(parts)


def _failure(item: Item) -> str:
    """A question with what was said and what of it was missing, as a nested list."""
    lines = [f"- **{_line(item['id'])}** {_line(item['expected']['question'])}"]
    lines += [f"  - {label}: {_line(text)}" for label, text in _details(item) if text]
    return "\n".join(lines)


def _details(item: Item) -> Iterator[tuple[str, str]]:
    yield "error", item["error"] or ""
    yield "abstained", (item["answer"] or {}).get("reason") or ""
    yield "said", said(item)
    yield "expected", "; ".join(item["expected"]["answers"])
    yield "vital nuggets missing", "; ".join(_missing(item))
    for judged in item["judged"]:
        if judged["supported"] is False:
            yield "unsupported", f"{judged['statement']} ({judged['reason']})"


def _missing(item: Item) -> list[str]:
    pairs = zip(item["expected"]["nuggets"], nuggets_hit(item), strict=True)
    return [nugget["text"] for nugget, hit in pairs if nugget["vital"] and not hit]


# Markdown itself ----------------------------------------------------------------------------------


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is to the left and whose others are to the right."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)]]
    lines += [[plain(text).replace("\n", "<br>") for text in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(text: str) -> str:
    """Text that Markdown and HTML leave as it is; blank lines and runs of spaces become one.

    >>> plain("<script> of *A|B*")
    '\\\\<script\\\\> of \\\\*A\\\\|B\\\\*'
    """
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(_SPECIAL.sub(r"\\\1", line) for line in lines if line)


def _line(text: str) -> str:
    """On one line, as an item of a list must be."""
    return plain(text).replace("\n", " ")


def _counted(system: System, groups: Iterable[str]) -> list[str]:
    return [f"{group} ({system['figures'][group]['questions']})" for group in groups]


def _interval(found: dict[str, float] | None) -> str:
    return f"{number(found)}\n{ends(found)}" if found else "–"


def _with_difference(system: System, figure: dict[str, Any]) -> str:
    value = number(cell(system, "all", figure["name"]))
    difference = against(system, figure["name"])
    return f"{value}\n{signed(difference)} ({signed_ends(difference)})" if difference else value
