"""The ruler's true statements: what a passage says, in other forms than its own."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import replace

from evals.pairs.cases import DISCOURSE, Case, Rule
from evals.pairs.coarse import OPENING, TAIL, same, shortened
from evals.pairs.edits import (
    balanced,
    capital,
    continued,
    lowered,
    replace_facts,
    spelled_otherwise,
    written,
)


def whole_clause(case: Case, chance: random.Random) -> str | None:
    """`shortened`, where nothing of the main clause follows what is taken off."""
    tail = TAIL.search(case.sentence)
    clean = tail and ", " not in tail.group()[2:] and balanced(case.sentence[: tail.start()])
    return shortened(case, chance) if clean else None


def joined(case: Case, _: random.Random) -> str | None:
    """`merged`, where the second sentence doesn't lean on the first."""
    after = case.following
    if after is None or DISCOURSE.match(after) or not balanced(case.sentence):
        return None
    return f"{case.sentence[:-1]}, and {continued(after)}"


def told_by(case: Case, chance: random.Random) -> str:
    """`attributed`, with the first word's capital as the passage has it."""
    article = case.hit.article
    day = written(article.published.date(), chance) if article.published else ""
    text = continued(case.sentence)
    forms = [f"According to {article.publisher}, {text}"]
    if day and not _REPORTED.search(text):
        forms.append(f"{article.publisher} reported on {day} that {text}")
    return chance.choice(forms)


_REPORTED = re.compile(r"\b(?:reported|wrote|said|according to)\b", re.I)


def rewritten(case: Case, chance: random.Random) -> str | None:
    """`reformatted` with more forms: "$5 million" in words, "1,000" without its comma."""
    text = replace_facts(case.sentence, lambda fact: spelled_otherwise(fact, chance))
    return text if text != case.sentence else None


_TOLD_LAST = re.compile(
    r"(?P<what>[^;“”]+), (?P<who>(?:The )?[A-Z][\w.]*(?: [A-Z][\w.]*){0,3})"
    r" (?P<verb>reported|said|says|wrote|noted)(?P<when> on [^,]+)?\."
)
_TOLD_FIRST = re.compile(r"According to (?P<who>[^,“”]+), (?P<what>[^,;“”]+)\.")
_JOINT = re.compile(
    r"(?!.*\b(?:that|which|who|whose|not)\b.*\b(?:although|because)\b)"
    r"(?P<main>[^,;:“”]+?),? (?<!only )(?<!just )(?P<word>although|because)"
    r" (?P<rest>[^,;:“”]{15,})\."
)
# An opening that holds a clause of its own can't be moved.
_CLAUSE = re.compile(r"\b(?:it|they|he|she|is|are|was|were|ha[sd]|have|said|says|put|\w+ed)\b")


def reordered(case: Case, _: random.Random) -> str | None:
    """Who says so, a side clause, or an opening such as "In May", moved to the other end."""
    last = _TOLD_LAST.fullmatch(case.sentence)
    if last:
        told = continued(last["what"])
        return f"{last['who']} {last['verb']}{last['when'] or ''} that {told}."
    first = _TOLD_FIRST.fullmatch(case.sentence)
    if first:
        return f"{capital(first['what'])}, according to {first['who']}."
    joint = _JOINT.fullmatch(case.sentence)
    if joint:
        rest = f"{joint['rest']}, {continued(joint['main'])}"
        return f"{joint['word'].capitalize()} {rest}."
    moved = OPENING.match(case.sentence)
    if moved is None or _CLAUSE.search(moved[1]) or re.search(r"[,;:“]", moved[2]):
        return None
    return f"{capital(moved[2])} {lowered(moved[1])}."


def attributed_rewritten(case: Case, chance: random.Random) -> str | None:
    """An attribution, and the numbers and dates in another form."""
    text = rewritten(case, chance)
    return told_by(replace(case, sentence=text), chance) if text else None


# Others than the verifier was fitted on, or in places where the word has only this sense.
_REWORDINGS = (
    (r"\bsaid\b", "stated"), (r"\bannounced (?!that\b)", "unveiled "),
    (r"\bintroduced\b", "presented"),
    (r"\b(?:about|roughly) (?=[$€\d])", "approximately "), (r"\bcriticised\b", "faulted"),
    (r"\bresearchers\b", "scientists"), (r"\bbegan\b", "started"), (r"\bacquired\b", "bought"),
    (r"\bbought\b", "purchased"), (r"\b(?:T|t)he company\b", "the firm"),
    (r"\bdevelopers\b", "programmers"), (r"\bshows that\b", "demonstrates that"),
    (r"\breleased\b", "made available"), (r"\bpublished\b", "released"),
    (r"\bpromised\b", "pledged"), (r"\balso\b", "in addition"), (r"\bhowever\b", "though"),
    (r"\bnoted\b", "remarked"), (r"\bseveral\b", "a number of"), (r"\bargued\b", "maintained"),
    (r"\brecently\b", "not long ago"), (r"\blarge\b", "sizeable"),
    (r"\bcosts (?=[$€£])", "is priced at "),
    (r"\bcompared with\b", "against"), (r"\bexpected to\b", "due to"), (r"\bprices\b", "rates"),
    (r"\bdescribed\b", "characterised"), (r"\breached\b", "attained"),
)  # fmt: skip


def reworded(case: Case, _: random.Random) -> str | None:
    """At least two words replaced by synonyms."""
    text, changes = case.sentence, 0
    for form, instead in _REWORDINGS:
        text, count = re.subn(form, instead, text, count=1)
        changes += count
    return capital(text) if changes > 1 else None


RULER_TRUE: Mapping[str, Rule] = {
    "sentence": same,
    "shortened": whole_clause,
    "merged": joined,
    "attributed": told_by,
    "reformatted": rewritten,
    "reordered": reordered,
    "attributed and reformatted": attributed_rewritten,
    "reworded": reworded,
}
