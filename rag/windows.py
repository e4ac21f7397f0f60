"""Question and passage → tokens that know which sentence they stand in.

    [CLS] question [SEP] passage [SEP]

at most `MAX_TOKENS` of them. A passage that doesn't fit is read in windows of whole sentences, as
even as can be, so no sentence is lost; one that is longer than a window by itself is cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from corpus.errors import ModelError
from corpus.sentences import Span, sentence_spans

MAX_TOKENS = 256  # the encoder was trained with so many
QUESTION_TOKENS = 64  # more of a question is cut: the longest of 46,640 in the data has 37
KEPT_PASSAGES = 20_000  # of about 4 KB each; then all are forgotten
OUTSIDE = -1  # the sentence of a token that is not the passage's


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage: its span, and the ids and spans of its tokens."""

    span: Span
    ids: tuple[int, ...]
    tokens: tuple[Span, ...]


@dataclass(frozen=True)
class Window:
    """What the model reads at once. All spans are of the passage's text."""

    ids: tuple[int, ...]
    start: int  # where in `ids` the passage begins
    sentences: tuple[Sentence, ...]

    @cached_property
    def tokens(self) -> tuple[Span, ...]:
        """The spans of the passage's tokens; the first belongs to `ids[start]`."""
        return tuple(span for sentence in self.sentences for span in sentence.tokens)

    @cached_property
    def sentence_of(self) -> tuple[int, ...]:
        """For each of `ids` the number of its sentence, or OUTSIDE."""
        inside = [n for n, sentence in enumerate(self.sentences) for _ in sentence.ids]
        return (OUTSIDE,) * self.start + tuple(inside) + (OUTSIDE,)


class Encoder:
    """Makes windows with the tokenizer of an installed model, remembering what it has cut."""

    def __init__(self, folder: Path, max_tokens: int = MAX_TOKENS) -> None:
        from tokenizers import Tokenizer

        try:
            written = (folder / "tokenizer.json").read_text("utf-8")
        except OSError as cause:
            raise ModelError(
                f"{folder} has no tokenizer.", "Give the folder of a sentence-transformers model."
            ) from cause
        tokenizer: Any = Tokenizer.from_str(written)
        self._tokenizer = tokenizer
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._cls: int = tokenizer.token_to_id("[CLS]")
        self._sep: int = tokenizer.token_to_id("[SEP]")
        self._max_tokens = max_tokens
        self._cut: dict[str, tuple[Sentence, ...]] = {}

    def windows(self, question: str, passage: str) -> list[Window]:
        """The windows in which `passage` is read for `question`; none where it is empty."""
        asked = self._ids(question)[:QUESTION_TOKENS]
        head = (self._cls, *asked, self._sep)
        room = self._max_tokens - len(head) - 1
        return [
            Window(
                (*head, *(token for one in group for token in one.ids), self._sep),
                len(head),
                group,
            )
            for group in even_groups(self._sentences(passage), room)
        ]

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _sentences(self, passage: str) -> tuple[Sentence, ...]:
        found = self._cut.get(passage)
        if found is None:
            found = tuple(self._sentence(passage, span) for span in sentence_spans(passage))
            if len(self._cut) >= KEPT_PASSAGES:
                self._cut.clear()  # another thread may do so at any time: hence found, kept apart
            self._cut[passage] = found
        return found

    def _sentence(self, passage: str, span: Span) -> Sentence:
        start, end = span
        found = self._tokenizer.encode(passage[start:end], add_special_tokens=False)
        tokens = tuple((start + a, start + b) for a, b in found.offsets)
        return Sentence(span, tuple(found.ids), tokens)


def even_groups(sentences: Sequence[Sentence], room: int) -> Iterator[tuple[Sentence, ...]]:
    """`sentences` in groups of at most `room` tokens, all about equally long.

    A sentence of more than `room` tokens is cut and stands alone; one without tokens is left out.
    """
    sentences = [_cut(sentence, room) for sentence in sentences if sentence.ids]
    total = sum(len(sentence.ids) for sentence in sentences)
    aim = total / max(1, -(-total // room))
    group: list[Sentence] = []
    size = 0
    for sentence in sentences:
        # A group is closed before the sentence that takes it further past the aim than it is short
        # of it, and in any case before one that doesn't fit.
        length = len(sentence.ids)
        if group and (size + length > room or size + length / 2 > aim):
            yield tuple(group)
            group, size = [], 0
        group.append(sentence)
        size += length
    if group:
        yield tuple(group)


def _cut(sentence: Sentence, room: int) -> Sentence:
    return Sentence(sentence.span, sentence.ids[:room], sentence.tokens[:room])
