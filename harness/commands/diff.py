"""Two stored runs against each other: reads both reports and what their rounds measured;
`harness.changes` says what differs.

The rounds come from the runs' records. Where those have been deleted, the step times that a report
keeps for its plot stand for them, and where it has none, the interval of the ratio: it was made
from a standard error, which is taken as large as it can have been.
"""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import scipy

from harness.changes import conditions, figures, renames
from harness.changes.model import JudgedNight, Measurand, Moments, Ratios, measurand, moments
from harness.errors import UnknownName
from harness.history import evidence
from harness.report import diff_html, diff_json, diff_markdown, renderers
from harness.results import merged
from harness.results.model import SpeedRow
from harness.results.series import Turns
from harness.speed import estimate

#: How a comparison is rendered to text, by the name that `--format` has for it.
RENDERERS = {
    "json": diff_json.render,
    "markdown": diff_markdown.render,
    "html": diff_html.render,
}
FORMATS = ("terminal", *RENDERERS)


def compare(before: Path, after: Path) -> figures.Diff:
    """Return what differs between two runs, each a folder or a report.json.

    Args:
        before, after: what became worse did so from the first to the second.

    Raises:
        UsageError: there is no such run. CorruptRecord, NewerSchema: its report cannot be used.
    """
    return figures.diff(night(before), night(after))


def render(difference: figures.Diff, format_name: str) -> str:
    """Return a comparison as text.

    Args:
        difference: between two runs.
        format_name: one of `RENDERERS`; the terminal's is drawn by `cli`.

    Raises:
        UnknownName: there is no such format.
    """
    if format_name not in RENDERERS:
        raise UnknownName("format", format_name, FORMATS)
    return RENDERERS[format_name](difference)


def night(run: Path) -> JudgedNight:
    """Return a stored run with what its rounds measured.

    Args:
        run: its folder, or its report.json.

    Raises:
        UsageError: there is none, or it is merged of runs on several machines.
    """
    report = renderers.load(run)
    merged.refuse(report, f"harness diff {run}")
    gathered = evidence.gather(report, run if run.is_dir() else run.parent)
    ratios: dict[Measurand, Ratios] = {}
    for number, row in enumerate(report.speed):
        rounds = gathered.rounds.get(number, ())
        logs = [item.log_ratio for item in rounds if item.log_ratio is not None]
        if len(logs) == row.rounds:
            sums: Moments | None = moments(logs)
        else:
            sums = _from_turns(row.turns) or _from_interval(row)
        if sums is not None:
            ports = {
                side: gathered.ports[side, row.workload].source_hash
                for side in (row.a, row.b)
                if (side, row.workload) in gathered.ports
            }
            circumstances = _conditions(row, gathered)
            ratios[measurand(row)] = Ratios(
                measurand(row), sums, ports, _versions(gathered), circumstances
            )
    return renames.today(JudgedNight(report, tuple(ratios.values())))


def _versions(gathered: evidence.RunEvidence) -> dict[str, dict[str, str]]:
    return {side: identity.versions for side, identity in gathered.identities.items()}


def _conditions(row: SpeedRow, gathered: evidence.RunEvidence) -> dict[str, str]:
    """Return under what a row was measured; where its records are left, with the machine and the
    specification."""
    host = gathered.host()
    circumstances = {
        "threads": str(row.threads),
        "device": row.device,
        "execution": row.execution,
        "data": row.data,
    }
    if host is not None:
        circumstances[conditions.MACHINE] = host.fingerprint
    if (row.workload, row.preset) in gathered.specs:
        circumstances[conditions.SPECIFICATION] = gathered.specs[row.workload, row.preset]
    return circumstances


def _from_turns(turns: Turns | None) -> Moments | None:
    """Return the moments of the rounds that a report keeps: step times of three digits or more,
    palindrome by palindrome."""
    if turns is None:
        return None
    logs = []
    for a, b in zip(turns.a, turns.b, strict=False):
        if not a or len(a) != len(b):
            return None
        if not all(math.isfinite(step) and step > 0.0 for step in (*a, *b)):
            return None
        ratios = [math.log(of_b / of_a) for of_a, of_b in zip(a, b, strict=True)]
        logs.append(statistics.median(ratios))
    return moments(logs) if logs else None


def _from_interval(row: SpeedRow) -> Moments | None:
    """Return the moments from the interval alone. Whether the look was the last one is not told; if
    it was, it spent more of the error rate, and the interval was narrower for the same error. So
    the error is at most the one that follows from that.
    """
    if row.low is None or row.high is None or row.rounds < 2:
        return None
    if not 0.0 < row.low <= row.high < math.inf:
        return None
    level = estimate.alpha(row.rounds, final=True)
    if not level > 0.0:
        return None
    quantile = float(scipy.special.stdtrit(row.rounds - 1, 1.0 - level / 2.0))
    return Moments(
        0.5 * math.log(row.low * row.high),
        0.5 * math.log(row.high / row.low) / quantile,
        row.rounds,
    )
