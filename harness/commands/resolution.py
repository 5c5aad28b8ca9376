"""From options to a plan's `Request`: every name is checked against those that exist, before any
work starts."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from backends.contract import DEVICES, EXECUTIONS, PRECISIONS, STAGE_LETTERS, STAGES
from harness import plan
from harness.commands import bounds, export, warmup
from harness.commands.options import PRESETS, Options
from harness.commands.own_ports import has_file
from harness.environments.builds import BUILDS
from harness.errors import UnknownName, UsageError
from harness.execution.host import cores
from harness.execution.worker_environment import check_names
from harness.fidelity.float32 import ACCEPTED
from harness.pairs import known_differences
from harness.pairs.workload import Declared
from harness.plan import Side
from harness.workloads import registry
from harness.workloads.spec import Workload

#: More tapes, or models of a build, than anybody waits for.
MOST_SEEDS = 10_000


def resolve(options: Options, loaded: Mapping[str, Workload] | None = None) -> plan.Request:
    """Return the checked request.

    Args:
        options: what the user typed. loaded: the workloads by name, where the folders of the
            options are loaded already; whoever resolves several options of one command loads them
            once.

    Raises:
        UnknownName: a workload, backend, build, precision, preset, device, execution or stage does
            not exist.
        UsageError: they exist but do not fit together.
    """
    named = interpreters(options.python)
    sides = _sides(options, named)
    for kind, values, allowed in (
        ("precision", options.precision, PRECISIONS),
        ("device", (options.device,), DEVICES),
        ("execution", (options.execution,), EXECUTIONS),
        ("preset", (options.preset,) if options.preset else (), PRESETS),
        ("accepted difference", options.accept, known_differences.NAMES),
    ):
        _check(kind, values, allowed)
    for option, several in (("--precision", options.precision), ("--stages", options.stages)):
        if not several:
            raise UsageError(f"{option}: nothing is named, so that nothing would be judged.")
    stages = tuple(STAGE_LETTERS.get(item.upper(), item.lower()) for item in options.stages)
    _check("stage", stages, [*STAGES, *STAGE_LETTERS])
    if options.no_speed and options.no_fidelity:
        raise UsageError(
            "--no-speed and --no-fidelity together leave nothing to do. Drop one of them."
        )
    if options.no_speed and options.per_phase:
        raise UsageError(
            "--per-phase: nothing is timed here (`harness run`, or --no-speed). Drop it, or ask for"
            " the speed."
        )
    for name, value, most in (
        ("--seeds", options.seeds, MOST_SEEDS),
        ("--threads", options.threads, bounds.MOST),
        ("--steps", options.steps, bounds.MOST_STEPS),
    ):
        bounds.count(name, value, most=most)
    if not 0 <= options.seed < 2**31:
        raise UsageError(f"--seed {options.seed}: must lie between 0 and 2147483647.")
    bounds.seconds("--budget", options.budget)
    bounds.seconds("--limit", options.limit, above=True)
    export.check(options.json, options.export, not options.no_speed)
    known = known_workloads(options, loaded)
    workloads, left_out = _workloads(options, sides, known)
    if options.steps:
        bounds.tapes(workloads, options.preset or "tiny", options.steps)
    for name in options.accept:
        if name != ACCEPTED and not any(isinstance(item, Declared) for item in workloads):
            raise UsageError(f"--accept {name}: is for pair files. Name one, or drop the name.")
    if plan.DISTRIBUTION in stages:
        check_distribution(options, workloads, known.values())
    if options.per_phase and not any(plan.phases(item, item.presets[0]) for item in workloads):
        raise UsageError(
            f"--per-phase: {', '.join(item.name for item in workloads)} has one phase only. Name a"
            " workload with several."
        )
    return plan.Request(
        workloads=workloads,
        sides=sides,
        precisions=_unique(options.precision),
        stages=_unique(stages),
        preset=options.preset,
        device=options.device,
        execution=options.execution,
        seeds=tuple(range(options.seed, options.seed + (options.seeds or 1))),
        threads=options.threads or cores(),
        fidelity_threads=_fidelity_threads(options),
        models=options.seeds or plan.MODELS,
        fidelity=not options.no_fidelity,
        speed=not options.no_speed,
        steps=options.steps,
        per_phase=options.per_phase,
        allow_settings=options.allow_settings,
        limit=options.limit,
        pass_env=check_names(options.pass_env),
        left_out=left_out,
        warmup=warmup.parse(options.warmup),
        python=tuple(sorted((key, str(path)) for key, path in named.items())),
    )


def known_workloads(
    options: Options, loaded: Mapping[str, Workload] | None = None
) -> Mapping[str, Workload]:
    """Return all workloads by name; those that are asked for, or run by default, on the data asked
    for.

    Args:
        options: what the user typed. loaded: as of `resolve`.

    Raises:
        UnknownName: a workload or data that do not exist. UsageError: data that cannot be used, or
            that no workload takes.
    """
    known = registry.known(options.ports) if loaded is None else loaded
    _check("workload", options.workloads, known)
    if options.data is None:
        return known
    by_default = tuple(name for name, item in known.items() if item.default)
    names = _unique(options.workloads) or by_default
    takers = [name for name in names if known[name].sources]
    if not takers:
        able = [name for name, item in known.items() if item.sources]
        raise UsageError(
            f"--data {options.data}: none of the workloads ({', '.join(names)}) takes data. Name"
            " one that does: --workloads " + " ".join(able)
        )
    return {**known, **{name: known[name].with_data(options.data) for name in takers}}


def _fidelity_threads(options: Options) -> int:
    """Return the threads of a worker that records: one for the small steps of `tiny`."""
    return options.threads or (1 if options.preset in (None, "tiny") else cores())


def interpreters(named: Iterable[str]) -> dict[str, Path]:
    """Return the interpreters that the user named, by build, or by a side's label: `torch#2`,
    `torch@mine`.

    Raises:
        UsageError: not BUILD=PATH, or no such file. UnknownName: no such build.
    """
    paths = {}
    for item in named:
        build, equals, path = item.partition("=")
        if not equals or not path:
            raise UsageError(
                f"--python {item}: give it as BUILD=PATH, e.g. --python tf1=/opt/py37/bin/python"
            )
        _check("build", (re.split("[#@]", build)[0],), BUILDS)
        if not Path(path).expanduser().is_file():
            raise UsageError(
                f"--python {item}: there is no file {path}. Give the path of a Python interpreter."
            )
        paths[build] = Path(path).expanduser().absolute()
    return paths


def _sides(options: Options, named: Mapping[str, Path]) -> tuple[plan.Side, ...]:
    unlabelled = []
    shared = tuple(str(folder.absolute()) for folder in options.ports)
    if not options.backends:
        raise UsageError(
            "--backends: name at least one backend or build. Known: " + ", ".join(BUILDS)
        )
    for item in options.backends:
        name, at, folder = item.partition("@")
        _check("backend or build", (name,), BUILDS)
        if at and not Path(folder).is_dir():
            raise UsageError(
                f"--backends {item}: there is no folder {folder!r}. After @ comes a folder that"
                f" holds {name}'s ports."
            )
        own = (str(Path(os.path.normpath(Path(folder).absolute()))),) if at else ()
        unlabelled.append(plan.Side("", name, BUILDS[name].backend, own + shared, only=bool(at)))
    return tuple(
        dataclasses.replace(side, python=str(named.get(side.label) or named.get(side.build) or ""))
        for side in plan.sides(unlabelled)
    )


def _workloads(
    options: Options, sides: Sequence[plan.Side], known: Mapping[str, Workload]
) -> tuple[tuple[Workload, ...], tuple[str, ...]]:
    """Return the workloads, and lines about those that would run by default and are left out for
    want of a port in a side's own folder."""
    enough = min(2, len(sides))
    kept, left_out = [], []
    by_default = [item for item in known.values() if item.default]
    for workload in [known[name] for name in _unique(options.workloads)] or by_default:
        able = [side for side in sides if plan.has_port(side, workload)]
        if len(able) < enough:
            if options.workloads:
                raise UsageError(
                    f"workload {workload.name} has ports for {', '.join(workload.backends)}; fewer"
                    f" than {enough} of the sides asked for"
                    f" ({', '.join(side.label for side in sides)}) are among them."
                )
        elif options.preset and options.preset not in workload.presets:
            if options.workloads:
                raise UsageError(
                    f"--preset {options.preset}: workload {workload.name} has no such preset. It"
                    f" has: {', '.join(workload.presets)}."
                )
        elif line := without_port(sides, workload, bool(options.workloads)):
            left_out.append(line)
        else:
            kept.append(workload)
    if not kept:
        backends = ", ".join(sorted({side.backend for side in sides}))
        without = f"no workload has ports for the backends {backends}. See: harness list"
        raise UsageError("; ".join([*left_out, without]))
    for workload, preset in itertools.product(kept, _presets(options)):
        if workload.source:
            # Refuses data that do not fit, before any build is looked for.
            workload.hyperparameters(preset)
    return tuple(kept), tuple(left_out)


def _presets(options: Options) -> tuple[str, ...]:
    """Return the presets of what was asked for: fidelity's and speed's."""
    if options.preset:
        return (options.preset,)
    wanted = (("tiny", not options.no_fidelity), ("small", not options.no_speed))
    return tuple(preset for preset, is_wanted in wanted if is_wanted)


def _check(kind: str, values: Sequence[str], known: Iterable[str]) -> None:
    names = list(known)
    for value in values:
        if value not in names:
            raise UnknownName(kind, value, names)


def _unique(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def check_distribution(
    options: Options, workloads: Sequence[Workload], known: Iterable[Workload]
) -> None:
    """Refuse the distribution stage where no workload asked for has one.

    Args:
        options: what the user typed. workloads: those asked for. known: all that there are.

    Raises:
        UsageError: a workload asked for by name, or every one, has no such stage.
    """
    preset = options.preset or "tiny"
    missing = [item.name for item in workloads if item.distribution(preset) is None]
    if missing and (options.workloads or len(missing) == len(workloads)):
        able = sorted(item.name for item in known if item.distribution(preset) is not None)
        # Of a pair file nothing else is known.
        others = f" Workloads that have: {', '.join(able)}." if able else " Drop it."
        raise UsageError(f"--stages distribution: {', '.join(missing)} has no such stage.{others}")


def without_port(sides: Sequence[Side], workload: Workload, by_name: bool) -> str:
    """Return which side's own folder has no port of a workload, in one line; empty where all have
    one. Nothing stands in for it.

    Args:
        sides: those asked for. by_name: whether the workload was asked for by name.

    Raises:
        UsageError: it was, and a folder has no port of it.
    """
    for side in sides:
        if side.only and not has_file(side.folders[:1], side.backend, workload):
            looked = Path(side.folders[0]) / side.backend / f"{workload.port or workload.name}.py"
            if by_name:
                raise UsageError(
                    f"--backends {side.build}@{side.folders[0]}: there is no port of"
                    f" {workload.name}; it would be {looked}. Add it, or name {side.build} without"
                    " a folder for the shipped port, or for one below --ports."
                )
            return f"{workload.name} is left out: {side.label} has no port of it ({looked})"
    return ""
