from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.sentences import sentence_spans, split_sentences, strip_span

NASTY = st.text(
    st.one_of(st.sampled_from(list(" .!?\n\r\t\u00a0\u2028\u200b\"'()“”…$1aB。")), st.characters()),
    max_size=120,
)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It cost $11.5B. v2.1 came later.", ["It cost $11.5B.", "v2.1 came later."]),
        ("DeepLearning.AI wrote it. Others read.", ["DeepLearning.AI wrote it.", "Others read."]),
        ("A heading\nA sentence.", ["A heading", "A sentence."]),
        ("- one\n- two", ["- one", "- two"]),
        ("Models, e.g. Llama, spread.", ["Models, e.g. Llama, spread."]),
        ("  Why?  \n\n Because.  ", ["Why?", "Because."]),
        ("", []),
        (" \n\t ", []),
        ("no full stop", ["no full stop"]),
    ],
)
def test_sentences_end_where_they_end(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@settings(max_examples=300, deadline=None)
@given(NASTY)
def test_spans_are_ordered_disjoint_and_leave_out_only_space(text: str) -> None:
    at = 0
    for start, end in sentence_spans(text):
        assert at <= start < end <= len(text)
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        at = end
    assert not text[at:].strip()


def test_stripping_a_span_of_space_leaves_nothing() -> None:
    start, end = strip_span("a   b", 1, 4)
    assert start == end
