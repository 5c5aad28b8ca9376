"""`compare` and `load`: a comparison from Python, and the report of one that was made before."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.api import arguments
from harness.api.arguments import Names, Place
from harness.api.notebook_progress import shown
from harness.api.run_report import RunReport
from harness.commands import compare as comparison
from harness.context import Context
from harness.report import renderers

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from harness.api.arguments import CompareOptions


def compare(
    what: Place | Names | None = None,
    *,
    progress: Callable[[str], None] | bool | None = None,
    **options: Unpack[CompareOptions],
) -> RunReport:
    """Compare two models, or builds on workloads: the same function, stage by stage, and how fast.

    It does what `harness compare` does, with the same defaults, those of a `harness.toml` among
    them, and writes the same report.

        report = compare("pair.py", until="update", speed=False)
        report = compare("linear", backends=["tf2", "torch"], precision="fp64", speed=False)

    Args:
        what: a pair file, whose name ends in `.py`; or the names of workloads; or nothing, for all
            workloads that run by default.
        progress: called with one line at a time. Without it, or with True, a notebook shows
            progress and nothing else does; with False nothing is shown.
        options: as in `CompareOptions`, each as the option of that name. `until="update"` stands
            for `stages`, `speed=False` and `fidelity=False` for `--no-speed` and `--no-fidelity`,
            `out` for `--reports`. Times are in seconds.

    Returns:
        The report. A model that departs raises nothing here: see `Report.raise_for_verdict`.

    Raises:
        UsageError: an argument, or a file, cannot be used. UnknownName: a name in them does
            not exist.
        BuildError: a build cannot be had here.
        JobFailed: a model of a pair cannot be built or run.
        RecordError: something on disk cannot be used.
    """
    named = arguments.read(what, options)
    with shown(progress) as say:
        now = datetime.datetime.now().astimezone()
        for line in named.notes:
            say(line)
        context = Context(dict(os.environ), now, named.command, say, notes=named.notes)
        result = comparison.compare_named(named.pair, named.options, context)
    return RunReport.of(result.report, result.folder.absolute())


def load(run: Place) -> RunReport:
    """Return the report of a comparison that was made before.

    Args:
        run: its folder, e.g. `reports/2026-11-29_tf2-torch`, or its `report.json`.

    Raises:
        UsageError: there is no such report. CorruptRecord, NewerSchema: it cannot be used.
    """
    path = Path(run)
    folder = path if path.is_dir() else path.parent
    return RunReport.of(renderers.load(path), folder.absolute())
