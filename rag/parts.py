"""The parts of a question with several: two questions, two dates, or things set side by side.

Each part is a query of its own, since one passage seldom answers both halves of a comparison.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from corpus.article import distinct
from rag.days import TO, days_in, said_year
from rag.followups import leans
from rag.names import WORD, find_names, names_of
from rag.plain import plain

# The second half of a longer list finds little that the whole question does not.
MAX_PARTS = 4

# "Who made it" is a question of its own, "and why" is none.
_WHOLE = 3

_SECOND_QUESTION = re.compile(
    r"\?\s+(?:and\s+)?(?=\w)|,?\s+and\s+(?:then\s+)?(?=(?:what|why|how|who|when|which|where)\s+\w+\s+\w)",
    re.I,
)
_CHANGES = re.compile(
    r"\b(?:chang|differ|evolv|grow|grew|compar|shift|rose|rise|fall|fell|drop|increas|decreas"
    r"|improv|develop|vs\b|versus)",
    re.I,
)
_COMPARES = re.compile(
    r"\b(?:compar\w*|contrast|differ\w*|vs|versus|each|both|respectively|either)\b", re.I
)
_JOINT = re.compile(
    r"(?:\s*,?\s*(?:\band\b|\bor\b|&|\bvs\b\.?|\bversus\b)|\s*,)"
    r"\s+(?:(?:the|that|those|of|in|for|with|by|from)\s+){0,3}"
    r"|\s+(?:compared?s?\s+)?(?:to|with|against)\s+(?:(?:the|that|those|of)\s+){0,3}"
    r"|\s+differs?\s+from\s+|\s+(?P<than>(?:\w+\s+){0,3}(?:\w+er|better|worse|more\s+\w+|less\s+\w+))\s+than\s+",
    re.I,
)
_ASIDE = re.compile(
    r"^(?:please\s+)?(?:compare|contrast)\s+(?:the\s+)?|^(?:what\s+(?:is|are|was|were)\s+|what's\s+)?"
    r"(?:the\s+)?(?:\w+\s+)?differences?\s+(?:between|in|of)\s+"
    r"|\s+(?:each|both|respectively)\b|\b(?:both|between|either)\s+",
    re.I,
)


def parts_of(text: str) -> tuple[str, ...]:
    """One standalone sub-query for each part of a question with several; () if it has one part.

    >>> parts_of("Compare the API prices of Claude Opus 4.5 and Gemini 3 Pro")
    ('API prices of Claude Opus 4.5', 'API prices of Gemini 3 Pro')
    >>> parts_of("How did OpenAI's revenue change from 2024 to 2025?")
    ("How did OpenAI's revenue change in 2024", "How did OpenAI's revenue change in 2025")
    """
    for rule in (_questions, _dates, _items, _sides):
        parts = distinct(rule(text))
        if len(parts) > 1:
            return parts if len(parts) <= MAX_PARTS else ()
    return ()


def _questions(text: str) -> list[str]:
    pieces = [piece.strip(" ,;?") for piece in _SECOND_QUESTION.split(text)]
    pieces = [piece for piece in pieces if piece]
    if not pieces or any(len(WORD.findall(piece)) < _WHOLE for piece in pieces):
        return []
    if any(_is_relative(piece, text) for piece in pieces[1:]):
        return []
    named = " ".join(name.removesuffix("'s") for name in names_of(plain(pieces[0])))
    return [
        piece if at == 0 or (names_of(piece) and not leans(piece)) else f"{named} {piece}".strip()
        for at, piece in enumerate(pieces)
    ]


def _is_relative(piece: str, text: str) -> bool:
    """Whether "who ..." only goes on with a clause: "the man who founded X and who left Y"."""
    word = piece.split(maxsplit=1)[0].lower()
    before = text[: text.index(piece)]
    return word in ("who", "which", "where") and bool(
        re.search(rf"\w\W+{word}\b|\bthat\b|^who\s+is\b|^which\b", before, re.I)
    )


def _dates(text: str) -> list[str]:
    mentions = days_in(text)
    if len(mentions) != 2 or not _CHANGES.search(text):
        return []
    first, second = mentions
    between = plain(text[first.end : second.start])
    if not re.fullmatch(rf"{TO}(?:in\s+|on\s+)?", between, re.I):
        return []
    lead = re.sub(r"\b(?:from|between|in|on|of)\s+$", "", text[: first.start])
    tail = text[second.end :].rstrip(" ?!.")
    year = said_year(text, second) if first.year is None else ""
    return [
        f"{lead}in {text[first.start : first.end]} {year}".rstrip() + tail,
        f"{lead}in {text[second.start : second.end]}{tail}",
    ]


def _items(text: str) -> list[str]:
    """The question once for each of the names that it sets side by side."""
    names = find_names(text)
    joints = [_JOINT.fullmatch(plain(text[a.end : b.start])) for a, b in pairwise(names)]
    run = _longest_run(joints)
    if not run or not _sets_side_by_side(text, [joints[at] for at in run]):
        return []
    listed = [names[at] for at in (*run, run[-1] + 1)]
    head, tail = text[: listed[0].start], text[listed[-1].end :]
    last = joints[run[-1]]
    than = f" {last['than']}" if last and last["than"] else ""
    if last and re.search(r"compare|differ", last[0]):
        head = re.sub(r"^how\s+(?:do|does|did)\s+(?:the\s+)?", "", head, flags=re.I)
    return [_tidy(f"{head}{name.text}{than}{tail}") for name in listed]


_COMPARED = re.compile(
    r"^(?:please\s+)?(?:compare|contrast)\s+(?:the\s+)?(?P<a>.+?)\s+(?:with|to|and|against)\s+"
    r"(?:the\s+)?(?P<b>.+?)\W*$",
    re.I,
)


def _sides(text: str) -> list[str]:
    """Both sides of "Compare X's revenue with Y's", the second completed from the first."""
    found = _COMPARED.match(text)
    if not found:
        return []
    a, b = found["a"], found["b"]
    if len(names_of(a)) != 1 or len(names_of(b)) != 1:
        return []
    if plain(b).endswith("'s"):
        b += a[find_names(a)[0].end :]
    return [a, b]


def _longest_run(joints: Sequence[re.Match[str] | None]) -> list[int]:
    best: list[int] = []
    run: list[int] = []
    for at, joint in enumerate(joints):
        run = [*run, at] if joint else []
        best = max(best, run, key=len)
    return best


def _sets_side_by_side(text: str, joints: Sequence[re.Match[str] | None]) -> bool:
    words = " ".join(joint[0] for joint in joints if joint)
    if re.search(r"\b(?:vs|versus|than|compare|differs?)\b", words, re.I):
        return True
    if re.search(r"\bor\b", words, re.I):
        return bool(re.search(r"\b(?:which|who|whose|what|is|are|does|do|did|has)\b", text, re.I))
    return bool(_COMPARES.search(text))


def _tidy(part: str) -> str:
    part = _ASIDE.sub("", part.strip(" ?!.,:;"))
    part = re.sub(r"\s+([,:;])", r"\1", " ".join(part.split()))
    return part.strip(" ?!.,:;")
