"""The report as JUnit XML, for a CI's own display: each stage of each pair is a test case, and so is each job.

FAIL is a failure; INCONCLUSIVE and a job that did not end ok are errors; INFO and unsupported are skipped. A speed
verdict fails nothing by itself and is a passing case with its numbers as output.
"""

from __future__ import annotations

from xml.etree import ElementTree

from harness.report import format as spell
from harness.report.format import one_line
from harness.report.matrix import action, hint, setting
from harness.report.model import JobRow, Report, SpeedRow, StageRow

PLURALS = {"failure": "failures", "error": "errors", "skipped": "skipped"}
KINDS = {"FAIL": "failure", "INCONCLUSIVE": "error", "INFO": "skipped"}


def render(report: Report) -> str:
    """Return one XML document, ending in a newline."""
    root = ElementTree.Element("testsuites", {"name": one_line(report.title)})
    spelled = setting(report, "seed ")
    for name, cases in (
        ("fidelity", [_stage(row, spelled(row)) for row in report.stages]),
        ("speed", [_speed(row, spelled(row)) for row in report.speed]),
        ("jobs", [_job(row) for row in report.jobs]),
    ):
        suite = ElementTree.SubElement(root, "testsuite", {"name": name, "tests": str(len(cases))})
        for kind, plural in PLURALS.items():
            suite.set(plural, str(sum(case.find(kind) is not None for case in cases)))
        suite.set("timestamp", one_line(report.created))
        suite.extend(cases)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: str, where: str, name: str, kind: str | None, message: str, details: list[str]) -> ElementTree.Element:
    case = ElementTree.Element("testcase", {"classname": one_line(f"{suite}.{where}"), "name": one_line(name)})
    text = "\n".join(one_line(detail) for detail in details if detail)
    if kind is not None:
        ElementTree.SubElement(case, kind, {"message": one_line(message)}).text = text
    elif text:
        ElementTree.SubElement(case, "system-out").text = text
    return case


def _stage(row: StageRow, precision: str) -> ElementTree.Element:
    kind = KINDS.get(row.verdict, "error") if row.verdict != "PASS" else None
    message = f"{row.verdict}: {row.worst}: {row.reason}" if row.worst else f"{row.verdict}: {row.reason}"
    details = [
        f"tensor {row.worst} {row.place or ''}" if row.worst else "",
        f"a = {spell.value(row.value_a)}, b = {spell.value(row.value_b)}",
        f"error {spell.error(row.error)}, floor {spell.error(row.floor)}, threshold {spell.error(row.threshold)}, {row.tensors} tensors",
        f"{row.seeds} seeds a build" + (f", about {row.needed} needed" if row.needed is not None else "") if row.seeds else "",
        f"again: {row.command}" if row.command else "",
        *(f"log: {log}" for log in row.logs),
    ]
    return _case("fidelity", f"{row.workload}.{row.a} : {row.b}", f"{row.stage} {precision}", kind, message, details)


def _speed(row: SpeedRow, precision: str) -> ElementTree.Element:
    found = f"{row.verdict}{' (material)' if row.material else ''}: {spell.ratio(row.ratio, row.low, row.high)} in {row.rounds} rounds"
    steps = f"step: a {spell.seconds(row.a_step_s)}, b {spell.seconds(row.b_step_s)}"
    name = f"{action(row)} {precision} {row.preset}"
    return _case("speed", f"{row.workload}.{row.a} : {row.b}", name, None, "", [found, steps, hint(row)])


def _job(row: JobRow) -> ElementTree.Element:
    kind = None if row.status == "ok" else "skipped" if row.status == "unsupported" else "error"
    log = f"log: {row.log}" if row.log else ""
    return _case("jobs", f"{row.workload}.{row.build}", row.job, kind, f"{row.status}: {row.reason}", [log])
