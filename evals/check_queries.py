"""How well `rag.query` reads publishers and days, on questions labelled by another model.

    python -m evals.check_queries multihop_queries.jsonl [--show 20]

A line has `question` and `filter`, as {"source": {"$in": [...]}, "published_at": {"$in": [...]}}.
Labels that exclude ("$nin", "$ne") are left out. The publishers of the library are all those that
the labels name. Days count over the questions with labelled days: a window is read as its first and
its last day, the labels as the first and the last of theirs. (Elsewhere the labels leave out days
that the question does name: those of events, and some of articles.)
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rag.answer import Window
from rag.query import understand

TODAY = date(2024, 3, 1)  # after the last article of that set


@dataclass(slots=True)
class Count:
    """True positives, false positives and false negatives of one kind of finding.

    >>> count = Count(); count.add({"a", "b"}, {"b"}); count.precision, count.recall
    (0.5, 1.0)
    """

    right: int = 0
    extra: int = 0
    missed: int = 0
    exact: int = 0
    rows: int = 0

    def add(self, found: set[Hashable], labelled: set[Hashable]) -> None:
        self.right += len(found & labelled)
        self.extra += len(found - labelled)
        self.missed += len(labelled - found)
        self.exact += found == labelled
        self.rows += 1

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.extra)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)


def labels(row: dict[str, Any], field: str) -> list[str] | None:
    """What the filter demands of `field`: [] where it says nothing, None where it excludes."""
    rule = row["filter"].get(field, {"$in": []})
    return list(rule["$in"]) if "$in" in rule else None


def same(publisher: str) -> str:
    return publisher.casefold().removeprefix("the ")


def ends(days: Iterable[date | None]) -> set[Hashable]:
    known = [day for day in days if day]
    return {min(known), max(known)} if known else set()


def window_ends(window: Window) -> set[Hashable]:
    return ends((window.since, window.until))


def check(rows: list[dict[str, Any]], show: int) -> dict[str, Count]:
    library = sorted({name for row in rows for name in labels(row, "source") or ()})
    counts = {"publishers": Count(), "days": Count()}
    for row in rows:
        named, dated = labels(row, "source"), labels(row, "published_at")
        query = understand(row["question"], today=TODAY, publishers=library)
        if named is not None:
            found: set[Hashable] = {same(name) for name in query.publishers}
            wanted: set[Hashable] = {same(name) for name in named}
            counts["publishers"].add(found, wanted)
            if found != wanted and show > 0:
                show -= 1
                print(f"{row['question']}\n   found {sorted(found, key=str)}, labelled {named}\n")
        if dated:
            days = [datetime.strptime(day, "%B %d, %Y").date() for day in dated]
            counts["days"].add(window_ends(query.window), ends(days))
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("path", type=Path, help="JSON, one labelled question a line")
    parser.add_argument("--show", type=int, default=0, help="print so many disagreements")
    options = parser.parse_args()
    lines = options.path.read_text(encoding="utf-8").splitlines()
    counts = check([json.loads(line) for line in lines], options.show)
    print("              rows  precision  recall  same set")
    for kind, count in counts.items():
        share = count.exact / max(1, count.rows)
        print(
            f"{kind:<12} {count.rows:>5}      {count.precision:.3f}   {count.recall:.3f}"
            f"     {share:.3f}"
        )


if __name__ == "__main__":
    main()
