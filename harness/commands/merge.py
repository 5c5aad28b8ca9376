"""Reports of several machines, made one on disk: what each was made on, the merged report in every
format, and the logs that its rows name. Nothing is run and nothing is judged anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from harness.commands.compare import ComparisonResult
from harness.context import Context
from harness.errors import UsageError
from harness.history import evidence
from harness.records import files
from harness.report import json_format, renderers
from harness.results import merged
from harness.results.merged import MachineReport
from harness.results.model import Report, SpeedRow, StageRow


def merge(
    runs: Sequence[Path], out: Path, machines: Sequence[str], context: Context
) -> ComparisonResult:
    """Write the merged report of several runs.

    Args:
        runs: folders, or report.json files. out: a folder that is new or empty.
        machines: what the runs' machines are called, in the same order; empty where their records
            say it.
        context: from outside.

    Raises:
        UsageError: a run is not there, the folder is not empty, or a machine is not known.
        MergeConflict: the reports contradict each other.
        CorruptRecord, NewerSchema: a report cannot be used.
    """
    if machines and len(machines) != len(runs):
        raise UsageError(
            f"--machines: {len(machines)} names for {len(runs)} reports. Give one for each, in"
            " their order."
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"--out {out}: there is something already. Name a new folder.")
    parts: list[MachineReport] = []
    for number, run in enumerate(runs):
        report = renderers.load(run)
        machine = machines[number] if machines else _machine(run, report, number)
        again = sum(part.machine == machine for part in parts)
        place = f"{machine}_{again + 1}" if again else machine
        if PurePosixPath(place).name != place:
            raise UsageError(f"--machines {machine}: it names a folder too; give a plain word.")
        parts.append(MachineReport(str(run), machine, place, report))
    report = json_format.derived(merged.merge(parts, context.command))
    with files.filling(out) as folder:
        for part, run in zip(parts, runs, strict=True):
            if run.is_dir():
                _copy_logs(part, run, folder)
        renderers.write(report, folder)
    return ComparisonResult(report, out)


def _machine(run: Path, report: Report, number: int) -> str:
    """Return the fingerprint of a run's machine; a number where nothing was timed.

    Raises:
        UsageError: its records are gone, and times without their machine are no times.
    """
    host = evidence.gather(report, run if run.is_dir() else run.parent).host()
    if host is not None:
        return host.fingerprint
    if report.speed:
        raise UsageError(
            f"{run}: it has times, and its records do not say on which machine. Name the machines,"
            " one for each report, with --machines."
        )
    return f"report{number + 1}"


def _copy_logs(part: MachineReport, run: Path, folder: Path) -> None:
    rows: tuple[StageRow | SpeedRow, ...] = (*part.report.stages, *part.report.speed)
    named = [*(log for row in rows for log in row.logs), *(row.log for row in part.report.jobs)]
    for log in dict.fromkeys(filter(None, named)):
        path = run / log
        # A report names what its writer wanted: only what lies in the run is copied.
        if path.is_file() and path.resolve().is_relative_to(run.resolve()):
            files.write_bytes(folder / part.place / log, files.read_bytes(path))
