"""MultiHop-RAG: news questions whose evidence lies in two to four articles.

Tang and Yang 2024, "MultiHop-RAG: Benchmarking Retrieval-Augmented Generation for Multi-Hop
Queries" (arXiv 2401.15391). The folder holds two JSON arrays:

    corpus.json       title, body, source, published_at; url, author, category
    MultiHopRAG.json  query, answer, question_type, evidence_list: [{fact, title, url, …}]

`question_type` is inference_query, comparison_query, temporal_query or null_query. A null query
has no evidence, and its answer is "Insufficient information.".

The published figures come from the authors' scripts (retrieval_evaluate.py, qa_evaluate.py), which
say more precisely than the paper what is counted. We count as the scripts do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from corpus.article import Article, utc
from evals.metrics.answers import answer_match
from evals.metrics.retrieval import Found, evidence_recall, reciprocal_rank
from evals.public.asking import Said
from evals.public.fields import Fields, read_array
from evals.public.figures import ALL, Figure, figure, share

CORPUS, QUERIES = "corpus.json", "MultiHopRAG.json"
NULL = "null_query"
KINDS = ("inference_query", "comparison_query", "temporal_query", NULL)
# What the paper's prompt asks a model to say where an abstention of ours has no words.
WITHHELD = "Insufficient information."
K = 10

Measure = Callable[["Outcome"], float]


@dataclass(frozen=True, slots=True)
class Query:
    """One question; `facts` are the sentences of the corpus that are its evidence."""

    text: str
    answer: str
    kind: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MultiHop:
    """The whole set."""

    articles: tuple[Article, ...]
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was retrieved for one query, best first, and what was said."""

    query: Query
    passages: tuple[str, ...]
    said: Said

    @property
    def found(self) -> Found:
        """For each passage the numbers of the facts in it."""
        return [facts_in(passage, self.query.facts) for passage in self.passages[:K]]

    @property
    def prediction(self) -> str:
        return WITHHELD if self.said.abstained else self.said.text


# Reading ------------------------------------------------------------------------------------------


def load(folder: Path) -> MultiHop:
    """The set in `folder`. Raises InputError, naming file, item and reason, where malformed."""
    articles = tuple(_article(item) for item in read_array(folder / CORPUS))
    return MultiHop(articles, tuple(_query(item) for item in read_array(folder / QUERIES)))


def _article(item: Fields) -> Article:
    category = item.text_if_any("category")
    return Article(
        title=item.text("title").strip(),
        text=item.text("body").strip(),
        url=item.text_if_any("url"),
        publisher=item.text("source").strip(),
        author=item.text_if_any("author"),
        published=_moment(item),
        date_found="import",
        topics=(category,) if category else (),
    )


def _moment(item: Fields) -> datetime:
    text = item.text("published_at")
    try:
        return utc(datetime.fromisoformat(text.strip()))
    except ValueError as error:
        raise item.refused(f"`published_at` is {text[:40]!r}, which is no ISO date") from error


def _query(item: Fields) -> Query:
    kind = item.text("question_type")
    if kind not in KINDS:
        raise item.refused(f"`question_type` is {kind!r}, not one of {', '.join(KINDS)}")
    facts = tuple(evidence.text("fact") for evidence in item.objects("evidence_list"))
    if kind != NULL and not facts:
        raise item.refused("`evidence_list` is empty, but only a null_query has no evidence")
    return Query(item.text("query"), item.text("answer"), kind, facts)


# Their measures -----------------------------------------------------------------------------------


def facts_in(passage: str, facts: Sequence[str]) -> frozenset[int]:
    """The numbers of the facts that stand in `passage`, spaces and line breaks aside.

    A fact that is given twice counts by its first number, as in the script. One that our chunks
    cut in two is in neither.

    >>> sorted(facts_in("It rose.\\nIt fell.", ["It fell.", "It stood.", "It rose. It"]))
    [0, 2]
    """
    squeezed = _squeezed(passage)
    return frozenset(facts.index(fact) for fact in facts if _squeezed(fact) in squeezed)


def hits_at(found: Found, k: int) -> float:
    """1 if any fact is among the first `k` passages, else 0: the script's Hits@k.

    The paper's words, "the fraction of evidence that appears in the top-K", describe
    `evidence_recall` instead, which is shown beside it as evidence@k.

    >>> hits_at([set(), {1}], k=1), hits_at([set(), {1}], k=2)
    (0.0, 1.0)
    """
    return float(any(found[:k]))


def average_precision(found: Found, facts: int, k: int = K) -> float:
    """The script's term of MAP@k: Σ (facts new at a rank / rank) / min(facts, k).

    Only facts not found before count, so it is lower than the usual average precision, in which
    the second of two relevant passages at ranks 1 and 2 would add 2 / 2:

    >>> average_precision([{0}, {1}], facts=2)
    0.75
    """
    seen: set[int] = set()
    total = 0.0
    for rank, numbers in enumerate(found[:k], 1):
        total += len(set(numbers) - seen) / rank
        seen.update(numbers)
    return total / min(facts, k)


def word_match(prediction: str, answer: str) -> bool:
    """Whether the two share a word, in lower case and split at white space alone.

    It is the paper's accuracy, made for answers of a word or two. A long answer passes easily
    (any "the" of the gold will do), and one that quotes never says "yes".

    >>> word_match("It was Sam Altman.", "Sam Altman"), word_match("yes.", "Yes")
    (True, False)
    """
    return bool(set(prediction.lower().split()) & set(answer.lower().split()))


def _squeezed(text: str) -> str:
    return text.replace(" ", "").replace("\n", "")


# Figures ------------------------------------------------------------------------------------------

RETRIEVAL: dict[str, Measure] = {
    "Hits@4": lambda o: hits_at(o.found, 4),
    "Hits@10": lambda o: hits_at(o.found, K),
    "MAP@10": lambda o: average_precision(o.found, len(o.query.facts)),
    "MRR@10": lambda o: reciprocal_rank(o.found, K),
    "evidence@4": lambda o: evidence_recall(o.found, len(set(o.query.facts)), 4),
    "evidence@10": lambda o: evidence_recall(o.found, len(set(o.query.facts)), K),
}
ANSWERS: dict[str, Measure] = {
    "accuracy (word match)": lambda o: word_match(o.prediction, o.query.answer),
    "answered (ours)": lambda o: bool(o.said.statements),
}


def figures(outcomes: Sequence[Outcome]) -> tuple[Figure, ...]:
    """All figures over all queries, then by type. Null queries have no part in retrieval."""
    made = _of_group(ALL, outcomes)
    for kind in KINDS:
        made += _of_group(kind, [outcome for outcome in outcomes if outcome.query.kind == kind])
    return tuple(made)


def _of_group(group: str, outcomes: Sequence[Outcome]) -> list[Figure]:
    if not outcomes:
        return []
    answerable = [outcome for outcome in outcomes if outcome.query.kind != NULL]
    made = list(_measured(RETRIEVAL, group, answerable)) if answerable else []
    made += _measured(ANSWERS, group, outcomes)
    if answerable:
        contained = [answer_match(o.said.text, [o.query.answer]) for o in answerable]
        made.append(figure("answer contained (ours)", group, share(contained)))
    return made


def _measured(
    measures: dict[str, Measure], group: str, outcomes: Sequence[Outcome]
) -> Iterable[Figure]:
    for name, measure in measures.items():
        yield figure(name, group, share([measure(outcome) for outcome in outcomes]))
