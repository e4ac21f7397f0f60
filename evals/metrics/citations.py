"""Whether the citations of a statement bear it, and which of them are needed.

Citation recall and precision of ALCE (Gao et al. 2023, arXiv 2305.14627), one statement at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

Entails = Callable[[Sequence[int]], bool | None]
"""Whether the cited passages of these numbers, read as one text, entail the statement.

`None` where the judge's verdict could not be read.
"""


@dataclass(frozen=True, slots=True)
class Cited:
    """The citations of one statement: ALCE's recall, how many there are, how many are precise.

    Where `recall` is `None` the judge could not be read, and nothing of the statement is scored.
    """

    recall: bool | None
    citations: int
    precise: int


UNREADABLE = Cited(None, 0, 0)


def cited(numbers: Sequence[int], known: Collection[int], entails: Entails) -> Cited:
    """Score the citations `numbers` of a statement; `known` are those that lead to a passage.

    Recall is 1 if there are citations, all lead to a passage, and together they entail the
    statement. A citation is precise if recall is 1 and it is not irrelevant: irrelevant is one
    that alone doesn't entail the statement while the others without it do. A number given twice
    is one citation. ALCE's script leaves out-of-range numbers out of precision; here they count
    as imprecise, as do their neighbours, so that an invented citation costs something.

    Here 1 entails the statement by itself, 2 adds nothing, and 9 leads nowhere:

    >>> cited([1, 2], {1, 2}, lambda numbers: 1 in numbers)
    Cited(recall=True, citations=2, precise=1)
    >>> cited([1, 9], {1, 2}, lambda numbers: 1 in numbers)
    Cited(recall=False, citations=2, precise=0)
    >>> cited([], {1, 2}, lambda numbers: True)
    Cited(recall=False, citations=0, precise=0)
    """
    distinct = tuple(dict.fromkeys(numbers))
    sound = bool(distinct) and all(number in known for number in distinct)
    together = entails(distinct) if sound else False
    if together is None:
        return UNREADABLE
    if not together:
        return Cited(False, len(distinct), 0)
    needed = [_relevant(number, distinct, entails) for number in distinct]
    if None in needed:
        return UNREADABLE
    return Cited(True, len(distinct), needed.count(True))


def _relevant(number: int, numbers: Sequence[int], entails: Entails) -> bool | None:
    """Whether one of `numbers`, which together entail the statement, is not irrelevant."""
    others = [other for other in numbers if other != number]
    if not others:
        return True
    alone = entails([number])
    if alone:
        return True
    without = entails(others)
    if without is False:
        return True
    return None if alone is None or without is None else False
