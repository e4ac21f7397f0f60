"""Files are read field by field, and a malformed one is refused by file, place and reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import InputError
from evals.public.fields import Fields, read_array, read_lines, read_object


def test_the_place_of_a_nested_object_leads_to_it() -> None:
    file = Fields("dev.json", {"data": [{}, {"paragraphs": [{"context": 3}]}]})
    paragraph = next(iter(list(file.objects("data"))[1].objects("paragraphs")))
    with pytest.raises(
        InputError, match=r"dev.json, data 2, paragraphs 1: `context` is not a text"
    ):
        paragraph.text("context")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "`name` is missing"),
        ({"name": None}, "`name` is not a text"),
        ({"name": " \n"}, "`name` is blank"),
    ],
)
def test_a_text_is_there_and_not_blank(values: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=f"f.json: {reason}"):
        Fields("f.json", values).text("name")


def test_what_may_be_missing_is_none_but_never_a_number() -> None:
    fields = Fields("f.json", {"blank": " ", "null": None, "number": 3, "text": " a "})
    assert [fields.text_if_any(name) for name in ("blank", "null", "absent", "text")] == [
        *[None] * 3,
        "a",
    ]
    with pytest.raises(InputError, match="`number` is not a text"):
        fields.text_if_any("number")


def test_lists_hold_what_they_should() -> None:
    fields = Fields("f.json", {"mixed": ["a", 1], "objects": [{}, "a"], "text": "abc"})
    with pytest.raises(InputError, match="`mixed` is not a list of texts"):
        fields.texts("mixed")
    with pytest.raises(InputError, match=r"f.json, objects 2: a JSON object"):
        list(fields.objects("objects"))
    with pytest.raises(InputError, match="`text` is not a list"):
        fields.list("text")


def test_lines_are_numbered_as_an_editor_does(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": "x\u2028y"}\n\n{"a": \n', "utf-8")
    with pytest.raises(InputError, match=r"a.jsonl, line 3: not JSON"):
        read_lines(path)
    path.write_text('{"a": "x\u2028y"}\n\n{"a": "z"}\n', "utf-8")
    assert [line.where for line in read_lines(path)] == [f"{path}, line 1", f"{path}, line 3"]


@pytest.mark.parametrize("content", ["[]", "{}", "3"])
def test_an_array_is_an_array_with_something_in_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content, "utf-8")
    with pytest.raises(InputError, match="a JSON array of objects is expected"):
        read_array(path)


def test_a_fault_of_json_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{\n"a": 1,\n}', "utf-8")
    with pytest.raises(InputError, match=r"a.json, line \d: not JSON"):
        read_object(path)


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(InputError, match="can't be read as UTF-8"):
        read_object(path)
    path.write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match="can't be read as UTF-8"):
        read_object(path)
    path.write_text("[" * 200_000, "utf-8")
    with pytest.raises(InputError, match=r"a.json: (nested too deeply|not JSON)"):
        read_object(path)
