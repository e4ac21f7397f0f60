"""The whole of answering over a real Library and real indexes, with fakes for what thinks."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from corpus.embedding import Embedder
from corpus.errors import EmbedderChangedError, EmptyLibraryError, ModelError, UsageError
from corpus.library import Library
from corpus.settings import Settings
from ingest.pipeline import Pipeline
from rag.answer import Answer
from rag.assistant import Assistant, Stage, Token
from rag.followups import Turn
from rag.generate import ExtractiveGenerator
from tests.conftest import imported, make_article
from tests.fakes import FakeEmbedder, FakeGenerator, FakeReader, FakeVerifier

ROOT = Path(__file__).parents[2]
STAGES = ["understanding", "searching", "reading", "writing", "checking"]
INGEST_ONE_MORE = """
import sys
from pathlib import Path
from corpus.library import Library
from corpus.settings import Settings
from ingest.pipeline import Pipeline
from tests.conftest import imported, make_article
from tests.fakes import FakeEmbedder
home = Path(sys.argv[1])
article = make_article(99, text="Zebra models run on sunlight.", title="Zebra")
Pipeline(Library.open(home), FakeEmbedder(), Settings(home=home)).ingest(imported(article))
"""


def fill(home: Path, count: int = 8) -> None:
    library = Library.open(home)
    articles = imported(*(make_article(n) for n in range(1, count + 1)))
    Pipeline(library, FakeEmbedder(), Settings(home=home)).ingest(articles)
    library.close()


def faked(home: Path) -> Assistant:
    made = Assistant(home)
    made.embedder = FakeEmbedder()
    made.reader = FakeReader()
    made.verifier = FakeVerifier()
    made.generator = ExtractiveGenerator()
    return made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("answers")
    fill(home)
    return home


@pytest.fixture
def assistant(home: Path) -> Iterator[Assistant]:
    made = faked(home)
    yield made
    if made._opened:
        made._opened[1].close()
    made.library.close()


# The stream


def test_stages_come_in_order_then_the_answer(assistant: Assistant) -> None:
    events = list(assistant.stream("What does model number 3 cost?"))
    assert [e.name for e in events if isinstance(e, Stage)] == STAGES
    assert [isinstance(e, Answer) for e in events] == [False] * (len(events) - 1) + [True]
    writing = events.index(Stage("writing", "extractive"))
    tokens = [at for at, e in enumerate(events) if isinstance(e, Token)]
    assert tokens and min(tokens) > writing and max(tokens) < events.index(Stage("checking"))


def test_tokens_are_the_draft_and_remarks_reach_the_user(assistant: Assistant) -> None:
    assistant.generator = FakeGenerator("Model number 3 ", "was released.", remark="Cut.")
    events = list(assistant.stream("What of model number 3?"))
    assert "".join(e.text for e in events if isinstance(e, Token)) == "Model number 3 was released."
    answer = events[-1]
    assert isinstance(answer, Answer)
    assert answer.text == "Model number 3 was released. [1]"
    assert answer.notes == ("Cut.",) and answer.model == "fake"


def test_an_abstention_neither_writes_nor_checks(assistant: Assistant) -> None:
    assistant.reader = FakeReader(answerable=0.2)
    events = list(assistant.stream("What of model number 3?"))
    assert [e.name for e in events[:-1] if isinstance(e, Stage)] == STAGES[:3]
    assert isinstance(events[-1], Answer) and events[-1].abstained


# The answer


def test_every_statement_cites_the_exact_sentence(assistant: Assistant) -> None:
    answer = assistant.ask("What does model number 5 cost?")
    assert not answer.abstained and answer.reason is None and answer.statements
    assert {n for s in answer.statements for n in s.citations} == {c.n for c in answer.citations}
    for citation in answer.citations:
        article = assistant.library.article(citation.article_id, citation.revision)
        assert article is not None
        assert article.text[citation.start : citation.end] == citation.quote
    assert "number 5" in answer.citations[0].quote or "$5.50" in answer.citations[0].quote


def test_the_answer_as_json_has_all_fields_of_the_contract(assistant: Assistant) -> None:
    shown = assistant.ask("What does model number 5 cost?", since="2025-01-02").to_dict()
    assert shown.keys() >= {
        "question", "query", "text", "abstained", "reason", "statements", "citations", "hits",
        "window", "model", "as_of", "timings_ms",
    }  # fmt: skip
    assert shown["statements"][0].keys() >= {"text", "citations", "support", "label"}
    assert shown["citations"][0].keys() >= {
        "n", "passage_id", "article_id", "title", "publisher", "published", "url", "quote",
        "start", "end", "revision",
    }  # fmt: skip
    assert shown["hits"][0].keys() >= {"passage_id", "article_id", "url", "score", "text"}
    assert shown["window"] == {"since": "2025-01-02", "until": None}
    assert shown["timings_ms"].keys() >= {"retrieve", "generate", "verify", "total"}
    assert all(isinstance(ms, int) and ms >= 0 for ms in shown["timings_ms"].values())
    assert shown["as_of"] == assistant.library.newest()


def test_what_fails_the_checks_is_not_shown(assistant: Assistant) -> None:
    assistant.generator = FakeGenerator("Model number 3 eats grass. Model number 3 was released.")
    answer = assistant.ask("What of model number 3?")
    assert "grass" not in answer.text
    assert any("did not back" in note for note in answer.notes)


@pytest.mark.parametrize(
    ("history", "query"),
    [
        ([Turn("What does Report 3 cost?", "It costs $3.50. [1]")], True),
        ([("What does Report 3 cost?", "It costs $3.50. [1]")], True),
        ([{"question": "What does Report 3 cost?", "answer": "$3.50."}], True),
        ([], False),
    ],
)
def test_history_makes_a_followup_standalone(
    assistant: Assistant, history: Any, query: bool
) -> None:
    answer = assistant.ask("And when was it released?", history)
    assert answer.question == "And when was it released?"
    assert ("Report 3" in answer.query) is query


def test_the_reader_gets_the_standalone_question_and_its_parts(assistant: Assistant) -> None:
    assistant.ask("What did Report 2 cost and when was Report 4 released?")
    question, parts = assistant.reader.asked[-1]
    assert question == "What did Report 2 cost and when was Report 4 released?"
    assert len(parts) == 2


# Abstaining


def test_reasons_for_abstaining(assistant: Assistant) -> None:
    assistant.reader = FakeReader(answerable=0.2)
    assert "probability 0.20; 0.50 is needed" in (assistant.ask("Who?").reason or "")
    nothing = assistant.ask("Who?", since="2031-01-01")
    assert nothing.hits == () and "within the days and publishers" in (nothing.reason or "")
    assistant.reader = FakeReader()
    assistant.verifier = FakeVerifier(refused=("Model", "costs"))
    unbacked = assistant.ask("What does model number 5 cost?")
    assert unbacked.abstained and "backed by the passages" in (unbacked.reason or "")
    for answer in (nothing, unbacked):
        assert answer.statements == () and answer.citations == ()
        assert answer.text == "The library does not answer this question."


@pytest.mark.parametrize(("answerable", "remarks"), [(0.6, 1), (0.8, 0)])
def test_an_answer_in_doubt_says_so(assistant: Assistant, answerable: float, remarks: int) -> None:
    assistant.reader = FakeReader(answerable)
    answer = assistant.ask("What does model number 5 cost?")
    assert not answer.abstained and len(answer.notes) == remarks


def test_a_generator_without_an_answer_abstains(assistant: Assistant) -> None:
    assistant.generator = FakeGenerator()
    assert assistant.ask("What does model number 5 cost?").abstained


# Options


@pytest.mark.parametrize("day", ["2025-03-01", date(2025, 3, 1), datetime(2025, 3, 1, 12, 30)])
def test_days_come_as_text_or_dates(assistant: Assistant, day: Any) -> None:
    answer = assistant.ask("models", since=day, until="2025-06-30")
    assert answer.window.to_dict() == {"since": "2025-03-01", "until": "2025-06-30"}
    assert answer.hits
    assert all("2025-03-01" <= (hit.article.day or "") <= "2025-06-30" for hit in answer.hits)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"since": "2025-06-01", "until": "2025-05-01"}, "lies after until"),
        ({"since": "yesterday"}, "since is 'yesterday', which is not a day"),
        ({"until": "2025-02-30"}, "until is '2025-02-30'"),
        ({"until": ""}, "not a day"),
        ({"publishers": ["Alpa"]}, "Did you mean Alpha?"),
        ({"publishers": ["Reuters"]}, "groundwire status"),
    ],
)
def test_options_that_cant_be_used_are_told(
    assistant: Assistant, options: dict[str, Any], told: str
) -> None:
    for use in (assistant.ask, assistant.search):
        with pytest.raises(UsageError) as caught:
            use("models", **options)
        assert told in str(caught.value)


@pytest.mark.parametrize("question", ["", "  \n", "\x00", "x" * 100_000])
def test_questions_that_cant_be_used_are_told(assistant: Assistant, question: str) -> None:
    for use in (assistant.ask, assistant.search):
        with pytest.raises(UsageError):
            use(question)


@pytest.mark.parametrize("k", [0, -1, 101])
def test_k_has_limits(assistant: Assistant, k: int) -> None:
    with pytest.raises(UsageError, match="between 1 and 100"):
        assistant.search("models", k)


def test_publishers_are_known_in_any_case(assistant: Assistant) -> None:
    hits = assistant.search("models", publishers=["ALPHA ", "beta"])
    assert {hit.article.publisher for hit in hits} == {"Alpha", "Beta"}


def test_search_gives_k_hits_best_first(assistant: Assistant) -> None:
    hits = assistant.search("Report 7 number 7", k=3)
    assert len(hits) == 3 and hits[0].article.title == "Report 7"


# What would be read


@pytest.mark.parametrize(
    ("question", "history"),
    [
        ("What does model number 5 cost?", ()),
        ("What did Report 2 cost and when was Report 4 released?", ()),
        ("And when was it released?", [("What does Report 3 cost?", "It costs $3.50. [1]")]),
        ("What did Alpha report in April 2025?", ()),
    ],
)
def test_retrieve_begins_with_what_ask_reads(
    assistant: Assistant, question: str, history: Any
) -> None:
    read = assistant.ask(question, history).hits
    assert assistant.retrieve(question, history) == list(read)
    assert [hit.passage.id for hit in assistant.retrieve(question, history, 3)] == [
        hit.passage.id for hit in read[:3]
    ]


def test_retrieve_neither_reads_nor_writes(assistant: Assistant) -> None:
    assistant.generator = FakeGenerator("Never said.")
    assert assistant.retrieve("What does model number 5 cost?", k=10)
    assert assistant.reader.asked == [] and assistant.verifier.pairs == []


def test_retrieve_refuses_what_ask_refuses(assistant: Assistant) -> None:
    with pytest.raises(UsageError):
        assistant.retrieve("  ")


def test_without_a_reranker_hits_come_in_the_order_of_the_fusion(assistant: Assistant) -> None:
    question = "What does model number 5 cost?"
    reranked = assistant.retrieve(question)
    assistant.reranker = None
    fused = assistant.retrieve(question)
    assert all(0 < hit.score < 0.1 for hit in fused)  # sums of 1/61 and less
    assert any(hit.score > 0.1 for hit in reranked)
    assert {hit.passage.id for hit in fused} == {hit.passage.id for hit in reranked}


def test_an_unknown_model_is_told(home: Path) -> None:
    made = faked(home)
    del made.generator
    made.settings = made.settings.model_copy(update={"model": "gpt-12"})
    with pytest.raises(UsageError, match="no model called"):
        made.ask("What does model number 5 cost?")


def test_a_missing_model_is_told_with_the_command_that_fetches_it(home: Path) -> None:
    made = faked(home)
    del made.generator
    made.settings = made.settings.model_copy(update={"model": "smollm2"})
    with pytest.raises(ModelError, match="groundwire models pull smollm2"):
        made.ask("What does model number 5 cost?")


# The Library underneath


def only_entry(monkeypatch: pytest.MonkeyPatch, *entries: Any) -> None:
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: list(entries))


class Entry:
    """An entry point that fills a library, slowly, and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def load(self) -> Any:
        def filled(settings: Settings) -> None:
            self.calls += 1
            fill(settings.home)

        return filled


def test_an_empty_library_that_nobody_fills_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_entry(monkeypatch)
    with pytest.raises(EmptyLibraryError, match="groundwire ingest"):
        faked(tmp_path / "empty").ask("What does model number 5 cost?")


def test_an_empty_library_is_filled_once_though_many_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = Entry()
    only_entry(monkeypatch, entry)
    assistant = faked(tmp_path / "empty")
    together = threading.Barrier(4)

    def ask(n: int) -> Answer:
        together.wait()
        return assistant.ask(f"What does model number {n} cost?")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(1, 5)))
    assert entry.calls == 1
    assert all(not answer.abstained for answer in answers)


def test_another_embedder_is_refused(assistant: Assistant) -> None:
    assistant.embedder = FakeEmbedder(seed=1)
    with pytest.raises(EmbedderChangedError, match="groundwire reindex"):
        assistant.ask("What does model number 5 cost?")


def test_eight_threads_get_their_own_answers(assistant: Assistant) -> None:
    numbers = [n for _ in range(4) for n in range(1, 9)]

    def ask(n: int) -> Answer:
        return assistant.ask(f"Was model number {n} released?")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, numbers))
    for n, answer in zip(numbers, answers, strict=True):
        assert answer.question == f"Was model number {n} released?"
        assert answer.citations[0].quote == f"Model number {n} was released."
        assert f"Model number {n} was released." in answer.text.split("\n")[0]


def test_what_another_process_took_in_is_found_without_a_restart(tmp_path: Path) -> None:
    fill(tmp_path)
    assistant = faked(tmp_path)
    before = assistant.ask("Which models run on sunlight?")
    assert all("sunlight" not in hit.passage.text for hit in before.hits)
    command = [sys.executable, "-c", INGEST_ONE_MORE, str(tmp_path)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True, timeout=120)
    after = assistant.ask("Which models run on sunlight?")
    assert after.citations[0].quote == "Zebra models run on sunlight."
    assert len(assistant.search("models", 100)) == 9


def test_indexes_stay_open_while_nothing_changes(assistant: Assistant) -> None:
    assistant.search("models")
    opened = assistant.indexes()
    assistant.ask("What does model number 5 cost?")
    assert assistant.indexes() is opened


def test_the_parts_are_made_once(home: Path, embedder: Embedder) -> None:
    made = Assistant(home)
    made.embedder = embedder
    parts = ("reader", "verifier", "reranker", "library")
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda _: tuple(id(getattr(made, part)) for part in parts), range(32))
        )
    assert len(set(found)) == 1
