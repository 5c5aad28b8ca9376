"""Rounds of a build against itself in which one side is really slowed down, inside its timed steps,
and what runs drawn from them find.

What is kept of a round is the log ratio of each palindrome, so that a recording of an hour is
small.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import os
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backends.contract import ACTIONS
from harness import plan
from harness.commands import options, resolution
from harness.environments import provision, staging
from harness.evaluation import measured_rounds
from harness.execution import rounds, runner
from harness.execution.processes import Limits
from harness.execution.worker_environment import clean_environment
from harness.speed.estimate import ALPHA, Estimate, estimate_logs, of_round, palindrome_ratios
from harness.speed.replay import Rates, bound, rates, shown_of_palindromes
from tests.evaluation.replay.tables import TARGETS, percent, table
from tests.evaluation.zoo.mutant import ROOT

RECORDED = ROOT / "tests/data/injected_rounds.json"
SLOWDOWNS = (0.0, 0.01, 0.02, 0.05)
TRIES, SEED = 2000, 11
#: Power is promised for steps.
PROMISED = "train"

#: By slow-down as text and action: a list of rounds, each the log ratios of its palindromes.
Recorded = Mapping[str, Mapping[str, Sequence[Sequence[float]]]]


def measure(
    build: str, workload: str, count: int, say: Callable[[str], None]
) -> dict[str, dict[str, list[list[float]]]]:
    """Run `count` rounds of each slow-down, in turns, and return what is kept of them."""
    environ = clean_environment(os.environ, TF_CPP_MIN_LOG_LEVEL="2")
    found = provision.locate(
        build, "cpu", overrides={}, environ=os.environ, progress=lambda line: None
    )
    chosen = options.Options(backends=(build, build), workloads=(workload,), no_fidelity=True)
    (job,) = plan.make(resolution.resolve(chosen)).speed
    labels = [side.label for side in job.sides]
    kept: dict[str, dict[str, list[list[float]]]] = {}
    for slowdown in SLOWDOWNS:
        kept[f"{slowdown:g}"] = {name: [] for name in ACTIONS}
    with tempfile.TemporaryDirectory() as folder:
        run_context = runner.RunContext(
            Path(folder),
            staging.prepare(environ),
            {build: found.path},
            environ,
            resolution.known_workloads(chosen),
            Limits(),
        )
        files = runner.inputs(run_context, workload, job.preset, job.seed, 1)
        for number in range(count * len(SLOWDOWNS)):
            slowdown = SLOWDOWNS[number // 2 % len(SLOWDOWNS)]  # rounds come in mirrored pairs
            slower, terms = (
                dataclasses.replace(job, slowdowns=(0.0, slowdown)),
                rounds.Terms(least_steps={}),
            )
            record = rounds.run_round(run_context, slower, labels, number, files, terms)
            for name in ACTIONS:
                ratios = palindrome_ratios(measured_rounds.as_round(record, name), *labels)
                kept[f"{slowdown:g}"][name].append([round(ratio, 5) for ratio in ratios])
            say(f"{workload} {number + 1} {slowdown:g} {record.duration_s:.1f} s")
    return kept


def recorded() -> dict[str, Any]:
    """Return the recording in tests/data, by workload."""
    return dict(json.loads(RECORDED.read_text(encoding="utf-8")))


def keep(found: Mapping[str, Recorded]) -> None:
    """Write rounds into tests/data, beside those of other workloads."""
    before = recorded() if RECORDED.exists() else {}
    RECORDED.write_text(
        json.dumps({**before, **found}, separators=(",", ":")) + "\n", encoding="utf-8"
    )


def noise(found: Recorded, action: str) -> list[list[float]]:
    """Return the rounds of all slow-downs, each without its own, under both signs: the sides are
    the same build, named at random."""
    left = [
        _moved(ratios, -math.log1p(float(slowdown)))
        for slowdown, actions in found.items()
        for ratios in actions[action]
    ]
    return [*left, *map(_negated, left)]


def _moved(ratios: Sequence[float], by: float) -> list[float]:
    return [ratio + by for ratio in ratios]


def _negated(ratios: Sequence[float]) -> list[float]:
    return [-ratio for ratio in ratios]


def drawn(found: Recorded, action: str, most: int, slowdown: float, tries: int = TRIES) -> Rates:
    """Return how runs end that are drawn from all rounds, each as far as it was off, with one
    slow-down: forty rounds of one slow-down alone say what they are themselves slower by, to a
    third of a per cent, and not how often a run finds it.
    """
    shifted = [_moved(ratios, math.log1p(slowdown)) for ratios in noise(found, action)]
    return rates(shifted, most, tries, SEED, shown_of_palindromes)


def measured(found: Recorded, action: str, slowdown: float) -> Estimate:
    """Return what all rounds of one slow-down say it is."""
    return estimate_logs([of_round(one) for one in found[f"{slowdown:g}"][action]], final=True)


def faults(found: Mapping[str, Recorded], tries: int = TRIES) -> list[str]:
    """Return what is promised and not held: sizes and false alarms of both actions, power of
    training steps. `generate` of a model whose processes differ more than their steps do (cnn)
    comes close, and the table says how close."""
    wrong = []
    for (workload, one), action in itertools.product(found.items(), ACTIONS):
        for slowdown in SLOWDOWNS:
            said = measured(one, action, slowdown)
            if said.low is None or said.high is None or not said.low <= 1.0 + slowdown <= said.high:
                wrong.append(
                    f"{workload} {action}: {percent(slowdown, 0)} slower was measured as"
                    f" {_spell(said)}"
                )
        for (most, slowdown), wanted in TARGETS.items():
            share = drawn(one, action, most, slowdown, tries).slower
            if action == PROMISED and share < 1.0 - bound(1.0 - wanted, tries):
                wrong.append(
                    f"{workload} {action}: {percent(slowdown, 0)} slower, at most {most} rounds:"
                    f" {percent(share)} found"
                )
            aside = drawn(one, action, most, 0.0, tries)
            if aside.material or aside.detected > bound(ALPHA, tries):
                wrong.append(
                    f"{workload} {action}: nothing, at most {most} rounds:"
                    f" {percent(aside.detected)} detected"
                )
    return wrong


def _spell(found: Estimate) -> str:
    return (
        found.reason
        if found.low is None
        else f"{found.ratio:.3f} [{found.low:.3f}, {found.high:.3f}]"
    )


def table_rows(found: Mapping[str, Recorded]) -> list[tuple[str, ...]]:
    """Return one row for each workload and action."""
    rows = []
    for (workload, one), action in itertools.product(found.items(), ACTIONS):
        nothing = max(
            (drawn(one, action, most, 0.0) for most, _ in TARGETS), key=lambda rate: rate.detected
        )
        spread = math.sqrt(statistics.fmean(of_round(each) ** 2 for each in noise(one, action)))
        shares = [percent(drawn(one, action, most, slowdown).slower) for most, slowdown in TARGETS]
        told = [_spell(measured(one, action, slowdown)) for slowdown in SLOWDOWNS]
        rows.append(
            (
                f"{workload} {action}",
                percent(spread),
                *told,
                percent(nothing.detected, 2),
                percent(nothing.material, 2),
                *shares,
            )
        )
    return rows


def text(found: Mapping[str, Recorded]) -> str:
    """Return the table of what real rounds with a slow-down measure, and of what runs drawn from
    them find."""
    told = [f"measured with {percent(slowdown, 0)} injected" for slowdown in SLOWDOWNS]
    heads = [f"{percent(slowdown, 0)} slower, at most {most}: found" for most, slowdown in TARGETS]
    return table(
        ("", "rounds scatter by", *told, "nothing: detected, at most", "material", *heads),
        table_rows(found),
    )
