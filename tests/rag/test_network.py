from __future__ import annotations

from pathlib import Path

import pytest
import torch

from corpus.embedding import BUILT_IN, locate
from corpus.errors import ModelError
from rag.network import NEVER, Logits, ReaderNet, load
from rag.windows import Encoder
from tests.training.conftest import tiny_net
from training.reader.batches import Inputs, inputs

TEXT = "It came in May. It cost $3 million. Few bought it."


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(locate(BUILT_IN))


@pytest.fixture
def net() -> ReaderNet:
    return tiny_net()


def given(encoder: Encoder) -> Inputs:
    passages = (TEXT, "It was cheap.")
    return inputs([encoder.windows("What did it cost?", text)[0] for text in passages])


def run(net: ReaderNet, batch: Inputs) -> Logits:
    with torch.inference_mode():
        states = net.eval().states(batch.ids, batch.sentence_of, batch.mask)
        return net.heads(states, batch.sentence_of)


def test_each_head_gives_its_shape(net: ReaderNet, encoder: Encoder) -> None:
    batch = given(encoder)
    logits = run(net, batch)
    assert logits.passage.shape == (2,)
    assert logits.sentence.shape == (2, 3)
    assert logits.start.shape == logits.end.shape == batch.ids.shape


def test_sentences_that_are_not_there_can_not_be_chosen(net: ReaderNet, encoder: Encoder) -> None:
    logits = run(net, given(encoder))
    assert logits.sentence[1].tolist()[1:] == [NEVER, NEVER]
    assert logits.sentence[0].min() > NEVER / 2


def test_an_answer_lies_in_the_passage_or_nowhere(net: ReaderNet, encoder: Encoder) -> None:
    batch = given(encoder)
    possible = run(net, batch).start > NEVER / 2
    assert possible[:, 0].all()
    assert torch.equal(possible[:, 1:], batch.sentence_of[:, 1:] >= 0)


def test_padding_changes_nothing(net: ReaderNet, encoder: Encoder) -> None:
    alone = inputs(encoder.windows("What did it cost?", "It was cheap."))
    short, padded = run(net, alone), run(net, given(encoder))
    assert short.passage[0].item() == pytest.approx(padded.passage[1].item(), abs=1e-5)
    assert short.sentence[0, 0].item() == pytest.approx(padded.sentence[1, 0].item(), abs=1e-5)


def test_the_input_is_left_as_it_was(net: ReaderNet, encoder: Encoder) -> None:
    batch = given(encoder)
    before = batch.sentence_of.clone()
    run(net, batch)
    assert torch.equal(batch.sentence_of, before)


def test_word_embeddings_stay_and_are_not_kept(net: ReaderNet) -> None:
    frozen = [name for name, p in net.named_parameters() if not p.requires_grad]
    assert frozen == [
        "encoder.embeddings.word_embeddings.weight",
        "encoder.embeddings.position_embeddings.weight",
    ]
    assert not net.trained().keys() & set(frozen)


def test_trained_weights_give_the_same_reader(net: ReaderNet, encoder: Encoder) -> None:
    other = tiny_net()
    with torch.no_grad():
        for parameter in other.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1)
    before = run(other, given(encoder))
    other.load_trained(net.trained())
    after, wanted = run(other, given(encoder)), run(net, given(encoder))
    assert not torch.allclose(before.passage, wanted.passage)
    assert torch.equal(after.passage, wanted.passage)


@pytest.mark.parametrize("change", ["lost", "strange"])
def test_weights_of_another_network_are_refused(net: ReaderNet, change: str) -> None:
    weights = net.trained()
    if change == "lost":
        del weights["sentence.weight"]
    else:
        weights["strange"] = torch.zeros(1)
    with pytest.raises(ValueError, match=r"sentence\.weight|strange"):
        net.load_trained(weights)


def test_weights_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="can't be used") as caught:
        load(tmp_path / "none.safetensors")
    assert caught.value.remedy
