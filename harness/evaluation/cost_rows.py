"""What a side's step costs beside time, from recorded rounds: memory, latencies, operations,
energy. Measures nothing itself."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from harness.records.store import Record
from harness.results.model import Cost
from harness.speed import latency

#: What is asked for once, after all that is timed, and where it stands in the record.
ASKED = {"flops": "flops", "peak_rate": "rate", "energy_j": "energy_j"}
OWN_COUNT = "the workload's own count"
#: TF1's counter follows the one activation that a port names as its product; a port whose
#: `generate` fetches more is half counted.
BY_PRODUCT = "on the session's graph"
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
    told = [record.result["actions"][action] for record in records]
    missing: dict[str, str] = {}
    device = [one.get("device_peak_bytes", {}).get(label) for one in told]
    if None in device:
        missing["device_peak_bytes"] = str(
            told[-1].get("device_peak_missing", {}).get(label, "it was not recorded")
        )
    if not all(one.get("marks_set_back", {}).get(label, True) for one in told):
        missing["peak_bytes"] = OTHER_KERNEL
    first_s = first_step(records, action, label)
    spent = _spent(records[0], action, label)
    found, source = (
        {name: _number(spent.get(key)) for name, key in ASKED.items()},
        str(spent.get("flops_source", "")),
    )
    own = records[-1].result.get("operations", {}).get(action)
    if source.endswith(BY_PRODUCT) and action == "generate" and own != found["flops"]:
        found["flops"], source, spent = (
            None,
            "",
            {**spent, "missing": {**spent["missing"], "flops": FETCHED}},
        )
    if found["flops"] is None and own is not None:
        found["flops"], source = (
            float(own),
            f"{OWN_COUNT}, because {spent['missing'].get('flops', 'there is no other')}",
        )
    missing.update(
        {
            name: str(spent["missing"].get(key, "it was not recorded"))
            for name, key in ASKED.items()
            if found[name] is None
        }
    )
    percentiles = _percentiles(told, label, action, missing)
    baseline = [record.result.get("baseline_bytes", {}).get(label) for record in records]
    if not any(baseline):
        missing["baseline_bytes"] = "it was not recorded"
    private = _private(told, label)
    if private is None:
        missing["private_bytes"] = "it was not recorded"
    utilisation = _utilisation(found["flops"], step_s, found["peak_rate"])
    if utilisation is None:
        missing["utilisation"] = (
            missing.get("flops") or missing.get("peak_rate") or "there is no step time"
        )
    return Cost(
        baseline_bytes=(
            int(statistics.median(value for value in baseline if value is not None))
            if any(baseline)
            else None
        ),
        device_peak_bytes=None if None in device else max(device),
        private_bytes=private,
        trace_s=max(0.0, first_s - step_s) if step_s else None,
        p50_s=percentiles[0.5],
        p95_s=percentiles[0.95],
        p99_s=percentiles[0.99],
        flops=found["flops"],
        flops_source=source,
        peak_rate=found["peak_rate"],
        utilisation=utilisation,
        energy_j=found["energy_j"],
        missing=missing,
    )


def _private(told: Sequence[Mapping[str, Any]], label: str) -> int | None:
    """Return the largest peak of a side without mapped files; None where rounds do not tell."""
    peaks = [
        (one.get("peak_bytes", {}).get(label), one.get("mapped_bytes", {}).get(label))
        for one in told
    ]
    known = [peak - mapped for peak, mapped in peaks if peak and mapped is not None]
    return max(known) if known and len(known) == len(peaks) else None


def cold(records: Sequence[Record], action: str, label: str) -> Sequence[Record]:
    """Return the rounds in which a side's first step is timed: all; of what is compiled the first
    alone, which had no cache."""
    effective = records[0].result["actions"][action]["prepared"][label].get("effective", {})
    return records[:1] if effective.get("execution") in ("compiled", "cudagraph") else records


def first_step(records: Sequence[Record], action: str, label: str) -> float:
    """Return the latency of the first step, seconds: median over the rounds in which it is
    timed."""
    told = [
        record.result["actions"][action]["prepared"][label]
        for record in cold(records, action, label)
    ]
    return statistics.median(float(one["first_step_s"]) for one in told)


def _spent(record: Record, action: str, label: str) -> Mapping[str, Any]:
    whole = record.result.get("spent", {}).get(action, {}).get(label, {})
    reason = (
        "it is asked for whole steps only"
        if action not in record.result.get("spent", {})
        else "it was not recorded"
    )
    return {"missing": dict.fromkeys(ASKED.values(), reason), **whole}


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _percentiles(
    told: Sequence[Mapping[str, Any]], label: str, action: str, missing: dict[str, str]
) -> dict[float, float | None]:
    counts = latency.merge(one.get("calls", {}).get(label, {}) for one in told)
    base = max(float(one.get("calls_base", {}).get(label, 0.0)) for one in told)
    found = {share: latency.percentile(counts, base, share) for share in (0.5, 0.95, 0.99)}
    reason = (
        f"{sum(counts.values())} calls are too few"
        if action == "generate"
        else "only calls of `generate` are timed one by one"
    )
    missing.update(
        {f"p{round(100 * share)}_s": reason for share, value in found.items() if value is None}
    )
    return found


def _utilisation(flops: float | None, step_s: float | None, rate: float | None) -> float | None:
    return flops / step_s / rate if flops and step_s and rate else None
