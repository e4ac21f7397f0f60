"""A reader small enough to train in a test: the real tokenizer, an encoder of one thin layer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from corpus.embedding import BUILT_IN, locate
from rag.network import ReaderNet
from rag.windows import Encoder

WIDTH = 16


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return Encoder(locate(BUILT_IN))


@pytest.fixture
def net() -> ReaderNet:
    return tiny_net()


@pytest.fixture
def tiny_weights(net: ReaderNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of `net`, which is none that the installed encoder belongs to."""
    from safetensors.torch import save_file

    path = tmp_path_factory.mktemp("tiny") / "weights.safetensors"
    save_file(net.trained(), path)
    return path


def tiny_net() -> ReaderNet:
    """Always with the same weights."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(1)
    config = BertConfig(
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return ReaderNet(BertModel(config, add_pooling_layer=False), WIDTH)
