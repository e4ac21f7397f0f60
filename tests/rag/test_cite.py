"""What is left of a draft: nothing unsupported, and numbers that are ours alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from corpus.article import Article
from rag.answer import Evidence, Verdict
from rag.cite import PASSAGES, Backed, Checked, answer_text, check, cite, drafted_sentences
from tests.fakes import FakeVerifier, evidence_at, hit_on, spans_of

ONE = Article(
    "One", "Alpha costs $5. Beta costs $7. Gamma is free.", "https://e.org/1", "Press",
    published=datetime(2025, 8, 5, tzinfo=UTC),
)  # fmt: skip
TWO = Article("Two", "Delta came late. Alpha is old.", "https://e.org/2")


def evidence_of(*articles: Article) -> list[Evidence]:
    hits = [hit_on(article) for article in articles or (ONE, TWO)]
    return [evidence_at(hit, a, b) for hit in hits for a, b in spans_of(hit)]


def checked(draft: str, *refused: str, evidence: list[Evidence] | None = None) -> Checked:
    return check(draft, evidence or evidence_of(), FakeVerifier(refused))


def texts(result: Checked) -> list[str]:
    return [backed.text for backed in result.sentences]


# Sentences of a draft


@pytest.mark.parametrize(
    ("draft", "sentences"),
    [
        ("", []),
        (" \n \n", []),
        ("It leads. And then the", ["It leads."]),
        ("It leads\nIt costs $5.", ["It costs $5."]),
        ("It costs $11.5B. v2.1 came.", ["It costs $11.5B.", "v2.1 came."]),
        ("“It leads.”\n(It costs $5.)", ["“It leads.”", "(It costs $5.)"]),
        ("Does it lead? It does!", ["Does it lead?", "It does!"]),
        ("它领先。", ["它领先。"]),
    ],
)
def test_a_draft_becomes_whole_sentences(draft: str, sentences: list[str]) -> None:
    assert drafted_sentences(draft) == sentences


@pytest.mark.parametrize(
    "draft",
    [
        "It leads [7].", "It leads.[7]", "It leads. [7]", "It leads [1][22].", "It leads [1, 2].",
        "It leads [1-3].", "[4] It leads.", "It leads.\n[7]",
    ],
)  # fmt: skip
def test_numbers_that_a_model_made_up_are_taken_out(draft: str) -> None:
    assert [sentence.strip() for sentence in drafted_sentences(draft)] == ["It leads."]


def test_a_bracket_that_is_no_number_stays() -> None:
    assert drafted_sentences("He said it [the model] leads.") == ["He said it [the model] leads."]


def test_a_made_up_number_never_reaches_the_answer() -> None:
    statements, citations = cite(checked("Beta costs $7 [9].\nAlpha costs $5. [3]").sentences)
    assert answer_text(statements) == "Beta costs $7. [1]\nAlpha costs $5. [2]"
    assert [c.n for c in citations] == [1, 2]


# Checking


def test_a_supported_sentence_is_kept_with_the_sentence_that_backs_it() -> None:
    (backed,) = checked("Beta costs $7.").sentences
    assert ONE.text[backed.verdict.start : backed.verdict.end] == "Beta costs $7."
    assert backed.hit.article is ONE


def test_the_passage_that_backs_best_is_cited() -> None:
    class Unsure(FakeVerifier):
        def _verdict(self, pair):  # type: ignore[no-untyped-def]
            support = 0.9 if pair.hit.article is TWO else 0.7
            return Verdict(support, "supported", *spans_of(pair.hit)[0])

    result = check("Something holds.", evidence_of(), Unsure())
    assert [backed.hit.article for backed in result.sentences] == [TWO]


def test_an_unsupported_sentence_is_replaced_by_the_best_evidence_not_yet_said() -> None:
    result = checked("Alpha costs $5. Beta costs $9.")
    assert texts(result) == ["Alpha costs $5.", "Press, 5 August 2025: “Beta costs $7.”"]
    assert (result.replaced, result.dropped) == (1, 0)
    assert result.note is not None and "1 replaced by a quotation" in result.note


def test_an_unsupported_sentence_is_dropped_where_nothing_is_left_to_quote() -> None:
    only = evidence_of(Article("Three", "Alpha costs $5."))
    result = checked("Alpha costs $5. Alpha costs $6. Beta leads.", evidence=only)
    assert texts(result) == ["Alpha costs $5."]
    assert (result.replaced, result.dropped) == (0, 2)
    assert result.note is not None and "2 dropped" in result.note


def test_a_quotation_that_fails_is_not_said_either() -> None:
    only = evidence_of(Article("Three", "Alpha costs $5."))
    result = checked("Beta leads.", "Alpha", evidence=only)
    assert texts(result) == [] and result.dropped == 1


def test_no_unsupported_sentence_is_shown() -> None:
    result = checked("Omega leads. Alpha costs $5. Zeta fell. Beta costs $7. Eta rose. Theta sank.")
    assert all(backed.verdict.label == "supported" for backed in result.sentences)
    assert not {"Omega leads.", "Zeta fell.", "Eta rose."} & set(texts(result))
    assert result.replaced + result.dropped == 4


@pytest.mark.parametrize("draft", ["", "no full stop", "\n"])
def test_an_empty_draft_says_nothing_and_quotes_nothing(draft: str) -> None:
    result = checked(draft)
    assert result == Checked(()) and result.note is None


def test_a_sentence_is_said_once() -> None:
    assert texts(checked("Alpha costs $5. Alpha costs $5.")) == ["Alpha costs $5."]


def test_only_some_passages_are_tried() -> None:
    verifier = FakeVerifier()
    many = [Article(f"T{n}", f"Fact {n} holds.", f"https://e.org/{n}") for n in range(9)]
    check("Fact 0 holds.", evidence_of(*many), verifier)
    assert len(verifier.pairs) == PASSAGES


# Citing


def backed(article: Article, sentence: str, text: str | None = None) -> Backed:
    start = article.text.index(sentence)
    verdict = Verdict(0.8, "supported", start, start + len(sentence))
    return Backed(text or sentence, hit_on(article), verdict)


def test_numbers_follow_the_order_of_first_use_and_a_sentence_has_one() -> None:
    statements, citations = cite(
        [
            backed(TWO, "Alpha is old."),
            backed(ONE, "Beta costs $7."),
            backed(TWO, "Alpha is old.", "It has aged."),
            backed(ONE, "Alpha costs $5."),
        ]
    )
    assert [s.citations for s in statements] == [(1,), (2,), (1,), (3,)]
    assert [(c.n, c.quote) for c in citations] == [
        (1, "Alpha is old."), (2, "Beta costs $7."), (3, "Alpha costs $5."),
    ]  # fmt: skip
    assert answer_text(statements).splitlines()[2] == "It has aged. [1]"


@pytest.mark.parametrize("start", [0, 16])
def test_a_quote_is_the_text_of_the_article_at_its_span(start: int) -> None:
    item = hit_on(ONE, start)  # a passage from the second sentence on has spans of the article
    sentence = Backed("Free.", item, Verdict(1.0, "supported", *spans_of(item)[-1]))
    (_,), (citation,) = cite([sentence])
    assert citation.quote == ONE.text[citation.start : citation.end] == "Gamma is free."
    assert citation.passage_id == item.passage.id and citation.revision == ONE.revision
    assert (citation.publisher, citation.published, citation.url) == (
        "Press", "2025-08-05", "https://e.org/1",
    )  # fmt: skip


def test_what_is_unknown_of_an_article_stays_unknown() -> None:
    _, (citation,) = cite([backed(TWO, "Delta came late.")])
    assert citation.publisher is None and citation.published is None


def test_nothing_to_cite() -> None:
    assert cite([]) == ((), ()) and answer_text([]) == ""
