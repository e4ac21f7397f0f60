from __future__ import annotations

from pathlib import Path

import pytest

from corpus.embedding import BUILT_IN, locate
from corpus.errors import ModelError
from corpus.sentences import Span, sentence_spans
from rag import windows as cutting
from rag.windows import OUTSIDE, Encoder, Sentence, even_groups

TEXT = "It came in May. It cost $3.5 million."


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(locate(BUILT_IN))


def sentence(length: int) -> Sentence:
    return Sentence((0, length), (7,) * length, tuple((n, n + 1) for n in range(length)))


def lengths(sizes: list[int], room: int) -> list[list[int]]:
    return [[len(s.ids) for s in group] for group in even_groups(list(map(sentence, sizes)), room)]


def test_a_window_is_cls_question_sep_passage_sep(encoder: Encoder) -> None:
    (window,) = encoder.windows("What did it cost?", TEXT)
    cls, sep = 101, 102
    assert window.ids[0] == cls
    assert [n for n, one in enumerate(window.ids) if one == sep] == [6, len(window.ids) - 1]
    assert window.start == 7


def test_every_token_knows_its_sentence_and_its_place(encoder: Encoder) -> None:
    (window,) = encoder.windows("What did it cost?", TEXT)
    inside = window.sentence_of[window.start : -1]
    assert set(window.sentence_of[: window.start]) == {OUTSIDE} == {window.sentence_of[-1]}
    words = [TEXT[a:b] for a, b in window.tokens]
    assert [w for w, n in zip(words, inside, strict=True) if n == 0] == "It came in May .".split()
    assert "".join(w for w, n in zip(words, inside, strict=True) if n == 1) == "Itcost$3.5million."


def test_a_long_passage_is_read_in_windows_that_lose_no_sentence() -> None:
    encoder = Encoder(locate(BUILT_IN), max_tokens=40)
    text = " ".join(f"Sentence number {n} says a little." for n in range(20))
    windows = encoder.windows("Which one says it?", text)
    assert len(windows) > 1
    assert all(len(window.ids) <= 40 for window in windows)
    said = [text[a:b] for w in windows for a, b in (s.span for s in w.sentences)]
    assert " ".join(said) == text


def test_a_long_question_leaves_room_for_the_passage(encoder: Encoder) -> None:
    (window,) = encoder.windows("why " * 500, TEXT)
    assert len(window.sentences) == 2


def test_an_empty_passage_has_no_window(encoder: Encoder) -> None:
    assert encoder.windows("Why?", " \n ") == []


def test_groups_fit_and_are_even() -> None:
    assert lengths([5, 5, 5, 5], 30) == [[5, 5, 5, 5]]
    assert lengths([5] * 8, 30) == [[5] * 4, [5] * 4]
    assert lengths([20, 20, 5], 30) == [[20], [20, 5]]


def test_a_sentence_longer_than_a_window_is_cut_and_stands_alone() -> None:
    assert lengths([50, 5], 10) == [[10], [5]]


def test_a_sentence_without_tokens_is_left_out() -> None:
    assert lengths([0, 5, 0], 10) == [[5]]


def test_a_folder_without_tokenizer_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no tokenizer"):
        Encoder(tmp_path)


def test_a_passage_is_cut_once_until_too_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[str] = []

    def spans(text: str) -> list[Span]:
        cut.append(text)
        return sentence_spans(text)

    monkeypatch.setattr(cutting, "sentence_spans", spans)
    monkeypatch.setattr(cutting, "KEPT_PASSAGES", 2)
    encoder = Encoder(locate(BUILT_IN))
    for text in ("One.", "Two.", "One.", "Two.", "Three.", "Three.", "One."):
        assert encoder.windows("Why?", text)
    assert cut == ["One.", "Two.", "Three.", "One."]
