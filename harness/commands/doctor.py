"""`harness doctor`: which builds, devices and precisions can be used here, and why the others
cannot.

Installs nothing. Each build that is there is asked to import its framework and to name the devices
that it sees, all of them within a minute. Where it is asked for, each precision is tried by running
a step of each shipped workload in a worker, because support is a fact of a port, a framework and a
machine, and not of a table: that takes minutes.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from backends.contract import PRECISIONS, Setting
from harness.environments import builds, devices, installation, provision, staging
from harness.environments.import_probe import ImportedFramework, imported
from harness.errors import BuildError, JobFailed
from harness.execution import host, runner, verbs
from harness.execution.processes import Limits, ending
from harness.execution.progress import ProgressStep
from harness.execution.worker_environment import clean_environment
from harness.plan import Opening
from harness.workloads import registry

if TYPE_CHECKING:
    from harness.context import Context

Row = tuple[str, ...]
PROBE_LIMIT_S = 120.0
#: All imports together end after so long, seconds, however busy the machine is.
IMPORTS_S = 45.0
#: How often it is told what is waited for, seconds.
TOLD_S = 1.0


@dataclasses.dataclass(frozen=True)
class DoctorSection:
    """One table of the doctor's report."""

    title: str
    columns: tuple[str, ...]
    rows: list[Row]


@dataclasses.dataclass(frozen=True)
class FoundBuild:
    """A build on a device, as far as it is known without importing anything.

    Attributes:
        state, text: for the table. python: its interpreter; None where there is none.
    """

    build: builds.Build
    device: str
    state: str
    text: str
    python: Path | None = None

    @property
    def name(self) -> str:
        """Return what it is called in a line."""
        return self.build.name if self.device == "cpu" else f"{self.build.name} on {self.device}"


def machine(context: Context) -> DoctorSection:
    """Return what this machine is.

    Args:
        context: from outside; its environment decides what is found.
    """
    return DoctorSection("Machine", ("what", "here"), _machine(context))


def examine(context: Context, *, imports: bool = True, steps: bool = False) -> list[DoctorSection]:
    """Return the other sections of the report; tell of each build as soon as it is known.

    Args:
        context: from outside; its environment decides what is found.
        imports: import the framework of each build that is there.
        steps: run a step in each precision of each build that is there, and add what came of it.
    """
    there = [item for item in devices.ACCELERATORS if not devices.missing(item, context.environ)]
    known = [
        _find(build, device, context)
        for device in ("cpu", *there)
        for build in builds.BUILDS.values()
        if device in build.devices
    ]
    if imports:
        known = _imported(known, context)
    sections = [
        DoctorSection(
            "Builds",
            ("build", "device", "state", "where, or what to do"),
            [(item.build.name, item.device, item.state, item.text) for item in known],
        ),
        DoctorSection("Devices", ("device", "state", "reason"), _devices(context)),
    ]
    if steps:
        sections += _tried(known, context)
    return sections


def _imported(known: Sequence[FoundBuild], context: Context) -> list[FoundBuild]:
    """Import the framework of each build that is there; an interpreter that serves two builds is
    asked once."""
    interpreters = dict.fromkeys((item.python, item.build.module) for item in known if item.python)
    until = time.monotonic() + IMPORTS_S
    answers: dict[tuple[Path | None, str], ImportedFramework] = {}

    def of(python: Path, module: str) -> ImportedFramework:
        left_s = until - time.monotonic()
        if left_s <= 0:  # it never had its turn
            return ImportedFramework(answered=False)
        return imported(python, module, context.environ, left_s)

    with concurrent.futures.ThreadPoolExecutor(max(2, host.cores())) as pool:
        running = {
            pool.submit(of, python, module): (python, module) for python, module in interpreters
        }
        for done in _as_they_end(running, lambda left: _waiting(known, running, left, context)):
            key = running[done]
            answers[key] = done.result()
            for item in known:
                if (item.python, item.build.module) == key:
                    context.say(f"{item.name}: {_said(answers[key])[1]}")
    return [
        _with(item, answers[item.python, item.build.module]) if item.python else item
        for item in known
    ]


_Future = concurrent.futures.Future[ImportedFramework]


def _as_they_end(
    running: Sequence[_Future] | dict[_Future, tuple[Path, str]],
    tell: Callable[[set[_Future]], None],
) -> Iterator[_Future]:
    """Yield what has ended, and tell every `TOLD_S` what has not."""
    left = set(running)
    while left:
        done, left = concurrent.futures.wait(left, TOLD_S, concurrent.futures.FIRST_COMPLETED)
        yield from done
        if left:
            tell(left)


def _waiting(
    known: Sequence[FoundBuild],
    running: dict[_Future, tuple[Path, str]],
    left: set[_Future],
    context: Context,
) -> None:
    """Tell whose imports have not ended."""
    keys = [running[future] for future in left]
    names = [item.name for item in known if (item.python, item.build.module) in keys]
    what = f"importing {', '.join(names)}"
    context.say(ProgressStep(what, what, len(running) - len(left), len(running), passing=True))


def _said(answer: ImportedFramework) -> tuple[str, str]:
    """Return the state of a build whose import was tried, and what came of it."""
    if not answer.answered:
        return "no answer", (
            f"its import did not end within {IMPORTS_S:.0f} s: the machine may be busy, or a driver"
            " hangs"
        )
    if answer.error:
        return "broken", f"its import fails: {answer.error}"
    devices = f", sees {', '.join(answer.devices)}" if answer.devices else ""
    return "ready", f"imported in {answer.seconds:.1f} s{devices}"


def _with(item: FoundBuild, answer: ImportedFramework) -> FoundBuild:
    """Return a build with what its import said."""
    state, text = _said(answer)
    seen = any(device.startswith(item.device) for device in answer.devices)
    if state == "ready" and item.device != "cpu" and not seen:
        state, text = "broken", f"{text}, but sees no {item.device}"
    return dataclasses.replace(item, state=state, text=f"{item.text}; {text}")


def _tried(known: Sequence[FoundBuild], context: Context) -> list[DoctorSection]:
    """Return what came of a step of each shipped workload in each precision, on the CPU."""
    rows: list[Row] = []
    reasons: dict[str, list[str]] = {}
    for item in known:
        if item.python is not None and item.device == "cpu" and item.state == "ready":
            rows += _precisions(item.build.name, item.python, context, reasons)
    title = "Precisions on the CPU, tried with a step"
    refused: list[Row] = [(reason, ", ".join(where)) for reason, where in reasons.items()]
    return [
        DoctorSection(title, ("build", "workload", *PRECISIONS), rows),
        DoctorSection("Why not", ("reason", "where"), refused),
    ]


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


def _find(build: builds.Build, device: str, context: Context) -> FoundBuild:
    """Return a build's state in words, and its interpreter if there is one."""
    names = builds.environments(build, device)
    search = provision.Search(
        build, device, {}, context.environ, installation.places(context.environ)
    )
    try:
        interpreter = provision.available(search)
        if interpreter is not None:
            framework = f"{build.module} {interpreter.framework}"
            where = f"{framework}, Python {interpreter.python}, {interpreter.origin}"
            return FoundBuild(build, device, "ready", where, interpreter.path)
        if not names:
            return FoundBuild(build, device, "missing", f"no {build.module} beside the harness")
        provision.require_python(search)
    except BuildError as error:
        return FoundBuild(build, device, "missing", str(error))
    cost = builds.cost(names[-1])
    size = f", about {cost.install_s:.0f} s and {cost.disk_bytes / 2**30:.1f} GiB" if cost else ""
    how = f"by the first comparison that needs it, or `tox run -e {names[-1]} --notest`{size}"
    return FoundBuild(build, device, "can be installed", how)


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
                context.say(f"{name}: a step of {workload.name} in each precision")
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
