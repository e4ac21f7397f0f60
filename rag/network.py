"""The reader's network: an installed encoder and three heads. Imports torch.

    passage    from [CLS]: does the passage answer at all
    sentence   from the mean of a sentence's tokens, plus the highest score of one of them
    span       where the answer begins and ends; at [CLS] for "nowhere"

Word and position embeddings stay as installed, so that weights need only carry the rest. The mean
of a sentence's tokens is taken after the head rather than before, which comes to the same: so all
that a window leaves behind is four numbers a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from corpus.embedding import BUILT_IN, locate, quiet_loading
from corpus.errors import ModelError

NEVER = -1e4  # logit of what can't be: finite, as inf - inf is not a number
FROZEN = ("encoder.embeddings.word_embeddings.", "encoder.embeddings.position_embeddings.")


@dataclass(frozen=True, slots=True)
class Logits:
    """What the network says of a batch of B windows, S sentences and L tokens at most."""

    passage: Tensor  # B
    sentence: Tensor  # B x S
    start: Tensor  # B x L
    end: Tensor  # B x L


class ReaderNet(nn.Module):
    """The network over an encoder of transformers' BERT kind."""

    def __init__(self, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.passage = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))
        self.sentence = nn.Linear(width, 1)
        self.token = nn.Linear(width, 3)  # of a sentence that answers; start; end
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(not name.startswith(FROZEN))

    def forward(self, ids: Tensor, mask: Tensor, segments: Tensor) -> tuple[Tensor, Tensor]:
        """What `rag.trained.read` takes, of BERT's inputs, each B x L.

        Four values a token (B x L x 4): its part in its sentence's mean, its own claim that the
        sentence answers, start, end. And the logits of the passages (B).
        """
        return self._values(self._encode(ids, mask, segments))

    def states(self, ids: Tensor, sentence_of: Tensor, mask: Tensor) -> Tensor:
        """The encoder's states, in full precision whatever it was run in: B x L x width.

        Takes `ids`, the sentence of each token (or -1) and what isn't padding.
        """
        return self._encode(ids, mask.long(), _second_part(sentence_of >= 0, mask)).float()

    def heads(self, states: Tensor, sentence_of: Tensor) -> Logits:
        """What the heads make of the states."""
        values, passage = self._values(states)
        numbers = torch.arange(int(sentence_of.max()) + 1, device=states.device)
        spoken = sentence_of >= 0
        spoken[:, 0] = True  # [CLS] says "nowhere"
        return Logits(
            passage=passage,
            sentence=_sentences(
                values[..., 0], values[..., 1], sentence_of[:, None, :] == numbers[:, None]
            ),
            start=values[..., 2].masked_fill(~spoken, NEVER),
            end=values[..., 3].masked_fill(~spoken, NEVER),
        )

    def trained(self) -> dict[str, Tensor]:
        """The weights that training changes, by name."""
        return {n: p for n, p in self.state_dict().items() if not n.startswith(FROZEN)}

    def load_trained(self, weights: Mapping[str, Tensor]) -> None:
        """Take over what `trained` gave. Raises ValueError for another network's weights."""
        mine = {name: weight.shape for name, weight in self.trained().items()}
        theirs = {name: weight.shape for name, weight in weights.items()}
        other = sorted(name for name in mine | theirs if mine.get(name) != theirs.get(name))
        if other:
            raise ValueError(f"weights of another network: {', '.join(other[:3])}")
        self.load_state_dict(weights, strict=False)

    def _encode(self, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
        found = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=segments)
        states: Tensor = found.last_hidden_state
        return states

    def _values(self, states: Tensor) -> tuple[Tensor, Tensor]:
        values = torch.cat([self.sentence(states), self.token(states)], dim=-1)
        return values, self.passage(states[:, 0]).squeeze(-1)


def build(folder: Path) -> ReaderNet:
    """The network over the installed encoder in `folder`, its heads untrained.

    Without dropout: it is against learning by heart, which two epochs hardly allow, and takes a
    tenth of the time.
    """
    from transformers import AutoModel

    with quiet_loading():
        encoder: Any = AutoModel.from_pretrained(
            str(folder),
            add_pooling_layer=False,
            attn_implementation="sdpa",
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            local_files_only=True,
        )
    return ReaderNet(encoder, encoder.config.hidden_size)


def load(weights: Path) -> ReaderNet:
    """The network with the trained `weights`, stored in whatever precision, ready to read.

    Raises ModelError when the weights are missing, damaged or of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    net = build(locate(BUILT_IN))
    try:
        net.load_trained({name: w.float() for name, w in load_file(weights).items()})
    except (OSError, SafetensorError, ValueError) as error:
        raise ModelError(
            f"The reader's weights {weights} can't be used: {error}.",
            "Install Groundwire again, or train them again.",
        ) from error
    return net.eval()


def _sentences(part: Tensor, claim: Tensor, members: Tensor) -> Tensor:
    """Logits of sentences (B x S) from what their tokens say (B x L) and which they are."""
    counts = members.sum(-1)
    means = (part[:, None, :] * members).sum(-1) / counts.clamp(min=1)
    best = claim[:, None, :].masked_fill(~members, NEVER).amax(-1)
    return (means + best).masked_fill(counts == 0, NEVER)


def _second_part(inside: Tensor, mask: Tensor) -> Tensor:
    """BERT's segments: 0 for the question, 1 for the passage and its [SEP]."""
    begun: Tensor = inside.long().cumsum(-1) > 0
    return (begun & mask).long()
