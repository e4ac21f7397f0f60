"""SQuAD-format files: questions on Wikipedia paragraphs, with short answers or none.

Rajpurkar et al. 2016, "SQuAD: 100,000+ Questions for Machine Comprehension of Text" (arXiv
1606.05250), and Rajpurkar, Jia, Liang 2018, "Know What You Don't Know" (arXiv 1806.03822). One
JSON object: `data` lists titles, each with `paragraphs`, each with a `context` and `qas`: `id`,
`question`, `answers` [{text, answer_start}] and, in version 2.0, `is_impossible`.

Here the paragraphs of a title are one article, those of a file one library, and the assistant has
to find the paragraph: the task is harder than the published one, in which it is given, and the
figures can't be compared with those. A question without an answer in its paragraph may, rarely,
have one elsewhere in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.article import Article, distinct
from evals.metrics.answers import answer_match, exact_match, f1
from evals.public.asking import Said
from evals.public.fields import Fields, read_object
from evals.public.figures import ALL, Figure, figure, share

HAS, HAS_NOT = "HasAns", "NoAns"
NO_ANSWER = ("",)  # what the script compares with where there is none


@dataclass(frozen=True, slots=True)
class Query:
    """One question and the spellings of its answer; none where the paragraph has no answer."""

    id: str
    text: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Squad:
    """The whole file."""

    articles: tuple[Article, ...]
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said to one question."""

    query: Query
    said: Said

    @property
    def golds(self) -> tuple[str, ...]:
        return self.query.answers or NO_ANSWER

    def compared(self, measure: Callable[[str, Iterable[str]], float]) -> float:
        """`measure` of the first statement, or of "" for an abstention; a failure is never right.

        The first one is compared, not the one that fits a gold best: who asks can't tell which.
        """
        return 0.0 if self.said.error else measure(self.said.first, self.golds)


# Reading ------------------------------------------------------------------------------------------


def load(path: Path) -> Squad:
    """The file `path`. Raises InputError, naming file, item and reason, where it is malformed."""
    titles = list(read_object(path).objects("data"))
    articles = tuple(_article(title) for title in titles)
    queries = tuple(query for title in titles for query in _queries(title))
    if not queries:
        raise read_object(path).refused("it holds no question")
    return Squad(articles, queries)


def _article(title: Fields) -> Article:
    contexts = [paragraph.text("context").strip() for paragraph in title.objects("paragraphs")]
    if not contexts:
        raise title.refused("`paragraphs` is empty")
    name = title.text_if_any("title") or title.where.rpartition(", ")[2]
    return Article(name.replace("_", " "), "\n\n".join(distinct(contexts)))


def _queries(title: Fields) -> Iterator[Query]:
    for paragraph in title.objects("paragraphs"):
        context = paragraph.text("context")
        for item in paragraph.objects("qas"):
            yield _query(item, context)


def _query(item: Fields, context: str) -> Query:
    answers = distinct(answer.text("text") for answer in item.objects("answers"))
    impossible = item.values.get("is_impossible", False)
    if not isinstance(impossible, bool):
        raise item.refused("`is_impossible` is neither true nor false")
    if impossible == bool(answers):
        raise item.refused("it is impossible and has answers" if impossible else "it has no answer")
    if strange := [answer for answer in answers if answer not in context]:
        raise item.refused(f"the answer {strange[0][:40]!r} is not in the paragraph")
    return Query(item.text("id"), item.string("question"), answers)


# Figures ------------------------------------------------------------------------------------------

THEIRS = {"EM (first statement)": exact_match, "F1 (first statement)": f1}


def figures(outcomes: Sequence[Outcome]) -> tuple[Figure, ...]:
    """EM and F1 over all questions and, in version 2.0, over those with an answer and without.

    As in the authors' evaluate-v2.0.py: normalised, the best of the golds, and an empty prediction
    is right exactly where there is no answer. It compares short spans, while the assistant answers
    in sentences and has no span reader: EM is near 0 and F1 low where there is an answer, whatever
    the assistant knows. What it knows shows in the share of answers that hold a gold one.
    """
    has = [outcome for outcome in outcomes if outcome.query.answers]
    has_not = [outcome for outcome in outcomes if not outcome.query.answers]
    made = [*_theirs(ALL, outcomes), _answered(ALL, outcomes)]
    if has and has_not:
        made += _theirs(HAS, has)
    if has:
        made += _ours(HAS, has)
    if has_not:
        made += [*_theirs(HAS_NOT, has_not), _answered(HAS_NOT, has_not)]
    return tuple(made)


def _theirs(group: str, outcomes: Sequence[Outcome]) -> list[Figure]:
    return [
        figure(name, group, share([outcome.compared(measure) for outcome in outcomes]))
        for name, measure in THEIRS.items()
    ]


def _ours(group: str, outcomes: Sequence[Outcome]) -> list[Figure]:
    whole = [f1(o.said.text, o.golds) for o in outcomes]
    contained = [answer_match(o.said.text, o.golds) for o in outcomes]
    return [
        figure("F1 of the whole answer (ours)", group, share(whole)),
        figure("answer contained (ours)", group, share(contained)),
        _answered(group, outcomes),
    ]


def _answered(group: str, outcomes: Sequence[Outcome]) -> Figure:
    return figure("answered (ours)", group, share([bool(o.said.statements) for o in outcomes]))
