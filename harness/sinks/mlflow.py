"""A report as MLflow runs: one for the comparison, and below it one for the loss curves of each
build, so that MLflow overlays them.

The only module that knows MLflow, through its own client. Every run carries the digest of its
report and which part of it it is: what was cut off in the midst is found again by these tags, gets
what is missing, and nothing twice. Points have the time at which the comparison began, so that a
second upload writes the same points.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy.exc

from harness.errors import SendingFailed
from harness.report import json_format
from harness.results.model import BuildRow, Report
from harness.sinks import figures
from harness.sinks.credentials import hidden, shown

#: Tags by which a run is found again.
REPORT, PART, WHOLE, COMPLETE = "parity.report", "parity.part", "comparison", "parity.complete"
ARTIFACTS = "report"
#: What names the runs of losses, as parameters.
SETTING = ("workload", "preset", "precision", "mode", "build")
#: Of one request: MLflow takes 1000 metrics, 100 parameters and a megabyte.
METRICS, PARAMETERS = 500, 100
#: Characters of a parameter and of a tag that every release of MLflow stores.
MOST_VALUE, MOST_TAG = 500, 5000
PAGE = 500


@dataclasses.dataclass(frozen=True)
class Target:
    """Where to: the address of a server or store, and the experiment, made if there is none."""

    uri: str
    experiment: str


@dataclasses.dataclass(frozen=True)
class Sent:
    """What lies in MLflow: `begun` is new, went on, or was there already."""

    run_id: str
    begun: str
    runs: int


@dataclasses.dataclass(frozen=True)
class MetricPoint:
    """One value of one metric."""

    key: str
    value: float
    step: int = 0


@dataclasses.dataclass(frozen=True)
class Part:
    """One MLflow run: what it is called and what goes into it."""

    name: str
    tags: Mapping[str, str]
    parameters: Mapping[str, str]
    points: Sequence[MetricPoint]


def send(report: Report, files: Sequence[Path], target: Target) -> Sent:
    """Log a report, its curves and its files.

    Raises:
        SendingFailed: the server cannot be reached or refuses; what arrived stays there, and the
            next attempt goes on with it.
    """
    parts = [_whole(report), *_curves(report)]  # complains of a report before anything is sent
    import mlflow.exceptions

    try:
        # The client prints the address, with what is in it.
        with _unlogged(), contextlib.redirect_stdout(io.StringIO()):
            return _Upload(report, files, target).all(parts)
    except Exception as error:
        refused = (
            mlflow.exceptions.MlflowException,
            sqlalchemy.exc.SQLAlchemyError,
            OSError,
            ImportError,
            ValueError,
        )
        # of a folder that is gone MLflow says so by an Exception of no other type
        if not isinstance(error, refused) and type(error) is not Exception:
            raise
        reason = hidden(" ".join(str(error).split()), target.uri)
        raise SendingFailed(
            f"MLflow at {shown(target.uri)} did not take the run: {reason[:600]}"
        ) from None


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """Keep what MLflow and what it uses log in passing from the terminal: it may quote the address,
    and tracebacks of experiments that are not ours. What concerns the upload is raised."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _whole(report: Report) -> Part:
    """Return the run of the comparison: parameters and judged figures."""
    names, values = figures.parameters(report), figures.figures(report)
    parameter_keys, keys = figures.keys(list(names)), figures.keys(list(values))
    tags = {
        "mlflow.note.content": f"**{report.fidelity}** {report.headline}"[:MOST_TAG],
        "mlflow.source.name": "harness compare",
        "parity.fidelity": report.fidelity,
        "parity.title": report.title[:MOST_TAG],
    }
    if report.commit:
        tags["mlflow.source.git.commit"] = report.commit
    return Part(
        figures.title(report),
        {**tags, PART: WHOLE},
        {parameter_keys[name]: value for name, value in names.items()},
        [MetricPoint(keys[name], value) for name, value in values.items()],
    )


def _curves(report: Report) -> list[Part]:
    """Return a run for each build in each setting."""
    versions = {row.build: _versions(row) for row in report.builds}
    parts = []
    for group in figures.groups(report):
        setting = dict(zip(SETTING, group.name, strict=True))
        seeds = str(max(curve.seeds for curve in group.curves))
        name = " ".join(group.name)
        parameters = {**setting, "seeds": seeds, **versions.get(setting["build"], {})}
        parts.append(Part(name[:MOST_VALUE], {PART: _digest(name)}, parameters, _points(group)))
    return parts


def _versions(row: BuildRow) -> dict[str, str]:
    values = figures.versions(row)
    keys = figures.keys(list(values))
    return {keys[name]: value for name, value in values.items()}


def _points(group: figures.CurveGroup) -> list[MetricPoint]:
    """Return losses: the median over seeds is `loss`, its band `loss_p10` and `loss_p90`."""
    keys = figures.keys([(curve.term,) for curve in group.curves])
    points = []
    for curve in group.curves:
        columns = {"loss": curve.middle, "loss_p10": curve.low, "loss_p90": curve.high}
        for kind, column in columns.items():
            key = f"{kind}/{keys[curve.term,]}"
            values = figures.points(curve.steps, column)
            points += [MetricPoint(key, value, step) for step, value in values.items()]
    return points


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class _Upload:
    """One report on its way."""

    def __init__(self, report: Report, files: Sequence[Path], target: Target) -> None:
        from mlflow import MlflowClient

        self.files = files
        self.client: Any = MlflowClient(tracking_uri=target.uri)
        self.begun_ms = int(figures.created(report).timestamp() * 1000)
        self.ended_ms = max([self.begun_ms, *(int(path.stat().st_mtime * 1000) for path in files)])
        self.digest = _digest(json_format.to_json(report))
        self.experiment = self._experiment(target.experiment)

    def all(self, parts: Sequence[Part]) -> Sent:
        """Send all that is not there yet; the comparison's own run is marked as complete last."""
        there = self._there()
        whole = there.get(WHOLE)
        if whole is not None and whole.data.tags.get(COMPLETE) == "true":
            return Sent(whole.info.run_id, "was there already", len(parts))
        begun = "new" if whole is None else "went on"
        root = self._part(parts[0], whole, "")
        for part in parts[1:]:
            earlier = there.get(part.tags[PART])
            if earlier is None or earlier.data.tags.get(COMPLETE) != "true":
                self._end(self._part(part, earlier, root))
        for path in self.files:
            self.client.log_artifact(root, str(path), ARTIFACTS)
        self._end(root)
        return Sent(root, begun, len(parts))

    def _experiment(self, name: str) -> str:
        """Return the experiment of a name; another process may make it at the same moment."""
        import mlflow.exceptions

        experiment = self.client.get_experiment_by_name(name)
        if experiment is None:
            try:
                return str(self.client.create_experiment(name))
            except mlflow.exceptions.MlflowException:
                experiment = self.client.get_experiment_by_name(name)
                if experiment is None:
                    raise
        if experiment.lifecycle_stage != "active":
            raise ValueError(
                f"the experiment '{name}' was deleted there; restore it, or name another with"
                " MLFLOW_EXPERIMENT_NAME"
            )
        return str(experiment.experiment_id)

    def _there(self) -> dict[str, Any]:
        """Return earlier attempts' runs by part; of several the complete or the oldest."""
        runs: dict[str, Any] = {}
        token: str | None = None
        while True:
            page = self.client.search_runs(
                [self.experiment],
                f"tags.`{REPORT}` = '{self.digest}'",
                max_results=PAGE,
                order_by=["attributes.start_time ASC"],
                page_token=token,
            )
            for run in page:
                part = run.data.tags.get(PART, "")
                if part not in runs or run.data.tags.get(COMPLETE) == "true":
                    runs[part] = run
            token = page.token
            if not token:
                return runs

    def _part(self, part: Part, run: Any, parent: str) -> str:
        """Send one run, or what an earlier attempt left out of it."""
        from mlflow.entities import Metric, Param

        if run is None:
            tags = {**part.tags, REPORT: self.digest}
            if parent:
                tags["mlflow.parentRunId"] = parent
            run_id = self.client.create_run(
                self.experiment, start_time=self.begun_ms, tags=tags, run_name=part.name
            ).info.run_id
            points, known = list(part.points), set()
        else:
            run_id = run.info.run_id
            points, known = self._missing(run, part.points), set(run.data.params)
        parameters = [
            Param(key, _short(value)) for key, value in part.parameters.items() if key not in known
        ]
        for at in range(0, len(parameters), PARAMETERS):
            self.client.log_batch(run_id, params=parameters[at : at + PARAMETERS])
        metrics = [Metric(point.key, point.value, self.begun_ms, point.step) for point in points]
        for at in range(0, len(metrics), METRICS):
            self.client.log_batch(run_id, metrics=metrics[at : at + METRICS])
        return str(run_id)

    def _missing(self, run: Any, points: Sequence[MetricPoint]) -> list[MetricPoint]:
        """Return the points that a run does not have: stores in files would keep a second one."""
        there = set(run.data.metrics)
        # A single figure needs no look.
        steps = {point.key: {point.step} for point in points if point.key in there}
        for key in {point.key for point in points if point.step} & there:
            history = self.client.get_metric_history(run.info.run_id, key)
            steps[key] = {item.step for item in history}
        return [point for point in points if point.step not in steps.get(point.key, ())]

    def _end(self, run_id: str) -> None:
        self.client.set_terminated(run_id, end_time=self.ended_ms)
        self.client.set_tag(run_id, COMPLETE, "true")


def _short(value: str) -> str:
    return value if len(value) <= MOST_VALUE else value[: MOST_VALUE - 1] + "…"
