"""The page as a file: complete, closed to the outside, and deaf to markup in strangers' text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest

from evals.report.page import page
from tests.evals.report.samples import ATTACK, ITEMS, NEWS, many, record, system

EMPTY = {"meta", "input", "link", "img", "br"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    inside: str = ""


@dataclass
class Reader(HTMLParser):
    """All elements with the text in them; notes tags that are closed out of order."""

    elements: list[Element] = field(default_factory=list)
    stack: list[Element] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {key: value or "" for key, value in attrs})
        self.elements.append(element)
        if tag not in EMPTY:
            self.stack.append(element)

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop().tag != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        for element in self.stack:
            element.inside += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def tagged(html: str, tag: str) -> list[Element]:
    return [element for element in read(html).elements if element.tag == tag]


@pytest.fixture(scope="module")
def html() -> str:
    return page(many())


def test_every_element_is_closed_in_order(html: str) -> None:
    reader = read(html)
    assert reader.faults == []
    assert reader.stack == []


def test_markup_in_strangers_text_makes_no_elements(html: str) -> None:
    assert ATTACK in NEWS.text
    assert ATTACK not in html
    assert len(tagged(html, "script")) == 2
    assert tagged(html, "b") == []
    assert "<!--" not in html


def test_the_data_comes_out_of_its_script_whole(html: str) -> None:
    data, _ = tagged(html, "script")
    assert data.attributes == {"type": "application/json", "id": "data"}
    found = json.loads(data.inside)
    assert found["texts"][NEWS.id]["text"] == NEWS.text
    assert len(found["systems"]["ours/extractive"]) == len(ITEMS)


def test_the_policy_lets_run_this_script_and_style_and_load_nothing(html: str) -> None:
    (policy,) = (
        element.attributes["content"]
        for element in tagged(html, "meta")
        if element.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    (style,) = tagged(html, "style")
    script = tagged(html, "script")[1]
    assert rules == {
        "default-src": "'none'",
        "style-src": f"'{sha256(style.inside)}'",
        "script-src": f"'{sha256(script.inside)}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_nothing_is_asked_of_any_other_place(html: str) -> None:
    (style,) = tagged(html, "style")
    assert not re.search(r"url\(|@import|@font-face", style.inside)
    for element in read(html).elements:
        assert element.tag not in {"link", "img", "iframe", "object", "base"}
        assert not {"src", "style", "srcset", "xlink:href"} & element.attributes.keys()
        assert not any(name.startswith("on") for name in element.attributes)
        assert element.attributes.get("href", "#").startswith("#")


def test_links_lead_to_sections_that_are_there(html: str) -> None:
    ids = [e.attributes["id"] for e in read(html).elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    assert {e.attributes["href"][1:] for e in tagged(html, "a")} <= set(ids)


def test_charts_have_words_and_fields_have_labels(html: str) -> None:
    charts = tagged(html, "svg")
    assert len(charts) == 7 + 7 + 3 + 1
    assert all(chart.attributes["aria-label"] for chart in charts)
    labels = "".join(label.inside for label in tagged(html, "label"))
    assert all(word in labels for word in ("System", "Kind", "What happened", "Text"))


def test_light_and_dark_and_phones_are_styled(html: str) -> None:
    (style,) = tagged(html, "style")
    assert "prefers-color-scheme: dark" in style.inside
    assert "prefers-reduced-motion" in style.inside
    assert any(e.attributes.get("name") == "viewport" for e in tagged(html, "meta"))


def test_the_headline_never_parts_faithfulness_from_the_answer_rate() -> None:
    (title,) = tagged(page(record()), "h1")
    assert "83.3 % of statements" in title.inside
    assert "66.6 % of answerable questions" in title.inside


def test_a_system_that_says_nothing_has_a_page() -> None:
    silent = [one for one in ITEMS if one["id"] in {"broken", "shy", "silent"}]
    (title,) = tagged(page(record({"ours/mute": system(silent)})), "h1")
    assert title.inside == "How the answers held up"


def test_what_was_not_measured_is_said() -> None:
    html = page(record())
    sections = {e.attributes["id"]: e.inside for e in tagged(html, "section")}
    assert "not measured" in sections["judge"]
    assert "Only one system" in sections["parts"]


def test_differences_are_in_the_table_of_parts(html: str) -> None:
    sections: dict[str, Any] = {e.attributes["id"]: e.inside for e in tagged(html, "section")}
    assert "−0.833*" in sections["parts"]
    assert "99" not in sections["parts"]
    assert "number (200)" in sections["judge"]
