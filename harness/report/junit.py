"""The report as JUnit XML, for a CI's own display: each stage of each pair is a test case, and so
is each job.

FAIL is a failure; INCONCLUSIVE, REFUSED and a job that did not end ok are errors; INFO and
unsupported are skipped. Any other speed verdict fails nothing by itself and is a passing case with
its numbers as output. A run that ends in an exit code other than 0 is never green: where no row
says why, as under `--fail-if-slower`, a case for the run itself fails with the headline; each suite
has it as a property.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from xml.etree import ElementTree

from backends.contract import Status
from harness.report import format as spell
from harness.report.format import one_line
from harness.report.labels import action, hint, setting
from harness.results import speed_words
from harness.results.model import JobRow, Report, SpeedRow, StageRow
from harness.results.verdicts import Fidelity, Speed

PLURALS = {"failure": "failures", "error": "errors", "skipped": "skipped"}
KINDS = {Fidelity.FAIL: "failure", Fidelity.INCONCLUSIVE: "error", Fidelity.INFO: "skipped"}


def render(report: Report) -> str:
    """Return one XML document, ending in a newline."""
    root = ElementTree.Element("testsuites", {"name": one_line(report.title)})
    spelled = setting(report, "seed ")
    suites = {
        "fidelity": [_stage(row, spelled(row)) for row in report.stages],
        "speed": [_speed(row, spelled(row)) for row in report.speed],
        "jobs": [_job(row) for row in report.jobs],
    }
    red = any(_is_red(case) for cases in suites.values() for case in cases)
    if report.exit_code and not red:
        suites["run"] = [_run(report, spelled)]
    for name, cases in suites.items():
        suite = ElementTree.SubElement(root, "testsuite", {"name": name, "tests": str(len(cases))})
        for kind, plural in PLURALS.items():
            suite.set(plural, str(sum(case.find(kind) is not None for case in cases)))
        suite.set("timestamp", one_line(report.created))
        properties = ElementTree.SubElement(suite, "properties")
        said = {"name": "headline", "value": one_line(f"{report.fidelity}: {report.headline}")}
        ElementTree.SubElement(properties, "property", said)
        suite.extend(cases)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _is_red(case: ElementTree.Element) -> bool:
    return any(case.find(kind) is not None for kind in ("failure", "error"))


def _case(
    suite: str, where: str, name: str, kind: str | None, message: str, details: list[str]
) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase", {"classname": one_line(f"{suite}.{where}"), "name": one_line(name)}
    )
    text = "\n".join(one_line(detail) for detail in details if detail)
    if kind is not None:
        ElementTree.SubElement(case, kind, {"message": one_line(message)}).text = text
    elif text:
        ElementTree.SubElement(case, "system-out").text = text
    return case


def _stage(row: StageRow, precision: str) -> ElementTree.Element:
    kind = KINDS.get(row.verdict, "error") if row.verdict != Fidelity.PASS else None
    tensor = f"{row.worst}: " if row.worst else ""
    seeds = f"{row.seeds} seeds a build" if row.seeds else ""
    if row.seeds and row.needed is not None:
        seeds += f", about {row.needed} needed"
    details = [
        f"tensor {row.worst} {row.place or ''}" if row.worst else "",
        f"a = {spell.value(row.value_a)}, b = {spell.value(row.value_b)}",
        f"error {spell.error(row.error)}, floor {spell.error(row.floor)}, threshold"
        f" {spell.error(row.threshold)}, {row.tensors} tensors",
        seeds,
        f"again: {row.command}" if row.command else "",
        *(f"log: {log}" for log in row.logs),
    ]
    return _case(
        suite="fidelity",
        where=f"{row.workload}.{row.a} : {row.b}",
        name=f"{row.stage} {precision}",
        kind=kind,
        message=f"{row.verdict}: {tensor}{row.reason}",
        details=details,
    )


def _speed(row: SpeedRow, precision: str) -> ElementTree.Element:
    kind = None
    if row.verdict == Speed.REFUSED:
        kind = "skipped" if row.by_phase else "error"  # single phases decide nothing
    return _case(
        suite="speed",
        where=f"{row.workload}.{row.a} : {row.b}",
        name=f"{action(row)} {precision} {row.preset}",
        kind=kind,
        message=f"{row.verdict}: {row.reason}",
        details=[
            f"{row.verdict}: {speed_words.comparison(row)}, {row.rounds} rounds",
            f"step: a {spell.seconds(row.a_step_s)}, b {spell.seconds(row.b_step_s)}",
            hint(row),
        ],
    )


def _run(report: Report, spelled: Callable[[SpeedRow], str]) -> ElementTree.Element:
    """Return the case of a run that failed as a whole, with every material slow-down."""
    slower = [
        f"{speed_words.comparison(row)} ({spelled(row)})"
        for row in report.speed
        if row.verdict == Speed.SLOWER and row.material and not row.by_phase
    ]
    details = [
        f"exit code {report.exit_code}",
        *slower,
        f"again: {report.command}" if report.command else "",
    ]
    return _case("run", "run", "the run", "failure", report.headline, details)


def _job(row: JobRow) -> ElementTree.Element:
    kind = None
    if row.status != Status.OK:
        kind = "skipped" if row.status == Status.UNSUPPORTED else "error"
    case = _case(
        suite="jobs",
        where=f"{row.workload}.{row.build}",
        name=row.job,
        kind=kind,
        message=f"{row.status}: {row.reason}",
        details=[f"log: {row.log}" if row.log else ""],
    )
    if math.isfinite(row.duration_s):
        case.set("time", f"{row.duration_s:.3f}")
    return case
