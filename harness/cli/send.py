"""Sends stored runs to MLflow or TensorBoard, for the command `send` and for `compare`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from harness.cli.console import complain, say
from harness.commands.compare import ComparisonResult
from harness.errors import HarnessError, UsageError
from harness.report import renderers
from harness.sinks import delivery
from harness.sinks.credentials import shown
from harness.sinks.delivery import Sinks

#: MLflow reads these; what the user has set stays. Nothing is told to its makers, a folder is taken
#: as an address as it always was, and a server that is not there is given up after seconds, not
#: minutes.
SETTINGS = {
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


def send(*runs: Path, sinks: Sinks = Sinks()) -> int:
    """Send finished runs to MLflow or to TensorBoard; what is there already is not sent again.

    Parameters
    ----------
    runs
        The runs' folders, or their report.json.
    """
    if not runs:
        raise UsageError(
            "no run is named. Give a run's folder, e.g.: harness send reports/<date>_<what>"
            " --mlflow http://localhost:5000"
        )
    if sinks == Sinks():
        raise UsageError("say where to: --mlflow URI, --tensorboard DIR, or both.")
    delivery.check(sinks)
    loaded = [(run, renderers.load(run)) for run in runs]
    # one that fails keeps no other back
    arrived = [deliver(ComparisonResult(report, run), sinks) for run, report in loaded]
    return 0 if all(arrived) else HarnessError.exit_code


def deliver(result: ComparisonResult, sinks: Sinks) -> bool:
    """Send a run; where that fails, say how it is sent later: the run itself is on disk."""
    if sinks == Sinks():
        return True
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        delivery.send(result.report, result.folder, sinks, os.environ, say)
    except HarnessError as error:
        later = ["harness", "send", str(result.folder)]
        later += ["--tensorboard", str(sinks.tensorboard)] if sinks.tensorboard is not None else []
        later += ["--mlflow", shown(sinks.mlflow)] if sinks.mlflow is not None else []
        hidden = sinks.mlflow is not None and sinks.mlflow != shown(sinks.mlflow)
        hint = " (with the credentials, which are not shown)" if hidden else ""
        message = (
            f"{error} The run is kept; what arrived is not sent twice. Send it again:"
            f" {shlex.join(later)}{hint}"
        )
        complain(message)
        return False
    return True
