"""Reading with a calibration of our own, so that no test depends on what was fitted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from corpus.article import Article
from corpus.errors import ModelError
from rag import evidence
from rag.answer import Hit
from rag.evidence import (
    CALIBRATION,
    LEAST_SHARE,
    SHORTLIST,
    Calibration,
    FeatureReader,
    load_calibration,
)
from rag.features import Asked
from rag.logistic import Logistic
from tests.fakes import FakeEmbedder, FakeScorer, hit_on

PLAIN = Calibration(
    sentence=Logistic(-3.0, {"overlap": 6.0}),
    gate=Logistic(-4.0, {"max_cosine": 8.0}),
    threshold=0.5,
    doubt=0.7,
    fingerprint="plain",
)
COSTS = Article("Costs", "Alpha costs $5. Beta costs $7. The sky stays blue today.", "https://e/1")
DATES = Article("Dates", "Alpha came on 5 May 2025. Gamma came in June.", "https://e/2")
OTHER = Article("天气", "今天天气很好。 明天下雨。", "https://e/3")


def hits() -> list[Hit]:
    return [hit_on(COSTS), hit_on(DATES)]


@pytest.fixture
def reader() -> FeatureReader:
    return FeatureReader(FakeEmbedder(dimension=2048), lambda stem: 2.0, FakeScorer(), PLAIN)


def test_the_sentence_that_answers_comes_first(reader: FeatureReader) -> None:
    reading = reader.read("What does Beta cost?", (), hits())
    assert reading.evidence[0].text == "Beta costs $7."
    scores = [item.score for item in reading.evidence]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores) and 0 <= reading.answerable <= 1


def test_spans_are_exact(reader: FeatureReader) -> None:
    late = hit_on(COSTS, start=16)
    for hit in (*hits(), late, hit_on(OTHER)):
        for item in reader.read("Beta costs 明天下雨", (), [hit]).evidence:
            assert item.hit.article.text[item.start : item.end] == item.text
            assert hit.passage.start <= item.start < item.end <= hit.passage.end


def test_sentences_far_below_the_best_are_left_out(reader: FeatureReader) -> None:
    reading = reader.read("What does Beta cost?", (), hits())
    assert all(item.score >= LEAST_SHARE * reading.evidence[0].score for item in reading.evidence)
    assert "The sky stays blue today." not in [item.text for item in reading.evidence]


def test_the_best_sentence_of_each_part_comes_first(reader: FeatureReader) -> None:
    question = "What does Beta cost, and when did Gamma come?"
    reading = reader.read(question, ("When did Gamma come?", "What does Beta cost?"), hits())
    first, second = (item.text for item in reading.evidence[:2])
    assert (first, second) == ("Gamma came in June.", "Beta costs $7.")
    assert len({item.text for item in reading.evidence}) == len(reading.evidence)


def test_parts_with_the_same_best_sentence_have_it_once(reader: FeatureReader) -> None:
    reading = reader.read("Beta costs", ("Beta costs", "Beta costs what"), hits())
    assert [item.text for item in reading.evidence].count("Beta costs $7.") == 1


def test_without_hits_there_is_nothing_to_read(reader: FeatureReader) -> None:
    reading = reader.read("Beta?", ("Beta?",), [])
    assert reading.evidence == () and reading.answerable == 0.0 and not reading.answers


@pytest.mark.parametrize("question", ["what is it", "?", "深度求索是什么", "Что это?", "x" * 2000])
def test_odd_questions_are_read_without_a_fault(reader: FeatureReader, question: str) -> None:
    reading = reader.read(question, (), [*hits(), hit_on(OTHER)])
    assert 0 <= reading.answerable <= 1


def test_the_gate_decides_by_the_threshold(reader: FeatureReader) -> None:
    near = reader.read("Beta costs $7.", (), hits())
    far = reader.read("Quantum gravity lectures", (), hits())
    assert near.answers and near.answerable > 0.5
    assert far.evidence and not far.answers and far.answerable < 0.5


def test_only_the_shortlist_is_encoded() -> None:
    fake = FakeEmbedder(max_tokens=10_000)
    many = Article("Many", " ".join(f"Alpha number {n} costs much." for n in range(100)))
    alone = FeatureReader(fake, lambda stem: 2.0, FakeScorer(), PLAIN)
    measured = alone.measure(Asked.of("Alpha number 99", lambda stem: 2.0), [hit_on(many)])
    assert len(measured) == SHORTLIST
    assert any(candidate.text == "Alpha number 99 costs much." for candidate, _ in measured)
    assert sum(text.startswith("Alpha number") and "costs" in text for text in fake.encoded) == 32


def test_gaps_are_those_of_the_question(reader: FeatureReader) -> None:
    measured = reader.measure(Asked.of("Beta costs", reader.rarity), hits())
    for name in evidence.WITH_GAPS:
        top = max(features[name] for _, features in measured)
        for _, features in measured:
            assert features[f"{name}_gap"] == pytest.approx(features[name] - top)


def test_ties_are_broken_by_place() -> None:
    flat = FeatureReader(
        FakeEmbedder(),
        lambda stem: 2.0,
        FakeScorer(),
        Calibration(Logistic(0, {}), Logistic(0, {}), 0.5, 0.7, "flat"),
    )
    first = flat.read("Alpha", (), hits()).evidence
    assert [(item.hit.article.title, item.start) for item in first] == [
        ("Costs", 0), ("Costs", 16), ("Costs", 31), ("Dates", 0), ("Dates", 26),
    ]  # fmt: skip


def test_newest_first_orders_only_what_will_be_quoted() -> None:
    def item(day: int | None, n: int) -> evidence.Evidence:
        published = datetime(2025, 1, day, tzinfo=UTC) if day else None
        hit = hit_on(Article(f"T{n}", "Text.", f"https://e/{n}", published=published))
        return evidence.Evidence(hit, 0, 5, "Text.", 0.9)

    given = (item(1, 0), item(None, 1), item(3, 2), item(2, 3), item(None, 4), item(9, 5))
    ordered = evidence.newest_first(given)
    assert [e.hit.article.title for e in ordered] == ["T2", "T3", "T0", "T1", "T4", "T5"]


# The calibration


def test_the_calibration_in_the_repository_is_whole(reader: FeatureReader) -> None:
    real = load_calibration()
    assert 0 < real.threshold <= real.doubt < 1
    asked = Asked.of("What does Beta cost?", reader.rarity)
    measured = reader.measure(asked, hits())
    assert all(set(real.sentence.weights) <= set(features) for _, features in measured)
    assert set(real.gate.names) <= set(reader.gate(asked, reader.score(asked, hits())))


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", '{"sentence": {}}', "\x00\xff",
        json.dumps({"sentence": {"intercept": 0, "weights": {}}, "gate": None, "threshold": 0.5}),
        json.dumps({"sentence": {"intercept": 0}, "gate": {}, "threshold": 0.5}),
        json.dumps(
            {"sentence": {"intercept": 0, "weights": {}},
             "gate": {"intercept": 0, "weights": {}}, "threshold": "high"}
        ),
    ],
)  # fmt: skip
def test_a_damaged_calibration_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "reader.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ModelError, match=r"evals\.calibrate_reader"):
        load_calibration(path)


def test_a_missing_calibration_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="can't be used"):
        load_calibration(tmp_path / "none.json")


def test_the_fingerprint_follows_the_calibration(tmp_path: Path) -> None:
    changed = json.loads(CALIBRATION.read_text("utf-8"))
    changed["threshold"] = 0.123
    (tmp_path / "reader.json").write_text(json.dumps(changed), "utf-8")
    other = load_calibration(tmp_path / "reader.json")
    readers = [
        FeatureReader(FakeEmbedder(), lambda _: 1.0, FakeScorer(), calibration)
        for calibration in (load_calibration(), other)
    ]
    assert readers[0].fingerprint != readers[1].fingerprint
