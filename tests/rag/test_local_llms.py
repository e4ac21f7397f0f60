from __future__ import annotations

import threading
from time import monotonic, sleep

import pytest

from rag.local_llms import completions, stream_text


def endless(on_text):
    while not on_text("again "):
        sleep(0.001)


def running():
    return [thread for thread in threading.enumerate() if thread.name.startswith("generate")]


def test_pieces_arrive_in_order():
    assert list(stream_text(lambda on_text: [on_text(piece) for piece in "abc"])) == list("abc")


def test_pieces_arrive_before_the_end():
    go_on = threading.Event()

    def generate(on_text):
        on_text("first")
        assert go_on.wait(5)
        on_text("second")

    stream = stream_text(generate)
    assert next(stream) == "first"
    go_on.set()
    assert list(stream) == ["second"]


def test_an_error_in_the_thread_is_raised_to_the_reader():
    def generate(on_text):
        on_text("half")
        raise RuntimeError("broken")

    stream = stream_text(generate)
    assert next(stream) == "half"
    with pytest.raises(RuntimeError, match="broken"):
        next(stream)


def test_closing_the_stream_ends_the_thread():
    stream = stream_text(endless)
    next(stream)
    assert running()
    began = monotonic()
    stream.close()
    assert not running()
    assert monotonic() - began < 1


def test_a_stream_that_is_never_read_starts_no_thread():
    stream_text(endless)
    assert not running()


def test_completions_carry_the_piece_and_all_text_so_far():
    responses = list(completions(lambda on_text: [on_text("a"), on_text("b")]))
    assert [(r.delta, r.text) for r in responses] == [("a", "a"), ("b", "ab")]
