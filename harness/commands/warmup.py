"""What `--warmup` says: seconds with their unit, or a number of steps. A plain number is always
steps."""

from __future__ import annotations

from harness.errors import UsageError
from harness.plan import Warmup

#: Seconds, or steps: longer than anybody waits.
MOST = 1e9


def parse(text: str | None) -> Warmup | None:
    """Return what is asked for: `500` are steps, `2s` and `0.5s` seconds.

    Raises:
        UsageError: it is neither.
    """
    if text is None:
        return None
    try:
        warmup = Warmup(float(text[:-1]), 1) if text.endswith("s") else Warmup(0.0, int(text))
    except ValueError:
        warmup = Warmup(0.0, 0)
    if 0.0 < warmup.seconds <= MOST or (not text.endswith("s") and 1 <= warmup.steps <= MOST):
        return warmup
    raise UsageError(
        f"--warmup {text}: give a number of steps, 1 or more, e.g. 500, or seconds with the unit s,"
        " e.g. 2s or 0.5s."
    )
