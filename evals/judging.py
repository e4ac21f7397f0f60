"""An answer before a judge: does what it cites back what it says?

The label that a statement carries is not looked at, nor the hits of an answer that cites: each
cited passage is read from the library, by the passage and revision that the citation names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from corpus.library import Library
from evals.judges.claims import Claim, Grade, as_context
from evals.judges.seam import Judge
from evals.metrics.citations import cited
from evals.scores import Judged
from rag.answer import Answer, Citation, Hit, Statement

SOUND = "[{}] leads to no passage that holds its quote"


@dataclass(slots=True)
class Judging:
    """One answer and the grades given so far. `contexts` are the sound citations' texts."""

    judge: Judge
    contexts: dict[int, str]
    grades: dict[Claim, Grade] = field(default_factory=dict)

    def claim(self, statement: str, numbers: Sequence[int]) -> Claim:
        return Claim(statement, tuple(self.contexts[n] for n in numbers))

    def look_up(self, claims: Sequence[Claim]) -> None:
        """Grade `claims` together, which a cross-encoder does faster than one by one."""
        new = [claim for claim in dict.fromkeys(claims) if claim not in self.grades]
        self.grades.update(zip(new, self.judge.grades(new), strict=True))

    def grade(self, claim: Claim) -> Grade:
        self.look_up([claim])
        return self.grades[claim]


def judged(answer: Answer, library: Library, judge: Judge) -> list[Judged]:
    """Each statement of `answer`, judged.

    A statement is supported if the passages that it cites, read together, back it; one that cites
    nothing, or a passage that isn't there, is not. An answer without any citation is judged by all
    that was retrieved for it, so that a system which can't cite can still be faithful.
    """
    if not answer.citations:
        return _by_hits(answer, judge)
    found = {c.n: cited_hit(c, library) for c in answer.citations}
    judging = Judging(judge, {n: as_context(hit) for n, hit in found.items() if hit is not None})
    judging.look_up(
        [
            judging.claim(s.text, s.citations)
            for s in answer.statements
            if judging.contexts.keys() >= set(s.citations)
        ]
    )
    return [_judged(statement, judging) for statement in answer.statements]


def _judged(statement: Statement, judging: Judging) -> Judged:
    def entails(numbers: Sequence[int]) -> bool | None:
        return judging.grade(judging.claim(statement.text, numbers)).passing

    found = cited(statement.citations, judging.contexts, entails)
    lost = [n for n in statement.citations if n not in judging.contexts]
    if lost:
        grade = Grade(False, 0.0, SOUND.format(lost[0]))
    elif not statement.citations:
        grade = Grade(False, 0.0, "it cites nothing")
    else:
        grade = judging.grade(judging.claim(statement.text, statement.citations))
    reason = "" if grade.passing else grade.reason
    return Judged(
        statement=statement.text,
        supported=grade.passing,
        reason=reason,
        support=grade.score,
        recalled=found.recall,
        citations=found.citations,
        precise=found.precise,
    )


def _by_hits(answer: Answer, judge: Judge) -> list[Judged]:
    contexts = tuple(as_context(hit) for hit in answer.hits)
    grades = judge.grades([Claim(s.text, contexts) for s in answer.statements])
    return [
        Judged(s.text, g.passing, "" if g.passing else g.reason, g.score, False, 0, 0)
        for s, g in zip(answer.statements, grades, strict=True)
    ]


def cited_hit(citation: Citation, library: Library) -> Hit | None:
    """The passage of the library that a citation points to, unless its quote isn't in it."""
    for passage, article in library.passages([citation.passage_id]):
        inside = passage.start <= citation.start < citation.end <= passage.end
        same = (article.id, article.revision) == (citation.article_id, citation.revision)
        if inside and same and article.text[citation.start : citation.end] == citation.quote:
            return Hit(passage, article, 0.0)
    return None
