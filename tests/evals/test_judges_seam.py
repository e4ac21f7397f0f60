from __future__ import annotations

import asyncio

import pytest
from llama_index.core.base.response.schema import Response
from llama_index.core.evaluation import BatchEvalRunner
from llama_index.core.evaluation.base import BaseEvaluator
from llama_index.core.schema import NodeWithScore, TextNode

from corpus.errors import UsageError
from evals.judges import Claim
from tests.evals.fakes import FakeJudge

CONTEXT = "It is free. It is fast."


def test_grades_come_in_the_order_of_the_claims():
    judge = FakeJudge(unreadable={"odd"})
    claims = [Claim("slow", (CONTEXT,)), Claim("", (CONTEXT,)), Claim("odd", (CONTEXT,))]
    claims += [Claim("It is free.", ()), Claim("It is free.", ("other", CONTEXT))]
    grades = judge.grades(claims)
    assert [grade.passing for grade in grades] == [False, False, None, False, True]
    assert [grade.score for grade in grades] == [0.0, 0.0, None, 0.0, 1.0]


def test_a_claim_without_words_or_contexts_fails_unasked():
    judge = FakeJudge()
    claims = [Claim(" ", (CONTEXT,)), Claim("It is free.", ()), Claim("It is free.", ("", " \n"))]
    reasons = [grade.reason for grade in judge.grades(claims)]
    assert reasons == ["the statement is empty", *["no context is given"] * 2]
    assert judge.claims == []


def test_no_context_is_shown_to_the_judge_blank_or_twice():
    judge = FakeJudge()
    judge.grades([Claim("It is free.", (" ", CONTEXT, CONTEXT))])
    assert judge.claims == [Claim("It is free.", (CONTEXT,))]


def test_it_serves_as_an_evaluator_of_llamaindex():
    judge = FakeJudge(unreadable={"odd"})
    assert isinstance(judge, BaseEvaluator)
    good = judge.evaluate(query="Is it?", response="It is free.", contexts=[CONTEXT])
    assert (good.passing, good.score, good.feedback) == (True, 1.0, "stands in a context")
    assert (good.query, good.invalid_result, good.invalid_reason) == ("Is it?", False, None)
    odd = judge.evaluate(response="odd", contexts=[CONTEXT])
    assert (odd.passing, odd.score, odd.invalid_result) == (None, None, True)
    assert odd.invalid_reason == "the fake was told not to read this"


def test_it_judges_a_response_with_its_nodes():
    nodes = [NodeWithScore(node=TextNode(text=CONTEXT), score=1.0)]
    response = Response(response="It is fast.", source_nodes=nodes)
    assert FakeJudge().evaluate_response(response=response).passing


def test_llamaindex_runs_it_in_batches():
    runner = BatchEvalRunner({"fake": FakeJudge()})
    asked = runner.aevaluate_response_strs(
        queries=["?", "?"], response_strs=["It is free.", "No."], contexts_list=[[CONTEXT]] * 2
    )
    results = asyncio.run(asked)
    assert [result.passing for result in results["fake"]] == [True, False]


def test_it_wants_a_response_and_contexts():
    for given in ({"response": "It is free."}, {"contexts": [CONTEXT]}):
        with pytest.raises(UsageError):
            FakeJudge().evaluate(**given)


def test_it_has_no_prompts_of_its_own():
    judge = FakeJudge()
    judge.update_prompts({})
    assert judge.get_prompts() == {}
