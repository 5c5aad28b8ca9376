"""Which build is wrong, where the pairs of several say it: a build that departs from all others,
while those agree with each other."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.matrix import MatrixLine
from harness.results.verdicts import Fidelity

#: Two builds alone cannot say which of them is wrong.
FEWEST = 3


def suspects(lines: Sequence[MatrixLine]) -> tuple[str, ...]:
    """Return a sentence for each workload in which a pair fails.

    Args:
        lines: of pairs of builds, of any workloads, precisions and seeds.
    """
    by_workload: dict[str, list[MatrixLine]] = {}
    for line in lines:
        by_workload.setdefault(line.workload, []).append(line)
    said = []
    for workload, own in by_workload.items():
        failing = [line for line in own if line.verdict == Fidelity.FAIL]
        if failing:
            said.append(f"{workload}: {_who(own, failing)}{_where(failing)}.")
    return tuple(said)


def _who(lines: Sequence[MatrixLine], failing: Sequence[MatrixLine]) -> str:
    pairs = {_pair(line) for line in failing}
    judged = {_pair(line) for line in lines}
    builds = dict.fromkeys(build for line in lines for build in (line.a, line.b))
    passing = {_pair(line) for line in lines if line.verdict == Fidelity.PASS} - pairs
    for build in builds:
        own = {pair for pair in judged if build in pair}
        # Every pair with it fails, and every pair of the others was judged and passes.
        if len(builds) >= FEWEST and own == pairs and passing == judged - own:
            others = len(builds) - 1
            whole = len(own) == others and len(passing) == others * (others - 1) // 2
            if whole:
                return f"{build} departs from all {others} others, which agree with each other"
    if len(pairs) == 1:
        return f"{failing[0].a} and {failing[0].b} differ"
    return f"{len(pairs)} of {len(judged)} pairs depart"


def _pair(line: MatrixLine) -> frozenset[str]:
    return frozenset((line.a, line.b))


def _where(failing: Sequence[MatrixLine]) -> str:
    """Return the first stage of the failing pairs, where it is the same for all."""
    stages = {line.first.stage for line in failing if line.first is not None}
    return f", first at {stages.pop()}" if len(stages) == 1 else ""
