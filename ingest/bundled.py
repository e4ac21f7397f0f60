"""The corpus that comes with Groundwire: something to ask from the first minute."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import corpus
from ingest.files import Item, read_path

ARTICLES = Path(corpus.__file__).parent / "articles"


def bundled_articles() -> Iterator[Item]:
    """The digests under corpus/articles."""
    yield from read_path(ARTICLES)
