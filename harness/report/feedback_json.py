"""The feedback of a comparison as strict JSON: the same feedback gives the same bytes.

What is not finite is written as in a report: "NaN", "Infinity", "-Infinity".
"""

from __future__ import annotations

import dataclasses
import json

from harness.report.json_format import plain
from harness.results.feedback import Feedback


def render(feedback: Feedback) -> str:
    """Return one JSON object and a newline, its names sorted.

    Args:
        feedback: of one comparison.
    """
    return json.dumps(plain(dataclasses.asdict(feedback)), indent=1, allow_nan=False) + "\n"
