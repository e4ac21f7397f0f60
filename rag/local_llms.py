"""LlamaIndex LLMs that run in this process, with streams that always end.

LlamaIndex's own classes generate in a bare thread: an exception in it leaves the reader waiting
for ever, and a reader that goes away leaves the thread computing to its limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, CompletionResponse

# Takes a piece of text, returns whether to stop.
OnText = Callable[[str], bool]


def stream_text(generate: Callable[[OnText], object]) -> Iterator[str]:
    """The pieces that `generate` hands to its callback, as they come.

    `generate` runs in a thread. What it raises is raised here, and when the reader closes the
    stream the callback says "stop" and the thread is waited for (one token, or the prompt).
    """
    pieces: SimpleQueue[str | None] = SimpleQueue()
    stopped = Event()

    def on_text(piece: str) -> bool:
        pieces.put(piece)
        return stopped.is_set()

    def work() -> None:
        try:
            generate(on_text)
        finally:
            pieces.put(None)

    with ThreadPoolExecutor(1, "generate") as pool:
        done = pool.submit(work)
        try:
            yield from iter(pieces.get, None)
        finally:
            stopped.set()
    done.result()


def completions(generate: Callable[[OnText], object]) -> Iterator[CompletionResponse]:
    """`stream_text` in LlamaIndex's form: each response has the piece and all text so far."""
    from llama_index.core.llms import CompletionResponse

    text = ""
    for piece in stream_text(generate):
        text += piece
        yield CompletionResponse(text=text, delta=piece)


def openvino_llm(folder: Path, max_new_tokens: int) -> LLM:
    """The converted model in `folder` on the CPU, greedy, as a LlamaIndex chat model.

    Raises RuntimeError (of OpenVINO) when the folder can't be read.
    """
    from llama_index.llms.openvino_genai import OpenVINOGenAILLM
    from openvino_genai import StreamingStatus

    lock = Lock()  # a pipeline holds one conversation: two at once would mix

    class Streaming(OpenVINOGenAILLM):  # type: ignore[misc]
        def stream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Any:
            def generate(on_text: OnText) -> None:
                def status(piece: str) -> StreamingStatus:
                    return StreamingStatus.CANCEL if on_text(piece) else StreamingStatus.RUNNING

                with lock:
                    self._pipe.generate(prompt, self.config, status)

            return completions(generate)

    llm = Streaming(model_path=str(folder), device="CPU", is_chat_model=True)
    llm.config.max_new_tokens = max_new_tokens
    llm.config.do_sample = False
    # LlamaIndex has applied the chat template by the time the pipeline sees the prompt.
    llm.config.apply_chat_template = False
    return llm


def huggingface_llm(
    model: str, max_new_tokens: int, context_window: int, options: Mapping[str, Any]
) -> LLM:
    """A transformers model from a folder or the Hugging Face hub, greedy, as a chat model.

    `options` go to both `from_pretrained`. Raises OSError or ValueError (of transformers) when
    there is no such model or it can't be read.
    """
    from llama_index.llms.huggingface import HuggingFaceLLM
    from transformers import TextStreamer

    class Pieces(TextStreamer):
        def __init__(self, tokenizer: Any, on_text: OnText) -> None:
            super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
            self.on_text = on_text
            self.stop = False

        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            self.stop = self.on_text(text)

    class Streaming(HuggingFaceLLM):  # type: ignore[misc]
        def stream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Any:
            # The chat template has already written the special tokens.
            inputs = self._tokenizer(prompt, return_tensors="pt", add_special_tokens=False)

            def generate(on_text: OnText) -> None:
                pieces = Pieces(self._tokenizer, on_text)
                self._model.generate(
                    **inputs.to(self._model.device),
                    max_new_tokens=self.max_new_tokens,
                    do_sample=False,
                    streamer=pieces,
                    stopping_criteria=[lambda ids, scores, **_: pieces.stop],
                )

            return completions(generate)

    return Streaming(
        model_name=model,
        tokenizer_name=model,
        max_new_tokens=max_new_tokens,
        context_window=context_window,
        is_chat_model=True,
        model_kwargs=dict(options),
        tokenizer_kwargs=dict(options),
    )
