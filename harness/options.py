"""What a comparison can be asked for: the options of `harness compare` and `harness run`, checked and resolved.

One frozen dataclass is the single place of every option, its default and its help text; `request` turns it into a plan's
`Request` or says, before any work starts, which name is wrong and which ones exist.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from backends.contract import DEVICES, EXECUTIONS, PRECISIONS, STAGE_LETTERS, STAGES
from harness import exporting, lacking, plan, warmup
from harness.builds import BUILDS
from harness.errors import UnknownName, UsageError
from harness.fidelity.float32 import ACCEPTED
from harness.workloads import registry
from harness.workloads.spec import Workload

SEVERAL = Parameter(consume_multiple=True, negative="")
PRESETS = ("tiny", "small", "paper")
DEFAULT_BUDGET_S = 120.0


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Options that `compare` and `run` share.

    Parameters
    ----------
    backends
        Backends or builds to compare, e.g. `tf2 torch`. The same one twice compares it with itself;
        `torch@FOLDER` takes the ports in FOLDER and no others, and is called `torch@` and the folder's name from there on.
    workloads
        Which workloads; if not given, all that run by default (see `harness list`) and that at least two of the backends have.
    data
        What workloads that take data train on: synthetic_icu (theirs, if not given), daphnet, or a folder with a cohort of your own.
    precision
        Which precisions: fp64 fp32 tf32 bf16 fp16.
    preset
        tiny, small or paper, for fidelity and speed alike (else tiny for fidelity, small for speed).
    device
        cpu, gpu or tpu.
    execution
        default, eager, graph, compiled, for torch on a GPU cudagraph, or for tf1 callable, in place of Session.run.
    stages
        Which stages of the ladder: weights forward loss gradients update trajectory distribution, or W F L G U T D.
        distribution trains models from independent seeds, see --seeds; without it all others are looked at.
    steps
        Training steps of the trajectory stage; the workload's own number, if not given.
    seed
        Seed of the (first) tape.
    seeds
        How many seeds: tapes, counted up from --seed, and models of each build for the distribution stage.
        If not given, one tape and 8 models.
    threads
        Threads of each build's intra-operation pool; if not given, all cores, and one where `tiny` is recorded.
    ports
        Folders with workloads and ports of your own.
    python
        BUILD=PATH, the interpreter of a build, or of one side by its name in tables: `torch@mine=PATH`, `torch#2=PATH`.
    budget
        Seconds for all timing; more than five rounds run only within them, and where a step takes 0.25 s or more, no round.
    warmup
        How long each build warms up before it is timed: `2s`, or steps, `500`; until its steps are steady, if not given.
    allow_settings
        Compare speed although settings in effect differ in a way that leaves no verdict, e.g. threads or denormals.
    per_phase
        Time single updates of each phase too, where a workload has several.
    no_speed
        Judge fidelity only.
    no_fidelity
        Measure speed only.
    fail_if_slower
        Exit with 3 if a build is materially slower than the first.
    accept
        Differences to take for the same: float32-constants, where a library holds numbers in float32 inside a float64 run and the
        sides agree in fp32.
    dry_run
        Say what would be done, what would be provisioned and how long it takes.
    json
        Write the JSON to this file too.
    history
        Add the finished run to this history, e.g. reports/history.sqlite.
    export
        Write the speed in another program's format too: `pytest-benchmark FILE`.
    resume
        Go on with the newest unfinished run of the same comparison.
    keep
        Keep all recorded tensors, not only those of comparisons that fail.
    reports
        Folder in which the run's own folder is made.
    limit
        Longest time that one request to a worker may take, seconds.
    """

    backends: Annotated[tuple[str, ...], SEVERAL] = ("tf2", "torch")
    workloads: Annotated[tuple[str, ...], SEVERAL] = ()
    data: str | None = None
    precision: Annotated[tuple[str, ...], SEVERAL] = ("fp64", "fp32")
    preset: str | None = None
    device: str = "cpu"
    execution: str = "default"
    stages: Annotated[tuple[str, ...], SEVERAL] = plan.LOCKSTEP_STAGES
    steps: int | None = None
    seed: int = 0
    seeds: int | None = None
    threads: int | None = None
    ports: Annotated[tuple[Path, ...], SEVERAL] = ()
    python: Annotated[tuple[str, ...], SEVERAL] = ()
    budget: float = DEFAULT_BUDGET_S
    warmup: str | None = None
    allow_settings: Annotated[bool, Parameter(negative="")] = False
    per_phase: Annotated[bool, Parameter(negative="")] = False
    no_speed: Annotated[bool, Parameter(negative="")] = False
    no_fidelity: Annotated[bool, Parameter(negative="")] = False
    fail_if_slower: Annotated[bool, Parameter(negative="")] = False
    accept: Annotated[tuple[str, ...], SEVERAL] = ()
    dry_run: Annotated[bool, Parameter(negative="")] = False
    json: Path | None = None
    history: Path | None = None
    export: Annotated[tuple[str, Path] | None, Parameter(negative="")] = None
    resume: Annotated[bool, Parameter(negative="")] = False
    keep: Annotated[bool, Parameter(negative="")] = False
    reports: Path = Path("reports")
    limit: float = plan.LIMIT_S


def request(options: Options) -> plan.Request:
    """Return the checked request.

    Raises:
        UnknownName: a workload, backend, build, precision, preset, device, execution or stage does not exist.
        UsageError: they exist but do not fit together.
    """
    sides = _sides(options)
    for kind, values, known in (
        ("precision", options.precision, PRECISIONS), ("device", (options.device,), DEVICES),
        ("execution", (options.execution,), EXECUTIONS), ("preset", (options.preset,) if options.preset else (), PRESETS),
        ("accepted difference", options.accept, (ACCEPTED,)),
    ):
        _check(kind, values, known)
    stages = tuple(STAGE_LETTERS.get(item.upper(), item.lower()) for item in options.stages)
    _check("stage", stages, [*STAGES, *STAGE_LETTERS])
    if options.no_speed and options.no_fidelity:
        raise UsageError("--no-speed and --no-fidelity together leave nothing to do. Drop one of them.")
    if options.no_speed and options.per_phase:
        raise UsageError("--per-phase: nothing is timed here (`harness run`, or --no-speed). Drop it, or ask for the speed.")
    for name, value in (("--seeds", options.seeds), ("--threads", options.threads), ("--steps", options.steps)):
        if value is not None and value < 1:
            raise UsageError(f"{name} {value}: must be at least 1.")
    if not 0 <= options.seed < 2**31:
        raise UsageError(f"--seed {options.seed}: must lie between 0 and 2147483647.")
    if not options.budget >= 0:
        raise UsageError(f"--budget {options.budget}: must be a number of seconds, 0 or more.")
    if not options.limit > 0:
        raise UsageError(f"--limit {options.limit}: must be a number of seconds above 0.")
    exporting.check(options.json, options.export, not options.no_speed)
    workloads, left_out = _workloads(options, sides)
    if plan.DISTRIBUTION in stages:
        lacking.check_distribution(options, workloads)
    if options.per_phase and not any(plan.phases(item, item.presets[0]) for item in workloads):
        raise UsageError(f"--per-phase: {', '.join(item.name for item in workloads)} has one phase only. Name a workload with several.")
    return plan.Request(
        workloads, sides, _unique(options.precision), _unique(stages), options.preset, options.device, options.execution,
        tuple(range(options.seed, options.seed + (options.seeds or 1))), options.threads or cores(),
        fidelity_threads(options), models=options.seeds or plan.MODELS,
        fidelity=not options.no_fidelity, speed=not options.no_speed, steps=options.steps, per_phase=options.per_phase,
        allow_settings=options.allow_settings, limit=options.limit, left_out=left_out, warmup=warmup.parse(options.warmup),
    )


def workloads(options: Options) -> dict[str, Workload]:
    """Return all workloads by name; those that are asked for, or run by default, on the data asked for.

    Raises:
        UnknownName: a workload or data that do not exist. UsageError: data that cannot be used, or that no workload takes.
    """
    known = registry.known(options.ports)
    _check("workload", options.workloads, known)
    if options.data is None:
        return known
    asked = _unique(options.workloads) or tuple(name for name, item in known.items() if item.default)
    takers = [name for name in asked if known[name].sources]
    if not takers:
        able = [name for name, item in known.items() if item.sources]
        raise UsageError(
            f"--data {options.data}: none of the workloads ({', '.join(asked)}) takes data. Name one that does: --workloads "
            + " ".join(able)
        )
    return {**known, **{name: known[name].with_data(options.data) for name in takers}}


def fidelity_threads(options: Options) -> int:
    """Return the threads of a worker that records: one for the small steps of `tiny`."""
    return options.threads or (1 if options.preset in (None, "tiny") else cores())


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def overrides(options: Options) -> dict[str, Path]:
    """Return the interpreters that the user named, by build, or by a side's label: `torch#2`, `torch@mine`.

    Raises:
        UsageError: not BUILD=PATH, or no such file. UnknownName: no such build.
    """
    found = {}
    for item in options.python:
        build, equals, path = item.partition("=")
        if not equals or not path:
            raise UsageError(f"--python {item}: give it as BUILD=PATH, e.g. --python tf1=/opt/py37/bin/python")
        _check("build", (re.split("[#@]", build)[0],), BUILDS)
        if not Path(path).expanduser().is_file():
            raise UsageError(f"--python {item}: there is no file {path}. Give the path of a Python interpreter.")
        found[build] = Path(path).expanduser().absolute()
    return found


def _sides(options: Options) -> tuple[plan.Side, ...]:
    asked = []
    shared = tuple(str(folder.absolute()) for folder in options.ports)
    if not options.backends:
        raise UsageError("--backends: name at least one backend or build. Known: " + ", ".join(BUILDS))
    for item in options.backends:
        name, at, folder = item.partition("@")
        _check("backend or build", (name,), BUILDS)
        if at and not Path(folder).is_dir():
            raise UsageError(f"--backends {item}: there is no folder {folder!r}. After @ comes a folder that holds {name}'s ports.")
        own = (str(Path(os.path.normpath(Path(folder).absolute()))),) if at else ()
        asked.append(plan.Side("", name, BUILDS[name].backend, own + shared, only=bool(at)))
    named = {key: str(path) for key, path in overrides(options).items()}
    return tuple(
        dataclasses.replace(side, python=named.get(side.label) or named.get(side.build, "")) for side in plan.sides(asked)
    )


def _workloads(options: Options, sides: Sequence[plan.Side]) -> tuple[tuple[Workload, ...], tuple[str, ...]]:
    """Return the workloads, and lines about those that would run by default and are left out for want of a port in a side's own folder."""
    known = workloads(options)
    enough = min(2, len(sides))
    found, left_out = [], []
    for workload in [known[name] for name in _unique(options.workloads)] or [item for item in known.values() if item.default]:
        able = [side for side in sides if plan.has_port(side, workload)]
        if len(able) < enough:
            if options.workloads:
                raise UsageError(
                    f"workload {workload.name} has ports for {', '.join(workload.backends)}; "
                    f"fewer than {enough} of the sides asked for ({', '.join(side.label for side in sides)}) are among them."
                )
        elif options.preset and options.preset not in workload.presets:
            if options.workloads:
                raise UsageError(
                    f"--preset {options.preset}: workload {workload.name} has no such preset. It has: {', '.join(workload.presets)}."
                )
        elif line := lacking.without_port(sides, workload, bool(options.workloads)):
            left_out.append(line)
        else:
            found.append(workload)
    if not found:
        backends = ", ".join(sorted({side.backend for side in sides}))
        raise UsageError("; ".join([*left_out, f"no workload has ports for the backends {backends}. See: harness list"]))
    for workload, preset in itertools.product(found, _presets(options)):
        if workload.source:
            workload.hyperparameters(preset)  # refuses data that do not fit, before any build is looked for
    return tuple(found), tuple(left_out)


def _presets(options: Options) -> tuple[str, ...]:
    """Return the presets of what was asked for: fidelity's and speed's."""
    wanted = (("tiny", not options.no_fidelity), ("small", not options.no_speed))
    return (options.preset,) if options.preset else tuple(preset for preset, asked in wanted if asked)


def _check(kind: str, values: Sequence[str], known: Iterable[str]) -> None:
    names = list(known)
    for value in values:
        if value not in names:
            raise UnknownName(kind, value, names)


def _unique(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
