"""Files of questions with marked answers → values.

The files are JSON Lines with the fields of SQuAD: `question`, `context`, `answers` (each a `text`
and the `answer_start` it has in the context), and `title`, or `source`, for what articles belong
together.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import InputError
from corpus.sentences import Span


@dataclass(frozen=True, slots=True)
class Marked:
    """A passage and the spans in it that answer the question, best first; none: no answer."""

    text: str
    spans: tuple[Span, ...] = ()

    @property
    def answers(self) -> tuple[str, ...]:
        """The texts of the spans.

        >>> Marked("It cost $3.", ((8, 10),)).answers
        ('$3',)
        """
        return tuple(self.text[start:end] for start, end in self.spans)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question asked about one passage of the article `title`."""

    title: str
    question: str
    passage: Marked


def read_questions(path: Path) -> list[Asked]:
    """The questions of the file `path`, in order, each (question, passage) once.

    Raises InputError, naming file and line, where a line can't be read or an answer doesn't stand
    where the line says.
    """
    asked: dict[tuple[str, str], Asked] = {}
    for number, line in enumerate(_lines(path), start=1):
        try:
            one = _parsed(json.loads(line))
        except (ValueError, KeyError, TypeError) as fault:
            raise InputError(f"{path}, line {number}: {fault!r}.", "Correct that line.") from fault
        asked.setdefault((one.question, one.passage.text), one)
    return list(asked.values())


def _lines(path: Path) -> Iterable[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except OSError as cause:
        raise InputError(f"{path} can't be read.", "Check the data folder.") from cause


def _parsed(item: dict[str, Any]) -> Asked:
    context = item["context"]
    spans = _ordered((a["answer_start"], a["text"]) for a in item["answers"])
    for start, end, text in spans:
        if context[start:end] != text:
            raise ValueError(f"the answer {text!r} is not at {start}")
    marked = Marked(context, tuple((start, end) for start, end, _ in spans))
    return Asked(item.get("title") or item["source"], item["question"].strip(), marked)


def _ordered(answers: Iterable[tuple[int, str]]) -> list[tuple[int, int, str]]:
    """Distinct answers, the one that most people gave first, the shorter of two that tie."""
    counts = Counter(answers)
    ordered = sorted(counts, key=lambda answer: (-counts[answer], len(answer[1])))
    return [(start, start + len(text), text) for start, text in ordered]
