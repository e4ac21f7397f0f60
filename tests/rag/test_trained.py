"""The trained reader: the real encoder, heads at random, and what can go wrong with its files."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from corpus.embedding import BUILT_IN, locate
from corpus.errors import ModelError
from corpus.sentences import sentence_spans
from rag import network, trained
from rag.network import ReaderNet, build
from rag.trained import ANSWER_TOKENS, PassageScore, TrainedReader, batches, best_span, convert
from rag.windows import Encoder
from training.reader.score import TorchReader

QUESTION = "What did it cost?"
PASSAGES = [
    "It came in May. It cost $3 million. Few bought it.",
    "Nobody said why it failed, and so it is still asked. " * 40,
    "",
    "It was cheap.",
]


def save(net: ReaderNet, path: Path, kind: torch.dtype = torch.float32) -> Path:
    from safetensors.torch import save_file

    save_file({name: w.to(kind).contiguous() for name, w in net.trained().items()}, path)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights in half precision, as they are shipped."""
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("weights")
    return save(build(locate(BUILT_IN)), folder / "reader.safetensors", torch.float16)


@pytest.fixture(scope="module")
def models(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder in which `weights` are converted."""
    folder = tmp_path_factory.mktemp("models")
    TrainedReader.open(folder, weights)
    return folder


@pytest.fixture(scope="module")
def reader(models: Path, weights: Path) -> TrainedReader:
    return TrainedReader.open(models, weights)


@pytest.fixture
def never_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained, "convert", lambda *_: pytest.fail("converted once more"))


def logits(scores: Sequence[PassageScore]) -> list[float]:
    return [
        value
        for one in scores
        for value in (one.logit, one.margin, *(sentence.logit for sentence in one.sentences))
    ]


def converting(folder: Path) -> Callable[..., None]:
    """In place of `convert`: writes what the reader looks for, but no network."""

    def write(_: Path, target: Path) -> None:
        target.mkdir(parents=True)
        for name in trained.FILES:
            (target / name).write_bytes(b"no network")
        assert target.is_relative_to(folder)

    return write


# Scores -------------------------------------------------------------------------------------------


def test_the_converted_reader_scores_as_torch_does(reader: TrainedReader, weights: Path) -> None:
    found, wanted = (one.score(QUESTION, PASSAGES) for one in (reader, TorchReader.load(weights)))
    assert logits(found) == pytest.approx(logits(wanted), abs=1e-3)
    assert [one.answer for one in found] == [one.answer for one in wanted]


def test_scores_tell_sentences_questions_and_passages_apart(reader: TrainedReader) -> None:
    scores = reader.score(QUESTION, PASSAGES[:1]) + reader.score("Why?", [PASSAGES[0], "No."])
    assert len({round(value, 4) for value in logits(scores)}) == len(logits(scores))


def test_every_sentence_of_a_long_passage_is_read(reader: TrainedReader) -> None:
    for passage, found in zip(PASSAGES, reader.score(QUESTION, PASSAGES), strict=True):
        assert [one.span for one in found.sentences] == sentence_spans(passage)
        assert 0 <= found.answer[0] <= found.answer[1] <= len(passage)


def test_a_passage_in_windows_scores_as_the_best_of_them(reader: TrainedReader) -> None:
    windows = Encoder(locate(BUILT_IN)).windows(QUESTION, PASSAGES[1])
    assert len(windows) > 1
    parts = [PASSAGES[1][w.sentences[0].span[0] : w.sentences[-1].span[1]] for w in windows]
    (whole,), alone = reader.score(QUESTION, PASSAGES[1:2]), reader.score(QUESTION, parts)
    assert whole.logit == pytest.approx(max(one.logit for one in alone), abs=1e-4)
    assert whole.margin == pytest.approx(max(one.margin for one in alone), abs=1e-4)


def test_an_empty_passage_answers_nothing(reader: TrainedReader) -> None:
    assert (
        reader.score(QUESTION, ["", " \n "]) == [PassageScore(-math.inf, (), (0, 0), -math.inf)] * 2
    )
    assert reader.score(QUESTION, []) == []


def test_neither_company_nor_order_changes_a_score(reader: TrainedReader) -> None:
    among = reader.score(QUESTION, PASSAGES)
    alone = [reader.score(QUESTION, [passage])[0] for passage in PASSAGES]
    backwards = reader.score(QUESTION, PASSAGES[::-1])[::-1]
    assert logits(alone) == pytest.approx(logits(among), abs=1e-4)
    assert logits(backwards) == pytest.approx(logits(among), abs=1e-4)


def test_threads_share_a_reader(reader: TrainedReader) -> None:
    questions = [f"What did number {n} cost?" for n in range(8)]
    passages = [PASSAGES[0], PASSAGES[3]]
    wanted = [reader.score(question, passages) for question in questions]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda question: reader.score(question, passages), questions))
    assert [logits(one) for one in found] == [pytest.approx(logits(one)) for one in wanted]


def test_batches_hold_every_row_once_and_are_no_larger_than_may_be() -> None:
    lengths = [(n * 37) % 250 + 1 for n in range(100)]
    made = list(batches(lengths))
    assert sorted(row for batch in made for row in batch) == list(range(100))
    padded = [max(lengths[row] for row in batch) * len(batch) for batch in made]
    assert max(padded) <= trained.BATCH_TOKENS < 2 * sum(padded) / len(padded)
    assert list(batches([9 * trained.BATCH_TOKENS])) == [[0]]


# The likeliest span -------------------------------------------------------------------------------


def places(**values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    found = np.zeros(60, np.float32)
    for place, value in values.items():
        found[int(place.removeprefix("at"))] = value
    return found


def test_a_span_ends_where_it_begins_or_later() -> None:
    assert best_span(places(at50=9), places(at10=8, at52=3), 1, 59) == (49, 51, 12)


def test_a_span_is_not_too_long() -> None:
    start, end = places(at3=9), places(at59=99)
    first, last, margin = best_span(start, end, 1, 59)
    assert (last, last - first) == (58, ANSWER_TOKENS - 1)
    assert margin == 99


def test_a_span_lies_in_the_passage() -> None:
    assert best_span(places(at6=9, at40=9), places(at6=9, at40=9), 10, 20)[2] == 0


def test_nowhere_is_what_a_span_must_beat() -> None:
    assert best_span(places(at0=5, at7=1), places(at0=4, at7=2), 1, 59) == (6, 6, -6)


# Files --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("never_converted")
def test_a_converted_reader_is_opened_again_and_not_converted(
    reader: TrainedReader, models: Path, weights: Path
) -> None:
    again = TrainedReader.open(models, weights)
    assert again.fingerprint == reader.fingerprint
    assert logits(again.score(QUESTION, PASSAGES)) == logits(reader.score(QUESTION, PASSAGES))


def test_conversion_leaves_nothing_else_behind(models: Path, reader: TrainedReader) -> None:
    assert [path.name for path in (models / "readers").iterdir()] == [reader.fingerprint]


def test_opening_takes_neither_torch_nor_transformers(models: Path, weights: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from rag.trained import TrainedReader\n"
        "TrainedReader.open(*map(Path, sys.argv[1:])).score('Why?', ['It is so.'])\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script, str(models), str(weights)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert ran.stdout.strip() == "[]"


def test_other_weights_are_another_reader(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    (tmp_path / "other.safetensors").write_bytes(content)
    monkeypatch.setattr(trained, "convert", converting(tmp_path))
    for name in (weights, tmp_path / "other.safetensors"):
        with pytest.raises(ModelError):
            TrainedReader.open(tmp_path, name)
    assert len(list((tmp_path / "readers").iterdir())) == 2


@pytest.mark.parametrize("missing", trained.FILES)
def test_a_half_made_copy_is_never_opened(
    weights: Path,
    models: Path,
    reader: TrainedReader,
    tmp_path: Path,
    missing: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    half = tmp_path / "readers" / reader.fingerprint
    half.mkdir(parents=True)
    for name in {*trained.FILES} - {missing}:
        (half / name).write_bytes(b"half")
    asked = []
    monkeypatch.setattr(trained, "convert", lambda *given: asked.append(given))
    with pytest.raises(ModelError):
        TrainedReader.open(tmp_path, weights)
    assert asked == [(weights, half)]


@pytest.mark.parametrize(
    ("there", "left"),
    [(trained.FILES[:1], b"new"), (trained.FILES, b"old")],
    ids=["half made", "made meanwhile"],
)
def test_a_half_made_copy_gives_way_and_a_whole_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: Sequence[str], left: bytes
) -> None:
    def export(_: None, target: Path) -> None:
        for name in trained.FILES:
            target.with_name(name).write_bytes(b"new")

    monkeypatch.setattr(network, "load", lambda _: None)
    monkeypatch.setattr(trained, "_export", export)
    (tmp_path / "reader").mkdir()
    for name in there:
        (tmp_path / "reader" / name).write_bytes(b"old")
    convert(tmp_path / "weights", tmp_path / "reader")
    assert {path.read_bytes() for path in (tmp_path / "reader").iterdir()} == {left}
    assert [path.name for path in tmp_path.iterdir()] == ["reader"]


def test_a_damaged_copy_is_told(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trained, "convert", converting(tmp_path))
    with pytest.raises(ModelError, match="damaged") as caught:
        TrainedReader.open(tmp_path, weights)
    assert "Delete that folder" in caught.value.remedy


def test_missing_weights_are_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.safetensors can't be read: No such") as caught:
        TrainedReader.open(tmp_path, tmp_path / "none.safetensors")
    assert "Install Groundwire again" in caught.value.remedy


@pytest.mark.parametrize("kept", [0, 100, 1_000_000])
def test_damaged_weights_are_told_and_nothing_is_left(
    weights: Path, tmp_path: Path, kept: int
) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(ModelError, match=r"damaged\.safetensors can't be used") as caught:
        TrainedReader.open(tmp_path / "models", damaged)
    assert "Install Groundwire again" in caught.value.remedy
    assert not (tmp_path / "models").exists()


def test_no_room_is_told(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where a folder should be")
    with pytest.raises(ModelError, match="can't be converted") as caught:
        TrainedReader.open(tmp_path / "models", weights)
    assert "--home" in caught.value.remedy


def test_a_disk_that_fills_is_told_and_nothing_is_left(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: ReaderNet, target: Path) -> None:
        target.write_bytes(b"half of a network")
        raise RuntimeError("Could not serialize")

    monkeypatch.setattr(trained, "_export", full)
    with pytest.raises(ModelError, match="Could not serialize") as caught:
        TrainedReader.open(tmp_path, weights)
    assert "Make room" in caught.value.remedy
    assert list((tmp_path / "readers").iterdir()) == []
