"""A language model as judge, asked YES or NO by LlamaIndex's FaithfulnessEvaluator."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from llama_index.core.evaluation.faithfulness import (
    DEFAULT_EVAL_TEMPLATE,
    FaithfulnessEvaluator,
)
from llama_index.core.llms import (
    ChatMessage,
    CompletionResponse,
    CompletionResponseGen,
    CustomLLM,
    LLMMetadata,
)
from llama_index.core.prompts.mixin import PromptMixinType
from pydantic import PrivateAttr

from corpus.article import short_hash
from corpus.errors import ModelError
from evals.judges.claims import Claim, Grade
from evals.judges.seam import Judge
from rag.generate import LLMGenerator, without_thoughts
from rag.prompts import one_line

_OPENING = re.compile(r"\W*(?:answer\W+)?(yes|no)\b", re.IGNORECASE)
_CLOSING = re.compile(r"\b(yes|no)\W*$", re.IGNORECASE)
_SHOUTED = re.compile(r"\b(?:YES|NO)\b")
_SHOWN = 80  # characters of a reply in a reason


class LLMJudge(Judge):
    """Puts all contexts of a claim to a language model; a score is 1.0 or 0.0.

    FaithfulnessEvaluator takes every reply without "yes" for a NO. Here a reply that is neither
    leaves the claim unread. So does a model that fails after it has answered before; one that has
    never answered isn't there, which is a ModelError.

    The fingerprint knows the model's name and the prompts, not the weights behind a server.
    """

    def __init__(self, generator: LLMGenerator) -> None:
        self._generator = generator
        # Named, because the template that LlamaIndex picks for "llama3:8b" has other variables
        # than those it is filled with.
        self._evaluator = FaithfulnessEvaluator(
            llm=PlainLLM.of(generator), eval_template=DEFAULT_EVAL_TEMPLATE
        )
        self._answered = False

    @property
    def name(self) -> str:
        return f"llm/{self._generator.name}"

    @property
    def fingerprint(self) -> str:
        prompts = [prompt.get_template() for prompt in self.get_prompts().values()]
        return f"llm-{short_hash(repr([self.name, *prompts]))}"

    def _get_prompt_modules(self) -> PromptMixinType:
        return {"faithfulness": self._evaluator}

    def _judged(self, claims: Sequence[Claim]) -> list[Grade]:
        return [self._one(claim) for claim in claims]

    def _one(self, claim: Claim) -> Grade:
        try:
            reply = self._reply(claim)
        except ModelError as error:
            if not self._answered:
                raise
            return Grade(None, None, error.message)
        except ValueError as error:  # LlamaIndex: prompt and statement leave no room for a context
            return Grade(None, None, one_line(str(error)))
        self._answered = True
        verdict = read_reply(reply)
        if verdict is None:
            return Grade(None, None, f"neither yes nor no: “{one_line(reply)[:_SHOWN]}”")
        return Grade(verdict, float(verdict), one_line(reply)[:_SHOWN])

    def _reply(self, claim: Claim) -> str:
        asked = self._evaluator.aevaluate(response=claim.statement, contexts=claim.contexts)
        # A thread of its own: the caller may have an event loop running, a notebook's for one.
        with ThreadPoolExecutor(1, "judge") as pool:
            return pool.submit(asyncio.run, asked).result().feedback or ""


class PlainLLM(CustomLLM):
    """The model of a generator, one message in and its text out, without its thoughts.

    FaithfulnessEvaluator only calls asynchronously. Clients of servers keep connections that
    belong to one event loop, so their synchronous side is used. Failures become ModelErrors.
    """

    _generator: LLMGenerator = PrivateAttr()

    @classmethod
    def of(cls, generator: LLMGenerator) -> PlainLLM:
        llm = cls()
        llm._generator = generator
        return llm

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(
            context_window=self._generator.context_window,
            num_output=self._generator.max_new_tokens,
            model_name=self._generator.name,
        )

    def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
        return CompletionResponse(text="".join(without_thoughts(self._pieces(prompt))).strip())

    def stream_complete(
        self, prompt: str, formatted: bool = False, **_: Any
    ) -> CompletionResponseGen:
        yield self.complete(prompt)

    def _pieces(self, prompt: str) -> Iterator[str]:
        generator, message = self._generator, ChatMessage(role="user", content=prompt)
        try:
            for response in islice(generator.llm.stream_chat([message]), generator.max_new_tokens):
                yield response.delta or ""
        except generator.failures as error:
            reason = one_line(str(error)) or type(error).__name__
            raise ModelError(
                f"{generator.name} could not answer: {reason.rstrip('.')}.", generator.remedy
            ) from error


def read_reply(reply: str) -> bool | None:
    """Whether a reply says yes; `None` where it says neither or both.

    Its first word counts, else its last, else a YES or NO in capitals, if it has one of them only.

    >>> read_reply("YES. There is no doubt."), read_reply("So the answer is no.")
    (True, False)
    >>> read_reply("The context is about pies.")
    """
    found = _OPENING.match(reply) or _CLOSING.search(reply)
    said = {found[1].upper()} if found else set(_SHOUTED.findall(reply))
    return said == {"YES"} if len(said) == 1 else None
