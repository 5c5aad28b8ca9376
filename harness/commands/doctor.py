"""`harness doctor`: which builds, devices and precisions can run here, and why the others cannot.

Installs nothing. Where a build is there, each precision is tried by running a step of each shipped
workload in a worker, because support is a fact of a port, a framework and a machine, and not of a
table.
"""

from __future__ import annotations

import dataclasses
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from backends.contract import PRECISIONS, Setting
from harness.environments import builds, devices, installation, provision, staging
from harness.errors import BuildError, JobFailed
from harness.execution import host, runner, verbs
from harness.execution.processes import Limits, ending
from harness.execution.worker_environment import clean_environment
from harness.plan import Opening
from harness.workloads import registry

if TYPE_CHECKING:
    from harness.context import Context

Row = tuple[str, ...]
PROBE_LIMIT_S = 120.0


@dataclasses.dataclass(frozen=True)
class DoctorSection:
    """One table of the doctor's report."""

    title: str
    columns: tuple[str, ...]
    rows: list[Row]


def examine(context: Context, probe: bool) -> list[DoctorSection]:
    """Return the sections of the report.

    Args:
        context: from outside; its environment decides what is found.
        probe: run a step in each precision of each build that is there, and add what came of it.
    """
    states = {name: _find(name, context) for name in builds.BUILDS}
    sections = [
        DoctorSection("Machine", ("what", "here"), _machine(context)),
        DoctorSection(
            "Builds on the CPU",
            ("build", "state", "where, or what to do"),
            [(name, *row) for name, (row, _) in states.items()],
        ),
        DoctorSection("Devices", ("device", "state", "reason"), _devices(context)),
    ]
    if probe:
        rows: list[Row] = []
        reasons: dict[str, list[str]] = {}
        for name, (_, python) in states.items():
            if python is not None:
                context.say(f"trying the precisions of {name}")
                rows += _precisions(name, python, context, reasons)
        title = "Precisions on the CPU, tried with a step"
        sections.append(DoctorSection(title, ("build", "workload", *PRECISIONS), rows))
        refused: list[Row] = [(reason, ", ".join(where)) for reason, where in reasons.items()]
        sections.append(DoctorSection("Why not", ("reason", "where"), refused))
    return sections


def _machine(context: Context) -> list[Row]:
    memory = psutil.virtual_memory()
    where = installation.places(context.environ)
    support = {
        "Linux": "all builds",
        "Darwin": "all builds but TF 1.15 (no macOS wheel for its Python)",
    }
    supported = support.get(platform.system(), "not supported; on Windows use WSL")
    return [
        ("system", f"{platform.platform()}: {supported}"),
        ("cores", str(host.cores())),
        ("memory", f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free"),
        ("environments", str(where.workdir)),
        ("cache", str(staging.cache(context.environ))),
    ]


def _find(name: str, context: Context) -> tuple[tuple[str, str], Path | None]:
    """Return a build's state in words, and its interpreter if there is one."""
    build = builds.BUILDS[name]
    search = provision.Search(
        build, "cpu", {}, context.environ, installation.places(context.environ)
    )
    try:
        interpreter = provision.available(search)
        if interpreter is not None:
            framework = f"{build.module} {interpreter.framework}"
            where = f"{framework}, Python {interpreter.python}, {interpreter.origin}"
            return ("ready", where), interpreter.path
        provision.require_python(search)
    except BuildError as error:
        return ("missing", str(error)), None
    environment = builds.environments(build, "cpu")[-1]
    cost = builds.cost(environment)
    size = f", about {cost.install_s:.0f} s and {cost.disk_bytes / 2**30:.1f} GiB" if cost else ""
    how = f"by the first comparison that needs it, or `tox run -e {environment} --notest`{size}"
    return ("can be installed", how), None


def _devices(context: Context) -> list[Row]:
    rows: list[Row] = [("cpu", "ready", "")]
    for device in devices.ACCELERATORS:
        reason = devices.missing(device, context.environ)
        able = " ".join(item.name for item in builds.BUILDS.values() if device in item.devices)
        rows.append(
            (device, "missing" if reason else "visible", reason or f"builds for it: {able}")
        )
    return rows


def _precisions(
    name: str, python: Path, context: Context, reasons: dict[str, list[str]]
) -> list[Row]:
    """Try every precision of every shipped workload of one build; note why something cannot run in
    `reasons`."""
    build = builds.BUILDS[name]
    rows = []
    with tempfile.TemporaryDirectory(prefix="harness-doctor-") as scratch:
        run_context = runner.RunContext(
            Path(scratch),
            staging.prepare(context.environ),
            {name: python},
            clean_environment(context.environ, TF_CPP_MIN_LOG_LEVEL="1"),
            registry.known(()),
            Limits(PROBE_LIMIT_S),
        )
        for workload in registry.SHIPPED:
            if build.backend in workload.backends:
                refusals = dict(_try(run_context, name, workload.name))
                able = ("no" if refusals[precision] else "yes" for precision in PRECISIONS)
                rows.append((name, workload.name, *able))
                for precision, reason in refusals.items():
                    if reason:
                        reasons.setdefault(reason, []).append(f"{name} {workload.name} {precision}")
    return rows


def _try(run_context: runner.RunContext, build: str, workload: str) -> Iterator[tuple[str, str]]:
    """Yield each precision with the reason why it cannot run, or an empty string; a worker that
    dies is replaced."""
    files = runner.inputs(run_context, workload, "tiny", 0, 1)
    left = list(PRECISIONS)
    while left:
        with run_context.worker(build, run_context.run / "worker.log") as worker, ending([worker]):
            while left and worker.alive:
                precision = left.pop(0)
                setting = Setting(precision=precision, threads=host.cores())
                backend = builds.BUILDS[build].backend
                opening = Opening(backend, workload, "tiny", "variable", (), setting)
                try:
                    runner.open_port(worker, run_context, opening, files)
                    worker.request(verbs.PROBE, tape=str(files.tape))
                    yield precision, ""
                except JobFailed as error:
                    yield precision, f"{error.status}: {error.reason}"
