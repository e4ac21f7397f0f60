"""Published models of entailment and consistency, and how each kind is laid out.

NLI cross-encoders (`cross-encoder/nli-deberta-v3-small`) have three outputs whose order differs
from model to model, so the one for entailment is found by its label. Detectors with one logit say
"supported" by its sigmoid. MiniCheck (Tang et al. 2024; `lytang/MiniCheck-RoBERTa-Large` and
`-DeBERTa-v3-Large`) has two nameless outputs, the second for support, and was trained on document
and claim joined by one end-of-text token. Its Flan-T5 version answers by generating and is refused.

HHEM-2.1-open (`vectara/hallucination_evaluation_model`) is a T5ForTokenClassification over
google/flan-t5-base, all weights under the prefix "t5."; the Python files beside them do no more
than write a prompt and read the first token's second output. The same is done here with
transformers' own class, so that no code of the repository is run. Config and tokenizer are those of
the model that its config.json names as `foundation`: a name on the hub, or a folder, also one
inside the model's own.
"""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.article import short_hash
from corpus.errors import ModelError
from rag.prompts import one_line

if TYPE_CHECKING:
    from torch import Tensor

HHEM = "HHEMv2ForSequenceClassification"
HHEM_FOUNDATION = "google/flan-t5-base"
HHEM_PROMPT = (
    "<pad> Determine if the hypothesis is true given the premise?\n\n"
    "Premise: {context}\n\nHypothesis: {statement}"
)
# Models with relative positions know no limit of their own; attention grows with the square. HHEM
# takes 1.5 s for so many tokens on a CPU, and MiniCheck reads no more at once either.
MOST_TOKENS = 2048
BATCH = 8
SUPPORTS = frozenset(
    "entailment entail entails entailed support supports supported consistent factual faithful"
    " grounded".split()
)
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
SMALL_FILES = ("*.json", "*.txt", "*.model")

Write = Callable[[str, str], tuple[str, ...]]
Read = Callable[["Tensor"], "Tensor"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model ready to judge. `limit` is in tokens, context and statement together.

    `write` turns context and statement into what the tokenizer takes (two texts, or one), `read`
    the logits of a batch into probabilities of support.
    """

    fingerprint: str
    limit: int
    tokenizer: Any
    model: Any
    write: Write
    read: Read

    def fits(self, context: str, statement: str) -> bool:
        """Whether the model sees all of both at once."""
        tokens = self.tokenizer(*self.write(context, statement), verbose=False)["input_ids"]
        return len(tokens) <= self.limit

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The probability, for each pair of context and statement, that the one backs the other.

        Nothing is cut: each pair has to fit.
        """
        # Texts of like length together: less padding.
        order = sorted(range(len(pairs)), key=lambda i: -len(pairs[i][0]) - len(pairs[i][1]))
        found: dict[int, float] = {}
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            scores = self._scores([self.write(*pairs[i]) for i in batch])
            found.update(zip(batch, scores, strict=True))
        return [found[i] for i in range(len(pairs))]

    def _scores(self, written: Sequence[tuple[str, ...]]) -> list[float]:
        import torch

        sides = (list(side) for side in zip(*written, strict=True))
        inputs = self.tokenizer(*sides, padding=True, return_tensors="pt").to(self.model.device)
        with torch.inference_mode():
            logits = self.model(**inputs).logits.float()
        scores: list[float] = self.read(logits).tolist()
        return scores


def open_checkpoint(name: str, device: str = "cpu") -> Checkpoint:
    """The model in the folder, or of the hub's repository, called `name`.

    Raises ModelError when it isn't there, can't be loaded, or doesn't say which output is support.
    """
    from safetensors import SafetensorError

    folder = locate(name, (*SMALL_FILES, *WEIGHTS))
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        load = _hhem if HHEM in (config.get("architectures") or ()) else _classifier
        return load(name, folder, config, device)
    except (OSError, ValueError, RuntimeError, SafetensorError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"The judge model {name} can't be loaded ({one_line(str(error)).rstrip('.')}).",
            f"Check the files in {folder} and the device {device!r}.",
        ) from error


def locate(name: str, files: Sequence[str]) -> Path:
    """The folder of `name`: a path is taken as it is, anything else as a name on the hub.

    From the hub come only `files` (patterns), if they weren't fetched before. Raises ModelError.
    """
    if Path(name).expanduser().is_dir():
        return Path(name).expanduser()
    if name.startswith((".", "/", "~")):
        raise ModelError(f"There is no folder {name} with a judge model.", "Check the path.")
    return _from_hub(name, files)


def support_column(name: str, config: Mapping[str, Any]) -> int | None:
    """Which output of a classifier stands for support; `None` where its only logit does.

    The labels decide. Two outputs without names follow MiniCheck: the second one. Raises ModelError
    when the labels don't tell, or contradict each other.

    >>> support_column("m", {"id2label": {0: "contradiction", 1: "entailment", 2: "neutral"}})
    1
    >>> support_column("m", {"id2label": {0: "LABEL_0", 1: "LABEL_1"}})
    1
    """
    labels = {int(i): str(label) for i, label in config["id2label"].items()}
    if len(labels) == 1:
        return None
    found = {i for i, label in labels.items() if _plain(label) in SUPPORTS}
    found |= {i for label, i in config.get("label2id", {}).items() if _plain(label) in SUPPORTS}
    nameless = all(re.fullmatch(r"LABEL_\d+", label) for label in labels.values())
    if len(labels) == 2 and nameless and not found:
        return 1
    if len(found) != 1:
        raise ModelError(
            f"The labels of {name} don't tell which output means support: "
            f"{', '.join(labels.values())}.",
            "Name it “entailment” in the id2label and label2id of its config.json.",
        )
    return found.pop()


def _plain(label: str) -> str:
    return label.strip().lower()


def _from_hub(name: str, files: Sequence[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    # Subfolders hold the same weights again, for other runtimes.
    options: dict[str, Any] = {"allow_patterns": list(files), "ignore_patterns": ["*/*"]}
    try:
        try:
            return Path(snapshot_download(name, local_files_only=True, **options))
        except LocalEntryNotFoundError:
            return Path(snapshot_download(name, **options))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"The judge model {name} is neither a folder nor to be had from the hub.",
            f"Fetch it where there is a network (`hf download {name} --local-dir DIR`), "
            "then name the folder: nli/DIR.",
        ) from error


def _classifier(name: str, folder: Path, _: Mapping[str, Any], device: str) -> Checkpoint:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    model, report = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True, **local
    )
    # transformers fills what the file lacks with random numbers.
    if report["missing_keys"]:
        raise ModelError(
            f"{name} is no classifier: it lacks {', '.join(sorted(report['missing_keys']))}.",
            "Name a cross-encoder that was trained for NLI or consistency.",
        )
    column = support_column(name, model.config.to_dict())
    tokenizer = AutoTokenizer.from_pretrained(folder, **local)
    limit = min(_positions(model), tokenizer.model_max_length, MOST_TOKENS)
    joined = "minicheck" in name.lower() and tokenizer.eos_token
    write = _joined_by(tokenizer.eos_token) if joined else _as_pair
    return Checkpoint(
        _fingerprint(folder), limit, tokenizer, _on(model, device), write, _reader(column)
    )


def _hhem(name: str, folder: Path, config: Mapping[str, Any], device: str) -> Checkpoint:
    from transformers import AutoTokenizer, T5Config, T5ForTokenClassification

    foundation = str(config.get("foundation") or HHEM_FOUNDATION)
    inside = folder / foundation
    base = inside if inside.is_dir() else locate(foundation, SMALL_FILES)
    model = T5ForTokenClassification(T5Config.from_pretrained(base, num_labels=2))
    model.load_state_dict(_hhem_weights(folder))
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    tokenizer.padding_side = "right"  # the first token is the one that is read
    return Checkpoint(
        _fingerprint(folder),
        MOST_TOKENS,
        tokenizer,
        _on(model, device),
        lambda context, statement: (HHEM_PROMPT.format(context=context, statement=statement),),
        lambda logits: logits[:, 0, :].softmax(-1)[:, 1],
    )


def _hhem_weights(folder: Path) -> dict[str, Tensor]:
    """The weights under the names that transformers gives them; it saves shared ones once."""
    from safetensors.torch import load_file

    saved = load_file(folder / "model.safetensors")
    weights = {key.removeprefix("t5."): tensor for key, tensor in saved.items()}
    if "transformer.shared.weight" in weights:
        shared = weights["transformer.shared.weight"]
        weights.setdefault("transformer.encoder.embed_tokens.weight", shared)
    return weights


def _as_pair(context: str, statement: str) -> tuple[str, ...]:
    return context, statement


def _joined_by(end: str) -> Write:
    return lambda context, statement: (f"{context}{end}{statement}",)


def _reader(column: int | None) -> Read:
    if column is None:
        return lambda logits: logits[:, 0].sigmoid()
    return lambda logits: logits.softmax(-1)[:, column]


def _positions(model: Any) -> int:
    """How many tokens the model has positions for."""
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and hasattr(module, "num_embeddings"):
            # RoBERTa's count begins behind the number of its padding token.
            unused = 0 if module.padding_idx is None else module.padding_idx + 1
            return int(module.num_embeddings) - unused
    return int(getattr(model.config, "max_position_embeddings", MOST_TOKENS))


def _on(model: Any, device: str) -> Any:
    try:
        return model.eval().to(device)
    except AssertionError as error:  # torch's own word for a build without CUDA
        raise ValueError(f"torch has no device {device!r}") from error


def _fingerprint(folder: Path) -> str:
    files = sorted(file for form in ("config.json", *WEIGHTS) for file in folder.glob(form))
    return short_hash(" ".join(_digest(file) for file in files))


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()
