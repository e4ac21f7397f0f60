from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.article import Article
from corpus.embedding import Embedder
from corpus.sentences import Span, sentence_spans
from ingest.bundled import bundled_articles
from ingest.chunking import CHARS_PER_TOKEN, LEAST_TOKENS, TARGET_TOKENS, PassageParser
from ingest.files import Imported
from ingest.pipeline import with_header
from tests.conftest import make_article
from tests.fakes import FakeEmbedder

FAKE = FakeEmbedder()
PARSER = PassageParser(count_tokens=FAKE.count_tokens, max_tokens=FAKE.max_tokens)


def bundled() -> list[Article]:
    return [item.article for item in bundled_articles() if isinstance(item, Imported)]


def assert_nothing_lost(text: str, spans: Sequence[Span]) -> None:
    at = 0
    for start, end in spans:
        assert at <= start < end <= len(text)
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        at = end
    assert not text[at:].strip()


@pytest.fixture(scope="module")
def real(embedder: Embedder) -> PassageParser:
    return PassageParser(count_tokens=embedder.count_tokens, max_tokens=embedder.max_tokens)


def test_every_bundled_passage_is_exact_whole_sentences_and_fits(
    real: PassageParser, embedder: Embedder
) -> None:
    for article in bundled():
        passages = real.passages(article)
        spans = [(passage.start, passage.end) for passage in passages]
        assert_nothing_lost(article.text, spans)
        starts, ends = (set(side) for side in zip(*sentence_spans(article.text), strict=True))
        for passage in passages:
            assert article.text[passage.start : passage.end] == passage.text
            assert passage.start in starts and passage.end in ends
            whole = with_header(passage, article)
            assert embedder.count_tokens(whole) <= embedder.max_tokens
            assert embedder.count_tokens(passage.text) <= TARGET_TOKENS + 2


def test_bundled_passages_are_even_in_size(real: PassageParser, embedder: Embedder) -> None:
    sizes = [embedder.count_tokens(p.text) for a in bundled() for p in real.passages(a)]
    assert sum(size < LEAST_TOKENS for size in sizes) <= len(sizes) * 0.02
    assert 120 < sum(sizes) / len(sizes) < TARGET_TOKENS


TEXTS = st.text(
    st.one_of(st.sampled_from(list("ab .!?\n\t\u00a0\u200b\u2028-’。")), st.characters()),
    max_size=400,
)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.integers(8, 40))
def test_any_text_is_cut_exactly_and_within_the_limit(text: str, limit: int) -> None:
    parser = PassageParser(count_tokens=FAKE.count_tokens, max_tokens=limit)
    spans = parser.spans(text, "Title")
    assert_nothing_lost(text, spans)
    for start, end in spans:
        assert FAKE.count_tokens(text[start:end]) <= limit


@pytest.mark.parametrize(
    "text",
    [
        "x" * 30_000,
        "模" * 3_000,
        "word " * 5_000,
        "a" + " " * 9_000 + "b",
        "a\n" * 3_000,
        "." * 5_000,
    ],
    ids=["one word", "no spaces", "no stops", "a gap", "lines", "stops"],
)
def test_texts_without_sentences_are_cut_all_the_same(text: str) -> None:
    spans = PARSER.spans(text.strip())
    assert_nothing_lost(text.strip(), spans)
    for start, end in spans:
        assert FAKE.count_tokens(text[start:end]) <= TARGET_TOKENS + 2
        assert (
            len(text[start:end].split(" ")[0]) <= TARGET_TOKENS * CHARS_PER_TOKEN + CHARS_PER_TOKEN
        )


def test_a_title_of_a_page_takes_no_room_from_the_passage() -> None:
    article = make_article(1, title="long " * 300, text="A sentence of some words. " * 60)
    assert all(FAKE.count_tokens(p.text) > LEAST_TOKENS for p in PARSER.passages(article))


def test_a_paragraph_is_kept_whole_if_that_costs_little() -> None:
    paragraph = "It has ten words and a stop at its end. " * 9
    text = "\n\n".join([paragraph.strip()] * 4)
    for start, end in PARSER.spans(text):
        assert start == 0 or text[start - 1] == "\n"
        assert end == len(text) or text[end] == "\n"


def test_a_text_that_repeats_itself_has_its_own_spans() -> None:
    text = "The same sentence again. " * 200
    spans = PARSER.spans(text)
    assert len(spans) > 3 and len(set(spans)) == len(spans)
    assert_nothing_lost(text, spans)


def test_llamaindex_gets_the_same_spans() -> None:
    from llama_index.core.schema import Document, NodeRelationship, TextNode

    text = "The same sentence again. " * 200
    document = Document(text=text, id_="doc", metadata={"title": "T"})
    nodes = PARSER.get_nodes_from_documents([document])
    assert [(node.start_char_idx, node.end_char_idx) for node in nodes] == PARSER.spans(text)  # type: ignore[attr-defined]
    for node in nodes:
        assert isinstance(node, TextNode)
        assert node.text == text[node.start_char_idx : node.end_char_idx]
        source = node.relationships[NodeRelationship.SOURCE]
        assert getattr(source, "node_id", None) == "doc"
        assert node.metadata == {"title": "T"}
