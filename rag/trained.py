"""The trained reader at work: question and passages → how likely each sentence answers.

A cross-encoder over MiniLM that was trained on questions with their answers (training/README.md).
Its weights ship without the word embeddings, which the installed embedder has; at first use both
are put together and converted for OpenVINO, which reads about 60 passages a second on two cores.

    sentence   logit of "this sentence answers"
    passage    logit of "this passage answers at all"
    margin     logit of the likeliest span minus that of "nowhere"
"""

from __future__ import annotations

import hashlib
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from corpus.embedding import BUILT_IN, locate, quiet_loading
from corpus.errors import ModelError
from corpus.sentences import Span
from rag.windows import Encoder, Window

if TYPE_CHECKING:
    from rag.network import ReaderNet

WEIGHTS = Path(__file__).parent / "models" / "reader.safetensors"
BATCH_TOKENS = 2048  # padded tokens a forward pass
ANSWER_TOKENS = 30  # longest span: none of SQuAD's answers has more
FILES = ("network.xml", "network.bin")

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SentenceScore:
    """A sentence of a passage, and the logit of "answers": higher is likelier."""

    span: Span
    logit: float


@dataclass(frozen=True, slots=True)
class PassageScore:
    """A passage: the logit of "answers at all", its sentences in order, and the likeliest answer.

    `margin` is the answer's logit minus that of "nowhere": below 0 the reader sees no answer.
    """

    logit: float
    sentences: tuple[SentenceScore, ...]
    answer: Span
    margin: float


class TrainedReader:
    """The converted reader in `folder`. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        import openvino

        self.fingerprint = folder.name
        self._encoder = Encoder(locate(BUILT_IN))
        try:
            self._model = openvino.Core().compile_model(
                folder / "network.xml",
                "CPU",
                # fp32: some processors would otherwise pick bf16 and give other scores.
                {"INFERENCE_PRECISION_HINT": "f32", "CACHE_DIR": str(folder / "cache")},
            )
        except RuntimeError as error:
            raise ModelError(
                f"The converted reader in {folder} is damaged.",
                "Delete that folder; it is made anew from the shipped weights.",
            ) from error

    @classmethod
    def open(cls, models_dir: Path, weights: Path = WEIGHTS) -> TrainedReader:
        """The reader with the trained `weights`, converted into `models_dir` where it isn't yet.

        Converting takes 3 s, once; opening what is converted, a tenth of a second.

        Raises ModelError when the weights are missing or damaged, or there is no room.
        """
        folder = models_dir / "readers" / f"reader-{_digest(weights)}"
        if not _complete(folder):
            convert(weights, folder)
        return cls(folder)

    def score(self, question: str, passages: Sequence[str]) -> list[PassageScore]:
        """Score each passage and each of its sentences, in the order given."""
        return score([(question, passage) for passage in passages], self._encoder, self._read)

    def _read(self, windows: Sequence[Window]) -> list[PassageScore]:
        # A request of its own: the page serves several people from several threads.
        values, logits = self._model.create_infer_request().infer(feed(windows)).values()
        return [read(*one) for one in zip(windows, values, logits.tolist(), strict=True)]


def score(
    pairs: Sequence[tuple[str, str]],
    encoder: Encoder,
    read: Callable[[Sequence[Window]], list[PassageScore]],
) -> list[PassageScore]:
    """Scores of pairs of question and passage, of which `read` scores a batch of windows."""
    windows = [encoder.windows(question, passage) for question, passage in pairs]
    flat = [window for group in windows for window in group]
    found: dict[int, PassageScore] = {}
    for rows in batches([len(window.ids) for window in flat]):
        found.update(zip(rows, read([flat[row] for row in rows]), strict=True))
    ordered = (found[row] for row in range(len(flat)))
    return [_joined([next(ordered) for _ in group]) for group in windows]


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows, shortest first, in batches of at most BATCH_TOKENS padded tokens.

    >>> list(batches([1000, 9, 1500, 900]))
    [[1, 3], [0], [2]]
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[row] * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def feed(windows: Sequence[Window]) -> tuple[NDArray[np.int64], ...]:
    """BERT's inputs for B windows, each B x L: ids, mask and segments; the passage is the second.

    Padding is 0 in all three.
    """
    width = max(len(window.ids) for window in windows)
    ids, mask, segments = (np.zeros((len(windows), width), np.int64) for _ in range(3))
    for row, window in enumerate(windows):
        length = len(window.ids)
        ids[row, :length], mask[row, :length] = window.ids, 1
        segments[row, window.start : length] = 1
    return ids, mask, segments


def read(window: Window, values: Array, logit: float) -> PassageScore:
    """The scores in what the network says of a window: L x 4 `values`, and the passage's `logit`.

    A sentence's logit is the mean of its tokens' parts plus the highest of their claims.
    """
    part, claim, start, end = values.T
    first, last, margin = best_span(start, end, window.start, len(window.tokens))
    sentences, at = [], window.start
    for sentence in window.sentences:
        here = slice(at, at + len(sentence.ids))
        sentences.append(SentenceScore(sentence.span, float(part[here].mean() + claim[here].max())))
        at = here.stop
    answer = window.tokens[first][0], window.tokens[last][1]
    return PassageScore(logit, tuple(sentences), answer, margin)


def best_span(start: Array, end: Array, offset: int, count: int) -> tuple[int, int, float]:
    """First and last token of the likeliest span among `count` tokens from `offset`, its margin.

    The tokens are counted from `offset`; the margin is over the span at 0, which says "nowhere".

    >>> best_span(np.array([0.0, 1.0, 5.0]), np.array([0.0, 9.0, 2.0]), 1, 2)
    (0, 0, 10.0)
    """
    here = slice(offset, offset + count)
    sums = start[here, None] + end[None, here]
    beyond = np.arange(count)[None, :] - np.arange(count)[:, None]
    sums[(beyond < 0) | (beyond >= ANSWER_TOKENS)] = -np.inf
    first, last = divmod(int(sums.argmax()), count)
    return first, last, float(sums[first, last] - start[0] - end[0])


def _joined(parts: Sequence[PassageScore]) -> PassageScore:
    """The windows of one passage as one: the best of each, all sentences."""
    if not parts:
        return PassageScore(-math.inf, (), (0, 0), -math.inf)
    key = max(parts, key=lambda part: part.margin)
    return PassageScore(
        logit=max(part.logit for part in parts),
        sentences=tuple(sentence for part in parts for sentence in part.sentences),
        answer=key.answer,
        margin=key.margin,
    )


# Conversion ---------------------------------------------------------------------------------------


def convert(weights: Path, folder: Path) -> None:
    """Put the trained `weights` over the installed encoder and convert it into `folder`.

    Works beside the target and renames at the end, so a half-made copy is never opened.

    Raises ModelError when the weights are damaged or of another network, or there is no room.
    """
    from rag.network import load

    net = load(weights)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".converting-", dir=folder.parent) as beside:
            work = Path(beside) / folder.name
            work.mkdir()
            _export(net, work / "network.xml")
            if not _complete(folder):  # another process may have been quicker
                shutil.rmtree(folder, ignore_errors=True)
                work.replace(folder)
    except (OSError, RuntimeError) as error:  # OpenVINO's are RuntimeErrors, a full disk's too
        raise ModelError(
            f"The reader can't be converted into {folder.parent}: {error}.",
            "Make room there, or give another folder with --home or GROUNDWIRE_HOME.",
        ) from error


def _export(net: ReaderNet, target: Path) -> None:
    import warnings

    import openvino
    import torch

    sample = tuple(torch.ones((2, 7), dtype=torch.long) for _ in range(3))
    with quiet_loading(), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # tracing warns of branches that padding never takes
        converted = openvino.convert_model(net, example_input=sample)
    openvino.save_model(converted, target, compress_to_fp16=False)


def _complete(folder: Path) -> bool:
    return all((folder / name).exists() for name in FILES)


def _digest(weights: Path) -> str:
    """12 hex digits that change with the weights: of 22 MB in 15 ms."""
    try:
        with weights.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:12]
    except OSError as error:
        raise ModelError(
            f"The reader's weights {weights} can't be read: {error.strerror}.",
            "Install Groundwire again.",
        ) from error
