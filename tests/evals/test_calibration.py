"""What fitting shares: its questions, its folds; and the reranker's fit on cases worked by hand."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from corpus.library import Scope
from evals import calibrate_reranker
from evals.bench import Bench
from evals.calibrate_reranker import Case, _calibrated, _cases, _figures, _ranked, _weights
from evals.calibration import FAR, FOLDS, QUESTIONS, STYLES, Asked, asked_questions, folds
from evals.questions import Question, Quote, bundled_articles, bundled_questions, load_questions
from rag.answer import Window
from rag.query import Query
from rag.rerank import CALIBRATION, FEATURES

NAMES = ("signal", "noise")


@pytest.fixture(scope="module")
def fitted() -> list[Question]:
    return load_questions(QUESTIONS, bundled_articles())


def known(id_: str, *quotes: Quote) -> Question:
    plain = next(q for q in bundled_questions() if q.kind == "single")
    return replace(plain, id=id_, evidence=quotes)


def query(text: str = "Who?", publishers: tuple[str, ...] = ()) -> Query:
    return Query(text, Window(), publishers, parts=(), recent=False)


def asked(id_: str = "plain-001", quotes: int = 1) -> Asked:
    question = known(id_, *(Quote("kiln", f"Quote {n}.") for n in range(quotes)))
    return Asked(question, query())


def case(rows: list[list[float]], right: set[int], id_: str = "plain-001", quotes: int = 1) -> Case:
    holds = [{0} if at in right else set[int]() for at in range(len(rows))]
    return Case(asked(id_, quotes), np.array(rows), holds)


# The questions


def test_the_test_split_is_never_fitted_on(fitted: list[Question], small: Bench) -> None:
    bundled = bundled_questions()
    found = asked_questions(small)
    assert [a.question for a in found] == [*fitted, *(q for q in bundled if q.split == "dev")]
    asked_words = {words_of(a.question) for a in found}
    assert not asked_words & {words_of(q) for q in bundled if q.split == "test"}


def words_of(question: Question) -> tuple[str, ...]:
    """A question asked again with other capitals or marks is the same."""
    history = " ".join(turn.question for turn in question.history)
    return tuple(re.findall(r"\w+", f"{history} {question.question}".casefold()))


def test_an_id_is_fitted_on_once(fitted: list[Question]) -> None:
    assert len({q.id for q in fitted}) == len(fitted)


def test_each_style_has_its_questions(small: Bench) -> None:
    counts = Counter(a.style for a in asked_questions(small))
    assert counts.keys() == {*STYLES, FAR}
    assert (counts["plain"], counts["cal"], counts[FAR]) == (199, 167, 60)
    assert counts["dev"] == sum(q.split == "dev" for q in bundled_questions())


@pytest.mark.parametrize(
    ("id_", "style"),
    [("plain-001", "plain"), ("cal-07", "cal"), ("dates-003", "dev"), ("far-001", "far")],
)
def test_the_style_is_told_by_the_id(id_: str, style: str) -> None:
    assert asked(id_).style == style


def test_a_followup_is_understood_with_its_history(small: Bench) -> None:
    for one in asked_questions(small):
        if one.question.history:
            break
    assert one.question.kind == "followup"
    assert one.query.text != one.question.question


def test_the_hint_is_what_the_query_says_of_days_and_publishers() -> None:
    given = query(publishers=("OpenAI",))
    assert Asked(asked().question, given).hint == Scope(publishers=("OpenAI",))
    march = replace(given, window=Window(date(2025, 3, 1), date(2025, 3, 31)))
    assert Asked(asked().question, march).hint == Scope(
        date(2025, 3, 1), date(2025, 3, 31), ("OpenAI",)
    )


# Folds


def test_all_cases_of_a_question_share_a_fold_and_folds_are_even() -> None:
    ids = [f"q{n}" for n in range(40)] * 3
    numbers = folds(ids)
    assert sorted(set(numbers)) == list(range(FOLDS))
    by_id: dict[str, set[int]] = defaultdict(set)
    for id_, number in zip(ids, numbers, strict=True):
        by_id[id_].add(int(number))
    assert all(len(found) == 1 for found in by_id.values())
    counts = Counter(numbers.tolist())
    assert max(counts.values()) - min(counts.values()) <= 3


def test_folds_do_not_depend_on_the_order() -> None:
    ids = [f"q{n}" for n in range(20)]
    forwards = dict(zip(ids, folds(ids), strict=True))
    assert dict(zip(ids[::-1], folds(ids[::-1]), strict=True)) == forwards


# The reranker's fit


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """Thirty questions of six passages: the right one has the signal, noise says nothing."""
    chance = np.random.default_rng(7)
    made = []
    for n in range(30):
        rows = chance.random((6, 2))
        right = int(chance.integers(6))
        rows[right, 0] += 0.6
        made.append(case(rows.tolist(), {right}, f"plain-{n:03d}"))
    return made


def test_what_tells_right_from_wrong_gets_the_weight(cases: list[Case]) -> None:
    signal, noise = _weights(cases)
    assert signal > 0
    assert abs(noise) < signal / 3


def test_the_weights_do_not_change_when_a_question_shifts_as_a_whole(cases: list[Case]) -> None:
    shifted = [replace(c, rows=c.rows + np.array([at, -at])) for at, c in enumerate(cases)]
    assert _weights(shifted) == pytest.approx(_weights(cases), abs=1e-3)


def test_cases_without_a_right_passage_change_nothing(cases: list[Case]) -> None:
    lost = case([[9.0, 9.0], [0.0, 0.0]], set())
    assert _weights([*cases, lost]) == pytest.approx(_weights(cases), abs=1e-9)


def test_calibrating_keeps_the_order_and_makes_probabilities(cases: list[Case]) -> None:
    weights = _weights(cases)
    model = _calibrated(NAMES, weights, cases)
    told, happened = [], []
    for c in cases:
        given = [model.probability(dict(zip(NAMES, row, strict=True))) for row in c.rows]
        assert np.argsort(given).tolist() == np.argsort(c.rows @ weights).tolist()
        told += given
        happened += c.right.tolist()
    # Platt's fit makes the mean probability the share that is right.
    assert np.mean(told) == pytest.approx(np.mean(happened), abs=0.01)


def test_a_ranking_is_scored_as_the_suite_scores_it() -> None:
    given = Case(asked(quotes=2), np.zeros((3, 2)), [set(), {1}, {0}])
    first = _ranked(given, np.array([0.9, 0.5, 0.1]))
    assert first == pytest.approx((1.0, (1 / np.log2(3) + 0.5) / (1 + 1 / np.log2(3)), 0.5))
    best = _ranked(given, np.array([0.1, 0.5, 0.9]))
    assert best == pytest.approx((1.0, 1.0, 1.0))
    tied = _ranked(given, np.zeros(3))
    assert tied == pytest.approx(first)  # ties stay in the order of the fusion


def test_figures_are_means_by_style_before_and_after(
    cases: list[Case], capsys: pytest.CaptureFixture[str]
) -> None:
    some = [
        replace(c, asked=asked(f"{style}-{n}")) for style in STYLES for n, c in enumerate(cases[:4])
    ]
    perfect = [c.right.astype(float) for c in some]
    figures = _figures(some, perfect)
    assert len(figures) == 3 * 2 * len(STYLES)
    assert figures["MRR@10, reranked, cal"] == 1.0
    ranks = [1 + c.right.tolist().index(True) for c in cases[:4]]
    expected = np.mean([1 / rank for rank in ranks])
    assert figures["MRR@10, fused, cal"] == pytest.approx(expected, abs=1e-4)
    assert capsys.readouterr().out.count("recall@8") == 2 * len(STYLES)


def test_cases_are_the_fused_passages_of_the_answerable(
    small: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    quote = Quote("report-3", "Model number 3 was released.")
    given = query("Was model number 3 released?")
    silent = replace(known("plain-2"), kind="unanswerable", evidence=())
    monkeypatch.setattr(
        calibrate_reranker,
        "asked_questions",
        lambda _: [Asked(known("plain-1", quote), given), Asked(silent, given)],
    )
    names, (found,) = _cases(small)
    assert tuple(names) == FEATURES
    assert found.rows.shape == (len(found.holds), len(FEATURES)) == (15, 5)
    assert found.right.sum() == 1
    # The report that is asked about has the most words in common with the question.
    assert found.rows[found.right][0, 0] == found.rows[:, 0].max()


def test_the_shipped_weights_were_fitted_on_these_questions(fitted: list[Question]) -> None:
    document: dict[str, Any] = json.loads(CALIBRATION.read_text("utf-8"))
    dev = [q for q in bundled_questions() if q.split == "dev"]
    assert document["questions"] == sum(q.answerable for q in (*fitted, *dev))
    assert document["made_by"] == "python -m evals.calibrate_reranker"
