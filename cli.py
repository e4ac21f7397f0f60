"""The terminal. It shows what the packages say and decides nothing.

Exit codes: 0 done, 1 an error told in one sentence, 2 wrong use, 3 the library does not answer.
Everything heavy is imported inside the commands, so that `groundwire --help` answers at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from corpus.library import Library
    from corpus.settings import Settings
    from ingest.doctor import Finding
    from ingest.pipeline import Progress, Report
    from rag.answer import Answer, Hit
    from rag.assistant import Assistant

FAILED, WRONG_USE, ABSTAINED = 1, 2, 3
SHOWN_REFUSALS = 20

app = typer.Typer(
    name="groundwire",
    help="Ask questions of AI news and get answers whose every sentence cites its source.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(help="The models that can write answers.", no_args_is_help=True)
export_app = typer.Typer(help="Write an answer or the library to a file.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(export_app, name="export")
eval_app = typer.Typer(
    help="Measure answers on the questions of the eval suite.", invoke_without_command=True
)
app.add_typer(eval_app, name="eval")

Home = Annotated[
    Path | None, typer.Option(help="The data folder (GROUNDWIRE_HOME).", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Model = Annotated[
    str | None,
    typer.Option(
        help="extractive, smollm2, ollama/NAME, openai/MODEL@URL or hf/NAME.", show_default=False
    ),
]
Since = Annotated[str | None, typer.Option(help="First day, like 2025-08-05.", show_default=False)]
Until = Annotated[str | None, typer.Option(help="Last day.", show_default=False)]
Publishers = Annotated[
    list[str] | None, typer.Option("--publisher", help="Only this publisher; can be repeated.")
]
JudgeName = Annotated[str, typer.Option(help="verifier, nli/NAME or llm/MODEL.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="The port to serve on.")]


@app.command()
def up(
    home: Home = None,
    port: Port = 7860,
    serve: Annotated[bool, typer.Option(help="Serve the web page at the end.")] = True,
) -> None:
    """Fetch the models, index the bundled corpus, and serve the web page."""
    import time

    started = time.monotonic()
    settings = _settings(home)
    out = _console()
    _pull_if_possible(settings)
    _open_reader(settings)  # converts it, so that the first question need not wait
    report = _fill(settings)
    counts = _library(settings).counts()
    out.print(
        f"[bold]Ready[/] in {time.monotonic() - started:.0f} s: {counts.articles} articles, "
        f"{counts.passages} passages ({report.embedded} embedded now), "
        f"{counts.oldest} to {counts.newest}."
    )
    _tell(f"Models: {_models_in_words(settings)}. Data: {settings.home}")
    if serve:
        _serve(settings, port)


@app.command()
def ui(home: Home = None, model: Model = None, port: Port = 7860) -> None:
    """Serve the web page on 127.0.0.1."""
    settings = _settings(home, model=model)
    _fill_if_empty(settings)
    _serve(settings, port)


@app.command()
def ingest(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files or folders (.md, .txt, .jsonl); the bundled corpus if none."),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take articles into the library and index them."""
    from ingest.bundled import bundled_articles
    from ingest.files import read_path

    settings = _settings(home)
    items = [item for path in paths for item in read_path(path)] if paths else bundled_articles()
    with _progress() as progress:
        report = _pipeline(settings).ingest(items, progress)
    if as_json:
        _print_json(_report_dict(report))
    else:
        _show_report(report)
    if report.failed_entirely:
        raise typer.Exit(FAILED)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    home: Home = None,
    model: Model = None,
    since: Since = None,
    until: Until = None,
    publisher: Publishers = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question from the library, with citations."""
    from rag.answer import Answer
    from rag.assistant import Stage
    from rag.query import clean

    clean(question)  # a question that can't be used is told before anything is indexed
    assistant = _assistant(home, model)
    answer: Answer | None = None
    with _err().status("…") as status:
        for event in assistant.stream(question, (), since, until, publisher):
            if isinstance(event, Stage):
                status.update(f"{event.name} {event.detail}".strip())
            if isinstance(event, Answer):
                answer = event
    assert answer is not None
    if as_json:
        _print_json(answer.to_dict())
    else:
        _show_answer(answer)
    if answer.abstained:
        raise typer.Exit(ABSTAINED)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="Words or a question.")],
    k: Annotated[int, typer.Option("-k", help="How many passages.")] = 8,
    home: Home = None,
    since: Since = None,
    until: Until = None,
    publisher: Publishers = None,
    as_json: AsJson = False,
) -> None:
    """Show the passages that fit a query best."""
    hits = _assistant(home, None).search(query, k, since, until, publisher)
    if as_json:
        _print_json([hit.to_dict() for hit in hits])
    else:
        _show_hits(hits)


@app.command()
def status(home: Home = None, as_json: AsJson = False) -> None:
    """Show what the library holds and what is indexed."""
    settings = _settings(home)
    state = _state(settings)
    if as_json:
        _print_json(state)
        return
    out = _console()
    for name, value in state.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        label = f"[bold]{name.replace('_', ' '):>12}[/]"
        out.print(f"{label}  {_plain(str(shown))}", highlight=False, soft_wrap=True)


@app.command()
def doctor(
    home: Home = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check that library, indexes and models agree; with --repair, make them."""
    from corpus.embedding import load_embedder
    from ingest.doctor import diagnose
    from ingest.doctor import repair as mend

    settings = _settings(home)
    library, embedder = _library(settings), load_embedder(settings)
    if repair:
        with _progress() as progress:
            mend(library, settings, embedder, progress)
    findings = [*diagnose(library, settings, embedder), *_models_that_load(settings)]
    if as_json:
        _print_json({"findings": [_as_dict(finding) for finding in findings]})
    else:
        _show_findings(findings)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(FAILED)


@app.command()
def reindex(home: Home = None) -> None:
    """Build both indexes anew beside the old ones, then swap."""
    settings = _settings(home)
    with _progress() as progress:
        generation = _pipeline(settings).reindex(progress)
    counts = _library(settings).counts()
    _tell(
        f"Indexed {counts.vectors} passages of {counts.articles} articles "
        f"with {generation.embedder} ({generation.fingerprint})."
    )


@models_app.command("list")
def models_list(home: Home = None, as_json: AsJson = False) -> None:
    """Show the models by name and which are there."""
    from rag.llms import installed

    models = installed(_settings(home).models_dir)
    if as_json:
        _print_json([_as_dict(model) for model in models])
        return
    for model in models:
        mark = "[green]ready[/]  " if model.present else "[dim]missing[/]"
        size = f" {model.size_bytes / 1e6:.0f} MB" if model.size_bytes else ""
        _console().print(
            f"{mark}  [bold]{model.name}[/]  {model.kind}{size}  [dim]{_plain(model.note)}[/]",
            highlight=False,
            soft_wrap=True,
        )


@models_app.command("pull")
def models_pull(name: Annotated[str, typer.Argument()], home: Home = None) -> None:
    """Fetch a built-in model."""
    from rag.llms import pull

    folder = pull(name, _settings(home).models_dir, _say)
    _tell(f"{name} is ready in {folder}.")


@export_app.command("answer")
def export_answer(
    question: Annotated[str, typer.Argument()],
    target: Annotated[Path, typer.Argument(help="The Markdown file to write.")],
    home: Home = None,
    model: Model = None,
) -> None:
    """Ask, and write the answer with its references as Markdown."""
    from rag.render import to_markdown

    answer = _assistant(home, model).ask(question)
    _write(target, to_markdown(answer))
    _tell(f"Written: {target}")
    if answer.abstained:
        raise typer.Exit(ABSTAINED)


@export_app.command("library")
def export_library(
    target: Annotated[Path, typer.Argument(help="The JSONL file to write.")], home: Home = None
) -> None:
    """Write all articles with their revisions as JSONL, which `ingest` reads back."""
    from ingest.export import export_library as export

    count = export(_library(_settings(home)), target)
    _tell(f"Written: {target} ({count} lines)")


@eval_app.callback()
def evaluate(
    context: typer.Context,
    home: Home = None,
    system: Annotated[
        list[str] | None,
        typer.Option(
            help="ours, naive, bm25, no-bm25, no-vectors, no-rerank, no-verifier, no-gate; "
            "can be repeated. All of them if none.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A generator to measure; can be repeated. Both built-in ones if none."),
    ] = None,
    split: Annotated[str, typer.Option(help="dev, test or all.")] = "all",
    judge: JudgeName = "verifier",
    ruler: Annotated[bool, typer.Option(help="Measure the judge itself too.")] = True,
    out: Annotated[
        Path | None, typer.Option(help="Where the run is kept.", show_default=False)
    ] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Fail below the floors.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure answers on the questions of the eval suite."""
    if context.invoked_subcommand:
        return
    from evals.run import Plan, evaluate

    plan = Plan(tuple(system or ()), tuple(model or ()), split, judge, ruler)
    raise typer.Exit(evaluate(_settings(home), plan, out, gate=gate, as_json=as_json))


@eval_app.command("compare")
def compare_runs(
    first: Annotated[Path, typer.Argument(help="A run's folder or its run.json.")],
    second: Annotated[Path, typer.Argument(help="The run to compare it with.")],
    system: Annotated[
        str | None, typer.Option(help="Which system of both.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What changed from one run to another, and which questions flipped."""
    from evals.compare import compare

    raise typer.Exit(compare(first, second, as_json=as_json, system=system))


@eval_app.command("ruler")
def measure_judges(
    home: Home = None,
    judge: Annotated[
        list[str] | None,
        typer.Option(help="verifier, nli/NAME or llm/MODEL; can be repeated.", show_default=False),
    ] = None,
    nli: Annotated[
        Path | None,
        typer.Option(help="JSONL of premise, hypothesis, supported.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure judges: do they tell true statements from corrupted ones?"""
    from evals.ruler import run_ruler

    raise typer.Exit(run_ruler(_settings(home), judge or ["verifier"], nli, as_json=as_json))


@eval_app.command("public")
def public(
    benchmark: Annotated[str, typer.Argument(help="multihop, rgb, squad or ragtruth.")],
    path: Annotated[Path, typer.Argument(help="Its file or folder, fetched by you.")],
    home: Home = None,
    model: Model = None,
    judge: JudgeName = "verifier",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Ask so many only.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure on a public benchmark, under its own definitions."""
    from evals.public.run import run_public

    settings = _settings(home, model=model)
    code = run_public(benchmark, path, settings, settings.model, judge, limit, as_json=as_json)
    raise typer.Exit(code)


def main() -> None:
    """The entry point: every error of ours is one sentence on stderr and an exit code."""
    from corpus.errors import GroundwireError, UsageError

    try:
        app()
    except UsageError as error:
        _fail(str(error), WRONG_USE)
    except GroundwireError as error:
        _fail(str(error), FAILED)


def _fail(message: str, code: int) -> None:
    _err().print(f"[red]groundwire:[/] {_plain(message)}", soft_wrap=True)
    sys.exit(code)


# The parts, put together for a command


def _settings(home: Path | None, **flags: Any) -> Settings:
    from corpus.settings import load_settings

    return load_settings(home=home, **flags)


def _library(settings: Settings) -> Library:
    from corpus.library import Library

    return Library.open(settings.home)


def _pipeline(settings: Settings) -> Any:
    from corpus.embedding import load_embedder
    from ingest.pipeline import Pipeline

    return Pipeline(_library(settings), load_embedder(settings), settings)


def _assistant(home: Path | None, model: str | None) -> Assistant:
    from rag.assistant import Assistant

    settings = _settings(home, model=model)
    _fill_if_empty(settings)
    return Assistant(settings.home, model)


def _fill_if_empty(settings: Settings) -> None:
    if _library(settings).current() is None:
        _say(f"The library in {settings.home} is empty: indexing the bundled corpus first.")
        _fill(settings)


def _fill(settings: Settings) -> Report:
    from ingest.bundled import fill

    with _progress() as progress:
        return fill(settings, progress)


def _pull_if_possible(settings: Settings) -> None:
    from corpus.errors import ModelError
    from rag.llms import pull

    try:
        pull("smollm2", settings.models_dir, _say)
    except ModelError as error:
        _say(f"{error} Answers are quoted from the sources meanwhile, which needs no model.")


def _open_reader(settings: Settings) -> None:
    from rag.trained import TrainedReader

    TrainedReader.open(settings.models_dir)


def _serve(settings: Settings, port: int) -> None:
    from app import serve

    serve(settings, port)


def _models_that_load(settings: Settings) -> Iterator[Finding]:
    """A finding for the reader and each built-in generator that is there: whether it loads."""
    from rag.llms import installed, load_generator

    yield _loads("reader", lambda: _open_reader(settings))
    for model in installed(settings.models_dir):
        if model.present and "/" not in model.name:
            name = model.name
            yield _loads(f"model {name}", partial(load_generator, name, settings.models_dir))


def _loads(what: str, load: Callable[[], object]) -> Finding:
    from corpus.errors import ModelError
    from ingest.doctor import Finding

    try:
        load()
        return Finding(what, True, "loads", "")
    except ModelError as error:
        return Finding(what, False, error.message, error.remedy)


def _models_in_words(settings: Settings) -> str:
    from rag.llms import installed

    ready = [m.name for m in installed(settings.models_dir) if m.present and "/" not in m.name]
    return f"{settings.embedder} (embedder), {', '.join(ready)}"


def _state(settings: Settings) -> dict[str, Any]:
    library = _library(settings)
    counts, generation = library.counts(), library.current()
    return {
        "home": str(settings.home),
        "articles": counts.articles,
        "revisions": counts.revisions,
        "passages": counts.passages,
        "words": f"{counts.words} indexed",
        "vectors": f"{counts.vectors} indexed",
        "oldest": counts.oldest,
        "newest": counts.newest,
        "embedder": generation.embedder if generation else settings.embedder,
        "model": settings.model,
        "publishers": library.publishers(),
    }


# Showing


def _show_answer(answer: Answer) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from rag.render import freshness, reference

    out = _console()
    out.print()
    if answer.abstained:
        out.print(f"[yellow]{answer.text}[/]", highlight=False)
        out.print(f"[dim]{_plain(answer.reason or '')}[/]", highlight=False)
        _show_nearest(answer.hits)
    for note in answer.notes:
        out.print(f"[yellow]{_plain(note)}[/]", highlight=False)
    for statement in answer.statements:
        line = Text(statement.text)
        for n in statement.citations:
            line.append(f" [{n}]", style="bold cyan")
        out.print(Padding(line, (0, 0, 0, 2)))
    if answer.citations:
        out.print("\n[bold]References[/]")
    for citation in answer.citations:
        line = Text(f"[{citation.n}] ", style="bold cyan")
        line.append(reference(citation), style="not bold default")
        out.print(line, soft_wrap=True)
        quote = Text(f"“{' '.join(citation.quote.split())}”", style="italic dim")
        out.print(Padding(quote, (0, 0, 0, 4)))
    seconds = answer.timings_ms["total"] / 1000
    tail = f"{freshness(answer)} Model: {answer.model}, {seconds:.1f} s."
    out.print(f"\n[dim]{_plain(tail)}[/]", highlight=False)


def _show_nearest(hits: Sequence[Hit]) -> None:
    from rag.render import spoken_day

    titles = {hit.article.id: hit.article for hit in hits}
    if titles:
        _console().print("\nNearest articles:")
    for article in list(titles.values())[:3]:
        who = f"{article.publisher or 'unknown'}, {spoken_day(article.day)}"
        _console().print(f"  {_plain(article.title)} [dim]({_plain(who)})[/]", highlight=False)


def _show_hits(hits: Sequence[Hit]) -> None:
    from rag.render import spoken_day

    out = _console()
    if not hits:
        out.print("Nothing found.")
    for n, hit in enumerate(hits, 1):
        article = hit.article
        who = f"{article.publisher or 'unknown'}, {spoken_day(article.day)}"
        out.print(f"[bold cyan]{n}[/] [bold]{_plain(article.title)}[/] [dim]{_plain(who)}[/]")
        out.print(f"  {_plain(' '.join(hit.passage.text.split()))}", highlight=False)
        out.print(f"  [dim]{_plain(hit.passage.id)}  score {hit.score:.4f}[/]\n", highlight=False)


def _show_report(report: Report) -> None:
    from rich.markup import escape

    counted = ", ".join(f"{count} {change}" for change, count in report.counts.items())
    _console().print(f"{counted or 'nothing taken in'}; {report.embedded} passages embedded.")
    for note in report.notes:
        _err().print(f"[yellow]note[/]    {escape(note)}", soft_wrap=True)
    for refused in report.refused[:SHOWN_REFUSALS]:
        _err().print(
            f"[red]refused[/] {escape(f'{refused.where}: {refused.reason}')}", soft_wrap=True
        )
    if len(report.refused) > SHOWN_REFUSALS:
        _err().print(f"… and {len(report.refused) - SHOWN_REFUSALS} more refused.")


def _report_dict(report: Report) -> dict[str, Any]:
    return {
        "counts": dict(report.counts),
        "embedded": report.embedded,
        "refused": [_as_dict(refused) for refused in report.refused],
        "notes": report.notes,
    }


def _show_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        mark = "[green]ok[/]  " if finding.ok else "[red]bad[/] "
        text = f"{finding.what}: {finding.detail}" if finding.detail else finding.what
        _console().print(f"{mark} {_plain(text)}", highlight=False, soft_wrap=True)
        if not finding.ok and finding.remedy:
            _console().print(f"     [dim]{_plain(finding.remedy)}[/]", highlight=False)


def _as_dict(value: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(value)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar a stage on stderr; nothing where stderr is not a terminal."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description:>15}"), BarColumn(), MofNCompleteColumn())
    err = _err()
    bars = Progress(*columns, TimeRemainingColumn(), console=err, disable=not err.is_terminal)
    with bars:
        tasks: dict[str, Any] = {}

        def progress(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield progress


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def _write(target: Path, text: str) -> None:
    from corpus.errors import HomeError

    try:
        target.write_text(text, "utf-8")
    except OSError as error:
        raise HomeError(
            f"{target} can't be written: {error.strerror}.", "Give another file."
        ) from error


def _tell(line: str) -> None:
    _console().print(_plain(line), highlight=False, soft_wrap=True)


def _say(line: str) -> None:
    _err().print(_plain(line), highlight=False, soft_wrap=True)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _console() -> Console:
    from rich.console import Console

    return Console()


def _err() -> Console:
    from rich.console import Console

    return Console(stderr=True)


if __name__ == "__main__":
    main()
