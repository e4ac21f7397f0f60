"""The ruler is itself measured: how well does each judge tell true statements from false ones?

    groundwire eval ruler [--judge NAME]... [--nli FILE] [--json]

The pairs are made by rule (`evals.pairs`), so their truth is known. Articles are dealt into halves:
a judge's threshold is frozen on one, and every figure comes from the other. With `--nli` the same
is done on an entailment data set that people labelled, source by source.

A judge that can't be read leaves a pair unscored and counted: it is in no figure.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from corpus.article import short_hash
from corpus.errors import InputError
from evals.judges import Claim, Grade, as_context, load_judge
from evals.metrics.classification import auroc, balanced_accuracy, best_threshold
from evals.pairs import Sample, load_articles, ruler_samples
from evals.report import terminal

if TYPE_CHECKING:
    from rich.table import Table

    from corpus.settings import Settings

DEFAULT_JUDGES = ("verifier",)
BATCH = 64  # pairs between two ticks
BINS = 10

Tick = Callable[[str, int, int | None], None]  # name, done, of


class Judge(Protocol):
    """What the ruler needs of a judge; those of `evals.judges` have it."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    def grades(self, claims: Sequence[Claim]) -> list[Grade]: ...


@dataclass(frozen=True, slots=True)
class Probe:
    """A claim whose truth is known. `kind` says what made it, or where it is from.

    `freezing` ones set the threshold; the others are reported.
    """

    claim: Claim
    kind: str
    true: bool
    freezing: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """Reported pairs whose score lies in [low, low + 0.1): their mean score and share of true."""

    low: float
    count: int
    mean_score: float | None
    share_true: float | None


@dataclass(frozen=True, slots=True)
class Decided:
    """What a judge's yes and no are worth on the reported half, in shares of 1.

    `recall` is the share caught by kind of false statement, `acceptance` the share accepted by kind
    of true statement, `balance` the balanced accuracy of each false kind against all true ones.
    """

    balanced_accuracy: float | None
    false_support: float | None
    recall: Mapping[str, float]
    acceptance: Mapping[str, float]
    balance: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Ruling:
    """How well one judge tells true from false.

    `frozen` decides at `threshold`, which was best on the other half; `own` by the judge's own yes
    and no. `counts` are pairs reported by kind, unreadable ones among them.
    """

    judge: str
    fingerprint: str
    auroc: float | None
    threshold: float | None
    frozen: Decided | None
    own: Decided
    bins: tuple[Bin, ...]
    counts: Mapping[str, int]
    unreadable: int
    ms_per_pair: float

    @property
    def pairs(self) -> int:
        return sum(self.counts.values())

    @property
    def frozen_accuracy(self) -> float | None:
        """Balanced accuracy at the frozen threshold."""
        return self.frozen.balanced_accuracy if self.frozen else None

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "pairs": self.pairs}


# One probe with what the judge said of it; only readable ones.
Graded = Sequence[tuple[Probe, Grade]]


# Measuring ----------------------------------------------------------------------------------------


def measure(judge: Judge, probes: Sequence[Probe], tick: Tick) -> Ruling:
    """Grade all probes and count. `tick` hears the judge's name, how many are done, and of all."""
    started = time.perf_counter()
    grades = _graded(judge, probes, tick)
    spent = time.perf_counter() - started
    return ruling(judge, probes, grades, 1000 * spent / max(1, len(probes)))


def measure_each(judge: Judge, probes: Sequence[Probe], tick: Tick) -> dict[str, Ruling]:
    """The ruling on each kind alone, its threshold frozen on its own freezing half."""
    by_kind: dict[str, list[Probe]] = defaultdict(list)
    for probe in probes:
        by_kind[probe.kind].append(probe)
    return {kind: measure(judge, each, tick) for kind, each in by_kind.items()}


def _graded(judge: Judge, probes: Sequence[Probe], tick: Tick) -> list[Grade]:
    grades: list[Grade] = []
    for start in range(0, len(probes), BATCH):
        grades += judge.grades([probe.claim for probe in probes[start : start + BATCH]])
        tick(judge.name, len(grades), len(probes))
    return grades


def ruling(
    judge: Judge, probes: Sequence[Probe], grades: Sequence[Grade], ms_per_pair: float
) -> Ruling:
    """Every figure, from the grades of `probes`, one each and in order."""
    both = list(zip(probes, grades, strict=True))
    freezing = [(p, g) for p, g in both if p.freezing and g.passing is not None]
    reported = [(p, g) for p, g in both if not p.freezing]
    read = [(p, g) for p, g in reported if g.passing is not None]
    threshold = best_threshold(*_scores(freezing))
    return Ruling(
        judge=judge.name,
        fingerprint=judge.fingerprint,
        auroc=auroc(*_scores(read)),
        threshold=threshold,
        frozen=None if threshold is None else decided(read, lambda g: _score(g) >= threshold),
        own=decided(read, lambda g: bool(g.passing)),
        bins=_bins(read),
        counts=_counts(reported),
        unreadable=len(reported) - len(read),
        ms_per_pair=round(ms_per_pair, 3),
    )


def _score(grade: Grade) -> float:
    """A judge that only says yes or no scores 1 or 0."""
    return float(bool(grade.passing)) if grade.score is None else grade.score


def _scores(graded: Graded) -> tuple[list[float], list[bool]]:
    return [_score(grade) for _, grade in graded], [probe.true for probe, _ in graded]


def decided(graded: Graded, says_yes: Callable[[Grade], bool]) -> Decided:
    """What the yes and no of `says_yes` are worth on `graded`."""
    yes: dict[bool, dict[str, list[bool]]] = {True: defaultdict(list), False: defaultdict(list)}
    for probe, grade in graded:
        yes[probe.true][probe.kind].append(says_yes(grade))
    accepted, passed = _share(yes[True]), _share(yes[False])
    recall = {kind: 1 - _mean(votes) for kind, votes in yes[False].items()}
    return Decided(
        balanced_accuracy=balanced_accuracy(
            [says_yes(grade) for _, grade in graded], [probe.true for probe, _ in graded]
        ),
        false_support=passed,
        recall=recall,
        acceptance={kind: _mean(votes) for kind, votes in yes[True].items()},
        balance={} if accepted is None else {k: (r + accepted) / 2 for k, r in recall.items()},
    )


def _share(votes: Mapping[str, Sequence[bool]]) -> float | None:
    every = [vote for each in votes.values() for vote in each]
    return _mean(every) if every else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _counts(graded: Graded) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for probe, _ in graded:
        counts[probe.kind] += 1
    return dict(counts)


def _bins(graded: Graded) -> tuple[Bin, ...]:
    """The reliability of the score: where it is calibrated, both columns of a bin are equal."""
    found: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for probe, grade in graded:
        score = _score(grade)
        found[max(0, min(BINS - 1, int(score * BINS)))].append((score, probe.true))
    return tuple(
        Bin(
            low=i / BINS,
            count=len(here),
            mean_score=_mean([score for score, _ in here]) if here else None,
            share_true=_mean([true for _, true in here]) if here else None,
        )
        for i, here in enumerate(found)
    )


# Probes -------------------------------------------------------------------------------------------


def probes_of(samples: Sequence[Sample]) -> list[Probe]:
    """Pairs made by rule as probes; thresholds are frozen on the half that the verifier knows."""
    return [
        Probe(Claim(s.pair.statement, (as_context(s.pair.hit),)), s.kind, s.true, s.fit)
        for s in samples
    ]


def nli_claims(path: Path) -> list[Probe]:
    """The lines of a JSONL file as probes: `premise`, `hypothesis`, `supported`, `source`.

    `supported` is 0, 1, true or false. The hash of the premise says which half a line is in, so all
    lines of a premise are in one. Raises InputError, naming file, line and reason, at the first
    line that can't be used.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read ({error}).", "Name a JSONL file.") from error
    probes = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                probes.append(_nli_claim(line))
            except ValueError as fault:
                message = f"{path}, line {number}: {fault}."
                raise InputError(message, "Correct or remove that line.") from fault
    return probes


def _nli_claim(line: str) -> Probe:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON ({error.msg})") from error
    if not isinstance(row, dict):
        raise ValueError("it is no JSON object")
    for key in ("premise", "hypothesis"):
        if not isinstance(row.get(key), str) or not row[key].strip():
            raise ValueError(f"“{key}” is missing or empty")
    if row.get("supported") not in (0, 1):
        raise ValueError("“supported” is neither 0 nor 1")
    source = row.get("source", "")
    if not isinstance(source, str):
        raise ValueError("“source” is no text")
    first_half = int(short_hash(row["premise"]), 16) % 2 == 0
    claim = Claim(row["hypothesis"], (row["premise"],))
    return Probe(claim, source or "unnamed", bool(row["supported"]), first_half)


# The command --------------------------------------------------------------------------------------


def run_ruler(
    settings: Settings, judge_names: Sequence[str], nli: Path | None, as_json: bool
) -> int:
    """Measure the judges and print what they are worth; the exit code, always 0.

    Raises InputError for a data set, UsageError for a judge's name and ModelError for a model that
    can't be used.
    """
    labelled = nli_claims(nli) if nli else []
    probes = probes_of(ruler_samples(load_articles()))
    rulings: list[Ruling] = []
    by_source: dict[str, dict[str, Ruling]] = {}
    with terminal.progress() as tick:
        for name in judge_names or DEFAULT_JUDGES:
            judge = load_judge(name, settings)
            rulings.append(measure(judge, probes, tick))
            if labelled:
                by_source[judge.name] = measure_each(judge, labelled, tick)
    if as_json:
        _show_json(rulings, by_source)
    else:
        _show(rulings, by_source, probes)
    return 0


def _show_json(rulings: Sequence[Ruling], by_source: Mapping[str, Mapping[str, Ruling]]) -> None:
    nli = {
        judge: {source: each.to_dict() for source, each in sources.items()}
        for judge, sources in by_source.items()
    }
    print(json.dumps({"judges": [r.to_dict() for r in rulings], "nli": nli}, indent=2))


def _show(
    rulings: Sequence[Ruling],
    by_source: Mapping[str, Mapping[str, Ruling]],
    probes: Sequence[Probe],
) -> None:
    console = terminal.console()
    console.print(table_of(rulings, probes))
    if by_source:
        console.print(nli_table(by_source))


def table_of(rulings: Sequence[Ruling], probes: Sequence[Probe]) -> Table:
    """Judges as columns: all pairs, then what is caught and what is accepted by kind."""
    from rich.table import Table

    table = Table("", "pairs", title="Judges on statements made by rule", title_justify="left")
    for each in rulings:
        table.add_column(each.judge, justify="right")
    for label, figure in _OVERALL:
        table.add_row(label, "", *(figure(each) for each in rulings))
    truth = {probe.kind: probe.true for probe in probes}
    for true, label in ((False, "caught of false, own yes/no"), (True, "accepted of true")):
        table.add_section()
        table.add_row(f"[bold]{label}[/]")
        kinds = [kind for kind in truth if truth[kind] == true]
        for kind in kinds:
            shares = [(r.own.acceptance if true else r.own.recall).get(kind) for r in rulings]
            count = str(rulings[0].counts.get(kind, 0)) if rulings else ""
            table.add_row(f"  {kind}", count, *map(_figure, shares))
    return table


_OVERALL: Sequence[tuple[str, Callable[[Ruling], str]]] = (
    ("AUROC", lambda r: _figure(r.auroc)),
    ("balanced accuracy", lambda r: _figure(r.own.balanced_accuracy)),
    ("… at the frozen threshold", lambda r: _figure(r.frozen_accuracy)),
    ("false statements supported", lambda r: _figure(r.own.false_support)),
    ("unreadable", lambda r: f"{r.unreadable} of {r.pairs}"),
    ("ms a pair", lambda r: f"{r.ms_per_pair:.1f}"),
)


def nli_table(by_source: Mapping[str, Mapping[str, Ruling]]) -> Table:
    """Sources as rows; for each judge AUROC and balanced accuracy at the frozen threshold."""
    from rich.table import Table

    table = Table("", "pairs", title="Judges on the labelled data set", title_justify="left")
    for judge in by_source:
        table.add_column(f"{judge}\nAUROC", justify="right")
        table.add_column("balanced\naccuracy", justify="right")
    for source in next(iter(by_source.values())):
        each = [sources[source] for sources in by_source.values()]
        shares = [s for r in each for s in (r.auroc, r.frozen_accuracy)]
        table.add_row(source, str(each[0].pairs), *map(_figure, shares))
    return table


def _figure(share: float | None) -> str:
    return "–" if share is None else f"{share:.3f}"
