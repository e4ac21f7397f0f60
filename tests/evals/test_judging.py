"""What an answer cites is looked up in the library, and nothing else of it is believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from corpus.library import Library
from evals.bench import Bench
from evals.judges import as_context
from evals.judging import SOUND, cited_hit, judged
from evals.scores import Judged
from rag.answer import Answer, Citation, Statement
from tests.conftest import make_article
from tests.evals.fakes import FakeJudge
from tests.fakes import answer_from, hit_on

ONE, OTHER = make_article(1), make_article(2)
SAID, OTHERS = "Model number 1 was released.", "Model number 2 was released."


@pytest.fixture(scope="module")
def library(small: Bench) -> Library:
    return small.library


def citation(n: int = 1, quote: str = SAID, **changed: Any) -> Citation:
    article = ONE if quote in ONE.text else OTHER
    (given,) = answer_from(article, quote).citations
    return replace(given, n=n, **changed)


def answer(
    statements: Sequence[tuple[str, tuple[int, ...]]], *citations: Citation, hits: Any = ()
) -> Answer:
    """What says `statements` with their numbers; each claims to be supported."""
    return replace(
        answer_from(ONE, SAID),
        statements=tuple(Statement(text, cited, 1.0, "supported") for text, cited in statements),
        citations=citations,
        hits=tuple(hits),
    )


def one(given: Answer, library: Library, judge: FakeJudge | None = None) -> Judged:
    (found,) = judged(given, library, judge or FakeJudge())
    return found


# With citations


def test_a_statement_is_judged_by_the_passage_that_it_cites(library: Library) -> None:
    judge = FakeJudge()
    found = one(answer([(SAID, (1,))], citation()), library, judge)
    assert found == Judged(SAID, True, "", 1.0, recalled=True, citations=1, precise=1)
    ((context,),) = [claim.contexts for claim in judge.claims]
    assert context == as_context(hit_on(ONE))


def test_hits_and_labels_of_an_answer_that_cites_count_for_nothing(library: Library) -> None:
    judge = FakeJudge()
    given = answer([(SAID, (1,))], citation(1, OTHERS), hits=[hit_on(ONE), hit_on(OTHER)])
    found = one(given, library, judge)
    assert found.supported is False
    assert (found.recalled, found.citations, found.precise) == (False, 1, 0)
    assert found.reason == "stands in no context"
    assert {claim.contexts for claim in judge.claims} == {(as_context(hit_on(OTHER)),)}


def test_what_cites_nothing_beside_what_cites_is_not_supported(library: Library) -> None:
    given = answer([(SAID, (1,)), (OTHERS, ())], citation(), hits=[hit_on(OTHER)])
    first, second = judged(given, library, FakeJudge())
    assert first.supported
    assert (second.supported, second.reason) == (False, "it cites nothing")
    assert (second.recalled, second.citations) == (False, 0)


def test_passages_are_read_together_and_one_that_adds_nothing_is_not_precise(
    library: Library,
) -> None:
    judge = FakeJudge()
    found = one(answer([(SAID, (1, 2))], citation(), citation(2, OTHERS)), library, judge)
    assert (found.supported, found.recalled) == (True, True)
    assert (found.citations, found.precise) == (2, 1)
    assert max(len(claim.contexts) for claim in judge.claims) == 2


def test_a_claim_is_graded_once(library: Library) -> None:
    judge = FakeJudge()
    given = answer([(SAID, (1,)), (SAID, (1,)), (SAID, (1, 2))], citation(), citation(2, OTHERS))
    judged(given, library, judge)
    assert len(judge.claims) == len(set(judge.claims)) == 3  # [1][2] together and each alone


# Citations that don't hold


@pytest.mark.parametrize(
    "changed",
    [
        {"quote": "Model number 1 was recalled."},
        {"quote": SAID[:-1]},
        {"start": 1},
        {"end": 10_000},
        {"start": 5, "end": 5, "quote": ""},
        {"passage_id": "nowhere#0:0-9"},
        {"passage_id": f"{OTHER.id}#{OTHER.revision}:0-{len(OTHER.text)}"},
        {"article_id": OTHER.id},
        {"revision": OTHER.revision},
    ],
    ids=lambda changed: " ".join(changed),
)
def test_a_citation_that_does_not_hold_its_quote_makes_its_statement_unsupported(
    library: Library, changed: dict[str, Any]
) -> None:
    judge = FakeJudge()
    broken = replace(citation(), **changed)
    assert cited_hit(broken, library) is None
    found = one(answer([(SAID, (1,))], broken, hits=[hit_on(ONE)]), library, judge)
    assert (found.supported, found.support, found.recalled) == (False, 0.0, False)
    assert (found.citations, found.precise) == (1, 0)
    assert found.reason == SOUND.format(1)
    assert judge.claims == []  # there is nothing to ask about


def test_a_quote_of_another_revision_than_the_passage_is_refused(library: Library) -> None:
    sound = citation()
    assert cited_hit(sound, library) is not None
    assert cited_hit(replace(sound, revision="0" * 12), library) is None


def test_a_number_that_leads_nowhere_spoils_the_statement(library: Library) -> None:
    found = one(answer([(SAID, (1, 7))], citation()), library)
    assert (found.supported, found.reason) == (False, SOUND.format(7))
    assert (found.recalled, found.citations, found.precise) == (False, 2, 0)


def test_one_broken_citation_leaves_the_other_statements_alone(library: Library) -> None:
    broken = citation(2, OTHERS, start=1)
    first, second = judged(
        answer([(SAID, (1,)), (OTHERS, (2,))], citation(), broken), library, FakeJudge()
    )
    assert (first.supported, second.supported) == (True, False)


# Without citations


def test_an_answer_without_citations_is_judged_by_all_its_hits(library: Library) -> None:
    judge = FakeJudge()
    hits = [hit_on(OTHER), hit_on(ONE)]
    given = answer([(SAID, ()), ("Cats fly.", ())], hits=hits)
    first, second = judged(given, library, judge)
    assert first == Judged(SAID, True, "", 1.0, recalled=False, citations=0, precise=0)
    assert (second.supported, second.reason) == (False, "stands in no context")
    assert {claim.contexts for claim in judge.claims} == {tuple(map(as_context, hits))}


def test_without_citations_and_hits_nothing_is_supported(library: Library) -> None:
    found = one(answer([(SAID, ())]), library)
    assert (found.supported, found.recalled) == (False, False)


def test_an_abstention_has_nothing_to_judge(library: Library) -> None:
    judge = FakeJudge()
    assert judged(answer_from(ONE, SAID, reason="Nothing near."), library, judge) == []
    assert judge.claims == []


# Verdicts that can't be read


@pytest.mark.parametrize("cited", [True, False])
def test_what_the_judge_cannot_be_read_on_stays_unknown(library: Library, cited: bool) -> None:
    given = (
        answer([(SAID, (1,))], citation()) if cited else answer([(SAID, ())], hits=[hit_on(ONE)])
    )
    found = one(given, library, FakeJudge(unreadable=[SAID]))
    assert found.supported is None and found.support is None
    assert not found.readable
    assert found.precise == 0
    assert found.reason == "the fake was told not to read this"


def test_a_broken_citation_is_known_to_fail_whatever_the_judge_can_read(library: Library) -> None:
    given = answer([(SAID, (1,))], citation(1, SAID, start=1))
    found = one(given, library, FakeJudge(unreadable=[SAID]))
    assert (found.supported, found.recalled, found.readable) == (False, False, True)


def test_a_refusal_carries_the_reason_of_the_judge(library: Library) -> None:
    found = one(answer([(SAID, (1,))], citation()), library, FakeJudge(refused=[SAID]))
    assert (found.supported, found.reason, found.support) == (False, "stands in no context", 0.0)
