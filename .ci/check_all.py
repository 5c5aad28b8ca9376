"""Fail unless a comparison of the five builds judged every pair at every stage, skipped nothing,
and met its ceilings."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path

BUILDS = ("tf1", "tf2", "torch", "tf1-compat", "tf2.10")
STAGES = ("weights", "forward", "loss", "gradients", "update", "trajectory")
#: Largest error in float64. Two hundred updates of a GAN may let rounding grow.
CEILING = 1e-9
LONG = {(name, "trajectory"): 1e-6 for name in ("ehr_mgan", "ehr_mgan_conditional")}


def main() -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("--workloads", nargs="+", required=True)
    parser.add_argument("--precision", nargs="+", required=True)
    asked = parser.parse_args()
    report = json.loads(asked.report.read_text(encoding="utf-8"))
    rows = {
        (row["workload"], row["a"], row["b"], row["precision"], row["stage"]): row
        for row in report["stages"]
    }
    problems, largest = [], {}
    for workload, (a, b), precision, stage in itertools.product(
        asked.workloads, itertools.combinations(BUILDS, 2), asked.precision, STAGES
    ):
        row = rows.get((workload, a, b, precision, stage))
        name = f"{workload} {a}:{b} {precision} {stage}"
        ceiling = LONG.get((workload, stage), CEILING)
        if row is None or row["verdict"] != "PASS":
            problems.append(
                f"{name}: {row['verdict'] + ': ' + row['reason'] if row else 'not judged'}"
            )
        elif precision == "fp64":
            largest[workload, stage] = max(largest.get((workload, stage), 0.0), row["max_error"])
            if not (row["max_error"] <= ceiling and row["beyond"] == 0):
                problems.append(
                    f"{name}: {row['max_error']} is above {ceiling}, or {row['beyond']} tensors are"
                    " beyond the horizon"
                )
    problems += [
        f"job {job['job']}: {job['status']}"
        for job in report["jobs"]
        if job["status"] != "ok" or job["kind"] == "recorded"
    ]
    for (workload, stage), error in largest.items():
        print(f"{workload} {stage}: largest error in float64 over all pairs {error:.1e}")  # noqa: T201
    print(  # noqa: T201
        "\n".join(problems)
        or f"{len(rows)} rows of five builds, all judged, none above its ceiling in float64"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
