"""The publishers that a question names as tellers ("according to Wired"), not as its subject.

A publisher is found under its full name, without its slogan, and by its initials. Whether it tells
is read from the words before and behind it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from corpus.article import distinct
from rag.names import NEWSMAKERS
from rag.plain import blank, plain

_TELLING = (
    r"(?:articles?|reports?|reporting|stor(?:y|ies)|pieces?|coverage|posts?|blogs?|columns?"
    r"|editorials?|newsletters?|interviews?|reviews?|analys[ei]s|scoops?|features?|profiles?"
    r"|updates?|excerpts?|news|journalists?|reporters?|portrayals?|perspective|stance)"
)
_OWN_TELLING = (
    r"(?:(?:blog|news|press)\s*)?(?:posts?|blogs?|announcements?|releases?|statements?|newsroom)"
    r"|(?:technical|research)?\s*(?:reports?|articles?)|(?:system|model)\s+cards?"
)
_TOLD = (
    r"(?:reported|published|covered|described|discussed|mentioned|noted|detailed|highlighted"
    r"|stated|cited|quoted|outlined|featured|suggested|claimed|observed|indicated|revealed"
    r"|portrayed|written|profiled|documented|explained)"
)
# Stems, with any ending: "suggests", "suggested", "suggesting".
_SAYS = (
    r"(?:sa(?:y|id)|claim|suggest|stat(?:e|ing)|report|writ|wrote|describ|not(?:e|ing)\b|mention"
    r"|reveal|publish|detail|highlight|indicat|impl[iy]|portray|attribut|discuss|cover|express"
    r"|argu|predict|estimat|quot|tell|told|found|broke|present|emphasi[sz]|identif|characteri[sz]"
    r"|focus|provid|explain|maintain|credit|contradict|call|rank)\w*"
)
# What stands before the teller, or behind it. A newsmaker needs a stronger sign, since most
# sentences that name it are about it.
_ANY_BEFORE = re.compile(r"\b(?:according\s+to|as\s+per|in\s+the\s+words\s+of)\s+$", re.I)
_OWN_BEFORE = re.compile(rf"\b(?:{_OWN_TELLING}|{_TOLD})\s+(?:\w+\s+){{0,1}}?(?:by|from)\s+$", re.I)
_OWN_BEHIND = re.compile(
    rf"(?:'s?\s+(?:own\s+|official\s+|latest\s+)*|\s+)(?:{_OWN_TELLING})\b", re.I
)
_PRESS_BEFORE = re.compile(
    r"\b(?:by|from|in|per|via|told|through|(?:sources?|outlets?|publishers?)\s+(?:like|such\s+as|including)"
    r"|(?:published|posted|appeared|seen|read)\s+on)\s+$",
    re.I,
)
_PRESS_BEHIND = re.compile(
    rf"(?:'s?)?\s+(?:(?:{_TELLING}|{_SAYS})\b|(?:[\w-]+\s+){{1,2}}{_TELLING}\b)", re.I
)
_AND = re.compile(
    r",?['\"]?(?:'s)?(?:\s*,\s*|\s+)(?:(?:and|or|&|as\s+well\s+as|versus|vs\.?|but|also|not|to|than)\s+)*"
    r"(?:(?:the|both|from|by|in|on)\s+)*['\"]?",
    re.I,
)
# A feed's title often carries a section or a slogan: "CNBC | World Business News Leader".
_SLOGAN = re.compile(r"\s+[|\u2013\u2014-]\s+.*|:\s+.*|\s+\([^)]*\)$")
_LEGAL = re.compile(r"\s+(?:AI|Inc\.?|Labs?|Ltd\.?|LLC)$")


@dataclass(frozen=True, slots=True)
class Mention:
    """A publisher named at `start:end`; `publishers` are all that go by that name."""

    start: int
    end: int
    publishers: tuple[str, ...]

    @property
    def is_newsmaker(self) -> bool:
        return any(name.casefold().split()[0] in NEWSMAKERS for name in self.publishers)


def publishers_of(text: str, publishers: Collection[str]) -> tuple[str, ...]:
    """Those of `publishers` that `text` names as the teller, not as the subject, in its order.

    >>> publishers_of("Why did OpenAI sue, according to the verge?", ["OpenAI", "The Verge"])
    ('The Verge',)
    """
    text = plain(text)
    tellers: list[str] = []
    for chain in _chains(text, _mentions(text, publishers)):
        if any(_tells(text, mention) for mention in chain):
            tellers += [name for mention in chain for name in mention.publishers]
    return distinct(tellers)


def tellers_in(text: str, publishers: Collection[str]) -> list[Mention]:
    """Where `text` names a teller with a cue of its own."""
    text = plain(text)
    return [mention for mention in _mentions(text, publishers) if _tells(text, mention)]


def without_publishers(text: str, publishers: Collection[str]) -> str:
    """`text` with every name of `publishers` blanked out, so that none passes for a date."""
    mentions = _mentions(plain(text), publishers)
    return blank(text, ((mention.start, mention.end) for mention in mentions))


def is_publisher(name: str, publishers: Collection[str]) -> bool:
    """Whether `name` is all of the name of one of `publishers`, or a short form of it."""
    return _key(name) in _spellings(tuple(publishers))


@lru_cache(maxsize=8)
def _spellings(publishers: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Every spelling under which a publisher is known → the library's names for it."""
    full: dict[str, tuple[str, ...]] = {}
    short: dict[str, tuple[str, ...]] = {}
    for name in publishers:
        key = _key(name)
        if key:
            full[key] = distinct((*full.get(key, ()), name))
        for alias in _aliases(name):
            short[alias] = distinct((*short.get(alias, ()), name))
    return short | full


def _key(name: str) -> str:
    return re.sub(r"^the ", "", " ".join(plain(name).casefold().split()))


def _aliases(name: str) -> Iterator[str]:
    head = _SLOGAN.sub("", plain(name)).strip()
    yield from (alias for alias in (_key(head), _key(_LEGAL.sub("", head))) if alias)
    words = _key(head).split()
    if len(words) >= 3:  # "NYT", "WSJ"; two letters name too much
        yield "".join(word[0] for word in words)


def _mentions(text: str, publishers: Collection[str]) -> list[Mention]:
    spellings = _spellings(tuple(publishers))
    if not spellings:
        return []
    found = []
    for match in _pattern(tuple(spellings)).finditer(text):
        names = spellings[" ".join(match["name"].casefold().split())]
        if _is_mention(text, match):
            found.append(Mention(match.start(), match.end(), names))
    return found


def _is_mention(text: str, match: re.Match[str]) -> bool:
    """Not "wired" the verb, "nature" the noun or the "Times" of another paper."""
    before, name = text[: match.start()], match["name"]
    if text == text.lower():  # capitals tell nothing where there are none
        return True
    if not any(char.isupper() for char in match[0]):
        # "according to the information released" goes on, "according to the information," not.
        ends = re.match(rf"\W*$|'s\b|[\"',;:.?!)]|\s+{_TELLING}\b", text[match.end() :])
        return bool(_ANY_BEFORE.search(before) and ends)
    return not re.search(r"\bThe\s+[A-Z]\w+\s$", before) or match[0] != name


@lru_cache(maxsize=8)
def _pattern(spellings: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(spellings, key=len, reverse=True)
    names = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in longest_first)
    return re.compile(rf"(?<![\w@.-])(?:the\s+)?(?P<name>{names})(?![\w-]|\.\w)", re.I)


def _chains(text: str, mentions: Sequence[Mention]) -> Iterator[list[Mention]]:
    """Runs of mentions that share a cue: "by The Verge, Wired and TechCrunch"."""
    chain: list[Mention] = []
    for mention in mentions:
        if chain and not _AND.fullmatch(text[chain[-1].end : mention.start]):
            yield chain
            chain = []
        chain.append(mention)
    if chain:
        yield chain


def _tells(text: str, mention: Mention) -> bool:
    before = re.sub(r"(?:\b(?:both|the|either)\s+)?['\"]?$", "", text[: mention.start])
    behind = re.sub(r"^['\"](?!s\b)", "", text[mention.end :])
    if _ANY_BEFORE.search(before) or _OWN_BEFORE.search(before):
        return True
    if mention.is_newsmaker:
        return bool(_OWN_BEHIND.match(behind))
    return bool(_PRESS_BEFORE.search(before) or _PRESS_BEHIND.match(behind))
