"""The rules of the pairs that the verifier is fitted on."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from itertools import pairwise

from evals.pairs.cases import Case, Rule
from evals.pairs.edits import (
    capital,
    exchange,
    lowered,
    otherwise,
    put,
    related,
    replace_facts,
    shifted,
    written,
)
from rag.facts import facts_of

NEAR = 40  # characters between a verb's two names, so that they are its doer and its object

TAIL = re.compile(r"(?<=\w), (?:which|who|while|where|because|and|but|although|with|so) .+$")
OPENING = re.compile(r"^((?:On|In|At|After|Since|By|During|Within) [^,]{3,60}), (.+?)\.$")
SHORTEST = 6  # words; a shorter clause says too little


def same(case: Case, _: random.Random) -> str:
    """The sentence itself."""
    return case.sentence


def shortened(case: Case, _: random.Random) -> str | None:
    """The main clause, without what hangs on it."""
    clause = TAIL.sub(".", case.sentence)
    return clause if clause != case.sentence and len(clause.split()) >= SHORTEST else None


def merged(case: Case, _: random.Random) -> str | None:
    """Two neighbours in one sentence."""
    if case.following is None or not case.sentence.endswith("."):
        return None
    return f"{case.sentence[:-1]}, and {lowered(case.following)}"


def attributed(case: Case, chance: random.Random) -> str | None:
    """The sentence with its publisher and day."""
    article = case.hit.article
    day = written(article.published.date(), chance) if article.published else ""
    forms = (
        f"According to {article.publisher}, {lowered(case.sentence)}",
        f"{article.publisher} reported on {day} that {lowered(case.sentence)}",
    )
    return chance.choice(forms)


def reformatted(case: Case, chance: random.Random) -> str | None:
    """The same numbers and dates, written otherwise."""
    text = replace_facts(case.sentence, lambda fact: otherwise(fact, chance))
    return text if text != case.sentence else None


_SYNONYMS = {
    "released": "published", "release": "publish", "said": "stated", "says": "states",
    "announced": "made public", "company": "firm", "shows": "demonstrates", "about": "roughly",
    "large": "big", "larger": "bigger", "costs": "is priced at", "several": "a number of",
    "criticised": "found fault with", "users": "people who use it",
    "according to": "in the words of", "need": "require", "needs": "requires", "use": "employ",
    "called": "named", "allows": "lets", "part": "portion", "begin": "start", "began": "started",
    "showed": "demonstrated", "received": "got", "however": "still", "also": "too",
    "tests": "evaluations", "test": "evaluation", "developers": "programmers", "buy": "purchase",
    "expected": "anticipated", "wrote": "noted", "argued": "maintained", "found": "saw",
    "money": "funds", "agreed to": "consented to", "had to": "were obliged to",
    "compared with": "against", "only": "just", "access": "entry", "price": "cost",
    "researchers": "scientists", "many": "numerous", "again": "once more",
}  # fmt: skip


def paraphrased(case: Case, _: random.Random) -> str | None:
    """Synonyms throughout, and an opening moved to the end; at least two changes."""
    text = re.sub(r"^(?:However|Nevertheless|Therefore|Meanwhile), ", "", case.sentence)
    moved = OPENING.match(text)
    if moved:
        text = f"{capital(moved[2])} {lowered(moved[1])}."
    changes = int(bool(moved))
    for word, instead in _SYNONYMS.items():
        text, count = re.subn(rf"\b{word}\b", instead, text)
        changes += count
    return text if changes > 1 else None


FITTING_TRUE: Mapping[str, Rule] = {
    "sentence": same,
    "shortened": shortened,
    "merged": merged,
    "attributed": attributed,
    "reformatted": reformatted,
    "paraphrased": paraphrased,
}


# False statements ---------------------------------------------------------------------------------


def wrong_number(case: Case, chance: random.Random) -> str | None:
    """One number changed."""
    numbers = [n for n in facts_of(case.sentence).numbers if re.search(r"\d", n.text)]
    if not numbers:
        return None
    number = chance.choice(numbers)
    old = re.search(r"\d[\d,]*(?:\.\d+)?", number.text)
    if old is None:
        return None
    value = float(old.group().replace(",", ""))
    new = f"{value * chance.choice((2, 3, 0.5, 10)) + 1:g}"
    return put(case.sentence, number, number.text.replace(old.group(), new, 1))


def moved_number(case: Case, _: random.Random) -> str | None:
    """Two numbers of one unit changed places."""
    numbers = facts_of(case.sentence).numbers
    twins = [(a, b) for a in numbers for b in numbers if a.start < b.start and a.unit == b.unit]
    pairs = [(a, b) for a, b in twins if a.value != b.value]
    return exchange(case.sentence, *pairs[0]) if pairs else None


def wrong_date(case: Case, chance: random.Random) -> str | None:
    """One date changed."""
    dates = facts_of(case.sentence).dates
    if not dates:
        return None
    day = chance.choice(dates)
    return put(case.sentence, day, shifted(day.text, chance))


def wrong_name(case: Case, chance: random.Random) -> str | None:
    """A name replaced by another one, of the same passage where there is one."""
    here = facts_of(case.sentence, case.sentence).names
    there = facts_of(case.hit.passage.text, case.hit.passage.text).names
    rivals = [n.text for n in there if not related(n, here)]
    if not here or not rivals:
        return None
    return put(case.sentence, chance.choice(here), chance.choice(rivals))


_AUXILIARY = re.compile(
    r"\b(is|are|was|were|has|have|had|can|will|would|could|should|did) (?!not\b)"
)
_PAST = {"said": "say", "released": "release", "published": "publish", "found": "find",
         "announced": "announce", "wrote": "write", "showed": "show", "reported": "report",
         "agreed": "agree", "made": "make", "paid": "pay", "came": "come", "became": "become",
         "offered": "offer", "reached": "reach", "received": "receive"}  # fmt: skip


def negated(case: Case, _: random.Random) -> str | None:
    """A "not" taken out or put in."""
    if re.search(r"\b(?:not|never) ", case.sentence):
        return re.sub(r"\b(?:not|never) ", "", case.sentence, count=1)
    text, count = _AUXILIARY.subn(r"\1 not ", case.sentence, count=1)
    if count:
        return text
    for past, base in _PAST.items():
        if re.search(rf"\b{past}\b", text):
            return re.sub(rf"\b{past}\b", f"did not {base}", text, count=1)
    return None


_OPPOSITES = (
    "more/less higher/lower above/below rose/fell before/after larger/smaller better/worse"
    " faster/slower cheaper/dearer doubled/halved won/lost first/last increased/decreased"
    " highest/lowest best/worst fewer/more raised/cut strongest/weakest allowed/banned"
    " earlier/later largest/smallest ahead/behind joined/left cuts/increases"
).split()


def turned(case: Case, _: random.Random) -> str | None:
    """A comparison turned round."""
    for pair in _OPPOSITES:
        one, other = pair.split("/")
        for old, new in ((one, other), (other, one)):
            if re.search(rf"\b{old}\b", case.sentence):
                return re.sub(rf"\b{old}\b", new, case.sentence, count=1)
    return None


ACTION = re.compile(
    r"\b(?:acquire|buy|bought|sue|beat|overt[ao]ok|outperform|hire|pa(?:y|id)|invest|replace|fund"
    r"|licens|join|than|s[eo]ld|criticis|accus|surpass)"
)


def exchanged(case: Case, _: random.Random) -> str | None:
    """The two names around a deed changed places."""
    names = facts_of(case.sentence, case.sentence).names
    for left, right in pairwise(names):
        between = case.sentence[left.end : right.start]
        if len(between) <= NEAR and ACTION.search(between) and left.key != right.key:
            return exchange(case.sentence, left, right)
    return None


_ADDITIONS = (
    ", and it plans to extend this to Japan next year",
    ", which surprised most analysts",
    ", after months of internal debate",
    ", and the regulator has opened an inquiry",
    ", although shareholders had voted against it",
    ", because demand was greater than expected",
    ", and customers will get a refund",
    ", following pressure from investors",
)


def added(case: Case, chance: random.Random) -> str | None:
    """A plausible addition that the passage doesn't make."""
    return case.sentence.rstrip(".") + chance.choice(_ADDITIONS) + "."


def grafted(case: Case, chance: random.Random) -> str | None:
    """A second clause out of another article."""
    texts = [line.text for line in case.kin or case.strangers]
    lines = [text for text in texts if len(text.split()) > SHORTEST]
    return f"{case.sentence.rstrip('.')}, and {lowered(chance.choice(lines))}" if lines else None


FITTING_FALSE: Mapping[str, Rule] = {
    "number": wrong_number,
    "number moved": moved_number,
    "date": wrong_date,
    "name": wrong_name,
    "negation": negated,
    "comparison": turned,
    "roles": exchanged,
    "addition": added,
    "graft": grafted,
    "same company": lambda case, chance: chance.choice(case.kin).text if case.kin else None,
    "other article": lambda case, chance: chance.choice(case.strangers).text,
}
