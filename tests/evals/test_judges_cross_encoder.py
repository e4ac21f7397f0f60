from __future__ import annotations

import pytest

from evals.judges import Claim
from evals.judges.checkpoints import Checkpoint
from evals.judges.cross_encoder import CrossEncoderJudge, windows

HEADER = "Title · Paper · 2025-08-05"
BODY = "One is here. Two is there. Three is far away. Four is gone."


class WordCounter(Checkpoint):
    """Reads ten words at once, and finds the share of the statement's words in the context."""

    def __init__(self, limit: int = 10) -> None:
        super().__init__("counter", limit, None, None, None, None)

    def fits(self, context, statement):
        return len(f"{context} {statement}".split()) <= self.limit

    def support(self, pairs):
        assert all(self.fits(*pair) for pair in pairs), "cut silently"
        return [self._share(context.split(), said.split()) for context, said in pairs]

    def _share(self, shown, said):
        return sum(word in shown for word in said) / len(said)


def grade_of(statement, *contexts, limit=10, threshold=0.5):
    judge = CrossEncoderJudge("nli/counter", WordCounter(limit), threshold)
    (grade,) = judge.grades([Claim(statement, contexts)])
    return grade


def shorter_than(count):
    return lambda text: len(text) < count


def test_a_context_that_fits_is_one_window():
    assert windows(f"{HEADER}\n{BODY}", shorter_than(200)) == [f"{HEADER}\n{BODY}"]


def test_windows_are_whole_sentences_under_the_header():
    found = windows(f"{HEADER}\n{BODY}", shorter_than(len(HEADER) + 30))
    assert found == [
        f"{HEADER}\nOne is here. Two is there.",
        f"{HEADER}\nThree is far away.",
        f"{HEADER}\nFour is gone.",
    ]


def test_a_header_that_takes_a_sentences_place_stands_alone():
    found = windows(f"{HEADER}\n{BODY}", shorter_than(30))
    assert found[0] == HEADER
    assert " ".join(found[1:]) == BODY


@pytest.mark.parametrize("limit", [2, 3, 5, 8, 13, 21, 34, 55, 89])
@pytest.mark.parametrize("text", [BODY, f"{HEADER}\n{BODY}", "x" * 50, "word " * 30 + "end."])
def test_windows_fit_and_leave_nothing_out(text, limit):
    found = windows(text, shorter_than(limit))
    assert all(len(window) < limit for window in found)
    shown = "".join("".join(found).split())
    for word in "".join(text.split()).split("."):
        assert word in shown


def test_no_window_where_nothing_fits():
    assert windows("abc", lambda text: False) == []


def test_the_best_window_counts():
    grade = grade_of("Four is gone.", "One is here. Two is there. Four is gone. Five.")
    assert (grade.passing, grade.score) == (True, 1.0)
    assert grade_of("Nine was lost.", "One is here. Two is there. Four is gone.").passing is False


def test_the_best_context_counts_or_all_together_where_they_fit():
    assert grade_of("Four is gone.", "One is here.", "Four is gone.").score == 1.0
    merged = ("red green", "blue white")
    assert grade_of("red blue", *merged).score == 1.0
    assert grade_of("red blue", *merged, limit=5).score == 0.5


def test_the_threshold_decides():
    scores = {t: grade_of("red blue", "red", threshold=t).passing for t in (0.4, 0.5, 0.6)}
    assert scores == {0.4: True, 0.5: True, 0.6: False}


def test_a_statement_that_leaves_no_room_is_unread():
    grade = grade_of("word " * 11, "One is here.")
    assert (grade.passing, grade.score) == (None, None)
    assert "10 tokens" in grade.reason


def test_claims_keep_their_own_grades():
    judge = CrossEncoderJudge("nli/counter", WordCounter())
    claims = [Claim("One is here.", (BODY,)), Claim("a " * 20, (BODY,)), Claim("Nine.", (BODY,))]
    assert [grade.passing for grade in judge.grades(claims)] == [True, None, False]


def test_its_names():
    judges = [CrossEncoderJudge("nli/counter", WordCounter(), t) for t in (0.5, 0.7)]
    assert judges[0].name == "nli/counter"
    assert judges[0].fingerprint != judges[1].fingerprint
