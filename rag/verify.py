"""Does the cited passage back the statement? A check that fails closed.

A statement passes in one of two ways, and in both only if no hard check speaks against it. Either
it is a verbatim quote, or it is aligned: a small logistic model over overlap and similarity gives
`support`, and the threshold for "supported" was set so that few false statements pass.
`rag/calibration/verifier.json` says how, on what, and how well; `python -m
evals.calibrate_verifier` writes it. The premise is the passage with its article's header: title,
publisher and day are facts that a statement may use.

An entailment model joins as another `Verifier`: one method.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from corpus.article import Article, short_hash
from corpus.errors import ModelError
from corpus.sentences import Span, sentence_spans
from rag.answer import Hit, Label, Verdict
from rag.facts import (
    Day,
    Number,
    day_holds,
    day_of,
    facts_of,
    find_names,
    folded,
    name_holds,
    quote_holds,
    same_number,
    spellings,
)
from rag.flips import direction_flip, negation_alone, negation_flip, role_swap
from rag.logistic import sigmoid
from rag.words import content_stems, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Encode = Callable[[Sequence[str]], NDArray[np.float32]]

CALIBRATION = Path(__file__).parent / "calibration" / "verifier.json"
FEATURES = (
    "cosine_best", "cosine_most", "recall_best", "recall_near", "recall_passage", "bigrams_near",
    "names_near", "names_kept", "number_context", "length_ratio", "known_words", "longest_gap",
)  # fmt: skip

# Fewer words than this are found somewhere in any passage, so they prove nothing by standing there.
_SHORTEST_QUOTE = 3
# Sentences that are embedded for each statement, chosen by shared words. Encoding is what costs
# time: 10 pairs with 2 sentences each are at most 30 texts.
_CANDIDATES = 2
_MARKER = re.compile(r"\s*\[\d+(?:,\s*\d+)*\]")
_REPORTING = "report|reports|reported|say|says|said|write|writes|wrote|announce|announced|states"
_LEADS = tuple(
    re.compile(form, re.DOTALL)
    for form in (
        r"(?P<lead>[^:“”\"]{1,120}):\s+(?P<body>\S.*)",
        r"According to (?P<lead>[^,“”\"]{1,60}), (?P<body>\S.*)",
        rf"(?P<lead>[^:,“”\"]{{1,60}} (?:{_REPORTING})(?: on [^:“”\"]{{4,20}}?)?),?"
        r" that (?P<body>\S.*)",
    )
)
_LEAD_WORDS = frozenset(content_stems(_REPORTING.replace("|", " ")))
_OUTER_QUOTES = re.compile(r"[“\"](?P<inside>[^“”\"]+)[”\"][.,]?")
_HEDGES = re.compile(
    r"\b(?:not|never|no|den(?:y|ies|ied)|false|untrue|whether|if|unless|nobody|doubts?|doubted)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Pair:
    """What is claimed, and the passage that it is to cite."""

    statement: str
    hit: Hit


class Verifier(Protocol):
    """Anything that can judge pairs. `fingerprint` changes whenever its verdicts may."""

    @property
    def fingerprint(self) -> str: ...

    def verify(self, pairs: Sequence[Pair]) -> list[Verdict]:
        """One verdict a pair, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Calibration:
    """The logistic model over `FEATURES`, and the scores from which a label is given."""

    weights: tuple[float, ...]
    bias: float
    threshold: float
    lower: float

    def support(self, features: Sequence[float]) -> float:
        """The probability that a statement with these `features` is backed, by the logistic model.

        >>> Calibration((2.0, -1.0), 0.0, 0.5, 0.2).support((1.0, 2.0))
        0.5
        """
        score = self.bias + sum(w * f for w, f in zip(self.weights, features, strict=True))
        return sigmoid(score)

    def label(self, support: float) -> Label:
        """ "supported" from the threshold on, "partial" from the lower bound on."""
        if support >= self.threshold:
            return "supported"
        return "partial" if support >= self.lower else "unsupported"


def load_calibration(path: Path = CALIBRATION) -> Calibration:
    """Read the calibration at `path`; `ModelError` if it is missing or of other features."""
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if tuple(data["features"]) != FEATURES:
            raise ValueError("other features")
        weights = tuple(float(weight) for weight in data["weights"])
        return Calibration(weights, data["bias"], data["threshold"], data["lower"])
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"The verifier's calibration {path} can't be used ({error}).",
            "Write it again with: python -m evals.calibrate_verifier",
        ) from error


@dataclass(frozen=True, slots=True)
class Finding:
    """What was measured of one pair, before a score is made of it.

    `failed` are the hard checks it failed; `contradicted` if one of them is a conflict. `features`
    is `None` where no score is needed: the statement is verbatim, or nothing in it can be checked.
    """

    start: int
    end: int
    failed: tuple[str, ...]
    contradicted: bool = False
    verbatim: bool = False
    features: tuple[float, ...] | None = None


class AlignmentVerifier:
    """Hard checks, then the calibrated alignment score.

    `encode` turns texts into unit vectors (n, d). It is called at most once for each `verify`, and
    not at all when every statement is verbatim.
    """

    def __init__(self, encode: Encode, calibration: Calibration | None = None) -> None:
        self._encode = encode
        self._calibration = calibration or load_calibration()
        self.fingerprint = f"alignment-{short_hash(repr(self._calibration))}"

    def verify(self, pairs: Sequence[Pair]) -> list[Verdict]:
        """One verdict a pair, in order; spans are in coordinates of the article."""
        return [self._verdict(finding) for finding in self.examine(pairs)]

    def examine(self, pairs: Sequence[Pair]) -> list[Finding]:
        """Hard checks and features of each pair; the calibration script learns from these."""
        premises = {id(pair.hit): Premise.of(pair.hit) for pair in pairs}
        readings = [_read(pair.statement, premises[id(pair.hit)]) for pair in pairs]
        vectors = self._vectors(readings)
        return [_finding(reading, vectors) for reading in readings]

    def _vectors(self, readings: Sequence[Reading]) -> dict[str, NDArray[np.float32]]:
        texts = list(dict.fromkeys(text for reading in readings for text in reading.to_encode))
        return dict(zip(texts, self._encode(texts), strict=True)) if texts else {}

    def _verdict(self, finding: Finding) -> Verdict:
        support, label = self._judged(finding)
        return Verdict(support, label, finding.start, finding.end, finding.failed)

    def _judged(self, finding: Finding) -> tuple[float, Label]:
        if finding.failed:
            return 0.0, "contradicted" if finding.contradicted else "unsupported"
        if finding.verbatim:
            return 1.0, "supported"
        if finding.features is None:
            return 0.0, "unsupported"
        support = self._calibration.support(finding.features)
        return support, self._calibration.label(support)


# The two sides ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Premise:
    """A passage cut into sentences, with its article's header and what both name."""

    hit: Hit
    spans: tuple[Span, ...]
    sentences: tuple[str, ...]
    stems: tuple[frozenset[str], ...]
    header: str
    header_stems: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, hit: Hit) -> Premise:
        text = hit.passage.text
        spans = tuple(sentence_spans(text)) or ((0, len(text)),)
        sentences = tuple(text[a:b] for a, b in spans)
        header = _header(hit.article)
        stems = tuple(frozenset(content_stems(sentence)) for sentence in sentences)
        names = spellings(text) | spellings(header)
        return cls(hit, spans, sentences, stems, header, frozenset(content_stems(header)), names)

    @property
    def text(self) -> str:
        return self.hit.passage.text

    def near(self, best: int) -> str:
        """The sentence `best` with its neighbours."""
        return " ".join(self.sentences[max(0, best - 1) : best + 2])

    def near_stems(self, best: int) -> frozenset[str]:
        return self.header_stems.union(*self.stems[max(0, best - 1) : best + 2])

    def span(self, first: int, last: int) -> Span:
        """Sentences `first` to `last` in coordinates of the article."""
        offset = self.hit.passage.start
        return offset + self.spans[first][0], offset + self.spans[last][1]


def _header(article: Article) -> str:
    parts = (article.title, article.publisher, article.author)
    return " . ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Reading:
    """A statement beside its premise: what it claims, and where in the passage to look.

    `lead` is the name of the source before a colon; `body` is what is claimed. `verbatim` are the
    first and the last sentence in which the body stands word for word.
    """

    lead: str
    body: str
    premise: Premise
    candidates: tuple[int, ...]
    verbatim: Span | None

    @property
    def to_encode(self) -> tuple[str, ...]:
        if self.verbatim or not self.candidates:
            return ()
        return (self.body, *(self.premise.sentences[i] for i in self.candidates))


def _read(statement: str, premise: Premise) -> Reading:
    lead, body = _parted(_MARKER.sub("", statement).strip(), premise)
    verbatim = _verbatim(body, premise)
    candidates = _candidates(body, premise) if content_stems(body) else ()
    return Reading(lead, body, premise, candidates, verbatim)


def _parted(statement: str, premise: Premise) -> tuple[str, str]:
    """Lead and body of "OpenAI, 5 August 2025: “…”"; no lead where none names a source."""
    for form in _LEADS:
        match = form.fullmatch(statement)
        body = _unquoted(match["body"]) if match else ""
        if match and _is_lead(match["lead"], body != match["body"], premise):
            return match["lead"], body
    return "", _unquoted(statement)


def _is_lead(lead: str, quotes: bool, premise: Premise) -> bool:
    """Whether `lead` is nothing but who says so, and when.

    Before quotation marks any name is taken for the speaker, to be checked as such; elsewhere only
    the article's own publisher or author.
    """
    facts = facts_of(lead, f"x {lead}")
    told = [*(name.text for name in facts.names), *(day.text for day in facts.dates)]
    said = {stem for text in told for stem in content_stems(text)}
    rest = set(content_stems(lead)) - said - _LEAD_WORDS - premise.header_stems
    if rest or facts.numbers or not facts.names or _HEDGES.search(lead):
        return False
    shown = spellings(premise.header)
    return quotes or bool(facts.dates) or all(name_holds(name, shown) for name in facts.names)


def _unquoted(text: str) -> str:
    match = _OUTER_QUOTES.fullmatch(text)
    return match["inside"].strip() if match else text


def _verbatim(body: str, premise: Premise) -> Span | None:
    """First and last sentence of the shortest stretch that has `body` word for word."""
    if len(words(body)) < _SHORTEST_QUOTE or not quote_holds(body, premise.text):
        return None
    count = len(premise.sentences)
    for length in range(1, count + 1):
        for first in range(count - length + 1):
            last = first + length - 1
            if quote_holds(body, premise.text[premise.spans[first][0] : premise.spans[last][1]]):
                return first, last
    return None


def _candidates(body: str, premise: Premise) -> tuple[int, ...]:
    stems = set(content_stems(body))
    shared = [len(stems & sentence) for sentence in premise.stems]
    order = sorted(range(len(shared)), key=lambda i: (-shared[i], i))
    return tuple(order[:_CANDIDATES])


# Measuring ----------------------------------------------------------------------------------------


def _finding(reading: Reading, vectors: dict[str, NDArray[np.float32]]) -> Finding:
    premise = reading.premise
    if not reading.candidates:
        start, end = premise.span(0, 0)
        return Finding(start, end, ("nothing in the statement can be checked",))
    if reading.verbatim:
        first, last = reading.verbatim
        failed = (*_lead_failures(reading, first), *_cut_short(reading, first))
        return Finding(*premise.span(first, last), failed, verbatim=True)
    best = _best(reading, vectors)
    conflicts = tuple(_conflicts(reading.body, premise, best))
    missing = (*_lead_failures(reading, best), *_missing(reading.body, premise, best))
    return Finding(
        *premise.span(best, best),
        (*conflicts, *missing),
        contradicted=bool(conflicts),
        features=_features(reading, best, vectors),
    )


def _best(reading: Reading, vectors: dict[str, NDArray[np.float32]]) -> int:
    stems = set(content_stems(reading.body))

    def score(i: int) -> float:
        sentence = reading.premise.sentences[i]
        cosine = float(vectors[reading.body] @ vectors[sentence])
        return cosine + len(stems & reading.premise.stems[i]) / len(stems)

    return max(reading.candidates, key=score)


def _lead_failures(reading: Reading, best: int) -> Iterator[str]:
    """The lead names the source: it must be the article's, or stand with the quoted sentence."""
    premise, published = reading.premise, _published(reading.premise.hit.article)
    facts = facts_of(reading.lead, f"x {reading.lead}")
    shown = spellings(premise.header) | spellings(premise.sentences[best])
    days = [*_header_days(premise), *facts_of(premise.sentences[best]).dates]
    for name in facts.names:
        if not name_holds(name, shown):
            yield f'the passage does not attribute this to "{name.text}"'
    for day in facts.dates:
        if not day_holds(day, days, published):
            yield f'the source is not dated "{day.text}"'


def _cut_short(reading: Reading, first: int) -> Iterator[str]:
    """A part of a sentence is no quote when the words before it take it back."""
    sentence, body = folded(reading.premise.sentences[first]), folded(reading.body).rstrip(".")
    before = sentence.partition(body)[0] if body in sentence else ""
    clause = re.split(r"[;:,.]|\bbut\b", before)[-1]
    if _HEDGES.search(clause):
        yield f'the passage says this only after "{clause.strip()}"'


def _conflicts(body: str, premise: Premise, best: int) -> Iterator[str]:
    """What the passage says otherwise: it contradicts the statement."""
    sentence = premise.sentences[best]
    denied = negation_flip(body, sentence)
    if denied:
        yield f'the statement and the passage differ on whether "{denied}" is denied'
    alone = _covered(body, premise, best)
    turned = direction_flip(body, sentence, "" if alone else premise.near(best))
    if turned:
        yield f'the statement says "{turned[0]}", the passage "{turned[1]}"'
    swapped = role_swap(body, f"{sentence} {premise.near(best)}")
    if swapped:
        yield f'who and whom of "{swapped}" are exchanged'
    facts, shown = facts_of(body, premise.text), facts_of(sentence)
    for one, other in _exchanged_numbers(body, facts.numbers, sentence, shown.numbers):
        yield f'the numbers "{one.text}" and "{other.text}" are exchanged'
    yield from _other_numbers(facts.numbers, shown.numbers, _near_numbers(premise, best))
    yield from _other_days(facts.dates, shown.dates, premise)


def _near_numbers(premise: Premise, best: int) -> list[Number]:
    near = facts_of(premise.near(best)).numbers
    return [*near, *facts_of(premise.header).numbers]


def _other_numbers(
    said: Iterable[Number], shown: Sequence[Number], near: Sequence[Number]
) -> Iterator[str]:
    said = tuple(said)
    for number in said:
        if any(same_number(number, other) for other in near):
            continue
        rivals = [n for n in shown if n.unit == number.unit]
        free = [n for n in rivals if not any(same_number(s, n) for s in said)]
        if free:
            yield f'the passage says "{free[0].text}", not "{number.text}"'


_BESIDE = 25  # characters: three or four words on each side of a number


def _exchanged_numbers(
    body: str, said: Sequence[Number], sentence: str, shown: Sequence[Number]
) -> Iterator[tuple[Number, Number]]:
    """Pairs of numbers of one unit of which each stands where the passage has the other."""
    places = {n: m for n in said for m in shown if same_number(n, m)}
    for one, other in combinations(places, 2):
        if places[one].unit != places[other].unit or one.value == other.value:
            continue
        sides = [_around(body, n, _BESIDE) for n in (one, other)]
        there = [_around(sentence, places[n], _BESIDE) for n in (one, other)]
        kept = len(sides[0] & there[0]) + len(sides[1] & there[1])
        moved = len(sides[0] & there[1]) + len(sides[1] & there[0])
        # "from 39 to 51": where their neighbours can't tell, their order does.
        reversed_ = (one.start < other.start) != (places[one].start < places[other].start)
        if moved > kept or (moved == kept and reversed_):
            yield one, other


def _other_days(said: Sequence[Day], shown: Sequence[Day], premise: Premise) -> Iterator[str]:
    """A date of another day beside the claim beats the header's date and those further off."""
    published = _published(premise.hit.article)
    for day in said:
        if day_holds(day, shown, published):
            continue
        free = [s for s in shown if _as_exact(s, day) and not day_holds(s, said, published)]
        if free:
            yield f'the passage says "{free[0].text}", not "{day.text}"'


def _as_exact(shown: Day, said: Day) -> bool:
    exact = [(d.day or d.weekday) is not None for d in (shown, said)]
    return exact[0] >= exact[1] and (shown.month is not None or said.month is None)


# From this share of its words on, a statement is taken from one sentence: a denial or a direction
# next to it is about something else. At 0.75 twice as many true two-sentence statements failed.
_COVERED = 0.85


def _covered(body: str, premise: Premise, best: int) -> bool:
    return _recall(content_stems(body), premise.stems[best]) >= _COVERED


def _missing(body: str, premise: Premise, best: int) -> Iterator[str]:
    """What the passage doesn't say, where it would have to."""
    facts = facts_of(body, premise.text)
    for quote in facts.quotes:
        if not quote_holds(quote, f"{premise.text} {premise.header}"):
            yield f'the words "{quote}" do not stand in the passage'
    near = _near_numbers(premise, best)
    for number in facts.numbers:
        if not any(same_number(number, other) for other in near):
            yield f'the passage does not say "{number.text}"'
    days = [*_header_days(premise), *facts_of(premise.text).dates, *facts_of(premise.header).dates]
    for day in facts.dates:
        if not day_holds(day, days, _published(premise.hit.article)):
            yield f'the passage does not say "{day.text}"'
    for name in facts.names:
        if not name_holds(name, premise.names):
            yield f'the passage does not name "{name.text}"'
    alone = _covered(body, premise, best)
    if negation_alone(body, premise.sentences[best] if alone else premise.near(best)):
        yield "the passage denies nothing here"


def _header_days(premise: Premise) -> list[Day]:
    published = premise.hit.article.published
    return [day_of(published.date())] if published else []


def _published(article: Article) -> date | None:
    return article.published.date() if article.published else None


# Features -----------------------------------------------------------------------------------------


_MANY_NEW = 5  # words that the passage doesn't have; more of them make no difference


def _features(
    reading: Reading, best: int, vectors: dict[str, NDArray[np.float32]]
) -> tuple[float, ...]:
    """The features in the order of `FEATURES`, up to 1 each; more of any speaks for support."""
    premise, stems = reading.premise, _claimed(reading.body)
    near, passage = premise.near_stems(best), premise.header_stems.union(*premise.stems)
    found, kept = _names_near(reading.body, premise, best)
    new = sum(stem not in passage for stem in set(stems))
    return (
        *_cosines(reading, best, vectors),
        _recall(stems, premise.stems[best] | premise.header_stems),
        _recall(stems, near),
        _recall(stems, passage),
        _bigrams(stems, content_stems(premise.near(best))),
        found,
        kept,
        _number_context(reading.body, premise, best),
        min(1.0, len(premise.stems[best]) / len(stems)),
        1 - min(new, _MANY_NEW) / _MANY_NEW,
        1 - min(_gap(stems, near), _MANY_NEW) / _MANY_NEW,
    )


def _cosines(
    reading: Reading, best: int, vectors: dict[str, NDArray[np.float32]]
) -> tuple[float, float]:
    """Cosine to the best sentence, and to the mean direction of both candidates if that is more.

    The mean of unit vectors a and b has length sqrt(2 + 2 a·b) / 2, which leaves
    (s·a + s·b) / sqrt(2 + 2 a·b).
    """
    sides = [vectors[reading.premise.sentences[i]] for i in reading.candidates]
    said, shown = vectors[reading.body], vectors[reading.premise.sentences[best]]
    one = float(said @ shown)
    if len(sides) == 1:
        return one, one
    both = float(said @ sides[0] + said @ sides[1])
    return one, max(one, both / math.sqrt(max(1e-9, 2 + 2 * float(sides[0] @ sides[1]))))


def _claimed(body: str) -> list[str]:
    """The stems to be found again: numbers and dates have their own check, in any spelling."""
    facts, text = facts_of(body), body
    spans = [*((n.start, n.end) for n in facts.numbers), *((d.start, d.end) for d in facts.dates)]
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return content_stems(text) or content_stems(body)


def _recall(said: Sequence[str], shown: frozenset[str]) -> float:
    distinct = set(said)
    return len(distinct & shown) / len(distinct)


def _bigrams(said: Sequence[str], shown: Sequence[str]) -> float:
    pairs, there = set(pairwise(said)), set(pairwise(shown))
    return len(pairs & there) / len(pairs) if pairs else 1.0


def _gap(said: Sequence[str], shown: frozenset[str]) -> int:
    """The longest run of words that aren't shown: an addition is one run, synonyms lie scattered.

    >>> _gap(["a", "x", "y", "b", "z"], frozenset("ab"))
    2
    """
    longest = run = 0
    for stem in said:
        run = 0 if stem in shown else run + 1
        longest = max(longest, run)
    return longest


def _names_near(body: str, premise: Premise, best: int) -> tuple[float, float]:
    """Share of the statement's names that stand near, and 0.0 where one was put for another."""
    sentence = premise.sentences[best]
    said = find_names(body, premise.text)
    shown = find_names(sentence, premise.text)
    near = spellings(premise.near(best)) | spellings(premise.header)
    lost = [name for name in said if not name_holds(name, spellings(sentence))]
    gained = [name for name in shown if not name_holds(name, spellings(body))]
    share = sum(name_holds(name, near) for name in said) / len(said) if said else 1.0
    return share, float(not (lost and gained))


_SAID_AROUND, _SHOWN_AROUND = 40, 70  # characters: about five words and about nine


def _number_context(body: str, premise: Premise, best: int) -> float:
    """How much of what stands around a number stands around it in the passage: the worst number.

    A number that was moved to another thing keeps its value and loses its neighbours.
    """
    near = premise.near(best)
    shown = facts_of(near).numbers
    worst = 1.0
    for number in facts_of(body).numbers:
        around = _around(body, number, _SAID_AROUND)
        places = [_around(near, n, _SHOWN_AROUND) for n in shown if same_number(number, n)]
        if around and places:
            worst = min(worst, max(len(around & place) for place in places) / len(around))
    return worst


def _around(text: str, number: Number, reach: int) -> set[str]:
    left = text[max(0, number.start - reach) : number.start]
    right = text[number.end : number.end + reach]
    return {stem for stem in content_stems(f"{left} {right}") if not stem[0].isdigit()}
