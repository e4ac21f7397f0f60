"""Judges by name. Imports LlamaIndex, torch and the like only when a judge that needs them is asked
for.

    verifier                    our own verifier: hard checks and alignment; the default
    nli/<hub name or folder>    a cross-encoder for entailment or consistency
    llm/<model>                 a language model, by the name that `--model` takes
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corpus.errors import UsageError

if TYPE_CHECKING:
    from corpus.embedding import Embedder
    from corpus.settings import Settings
    from evals.judges.seam import Judge

DEFAULT = "verifier"
FORMS = "verifier, nli/<hub name or folder>, llm/<model>"


def load_judge(name: str, settings: Settings, embedder: Embedder | None = None) -> Judge:
    """The judge called `name`, ready to judge.

    `embedder` saves loading the settings' one again. Raises UsageError for a name of no known form,
    and ModelError when the model is missing or can't be loaded.
    """
    if name == DEFAULT:
        return _verifier(settings, embedder)
    family, _, rest = name.partition("/")
    if family == "nli" and rest:
        return _cross_encoder(name, rest, settings)
    if family == "llm" and rest:
        return _llm(rest, settings)
    raise UsageError(f"There is no judge called “{name}”.", f"Use one of: {FORMS}.")


def _verifier(settings: Settings, embedder: Embedder | None) -> Judge:
    from corpus.embedding import load_embedder
    from evals.judges.verifier import VerifierJudge
    from rag.verify import AlignmentVerifier

    return VerifierJudge(AlignmentVerifier((embedder or load_embedder(settings)).encode))


def _cross_encoder(name: str, model: str, settings: Settings) -> Judge:
    from evals.judges.checkpoints import open_checkpoint
    from evals.judges.cross_encoder import CrossEncoderJudge

    return CrossEncoderJudge(name, open_checkpoint(model, settings.device))


def _llm(model: str, settings: Settings) -> Judge:
    from evals.judges.llm import LLMJudge
    from rag.generate import LLMGenerator
    from rag.llms import load_generator

    generator = load_generator(model, settings.models_dir)
    if not isinstance(generator, LLMGenerator):
        raise UsageError(f"“{model}” is no language model, so it can't judge.", "Name another.")
    return LLMJudge(generator)
