"""What the reader sees of a sentence, and the gate of a question, as numbers.

Each is a plain measure between 0 and about 1; the weights that join them are fitted by
`python -m evals.calibrate_reader` and stand in rag/calibration/reader.json under these names.

    overlap(question, text) = Σ rarity of the question's stems in text / Σ rarity of all its stems
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from corpus.article import distinct
from corpus.lexical import stems
from corpus.sentences import sentence_spans
from rag.answer import Hit
from rag.facts import CURRENCIES, Facts, facts_of, name_holds, spellings
from rag.kinship import Kinship, content_words, word_stems
from rag.trained import PassageScore

Rarity = Callable[[str], float]

LOGITS = 10.0  # the trained reader's lie between -10 and 10
LEAST_MARGIN = -20.0
UNREAD = PassageScore(-LOGITS, (), (0, 0), LEAST_MARGIN), -LOGITS  # a sentence without tokens

WANTED = {
    "money": r"how much|prices?|cost|fees?|charges?|valu|worth|revenue|stake|pay|paid|sum|funding",
    "number": r"how (many|large|big|long|far|fast)|score|share|percent|figure|size|rate|number",
    "date": r"when|what date|which (day|month|year)|what (day|month|year)|how soon|by what",
    "name": r"who|whose|whom|which|what (company|lab|firm|model|chip|licen[cs]e|benchmark)",
    "reason": r"why|reasons?|explain|justif|because|motive|purpose|rationale",
}
_WANTED = {kind: re.compile(rf"\b({words})", re.IGNORECASE) for kind, words in WANTED.items()}
_REASON = re.compile(
    r"\b(because|since|so that|due to|owing|reasons?|therefore|in order|to avoid|argu\w+|justif\w+"
    r"|explain\w*|attribut\w+|meant to|intended|blam\w+|cit(es|ed|ing)|wants? to|after)\b",
    re.IGNORECASE,
)


# Words by which people ask, not words that they ask about.
FILLERS = frozenset(
    stem
    for word in """tell know say said says explain describe summarise summarize give show list
    please anything something thing things happen happened happens happening news latest current
    currently exactly actually really according report reported reports mention mentioned talk
    question information info details overview kind""".split()
    for stem in word_stems(word)
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, taken apart once."""

    text: str
    weights: Mapping[str, float]  # stem → rarity
    words: tuple[str, ...]  # those that carry meaning
    rarities: tuple[float, ...]  # of the words, summing to 1
    facts: Facts
    wanted: frozenset[str]

    @classmethod
    def of(cls, text: str, rarity: Rarity) -> Asked:
        words = [w for w in distinct(content_words(text)) if not FILLERS.issuperset(word_stems(w))]
        rarities = [max(rarity(stem) for stem in word_stems(word)) for word in words]
        return cls(
            text=text,
            weights={stem: rarity(stem) for word in words for stem in word_stems(word)},
            words=tuple(words),
            rarities=tuple(value / sum(rarities) for value in rarities),
            facts=facts_of(text),
            wanted=frozenset(kind for kind, words in _WANTED.items() if words.search(text)),
        )

    def overlap(self, *texts: Collection[str]) -> float:
        """Share of the question's stems, weighed by rarity, that stand in one of `texts`."""
        total = sum(self.weights.values())
        found = sum(w for stem, w in self.weights.items() if any(stem in text for text in texts))
        return found / total if total else 0.0

    def names_in(self, text: str) -> float:
        """Share of the question's names that stand in `text`; 1 where it names nothing.

        >>> Asked.of("Did xAI buy Cursor?", lambda stem: 1.0).names_in("xAI raised $20 billion.")
        0.5
        """
        if not self.facts.names:
            return 1.0
        shown = spellings(text)
        return sum(name_holds(n, shown) for n in self.facts.names) / len(self.facts.names)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a hit. `start:end` is its span in the article, `rank` that of its hit;
    `before` is the sentence before it in the passage."""

    hit: Hit
    rank: int
    start: int
    end: int
    text: str
    before: str
    features: Mapping[str, float]


def candidates(asked: Asked, hits: Sequence[Hit]) -> list[Candidate]:
    """Every sentence of every hit with what can be measured without a model."""
    found: dict[tuple[str, int], Candidate] = {}
    for rank, hit in enumerate(hits):
        for candidate in _of_hit(asked, hit, rank):
            found.setdefault((candidate.hit.article.id, candidate.start), candidate)
    return list(found.values())


def kin_features(
    asked: Asked, candidates: Sequence[Candidate], kinship: Kinship
) -> list[dict[str, float]]:
    """Overlap again, by meaning: the share of the question's words that have kin in the sentence;
    in it or its title; in these or the sentence before. And, for the sentence with which an
    article opens, in the title: news says the main thing first."""
    own = kinship.cover(asked.words, [c.text for c in candidates])
    title = kinship.cover(asked.words, [c.hit.article.title for c in candidates])
    before = kinship.cover(asked.words, [c.before for c in candidates])
    rarities = np.array(asked.rarities, np.float32)
    with_title = np.maximum(own, title)
    opens = np.array([c.features["opens_article"] for c in candidates], np.float32)
    shares = {
        "lead_of_kin_title": opens * (title @ rarities),
        "kin": own @ rarities,
        "kin_title": with_title @ rarities,
        "kin_before": np.maximum(with_title, before) @ rarities,
    }
    return [
        {name: float(values[row]) for name, values in shares.items()}
        for row in range(len(candidates))
    ]


def trained_features(
    candidates: Sequence[Candidate], scores: Sequence[PassageScore], hits: Sequence[Hit]
) -> list[dict[str, float]]:
    """What the trained reader says of each candidate, of its passage, and of the likeliest span
    there; `scores` are those of the passages of `hits`. Logits, scaled to between about -1 and 1.
    """
    by_place: dict[tuple[str, int], tuple[PassageScore, float]] = {}
    for hit, score in zip(hits, scores, strict=True):
        for sentence in score.sentences:
            place = hit.article.id, hit.passage.start + sentence.span[0]
            by_place.setdefault(place, (score, sentence.logit))
    rows = []
    for candidate in candidates:
        score, logit = by_place.get((candidate.hit.article.id, candidate.start), UNREAD)
        rows.append(
            {
                "trained": logit / LOGITS,
                "trained_passage": score.logit / LOGITS,
                "trained_margin": max(LEAST_MARGIN, score.margin) / LOGITS,
            }
        )
    return rows


def with_gaps(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> list[dict[str, float]]:
    """Each row with how far it lies below the best row, for the features `names`.

    Whether 0.4 is a good cosine depends on the question; whether it is the best one does not.
    """
    tops = {name: max((row[name] for row in rows), default=0.0) for name in names}
    return [{**row, **{f"{name}_gap": row[name] - tops[name] for name in names}} for row in rows]


def _of_hit(asked: Asked, hit: Hit, rank: int) -> list[Candidate]:
    text = hit.passage.text
    spans = sentence_spans(text)
    sentences = [text[a:b] for a, b in spans]
    stemmed = [frozenset(stems(sentence)) for sentence in sentences]
    title = frozenset(stems(hit.article.title))
    found = []
    for at, (a, b) in enumerate(spans):
        before = stemmed[at - 1] if at else frozenset()
        features = {
            "overlap": asked.overlap(stemmed[at]),
            "overlap_title": asked.overlap(stemmed[at], title),
            "overlap_before": asked.overlap(stemmed[at], title, before),
            "rank": 1 / (1 + rank),
            "opens_article": float(hit.passage.start + a == 0),
            "opens_passage": float(at == 0),
            "length": min(1.0, math.log(1 + b - a) / 6),
            **_shown(asked, sentences[at], hit.article.title),
        }
        start = hit.passage.start + a
        previous = sentences[at - 1] if at else ""
        found.append(Candidate(hit, rank, start, start + b - a, sentences[at], previous, features))
    return found


def _shown(asked: Asked, sentence: str, title: str) -> dict[str, float]:
    """Whether a sentence has the kind of thing that is asked for, beyond what the question says."""
    facts = facts_of(sentence)
    own = {name.key for name in asked.facts.names}
    has = {
        "money": any(number.unit in CURRENCIES for number in facts.numbers),
        "number": bool(facts.numbers),
        "date": bool(facts.dates),
        "name": any(name.key not in own for name in facts.names),
        "reason": bool(_REASON.search(sentence)),
    }
    shown = {f"has_{kind}": float(is_there) for kind, is_there in has.items()}
    wanted = {f"wanted_{kind}": float(has[kind] and kind in asked.wanted) for kind in has}
    return {**shown, **wanted, "names_title": asked.names_in(f"{title}. {sentence}")}


def gate_features(asked: Asked, chosen: Sequence[Candidate], kinship: Kinship) -> dict[str, float]:
    """What the passages of the `chosen` sentences (best first) have of the question.

    How rare the question's missing words are is left out on purpose: it parts our own answerable
    from our own unanswerable questions only because we wrote the former in words far from the
    articles', and would turn away people who ask plainly.
    """
    best = f"{chosen[0].hit.article.title}. {chosen[0].hit.passage.text}"
    everything = " ".join(f"{c.hit.article.title}. {c.hit.passage.text}" for c in chosen)
    return {
        "kin_covered": float(kinship.cover(asked.words, [best])[0] @ np.array(asked.rarities)),
        "names_in_best": asked.names_in(best),
        "names_in_all": asked.names_in(everything),
    }
