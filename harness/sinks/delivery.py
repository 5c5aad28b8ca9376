"""Where runs go beside their own folder: `--mlflow URI` and `--tensorboard DIR`.

Checked before anything runs, and sent after it.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path

from cyclopts import Parameter

from harness.errors import UsageError
from harness.results import merged
from harness.results.model import Report
from harness.sinks import mlflow as tracking
from harness.sinks import tensorboard as events
from harness.sinks.credentials import shown

EXPERIMENT = "parity-harness"
#: What each sink needs, and how it is installed.
EXTRAS = {
    name: (name, f"pip install 'parity-harness[{name}]'") for name in ("mlflow", "tensorboard")
}
SERVERS, DATABASES = ("http", "https"), ("sqlite", "postgresql", "mysql", "mssql")
#: Of what the small client leaves out, the one thing that every database needs.
DATABASE_PART = "alembic"
REPORTS = ("report.md", "report.html", "report.json", "report.xml")


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Sinks:
    """Where to send a run.

    Parameters
    ----------
    mlflow
        Log the run to MLflow: the address of a server (http://host:5000), a database
        (sqlite:///mlflow.db) or a folder. E.g. `--mlflow http://localhost:5000`.
    tensorboard
        Write event files for TensorBoard below this folder: loss curves of every build and seed,
        and the judged figures. E.g. `--tensorboard events`.
    """

    mlflow: str | None = None
    tensorboard: Path | None = None


def check(sinks: Sinks) -> None:
    """Refuse, before anything runs, what could not be sent after it. Whether a server answers is
    not asked: it may by then.

    Raises:
        UsageError: an extra is missing, the address is none, or the folder cannot be written.
    """
    for name, value in (("mlflow", sinks.mlflow), ("tensorboard", sinks.tensorboard)):
        module, install = EXTRAS[name]
        if value is not None and not _installed(module):
            raise UsageError(
                f"--{name}: needs {module}, which is not installed beside the harness. Install it:"
                f" {install}"
            )
    if sinks.mlflow is not None:
        _check_address(sinks.mlflow)
    if sinks.tensorboard is not None:
        _check_folder(sinks.tensorboard)


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _check_address(uri: str) -> None:
    scheme = uri.partition(":")[0].partition("+")[0].lower() if "://" in uri else ""
    try:
        parsed = urllib.parse.urlsplit(uri)
        host, _ = parsed.hostname, parsed.port
    except ValueError as error:
        reason = error if "@" not in uri else "its host or port"  # the error may quote a password
        raise UsageError(f"--mlflow {shown(uri)}: this is no address ({reason}).") from None
    if not uri.strip():
        raise UsageError(
            "--mlflow: the address is empty. Give one, e.g. http://localhost:5000,"
            " sqlite:///mlflow.db, or a folder."
        )
    if scheme in SERVERS and (not host or "@" in parsed.path):
        raise UsageError(
            f"--mlflow {shown(uri)}: this is no address of a server. Write http://host:port; what"
            " is no letter or digit in a password is escaped (%40 for @, %2F for /), or give it by"
            " MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD."
        )
    if scheme in DATABASES and not _installed(DATABASE_PART):
        raise UsageError(
            f"--mlflow {shown(uri)}: a database needs the whole of MLflow. Install it: pip install"
            " mlflow"
        )


def _check_folder(folder: Path) -> None:
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        why = "is no folder" if not existing.is_dir() else "may not be written to"
        raise UsageError(
            f"--tensorboard {folder}: {existing} {why}. Give a folder that you may write to, or one"
            " that can be made."
        )


def send(
    report: Report, run: Path, sinks: Sinks, environ: Mapping[str, str], say: Callable[[str], None]
) -> None:
    """Send a judged run: event files first, which need nobody else.

    Args:
        run: its folder, whose report files go along, or its report.json.
        environ: MLFLOW_EXPERIMENT_NAME names the experiment.

    Raises:
        SendingFailed: it did not arrive whole. UsageError: it is merged of runs on several
            machines.
    """
    merged.refuse(report, "sending")
    if sinks.tensorboard is not None:
        written = events.write(report, sinks.tensorboard)
        say(f"TensorBoard: {len(written)} event files in {sinks.tensorboard}")
    if sinks.mlflow is not None:
        files = [run]
        if run.is_dir():
            files = [run / name for name in REPORTS if (run / name).is_file()]
        experiment = environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        sent = tracking.send(report, files, tracking.Target(sinks.mlflow, experiment))
        say(
            f"MLflow: run {sent.run_id} in experiment {experiment} at {shown(sinks.mlflow)}:"
            f" {sent.begun}; {sent.runs} runs in all"
        )
