"""Kin by meaning, and a table of words that many threads may fill."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from corpus.embedding import Embedder
from rag import kinship
from rag.kinship import Kinship, content_words
from tests.fakes import FakeEmbedder

AXES = {"bought": (1.0, 0.0), "acquired": (0.6, 0.8), "sued": (0.2, 0.98), "purchased": (0.9, 0.44)}


class Compass:
    """An embedder of words whose cosines are known: angles in a plane; other words lie across."""

    dimension = 3

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str], role: str = "passage") -> Any:
        self.encoded.extend(texts)
        rows = [(*AXES[text], 0.0) if text in AXES else (0.0, 0.0, 1.0) for text in texts]
        return np.array(rows, np.float32)


def test_cosines_become_kinship_between_unrelated_and_same() -> None:
    cover = Kinship(Compass()).cover(["bought"], ["acquired", "sued", "purchased"])
    assert cover[:, 0] == pytest.approx([0.6, 0.0, 1.0], abs=1e-6)  # (cos - 0.3) / 0.5, in 0..1


def test_a_shared_stem_is_kin_whatever_the_vectors_say() -> None:
    cover = Kinship(Compass()).cover(["releases", "open-weight"], ["They released the weights"])
    assert cover.tolist() == [[1.0, 1.0]]


def test_the_nearest_word_of_a_text_counts() -> None:
    cover = Kinship(Compass()).cover(["bought"], ["It was sued and acquired.", "It was sued."])
    assert cover[:, 0] == pytest.approx([0.6, 0.0], abs=1e-6)


@pytest.mark.parametrize(
    ("wanted", "texts", "shape"),
    [([], ["some text"], (1, 0)), (["word"], [], (0, 1)), (["word"], ["", "of the"], (2, 1))],
)
def test_where_there_is_nothing_to_compare_nothing_is_kin(
    wanted: list[str], texts: list[str], shape: tuple[int, int]
) -> None:
    cover = Kinship(Compass()).cover(wanted, texts)
    assert cover.shape == shape and not cover.any()


def test_a_word_is_encoded_once() -> None:
    compass = Compass()
    table = Kinship(compass)
    first = table.cover(["bought"], ["acquired and sued"])
    again = table.cover(["bought"], ["sued and acquired", "acquired"])
    assert sorted(compass.encoded) == ["acquired", "bought", "sued"]
    assert first[0, 0] == again[0, 0] == again[1, 0]


def test_a_full_table_is_emptied_and_still_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinship, "KEPT_WORDS", 4)
    fake = FakeEmbedder()
    table = Kinship(fake)
    for n in range(12):
        text = f"alpha{n} beta{n} gamma{n}"
        expected = Kinship(FakeEmbedder()).cover([f"alpha{n}", "delta"], [text])
        assert table.cover([f"alpha{n}", "delta"], [text]) == pytest.approx(expected)
        rows, vectors = table._table
        assert len(rows) == len(vectors) <= 4 + 5
    assert fake.encoded.count("delta") > 1


def test_threads_that_fill_the_table_at_once_all_get_their_own() -> None:
    shared = Kinship(FakeEmbedder())
    jobs = [
        ([f"word{n % 7}", f"other{n % 5}"], [f"word{n % 7} stands{n}", f"near{n} other{n % 3}"])
        for n in range(200)
    ]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda job: shared.cover(*job), jobs))
    for job, cover in zip(jobs, found, strict=True):
        assert cover == pytest.approx(Kinship(FakeEmbedder()).cover(*job))


def test_content_words_keep_prices_and_drop_fillers() -> None:
    text = "Paid for the open-weight model: $1.5B, or 60%."
    assert content_words(text) == ["paid", "open-weight", "model", "$1.5b", "60%"]
    assert content_words("Who is it, and why did they?") == []


def test_with_the_real_embedder_synonyms_are_nearer_than_strangers(embedder: Embedder) -> None:
    cover = Kinship(embedder).cover(["bought"], ["acquired", "purchased", "photosynthesis"])
    assert min(cover[:2, 0]) > 0.4 > 0.1 > cover[2, 0]
