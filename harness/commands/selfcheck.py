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
from harness.commands import fidelity_jobs, interpreters, options, resolution, timed_runs
from harness.commands.option_groups import SEVERAL, TIMED, WHAT
from harness.errors import JobFailed, UsageError
from harness.evaluation import measured_rounds
from harness.execution import rounds, runner, turns
from harness.execution.progress import ProgressStep
from harness.records import files, runs, store
from harness.report import curves
from harness.speed import selfcheck
from harness.workloads import registry

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
        Builds to check, each against itself. E.g. `--backends torch tf2`.
    workloads
        Which workloads; the smaller one, the sharper the check. E.g. `--workloads cnn`.
    budget
        Seconds of measuring for all of them together; at least twelve rounds of each run, whatever
        they take. E.g. `--budget 600`.
    precision
        fp64 fp32 tf32 bf16 or fp16. E.g. `--precision fp64`.
    preset
        tiny, small or paper. E.g. `--preset tiny`.
    device
        cpu, gpu or tpu. E.g. `--device gpu`.
    execution
        default, eager, graph or compiled. E.g. `--execution compiled`.
    seed
        Seed of the data and of the order of rounds. E.g. `--seed 7`.
    """

    backends: Annotated[tuple[str, ...], SEVERAL, WHAT] = ("torch",)
    workloads: Annotated[tuple[str, ...], SEVERAL, WHAT] = ("linear",)
    budget: Annotated[float, TIMED] = 180.0
    precision: Annotated[str, WHAT] = "fp32"
    preset: Annotated[str, WHAT] = "small"
    device: Annotated[str, WHAT] = "cpu"
    execution: Annotated[str, WHAT] = "default"
    seed: Annotated[int, WHAT] = 0
    threads: options.Threads = None
    ports: options.Ports = ()
    python: options.Python = ()
    reports: options.Reports = Path("reports")
    limit: options.Limit = 600.0
    pass_env: options.PassEnv = ()


@dataclasses.dataclass(frozen=True)
class SelfcheckSection:
    """What was found out about one action of one build on one workload, with where and how it was
    measured."""

    build: str
    action: str
    job: plan.SpeedJob
    findings: selfcheck.Findings


@dataclasses.dataclass(frozen=True)
class SelfcheckResult:
    """All that was found out, and where it lies."""

    sections: tuple[SelfcheckSection, ...]
    folder: Path

    @property
    def exit_code(self) -> int:
        """1 if anything that must not be is."""
        return FAILED if any(section.findings.problems for section in self.sections) else 0


def check(chosen: Checked, context: Context) -> SelfcheckResult:
    """Measure and judge every build on every workload.

    Args:
        chosen: which builds and workloads, and the seconds for all of them together.
        context: from outside.

    Raises:
        HarnessError: wrong usage, a build that cannot be had, a worker that fails.
    """
    builds = list(dict.fromkeys(chosen.backends))
    if not builds:
        raise UsageError("--backends: name at least one build to check.")
    loaded = registry.known(chosen.ports)
    requests = [resolution.resolve(_options(chosen, build), loaded) for build in builds]
    run = runs.create(
        chosen.reports,
        "selfcheck-" + "-".join(builds).replace("/", "-"),
        runs.key(["selfcheck", dataclasses.asdict(chosen)]),
        context.command,
        context.now,
    )
    count = sum(len(request.workloads) for request in requests)
    sections: list[SelfcheckSection] = []
    with runs.held(run.folder):
        for request in requests:
            located = interpreters.locate(request, context)
            run_context = fidelity_jobs.make_run_context(run.folder, located, request, context)
            for job in plan.make(request).speed:
                sections += _check(run_context, job, chosen.budget / count, context)
        result = SelfcheckResult(tuple(sections), run.folder)
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
        pass_env=chosen.pass_env,
        no_fidelity=True,
    )


def _check(
    run_context: runner.RunContext, job: plan.SpeedJob, budget_s: float, context: Context
) -> list[SelfcheckSection]:
    with timed_runs.alone(context):
        measured = _measure(run_context, job, budget_s, context)
    a, b = (side.label for side in job.sides)
    taken_s = statistics.median(record.duration_s for _, record in measured)
    sections = []
    for action in ACTIONS:
        context.say(f"{job.workload} {a} {action}: drawing runs from {len(measured)} rounds")
        of_action = [
            selfcheck.MeasuredRound(slowdown, measured_rounds.as_round(record, action))
            for slowdown, record in measured
        ]
        findings = selfcheck.examine(of_action, (a, b), taken_s, budget_s)
        sections.append(SelfcheckSection(a, action, job, findings))
    return sections


def _measure(
    run_context: runner.RunContext, job: plan.SpeedJob, budget_s: float, context: Context
) -> list[tuple[float, store.Record]]:
    """Return the rounds that fit into the budget, and what each injected.

    Raises:
        JobFailed: a side cannot take part.
    """
    labels = [side.label for side in job.sides]
    files = runner.inputs(run_context, job.workload, job.preset, job.seed, 1)
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
        task = f"checking {job.workload} {labels[0]}"
        context.say(ProgressStep(line, task, number, None, max(0.0, left_s), passing=number > 0))
        terms = rounds.Terms(
            least_steps=measured_rounds.learned(measured[0][1]) if measured else None
        )
        slowed = dataclasses.replace(job, slowdowns=(0.0, slowdown))
        try:
            record = rounds.run_round(run_context, slowed, labels, number, files, terms)
        except turns.SideFailed as failure:
            raise JobFailed(failure.status, str(failure)) from failure
        if not record.ok:
            raise JobFailed(record.status, record.reason)
        measured.append((slowdown, record))
        longest_s = max(longest_s, record.duration_s)
    return measured


def _write(result: SelfcheckResult) -> None:
    """Write what was found out as JSON, and a plot of the power a section."""
    sections = [
        {
            "build": section.build,
            "action": section.action,
            "job": section.job.describe(),
            "found": dataclasses.asdict(section.findings),
        }
        for section in result.sections
    ]
    document = {"schema": SCHEMA, "sections": sections}
    store.write_json(result.folder / "selfcheck.json", document)
    for section in result.sections:
        name = f"selfcheck-{section.job.workload}-{section.build}-{section.action}.svg"
        power = lines(section.findings)
        plot = curves.svg(title(section), "share of runs that find a slow-down", power)
        files.write_text(result.folder / name, plot)


def title(section: SelfcheckSection) -> str:
    """Return what a section is about, in a line."""
    job = section.job
    threads = "1 thread" if job.threads == 1 else f"{job.threads} threads"
    return (
        f"{job.workload} {job.preset} {section.action} on {section.build}, {job.precision},"
        f" {threads}"
    )


def lines(findings: selfcheck.Findings) -> Sequence[curves.CurveLine]:
    """Return the power by size of the slow-down, per cent, a line for each number of rounds; at 0
    stand the false alarms."""
    at = [0.0, *(100.0 * slowdown for slowdown in selfcheck.SLOWDOWNS)]
    drawn = []
    for point in findings.points:
        shares = [point.false.slower, *(power.slower for power in point.power)]
        name = f"{point.most} rounds, {point.most * findings.round_s:.0f} s"
        drawn.append(curves.CurveLine(name, tuple(zip(at, shares, strict=True))))
    return drawn
