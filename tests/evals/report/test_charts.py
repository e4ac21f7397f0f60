"""Charts are well-formed SVG, and things stand where their values say."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from evals.report.charts import LABELS, WIDTH, Row, Times, dots, reliability, spread

Element = ElementTree.Element


def drawn(svg: str) -> Element:
    return ElementTree.fromstring(svg)


def classed(root: Element, name: str) -> list[Element]:
    return [e for e in root.iter() if name in e.get("class", "").split()]


def numbers(elements: list[Element], key: str) -> list[float]:
    return [float(element.attrib[key]) for element in elements]


def test_a_dot_lies_on_its_interval_and_by_its_value() -> None:
    root = drawn(dots([Row("low", 0.0, 0.0, 0.5), Row("high", 1.0, 0.5, 1.0)], "two rows"))
    low, high = numbers(classed(root, "dot"), "cx")
    first, second = classed(root, "interval")
    assert float(first.attrib["x1"]) == low > LABELS
    assert float(second.attrib["x2"]) == high < WIDTH
    assert float(first.attrib["x2"]) == pytest.approx((low + high) / 2, abs=0.1)
    assert numbers(classed(root, "dot"), "cy") == [12, 36]


def test_what_has_no_value_has_no_dot() -> None:
    root = drawn(dots([Row("none", None), Row("bare", 0.5)], "two rows"))
    assert len(classed(root, "dot")) == 1
    assert classed(root, "interval") == []
    assert [e.text for e in classed(root, "value")] == ["–", "0.50"]


def test_labels_are_escaped_cut_and_whole_in_their_hint() -> None:
    label = "<b>a long & winding name</b>"
    root = drawn(dots([Row(label, 0.5)], 'say "<i>"'))
    assert root.get("aria-label") == 'say "<i>"'
    assert [e.text for e in classed(root, "label")] == [label[:19] + "…"]
    assert label in [e.text for e in root.iter("title")]


def test_the_mark_stands_at_its_value() -> None:
    root = drawn(dots([Row("row", 0.25)], "one row", mark=0.25))
    assert numbers(classed(root, "mark"), "x1") == numbers(classed(root, "dot"), "cx")


def test_an_honest_score_lies_on_the_diagonal() -> None:
    root = drawn(reliability([(0.5, 0.5, 10), (1.0, 0.0, 40)], "curve"))
    (diagonal,) = classed(root, "mark")
    (x0, x1), (y0, y1) = (
        [float(diagonal.attrib[key]) for key in keys] for keys in (("x1", "x2"), ("y1", "y2"))
    )
    honest, wrong = classed(root, "dot")
    assert float(honest.attrib["cx"]) == (x0 + x1) / 2
    assert float(honest.attrib["cy"]) == (y0 + y1) / 2
    assert (float(wrong.attrib["cx"]), float(wrong.attrib["cy"])) == (x1, y0)
    assert float(wrong.attrib["r"]) > float(honest.attrib["r"])


def test_times_are_spread_over_decades() -> None:
    root = drawn(spread([Times("fast", [10, 10, 12]), Times("slow", [900, 1100])], "times"))
    assert [e.text for e in classed(root, "tick") if e.get("text-anchor") == "middle"] == [
        "10 ms", "100 ms", "1 s", "10 s",
    ]  # fmt: skip
    fast, fast_95, slow, slow_95 = numbers(classed(root, "stroke"), "x1")
    assert fast <= fast_95 < slow < slow_95
    assert len(classed(root, "ridge")) == 2


def test_a_system_without_times_is_left_out() -> None:
    root = drawn(spread([Times("never", []), Times("once", [0])], "times"))
    assert [e.text for e in classed(root, "label")] == ["once"]
