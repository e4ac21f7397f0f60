"""From evidence to a draft: quoted by `extractive`, or written by a language model.

A draft is only a proposal. The caller splits it into sentences, verifies each of them against
the passages and assigns the citations; what fails is not said. So generators never number
anything, and a weak model costs answers but not truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING, Protocol

from corpus.errors import ModelError
from rag.answer import QUOTED_SENTENCES, Evidence
from rag.prompts import FULL, CountTokens, Prompt, fitting, lead, one_line

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

MOST_EVIDENCE = 24
NO_ANSWER = "NO ANSWER"
THOUGHT_OPENS, THOUGHT_CLOSES = "<think>", "</think>"


class Generator(Protocol):
    """What drafts an answer from evidence.

    `name` is what `Answer.model` shows.
    """

    @property
    def name(self) -> str: ...

    def draft(self, question: str, evidence: Sequence[Evidence], notes: list[str]) -> Iterator[str]:
        """Pieces of the draft, to be joined as they are; none at all means "no answer".

        A line break in the joined text always ends a sentence. `evidence` is ordered best first.
        Remarks for the user are appended to `notes`. Raises ModelError when the model fails.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExtractiveGenerator:
    """Quotes the best sentences word for word; needs no model and cannot invent."""

    limit: int = QUOTED_SENTENCES
    name: str = "extractive"

    def draft(self, question: str, evidence: Sequence[Evidence], notes: list[str]) -> Iterator[str]:
        """One line for each of the best `limit` sentences.

        Sentences of one article stand together, in the order of the article and under one lead;
        articles come in the order of their best sentence.
        """
        yield from _with_breaks(_quote_lines(evidence[: self.limit]))


def quoted(text: str) -> str:
    """`text` in quotation marks, unless it brings double ones of its own.

    >>> quoted("The licence is Apache 2.0.")
    '“The licence is Apache 2.0.”'
    >>> quoted('He called it "a missed chance".')
    'He called it "a missed chance".'
    """
    return text if any(mark in text for mark in '"“”„«»') else f"“{text}”"


@dataclass(frozen=True)
class LLMGenerator:
    """Drafts with a LlamaIndex chat model that sees the evidence and nothing else.

    It reads at most `most_evidence` sentences, the best ones. `context_window` and
    `max_new_tokens` are in tokens. `failures` are the exceptions by which the model's client says
    that it can't answer; they become a ModelError with `remedy`.
    """

    llm: LLM
    name: str
    count_tokens: CountTokens
    context_window: int
    max_new_tokens: int
    prompt: Prompt = FULL
    most_evidence: int = MOST_EVIDENCE
    failures: tuple[type[Exception], ...] = ()
    remedy: str = ""

    def draft(self, question: str, evidence: Sequence[Evidence], notes: list[str]) -> Iterator[str]:
        """Pieces of the model's text as they come, without its thoughts."""
        kept = self._fitting(question, evidence, notes)
        if not kept:
            return
        said = ""
        for piece in answering(without_thoughts(self._stream(question, kept))):
            said += piece
            yield piece
        # Two below the limit: the end-of-text token and a split word are not in `said`.
        if self.count_tokens(said) >= self.max_new_tokens - 2:
            notes.append(f"{self.name} reached its limit of {self.max_new_tokens} tokens.")

    def _fitting(
        self, question: str, evidence: Sequence[Evidence], notes: list[str]
    ) -> Sequence[Evidence]:
        if len(evidence) > self.most_evidence:
            notes.append(
                f"{self.name} was given the best {self.most_evidence} of {len(evidence)} "
                "evidence sentences."
            )
        best = evidence[: self.most_evidence]
        budget = self.context_window - self.max_new_tokens
        kept = fitting(self.prompt, question, best, self.count_tokens, budget)
        if left_out := len(best) - len(kept):
            notes.append(_left_out(left_out, self.context_window))
        return kept

    def _stream(self, question: str, evidence: Sequence[Evidence]) -> Iterator[str]:
        from llama_index.core.llms import ChatMessage

        messages = [
            ChatMessage(role="system", content=self.prompt.system),
            ChatMessage(role="user", content=self.prompt.user_text(question, evidence)),
        ]
        with self.translating():
            # A piece is at least one token, so this also stops a server that knows no limit.
            for response in islice(self.llm.stream_chat(messages), self.max_new_tokens):
                yield response.delta or ""

    @contextmanager
    def translating(self) -> Iterator[None]:
        """The model's `failures` as a ModelError that says what to do."""
        try:
            yield
        except self.failures as error:
            reason = one_line(str(error)) or type(error).__name__
            message = f"{self.name} could not answer: {reason.rstrip('.')}."
            raise ModelError(message, self.remedy) from error


def without_thoughts(pieces: Iterable[str]) -> Iterator[str]:
    """`pieces` without a leading `<think>…</think>`, in which some models reason aloud.

    >>> "".join(without_thoughts(["<thi", "nk>Hm.</th", "ink> Apache", " 2.0."]))
    ' Apache 2.0.'
    """
    stream = iter(pieces)
    start = _gathered(stream, lambda text: not _may_begin(text, THOUGHT_OPENS))
    if start.lstrip().lower().startswith(THOUGHT_OPENS):
        start += _gathered(stream, lambda text: THOUGHT_CLOSES in start + text)
        start = start.partition(THOUGHT_CLOSES)[2]
    yield start
    yield from stream


def answering(pieces: Iterable[str]) -> Iterator[str]:
    """`pieces`, or nothing at all where they begin with "NO ANSWER".

    >>> list(answering(["No", " answer", "."])), list(answering(["No", "body."]))
    ([], ['Nobody.'])
    """
    stream = iter(pieces)
    start = _gathered(stream, lambda text: not _may_begin(text, NO_ANSWER.lower()))
    if start.strip().lower().startswith(NO_ANSWER.lower()):
        return
    if start.strip():
        yield start.lstrip()
    yield from stream


def _gathered(stream: Iterator[str], enough: Callable[[str], bool]) -> str:
    text = ""
    for piece in stream:
        text += piece
        if enough(text):
            break
    return text


def _may_begin(text: str, mark: str) -> bool:
    """Whether more text could still turn `text` into one that begins with `mark`."""
    head = text.lstrip().lower()
    return len(head) < len(mark) and mark.startswith(head)


def _quote_lines(evidence: Sequence[Evidence]) -> Iterator[str]:
    rank: dict[str, int] = {}
    for item in evidence:
        rank.setdefault(item.hit.article.id, len(rank))
    ordered = sorted(evidence, key=lambda item: (rank[item.hit.article.id], item.start))
    for _, group in groupby(ordered, key=lambda item: item.hit.article.id):
        for position, item in enumerate(group):
            before = lead(item.hit.article) if position == 0 else ""
            quote = quoted(one_line(item.text))
            yield f"{before}: {quote}" if before else quote


def quote_line(item: Evidence) -> str:
    """One sentence of evidence, quoted word for word under its lead."""
    return next(iter(_quote_lines([item])))


def _with_breaks(lines: Iterable[str]) -> Iterator[str]:
    for position, line in enumerate(lines):
        yield f"\n{line}" if position else line


def _left_out(count: int, context_window: int) -> str:
    subject = "1 evidence sentence was" if count == 1 else f"{count} evidence sentences were"
    return f"{subject} left out: the prompt would have exceeded {context_window:,} tokens."
