"""What training makes smaller: five terms, added up.

    passage    binary cross-entropy of "answers at all", and the rank of the right passage among the
               question's
    sentence   binary cross-entropy of "answers", and the rank of the right sentences among all of
               the question's passages
    span       cross-entropy of where the answer begins and ends; at [CLS] where there is none

A rank is the cross-entropy of the right ones together: log Σ exp(all) - log Σ exp(right), which is
ListNet's with one relevance grade (Cao et al. 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rag.network import NEVER, Logits

SMOOTHING = 0.05  # targets are 0.025 and 0.975: some labels are wrong


@dataclass(frozen=True, slots=True)
class Targets:
    """What is right for a batch of B windows with S sentences at most."""

    group: Tensor  # B: the number of the window's question
    passage: Tensor  # B: 1 where it answers
    sentence: Tensor  # B x S: 1 where it answers, 0 elsewhere
    real: Tensor  # B x S: whether there is such a sentence
    start: Tensor  # B: the token where the answer begins; 0 for none
    end: Tensor  # B: the token that ends it


def loss(logits: Logits, targets: Targets) -> Tensor:
    """The sum of the five terms, each a mean."""
    group = targets.group[:, None].expand_as(targets.real)[targets.real]
    sentences, right = logits.sentence[targets.real], targets.sentence[targets.real]
    span = functional.cross_entropy(logits.start, targets.start)
    span = span + functional.cross_entropy(logits.end, targets.end)
    return (
        _binary(logits.passage, targets.passage)
        + rank(logits.passage, targets.passage > 0, targets.group)
        + _binary(sentences, right)
        + rank(sentences, right > 0, group)
        + span / 2
    )


def rank(scores: Tensor, right: Tensor, group: Tensor) -> Tensor:
    """Mean over the groups that hold a right one of log Σ exp(all) - log Σ exp(right).

    Two candidates with the same score, one of them right:

    >>> round(rank(torch.zeros(2), torch.tensor([True, False]), torch.zeros(2)).item(), 3)
    0.693
    """
    groups = torch.unique(group[right])
    if not len(groups):
        return scores.sum() * 0
    members = group[None, :] == groups[:, None]
    everything = torch.where(members, scores, NEVER).logsumexp(-1)
    wanted = torch.where(members & right, scores, NEVER).logsumexp(-1)
    return (everything - wanted).mean()


def _binary(logits: Tensor, targets: Tensor) -> Tensor:
    smooth = targets * (1 - SMOOTHING) + SMOOTHING / 2
    return functional.binary_cross_entropy_with_logits(logits, smooth)
