"""Files → articles: Markdown with front matter, plain text, and JSONL, one file or a folder.

Whatever can't become an article is told in one sentence and passed over; the rest goes on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import yaml

from corpus.article import Article, distinct, utc
from corpus.errors import InputError
from corpus.library import now

# A book has about 600,000 characters. Longer "articles" are dumps, and an hour of embedding.
MAX_CHARS = 2_000_000
MAX_FILE_BYTES = 4 * MAX_CHARS
MAX_LINE_BYTES = 7 * MAX_CHARS  # JSON may write a character as \u0001
MAX_TITLE_CHARS = 1_000
LONGEST_TITLE_LINE = 200  # a first line longer than that is a paragraph, not a title
CLOCK_SKEW = timedelta(days=1)  # a feed east of us may be a day ahead

TEXT_FIELDS = ("title", "text", "url", "publisher", "author", "kind", "provenance", "licence")


@dataclass(frozen=True, slots=True)
class Imported:
    """An article, where it stood, and what had to be set right in it."""

    where: str
    article: Article
    notes: tuple[str, ...] = ()
    fetched: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A file or line that is not an article, and why."""

    where: str
    reason: str


Item = Imported | Refused


def read_path(path: Path) -> Iterator[Item]:
    """The articles in a file, or in all files below a folder, in order of their paths.

    Raises InputError when `path` is not there or is a file of a kind that can't be read.
    """
    if path.is_dir():
        yield from _read_folder(path)
    elif not path.exists():
        raise InputError(f"There is no file or folder {path}.", "Check the path.")
    elif path.suffix.lower() not in READERS:
        raise InputError(f"{path} is not of a kind that Groundwire reads.", KINDS)
    else:
        yield from _read_file(path)


def _read_folder(folder: Path) -> Iterator[Item]:
    refused: list[Refused] = []

    def refuse(error: OSError) -> None:
        refused.append(Refused(str(error.filename), f"can't be read: {error.strerror}"))

    # Links to folders are not followed: they may lead round in a circle.
    for root, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield from _read_member(Path(root, name))
    yield from refused


def _read_member(path: Path) -> Iterator[Item]:
    kind = path.suffix.lower()
    if kind in READERS:
        yield from _read_file(path)
    elif kind not in {".toml", ".py"}:
        yield Refused(str(path), f"not of a kind that Groundwire reads; {KINDS}")


def _read_file(path: Path) -> Iterator[Item]:
    try:
        yield from READERS[path.suffix.lower()](path)
    except InputError as error:
        yield Refused(str(path), error.message)
    except OSError as error:
        yield Refused(str(path), f"can't be read: {error.strerror}")


def read_markdown(path: Path) -> Iterator[Item]:
    """One article: YAML front matter between `---` lines, then the text."""
    content = _read_text(path)
    head, body = _split_front_matter(content)
    if head is None:
        yield _from_fields({"title": _first_line(body, path), "text": body}, str(path), "")
        return
    try:
        fields = yaml.safe_load(head)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # "2025-13-45" is a ValueError
        raise InputError(f"its front matter is not valid YAML ({_yaml_problem(error)})") from error
    if not isinstance(fields, dict):
        raise InputError("its front matter is not a list of `field: value` lines")
    fields.setdefault("title", _first_line(body, path))
    yield _from_fields({**fields, "text": body}, str(path), "front matter")


def read_text(path: Path) -> Iterator[Item]:
    """One article: the first line is the title where it is short, else the file's name is."""
    content = _read_text(path)
    yield _from_fields({"title": _first_line(content, path), "text": content}, str(path), "")


def read_jsonl(path: Path) -> Iterator[Item]:
    """One article a line. A bad line is reported with its number; the others go in."""
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file), 1):
            where = f"{path}:{number}"
            if not line.strip():
                continue
            try:
                yield _from_fields(_parse_line(line), where, "import")
            except InputError as error:
                yield Refused(where, error.message)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines, of which an overlong one is cut just beyond the limit and the rest not kept."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        rest = line
        while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES + 1)
        yield line


def _parse_line(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise InputError(f"more than {MAX_LINE_BYTES / 1e6:,.0f} MB long, so split it into several")
    try:
        fields = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError("not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise InputError(f"not valid JSON ({error.msg} at column {error.colno})") from error
    except ValueError as error:  # a number of more than 4,300 digits
        raise InputError("not valid JSON (a number is too long)") from error
    except RecursionError as error:
        raise InputError("not an article (nested too deeply)") from error
    if not isinstance(fields, dict):
        raise InputError("not a JSON object")
    return fields


def _from_fields(fields: Mapping[str, Any], where: str, found: str) -> Imported:
    """An article from named fields, as front matter and JSONL give them."""
    text: dict[str, Any] = {name: _text_field(fields, name) for name in TEXT_FIELDS}
    body = (text.pop("text") or "").replace("\r\n", "\n").replace("\r", "\n").strip()
    title = text.pop("title")
    if not body:
        raise InputError("it has no text" if not title else f"the article {title!r} has no text")
    if not title:
        raise InputError("it has no title")
    if len(body) > MAX_CHARS:
        raise InputError(
            f"its text has {len(body):,} characters; an article may have {MAX_CHARS:,}, "
            "so split it into several"
        )
    if len(title) > MAX_TITLE_CHARS:
        raise InputError(f"its title has more than {MAX_TITLE_CHARS:,} characters")
    notes = []
    if text["url"] is not None and not _is_web_address(text["url"]):
        notes.append(f"url {text['url'][:80]!r} is not a web address, so it is left out")
        text["url"] = None
    article = Article(
        title=" ".join(title.split()),
        text=body,
        **{**text, "kind": text["kind"] or "article"},
        topics=_topics(fields.get("topics")),
    )
    return _with_dates(Imported(where, article, tuple(notes)), fields, found)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # "http://[::1"
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and len(url.split()) == 1


def _with_dates(item: Imported, fields: Mapping[str, Any], found: str) -> Imported:
    """A date that can't be read is noted and left out: undated is not today."""
    notes = list(item.notes)
    moments: dict[str, datetime | None] = {}
    for name in ("published", "updated", "fetched"):
        try:
            moments[name] = _moment(fields.get(name))
        except InputError as error:
            moments[name] = None
            notes.append(f"{name} {error.message}, so it is left out")
    dated = replace(
        item.article,
        published=moments["published"],
        updated=moments["updated"],
        date_found=(_text_field(fields, "date_found") or found) if moments["published"] else "",
    )
    return Imported(item.where, dated, tuple(notes), moments["fetched"])


def _moment(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        moment = _read_moment(value)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{str(value)[:40]!r} is not an ISO date like 2025-08-05") from error
    if moment > now() + CLOCK_SKEW:
        raise InputError(f"{moment.date().isoformat()} lies in the future")
    return moment.replace(microsecond=0)


def _read_moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, str):
        raise ValueError(value)  # 20250805, or a list
    return utc(datetime.fromisoformat(value.strip()))


def _text_field(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool | dict | list):
        raise InputError(f"its field {name!r} is not text")
    return _clean(str(value)) or None


def _clean(text: str) -> str:
    """Without lone surrogates, which JSON can smuggle in and no database holds, and NULs."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "").strip()


def _topics(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list) or any(isinstance(item, dict | list) for item in value):
        raise InputError("its field 'topics' is not a list of words")
    topics = (_clean(str(topic)) for topic in value if topic is not None)
    return distinct(topic for topic in topics if topic)


def _read_text(path: Path) -> str:
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise InputError(
            f"its {size / 1e6:,.0f} MB are more than an article may have "
            f"({MAX_CHARS:,} characters), so split it into several"
        )
    content = path.read_bytes()
    if b"\x00" in content:
        raise InputError("it is a binary file, not text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("it is not UTF-8 text") from error


def _split_front_matter(content: str) -> tuple[str | None, str]:
    lines = content.splitlines(keepends=True)
    if not lines or lines[0].strip() != "---":
        return None, content
    for at, line in enumerate(lines[1:], 1):
        if line.strip() == "---":
            return "".join(lines[1:at]), "".join(lines[at + 1 :])
    raise InputError("its front matter does not end with a line of ---")


def _first_line(text: str, path: Path) -> str:
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    first = first.lstrip("# ").strip()
    return first if 0 < len(first) <= LONGEST_TITLE_LINE else path.stem


def _yaml_problem(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or (str(error).splitlines() or ["unreadable"])[0]
    return f"{problem} in line {mark.line + 2}" if mark else str(problem)


READERS: dict[str, Callable[[Path], Iterator[Item]]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_text,
    ".text": read_text,
    ".jsonl": read_jsonl,
}
KINDS = f"it reads {', '.join(READERS)}."
