"""The pairs that are made of articles: those to fit on, and those to measure with."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from corpus.article import Article
from evals.pairs.cases import PLAIN, Case, Rule, cases_of, dealt
from evals.pairs.coarse import FITTING_FALSE, FITTING_TRUE, same
from evals.pairs.falsehoods import RULER_FALSE
from evals.pairs.truths import RULER_TRUE
from rag.facts import quote_holds
from rag.verify import Pair

SEED = 7
SENTENCES_PER_ARTICLE = 4  # of each fitting rule
TRUE_PER_ARTICLE, FALSE_PER_ARTICLE = 5, 3  # of each rule of the ruler


@dataclass(frozen=True, slots=True)
class Sample:
    """A pair with the truth and the rule that made it; `fit` says which half it belongs to."""

    pair: Pair
    kind: str
    true: bool
    fit: bool


def fitting_samples(articles: Sequence[Article], seed: int = SEED) -> list[Sample]:
    """What the verifier is fitted on, with the report half beside it."""
    chance = random.Random(seed)
    samples: list[Sample] = []
    for article, fit in dealt(articles, chance):
        cases = cases_of(article, articles)
        samples.extend(_fitting(cases, fit, chance))
    return samples


def ruler_samples(articles: Sequence[Article], seed: int = SEED) -> list[Sample]:
    """What judges are measured with. Lines are borrowed only within a half.

    Each article has chances of its own, so that another article changes few of the pairs.
    """
    halves = dealt(articles, random.Random(SEED))
    samples: list[Sample] = []
    for article, fit in halves:
        pool = [other for other, half in halves if half == fit]
        chance = random.Random(f"{seed} {article.id}")
        samples.extend(_measuring(cases_of(article, pool), fit, chance))
    return samples


def _fitting(cases: Sequence[Case], fit: bool, chance: random.Random) -> Iterator[Sample]:
    """Up to `SENTENCES_PER_ARTICLE` statements of every rule, from cases at random."""
    for truth, rules in ((True, FITTING_TRUE), (False, FITTING_FALSE)):
        for kind, rule in rules.items():
            made = ((case, rule(case, chance)) for case in chance.sample(cases, len(cases)))
            told = ((c, text) for c, text in made if text and (text != c.sentence or rule is same))
            for case, statement in islice(told, SENTENCES_PER_ARTICLE):
                yield Sample(Pair(statement or "", case.hit), kind, truth, fit)


def _measuring(cases: Sequence[Case], fit: bool, chance: random.Random) -> Iterator[Sample]:
    """Up to `TRUE_PER_ARTICLE` and `FALSE_PER_ARTICLE` statements of every rule of the ruler."""
    plain = [case for case in cases if PLAIN.fullmatch(case.sentence)]
    told: set[str] = set()
    for true, rules, most in (
        (True, RULER_TRUE, TRUE_PER_ARTICLE),
        (False, RULER_FALSE, FALSE_PER_ARTICLE),
    ):
        for kind, rule in rules.items():
            found = _statements(rule, true, chance.sample(plain, len(plain)), told, chance)
            for case, statement in islice(found, most):
                yield Sample(Pair(statement, case.hit), kind, true, fit)


def _statements(
    rule: Rule, true: bool, cases: Sequence[Case], told: set[str], chance: random.Random
) -> Iterator[tuple[Case, str]]:
    """What `rule` makes of each case, each statement once, and none false that is a quotation."""
    for case in cases:
        statement = rule(case, chance)
        if statement is None or statement in told:
            continue
        if true or not quote_holds(statement, case.hit.passage.text):
            told.add(statement)
            yield case, statement
