"""Follow-ups made standalone: "And in August?" asks what the question before it asked.

A question leans on the one before it when it has a pronoun without antecedent, goes on with "and"
or "why?", or is too short to say what it is about. Where it only puts another date, teller or name
in place of one, that is replaced in the earlier question; else the earlier topic is pasted before.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from corpus.article import distinct
from rag.days import days_in, said_year, undated
from rag.names import STOPWORDS, WORD, Name, find_names, names_of
from rag.plain import plain
from rag.tellers import is_publisher, tellers_in

# A follow-up of a follow-up of a follow-up would else drown the new question in old words.
MAX_PASTED_WORDS = 24


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange."""

    question: str
    answer: str = ""


_MOVES_ON = re.compile(
    r"\b(?:after|before|since|next|later|then|previous(?:ly)?|earlier|when|now|latest)\b", re.I
)
_LEADS_ON = re.compile(
    r"^(?:and|but|so|or|also|then)\b|^(?:what|how)\s+about\b|^what\s+of\b"
    r"|^(?:why|how|when|who|where|which)(?:\s+(?:not|so|come|else|one|ones))?\W*$"
    r"|^(?:what|who|where|anything)\s+else\b|^(?:since\s+when|by\s+how\s+much)\b",
    re.I,
)
_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|those|these(?!\s+days)"
    r"|this(?!\s+(?:day|week|month|quarter|year)))\b"
    r"|\bthat\b(?=\W*$|\s+(?:one|day|week|month|year|time|deal|model|price|happen|mean|change)\b)"
    r"|(?:^|^\w+\s)that\b|\b(?:former|latter)\b",
    re.I,
)
_OBJECTS = frozenset(["it", "them", "him", "her", "that", "this", "those", "these"])
_EMPTY_IT = re.compile(
    r"\bit\s+(?:true|possible|likely|clear|legal|safe|take|takes|cost\s+to)\b", re.I
)
_DEFINITE = re.compile(
    r"\bthe\s+(?:same|other|company|model|lab|startup|firm|paper|deal|report|article|release|one)s?\b"
    r"(?!\s+(?:that|which|who|behind|of|with|called|named|from|for|between|in)\b)",
    re.I,
)
# With fewer words and no name of its own, a question leans on what came before.
_SHORT = 4
# Unless it has a date of its own and a verb: "What happened this week?", but not "Price in 2024?".
_SENTENCE = re.compile(
    r"^(?:what|who)(?:'s|\s+(?:is|are|was|were|has|have|did|\w+ed|came|broke|won|lost|made|sold"
    r"|bought|left|rose|fell|grew))\s+\w|\bnews\b",
    re.I,
)
_PREPOSITION = re.compile(
    r"\b(?:in|on|of|from|at|by|for|with|to|and|since|until|till|before|after|during|between|than"
    r"|through|throughout|the|year)\s+$",
    re.I,
)
_ABOUT = re.compile(
    r"^(?:(?:and|but|so|or|then)\s+)?(?:(?:what|how)\s+about\s+|what\s+of\s+)?"
    r"(?P<lead>(?:(?:for|with|of|in|on|from|at|by)\s+)?(?:the\s+)?)(?P<topic>.+?)\W*$",
    re.I,
)


def standalone(
    question: str, history: Sequence[Turn] = (), publishers: Collection[str] = ()
) -> str:
    """`question` so that it can be understood without `history`; unchanged if it already can.

    The chain is resolved from its first turn on, so the third "And in 2025?" still knows its topic.

    >>> standalone("And GPT-5 mini?", [Turn("What does GPT-5 cost?")])
    'What does GPT-5 mini cost?'
    >>> standalone("Why was it delayed?", [Turn("What is OpenAI's open-weight model?")])
    "OpenAI's open-weight model Why was it delayed?"
    """
    before = Turn("")
    for turn in history:
        if turn.question.strip():
            before = replace(turn, question=_resolved(turn.question, before, publishers))
    return _resolved(question, before, publishers)


def _resolved(question: str, before: Turn, publishers: Collection[str]) -> str:
    if not before.question or not leans(question):
        return question
    swapped = _swapped(question, before.question, publishers)
    return swapped or f"{_salient(before)} {question}".strip()


def leans(question: str) -> bool:
    """Whether `question` needs an earlier one: an anaphora without antecedent, "and", "why?" ...

    >>> [leans(q) for q in ("Why did they delay it?", "Why did OpenAI delay its model?")]
    [True, False]
    """
    text = plain(question)
    if _LEADS_ON.search(text):
        return True
    names = find_names(text)
    if text.endswith("?") and [name.text for name in names] == [text.rstrip("? ")]:
        return True
    pronouns = _PRONOUN.finditer("" if names and _EMPTY_IT.search(text) else text)
    if not all(_has_antecedent(text, pronoun, names) for pronoun in pronouns):
        return True
    return not names and bool(_DEFINITE.search(text) or _is_fragment(text))


def moves_on(question: str) -> bool:
    """Whether `question` leaves the days of the one before it: "What came after that?"."""
    return bool(_MOVES_ON.search(question))


def _has_antecedent(text: str, pronoun: re.Match[str], names: Sequence[Name]) -> bool:
    """Whether a name before `pronoun` can be meant by it.

    An object is never the subject of its own clause: in "Why did OpenAI delay it?" "it" is not
    OpenAI, while in "Why did OpenAI delay its model?" and "What is K2, and who made it?" it is.
    """
    before = [name for name in names if name.start < pronoun.start()]
    is_object = pronoun[0].lower() in _OBJECTS and re.match(r"\W*$|[,;.?!]", text[pronoun.end() :])
    if not before or not is_object:
        return bool(before)
    between = text[before[0].end : pronoun.start()]
    return len(before) > 1 or bool(re.search(r"[,;.?!:]|\b(?:and|but|or|when|if)\b", between, re.I))


def _is_fragment(question: str) -> bool:
    """Whether it is too short to say what it is about, as "Pricing?"; "What came today?" is not."""
    # Scripts without capitals, many without spaces, show neither names nor words to this rule.
    caseless = any(char.isalpha() and char.lower() == char.upper() for char in question)
    if caseless or (_SENTENCE.search(question) and days_in(question)):
        return False
    return len(WORD.findall(undated(question))) < _SHORT


def _swapped(question: str, before: str, publishers: Collection[str]) -> str | None:
    """`before` with its one date, teller or name of that kind replaced; None if unclear."""
    found = _ABOUT.match(question)
    if not found:
        return None
    topic = found["topic"]
    return (
        _swapped_date(topic, found["lead"] + topic, before)
        or _swapped_teller(found["lead"] + topic, before, publishers)
        or _swapped_name(topic, before)
    )


def _swapped_teller(led: str, before: str, publishers: Collection[str]) -> str | None:
    topic = re.sub(r"^(?:for|with|of|in|on|from|at|by)\s+", "", led, flags=re.I)
    tellers = tellers_in(before, publishers)
    if len(tellers) != 1 or not is_publisher(topic, publishers):
        return None
    return before[: tellers[0].start] + topic + before[tellers[0].end :]


def _swapped_name(topic: str, before: str) -> str | None:
    new, old = find_names(f"about {topic}"), find_names(before)
    if len(new) != 1 or new[0].text != topic:
        return None
    alike = [name for name in old if name.is_version == new[0].is_version]
    if len(alike) != 1 or (len(old) > 1 and not new[0].is_version):
        return None
    possessive = "'s" if plain(alike[0].text).endswith("'s") and not topic.endswith("s") else ""
    return before[: alike[0].start] + topic + possessive + before[alike[0].end :]


def _swapped_date(topic: str, led: str, before: str) -> str | None:
    # "August" alone is no date to the rules, "in August" is.
    phrase = led if days_in(led) else f"in {topic}"
    new, old = days_in(phrase), days_in(before)
    if len(new) != 1 or len(old) != 1 or len(WORD.findall(undated(phrase))) > 1:
        return None
    year = said_year(before, old[0]) if new[0].year is None else ""
    head = before[: old[0].start]
    # "What came last month?" has no "in" to keep.
    start = 0 if re.search(r"\w\s+$", head) and not _PREPOSITION.search(head) else new[0].start
    words = f"{phrase[start : new[0].end]} {year}".rstrip()
    return head + words + before[old[0].end :]


def _salient(turn: Turn) -> str:
    """The words of the question that carry its topic; where it asks for a name, the answer's."""
    words = [word[0] for word in WORD.finditer(turn.question)]
    words = [word for word in words if word.casefold() not in STOPWORDS]
    names = names_of(turn.question)
    if not names or re.match(r"(?:who|which|what\s+(?:company|lab|model))\b", turn.question, re.I):
        told = names_of(turn.answer)
        words += [name for name in told if name not in turn.question][:3]
    kept = distinct(words)
    if len(kept) > MAX_PASTED_WORDS:
        named = {word for name in names for word in name.split()}
        kept = tuple(
            word for word in kept if word in named or word in kept[-MAX_PASTED_WORDS // 2 :]
        )
    return " ".join(kept[-MAX_PASTED_WORDS:])
