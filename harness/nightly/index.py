"""`reports/nightly/index.html`: all nights with their verdicts and what changed, the newest first.
Each leads to its own page (`page`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.errors import RecordError
from harness.execution.progress import spell
from harness.nightly.night import Night
from harness.nightly.page import address
from harness.report.page_templates import environment

#: Nights that are shown at once; the older ones can be opened.
SHOWN = 14


def render(nights: Sequence[tuple[Path, Night | RecordError]], history: str = "") -> str:
    """Return the page; a night that cannot be read says why. `history`: that page, if any."""
    shown = [
        (folder.name, state if isinstance(state, Night) else str(state)) for folder, state in nights
    ]
    template = environment("harness.nightly").get_template("nights.html")
    return template.render(
        nights=shown, history=history, shown=SHOWN, duration=spell, address=address
    )
