"""What differs between two runs, as strict JSON: the same difference gives the same bytes."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

from harness.changes.figures import Diff

#: 1 (first), 2 (`suspects` and `unreported`; what only one run tells is no difference any more).
SCHEMA = 2


def render(diff: Diff) -> str:
    """Return strict JSON and a newline; what is not finite is written as in a report."""
    document = {
        "schema": SCHEMA,
        "before": diff.before,
        "after": diff.after,
        "comparable": diff.comparable,
        "exit_code": diff.exit_code,
        "apart": diff.apart,
        "changes": [dataclasses.asdict(change) for change in diff.changes],
        "differences": [dataclasses.asdict(row) for row in diff.differences],
        "suspects": [dataclasses.asdict(row) for row in diff.suspects],
        "unreported": [dataclasses.asdict(row) for row in diff.unreported],
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
