"""A small record as a run makes it, of real values, with each sort of failure in it once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, get_args

from corpus.article import Article
from evals.metrics.bootstrap import percentile
from evals.questions import Kind, Nugget, Question, Quote
from evals.scores import FIGURES, Judged, Score, difference, estimates, score
from rag.answer import Answer, Citation, Statement, Window
from rag.followups import Turn

ATTACK = "<script>alert(1)</script>"
NEWS = Article(
    "Llama 🦙 costs $3 </script><b>now</b>",
    f"The llama 🦙 spoke. The model costs $3. It came out on 5 May. {ATTACK} <!-- <b>bold",
    url="https://example.com/llama?a=1&b=2",
    publisher="A & B",
)
OTHER = Article("Other news", "Nothing costs $4 here.", url="javascript:alert(2)")
PRICE, DAY = Nugget("costs $3", True, ("$3",)), Nugget("came out 5 May", True, ("5 May",))


def question(id: str, kind: Kind, **given: Any) -> Question:
    """What a question of that kind expects, if nothing else is given."""
    answerable = kind != "unanswerable"
    plain = Question(
        id=id,
        kind=kind,
        question=f"What of {id}?",
        answers=("$3",) if answerable else (),
        nuggets=(PRICE, DAY) if answerable else (),
        evidence=(Quote("news", "The model costs $3."),) if answerable else (),
        false_premise=False,
        known_entity=False,
        history=(),
        split="dev",
    )
    return replace(plain, **given)


def answer(*said: str, milliseconds: int = 400) -> Answer:
    """An answer that says each sentence and quotes the price for it; an abstention of none."""
    start = NEWS.text.index("The model")
    end = NEWS.text.index(" It came")
    citation = Citation(
        1, f"{NEWS.id}#{NEWS.revision}:0-50", NEWS.id, NEWS.title, NEWS.publisher, None, NEWS.url,
        NEWS.text[start:end], start, end, NEWS.revision,
    )  # fmt: skip
    return Answer(
        question="?",
        query="?",
        text=" [1] ".join(said),
        abstained=not said,
        reason=None if said else "Nothing near enough.",
        statements=tuple(Statement(text, (1,), 0.9, "supported") for text in said),
        citations=(citation,) if said else (),
        hits=(),
        window=Window(),
        model="extractive",
        as_of="2026-11-22",
        timings_ms={"total": milliseconds, "generate": 10},
    )


def item(
    asked: Question,
    said: Answer | None,
    *,
    found: Sequence[Sequence[int]] = ((0,),),
    unsupported: str = "",
) -> dict[str, Any]:
    """One of a system's items. Where `unsupported` says why, the first statement is."""
    statements = said.statements if said else ()
    judged = [
        Judged(s.text, not why, why, 0.1 if why else 0.9, not why, 1, int(not why))
        for n, s in enumerate(statements)
        for why in [unsupported if n == 0 else ""]
    ]
    return {
        "id": asked.id,
        "expected": listed(asdict(asked)),
        "answer": said.to_dict() if said else None,
        "error": None if said else "The model is gone. Fetch it.",
        "judged": [asdict(j) for j in judged],
        "quotes_in_hits": [list(numbers) for numbers in found],
        "scores": asdict(score(asked, list(found), 1, said, judged, None)),
    }


def listed(value: Any) -> Any:
    """Tuples as lists, as they are once they were in a file."""
    if isinstance(value, dict):
        return {key: listed(inside) for key, inside in value.items()}
    return [listed(inside) for inside in value] if isinstance(value, list | tuple) else value


RIGHT = item(question("right", "single"), answer("It costs $3, since 5 May."))
FAILED = {
    "error": item(question("broken", "dates"), None),
    "wrong abstain": item(
        question("shy", "followup", history=(Turn("And before?", "It was free."),)), answer()
    ),
    "should have abstained": item(
        question("bold", "unanswerable", known_entity=True, split="test"), answer("It is red.")
    ),
    "unsupported statement": item(
        question("wrong", "overtaken"),
        answer("It costs $3 since 5 May.", "So."),
        unsupported="$3 is not in [1]",
    ),
    "vital nugget missing": item(
        question("half", "across", question=f"How much? {ATTACK}"), answer(f"It's $3. {ATTACK}")
    ),
    "evidence not found": item(
        question("lost", "disagree"), answer("It costs $3 since 5 May."), found=((), ())
    ),
}
SILENT = item(question("silent", "unanswerable", false_premise=True), answer())
ITEMS = [RIGHT, *FAILED.values(), SILENT]


def scores(items: Sequence[dict[str, Any]]) -> list[Score]:
    return [Score(**one["scores"]) for one in items]


def system(
    items: Sequence[dict[str, Any]] = ITEMS,
    kind: str = "ours",
    model: str = "extractive",
    reference: Sequence[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """One of a record's systems, with its figures; `reference` are the items of the first."""
    against = {}
    for figure in FIGURES if reference else ():
        found = difference(figure, scores(items), scores(reference or ()))
        against[figure.name] = asdict(found) if found else None
    return {
        "kind": kind,
        "model": model,
        "about": f"what {model} is, {ATTACK}",
        "figures": {name: _figures(group) for name, group in _groups(items).items() if group},
        "against": against or None,
        "items": list(items),
    }


def _groups(items: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    def where(key: str, value: object) -> list[dict[str, Any]]:
        return [one for one in items if one["expected"][key] == value]

    return {
        "all": list(items),
        **{split: where("split", split) for split in ("dev", "test")},
        **{kind: where("kind", kind) for kind in get_args(Kind)},
        "false premise": where("false_premise", True),
        "known entity": where("known_entity", True),
    }


def _figures(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    times = [s.milliseconds for s in scores(items) if s.milliseconds is not None]
    return {
        "questions": len(items),
        **{name: asdict(e) if e else None for name, e in estimates(scores(items)).items()},
        "latency_p50_ms": percentile(times, 50),
        "latency_p95_ms": percentile(times, 95),
        "tokens_per_second": None,
    }


RULER = {
    "judge": "verifier",
    "auroc": 0.96,
    "balanced_accuracy": 0.91,
    "threshold": 0.5,
    "caught": {"number": {"share": 0.99, "of": 200}, "addition": {"share": 0.6, "of": 150}},
    "balance": {"number": {"share": 0.995, "of": 200}},
    "accepted": {"verbatim": {"share": 1.0, "of": 300}},
    "reliability": [{"score": 0.1, "true": 0.2, "of": 40}, {"score": 0.9, "true": 0.95, "of": 60}],
}


def record(
    systems: dict[str, Any] | None = None, ruler: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A run; of one system, if none is given."""
    return {
        "started": "2026-11-22T17:30:00+00:00",
        "split": "all",
        "judge": {"name": "verifier", "fingerprint": "v1"},
        "data": {"questions": len(ITEMS), "questions_sha256": "q1", "articles": 2,
                 "articles_sha256": "a1"},
        "passages": 3,
        "fingerprints": {"embedder": "e1", "reader": "r1", "verifier": "v1"},
        "figures": [
            {"name": f.name, "label": f.label, "higher_is_better": f.higher_is_better}
            for f in FIGURES
        ],
        "systems": systems or {"ours/extractive": system()},
        "ruler": ruler,
        "texts": {
            article.id: {"title": article.title, "publisher": article.publisher,
                         "published": article.day, "url": article.url, "text": article.text}
            for article in (NEWS, OTHER)
        },
    }  # fmt: skip


def many() -> dict[str, Any]:
    """A run of all kinds of systems, with a ruler."""
    worse = [item(question(one["id"], one["expected"]["kind"]), None, found=()) for one in ITEMS]
    return record(
        {
            "ours/extractive": system(),
            "ours/smollm2": system(model="smollm2", reference=ITEMS),
            "no verifier/smollm2": system(kind="ablation", reference=ITEMS),
            "naive": system(worse, kind="baseline", reference=ITEMS),
        },
        RULER,
    )
