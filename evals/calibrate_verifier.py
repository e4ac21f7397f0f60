"""Fit the verifier's score and set its threshold: `python -m evals.calibrate_verifier`.

Pairs of statement and passage are made by rule from the bundled corpus: true ones say what a
sentence says in another form, false ones change what it says. Articles are dealt into two halves.
Weights and threshold come from the fit half only; the figures printed come from the report half.
The logistic model learns from pairs that pass the hard checks, since it decides no others.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.article import Article, Passage
from corpus.sentences import split_sentences
from rag.answer import Hit, Label
from rag.facts import Day, Name, Number, facts_of
from rag.verify import (
    CALIBRATION,
    FEATURES,
    AlignmentVerifier,
    Calibration,
    Finding,
    Pair,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Encode = Callable[[Sequence[str]], NDArray[np.float32]]

SEED = 7
SENTENCES_PER_ARTICLE = 4
PASSAGE_WORDS = 150
FALSE_SUPPORT = 0.05  # the most false pairs, averaged over kinds, that may pass on the fit half
KEPT_TRUE = 0.95  # "partial" begins where this share of the true pairs still scores higher
WORST_KIND = 0.10  # and the most of any one kind that is no flip
RIDGE = 0.003  # L2 penalty on standardised features
STEPS, STEP = 5000, 0.5
NEAR = 40  # characters between a verb's two names, so that they are its doer and its object
# They keep nearly all words of their sentence, so that only the hard checks can see them: the score
# neither learns from them nor answers for them. Their rates are reported with the others.
FLIPS = frozenset({"number moved", "negation", "comparison", "roles"})

Rule = Callable[["Case", random.Random], str | None]


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence, the passage it stands in, what follows it there, and texts to borrow from."""

    sentence: str
    following: str | None
    hit: Hit
    kin: Sequence[str]
    strangers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Sample:
    """A pair with the truth and the rule that made it."""

    pair: Pair
    kind: str
    true: bool
    fit: bool


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, write the calibration, print the report."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=CALIBRATION, help="where to write")
    parser.add_argument("--nli", type=Path, help="JSONL of premise, hypothesis, supported")
    options = parser.parse_args(arguments)
    encode = _embedder()
    samples = make_samples(load_articles())
    found = examine(encode, samples)
    calibration = fit(samples, found)
    report = measure(samples, found, calibration)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(_document(calibration, samples, report), encoding="utf-8")
    print(json.dumps(report, indent=2))
    if options.nli:
        print(json.dumps(check_nli(encode, calibration, options.nli), indent=2))


def _embedder() -> Encode:
    from corpus.embedding import load_embedder

    return load_embedder().encode


# Articles and cases -------------------------------------------------------------------------------


def load_articles() -> list[Article]:
    """The bundled digests, in order of their file names."""
    from ingest.bundled import bundled_articles
    from ingest.files import Imported

    return [item.article for item in bundled_articles() if isinstance(item, Imported)]


def make_samples(articles: Sequence[Article], seed: int = SEED) -> list[Sample]:
    """All pairs of all rules; every second article, in a shuffled order, is for fitting."""
    chance = random.Random(seed)
    order = list(articles)
    chance.shuffle(order)
    samples: list[Sample] = []
    for i, article in enumerate(order):
        cases = _cases(article, articles)
        samples.extend(_samples(cases, i % 2 == 0, chance))
    return samples


def _samples(cases: Sequence[Case], fit: bool, chance: random.Random) -> Iterator[Sample]:
    """Up to `SENTENCES_PER_ARTICLE` statements of every rule, from cases at random."""
    for truth, rules in ((True, TRUE_RULES), (False, FALSE_RULES)):
        for kind, rule in rules.items():
            made = ((case, rule(case, chance)) for case in chance.sample(cases, len(cases)))
            told = ((c, text) for c, text in made if text and (text != c.sentence or rule is same))
            for case, statement in islice(told, SENTENCES_PER_ARTICLE):
                yield Sample(Pair(statement or "", case.hit), kind, truth, fit)


def _cases(article: Article, articles: Sequence[Article]) -> list[Case]:
    others = [a for a in articles if a.id != article.id]
    kin = [a for a in others if article.topics and article.topics[0] in a.topics]
    strangers = [a for a in others if not set(a.topics) & set(article.topics)]
    kin_lines = [s for a in kin for s in split_sentences(a.text)]
    stranger_lines = [s for a in strangers for s in split_sentences(a.text)]
    cases = []
    for passage in _passages(article):
        lines, hit = split_sentences(passage.text), Hit(passage, article, 1.0)
        follow = [*lines[1:], None]
        cases += [
            Case(line, after, hit, kin_lines, stranger_lines)
            for line, after in zip(lines, follow, strict=True)
        ]
    return cases


def _passages(article: Article) -> Iterator[Passage]:
    """Whole paragraphs, joined up to `PASSAGE_WORDS`."""
    paragraphs = [m.span() for m in re.finditer(r"\S.*", article.text)]
    start, end = paragraphs[0]
    for a, b in paragraphs[1:]:
        if len(article.text[start:b].split()) > PASSAGE_WORDS:
            yield _passage(article, start, end)
            start = a
        end = b
    yield _passage(article, start, end)


def _passage(article: Article, start: int, end: int) -> Passage:
    return Passage(article.id, article.revision, start, end, article.text[start:end])


# True statements ----------------------------------------------------------------------------------

_TAIL = re.compile(r"(?<=\w), (?:which|who|while|where|because|and|but|although|with|so) .+$")
_OPENING = re.compile(r"^((?:On|In|At|After|Since|By|During|Within) [^,]{3,60}), (.+?)\.$")
_SHORTEST = 6  # words; a shorter clause says too little


def same(case: Case, _: random.Random) -> str:
    """The sentence itself."""
    return case.sentence


def shortened(case: Case, _: random.Random) -> str | None:
    """The main clause, without what hangs on it."""
    clause = _TAIL.sub(".", case.sentence)
    return clause if clause != case.sentence and len(clause.split()) >= _SHORTEST else None


def merged(case: Case, _: random.Random) -> str | None:
    """Two neighbours in one sentence."""
    if case.following is None or not case.sentence.endswith("."):
        return None
    return f"{case.sentence[:-1]}, and {_lowered(case.following)}"


def attributed(case: Case, chance: random.Random) -> str | None:
    """The sentence with its publisher and day."""
    article = case.hit.article
    day = _written(article.published.date(), chance) if article.published else ""
    forms = (
        f"According to {article.publisher}, {_lowered(case.sentence)}",
        f"{article.publisher} reported on {day} that {_lowered(case.sentence)}",
    )
    return chance.choice(forms)


def reformatted(case: Case, chance: random.Random) -> str | None:
    """The same numbers and dates, written otherwise."""
    text = _replace_facts(case.sentence, lambda fact: _otherwise(fact, chance))
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
    moved = _OPENING.match(text)
    if moved:
        text = f"{_capital(moved[2])} {_lowered(moved[1])}."
    changes = int(bool(moved))
    for word, instead in _SYNONYMS.items():
        text, count = re.subn(rf"\b{word}\b", instead, text)
        changes += count
    return text if changes > 1 else None


TRUE_RULES: Mapping[str, Rule] = {
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
    return _put(case.sentence, number, number.text.replace(old.group(), new, 1))


def moved_number(case: Case, _: random.Random) -> str | None:
    """Two numbers of one unit changed places."""
    numbers = facts_of(case.sentence).numbers
    twins = [(a, b) for a in numbers for b in numbers if a.start < b.start and a.unit == b.unit]
    pairs = [(a, b) for a, b in twins if a.value != b.value]
    return _exchange(case.sentence, *pairs[0]) if pairs else None


def wrong_date(case: Case, chance: random.Random) -> str | None:
    """One date changed."""
    dates = facts_of(case.sentence).dates
    if not dates:
        return None
    day = chance.choice(dates)
    return _put(case.sentence, day, _shifted(day.text, chance))


def wrong_name(case: Case, chance: random.Random) -> str | None:
    """A name replaced by another one, of the same passage where there is one."""
    here = facts_of(case.sentence, case.sentence).names
    there = facts_of(case.hit.passage.text, case.hit.passage.text).names
    rivals = [n.text for n in there if not _related(n, here)]
    if not here or not rivals:
        return None
    return _put(case.sentence, chance.choice(here), chance.choice(rivals))


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


_ACTION = re.compile(
    r"\b(?:acquire|buy|bought|sue|beat|overt[ao]ok|outperform|hire|pa(?:y|id)|invest|replace|fund"
    r"|licens|join|than|s[eo]ld|criticis|accus|surpass)"
)


def exchanged(case: Case, _: random.Random) -> str | None:
    """The two names around a deed changed places."""
    names = facts_of(case.sentence, case.sentence).names
    for left, right in pairwise(names):
        between = case.sentence[left.end : right.start]
        if len(between) <= NEAR and _ACTION.search(between) and left.key != right.key:
            return _exchange(case.sentence, left, right)
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
    lines = [s for s in case.kin or case.strangers if len(s.split()) > _SHORTEST]
    return f"{case.sentence.rstrip('.')}, and {_lowered(chance.choice(lines))}" if lines else None


FALSE_RULES: Mapping[str, Rule] = {
    "number": wrong_number,
    "number moved": moved_number,
    "date": wrong_date,
    "name": wrong_name,
    "negation": negated,
    "comparison": turned,
    "roles": exchanged,
    "addition": added,
    "graft": grafted,
    "same company": lambda case, chance: chance.choice(case.kin) if case.kin else None,
    "other article": lambda case, chance: chance.choice(case.strangers),
}


# Changing text ------------------------------------------------------------------------------------


def _put(text: str, fact: Number | Day | Name, instead: str) -> str:
    return text[: fact.start] + instead + text[fact.end :]


def _exchange(text: str, left: Number | Name, right: Number | Name) -> str:
    a, b = text[left.start : left.end], text[right.start : right.end]
    return text[: left.start] + b + text[left.end : right.start] + a + text[right.end :]


def _related(name: Name, others: Iterable[Name]) -> bool:
    return any(set(name.pieces) & set(other.pieces) for other in others)


def _lowered(text: str) -> str:
    """`text` for use inside a sentence: its first word in lower case unless it is a name."""
    first = facts_of(text).names
    return text if first and first[0].start == 0 else text[:1].lower() + text[1:]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _written(day: date, chance: random.Random) -> str:
    return chance.choice((f"{day.day} {day:%B %Y}", f"{day:%B} {day.day}, {day.year}"))


def _replace_facts(text: str, change: Callable[[Number | Day], str]) -> str:
    facts = facts_of(text)
    found: list[Number | Day] = [*facts.numbers, *facts.dates]
    by_place = {fact.start: fact for fact in found}
    for _, fact in sorted(by_place.items(), reverse=True):
        text = _put(text, fact, change(fact))
    return text


def _otherwise(fact: Number | Day, chance: random.Random) -> str:
    if isinstance(fact, Day):
        if fact.year and fact.month and fact.day:
            return _written(date(fact.year, fact.month, fact.day), chance)
        return fact.text
    if fact.unit == "$" and fact.value >= 1e9:
        return f"{fact.value / 1e9:g} billion dollars"
    if fact.unit == "%" and fact.text.endswith("%"):
        return f"{fact.value:g} per cent"
    if fact.unit == "" and fact.value >= 1e9:
        return f"{fact.value / 1e9:g}B"
    return f"{fact.value:g}" if fact.unit == "" and fact.text.isalpha() else fact.text


_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
           "October", "November", "December")  # fmt: skip


def _shifted(text: str, chance: random.Random) -> str:
    for month in _MONTHS:
        if month in text:
            return text.replace(month, chance.choice([m for m in _MONTHS if m != month]))
    return re.sub(r"\d{4}", lambda m: str(int(m.group()) - chance.randint(1, 3)), text)


# Fitting and measuring ----------------------------------------------------------------------------


def examine(encode: Encode, samples: Sequence[Sample]) -> list[Finding]:
    """Hard checks and features of every sample, in order."""
    verifier = AlignmentVerifier(encode, Calibration((0.0,) * len(FEATURES), 0.0, 1.0, 1.0))
    return verifier.examine([sample.pair for sample in samples])


def fit(samples: Sequence[Sample], found: Sequence[Finding]) -> Calibration:
    """Weights, threshold and lower bound from the fit half."""
    half = [(s, f) for s, f in zip(samples, found, strict=True) if s.fit]
    decided = [(s, f) for s, f in half if not f.failed and s.kind not in FLIPS]
    open_ = [(s, f.features) for s, f in decided if f.features]
    weights, bias = logistic([f for _, f in open_], [s.true for s, _ in open_], _evened(open_))
    free = Calibration(weights, bias, 0.0, 0.0)
    scores = sorted({round(free.support(f), 4) for _, f in open_})
    threshold = next((t for t in scores if safe(half, Calibration(weights, bias, t, t))), 1.0)
    true = sorted(free.support(f) for s, f in open_ if s.true)
    lower = min(threshold, round(true[int(len(true) * (1 - KEPT_TRUE))], 4))
    return Calibration(weights, bias, threshold, lower)


def _evened(pairs: Sequence[tuple[Sample, Any]]) -> list[float]:
    """Weights under which both truths, and within each all kinds, count the same."""
    count = Counter((s.true, s.kind) for s, _ in pairs)
    kinds = Counter(true for true, _ in count)
    return [1 / (kinds[s.true] * count[s.true, s.kind]) for s, _ in pairs]


def safe(half: Sequence[tuple[Sample, Finding]], calibration: Calibration) -> bool:
    """Whether few false pairs pass, on average and of every kind that the score decides."""
    by_kind = rates(half, calibration, true=False)
    worst = max(rate for kind, rate in by_kind.items() if kind not in FLIPS)
    return false_support(half, calibration) <= FALSE_SUPPORT and worst <= WORST_KIND


def logistic(
    rows: Sequence[Sequence[float]], truths: Sequence[bool], importance: Sequence[float]
) -> tuple[tuple[float, ...], float]:
    """Weights and bias of a logistic regression whose weights can't be negative.

    More of a feature always speaks for support, so a negative weight would only describe how these
    pairs were made. Projected gradient descent on the ridge-penalised log-loss over features
    divided by their spread; it is convex, and `STEPS` of them leave the loss still to 6 digits.
    """
    import numpy as np

    x = np.asarray(rows, dtype=float)
    y = np.asarray(truths, dtype=float)
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-3
    x = (x - mean) / spread
    each = np.asarray(importance) / np.sum(importance)
    w, bias = np.zeros(x.shape[1]), 0.0
    for _ in range(STEPS):
        error = each * (1 / (1 + np.exp(-(x @ w + bias))) - y)
        w = np.maximum(0.0, w - STEP * (x.T @ error + RIDGE * w))
        bias -= STEP * float(error.sum())
    w = w / spread
    return tuple(round(float(v), 4) for v in w), round(float(bias - w @ mean), 4)


def label_of(finding: Finding, calibration: Calibration) -> Label:
    """The label that the verifier would give."""
    if finding.failed:
        return "contradicted" if finding.contradicted else "unsupported"
    if finding.verbatim:
        return "supported"
    support = calibration.support(finding.features) if finding.features else 0.0
    return calibration.label(support)


def rates(
    half: Sequence[tuple[Sample, Finding]], calibration: Calibration, true: bool
) -> dict[str, float]:
    """Share of "supported" by kind."""
    labels: dict[str, list[bool]] = defaultdict(list)
    for sample, finding in half:
        if sample.true == true:
            labels[sample.kind].append(label_of(finding, calibration) == "supported")
    return {kind: sum(values) / len(values) for kind, values in labels.items()}


def false_support(half: Sequence[tuple[Sample, Finding]], calibration: Calibration) -> float:
    """False pairs that pass, averaged over kinds so that their mix doesn't matter."""
    by_kind = rates(half, calibration, true=False)
    return sum(by_kind.values()) / len(by_kind)


def measure(
    samples: Sequence[Sample], found: Sequence[Finding], calibration: Calibration
) -> dict[str, Any]:
    """The figures of the report half, and for the false pairs what hard checks alone stop."""
    half = [(s, f) for s, f in zip(samples, found, strict=True) if not s.fit]
    supported = rates(half, calibration, true=True)
    passed = rates(half, calibration, true=False)
    recall = sum(supported.values()) / len(supported)
    falsely = sum(passed.values()) / len(passed)
    vetoed = Counter(s.kind for s, f in half if not s.true and f.failed)
    counts = Counter(s.kind for s, _ in half)
    return {
        "balanced_accuracy": round((recall + 1 - falsely) / 2, 4),
        "false_support_rate": round(falsely, 4),
        "true_support_rate": round(recall, 4),
        "supported_of_true": {kind: round(rate, 3) for kind, rate in supported.items()},
        "caught_of_false": {kind: round(1 - rate, 3) for kind, rate in passed.items()},
        "caught_by_hard_checks": {k: round(vetoed[k] / counts[k], 3) for k in passed},
        "pairs": dict(counts),
    }


def _document(calibration: Calibration, samples: Sequence[Sample], report: dict[str, Any]) -> str:
    data = {
        "features": FEATURES,
        "weights": calibration.weights,
        "bias": calibration.bias,
        "threshold": calibration.threshold,
        "lower": calibration.lower,
        "set_by": "python -m evals.calibrate_verifier",
        "rule": (
            f"threshold: lowest score at which, on the fit half, at most {FALSE_SUPPORT:.0%} of the"
            f" false pairs pass, averaged over kinds, and at most {WORST_KIND:.0%} of any kind but"
            " the flips, which only hard checks can see; lower: score that"
            f" {KEPT_TRUE:.0%} of the fit half's true, unvetoed, unquoted pairs reach, at most the"
            " threshold"
        ),
        "data": (
            f"pairs made by rule from the bundled articles, {SENTENCES_PER_ARTICLE} an article"
            f" and rule, seed {SEED}, articles dealt alternately into a fit and a report half"
        ),
        "fit_pairs": sum(sample.fit for sample in samples),
        "report": report,
    }
    return json.dumps(data, indent=2) + "\n"


def check_nli(encode: Encode, calibration: Calibration, path: Path) -> dict[str, Any]:
    """Balanced accuracy, true and false support on each source of an entailment data set."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    verifier = AlignmentVerifier(encode, calibration)
    verdicts = verifier.verify([Pair(row["hypothesis"], _hit(row["premise"])) for row in rows])
    votes: dict[str, dict[int, list[bool]]] = defaultdict(lambda: {0: [], 1: []})
    for row, verdict in zip(rows, verdicts, strict=True):
        votes[row["source"]][row["supported"]].append(verdict.label == "supported")
    return {source: _balance(by_truth) for source, by_truth in votes.items()}


def _hit(text: str) -> Hit:
    article = Article(title="", text=text)
    return Hit(Passage(article.id, article.revision, 0, len(text), text), article, 1.0)


def _balance(votes: Mapping[int, Sequence[bool]]) -> dict[str, float]:
    true, false = (sum(votes[n]) / max(1, len(votes[n])) for n in (1, 0))
    pairs = len(votes[0]) + len(votes[1])
    accuracy = round((true + 1 - false) / 2, 3)
    return {"balanced_accuracy": accuracy, "true_support_rate": round(true, 3),
            "false_support_rate": round(false, 3), "pairs": pairs}  # fmt: skip


if __name__ == "__main__":
    main()
