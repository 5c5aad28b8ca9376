"""What a side's step costs beside time, from recorded rounds: memory, latencies, operations,
energy. Measures nothing itself."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence

from harness.records.contents import Action, Spent
from harness.records.store import Record
from harness.results.model import Cost
from harness.speed import latency

#: What is asked for once, after all that is timed, and where it stands in the record.
NAME_IN_RECORD = {"flops": "flops", "peak_rate": "rate", "energy_j": "energy_j"}
NOT_RECORDED = "it was not recorded"
#: Percentiles of the latency of calls.
SHARES = (0.5, 0.95, 0.99)
OWN_COUNT = "the workload's own count"
FETCHED = "TensorFlow 1 counts one output's part of the graph, and `generate` may fetch several"
OTHER_KERNEL = (
    "the kernel did not let the marks be set back: the peak is that of the process' whole life"
)


def cost(records: Sequence[Record], action: str, label: str, step_s: float | None) -> Cost:
    """Return what a step of one side costs.

    Args:
        records: the rounds, in order; the first also holds what was asked for once.
        step_s: the side's steady step time, seconds.
    """
    actions = [record.round.actions[action] for record in records]
    missing: dict[str, str] = {}
    device_peak = _device_peak(actions, label, missing)
    if not all(measured.marks_set_back.get(label, True) for measured in actions):
        missing["peak_bytes"] = OTHER_KERNEL
    flops, flops_source, spent = _counted(records, action, label)
    figures = {"flops": flops, "peak_rate": spent.rate, "energy_j": spent.energy_j}
    for name, value in figures.items():
        if value is None:
            missing[name] = spent.missing.get(NAME_IN_RECORD[name], NOT_RECORDED)
    percentiles = _percentiles(actions, label, action, missing)
    baseline = _baseline(records, label, missing)
    private = _private(actions, label)
    if private is None:
        missing["private_bytes"] = NOT_RECORDED
    utilisation = _utilisation(flops, step_s, spent.rate)
    if utilisation is None:
        missing["utilisation"] = (
            missing.get("flops") or missing.get("peak_rate") or "there is no step time"
        )
    first_s = first_step(records, action, label)
    return Cost(
        baseline_bytes=baseline,
        device_peak_bytes=device_peak,
        private_bytes=private,
        trace_s=max(0.0, first_s - step_s) if step_s else None,
        p50_s=percentiles[0.5],
        p95_s=percentiles[0.95],
        p99_s=percentiles[0.99],
        flops=flops,
        flops_source=flops_source,
        peak_rate=spent.rate,
        utilisation=utilisation,
        energy_j=spent.energy_j,
        missing=missing,
    )


def _device_peak(actions: Sequence[Action], label: str, missing: dict[str, str]) -> int | None:
    """Return the largest peak on the device; None, with the reason, where a round does not tell."""
    peaks = [measured.device_peak_bytes.get(label) for measured in actions]
    known = [peak for peak in peaks if peak is not None]
    if len(known) == len(peaks):
        return max(known)
    missing["device_peak_bytes"] = actions[-1].device_peak_missing.get(label) or NOT_RECORDED
    return None


def _baseline(records: Sequence[Record], label: str, missing: dict[str, str]) -> int | None:
    """Return the memory of a side before the action, the median over rounds."""
    sizes = [record.round.baseline_bytes.get(label) for record in records]
    known = [size for size in sizes if size is not None]
    if not any(known):
        missing["baseline_bytes"] = NOT_RECORDED
        return None
    return int(statistics.median(known))


def _counted(records: Sequence[Record], action: str, label: str) -> tuple[float | None, str, Spent]:
    """Return the operations of a step, who counted them, and what else a step was asked for.

    The workload's own count stands in where the framework has none, or one of a part only.
    """
    spent = _spent(records[0], action, label)
    flops, source, why = spent.flops, str(spent.flops_source), spent.missing.get("flops")
    own = records[-1].round.operations.get(action)
    if spent.by_product and action == "generate" and own != flops:
        flops, source, why = None, "", FETCHED
    if flops is None and own is not None:
        return own, f"{OWN_COUNT}, because {why or 'there is no other'}", spent
    if flops is None and why:
        spent = dataclasses.replace(spent, missing={**spent.missing, "flops": why})
    return flops, source, spent


def _private(actions: Sequence[Action], label: str) -> int | None:
    """Return the largest peak of a side without mapped files; None where rounds do not tell."""
    peaks = []
    for measured in actions:
        peak, mapped = measured.peak_bytes.get(label), measured.mapped_bytes.get(label)
        if not peak or mapped is None:
            return None
        peaks.append(peak - mapped)
    return max(peaks, default=None)


def cold(records: Sequence[Record], action: str, label: str) -> Sequence[Record]:
    """Return the rounds in which a side's first step is timed: all; of what is compiled the first
    alone, which had no cache."""
    effective = records[0].round.actions[action].prepared[label].effective
    return records[:1] if effective.get("execution") in ("compiled", "cudagraph") else records


def first_step(records: Sequence[Record], action: str, label: str) -> float:
    """Return the latency of the first step, seconds: median over the rounds that time it."""
    return statistics.median(
        record.round.actions[action].prepared[label].first_step_s
        for record in cold(records, action, label)
    )


def _spent(record: Record, action: str, label: str) -> Spent:
    """Return what a side was asked for once; where it was not, why each figure is missing."""
    spent = record.round.spent
    if action in spent and label in spent[action]:
        return spent[action][label]
    reason = NOT_RECORDED if action in spent else "it is asked for whole steps only"
    return Spent(missing=dict.fromkeys(NAME_IN_RECORD.values(), reason))


def _percentiles(
    actions: Sequence[Action], label: str, action: str, missing: dict[str, str]
) -> dict[float, float | None]:
    counts = latency.merge(measured.calls.get(label, {}) for measured in actions)
    base = max(measured.calls_base.get(label, 0.0) for measured in actions)
    percentiles = {share: latency.percentile(counts, base, share) for share in SHARES}
    reason = (
        f"{sum(counts.values())} calls are too few"
        if action == "generate"
        else "only calls of `generate` are timed one by one"
    )
    for share, value in percentiles.items():
        if value is None:
            missing[f"p{round(100 * share)}_s"] = reason
    return percentiles


def _utilisation(flops: float | None, step_s: float | None, rate: float | None) -> float | None:
    return flops / step_s / rate if flops and step_s and rate else None
