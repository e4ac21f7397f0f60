"""Whether a text says what was asked for."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence

from evals.questions import Nugget, occurs

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def normalised(text: str) -> str:
    """`text` in lower case without punctuation, articles and doubled space (Rajpurkar et al. 2016).

    Punctuation is that of ASCII, as in SQuAD's script, and nothing takes its place:

    >>> normalised("The  U.S. price: $1.50!")
    'us price 150'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(text: str, golds: Iterable[str]) -> float:
    """1 if `text` is one of `golds` once both are normalised (Rajpurkar et al. 2016), else 0.

    It is made for short spans: an answer in a whole sentence, however right, scores 0.

    >>> exact_match("the $3 plan", ["$3", "3 plan"]), exact_match("It costs $3.", ["$3"])
    (1.0, 0.0)
    """
    return float(normalised(text) in map(normalised, golds))


def f1(text: str, golds: Iterable[str]) -> float:
    """Harmonic mean of the precision and recall of words, with the gold that fits best.

    As in SQuAD (Rajpurkar et al. 2016): normalised, each word as often as it stands in both. Where
    either has no word left it is 1 if both have none (SQuAD 2.0, Rajpurkar et al. 2018).

    Two of the three words said are in the gold, and two of its two:

    >>> f1("It costs $3.", ["costs $3", "four"])
    0.8
    """
    words = normalised(text).split()
    return max((_overlap(words, normalised(gold).split()) for gold in golds), default=0.0)


def _overlap(words: Sequence[str], gold: Sequence[str]) -> float:
    if not words or not gold:
        return float(words == gold)
    shared = (Counter(words) & Counter(gold)).total()
    return 2 * shared / (len(words) + len(gold))


def nugget_recall(text: str, nuggets: Sequence[Nugget]) -> float | None:
    """The share of `nuggets` in `text`; `None` without nuggets.

    TREC's nuggets (Voorhees 2003), each matched by its strings where an assessor would judge.

    >>> price, day = Nugget("cost", True, ("$3",)), Nugget("day", True, ("5 May", "May 5"))
    >>> nugget_recall("It came out on May 5.", [price, day])
    0.5
    """
    if not nuggets:
        return None
    return sum(nugget.is_in(text) for nugget in nuggets) / len(nuggets)


def answer_match(text: str, answers: Iterable[str]) -> float:
    """1 if one of the gold answers occurs in `text` (as in Mallen et al. 2023), else 0.

    >>> answer_match("The price is $1.50.", ["$1.50"]), answer_match("It is $11.50.", ["$1.50"])
    (1.0, 0.0)
    """
    return float(any(occurs(answer, text) for answer in answers))
