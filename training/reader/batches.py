"""Examples → tensors, in batches of similar length.

Passages of one question stay together, as they are ranked together. Which batch comes when depends
on nothing but the examples and the seed, so a run that was stopped can go on where it was.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from corpus.sentences import Span
from rag.windows import OUTSIDE, Encoder, Window
from training.reader.data import Marked
from training.reader.examples import Example
from training.reader.loss import Targets

POOL = 50  # batches whose examples are sorted by length together


@dataclass(frozen=True, slots=True)
class Inputs:
    """The arguments of the network for B windows of L tokens at most, each B x L."""

    ids: Tensor
    sentence_of: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True)
class Labelled:
    """A window and its gold: sentences that answer, first and last token of the answer."""

    window: Window
    right: frozenset[int] = frozenset()
    answer: tuple[int, int] = (0, 0)


Group = tuple[Labelled, ...]


def label(encoder: Encoder, example: Example, rng: random.Random) -> Group:
    """One window a passage: the one with the answer, or any where there is none."""
    labelled = []
    for passage in example.passages:
        windows = encoder.windows(example.question, passage.text)
        if passage.spans:
            labelled.append(_with_answer(windows, passage))
        elif windows:
            labelled.append(Labelled(rng.choice(windows)))
    return tuple(labelled)


def batches(groups: Sequence[Group], size: int, rng: random.Random) -> Iterator[list[Group]]:
    """`groups` in batches of at most `size` windows of similar length, in random order."""
    pool = size * POOL
    made = []
    for start in range(0, len(groups), pool):
        made += list(_packed(sorted(groups[start : start + pool], key=_length), size))
    rng.shuffle(made)
    yield from made


def inputs(windows: Sequence[Window]) -> Inputs:
    """The windows as tensors, padded to the longest."""
    length = max(len(window.ids) for window in windows)
    ids = torch.zeros(len(windows), length, dtype=torch.long)
    sentence_of = torch.full_like(ids, OUTSIDE)
    mask = torch.zeros_like(ids, dtype=torch.bool)
    for row, window in enumerate(windows):
        size = len(window.ids)
        ids[row, :size] = torch.tensor(window.ids)
        sentence_of[row, :size] = torch.tensor(window.sentence_of)
        mask[row, :size] = True
    return Inputs(ids, sentence_of, mask)


def targets(groups: Sequence[Group]) -> Targets:
    """The gold of the groups' windows, in order."""
    flat = [labelled for group in groups for labelled in group]
    most = max(len(labelled.window.sentences) for labelled in flat)
    sentence = torch.zeros(len(flat), most)
    real = torch.zeros(len(flat), most, dtype=torch.bool)
    for row, labelled in enumerate(flat):
        real[row, : len(labelled.window.sentences)] = True
        sentence[row, sorted(labelled.right)] = 1.0
    return Targets(
        group=torch.tensor([n for n, group in enumerate(groups) for _ in group]),
        passage=torch.tensor([float(bool(labelled.right)) for labelled in flat]),
        sentence=sentence,
        real=real,
        start=torch.tensor([labelled.answer[0] for labelled in flat]),
        end=torch.tensor([labelled.answer[1] for labelled in flat]),
    )


def right_sentences(window: Window, spans: Sequence[Span]) -> frozenset[int]:
    """Numbers of the window's sentences that overlap one of `spans`."""
    return frozenset(
        number
        for number, sentence in enumerate(window.sentences)
        for start, end in spans
        if sentence.span[0] < end and start < sentence.span[1]
    )


def _with_answer(windows: Sequence[Window], passage: Marked) -> Labelled:
    """The window that holds the first answer; where it was cut off, one that answers nothing."""
    start, end = passage.spans[0]
    for window in windows:
        inside = [n for n, (a, b) in enumerate(window.tokens) if a < end and start < b]
        if inside:
            answer = (window.start + inside[0], window.start + inside[-1])
            return Labelled(window, right_sentences(window, passage.spans), answer)
    return Labelled(windows[0])


def _packed(groups: Sequence[Group], size: int) -> Iterator[list[Group]]:
    batch: list[Group] = []
    for group in groups:
        if batch and sum(map(len, batch)) + len(group) > size:
            yield batch
            batch = []
        batch.append(group)
    if batch:
        yield batch


def _length(group: Group) -> int:
    return max(len(labelled.window.ids) for labelled in group)
