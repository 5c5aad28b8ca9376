"""Tables that need no worker: workloads, builds, references, and what a comparison would do
(`--dry-run`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from backends.contract import ACTIONS, sketch_size
from harness import plan
from harness.commands import compare, options, record, resolution, trial
from harness.environments import builds as table
from harness.environments import installation, provision
from harness.errors import HarnessError
from harness.execution import host
from harness.pairs import known_differences
from harness.records import references as reference
from harness.records import runs
from harness.speed import schedule
from harness.workloads import registry

if TYPE_CHECKING:
    from harness.commands.clean import Item
    from harness.context import Context

Row = tuple[str, ...]

#: Seconds of work on 2 cores, measured on the five CPU builds: a fidelity job of a `tiny` preset,
#: and one side of a round.
JOB_S = 5.0
SIDE_ROUND_S = 4.0
#: What the harness itself takes to start and to write a report.
OWN_S = 3.0
#: A single phase of one side of a round (--per-phase).
PHASE_ROUND_S = 0.7
#: And a model trained for the distribution stage.
SAMPLE_S = 15.0
#: Bytes of a job's tensors: two snapshots of every parameter and slot, and seven of the trajectory.
SNAPSHOTS = 14


def workloads(folders: Sequence[Path]) -> list[Row]:
    """Return every workload with its backends, presets, whether it runs where none is named, and
    what it is."""
    return [
        (
            name,
            " ".join(item.backends),
            " ".join(item.presets),
            "by default" if item.default else "when named",
            item.what,
        )
        for name, item in sorted(registry.known(folders).items())
    ]


def differences() -> list[Row]:
    """Return the differences of the frameworks that can be accepted, each with what it is and what
    is done about it."""
    return [(item.name, item.what, item.done) for item in known_differences.KNOWN]


def builds() -> list[Row]:
    """Return every build with its Python, framework and devices."""
    return [
        (
            item.name,
            item.backend,
            " ".join(item.pythons) or "the harness's own",
            f"{item.module}{item.fits}",
            " ".join(item.devices),
        )
        for item in table.BUILDS.values()
    ]


def references(folder: Path) -> list[Row]:
    """Return every recorded reference with the framework that it was recorded on; one that cannot
    be read says why."""
    rows: list[Row] = []
    for path in reference.names(folder):
        try:
            recorded = reference.read(path)
        except HarnessError as error:
            rows.append((path.stem, str(error), "", "", ""))
            continue
        identity = recorded.provenance.identity
        size = path.stat().st_size + path.with_suffix(".npz").stat().st_size
        framework = f"tensorflow {identity.versions['tensorflow']}"
        tensors = str(len(recorded.document.tensors))
        rows.append((path.stem, framework, identity.python, tensors, f"{size / 1024:.0f} KiB"))
    return rows


def dry_run(chosen: options.Options, context: Context, *, judged: bool = True) -> list[Row]:
    """Return what a comparison would do, without doing any of it: jobs, builds to provision, time
    and disk. Only of ports whose steps nobody has timed a step or two is run, to tell how long they
    take.

    Args:
        chosen: of the comparison. context: from outside; its time names the report's folder.
        judged: whether it compares; False for `harness run`, which records alone.

    Raises:
        UsageError: wrong usage.
        FrameworkMissing: an interpreter that --python names lacks the framework.
    """
    request = resolution.resolve(chosen) if judged else record.requested(chosen)
    planned = plan.make(request)
    rows: list[Row] = []
    install_s, install_bytes = 0.0, 0
    for build in dict.fromkeys(side.build for side in request.sides):
        text, seconds, size = _build(build, request, context)
        install_s, install_bytes = install_s + seconds, install_bytes + size
        rows.append((f"build {build}", text))
    rows += _job_rows(planned)
    timed, rounds_s, stopped = _timed_rows(planned, request, chosen.budget, context)
    rows += timed
    work_s = jobs_s(planned) + rounds_s
    more_s = max(0.0, chosen.budget - rounds_s) if stopped < len(planned.speed) else 0.0
    more = f"up to {more_s:.0f} s more of timing (--budget), " if judged else ""
    rows.append(("time", f"about {work_s:.0f} s of work, {more}{install_s:.0f} s to install"))
    disk = sum(_bytes(job, request) for job in planned.jobs)
    free = host.free_bytes(chosen.reports.absolute())
    text = (
        f"about {disk / 2**20:.0f} MiB while it runs, {install_bytes / 2**20:.0f} MiB to install;"
        f" {free / 2**30:.1f} GiB free"
    )
    rows.append(("disk", text))
    command, kind = ("compare", "report") if judged else ("run", "records")
    rows.append((kind, str(chosen.reports / f"{context.now:%Y-%m-%d}_...")))
    if chosen.resume:
        run = runs.unfinished(chosen.reports, compare.identity(command, request, context))
        none = "no unfinished run of the same; a new one would start"
        rows.append(("resume", str(run.folder) if run else none))
    return rows


def _job_rows(planned: plan.Plan) -> list[Row]:
    rows: list[Row] = []
    for job in planned.jobs:
        text = f"{' '.join(job.stages)} on {job.preset}, {len(job.variants)} variations"
        rows.append((f"job {job.name}", text))
    for sample in planned.samples:
        text = f"{sample.steps} steps on {sample.preset} from seed {sample.own_seed}"
        rows.append((f"job {sample.name}", f"{text}, {sample.rows} rows"))
    return rows


def _timed_rows(
    planned: plan.Plan, request: plan.Request, budget_s: float, context: Context
) -> tuple[list[Row], float, int]:
    """Return the rows of what is timed, about how long that takes, seconds, and how many of them
    end before the least number of rounds."""
    rows: list[Row] = []
    rounds_s, stopped = 0.0, 0
    workloads = {item.name: item for item in request.workloads}
    setup = trial.Setup(_here(request, context), context.environ, workloads)
    for timed in planned.speed:
        phases, once_s = len(timed.actions) - len(ACTIONS), least_s(timed)
        if trial.unknown(timed):
            left_s = max(0.0, budget_s - rounds_s)
            once_s, text, ended = _tried(timed, setup, left_s, once_s)
            rows.append((f"tried {timed.workload} {timed.precision}", text))
            stopped += ended
        rounds_s += once_s
        beside = f" and {phases} phases" if phases else ""
        text = (
            f"{timed.preset}, {' and '.join(ACTIONS)}{beside}, at least {schedule.MIN_ROUNDS}"
            f" rounds, about {once_s:.0f} s"
        )
        rows.append((f"speed {timed.workload} {timed.precision}", text))
    return rows, rounds_s, stopped


def jobs_s(planned: plan.Plan) -> float:
    """Return about how long the jobs of fidelity take, seconds."""
    return len(planned.jobs) * JOB_S + len(planned.samples) * SAMPLE_S


def least_s(timed: plan.SpeedJob) -> float:
    """Return about how long the least number of rounds takes, seconds."""
    phases = len(timed.actions) - len(ACTIONS)
    return schedule.MIN_ROUNDS * len(timed.sides) * (SIDE_ROUND_S + phases * PHASE_ROUND_S)


def _here(request: plan.Request, context: Context) -> dict[str, Path]:
    """Return the interpreters of builds that need not be installed first."""
    paths = {}
    for build in dict.fromkeys(side.build for side in request.sides):
        there = provision.available(_search(build, request, context))
        if there is not None:
            paths[build] = there.path
    return paths


def _search(build: str, request: plan.Request, context: Context) -> provision.Search:
    named = {key: Path(path) for key, path in request.python}
    places = installation.places(context.environ)
    return provision.Search(table.BUILDS[build], request.device, named, context.environ, places)


def _tried(
    timed: plan.SpeedJob, setup: trial.Setup, budget_s: float, usual_s: float
) -> tuple[float, str, bool]:
    """Run a step or two of ports that nobody has timed; return about how long the least number of
    rounds takes, what was found, and whether timing ends before that number."""
    trials = trial.tried(timed, setup)
    if trials is None:
        text = (
            "no step could be run here: short ones are assumed; with long ones, timing ends with"
            f" the budget, {budget_s:.0f} s"
        )
        return usual_s, text, False
    steps = ", ".join(
        f"{side.label} {action} {step_s:.2g} s"
        for side, tried in zip(timed.sides, trials, strict=True)
        for action, step_s in tried.step_s.items()
    )
    text = f"a step or two of each was run: {steps}"
    run = trial.run(trials, budget_s)
    if run is None:
        return usual_s, text, False
    if run.rounds >= schedule.MIN_ROUNDS:
        text = f"{text}; {run.rounds} rounds take about {run.least_s:.0f} s"
        return run.least_s, text, False
    least_s = run.least_s + OWN_S
    text = (
        f"{text}; {run.rounds} of {schedule.MIN_ROUNDS} rounds fit into the budget: it ends after"
        f" about {least_s:.0f} s without a verdict on speed"
    )
    return least_s, text, True


def _build(build: str, request: plan.Request, context: Context) -> tuple[str, float, int]:
    """Return where a build is, or what installing it takes: text, seconds, bytes."""
    interpreter = provision.available(_search(build, request, context))
    if interpreter is not None:
        module = table.BUILDS[build].module
        what = f"(Python {interpreter.python}, {module} {interpreter.framework})"
        return f"{interpreter.origin}: {interpreter.path} {what}", 0.0, 0
    name = table.environments(table.BUILDS[build], request.device)[-1]
    cost = table.cost(name)
    if cost is None:
        return f"would install {name}", 0.0, 0
    size = f"about {cost.install_s:.0f} s and {cost.disk_bytes / 2**20:.0f} MiB"
    return f"would install {name}: {size}", cost.install_s, cost.disk_bytes


def _bytes(job: plan.Job, request: plan.Request) -> int:
    workload = next(item for item in request.workloads if item.name == job.workload)
    hyper = workload.hyperparameters(job.preset)
    sizes_of = (math.prod(item.shape) for item in workload.parameters(hyper))
    return SNAPSHOTS * sum(_kept_bytes(values, job) for values in sizes_of)


def _kept_bytes(values: int, job: plan.Job) -> int:
    """Return the bytes that a record has of a tensor of so many values: of a large one of a large
    pair its sketch, which is in float64 whatever the precision."""
    sketched = sketch_size(values, job.sketch_from)
    return 8 * sketched or values * (8 if job.precision == "fp64" else 4)


def sizes(items: Sequence[Item]) -> list[Row]:
    """Return what takes how much of the disk, and the sum, for a table."""
    rows = [(item.kind, str(item.path), item.size_bytes) for item in items]
    rows.append(("", "all", sum(item.size_bytes for item in items)))
    return [(kind, path, f"{size_bytes / 2**20:.1f} MiB") for kind, path, size_bytes in rows]
