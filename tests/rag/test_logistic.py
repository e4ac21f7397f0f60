from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.logistic import Logistic, logit, sigmoid


def test_a_model_weighs_its_features() -> None:
    model = Logistic(0.5, {"a": 2.0, "b": -1.0})
    assert model.probability({"a": 1.0, "b": 0.5, "unweighted": 9.0}) == pytest.approx(
        1 / (1 + math.exp(-2.0))
    )


def test_a_missing_feature_is_an_error_and_not_zero() -> None:
    with pytest.raises(KeyError):
        Logistic(0.0, {"a": 1.0}).probability({})


@given(st.floats(allow_nan=False))
def test_any_score_gives_a_probability(score: float) -> None:
    assert 0 < sigmoid(score) <= 1


@given(st.floats(-15, 15))
def test_logit_undoes_sigmoid(score: float) -> None:
    assert logit(sigmoid(score)) == pytest.approx(score, abs=1e-3)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_certainty_has_a_finite_logit(probability: float) -> None:
    assert math.isfinite(logit(probability))
