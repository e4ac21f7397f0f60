from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from corpus.errors import ModelError
from corpus.sentences import sentence_spans
from rag.network import ReaderNet
from rag.windows import Encoder
from training.reader.batches import inputs
from training.reader.score import TorchReader

PASSAGES = [
    "It came in May. It cost $3 million. Few bought it.",
    "Nobody said why it failed. " * 40,
    "",
    "It was cheap.",
]
QUESTION = "What did it cost?"


@pytest.fixture
def reader(net: ReaderNet, encoder: Encoder) -> TorchReader:
    return TorchReader(net, encoder)


def test_every_sentence_of_every_passage_has_a_score_in_order(reader: TorchReader) -> None:
    for passage, found in zip(PASSAGES, reader.score(QUESTION, PASSAGES), strict=True):
        assert [one.span for one in found.sentences] == sentence_spans(passage)
        assert all(abs(one.logit) < 1e3 for one in found.sentences)


def test_what_is_read_is_what_is_trained(
    reader: TorchReader, net: ReaderNet, encoder: Encoder
) -> None:
    texts = [PASSAGES[0], PASSAGES[3]]
    batch = inputs([encoder.windows(QUESTION, text)[0] for text in texts])
    with torch.inference_mode():
        logits = net.heads(net.states(batch.ids, batch.sentence_of, batch.mask), batch.sentence_of)
    for row, found in enumerate(reader.score(QUESTION, texts)):
        assert found.logit == pytest.approx(logits.passage[row].item(), abs=1e-5)
        said = [one.logit for one in found.sentences]
        assert said == pytest.approx(logits.sentence[row, : len(said)].tolist(), abs=1e-5)
        inside = (logits.start[row][:, None] + logits.end[row]).triu()[1:, 1:].max()
        nowhere = logits.start[row, 0] + logits.end[row, 0]
        assert found.margin == pytest.approx((inside - nowhere).item(), abs=1e-5)


def test_pairs_of_several_questions_score_as_one_by_one(reader: TorchReader) -> None:
    pairs = [(QUESTION, PASSAGES[1]), ("Why?", PASSAGES[0]), (QUESTION, "")]
    together = reader.score_pairs(pairs)
    for (question, passage), found in zip(pairs[:2], together, strict=False):
        (alone,) = reader.score(question, [passage])
        assert alone.logit == pytest.approx(found.logit, abs=1e-5)
        assert alone.answer == found.answer
    assert together[2].logit == -math.inf


@pytest.mark.parametrize("content", [None, b"not safetensors"])
def test_weights_that_can_not_be_read_are_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "weights.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"weights\.safetensors"):
        TorchReader.load(path)


def test_weights_of_another_network_are_told(tiny_weights: Path) -> None:
    with pytest.raises(ModelError, match="another network"):
        TorchReader.load(tiny_weights)


def test_reading_does_not_train(reader: TorchReader, net: ReaderNet) -> None:
    reader.score(QUESTION, PASSAGES)
    assert not net.training
    assert all(p.grad is None for p in net.parameters())
    assert not torch.is_inference_mode_enabled()
