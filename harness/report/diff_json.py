"""What differs between two runs, as strict JSON: for machines. The same difference gives the same
bytes."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

from harness.changes.figures import Diff

SCHEMA = 1


def render(found: Diff) -> str:
    """Return strict JSON with a newline at its end; what is not finite is written as in a report's
    JSON."""
    document = {
        "schema": SCHEMA,
        "before": found.before,
        "after": found.after,
        "comparable": found.comparable,
        "exit_code": found.exit_code,
        "apart": found.apart,
        "changes": [dataclasses.asdict(one) for one in found.changes],
        "differences": [dataclasses.asdict(one) for one in found.differences],
    }
    return json.dumps(_plain(document), indent=1, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
