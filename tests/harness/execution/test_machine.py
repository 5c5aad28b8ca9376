"""What the kernel tells of the machine, read from folders that look like its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.execution import machine


def tree(root: Path, files: dict[str, str]) -> Path:
    """Write files below a folder."""
    counted = {
        "proc/stat": "cpu  500 0 300 9000 7 0 20 40 0 0\ncpu0 1 2 3\n",
        "proc/loadavg": "20.31 9.2 4.1 3/120 77\n",
    }
    for name, text in {**counted, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="ascii")
    return root


def test_what_is_counted(tmp_path: Path) -> None:
    """Ticks become seconds; waiting for disks is no work."""
    tick_s = 1.0 / os.sysconf("SC_CLK_TCK")
    found = machine.counters(tree(tmp_path, {"proc/self/cgroup": "0::/\n"}))
    assert (found.worked_s, found.stolen_s, found.load) == (
        pytest.approx(820 * tick_s),
        pytest.approx(40 * tick_s),
        20.31,
    )


V1 = "sys/fs/cgroup/cpu"
BOTH = "sys/fs/cgroup/cpu,cpuacct/x"


@pytest.mark.parametrize(
    ("group", "files", "quota", "throttled_s"),
    [
        (
            "0::/a/b",
            {
                "sys/fs/cgroup/a/b/cpu.max": "max 100000",
                "sys/fs/cgroup/a/cpu.max": "150000 100000",
                "sys/fs/cgroup/a/cpu.stat": "usage_usec 5\nthrottled_usec 2500000",
            },
            1.5,
            2.5,
        ),
        (
            "0::/not/here",
            {"sys/fs/cgroup/cpu.max": "50000 100000", "sys/fs/cgroup/cpu.stat": "throttled_usec 1"},
            0.5,
            1e-6,
        ),
        (
            "5:memory:/x\n4:cpu,cpuacct:/x",
            {
                f"{BOTH}/cpu.cfs_quota_us": "200000",
                f"{BOTH}/cpu.cfs_period_us": "100000",
                f"{BOTH}/cpu.stat": "throttled_time 3000000000",
            },
            2.0,
            3.0,
        ),
        (
            "1:cpu:/",
            {f"{V1}/cpu.cfs_quota_us": "-1", f"{V1}/cpu.cfs_period_us": "100000"},
            None,
            0.0,
        ),
        ("1:cpu:/", {f"{V1}/cpu.stat": "throttled_time nonsense"}, None, 0.0),
        ("", {}, None, 0.0),
    ],
)
def test_groups_of_both_versions(
    tmp_path: Path, group: str, files: dict[str, str], quota: float | None, throttled_s: float
) -> None:
    """The narrowest quota of the own group and those above it; in a container the own one may
    not be there."""
    root = tree(tmp_path, {"proc/self/cgroup": f"{group}\n" if group else "", **files})
    assert quota == machine.group(root).quota and throttled_s == pytest.approx(
        machine.counters(root).throttled_s
    )
    count = len(os.sched_getaffinity(0))
    assert machine.processors(root) == (count if quota is None else min(count, quota))


def test_a_kernel_that_tells_nothing_counts_as_nothing(tmp_path: Path) -> None:
    """As on macOS."""
    assert machine.Counters(0.0, 0.0, 0.0, 0.0) == machine.counters(tmp_path)
    assert {"load", "affinity", "cpu_max", "cores"} == {*machine.state()}
