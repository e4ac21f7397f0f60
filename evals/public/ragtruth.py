"""RAGTruth-format files: does a judge see which responses of language models are made up?

Niu et al. 2024, "RAGTruth: A Hallucination Corpus for Developing Trustworthy Retrieval-Augmented
Language Models" (arXiv 2401.00396). The folder holds one JSON object a line in

    response.jsonl     id, source_id, model, labels: [{start, end, text, label_type, …}], split,
                       quality, response
    source_info.jsonl  source_id, task_type (QA, Summary, Data2txt), source_info, prompt

`source_info` is the text to be summarised, or an object: {question, passages} for QA, the data of
a business for Data2txt. A response is hallucinated where it has any label, as in the authors'
predict_and_evaluate.py, and only the responses of the split "test" and quality "good" count.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.errors import InputError
from corpus.sentences import split_sentences
from evals.judges import Claim, Grade
from evals.metrics.bootstrap import Ratio
from evals.public.fields import Fields, read_lines
from evals.public.figures import ALL, Figure, figure

if TYPE_CHECKING:
    from evals.judges.seam import Judge

RESPONSES, SOURCES = "response.jsonl", "source_info.jsonl"
TASKS = ("QA", "Summary", "Data2txt")
SPLIT, QUALITY = "test", "good"


@dataclass(frozen=True, slots=True)
class Source:
    """What the language models were given, as texts for a judge."""

    task: str
    contexts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Response:
    """What one of them made of it. `hallucinated` is what the annotators say."""

    id: str
    source: Source
    text: str
    hallucinated: bool


@dataclass(frozen=True, slots=True)
class Detection:
    """`flagged` is what the judge says; `None` where it could not be read."""

    response: Response
    flagged: bool | None


# Reading ------------------------------------------------------------------------------------------


def load(folder: Path) -> tuple[Response, ...]:
    """The test responses of good quality in `folder`.

    Raises InputError, naming file, line and reason, where it is malformed, and where there is no
    such response.
    """
    sources = {line.text("source_id"): _source(line) for line in read_lines(folder / SOURCES)}
    responses = [_response(line, sources) for line in read_lines(folder / RESPONSES)]
    counted = tuple(response for response in responses if response is not None)
    if not counted:
        raise InputError(
            f"{folder / RESPONSES} has no response of split “{SPLIT}” and quality “{QUALITY}”.",
            "Give the whole file.",
        )
    return counted


def _source(line: Fields) -> Source:
    task = line.text("task_type")
    if task not in TASKS:
        raise line.refused(f"`task_type` is {task!r}, not one of {', '.join(TASKS)}")
    if task == "Summary":
        return Source(task, (line.text("source_info"),))
    values = line.value("source_info")
    if not isinstance(values, dict):
        raise line.refused("`source_info` is not an object")
    if task == "QA":
        passages = Fields(f"{line.where}, source_info", values).text("passages")
        return Source(task, tuple(part.strip() for part in passages.split("\n\n") if part.strip()))
    return Source(task, ("\n".join(lines_of(values)),))


def lines_of(value: Any, name: str = "") -> Iterator[str]:
    """Structured data as lines, since judges read text.

    >>> list(lines_of({"name": "Subway", "hours": {"Monday": "9-22"}, "stars": [3, None]}))
    ['name: Subway', 'hours Monday: 9-22', 'stars: 3', 'stars: null']
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from lines_of(inner, f"{name} {key}".strip())
    elif isinstance(value, list):
        for inner in value:
            yield from lines_of(inner, name)
    else:
        yield f"{name}: {value if isinstance(value, str) else json.dumps(value)}"


def _response(line: Fields, sources: dict[str, Source]) -> Response | None:
    source = line.text("source_id")
    if source not in sources:
        raise line.refused(f"`source_id` {source!r} is not in {SOURCES}")
    labels = list(line.objects("labels"))
    made = Response(line.text("id"), sources[source], line.string("response"), bool(labels))
    counts = line.text("split") == SPLIT and line.text("quality") == QUALITY
    return made if counts else None


# Detection ----------------------------------------------------------------------------------------


def detect(judge: Judge, response: Response) -> Detection:
    """Judge every sentence of `response` by its source; one that fails flags it.

    Where none fails but one can't be read, neither can the response. Raises ModelError where the
    judge can't be used.
    """
    claims = [Claim(text, response.source.contexts) for text in split_sentences(response.text)]
    return Detection(response, flagged(judge.grades(claims)))


def flagged(grades: Sequence[Grade]) -> bool | None:
    """Whether any of the sentences of a response is not backed.

    >>> flagged([Grade(True, 1.0, ""), Grade(None, None, "")]) is None
    True
    >>> flagged([Grade(False, 0.0, ""), Grade(None, None, "")])
    True
    """
    passing = [grade.passing for grade in grades]
    if False in passing:
        return True
    return None if None in passing else False


# Figures ------------------------------------------------------------------------------------------


def figures(detections: Sequence[Detection]) -> tuple[Figure, ...]:
    """Response-level precision, recall, F1 and balanced accuracy, over all and by task.

    "Hallucinated" is the class to be found. Responses that the judge could not be read on are left
    out, and the share of those that it could be is told. Balanced accuracy is not in the paper.
    """
    made = list(_of_group(ALL, detections))
    for task in TASKS:
        made += _of_group(task, [d for d in detections if d.response.source.task == task])
    return tuple(made)


def _of_group(group: str, detections: Sequence[Detection]) -> Iterator[Figure]:
    if not detections:
        return
    read = [(d.response.hallucinated, d.flagged) for d in detections if d.flagged is not None]
    yield figure("precision", group, [(float(is_so and said), float(said)) for is_so, said in read])
    yield figure("recall", group, [(float(is_so and said), float(is_so)) for is_so, said in read])
    yield figure("F1", group, [f1_part(is_so, said) for is_so, said in read])
    yield figure("balanced accuracy (ours)", group, balanced(read))
    yield figure("hallucinated (labels)", group, [(float(is_so), 1.0) for is_so, _ in read])
    yield figure("judged (ours)", group, [(float(d.flagged is not None), 1.0) for d in detections])


def f1_part(hallucinated: bool, said: bool) -> Ratio:
    """What one response adds to F1 = 2 TP / (2 TP + FP + FN).

    >>> f1_part(True, True), f1_part(False, True), f1_part(False, False)
    ((2.0, 2.0), (0.0, 1.0), (0.0, 0.0))
    """
    both = 2.0 * (hallucinated and said)
    return both, both or float(hallucinated or said)


def balanced(read: Sequence[tuple[bool, bool]]) -> list[Ratio]:
    """What each response adds to balanced accuracy: it weighs 1 / the size of its class.

    The weights stay as they are when the interval is drawn. With one class alone it doesn't apply.

    >>> from evals.metrics.bootstrap import ratio
    >>> ratio(balanced([(True, True), (True, False), (False, False)]))
    0.75
    """
    sizes = Counter(hallucinated for hallucinated, _ in read)
    if len(sizes) < len((True, False)):
        return [(0.0, 0.0)] * len(read)
    return [((is_so == said) / sizes[is_so], 1 / sizes[is_so]) for is_so, said in read]
