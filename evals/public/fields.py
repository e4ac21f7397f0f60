"""Files of others, read field by field; what is malformed is refused by file, place and reason."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import InputError

REMEDY = "Correct it, or get the file anew."


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object, and where it stands: "corpus.json, item 3".

    Each method raises InputError where the field is missing or of another kind.
    """

    where: str
    values: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A text that is not blank."""
        value = self.string(name)
        if not value.strip():
            raise self.refused(f"`{name}` is blank")
        return value

    def string(self, name: str) -> str:
        """A text, blank or not."""
        value = self.value(name)
        if not isinstance(value, str):
            raise self.refused(f"`{name}` is not a text")
        return value

    def text_if_any(self, name: str) -> str | None:
        """A text; `None` where it is missing, null or blank."""
        present = self.values.get(name) is not None
        return (self.string(name).strip() or None) if present else None

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, blank or not."""
        values = self.list(name)
        if not all(isinstance(value, str) for value in values):
            raise self.refused(f"`{name}` is not a list of texts")
        return tuple(values)

    def objects(self, name: str) -> Iterator[Fields]:
        """The objects of a list, each with its place: "dev.json, data 1, paragraphs 2"."""
        for number, value in enumerate(self.list(name), 1):
            yield as_fields(f"{self.where}, {name} {number}", value)

    def list(self, name: str) -> list[Any]:
        value = self.value(name)
        if not isinstance(value, list):
            raise self.refused(f"`{name}` is not a list")
        return value

    def value(self, name: str) -> Any:
        if name not in self.values:
            raise self.refused(f"`{name}` is missing")
        return self.values[name]

    def refused(self, reason: str) -> InputError:
        """The error that says what is wrong here, to be raised."""
        return InputError(f"{self.where}: {reason}.", REMEDY)


def as_fields(where: str, value: object) -> Fields:
    """`value` as Fields; raises InputError where it is no JSON object."""
    if not isinstance(value, dict):
        raise InputError(f"{where}: a JSON object is expected here.", REMEDY)
    return Fields(where, value)


def read_object(path: Path) -> Fields:
    """The one object that the file `path` is."""
    return as_fields(str(path), _parsed(str(path), read_text(path)))


def read_array(path: Path) -> list[Fields]:
    """The objects of the array that the file `path` is; raises InputError where it has none."""
    values = _parsed(str(path), read_text(path))
    if not isinstance(values, list) or not values:
        raise InputError(f"{path}: a JSON array of objects is expected.", REMEDY)
    return [as_fields(f"{path}, item {n}", value) for n, value in enumerate(values, 1)]


def read_lines(path: Path) -> list[Fields]:
    """The objects of a file with one a line; raises InputError where it has none."""
    # Not splitlines: JSON may hold U+2028, which it would take for the end of a line.
    lines = enumerate(read_text(path).split("\n"), 1)
    places = [(f"{path}, line {number}", line) for number, line in lines if line.strip()]
    if not places:
        raise InputError(f"{path}: nothing stands in it.", REMEDY)
    return [as_fields(where, _parsed(where, line)) for where, line in places]


def read_text(path: Path) -> str:
    """The text of a file; raises InputError where it is not there or not UTF-8."""
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read as UTF-8 text.", "Check the path.") from error


def _parsed(where: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        at = f", line {error.lineno}" if "\n" in text.strip() else ""
        raise InputError(f"{where}{at}: not JSON ({error.msg}).", REMEDY) from error
    except RecursionError as error:
        raise InputError(f"{where}: nested too deeply.", REMEDY) from error
