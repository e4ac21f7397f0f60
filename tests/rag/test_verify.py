from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from corpus.article import Article, Passage
from corpus.errors import ModelError
from rag.answer import Hit, Verdict
from rag.verify import FEATURES, AlignmentVerifier, Calibration, Pair, load_calibration
from tests.fakes import BagEncoder

TEXT = (
    "An opening paragraph that is not in the passage.\n\n"
    "OpenAI published two open-weight models on 5 August. "
    "The larger has 117 billion parameters, the smaller 21 billion. "
    "The company did not release the training data. "
    'Sam Altman called it "the best open model". '
    "Critics had hoped for more from the laboratory. "
    "Its price fell by 80% to $2 per million tokens. "
    "Meta sued Scale after that. "
    "In an unrelated deal Anthropic raised $13 billion."
)
START = TEXT.index("OpenAI")
ARTICLE = Article(
    title="OpenAI releases gpt-oss-120b",
    text=TEXT,
    publisher="The Verge",
    published=datetime(2025, 8, 5, tzinfo=UTC),
)
HIT = Hit(Passage(ARTICLE.id, ARTICLE.revision, START, len(TEXT), TEXT[START:]), ARTICLE, 1.0)


@pytest.fixture
def verifier() -> AlignmentVerifier:
    return AlignmentVerifier(BagEncoder().encode)


def judge(verifier: AlignmentVerifier, statement: str) -> Verdict:
    (verdict,) = verifier.verify([Pair(statement, HIT)])
    return verdict


@pytest.mark.parametrize(
    "statement",
    [
        "The company did not release the training data.",
        "The company did not release the training data. [1]",
        "The Verge, 5 August 2025: “Its price fell by 80% to $2 per million tokens.”",
        "According to The Verge, the company did not release the training data.",
        "The Verge reported on 2025-08-05 that the company did not release the training data.",
        "“its price  fell by 80%”",
        "Sam Altman called it “the best open model”.",
    ],
)
def test_a_verbatim_quote_is_supported_in_full(verifier: AlignmentVerifier, statement: str) -> None:
    verdict = judge(verifier, statement)
    assert (verdict.support, verdict.label, verdict.failed) == (1.0, "supported", ())


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("The larger model has 117 billion parameters.", "The larger has 117"),
        ("Critics had hoped for more from the laboratory.", "Critics had hoped"),
        ("The price fell by 80 per cent.", "Its price fell"),
    ],
)
def test_the_span_is_the_backing_sentence_of_the_article(
    verifier: AlignmentVerifier, statement: str, sentence: str
) -> None:
    verdict = judge(verifier, statement)
    quote = ARTICLE.text[verdict.start : verdict.end]
    assert quote.startswith(sentence)
    assert quote.endswith(".")


def test_a_quote_of_two_sentences_spans_both(verifier: AlignmentVerifier) -> None:
    statement = TEXT[TEXT.index("Critics") : TEXT.index(" Meta sued")]
    verdict = judge(verifier, statement)
    assert ARTICLE.text[verdict.start : verdict.end] == statement


@pytest.mark.parametrize(
    "statement",
    [
        "On 2025-08-05 OpenAI published two open-weight models.",
        "OpenAI published 2 open-weight models in August 2025.",
        "The larger has 117B parameters, and the smaller 21B.",
    ],
)
def test_reformatted_facts_are_supported(verifier: AlignmentVerifier, statement: str) -> None:
    verdict = judge(verifier, statement)
    assert verdict.failed == ()
    assert verdict.label == "supported"


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("The price fell by 80% to $3 per million tokens.", '"$2", not "$3"'),
        ("The larger has 21 billion parameters, the smaller 117 billion.", "are exchanged"),
        ("OpenAI published two open-weight models on 7 August.", '"5 August", not "7 August"'),
        ("The company released the training data.", "is denied"),
        ("Its price rose by 80% to $2 per million tokens.", '"rose", the passage "fell"'),
        ("Scale sued Meta after that.", "who and whom"),
        ("OpenAI did not publish two open-weight models.", "is denied"),
    ],
)
def test_a_conflict_is_a_contradiction(
    verifier: AlignmentVerifier, statement: str, reason: str
) -> None:
    verdict = judge(verifier, statement)
    assert verdict.label == "contradicted"
    assert verdict.support == 0.0
    assert any(reason in failed for failed in verdict.failed), verdict.failed


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("OpenAI and Google published two open-weight models.", 'does not name "Google"'),
        ("Critics had hoped for 13 billion more.", 'does not say "13 billion"'),
        ("OpenAI published “the worst” models.", 'the words "the worst" do not stand'),
        ("Critics had hoped for more in 2023.", 'does not say "2023"'),
        ("Reuters, 5 August 2025: “Its price fell by 80%”", 'attribute this to "Reuters"'),
        ("The Verge, 9 August 2025: “Its price fell by 80%”", 'not dated "9 August 2025"'),
        ("Anthropic: “Its price fell by 80%”", 'attribute this to "Anthropic"'),
    ],
)
def test_what_the_passage_does_not_say_is_unsupported(
    verifier: AlignmentVerifier, statement: str, reason: str
) -> None:
    verdict = judge(verifier, statement)
    assert verdict.label == "unsupported"
    assert verdict.support == 0.0
    assert any(reason in failed for failed in verdict.failed), verdict.failed


def test_a_number_from_elsewhere_in_the_passage_does_not_count(verifier: AlignmentVerifier) -> None:
    # "$13 billion" is Anthropic's, six sentences further down.
    verdict = judge(verifier, "OpenAI published two open-weight models for $13 billion.")
    assert verdict.label in ("unsupported", "contradicted")
    assert any('"$13 billion"' in failed for failed in verdict.failed)


@pytest.mark.parametrize("statement", ["", "   ", "[1]", "It is.", "Yes, and so was that."])
def test_nothing_to_check_is_nothing_supported(verifier: AlignmentVerifier, statement: str) -> None:
    verdict = judge(verifier, statement)
    assert (verdict.label, verdict.support) == ("unsupported", 0.0)
    assert verdict.failed == ("nothing in the statement can be checked",)


@pytest.mark.parametrize(
    "statement",
    [
        "Rain ended the harvest early and farmers complained.",
        "OpenAI published two open-weight models, and the regulator opened a long inquiry into it.",
        "The Verge did not report that its price fell by 80% to $2 per million tokens.",
    ],
)
def test_invented_statements_do_not_pass(verifier: AlignmentVerifier, statement: str) -> None:
    assert judge(verifier, statement).label != "supported"


def test_a_fragment_that_the_sentence_takes_back_is_no_quote(verifier: AlignmentVerifier) -> None:
    text = "The firm denied that it had copied the data."
    article = Article(title="Copying", text=text)
    hit = Hit(Passage(article.id, article.revision, 0, len(text), text), article, 1.0)
    (verdict,) = verifier.verify([Pair("It had copied the data.", hit)])
    assert verdict.label == "unsupported"
    assert "only after" in verdict.failed[0]


def test_an_undated_article_lends_no_date(verifier: AlignmentVerifier) -> None:
    text = "OpenAI published two open-weight models on 5 August."
    article = Article(title="Models", text=text)
    hit = Hit(Passage(article.id, article.revision, 0, len(text), text), article, 1.0)
    (verdict,) = verifier.verify([Pair("OpenAI published two models on 2025-08-05.", hit)])
    assert verdict.label != "supported"


def test_all_pairs_are_encoded_in_one_call() -> None:
    encoder = BagEncoder()
    pairs = [Pair(f"The larger model {n} has parameters.", HIT) for n in ("alone", "here", "now")]
    assert len(AlignmentVerifier(encoder.encode).verify(pairs)) == 3
    assert encoder.calls == 1


def test_verbatim_quotes_need_no_encoder() -> None:
    encoder = BagEncoder()
    AlignmentVerifier(encoder.encode).verify([Pair("Meta sued Scale after that.", HIT)])
    assert encoder.calls == 0


def test_labels_follow_the_two_bounds() -> None:
    calibration = Calibration((0.0,) * len(FEATURES), 0.0, threshold=0.8, lower=0.4)
    assert [calibration.label(s) for s in (0.8, 0.79, 0.4, 0.39)] == [
        "supported", "partial", "partial", "unsupported",
    ]  # fmt: skip


def test_the_fingerprint_follows_the_calibration() -> None:
    encode = BagEncoder().encode
    other = Calibration((0.0,) * len(FEATURES), 0.0, 0.5, 0.5)
    assert AlignmentVerifier(encode).fingerprint == AlignmentVerifier(encode).fingerprint
    assert AlignmentVerifier(encode).fingerprint != AlignmentVerifier(encode, other).fingerprint


@pytest.mark.parametrize("content", [None, "{", "{}", json.dumps({"features": ["other"]})])
def test_a_calibration_that_does_not_fit_is_told(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "verifier.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelError, match="calibrate_verifier"):
        load_calibration(path)
