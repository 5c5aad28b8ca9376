"""What the machine does besides: load, stolen and throttled time, quota and affinity, read from the
kernel. Judges nothing.

Read around every turn of a timed round, while the worker waits: two or three small files. What
threads waited for a processor is read in the worker itself (`backends.measuring.processor_waits`).
What the kernel does not tell is None, and counts as nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.execution import host

ROOT = Path("/")
#: Columns of the first line of /proc/stat in which a processor works; the eighth is what a
#: hypervisor has given to others.
WORKING, STOLEN = (0, 1, 2, 5, 6), 7


@dataclasses.dataclass(frozen=True)
class Counters:
    """What has been counted up to now, seconds: all processors at work, stolen from them, and
    throttled by a quota of our group."""

    worked_s: float
    stolen_s: float
    throttled_s: float
    load: float


@dataclasses.dataclass(frozen=True)
class ControlGroups:
    """Where the kernel tells of the groups that this process is in, its own and those above it.

    Attributes:
        stats: files with what was throttled. quota: processors that the narrowest of them may use;
            None for no limit.
    """

    stats: tuple[Path, ...]
    quota: float | None


def counters(root: Path = ROOT) -> Counters:
    """Read all that is counted."""
    tick_s = 1.0 / os.sysconf("SC_CLK_TCK")
    ticks = [
        int(word) for word in (_text(root / "proc/stat").partition("\n")[0].split() or ["cpu"])[1:]
    ]
    worked = sum(ticks[place] for place in WORKING if place < len(ticks))
    stolen = ticks[STOLEN] if len(ticks) > STOLEN else 0
    load = _text(root / "proc/loadavg").split()
    throttled_s = max((_throttled_s(_text(path)) for path in group(root).stats), default=0.0)
    return Counters(worked * tick_s, stolen * tick_s, throttled_s, float(load[0]) if load else 0.0)


def ran_s(pids: Sequence[int]) -> float:
    """Return how long all threads of some processes have run, seconds; what cannot be read counts
    as nothing."""
    total_ns = 0
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            words = _text(path).split()
            total_ns += int(words[0]) if words else 0
    return total_ns / 1e9


def state() -> dict[str, Any]:
    """Return what the machine is doing besides: load averages, cores this process may use, CPU
    quota of its group."""
    affinity = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return {
        "load": list(os.getloadavg()),
        "affinity": affinity,
        "cpu_max": group().quota,
        "cores": processors(),
    }


def processors(root: Path = ROOT) -> float:
    """Return how many processors this process may use: by affinity, and by the quota of its
    group."""
    count, quota = float(host.cores()), group(root).quota
    return count if quota is None else min(count, quota)


@functools.lru_cache(maxsize=8)
def group(root: Path = ROOT) -> ControlGroups:
    """Return the groups of this process, of version 2 or 1, as they are mounted here; in a
    container the own one may be the root."""
    stats: list[Path] = []
    quotas: list[float] = []
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        mounts = (
            ("", "unified")
            if not names
            else (names, "cpu", "cpu,cpuacct")
            if "cpu" in names.split(",")
            else ()
        )
        for mount in mounts:
            top = root / "sys/fs/cgroup" / mount
            for folder in _upwards(top, path):
                quota = _quota(folder)
                if quota is None:
                    continue
                if math.isfinite(quota):
                    quotas.append(quota)
                if folder / "cpu.stat" not in stats:
                    stats.append(folder / "cpu.stat")
    return ControlGroups(tuple(stats), min(quotas, default=None))


def _upwards(top: Path, path: str) -> list[Path]:
    """Return a group's folder and those above it, up to the mount; the mount alone where the
    group's own is not to be seen."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    folders = [top.joinpath(*parts[:count]) for count in range(len(parts), -1, -1)]
    return [folder for folder in folders if folder.is_dir()]


def _quota(folder: Path) -> float | None:
    """Return how many processors a group may use, infinity for no limit; None if this is no group
    that tells."""
    newer = _text(folder / "cpu.max").split()
    if len(newer) == 2:
        return math.inf if newer[0] == "max" else int(newer[0]) / int(newer[1])
    older = _text(folder / "cpu.cfs_quota_us").strip(), _text(folder / "cpu.cfs_period_us").strip()
    if not all(older):
        return math.inf if (folder / "cpu.stat").is_file() else None
    return int(older[0]) / int(older[1]) if int(older[0]) > 0 else math.inf


def _throttled_s(text: str) -> float:
    """Return what a group's `cpu.stat` says of being throttled: microseconds in version 2,
    nanoseconds in version 1."""
    counters = dict(line.split()[:2] for line in text.splitlines() if len(line.split()) >= 2)
    with contextlib.suppress(ValueError):
        if "throttled_usec" in counters:
            return 1e-6 * int(counters["throttled_usec"])
        return 1e-9 * int(counters.get("throttled_time", 0))
    return 0.0


def _text(path: Path) -> str:
    """Return a file's text; nothing where there is none, or it may not be read."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="ascii")
    return ""
