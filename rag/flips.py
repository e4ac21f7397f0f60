"""Where a statement says the opposite of its source: negation, direction and roles turned round.

Sentences that share nearly all their words can mean opposite things, and similarity doesn't see it.
These rules do, for the ways that are common in news. They compare one statement with one sentence
and return the words of the flip, in words for the user; no flip found means only that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.facts import Name, find_names, name_holds, spellings
from rag.words import FUNCTION_WORDS, stem, words

_NEGATORS = frozenset(
    """not no never without none neither nor cannot nobody nothing hardly unable denied denies deny
    denying failed fails fail failing refused refuses refuse refusing declined declines lacks
    lacked lack""".split()
)
# These deny nothing, whatever they look like.
_NO_NEGATION = re.compile(
    r"\bnot (?:only|just|least)\b|\bno (?:later|fewer|less|more|longer ago) than\b|\bno\. ?\d"
    r"|\bno doubt\b|\bno one but\b|\bnothing (?:but|less)\b|\bdeclined (?:by|to \d|from)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"[,;:.!?()“”\"—]|\b(?:but|and|although|while|whereas|because|that)\b", re.IGNORECASE
)
# A negation reaches the next few words of meaning: "did not *release* the *model*".
_REACH = 2

Polarity = dict[str, set[bool]]
Pole = tuple[str, int]  # an axis, and which side of it


def negation_flip(statement: str, source: str) -> str | None:
    """The word that one of the two denies and the other affirms, or `None`.

    >>> negation_flip("OpenAI released the model.", "OpenAI did not release the model.")
    'release'
    >>> negation_flip("OpenAI failed to release it.", "OpenAI did not release it.") is None
    True
    """
    said, shown = polarity(statement), polarity(source)
    for word in words(statement):
        root = stem(word)
        if root in said and root in shown and not said[root] & shown[root]:
            return stem_in(source, root)
    return None


def negation_alone(statement: str, source: str) -> bool:
    """Whether `statement` denies something while `source` denies nothing."""
    denies = any(True in signs for signs in polarity(statement).values())
    return denies and not any(_is_negator(word) for word in words(_cleared(source)))


def polarity(text: str) -> Polarity:
    """Each stem of `text` with the signs it appears under: True where it is denied.

    >>> sorted(stem for stem, signs in polarity("They never said why.").items() if True in signs)
    ['say']
    """
    signs: Polarity = {}
    for clause in _CLAUSE_END.split(_cleared(text)):
        reach = 0
        for word in words(clause):
            if _is_negator(word):
                reach = _REACH
            elif word not in FUNCTION_WORDS:
                signs.setdefault(stem(word), set()).add(reach > 0)
                reach -= 1
    return signs


def _cleared(text: str) -> str:
    return _NO_NEGATION.sub(" ", text)


def _is_negator(word: str) -> bool:
    return word in _NEGATORS or word.endswith("n't")


def stem_in(text: str, root: str) -> str:
    """The first word of `text` with the stem `root`."""
    return next((word for word in words(text) if stem(word) == root), root)


# Direction ----------------------------------------------------------------------------------------

# Each line is one axis; a word of one side against a word of the other turns the meaning round.
_AXES = """
more higher rise increase grow climb exceed raise jump soar larger bigger greater highest largest surge surpass expand above | less fewer lower fall drop decline decrease reduce cut shrink smaller lowest smallest plunge slump below
before earlier | after later
win victory | lose loss defeat
faster quicker fastest sooner | slower slowest
cheaper cheapest | dearer costlier
double triple | halve
better stronger ahead best strongest outperform | worse weaker behind worst weakest underperform
accept approve adopt | reject veto refuse
allow permit legalize legalise | ban prohibit forbid block
support back endorse | oppose
agree | disagree
confirm | deny
join | leave
start begin launch | end stop discontinue
praise welcome | criticize criticise condemn
include | exclude
succeed pass | fail
open | closed
public | private
newer newest | older oldest
"""  # noqa: E501
_POLES: dict[str, Pole] = {
    stem(word): (str(axis), side)
    for axis, line in enumerate(_AXES.strip().splitlines())
    for side, pole in enumerate(line.split("|"))
    for word in pole.split()
}
# Words whose direction hangs on their neighbours are folded into one token first.
_PHRASES = (
    (re.compile(r"\bat least\b", re.I), "atleast"),
    (re.compile(r"\bat most\b|\bup to\b", re.I), "atmost"),
    (re.compile(r"\b(?:rather|other|later|no (?:more|less|fewer)) than\b", re.I), " "),
    (re.compile(r"\bmore (expensive|costly)\b", re.I), "dearer"),
    (re.compile(r"\bless (expensive|costly)\b", re.I), "cheaper"),
    (re.compile(r"\b(?:the|its|their|his|her|in) first\b", re.I), "thefirst"),
    (re.compile(r"\b(?:the|its|their|his|her|in) (?:last|final)\b(?! (?:week|month|year|night))",
                re.I), "thelast"),
    (re.compile(r"\b(?:up|over)(?= (?:by |from )?[$€£]?\d)", re.I), "above"),
    (re.compile(r"\b(?:down|under)(?= (?:by |from )?[$€£]?\d)", re.I), "below"),
)  # fmt: skip
_PHRASE_POLES: dict[str, Pole] = {
    "atleast": ("bound", 0), "atmost": ("bound", 1), "thefirst": ("order", 0),
    "thelast": ("order", 1),
}  # fmt: skip


def direction_flip(statement: str, source: str, around: str = "") -> tuple[str, str] | None:
    """The word of `statement` and the opposite one of `source`, or `None`.

    `around` is what stands beside `source`: a direction said there is no flip.

    >>> direction_flip("The price rose by 10%.", "The price fell by 10%.")
    ('rose', 'fell')
    """
    replaced = _replaced_pole(statement, source)
    if replaced:
        return replaced
    said, shown, near = _directions(statement), _directions(source), _directions(around)
    for (axis, side), word in said.items():
        turned = (axis, 1 - side)
        if turned in shown and turned not in said and (axis, side) not in {*shown, *near}:
            return word, shown[turned]
    return None


def _directions(text: str) -> dict[Pole, str]:
    found: dict[Pole, str] = {}
    for word in words(_phrased(text)):
        pole = _pole(word)
        if pole:
            found.setdefault(pole, _as_written(word))
    return found


def _replaced_pole(statement: str, source: str) -> tuple[str, str] | None:
    """A word and its opposite between the same two words: the one was put for the other."""
    shown = {
        (left, pole, right): word
        for left, word, right in _in_context(source)
        if (pole := _pole(word))
    }
    for left, word, right in _in_context(statement):
        pole = _pole(word)
        if pole and (left, pole, right) not in shown:
            other = shown.get((left, (pole[0], 1 - pole[1]), right))
            if other:
                return _as_written(word), _as_written(other)
    return None


def _in_context(text: str) -> Iterator[tuple[str, str, str]]:
    found = ["", *words(_phrased(text)), ""]
    return zip(found, found[1:], found[2:], strict=False)


def _phrased(text: str) -> str:
    for phrase, token in _PHRASES:
        text = phrase.sub(token, text)
    return text


def _pole(word: str) -> Pole | None:
    return _PHRASE_POLES.get(word) or _POLES.get(stem(word))


def _as_written(word: str) -> str:
    spaced = {"atleast": "at least", "atmost": "at most", "thefirst": "first", "thelast": "last"}
    return spaced.get(word, word)


# Roles --------------------------------------------------------------------------------------------

_VERBS = {
    stem(word): group
    for group, line in enumerate(
        """acquire buy purchase
        sue
        beat defeat outperform overtake surpass outscore top
        invest
        hire poach recruit
        pay
        replace succeed
        accuse criticize criticise
        sell
        supply
        license
        fund back finance
        fire oust dismiss
        join
        lead
        follow
        own
        use
        train
        cheaper
        faster
        better
        larger bigger
        smaller
        stronger
        higher
        lower""".splitlines()
    )
    for word in line.split()
}
_PASSIVE = re.compile(r"\b(?:is|are|was|were|be|been|being)\s+(?:\w+\s+)?$", re.IGNORECASE)
_BY = re.compile(r"\s*(?:\w+\s+){0,2}?by\b", re.IGNORECASE)
_TOKEN = re.compile(r"\w+")

Role = tuple[int, Name, Name, str]


def role_swap(statement: str, source: str) -> str | None:
    """The verb whose doer and object have changed places between the two, or `None`.

    >>> role_swap("OpenAI sued xAI.", "In August xAI sued OpenAI over hiring.")
    'sued'
    >>> role_swap("OpenAI was sued by xAI.", "In August xAI sued OpenAI.") is None
    True
    """
    shown = list(roles(source))
    between = _turned_pair(statement, source)
    if between:
        return between
    for group, doer, other, verb in roles(statement):
        same = [(d, o) for g, d, o, _ in shown if g == group]
        turned = any(_alike(doer, o) and _alike(other, d) for d, o in same)
        if turned and not any(_alike(doer, d) and _alike(other, o) for d, o in same):
            return verb
    return None


# What stands between two names of which neither is the doer.
_SYMMETRIC = frozenset("and or nor with versus vs as well both alongside plus".split())
_MUTUAL = frozenset(stem(w) for w in "meet partner merge compete cooperate agree talk".split())


def _turned_pair(statement: str, source: str) -> str | None:
    """The words between two neighbouring names that stand in the source the other way round."""
    shown = [pair for sentence in source.split("\n") for pair in _neighbours(sentence)]
    for left, between, right in _neighbours(statement):
        same = [(a, b) for a, gap, b in shown if gap == between]
        turned = any(_alike(left, b) and _alike(right, a) for a, b in same)
        if turned and not any(_alike(left, a) and _alike(right, b) for a, b in same):
            return between
    return None


def _neighbours(text: str) -> Iterator[tuple[Name, str, Name]]:
    names = find_names(text, text)
    for left, right in pairwise(names):
        gap = text[left.end : right.start]
        between = words(gap.removeprefix("'s").removeprefix("’s"))
        mutual = set(between) <= _SYMMETRIC or any(stem(word) in _MUTUAL for word in between)
        if ". " not in gap and not mutual and not _alike(left, right):
            yield left, " ".join(between), right


def roles(text: str) -> Iterator[Role]:
    """Each verb of the list with the name that does it and the name it is done to."""
    names = find_names(text, text)
    for match in _TOKEN.finditer(text):
        group = _VERBS.get(stem(match.group().lower()))
        if group is None:
            continue
        left, right = _sides(names, match)
        if left and right and not _alike(left, right):
            pair = (right, left) if _passive(text, match) else (left, right)
            yield (group, *pair, match.group())


def _sides(names: Sequence[Name], match: re.Match[str]) -> tuple[Name | None, Name | None]:
    left = [name for name in names if name.end <= match.start()]
    right = [name for name in names if name.start >= match.end()]
    return (left[-1] if left else None), (right[0] if right else None)


def _passive(text: str, match: re.Match[str]) -> bool:
    before, after = text[: match.start()], text[match.end() :]
    return bool(_PASSIVE.search(before)) and bool(_BY.match(after))


def _alike(one: Name, other: Name) -> bool:
    return name_holds(one, spellings(other.text)) or name_holds(other, spellings(one.text))
