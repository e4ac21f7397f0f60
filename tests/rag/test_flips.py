from __future__ import annotations

import pytest

from rag.flips import direction_flip, negation_alone, negation_flip, role_swap


@pytest.mark.parametrize(
    ("statement", "source", "flipped"),
    [
        ("OpenAI released the weights.", "OpenAI did not release the weights.", True),
        ("OpenAI never released the weights.", "OpenAI released the weights.", True),
        ("It refused to publish the data.", "It published the data.", True),
        ("It failed to publish the data.", "It did not publish the data.", False),
        ("It denied copying.", "It denied copying.", False),
        ("Not only the weights were released.", "The weights were released.", False),
        ("The price fell.", "The amount is unknown; the price fell.", False),
        ("It works without a network.", "It works with a network.", True),
    ],
)
def test_negation(statement: str, source: str, flipped: bool) -> None:
    assert (negation_flip(statement, source) is not None) is flipped


def test_a_denial_needs_one_in_the_source() -> None:
    assert negation_alone("They did not comment.", "They spoke at length.")
    assert not negation_alone("They did not comment.", "They never replied.")


@pytest.mark.parametrize(
    ("statement", "source", "flipped"),
    [
        ("Prices rose by 5%.", "Prices fell by 5%.", True),
        ("Prices increased by 5%.", "Prices rose by 5%.", False),
        ("It is more expensive.", "It is cheaper.", True),
        ("It came before GPT-5.", "It came after GPT-5.", True),
        ("Revenue doubled.", "Revenue halved.", True),
        ("It was the first to do so.", "It was the last to do so.", True),
        ("It came last week.", "It was the first model.", False),
        ("It needs at least 16 GB.", "It needs up to 16 GB.", True),
        ("It has up to 16 GB.", "It has less than others.", False),
        ("It won.", "It lost.", True),
        ("A is faster but costs more.", "A is faster yet more costly; B is slower.", False),
    ],
)
def test_direction(statement: str, source: str, flipped: bool) -> None:
    assert (direction_flip(statement, source) is not None) is flipped


def test_a_direction_said_next_to_the_sentence_is_no_flip() -> None:
    assert direction_flip("The price rose.", "It fell at first.", "Then it rose.") is None


@pytest.mark.parametrize(
    ("statement", "source", "swapped"),
    [
        ("OpenAI acquired Windsurf.", "Windsurf acquired OpenAI.", True),
        ("OpenAI bought Windsurf.", "Windsurf was acquired by OpenAI.", False),
        ("Windsurf was bought by OpenAI.", "Windsurf bought OpenAI.", True),
        ("Kimi K2 beats Grok 4.", "Grok 4 beats Kimi K2.", True),
        ("Grok 4 is cheaper than Kimi K2.", "Kimi K2 is cheaper than Grok 4.", True),
        ("OpenAI met Microsoft.", "Microsoft met OpenAI.", False),
    ],
)
def test_roles(statement: str, source: str, swapped: bool) -> None:
    assert (role_swap(statement, source) is not None) is swapped
