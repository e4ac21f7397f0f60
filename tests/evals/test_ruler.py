from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from corpus.article import Article, Passage
from corpus.errors import InputError
from corpus.settings import load_settings
from evals import ruler
from evals.judges import Claim, Grade
from evals.pairs import Sample
from evals.ruler import Probe, measure, measure_each, nli_claims, nli_table, probes_of, table_of
from rag.answer import Hit
from rag.verify import Pair


class FakeJudge:
    """Reads the score out of the statement: "0.8", "yes", "no" or "?"."""

    name = "fake"
    fingerprint = "fake-1"

    def __init__(self) -> None:
        self.asked = 0

    def grades(self, claims: Sequence[Claim]) -> list[Grade]:
        self.asked += len(claims)
        return [self._grade(claim.statement) for claim in claims]

    def _grade(self, said: str) -> Grade:
        if said == "?":
            return Grade(None, None, "no answer")
        if said in ("yes", "no"):
            return Grade(said == "yes", None, "")
        return Grade(float(said) >= 0.5, float(said), "")


def silent(name: str, done: int, total: int | None) -> None: ...


def probe(said: str, true: bool, kind: str = "", freezing: bool = False) -> Probe:
    return Probe(Claim(said, ("text",)), kind or ("copy" if true else "number"), true, freezing)


def both_halves(*items: tuple[str, bool]) -> list[Probe]:
    return [probe(said, true, freezing=half) for half in (True, False) for said, true in items]


def test_a_perfect_judge_has_perfect_figures() -> None:
    ruling = measure(FakeJudge(), both_halves(("0.9", True), ("0.1", False)), silent)
    assert ruling.auroc == 1
    assert ruling.threshold == 0.5
    assert ruling.frozen is not None
    assert ruling.frozen.balanced_accuracy == ruling.own.balanced_accuracy == 1
    assert ruling.own.false_support == 0
    assert ruling.own.recall == {"number": 1}
    assert ruling.own.acceptance == {"copy": 1}


def test_the_threshold_comes_from_the_other_half_alone() -> None:
    freezing = [probe("0.3", True, freezing=True), probe("0.1", False, freezing=True)]
    reported = [probe("0.3", True), probe("0.25", False), probe("0.15", False)]
    ruling = measure(FakeJudge(), freezing + reported, silent)
    assert ruling.threshold == pytest.approx(0.2)
    assert ruling.frozen is not None
    assert ruling.frozen.balanced_accuracy == 0.75
    assert ruling.own.balanced_accuracy == 0.5  # it never says yes below 0.5
    assert ruling.pairs == 3


def test_shares_by_kind() -> None:
    probes = [
        probe("0.9", False, "date"),
        probe("0.1", False, "date"),
        probe("0.1", False, "name"),
        probe("0.9", True, "copy"),
        probe("0.1", True, "merged"),
    ]
    own = measure(FakeJudge(), probes, silent).own
    assert own.recall == {"date": 0.5, "name": 1}
    assert own.acceptance == {"copy": 1, "merged": 0}
    assert own.false_support == pytest.approx(1 / 3)
    assert own.balance == {"date": 0.5, "name": 0.75}


def test_an_unreadable_grade_is_counted_and_in_no_figure() -> None:
    probes = both_halves(("0.9", True), ("0.1", False), ("?", False), ("?", True))
    ruling = measure(FakeJudge(), probes, silent)
    assert ruling.unreadable == 2
    assert ruling.pairs == 4
    assert ruling.own.balanced_accuracy == ruling.auroc == 1
    assert sum(each.count for each in ruling.bins) == 2


def test_a_judge_without_scores_is_measured_by_its_yes_and_no() -> None:
    probes = both_halves(("yes", True), ("yes", False), ("no", False), ("no", False))
    ruling = measure(FakeJudge(), probes, silent)
    assert ruling.auroc == pytest.approx(5 / 6)
    assert ruling.frozen == ruling.own


def test_nothing_to_tell_apart_is_no_figure() -> None:
    ruling = measure(FakeJudge(), [probe("0.9", True)], silent)
    assert ruling.auroc is None
    assert ruling.threshold is None
    assert ruling.frozen is None
    assert ruling.own.false_support is None


def test_the_bins_hold_every_score() -> None:
    probes = [probe("0.0", False), probe("0.95", True), probe("1.0", False)]
    bins = measure(FakeJudge(), probes, silent).bins
    assert [each.count for each in bins] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert bins[-1].mean_score == pytest.approx(0.975)
    assert bins[-1].share_true == 0.5
    assert bins[1].mean_score is None


def test_every_pair_is_graded_once_and_told() -> None:
    told: list[tuple[str, int, int | None]] = []
    judge = FakeJudge()
    count = ruler.BATCH + 1
    probes = [probe("0.9", True) for _ in range(count)]
    measure(judge, probes, lambda *heard: told.append(heard))
    assert judge.asked == count
    assert told == [("fake", ruler.BATCH, count), ("fake", count, count)]


def test_a_ruling_is_plain_json() -> None:
    ruling = measure(FakeJudge(), both_halves(("0.9", True), ("0.1", False)), silent)
    data: dict[str, Any] = json.loads(json.dumps(ruling.to_dict()))
    assert data["judge"] == "fake"
    assert data["pairs"] == 2
    assert data["own"]["recall"] == {"number": 1.0}
    assert len(data["bins"]) == ruler.BINS


def test_a_pair_becomes_a_probe_with_its_source_in_the_context() -> None:
    article = Article("gpt-oss is here", "It is free.", publisher="OpenAI")
    hit = Hit(Passage(article.id, article.revision, 0, 11, article.text), article, 1.0)
    (made,) = probes_of([Sample(Pair("It is dear.", hit), "name", False, True)])
    (context,) = made.claim.contexts
    assert made.claim.statement == "It is dear."
    assert "OpenAI" in context
    assert context.endswith("It is free.")
    assert (made.kind, made.true, made.freezing) == ("name", False, True)


# Labelled data sets


def row(**fields: object) -> str:
    given = {"premise": "p", "hypothesis": "0.9", "supported": 1, "source": "s"} | fields
    return json.dumps(given)


def test_a_premise_lies_in_one_half(tmp_path: Path) -> None:
    path = tmp_path / "nli.jsonl"
    lines = [row(premise=f"premise {n}", hypothesis=h) for n in range(40) for h in ("0.9", "0.1")]
    path.write_text("\n".join(lines), encoding="utf-8")
    halves: dict[str, set[bool]] = {}
    for each in nli_claims(path):
        halves.setdefault(each.claim.contexts[0], set()).add(each.freezing)
    assert all(len(half) == 1 for half in halves.values())
    assert {True} in halves.values()
    assert {False} in halves.values()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        (row(premise=""), "premise"),
        (row(hypothesis=None), "hypothesis"),
        (row(supported="yes"), "supported"),
        (row(supported=2), "supported"),
        (row(source=3), "source"),
    ],
)
def test_a_malformed_line_is_refused_by_file_line_and_reason(
    tmp_path: Path, line: str, reason: str
) -> None:
    path = tmp_path / "nli.jsonl"
    path.write_text(f"{row()}\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"nli\.jsonl, line 2: .*{reason}"):
        nli_claims(path)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be read"):
        nli_claims(tmp_path / "none.jsonl")


def test_each_source_has_a_threshold_of_its_own() -> None:
    low = [
        probe(said, true, "low", half)
        for half in (True, False)
        for said, true in (("0.3", True), ("0.1", False))
    ]
    high = [
        probe(said, true, "high", half)
        for half in (True, False)
        for said, true in (("0.9", True), ("0.7", False))
    ]
    found = measure_each(FakeJudge(), low + high, silent)
    assert [found[kind].threshold for kind in ("low", "high")] == pytest.approx([0.2, 0.8])
    assert all(each.frozen_accuracy == 1 for each in found.values())


# The command


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fake judge, and few pairs."""
    probes = both_halves(("0.9", True), ("0.1", False), ("0.6", False))
    monkeypatch.setattr(ruler, "load_judge", lambda name, settings: FakeJudge())
    monkeypatch.setattr(ruler, "load_articles", list)
    monkeypatch.setattr(ruler, "probes_of", lambda samples: probes)


@pytest.mark.usefixtures("small")
def test_the_command_prints_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "nli.jsonl"
    path.write_text(row() + "\n" + row(hypothesis="0.1", supported=0), encoding="utf-8")
    assert ruler.run_ruler(load_settings(home=tmp_path), ["fake"], path, True) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["judges"][0]["own"]["balanced_accuracy"] == 0.75
    assert set(data["nli"]["fake"]) == {"s"}


@pytest.mark.usefixtures("small")
def test_the_command_prints_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ruler.run_ruler(load_settings(home=tmp_path), [], None, False) == 0
    printed = capsys.readouterr().out
    assert "AUROC" in printed
    assert "0.750" in printed
    assert "number" in printed


def test_the_tables_have_a_column_for_each_judge() -> None:
    probes = both_halves(("0.9", True), ("0.1", False))
    ruling = measure(FakeJudge(), probes, silent)
    assert [column.header for column in table_of([ruling, ruling], probes).columns[2:]] == [
        "fake",
        "fake",
    ]
    table = nli_table({"a": {"s": ruling}, "b": {"s": ruling}})
    assert [column.header for column in table.columns[2::2]] == ["a\nAUROC", "b\nAUROC"]
