"""RGB: what an answerer does with documents that are noisy, silent, scattered or false.

Chen, Lin, Han, Sun 2023, "Benchmarking Large Language Models in Retrieval-Augmented Generation"
(arXiv 2309.01431, AAAI 2024). The files hold one JSON object a line:

    en.json       id, query, answer, positive: [document], negative: [document]
    en_int.json   the same, with positive: [[document, …], …], a list for each part of the answer
    en_fact.json  the same as en.json, with fakeanswer and positive_wrong: [document], which are
                  the positive ones in which the answer was exchanged for the fake one

`answer` is a text, or a list of parts that must all be given; a part is a text or a list of texts
of which one will do.

Five documents are handed over for each question, drawn and shuffled as in the authors' evalue.py,
from the same seed. So this tests reading, writing and checking; nothing is searched for. The
paper's models were told what to say where the documents don't answer or are false. Ours isn't
prompted so: an abstention stands for the first, and nothing yet for the second.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import InputError
from evals.public.asking import Said
from evals.public.fields import Fields, read_lines
from evals.public.figures import Figure, figure, share

DOCUMENTS = 5
SEED = 2333  # of the authors' script, anew for each question
# Shares of documents without the answer, as in the paper's tables.
NOISE = (0.0, 0.2, 0.4, 0.6, 0.8)
INTEGRATION = (0.0, 0.2, 0.4)
REFUSAL = "insufficient information"
DETECTION = "factual errors"

FILES = ("en.json", "en_int.json", "en_fact.json")
PLAIN, INTEGRATING, FALSE = "plain", "integrating", "false"  # what a file holds
REJECTION, COUNTERFACTUAL = "rejection", "counterfactual"

Parts = tuple[tuple[str, ...], ...]
"""Parts that an answer must all have, each with its spellings."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question with its documents. `wrong` and `fake` are empty but in en_fact.json."""

    question: str
    answer: Parts
    positive: tuple[tuple[str, ...], ...]
    negative: tuple[str, ...]
    wrong: tuple[str, ...] = ()
    fake: Parts = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """A question with the documents that it is asked over. `test` names what is tested."""

    test: str
    item: Item
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said of a trial."""

    trial: Trial
    said: Said


# Reading ------------------------------------------------------------------------------------------


def load(path: Path) -> dict[str, tuple[Item, ...]]:
    """The items of one file, or of those of FILES that are in the folder `path`, by what they hold.

    Raises InputError where there is none of them, or, with file, line and reason, a malformed one.
    """
    paths = [path / name for name in FILES if (path / name).exists()] if path.is_dir() else [path]
    if not paths:
        raise InputError(f"{path} holds none of {', '.join(FILES)}.", "Give RGB's folder `data`.")
    return {held(one): tuple(_item(line, held(one)) for line in read_lines(one)) for one in paths}


def held(path: Path) -> str:
    """What a file holds, told from its name as the script does.

    >>> held(Path("data/en_fact.json")), held(Path("data/en_refine.json"))
    ('false', 'plain')
    """
    named = {"_int": INTEGRATING, "_fact": FALSE}
    return next((kind for mark, kind in named.items() if mark in path.name), PLAIN)


def _item(line: Fields, kind: str) -> Item:
    question, answer = line.text("query"), _parts(line, "answer")
    negative = line.texts("negative")
    if kind == INTEGRATING:
        return Item(question, answer, _groups(line), negative)
    positive = tuple((document,) for document in line.texts("positive"))
    if kind == PLAIN:
        return Item(question, answer, positive, negative)
    wrong = line.texts("positive_wrong")
    return Item(question, answer, positive, negative, wrong, _parts(line, "fakeanswer"))


def _groups(line: Fields) -> tuple[tuple[str, ...], ...]:
    groups = line.list("positive")
    if not all(_are_texts(group) and group for group in groups):
        raise line.refused("`positive` is not a list of lists of texts")
    return tuple(tuple(group) for group in groups)


def _parts(line: Fields, name: str) -> Parts:
    value = line.value(name)
    parts = value if isinstance(value, list) else [value]
    spellings = [part if isinstance(part, list) else [part] for part in parts]
    if not all(map(_are_texts, spellings)):
        raise line.refused(f"`{name}` is neither a text nor a list of texts or of their spellings")
    given = tuple(tuple(text for text in part if text.strip()) for part in spellings)
    if not given or not all(given):
        raise line.refused(f"`{name}` is blank")
    return given


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


# Documents, as the authors draw them --------------------------------------------------------------


def trials(kind: str, items: Sequence[Item]) -> Iterator[Trial]:
    """All that is asked of the items of a file that holds `kind`."""
    for item in items:
        if kind == PLAIN:
            for rate in NOISE:
                yield Trial(f"noise {rate}", item, noisy(item, rate))
            yield Trial(REJECTION, item, noisy(item, 1.0))
        elif kind == INTEGRATING:
            for rate in INTEGRATION:
                yield Trial(f"integration {rate}", item, integrating(item, rate))
        else:
            yield Trial(COUNTERFACTUAL, item, counterfactual(item))


def noisy(item: Item, rate: float) -> tuple[str, ...]:
    """Positive and negative documents in this proportion, more of one where the other lacks."""
    positive = [document for group in item.positive for document in group]
    noise = math.ceil(DOCUMENTS * rate)
    if rate < 1:
        noise = min(noise, len(item.negative))
        noise = max(noise, DOCUMENTS - len(positive))
    return _shuffled([*positive[: DOCUMENTS - noise], *item.negative[:noise]], _draws())


def integrating(item: Item, rate: float) -> tuple[str, ...]:
    """A document for each part of the answer, then second ones, then negative ones."""
    draws, groups = _draws(), [list(group) for group in item.positive]
    for group in groups:
        draws.shuffle(group)
    wanted = max(DOCUMENTS - math.ceil(DOCUMENTS * rate), len(groups))
    deepest = max(map(len, groups), default=0)
    by_depth = [group[at] for at in range(deepest) for group in groups if len(group) > at]
    positive = by_depth[:wanted]
    noise = max(DOCUMENTS - len(positive), 0)
    return _shuffled([*positive, *item.negative[:noise]], draws)


def counterfactual(item: Item) -> tuple[str, ...]:
    """Nothing but documents in which the answer was exchanged."""
    draws = _draws()
    chosen = draws.sample(range(len(item.wrong)), min(len(item.wrong), DOCUMENTS))
    return _shuffled([item.wrong[at] for at in chosen], draws)


def _draws() -> random.Random:
    return random.Random(SEED)


def _shuffled(documents: list[str], draws: random.Random) -> tuple[str, ...]:
    draws.shuffle(documents)
    return tuple(documents)


# Their measures -----------------------------------------------------------------------------------


def says(text: str, answer: Parts) -> bool:
    """Whether `text` holds every part of `answer` in one of its spellings, whatever the case.

    The paper's accuracy ("exact matching" of the answer within what was generated). Who quotes
    much passes more easily than who answers in a word.

    >>> says("On 3 May, in Rome.", (("May 3", "3 May"), ("rome",)))
    True
    """
    folded = text.lower()
    return all(any(spelling.lower() in folded for spelling in part) for part in answer)


def is_right(outcome: Outcome) -> bool:
    """Whether the answer is given and not refused; a refusal is never right."""
    said = outcome.said
    return not rejects(said) and says(said.text, outcome.trial.item.answer)


def rejects(said: Said) -> bool:
    """Whether it declines: an abstention, or the words that the paper's models were told to use."""
    return said.abstained or REFUSAL in said.text.lower()


def detects(said: Said) -> bool:
    """Whether it says that the documents are false, in the words of the paper's prompt.

    A remark to the user counts too. The paper's other figure, ED*, asks ChatGPT; it isn't made.
    """
    return any(DETECTION in text.lower() for text in (said.text, *said.remarks))


# Figures ------------------------------------------------------------------------------------------


def figures(outcomes: Sequence[Outcome]) -> tuple[Figure, ...]:
    """Accuracy by share of noise, rejection rate, error detection and correction rate."""
    made: list[Figure] = []
    for test in dict.fromkeys(outcome.trial.test for outcome in outcomes):
        group = [outcome for outcome in outcomes if outcome.trial.test == test]
        if test == REJECTION:
            made.append(figure("rejection rate", test, share([rejects(o.said) for o in group])))
            continue
        made.append(figure("accuracy", test, share([is_right(o) for o in group])))
        if test == COUNTERFACTUAL:
            made.extend(_counterfactual(group))
        answered = [bool(outcome.said.statements) for outcome in group]
        made.append(figure("answered (ours)", test, share(answered)))
    return tuple(made)


def _counterfactual(group: Sequence[Outcome]) -> Iterator[Figure]:
    """Error detection rate; error correction rate, the right among those detected; and who is
    misled: says the fake answer."""
    detected = [detects(outcome.said) for outcome in group]
    corrected = [
        (float(says(outcome.said.text, outcome.trial.item.answer)), 1.0) if found else (0.0, 0.0)
        for outcome, found in zip(group, detected, strict=True)
    ]
    misled = [says(outcome.said.text, outcome.trial.item.fake) for outcome in group]
    yield figure("error detection rate", COUNTERFACTUAL, share(detected))
    yield figure("error correction rate", COUNTERFACTUAL, corrected)
    yield figure("misled (ours)", COUNTERFACTUAL, share(misled))
