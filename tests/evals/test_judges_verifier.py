from __future__ import annotations

from datetime import UTC, datetime

import pytest

from corpus.article import Article
from evals.judges import Claim, as_context
from evals.judges.verifier import VerifierJudge
from rag.verify import AlignmentVerifier
from tests.fakes import BagEncoder, FakeVerifier, hit_on

OPENAI = Article(
    "OpenAI publishes gpt-oss",
    "OpenAI published two open-weight models. The larger has 117 billion parameters.",
    publisher="The Verge",
    published=datetime(2025, 8, 5, tzinfo=UTC),
)
META = Article(
    "Meta answers",
    "Meta delayed its largest Llama model until autumn. Critics had hoped for more.",
    publisher="Wired",
    published=datetime(2025, 8, 9, tzinfo=UTC),
)
ONE, OTHER = as_context(hit_on(OPENAI)), as_context(hit_on(META))


@pytest.fixture
def judge():
    return VerifierJudge(AlignmentVerifier(BagEncoder().encode))


def grade_of(judge, statement, *contexts):
    (grade,) = judge.grades([Claim(statement, contexts)])
    return grade


@pytest.mark.parametrize(
    "statement",
    [
        "The larger has 117 billion parameters.",
        "The Verge, 5 August 2025: “OpenAI published two open-weight models.”",
    ],
)
def test_what_stands_in_a_context_passes(judge, statement):
    for contexts in ([ONE], [OTHER, ONE], [ONE, OTHER, ONE]):
        grade = grade_of(judge, statement, *contexts)
        assert (grade.passing, grade.score) == (True, 1.0)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("The larger has 120 billion parameters.", 'the passage says "117 billion", not'),
        ("Wired, 5 August 2025: “OpenAI published two open-weight models.”", '"Wired"'),
        ("The Verge, 6 August 2025: “OpenAI published two open-weight models.”", "not dated"),
        ("Mistral AI published two open-weight models.", '"Mistral"'),
    ],
)
def test_the_reason_names_the_failed_check(judge, statement, reason):
    grade = grade_of(judge, statement, ONE)
    assert (grade.passing, grade.score) == (False, 0.0)
    assert reason in grade.reason


@pytest.mark.parametrize("between", ["; ", ", and ", ", while ", " whereas ", ", although "])
def test_a_statement_merged_from_two_contexts_needs_both(judge, between):
    merged = (
        f"OpenAI published two open-weight models{between}Meta delayed its largest Llama model."
    )
    assert not grade_of(judge, merged, ONE).passing
    assert not grade_of(judge, merged, OTHER).passing
    grade = grade_of(judge, merged, ONE, OTHER)
    assert grade.passing
    assert grade.reason == "each part by a context of its own"


@pytest.mark.parametrize(
    "statement",
    [
        # Taken for backed where both passages are read as one text.
        "Meta has 117 billion parameters in its Llama.",
        "OpenAI published two open-weight models, while Meta delayed 117 billion parameters.",
        "OpenAI published three open-weight models, while Meta delayed its largest Llama model.",
        "Meta published two open-weight models, and OpenAI delayed its largest Llama model.",
    ],
)
def test_two_contexts_do_not_lend_each_other_their_facts(judge, statement):
    assert not grade_of(judge, statement, ONE, OTHER).passing


def test_the_weakest_part_gives_the_score(judge):
    merged = "OpenAI published two open-weight models; critics had hoped for much more than that."
    parts = [grade_of(judge, part, ONE, OTHER) for part in merged.split("; ")]
    assert all(part.passing for part in parts)
    whole = grade_of(judge, merged, ONE, OTHER)
    assert whole.score == min(part.score for part in parts) < 1.0


def test_the_best_context_gives_the_reason(judge):
    grade = grade_of(judge, "Critics hoped for more from Meta.", OTHER)
    assert grade.reason.split(",")[0] in {"supported", "partial", "unsupported"}


def test_a_text_without_header_is_judged_too(judge):
    assert grade_of(judge, "The larger has 117 billion parameters.", OPENAI.text).passing
    assert not grade_of(judge, "Meta delayed its Llama model.", OPENAI.text).passing


def test_each_claim_is_judged_by_its_own_contexts_only():
    verifier = FakeVerifier()
    judge = VerifierJudge(verifier)
    statement = "Critics had hoped for more."
    claims = [Claim(statement, contexts) for contexts in ((ONE,), (ONE, OTHER), (OTHER, OTHER))]
    assert [grade.passing for grade in judge.grades(claims)] == [False, True, True]
    assert [pair.hit.article.publisher for pair in verifier.pairs] == [
        "The Verge",
        "The Verge",
        "Wired",
        "Wired",
    ]


def test_its_names(judge):
    assert judge.name == "verifier"
    assert judge.fingerprint.startswith("verifier-alignment-")
