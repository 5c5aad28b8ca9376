"""Real comparisons under load, and what a quiet machine says to their verdicts."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.commands import compare as comparison
from harness.commands import options
from harness.results.model import SpeedRow
from tests.evaluation.load import hogs
from tests.evaluation.round_sizes import USUAL, RoundSizes, in_effect

#: What is compared, in turns: a build with itself, and `cnn` on two frameworks.
PAIRS = (
    ("torch", "torch", "linear"),
    ("tf2", "torch", "cnn"),
    ("torch", "torch", "cnn"),
    ("tf2", "tf2", "linear"),
)
FOUND = ("FASTER", "SLOWER")


@dataclasses.dataclass(frozen=True)
class Asked:
    """One comparison: the load, and what is compared under it."""

    number: int
    load: str
    a: str
    b: str
    workload: str

    @property
    def pair(self) -> str:
        """What is compared, as the table says it."""
        return f"{self.workload} {self.a} : {self.b}"


@dataclasses.dataclass(frozen=True)
class Said:
    """What one row of one comparison said."""

    number: int
    load: str
    pair: str
    action: str
    verdict: str
    material: bool
    ratio: float | None
    rounds: int
    obstacle: str


def asked(
    count: int,
    pairs: Sequence[tuple[str, str, str]] = PAIRS,
    loads: Iterable[str] = ("core", "crowd", "comes"),
) -> list[Asked]:
    """Return so many comparisons, every pair under every load in turns."""
    each = [(load, *pair) for pair in pairs for load in loads]
    return [Asked(number, *each[number % len(each)]) for number in range(count)]


def compare(
    one: Asked, budget_s: float, sizes: RoundSizes = USUAL, threads: int | None = None
) -> list[Said]:
    """Compare as `harness compare` does, under the load.

    Args:
        one: what is compared. budget_s: for all rounds. sizes: of a round.
        threads: of a worker; None for as many as `harness compare` would have.
    """
    with tempfile.TemporaryDirectory() as folder, hogs.running(one.load), in_effect(sizes):
        chosen = options.Options(
            backends=(one.a, one.b),
            workloads=(one.workload,),
            precision=("fp32",),
            no_fidelity=True,
            budget=budget_s,
            seed=abs(one.number),
            reports=Path(folder),
            threads=threads,
        )
        context = comparison.Context(
            dict(os.environ),
            datetime.datetime.now().astimezone(),
            "tests.evaluation.load",
            lambda line: None,
        )
        return [said(one, row) for row in comparison.compare(chosen, context).report.speed]


def said(one: Asked, row: SpeedRow) -> Said:
    """Return what is kept of a row."""
    return Said(
        number=one.number,
        load=one.load,
        pair=one.pair,
        action=row.action,
        verdict=row.verdict,
        material=row.material,
        ratio=row.ratio,
        rounds=row.rounds,
        obstacle=row.obstacle,
    )


def quiet(found: Iterable[Said]) -> dict[tuple[str, str], str]:
    """Return what a machine without a load says of each pair and action. A build is as fast as
    itself, whatever was measured."""
    told = {
        (one.pair, one.action): one.verdict
        for one in found
        if one.load == "none" and one.verdict != "UNCLEAR"
    }
    return {
        **told,
        **{
            (f"{workload} {a} : {b}", action): "SAME"
            for a, b, workload in PAIRS
            if a == b
            for action in ("train", "generate")
        },
    }


def contradicted(found: Iterable[Said], truth: Mapping[tuple[str, str], str]) -> list[Said]:
    """Return what is FASTER or SLOWER under load and something else where it is quiet; without
    that, nobody can contradict."""
    return [
        one
        for one in found
        if one.load != "none"
        and one.verdict in FOUND
        and truth.get((one.pair, one.action), one.verdict) != one.verdict
    ]


def table(found: Sequence[Said], truth: Mapping[tuple[str, str], str]) -> str:
    """Return a counted table, a line for each load and pair."""
    lines = [
        (
            "| load | compared | comparisons | verdicts | FASTER, SLOWER | contradicted | SAME |"
            " UNCLEAR | because the machine was busy |"
        ),
        "| - | - | - | - | - | - | - | - | - |",
    ]
    wrong = contradicted(found, truth)
    for load, pair in dict.fromkeys((one.load, one.pair) for one in found):
        mine = [one for one in found if (one.load, one.pair) == (load, pair)]
        count = Counter(one.verdict for one in mine)
        busy = sum("busy" in one.obstacle for one in mine)
        bad = sum((one.load, one.pair) == (load, pair) for one in wrong)
        comparisons = len({one.number for one in mine})
        lines.append(
            f"| {load} | {pair} | {comparisons} | {len(mine)} | {count['FASTER'] + count['SLOWER']}"
            f" | {bad} | {count['SAME']} | {count['UNCLEAR']} | {busy} |"
        )
    return "\n".join(lines)


def read(path: Path) -> list[Said]:
    """Return what an earlier run has left, a comparison's rows a line."""
    if not path.exists():
        return []
    return [
        Said(**row)
        for line in path.read_text(encoding="utf-8").splitlines()
        for row in json.loads(line)
    ]


def add(path: Path, rows: Sequence[Said]) -> None:
    """Keep a comparison's rows."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps([dataclasses.asdict(row) for row in rows]) + "\n")
