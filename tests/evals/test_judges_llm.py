from __future__ import annotations

import asyncio

import pytest
from llama_index.core import Settings
from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata
from pydantic import PrivateAttr

from corpus.errors import ModelError
from evals.judges import Claim
from evals.judges.llm import LLMJudge, read_reply
from rag.generate import LLMGenerator

CONTEXTS = ("gpt-oss · OpenAI · 2025-08-05\nThe licence is Apache 2.0.", "It has two sizes.")
CLAIM = Claim("gpt-oss is under Apache 2.0.", CONTEXTS)


class Script(CustomLLM):
    """Says its lines one after the other, or raises them; keeps the prompts."""

    _lines: list[str | Exception] = PrivateAttr()
    _prompts: list[str] = PrivateAttr()

    def __init__(self, *lines):
        super().__init__()
        self._lines, self._prompts = list(lines), []

    @property
    def metadata(self):
        return LLMMetadata(model_name="llama3:8b")

    def complete(self, prompt, formatted=False, **_):
        raise AssertionError("the judge streams")

    def stream_complete(self, prompt, formatted=False, **_):
        self._prompts.append(prompt)
        line = self._lines.pop(0)
        if isinstance(line, Exception):
            raise line
        for word in line.split(" "):
            yield CompletionResponse(text="", delta=f"{word} ")


def judge_of(llm, context_window=2048, name="script", limit=64):
    return LLMJudge(
        LLMGenerator(
            llm, name, lambda text: len(text.split()), context_window, limit,
            failures=(ConnectionError,), remedy="Start it.",
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "passing", "score"),
    [
        ("YES", True, 1.0),
        ("yes, it does.", True, 1.0),
        ("NO", False, 0.0),
        ("No. Nothing about yes or no.", False, 0.0),
        ("<think>Is it a YES? Hmm, yes.</think> NO", False, 0.0),
        ("**YES**\nThere is no doubt.", True, 1.0),
        ("Answer: no", False, 0.0),
        ("The licence is Apache.", None, None),
        ("Eyes on Yesterday.", None, None),
        ("It may be YES or NO depending on the reader", None, None),
        ("", None, None),
    ],
)
def test_replies_are_read(reply, passing, score):
    (grade,) = judge_of(Script(reply)).grades([CLAIM])
    assert (grade.passing, grade.score) == (passing, score)
    if passing is None:
        assert "neither yes nor no" in grade.reason


def test_read_reply_takes_the_first_word_then_the_last_then_capitals():
    assert read_reply("No, although one may say YES") is False
    assert read_reply("Given the text, yes!") is True
    assert read_reply("I would say YES because it stands there") is True
    assert read_reply("I know nothing of it") is None


def test_it_sees_the_statement_and_every_context():
    llm = Script("YES")
    judge_of(llm).grades([CLAIM])
    (prompt,) = llm._prompts
    assert CLAIM.statement in prompt
    assert all(context in prompt for context in CONTEXTS)


def test_what_does_not_fit_is_asked_piece_by_piece():
    llm = Script(*["NO"] * 8)
    long = tuple(f"Sentence {n} about nothing. " * 30 for n in range(4))
    judge_of(llm, context_window=1000).grades([Claim("It is so.", long)])
    assert len(llm._prompts) > 1
    asked = " ".join(llm._prompts)
    assert all(f"Sentence {n}" in asked for n in range(4))


def test_a_model_that_never_answered_is_not_there():
    judge = judge_of(Script(ConnectionError("refused")))
    with pytest.raises(ModelError, match="script could not answer: refused") as caught:
        judge.grades([CLAIM])
    assert caught.value.remedy == "Start it."


def test_a_model_that_fails_later_leaves_the_claim_unread():
    judge = judge_of(Script("YES", ConnectionError("busy"), "NO"))
    grades = judge.grades([CLAIM] * 3)
    assert [grade.passing for grade in grades] == [True, None, False]
    assert "busy" in grades[1].reason


def test_a_defect_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        judge_of(Script(ZeroDivisionError())).grades([CLAIM])


def test_a_prompt_that_leaves_no_room_is_unread():
    (grade,) = judge_of(Script(), context_window=100).grades([CLAIM])
    assert grade.passing is None
    assert "context size" in grade.reason


def test_a_model_that_does_not_stop_is_stopped():
    llm = Script("YES " + "and " * 500)
    (grade,) = judge_of(llm, limit=5).grades([CLAIM])
    assert grade.passing
    assert grade.reason == "YES and and and and"


def test_it_works_inside_a_running_event_loop():
    async def notebook():
        return judge_of(Script("YES")).grades([CLAIM])

    assert asyncio.run(notebook())[0].passing


def test_global_settings_stay_as_they_were():
    before = (Settings._llm, Settings._embed_model)
    judge_of(Script("YES")).grades([CLAIM])
    assert (Settings._llm, Settings._embed_model) == before == (None, None)


def test_its_prompts_are_llamaindexs_and_part_of_its_fingerprint():
    judge = judge_of(Script())
    assert (judge.name, judge_of(Script()).fingerprint) == ("llm/script", judge.fingerprint)
    assert judge_of(Script(), name="other").fingerprint != judge.fingerprint
    before = judge.fingerprint
    template = judge.get_prompts()["faithfulness:eval_template"]
    assert "{query_str}" in template.get_template()
    judge.update_prompts(
        {"faithfulness:eval_template": judge.get_prompts()["faithfulness:refine_template"]}
    )
    assert judge.fingerprint != before
