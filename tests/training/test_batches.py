from __future__ import annotations

import random

from rag.windows import Encoder
from training.reader.batches import Group, batches, inputs, label, right_sentences, targets
from training.reader.data import Marked
from training.reader.examples import Example

TEXT = "It came in May. It cost $3 million. Few bought it."
COST = Marked(TEXT, ((24, 34),))
EXAMPLE = Example("What did it cost?", (COST, Marked("It was cheap.")))


def group(encoder: Encoder, example: Example = EXAMPLE) -> Group:
    return label(encoder, example, random.Random(1))


def test_the_gold_tokens_say_the_answer(encoder: Encoder) -> None:
    right, rival = group(encoder)
    first, last = (place - right.window.start for place in right.answer)
    assert TEXT[right.window.tokens[first][0] : right.window.tokens[last][1]] == "$3 million"
    assert right.right == {1}
    assert (rival.right, rival.answer) == (frozenset(), (0, 0))


def test_of_a_long_passage_the_window_with_the_answer_is_trained_on(encoder: Encoder) -> None:
    filler = "Nothing of note was said on that day either. " * 60
    passage = Marked(filler + TEXT, ((len(filler) + 24, len(filler) + 34),))
    (found,) = group(encoder, Example("What did it cost?", (passage,)))
    assert len(found.right) == 1
    assert found.answer[0] > 0


def test_an_answer_over_two_sentences_marks_both(encoder: Encoder) -> None:
    (window,) = encoder.windows("What?", TEXT)
    assert right_sentences(window, [(5, 20)]) == {0, 1}
    assert right_sentences(window, [(0, 3), (40, 42)]) == {0, 2}


def test_a_passage_without_words_is_left_out(encoder: Encoder) -> None:
    assert len(group(encoder, Example("What?", (COST, Marked(" "))))) == 1


def test_inputs_are_padded_to_the_longest(encoder: Encoder) -> None:
    windows = [labelled.window for labelled in group(encoder)]
    given = inputs(windows)
    sizes = [len(window.ids) for window in windows]
    assert given.ids.shape == (2, max(sizes))
    assert given.mask.sum(-1).tolist() == sizes
    assert set(given.sentence_of[1, sizes[1] :].tolist()) == {-1}


def test_targets_line_up_with_the_windows(encoder: Encoder) -> None:
    gold = targets([group(encoder), group(encoder, Example("Who?", (Marked(TEXT),)))])
    assert gold.group.tolist() == [0, 0, 1]
    assert gold.passage.tolist() == [1, 0, 0]
    assert gold.sentence.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert gold.real.tolist() == [[True] * 3, [True, False, False], [True] * 3]
    assert (gold.start > 0).tolist() == [True, False, False]


def test_batches_hold_every_group_once_and_never_too_many_windows(encoder: Encoder) -> None:
    groups = [group(encoder, Example(f"Question {n}?", EXAMPLE.passages)) for n in range(11)]
    made = list(batches(groups, 5, random.Random(1)))
    assert all(sum(map(len, batch)) <= 5 for batch in made)
    assert sorted(map(id, groups)) == sorted(id(one) for batch in made for one in batch)


def test_a_batch_holds_windows_of_similar_length(encoder: Encoder) -> None:
    texts = ["Few bought it. " * (1 + n % 10) for n in range(40)]
    groups = [group(encoder, Example("Who?", (Marked(text),))) for text in texts]
    for batch in batches(groups, 4, random.Random(1)):
        assert len({len(one[0].window.ids) for one in batch}) == 1
