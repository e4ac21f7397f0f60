from __future__ import annotations

import pytest

from corpus.errors import ModelError, UsageError
from corpus.settings import Settings
from evals.judges import Claim, load_judge
from evals.judges.load import DEFAULT
from tests.fakes import FakeEmbedder


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


@pytest.mark.parametrize("name", ["", "nli", "nli/", "llm/", "gpt", "Verifier", "verifier/x"])
def test_an_unknown_name_is_told_with_the_forms(name, settings):
    with pytest.raises(UsageError, match="There is no judge called") as caught:
        load_judge(name, settings)
    assert "nli/<hub name or folder>" in caught.value.remedy


def test_the_default_judges_with_the_embedder_given(settings):
    embedder = FakeEmbedder()
    judge = load_judge(DEFAULT, settings, embedder)
    claims = [Claim("Its price fell by 80%.", (f"Its price fell by {n}%.",)) for n in (80, 70)]
    assert [grade.passing for grade in judge.grades(claims)] == [True, False]
    assert embedder.encoded  # the second is no quote, so it was measured


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("llm/extractive", UsageError),
        ("llm/unheard-of", UsageError),
        ("llm/openai/no-server", UsageError),
        ("llm/smollm2", ModelError),
        ("nli/./absent", ModelError),
    ],
)
def test_a_judge_that_can_not_be_had_is_told_in_a_sentence(name, error, settings):
    with pytest.raises(error) as caught:
        load_judge(name, settings)
    assert caught.value.message.endswith(".")
    assert caught.value.remedy
