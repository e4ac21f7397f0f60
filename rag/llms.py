"""Generators by name: two built in, and any bigger model through LlamaIndex's integrations.

    extractive                  quotes, needs no model
    smollm2                     SmolLM2-135M, on this machine; fetched by `groundwire models pull`
    ollama/<name>               a model of the Ollama server at OLLAMA_HOST or on this machine
    openai/<model>@<base url>   any server that speaks OpenAI's protocol; no default address
    hf/<repo or folder>         a transformers model, loaded into this process

Nothing here goes to a network address that the user did not name.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from corpus.errors import ModelError, UsageError
from rag import smollm2
from rag.generate import ExtractiveGenerator, Generator, LLMGenerator
from rag.local_llms import huggingface_llm

# What a bigger model may see and say, in tokens. Ollama is told to make its window this large;
# llama.cpp's server starts with 4,096, so a server of unknown size is trusted with no more.
OLLAMA_WINDOW = 8192
SERVER_WINDOW = 4096
LOCAL_WINDOW = 4096
MAX_NEW_TOKENS = 512
# Ollama and other servers load the model at the first question, which can take minutes.
TIMEOUT_S = 300.0

Kind = Literal["built in", "on this machine", "server"]
Loader = Callable[[str], Generator]


@dataclass(frozen=True, slots=True)
class ModelState:
    """A line of `groundwire models list`. `size_bytes` is `None` where it isn't ours to know."""

    name: str
    kind: Kind
    present: bool
    size_bytes: int | None
    note: str


@dataclass(frozen=True, slots=True)
class Family:
    """The models behind one prefix. `module` is the integration that the extra installs."""

    prefix: str
    form: str
    kind: Kind
    module: str
    load: Loader

    @property
    def remedy(self) -> str:
        return f"Run `pip install -c constraints.txt -e '.[{self.prefix}]'`."


def load_generator(name: str, models_dir: Path) -> Generator:
    """The generator called `name`.

    Raises UsageError for a name of no known form, and ModelError when the model is missing, its
    extra isn't installed, or it can't be loaded.
    """
    if name == "extractive":
        return ExtractiveGenerator()
    if name == "smollm2":
        return smollm2.load(models_dir)
    prefix, _, rest = name.partition("/")
    family = FAMILIES.get(prefix)
    if family is None or not rest:
        raise UsageError(f"There is no model called “{name}”.", f"Use one of: {_forms()}.")
    if not _importable(family.module):
        raise ModelError(f"The extra for {family.form} is not installed.", family.remedy)
    return family.load(rest)


def pull(name: str, models_dir: Path, report: smollm2.Report) -> Path:
    """Fetch the model `name` into `models_dir`, telling `report` how far it is; its folder.

    Raises UsageError for a model that isn't ours to fetch, and ModelError when it fails.
    """
    if name != "smollm2":
        raise UsageError(f"“{name}” can't be pulled.", "Use `groundwire models pull smollm2`.")
    return smollm2.pull(models_dir, report)


def installed(models_dir: Path) -> list[ModelState]:
    """All generators, with whether each can be used now; imports nothing heavy."""
    return [
        ModelState("extractive", "built in", True, None, "quotes the sources; needs no model"),
        _smollm2_state(models_dir),
        *(_family_state(family) for family in FAMILIES.values()),
    ]


def estimated_tokens(text: str) -> int:
    """Tokens of `text`, guessed high, for servers whose tokenizer we don't have.

    English news has 4.5 bytes a token with SmolLM2's tokenizer, its densest sentence ("On
    ARC-AGI-2 it scored 9.9%, less than the 15.9% of Grok 4.") 2.0.

    >>> estimated_tokens("Grok 4 scored 15.9%.")
    10
    """
    return -(-len(text.encode()) // 2)


def _ollama(model: str) -> Generator:
    import httpx
    from llama_index.llms.ollama import Ollama
    from ollama import ResponseError

    host = os.environ.get("OLLAMA_HOST") or "http://127.0.0.1:11434"
    llm = Ollama(
        model=model,
        base_url=host,
        temperature=0.0,
        context_window=OLLAMA_WINDOW,
        request_timeout=TIMEOUT_S,
        thinking=False,
        additional_kwargs={"num_predict": MAX_NEW_TOKENS},
    )
    return LLMGenerator(
        llm=llm,
        name=f"ollama/{model}",
        count_tokens=estimated_tokens,
        context_window=OLLAMA_WINDOW,
        max_new_tokens=MAX_NEW_TOKENS,
        failures=(ConnectionError, ResponseError, httpx.HTTPError),
        remedy=f"Check that `ollama serve` answers at {host}, and run `ollama pull {model}`.",
    )


def _openai(rest: str) -> Generator:
    model, _, base_url = rest.rpartition("@")
    if not model or not base_url.startswith(("http://", "https://")):
        raise UsageError(
            f"“openai/{rest}” names no server.",
            "Write openai/<model>@<base url>, such as openai/qwen3@http://127.0.0.1:8080/v1.",
        )
    from llama_index.llms.openai_like import OpenAILike
    from openai import OpenAIError

    llm = OpenAILike(
        model=model,
        api_base=base_url,
        api_key=os.environ.get("OPENAI_API_KEY") or "none",
        is_chat_model=True,
        temperature=0.0,
        max_tokens=MAX_NEW_TOKENS,
        context_window=SERVER_WINDOW,
        timeout=TIMEOUT_S,
        max_retries=0,
    )
    return LLMGenerator(
        llm=llm,
        name=f"openai/{model}",
        count_tokens=estimated_tokens,
        context_window=SERVER_WINDOW,
        max_new_tokens=MAX_NEW_TOKENS,
        failures=(OpenAIError,),
        remedy=f"Check that a server answers at {base_url} and serves {model}.",
    )


def _huggingface(model: str) -> Generator:
    # A folder is read as it is; for a name on the hub the user has asked for the download.
    options = {"local_files_only": True} if Path(model).is_dir() else {}
    remedy = (
        f"Check that {model} is a folder, or a repository on huggingface.co, with a chat model."
    )
    try:
        llm = huggingface_llm(model, MAX_NEW_TOKENS, LOCAL_WINDOW, options)
    except (OSError, ValueError) as error:
        raise ModelError(f"hf/{model} can't be loaded.", remedy) from error
    tokenizer = llm._tokenizer  # type: ignore[attr-defined]
    return LLMGenerator(
        llm=llm,
        name=f"hf/{model}",
        count_tokens=lambda text: len(tokenizer(text)["input_ids"]),
        context_window=llm.metadata.context_window,
        max_new_tokens=MAX_NEW_TOKENS,
        failures=(RuntimeError, ValueError),
        remedy=remedy,
    )


FAMILIES = {
    family.prefix: family
    for family in (
        Family("ollama", "ollama/<name>", "server", "llama_index.llms.ollama", _ollama),
        Family(
            "openai", "openai/<model>@<base url>", "server", "llama_index.llms.openai_like", _openai
        ),
        Family(
            "hf", "hf/<repo or folder>", "on this machine", "llama_index.llms.huggingface",
            _huggingface,
        ),
    )
}  # fmt: skip


def _forms() -> str:
    return ", ".join(["extractive", "smollm2", *(family.form for family in FAMILIES.values())])


def _importable(module: str) -> bool:
    """Whether `module` is installed; `find_spec` raises where one of its parents is not."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _smollm2_state(models_dir: Path) -> ModelState:
    present = smollm2.is_present(models_dir)
    files = smollm2.folder(models_dir).glob("*") if present else ()
    size = sum(file.stat().st_size for file in files) if present else None
    note = "answers in its own words" if present else smollm2.PULL
    return ModelState("smollm2", "on this machine", present, size, note)


def _family_state(family: Family) -> ModelState:
    present = _importable(family.module)
    return ModelState(
        family.form, family.kind, present, None, "extra installed" if present else family.remedy
    )
