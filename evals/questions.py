"""The evaluation questions: what they are, and how a file of them is read and checked.

A file is JSON Lines, one question a line. `questions.jsonl` beside this module is written by hand
over the bundled digests. Its kinds:

    single        one article answers
    across        two or more articles are needed: comparisons, before and after, claim and test
    dates         when, by when, what happened in a stretch of time, or the state "as of" a day
    overtaken     later coverage overtakes earlier: the answer is how things stand now
    disagree      sources give conflicting accounts or figures, and the answer needs both
    followup      understood only from the `history` before it
    unanswerable  the corpus doesn't say; `false_premise` where the question presupposes something
                  that the corpus contradicts or never says, `known_entity` where the corpus tells
                  much about whom it asks about, but not this

The loader refuses what would make a score mean nothing: a quote that isn't in its article, or a
nugget that not even the gold evidence would satisfy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from corpus.errors import InputError
from rag.followups import Turn

Kind = Literal["single", "across", "dates", "overtaken", "disagree", "followup", "unanswerable"]
Split = Literal["dev", "test"]

BUNDLED_QUESTIONS = Path(__file__).with_name("questions.jsonl")
BUNDLED_ARTICLES = Path(__file__).parents[1] / "corpus" / "articles"


@dataclass(frozen=True, slots=True)
class Nugget:
    """A short fact of a complete answer; `vital` ones must not be missing (TREC)."""

    text: str
    vital: bool
    match: tuple[str, ...]

    def is_in(self, answer: str) -> bool:
        """Whether one of the `match` strings occurs in `answer`, as `occurs` has it.

        >>> Nugget("Duties begin in August", True, ("2 August",)).is_in("From 2\\nAugust on.")
        True
        """
        return any(occurs(string, answer) for string in self.match)


@dataclass(frozen=True, slots=True)
class Quote:
    """Gold evidence: `text` is an exact substring of the body of `article`, a file stem."""

    article: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its gold. The unanswerable have no answers, nuggets or evidence."""

    id: str
    kind: Kind
    question: str
    answers: tuple[str, ...]
    nuggets: tuple[Nugget, ...]
    evidence: tuple[Quote, ...]
    false_premise: bool
    known_entity: bool
    history: tuple[Turn, ...]
    split: Split

    @property
    def answerable(self) -> bool:
        return self.kind != "unanswerable"


class _MalformedError(ValueError):
    """What is wrong with one line; `load_questions` adds which line of which file."""


def load_questions(path: Path, articles: Mapping[str, str]) -> list[Question]:
    """The questions of the JSONL file `path`, in order; `articles` maps file stem to body text.

    Raises InputError, naming file, line and reason, at the first line that is malformed.
    """
    questions: list[Question] = []
    seen: set[str] = set()
    for number, line in enumerate(_lines(path), start=1):
        try:
            question = _parsed(line)
            _check(question, articles, seen)
        except _MalformedError as fault:
            raise InputError(f"{path}, line {number}: {fault}.", "Correct that line.") from fault
        seen.add(question.id)
        questions.append(question)
    return questions


def bundled_questions() -> list[Question]:
    """The bundled questions, checked against the bundled articles."""
    return load_questions(BUNDLED_QUESTIONS, bundled_articles())


def bundled_articles() -> dict[str, str]:
    """The body text of each bundled article, by file stem."""
    return {path.stem: article_body(path) for path in sorted(BUNDLED_ARTICLES.glob("*.md"))}


def article_body(path: Path) -> str:
    """The text of a Markdown article below the `---` line that closes its front matter.

    Raises InputError where no front matter is opened and closed.
    """
    match re.split(r"(?m)^---[ \t]*$", path.read_text("utf-8"), maxsplit=2):
        case ["", _, body]:
            return body.strip()
    raise InputError(f"{path} has no front matter.", "Open and close it with a line of `---`.")


def occurs(string: str, text: str) -> bool:
    """Whether `string` stands in `text`, whatever the case and white space, with numbers whole.

    Numbers have to be whole because one digit more is another fact:

    >>> occurs("2 August", "from 12 August"), occurs("GPT-5", "GPT-5.6"), occurs("GPT-5", "gpt-5.")
    (False, False, True)
    """
    pattern = rf"(?<!\d)(?<!\d[.,]){re.escape(_folded(string))}(?!\d|[.,]\d)"
    return re.search(pattern, _folded(text)) is not None


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as cause:
        raise InputError(f"{path} can't be read as UTF-8 text.", "Check the path.") from cause


def _parsed(line: str) -> Question:
    try:
        item = json.loads(line)
    except json.JSONDecodeError as cause:
        raise _MalformedError(f"not JSON ({cause.msg})") from cause
    return Question(
        id=_text(item, "id"),
        kind=_one_of(item, "kind", get_args(Kind)),
        question=_text(item, "question"),
        answers=_texts(item, "answers"),
        nuggets=tuple(map(_nugget, _field(item, "nuggets", list))),
        evidence=tuple(map(_quote, _field(item, "evidence", list))),
        false_premise=_field(item, "false_premise", bool),
        known_entity=_field(item, "known_entity", bool),
        history=tuple(map(_turn, _field(item, "history", list))),
        split=_one_of(item, "split", get_args(Split)),
    )


def _nugget(item: object) -> Nugget:
    return Nugget(_text(item, "text"), _field(item, "vital", bool), _texts(item, "match"))


def _quote(item: object) -> Quote:
    return Quote(_text(item, "article"), _text(item, "quote"))


def _turn(item: object) -> Turn:
    return Turn(_text(item, "question"), _text(item, "answer"))


def _field(item: object, name: str, kind: type) -> Any:
    if not isinstance(item, dict):
        raise _MalformedError("an object is expected where something else stands")
    if name not in item:
        raise _MalformedError(f"the field `{name}` is missing")
    if not isinstance(item[name], kind):
        raise _MalformedError(f"`{name}` is not a {kind.__name__}")
    return item[name]


def _text(item: object, name: str) -> str:
    text: str = _field(item, name, str)
    if not text.strip():
        raise _MalformedError(f"`{name}` is empty")
    return text


def _texts(item: object, name: str) -> tuple[str, ...]:
    texts = _field(item, name, list)
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise _MalformedError(f"`{name}` holds something other than text")
    return tuple(texts)


def _one_of(item: object, name: str, known: tuple[str, ...]) -> Any:
    value = _text(item, name)
    if value not in known:
        raise _MalformedError(f"`{name}` is {value!r}, none of {', '.join(known)}")
    return value


def _check(question: Question, articles: Mapping[str, str], seen: set[str]) -> None:
    faults = _gold_faults(question, articles) if question.answerable else _empty_faults(question)
    if question.id in seen:
        raise _MalformedError(f"the id {question.id!r} is taken")
    for fault in (*faults, *_history_faults(question)):
        raise _MalformedError(fault)


def _gold_faults(question: Question, articles: Mapping[str, str]) -> Iterator[str]:
    for name in ("answers", "nuggets", "evidence"):
        if not getattr(question, name):
            yield f"an answerable question has no {name}"
    if question.false_premise or question.known_entity:
        yield "`false_premise` and `known_entity` are kinds of unanswerable questions"
    for quote in question.evidence:
        if quote.article not in articles:
            yield f"there is no article {quote.article!r}"
        elif quote.text not in articles[quote.article]:
            yield f"the quote {quote.text!r} is not in {quote.article}"
    for nugget in question.nuggets:
        if not any(nugget.is_in(quote.text) for quote in question.evidence):
            yield f"no evidence holds a match of the nugget {nugget.text!r}"
    if question.kind == "across" and len({quote.article for quote in question.evidence}) == 1:
        yield "the evidence of a question across articles comes from one article"
    if question.kind in ("overtaken", "disagree") and len(question.evidence) == 1:
        yield f"a question of the kind {question.kind!r} needs two pieces of evidence"


def _empty_faults(question: Question) -> Iterator[str]:
    for name in ("answers", "nuggets", "evidence"):
        if getattr(question, name):
            yield f"an unanswerable question has {name}"


def _history_faults(question: Question) -> Iterator[str]:
    if question.kind == "followup" and not question.history:
        yield "a follow-up has no history"
    if question.kind != "followup" and question.history:
        yield "only a follow-up has a history"
