"""One hostile port in a real comparison with the honest one, and whether all came of it that has
to."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backends.contract import STATUSES
from harness.execution.logs import LOG_LIMIT_BYTES
from tests.evaluation.hostile_ports.snippets import ENDS, KILLS, PASSES, Hostile
from tests.evaluation.kills import striking

LIMIT_S = 10
#: Imports, several requests each within its limit, the end of a worker, a busy machine.
PATIENCE = striking.Patience(longest_s=180.0)
FOLDER = "hostile"
#: Longer than a log may be, so that a log in its place would be cut.
PRECIOUS = "what is not the harness's\n" * (LOG_LIMIT_BYTES // 16)
DEFECT = "Traceback (most recent call last)"
AGREES = "PASS"


@dataclasses.dataclass(frozen=True)
class Tried:
    """What came of a port.

    Attributes:
        name: of the port. came: status of its job, or the verdict, and the exit code.
        reason: of its job. lasted_s: of the command. faults: what is not right.
    """

    name: str
    came: str
    reason: str
    lasted_s: float
    faults: tuple[str, ...]


def prepare(port: Hostile, scratch: Path) -> None:
    """Write the port's file, and what nobody may write over."""
    folder = scratch / FOLDER / "numpy"
    folder.mkdir(parents=True)
    (folder / "linear.py").write_text(port.source(), encoding="utf-8")
    (scratch / "precious").write_text(PRECIOUS, encoding="utf-8")
    (scratch / "tmp").mkdir()


def words(limit_s: int = LIMIT_S) -> list[str]:
    """Return the comparison as it is typed."""
    return [
        *(sys.executable, "-m", "harness.cli", "compare"),
        *("--backends", "numpy", "numpy", f"numpy@{FOLDER}", "--workloads", "linear"),
        *("--precision", "fp64", "--no-speed", "--threads", "1", "--limit", str(limit_s)),
    ]


def run(
    port: Hostile,
    scratch: Path,
    environ: Mapping[str, str],
    patience: striking.Patience = PATIENCE,
) -> Tried:
    """Compare the port with the honest one, and look at everything."""
    prepare(port, scratch)
    began = time.monotonic()
    own = {**environ, "TMPDIR": str(scratch / "tmp"), "HOME": str(scratch / "tmp")}
    done = striking.run(words(), scratch, own, None, patience)
    lasted_s = time.monotonic() - began
    faults = [f"alive: {line}" for line in striking.orphans(scratch, patience.orphans_s)]
    if done.stuck:
        faults.append("the run did not end")
    if port.may == KILLS and done.code < 0:
        return Tried(port.name, f"killed, {done.code}", "", lasted_s, tuple(faults))
    paths = list(scratch.glob("reports/*/report.json"))
    report = json.loads(paths[0].read_text(encoding="utf-8")) if paths else {}
    faults += [*_outside(scratch), *said_wrongly(done.err, paths), *judged_wrongly(port, report)]
    if report and done.code != report["summary"]["exit_code"]:
        faults.append(f"exit code {done.code}, and the report has another")
    if not report:
        faults.append(f"no report: {done.err[-300:]}")
    job = its_job(report)
    came = f"{job.get('status', '-')}, {report.get('summary', {}).get('fidelity')}, {done.code}"
    return Tried(port.name, came, str(job.get("reason", "")), lasted_s, tuple(faults))


def its_job(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the row of the port's job, the first that did not end well."""
    jobs = [job for job in report.get("jobs", ()) if job["build"] == f"numpy@{FOLDER}"]
    bad = [job for job in jobs if job["status"] != "ok"]
    return next(iter([*bad, *jobs]), {})


def _outside(scratch: Path) -> list[str]:
    """Return what was written where nothing may be."""
    faults = []
    if (scratch / "precious").read_text(encoding="utf-8") != PRECIOUS:
        faults.append("wrote through a link")
    left = [path.name for path in (scratch / "tmp").iterdir()]
    known = {"precious", "tmp", FOLDER, "reports"}
    beside = [path.name for path in scratch.iterdir() if path.name not in known]
    if left or beside:
        faults.append(f"left {[*left, *beside]}")
    return faults


def said_wrongly(said: str, paths: list[Path]) -> list[str]:
    """Return what is wrong with what a user reads: a defect, or characters that steer a
    terminal."""
    faults = [f"a traceback: {said[-400:]}"] if DEFECT in said else []
    texts = {"the terminal": said}
    for path in paths:
        for name in ("report.md", "report.html", "report.json"):
            texts[name] = (path.parent / name).read_text(encoding="utf-8")
    for name, text in texts.items():
        steering = {char for char in text if _steers(char)}
        if steering:
            faults.append(f"{name} has the characters {sorted(steering)!r}")
    return faults


def _steers(char: str) -> bool:
    return char not in "\n\t" and (ord(char) < 32 or 127 <= ord(char) < 160)


def judged_wrongly(port: Hostile, report: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with statuses, reasons and verdicts."""
    if not report:
        return []
    job, faults = its_job(report), []
    ended = job.get("status") != "ok"
    if job.get("status") not in STATUSES:
        faults.append(f"no typed status: {job.get('status')!r}")
    rows = [row for row in report["stages"] if f"numpy@{FOLDER}" in (row["a"], row["b"])]
    honest = [row["verdict"] for row in report["stages"] if row not in rows]
    if set(honest) != {AGREES} and not port.spoils:
        faults.append(f"the honest sides: {honest}")
    agrees = {AGREES} == {row["verdict"] for row in rows}
    if (agrees or not report["summary"]["exit_code"]) and (ended or port.may != PASSES):
        faults.append("it agrees")
    if port.may == ENDS and not ended:
        faults.append("its job ended well")
    shown = [] if ended else [str(row["reason"]) for row in rows]
    reasons = " ".join([str(job.get("reason", "")), *shown])
    if (ended or port.may != PASSES) and port.says and not any(w in reasons for w in port.says):
        faults.append(f"none of {port.says} in the reason {reasons[:200]!r}")
    return faults


def table(tried: list[Tried]) -> str:
    """Return a table, a line for each port."""
    lines = ["| port | status, verdict, code | lasted | right | reason |", "| - | - | - | - | - |"]
    for row in tried:
        right = ascii("; ".join(row.faults))[1:300] if row.faults else "yes"
        reason = ascii(row.reason.replace("|", "/"))[:120]
        lines.append(f"| {row.name} | {row.came} | {row.lasted_s:.0f} s | {right} | {reason} |")
    return "\n".join(lines)
