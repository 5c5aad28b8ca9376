"""The rules by which other tools call two measurements different, on processes of identical work,
one after another.

Each rule gets what its tool would have measured: as many processes as it starts, in the order in
which it starts them, from the recording `timing_noise.json`. The rules are written anew from what
the tools document and do; versions of 2025. Rules are replayed, not tools: what a tool measures
differently (its own warm-up, more repetitions) is not in the recording.
"""

from __future__ import annotations

import dataclasses
import random
import statistics
from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from tests.evaluation.replay import recorded

Steps = Sequence[Sequence[float]]


@dataclasses.dataclass(frozen=True)
class Peer:
    """One tool's rule.

    Attributes:
        name, rule: as a reader knows them.
        processes: of each side; all of one side run before the other's.
        differs: step times of both sides by process -> whether the tool calls the second slower
            (+1), faster (-1) or neither (0).
    """

    name: str
    rule: str
    processes: int
    differs: Callable[[Steps, Steps], int]


@dataclasses.dataclass(frozen=True)
class Replayed:
    """Shares of comparisons: called different with nothing changed, and called slower with 5 %
    injected into the second side."""

    peer: Peer
    comparisons: int
    false: float
    power: float


def _sign(a: float, b: float, different: bool) -> int:
    return (1 if b > a else -1) * different


def _values(side: Steps, count: int) -> list[float]:
    """Return each process's steps as means of `count` equal runs of them."""
    return [float(value) for steps in side for value in np.reshape(steps, (count, -1)).mean(1)]


def pyperf(a: Steps, b: Steps) -> int:
    """Student's test at 95 % on the pooled values of all processes, three each."""
    one, other = _values(a, 3), _values(b, 3)
    return _sign(
        statistics.fmean(one),
        statistics.fmean(other),
        bool(stats.ttest_ind(one, other).pvalue <= 0.05),
    )


def benchmark_minimum(a: Steps, b: Steps) -> int:
    """Slower if the minimum rose by more than 5 %; one-sided."""
    return int(min(b[0]) > 1.05 * min(a[0]))


def benchmark_mean(a: Steps, b: Steps) -> int:
    """Slower if the mean rose by more than 5 %; one-sided."""
    return int(statistics.fmean(b[0]) > 1.05 * statistics.fmean(a[0]))


def asv(a: Steps, b: Steps) -> int:
    """Medians that differ by more than 10 %, and samples that differ at p < 0.002
    (Mann-Whitney)."""
    one, other = _values(a, 20), _values(b, 20)
    x, y = statistics.median(one), statistics.median(other)
    return _sign(
        x, y, max(x, y) > 1.1 * min(x, y) and bool(stats.mannwhitneyu(one, other).pvalue < 0.002)
    )


def google(a: Steps, b: Steps) -> int:
    """Mann-Whitney on repetitions, p < 0.05."""
    one, other = _values(a, 20), _values(b, 20)
    return _sign(
        statistics.median(one),
        statistics.median(other),
        bool(stats.mannwhitneyu(one, other).pvalue < 0.05),
    )


def nvbench(a: Steps, b: Steps) -> int:
    """Means that differ by more than the smaller of the two relative deviations."""
    x, y = statistics.fmean(a[0]), statistics.fmean(b[0])
    return _sign(x, y, abs(y - x) / x > min(statistics.stdev(a[0]) / x, statistics.stdev(b[0]) / y))


def torchbench(a: Steps, b: Steps) -> int:
    """Medians that differ by more than 7 %."""
    x, y = statistics.median(a[0]), statistics.median(b[0])
    return _sign(x, y, abs(y - x) / x > 0.07)


def dynamo(a: Steps, b: Steps) -> int:
    """Student's test on 30 repetitions at p <= 0.1, with the ratio of medians."""
    one, other = _values(a, 30), _values(b, 30)
    return _sign(
        statistics.median(one),
        statistics.median(other),
        bool(stats.ttest_ind(one, other).pvalue <= 0.1),
    )


def welch(a: Steps, b: Steps) -> int:
    """Welch's test at 95 % on one number a process."""
    one, other = list(map(statistics.median, a)), list(map(statistics.median, b))
    return _sign(
        statistics.fmean(one),
        statistics.fmean(other),
        bool(stats.ttest_ind(one, other, equal_var=False).pvalue <= 0.05),
    )


PEERS = (
    Peer("pyperf `compare_to`", "t test at 95 % on pooled values, 3 a process", 20, pyperf),
    Peer("pytest-benchmark", "minimum up by 5 % (`min:5%`), one-sided", 1, benchmark_minimum),
    Peer("pytest-benchmark", "mean up by 5 % (`mean:5%`), one-sided", 1, benchmark_mean),
    Peer("asv `compare`", "factor 1.1 and Mann-Whitney p < 0.002", 2, asv),
    Peer("google/benchmark `compare.py`", "Mann-Whitney p < 0.05 on repetitions", 1, google),
    Peer(
        "nvbench `nvbench_compare`", "difference above the smaller relative deviation", 1, nvbench
    ),
    Peer("TorchBench", "medians differ by 7 %", 1, torchbench),
    Peer("TorchDynamo's `speedup`", "t test p <= 0.1 on 30 repetitions", 1, dynamo),
    Peer("Welch on processes", "one number a process, p <= 0.05", 10, welch),
)
#: The same with the processes of both sides in random order.
SHUFFLED = Peer(
    "Welch on processes, random order", "the same 20 processes, dealt at random", 10, welch
)


def replay(peer: Peer, slowdown: float = 0.05, seed: int = 0) -> Replayed:
    """Compare each run of neighbouring processes with the run after it."""
    found = recorded.processes()
    draw = random.Random(seed)
    false = power = 0
    starts = range(len(found) - 2 * peer.processes + 1)
    for start in starts:
        both = list(found[start : start + 2 * peer.processes])
        if peer is SHUFFLED:
            draw.shuffle(both)
        a, b = both[: peer.processes], both[peer.processes :]
        false += peer.differs(a, b) != 0
        slower = [recorded.slower(steps, slowdown) for steps in b]
        power += peer.differs(a, slower) > 0
    return Replayed(peer, len(starts), false / len(starts), power / len(starts))
