from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.article import Article
from evals.judges import as_context, hit_of
from evals.judges.claims import UNKNOWN, parted
from rag.prompts import one_line
from tests.fakes import hit_on

PHRASE = st.text(alphabet="aZ9 ·–-|\t\u00e9\u2028", max_size=20).filter(
    lambda text: one_line(text) != UNKNOWN
)
ARTICLES = st.builds(
    Article,
    title=PHRASE,
    text=st.text(max_size=60),
    publisher=st.none() | PHRASE,
    published=st.none() | st.datetimes(timezones=st.just(UTC)),
)


@given(ARTICLES)
def test_what_is_written_down_is_read_back(article):
    back = hit_of(as_context(hit_on(article)))
    assert back.passage.text == article.text
    assert back.article.text[back.passage.start : back.passage.end] == back.passage.text
    assert back.article.title == one_line(article.title)
    assert back.article.publisher == (one_line(article.publisher or "").replace("·", "-") or None)
    assert back.article.day == article.day


def test_the_context_of_a_passage_has_its_words_only():
    article = Article("A · B", "One. Two. Three.", published=datetime(2025, 8, 5, tzinfo=UTC))
    assert as_context(hit_on(article, 5, 9)) == "A · B · – · 2025-08-05\nTwo."


@pytest.mark.parametrize(
    "foreign",
    [
        "One line.",
        "Title\nText",
        "A · B\nText",
        "A · B · C\nText",
        "A · B · 2025-13-40\nText",
        "A · B · 20250805\nText",
        "\nText",
        "",
    ],
)
def test_a_text_from_elsewhere_has_no_header(foreign):
    hit = hit_of(foreign)
    assert hit.passage.text == foreign
    assert (hit.article.header, hit.article.published) == ("", None)
    assert parted(foreign) == ("", foreign)


def test_importing_the_judges_loads_nothing_heavy():
    code = (
        "import sys, evals.judges\n"
        "heavy = {'llama_index', 'torch', 'transformers', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
