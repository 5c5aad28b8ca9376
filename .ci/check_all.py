"""Fail unless a comparison of the five builds judged every pair at every stage, skipped nothing, and met the ceiling of 1e-9."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

BUILDS = ("tf1", "tf2", "torch", "tf1-compat", "tf2.10")
STAGES = ("weights", "forward", "loss", "gradients", "update", "trajectory")
CEILING = 1e-9


def main(path: str) -> int:
    """Return the exit status."""
    report = json.loads(Path(path).read_text(encoding="utf-8"))
    rows = {(row["workload"], row["a"], row["b"], row["precision"], row["stage"]): row for row in report["stages"]}
    problems = []
    for workload, (a, b), precision, stage in itertools.product(
        ("linear", "cnn"), itertools.combinations(BUILDS, 2), ("fp64", "fp32"), STAGES
    ):
        row = rows.get((workload, a, b, precision, stage))
        name = f"{workload} {a}:{b} {precision} {stage}"
        if row is None or row["verdict"] != "PASS":
            problems.append(f"{name}: {row['verdict'] + ': ' + row['reason'] if row else 'not judged'}")
        elif precision == "fp64" and not (row["max_error"] <= CEILING and row["beyond"] == 0):
            problems.append(f"{name}: {row['max_error']} is above {CEILING}, or {row['beyond']} tensors are beyond the horizon")
    problems += [f"job {job['job']}: {job['status']}" for job in report["jobs"] if job["status"] != "ok" or job["kind"] == "recorded"]
    print("\n".join(problems) or f"{len(rows)} rows of five builds, all judged, none above {CEILING} in float64")  # noqa: T201
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
