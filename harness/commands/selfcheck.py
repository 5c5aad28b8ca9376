"""`harness selfcheck`: rounds of a build against itself, half of them slowed down by a known share,
and what they say about the verdicts.

Measures with what `harness compare` measures with: the same rounds, turns, workers and lock;
`harness.speed.selfcheck` judges.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from backends.contract import ACTIONS
from harness import plan
from harness.commands import compare, interpreters, options, resolution
from harness.commands.options import SEVERAL
from harness.environments import staging
from harness.errors import JobFailed, UsageError
from harness.execution import rounds, runner, turns
from harness.execution.progress import Step
from harness.records import runs, store
from harness.report import curves
from harness.speed import selfcheck

if TYPE_CHECKING:
    from harness.context import Context

#: A checked build whose verdicts cannot be trusted here.
FAILED = 1
SCHEMA = 1


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Checked:
    """Options of `selfcheck`.

    Parameters
    ----------
    backends
        Builds to check, each against itself.
    workloads
        Which workloads; the smaller one, the sharper the check.
    budget
        Seconds of measuring for all of them together; at least twelve rounds of each run, whatever
        they take.
    precision
        fp64 fp32 tf32 bf16 or fp16.
    preset
        tiny, small or paper.
    device
        cpu, gpu or tpu.
    execution
        default, eager, graph or compiled.
    seed
        Seed of the data and of the order of rounds.
    threads
        Threads of each worker's intra-operation pool; if not given, all cores.
    ports
        Folders with workloads and ports of your own.
    python
        BUILD=PATH, the interpreter of a build.
    reports
        Folder in which the run's own folder is made.
    limit
        Longest time that one request to a worker may take, seconds.
    """

    backends: Annotated[tuple[str, ...], SEVERAL] = ("torch",)
    workloads: Annotated[tuple[str, ...], SEVERAL] = ("linear",)
    budget: float = 180.0
    precision: str = "fp32"
    preset: str = "small"
    device: str = "cpu"
    execution: str = "default"
    seed: int = 0
    threads: int | None = None
    ports: Annotated[tuple[Path, ...], SEVERAL] = ()
    python: Annotated[tuple[str, ...], SEVERAL] = ()
    reports: Path = Path("reports")
    limit: float = 600.0


@dataclasses.dataclass(frozen=True)
class Section:
    """What was found out about one action of one build on one workload, with where and how it was
    measured."""

    build: str
    action: str
    job: plan.SpeedJob
    found: selfcheck.Findings


@dataclasses.dataclass(frozen=True)
class Result:
    """All that was found out, and where it lies."""

    sections: tuple[Section, ...]
    folder: Path

    @property
    def exit_code(self) -> int:
        """1 if anything that must not be is."""
        return FAILED if any(section.found.problems for section in self.sections) else 0


def check(chosen: Checked, context: Context) -> Result:
    """Measure and judge every build on every workload.

    Raises:
        HarnessError: wrong usage, a build that cannot be had, a worker that fails.
    """
    asked = [_options(chosen, build) for build in dict.fromkeys(chosen.backends)]
    if not asked:
        raise UsageError("--backends: name at least one build to check.")
    requests = [resolution.resolve(one) for one in asked]
    run = runs.create(
        chosen.reports,
        "selfcheck-" + "-".join(dict.fromkeys(chosen.backends)).replace("/", "-"),
        runs.key(["selfcheck", dataclasses.asdict(chosen)]),
        context.command,
        context.now,
    )
    count = sum(len(request.workloads) for request in requests)
    sections: list[Section] = []
    with runs.held(run.folder):
        for request in requests:
            bench = compare.make_bench(
                run.folder, interpreters.locate(request, context), request, context
            )
            for job in plan.make(request).speed:
                sections += _check(bench, job, chosen.budget / count, context)
        result = Result(tuple(sections), run.folder)
        _write(result)
        runs.drop_tensors(run.folder, frozenset())
    run.mark(finished=True)
    return result


def _options(chosen: Checked, build: str) -> options.Options:
    """Return what a comparison of a build with itself would be asked for."""
    return options.Options(
        backends=(build, build),
        workloads=chosen.workloads,
        precision=(chosen.precision,),
        preset=chosen.preset,
        device=chosen.device,
        execution=chosen.execution,
        seed=chosen.seed,
        threads=chosen.threads,
        ports=chosen.ports,
        python=chosen.python,
        budget=chosen.budget,
        reports=chosen.reports,
        limit=chosen.limit,
        no_fidelity=True,
    )


def _check(
    bench: runner.Bench, job: plan.SpeedJob, budget_s: float, context: Context
) -> list[Section]:
    lock = staging.cache(context.environ) / "timed.lock"
    with rounds.machine_lock(
        lock, lambda: context.say(f"another timed run holds {lock}; waiting for it to end")
    ):
        measured = _measure(bench, job, budget_s, context)
    a, b = (side.label for side in job.sides)
    taken_s = statistics.median(record.duration_s for _, record in measured)
    sections = []
    for action in ACTIONS:
        context.say(f"{job.workload} {a} {action}: drawing runs from {len(measured)} rounds")
        found = [
            selfcheck.Measured(slowdown, rounds.as_round(record, action))
            for slowdown, record in measured
        ]
        sections.append(
            Section(a, action, job, selfcheck.examine(found, (a, b), taken_s, budget_s))
        )
    return sections


def _measure(
    bench: runner.Bench, job: plan.SpeedJob, budget_s: float, context: Context
) -> list[tuple[float, store.Record]]:
    """Return the rounds that fit into the budget, and what each injected.

    Raises:
        JobFailed: a side cannot take part.
    """
    labels = [side.label for side in job.sides]
    files = runner.inputs(bench, job.workload, job.preset, job.seed, 1)
    measured: list[tuple[float, store.Record]] = []
    started = time.monotonic()
    longest_s = 0.0
    while (
        len(measured) < selfcheck.LEAST_ROUNDS or time.monotonic() - started + longest_s <= budget_s
    ):
        number = len(measured)
        slowdown = selfcheck.turn(number)
        what = f"{100 * slowdown:g} % slower" if slowdown else "identical"
        line = f"{job.workload} {job.precision}: round {number + 1} of {' '.join(labels)}, {what}"
        left_s = max(
            budget_s - (time.monotonic() - started), (selfcheck.LEAST_ROUNDS - number) * longest_s
        )
        context.say(
            Step(
                line,
                f"checking {job.workload} {labels[0]}",
                number,
                None,
                max(0.0, left_s),
                passing=number > 0,
            )
        )
        terms = rounds.Terms(least_steps=rounds.learned(measured[0][1]) if measured else None)
        try:
            record = rounds.run_round(
                bench,
                dataclasses.replace(job, slowdowns=(0.0, slowdown)),
                labels,
                number,
                files,
                terms,
            )
        except turns.SideFailed as failure:
            raise JobFailed(failure.status, str(failure)) from failure
        if not record.ok:
            raise JobFailed(record.status, record.reason)
        measured.append((slowdown, record))
        longest_s = max(longest_s, record.duration_s)
    return measured


def _write(result: Result) -> None:
    """Write what was found out as JSON, and a plot of the power a section."""
    store.write_json(
        result.folder / "selfcheck.json",
        {
            "schema": SCHEMA,
            "sections": [
                {
                    "build": one.build,
                    "action": one.action,
                    "job": plan.describe(one.job),
                    "found": dataclasses.asdict(one.found),
                }
                for one in result.sections
            ],
        },
    )
    for one in result.sections:
        name = f"selfcheck-{one.job.workload}-{one.build}-{one.action}.svg"
        store.write_text(
            result.folder / name,
            curves.svg(title(one), "share of runs that find a slow-down", lines(one.found)),
        )


def title(section: Section) -> str:
    """Return what a section is about, in a line."""
    job = section.job
    threads = "1 thread" if job.threads == 1 else f"{job.threads} threads"
    return (
        f"{job.workload} {job.preset} {section.action} on {section.build}, {job.precision},"
        f" {threads}"
    )


def lines(found: selfcheck.Findings) -> Sequence[curves.Line]:
    """Return the power by size of the slow-down, per cent, a line for each number of rounds; at 0
    stand the false alarms."""
    at = [0.0, *(100.0 * slowdown for slowdown in selfcheck.SLOWDOWNS)]
    return [
        curves.Line(
            f"{point.most} rounds, {point.most * found.round_s:.0f} s",
            tuple(zip(at, (point.false.slower, *(one.slower for one in point.power)), strict=True)),
        )
        for point in found.points
    ]
