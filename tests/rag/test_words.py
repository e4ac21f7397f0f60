from __future__ import annotations

import pytest

from rag.words import content_stems, stem, words


@pytest.mark.parametrize(
    "forms",
    ["release releases released releasing", "licence license", "rise rose risen", "sue sued suing",
     "organise organize", "drop dropped", "company companies", "colour color"],
)  # fmt: skip
def test_forms_of_one_word_share_a_stem(forms: str) -> None:
    assert len({stem(form) for form in forms.split()}) == 1


@pytest.mark.parametrize("pair", ["price prize", "model module", "test text", "win wind"])
def test_different_words_keep_different_stems(pair: str) -> None:
    assert len({stem(word) for word in pair.split()}) == 2


def test_words_keep_versions_and_lose_possessives() -> None:
    assert words("OpenAI’s v2.1 isn’t free.") == ["openai", "v2.1", "isn't", "free"]


def test_content_leaves_function_words_out() -> None:
    assert content_stems("It was the open-weight model of theirs") == ["open", "weight", "model"]
