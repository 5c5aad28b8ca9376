"""Models that are kept: train one in native mode, generate from it, carry it over to another build.

One folder a model:

    model.json      what it is: workload, preset, data, build, precision, seed, steps, threads
    checkpoints/    the build's own format, written by the port
    losses.csv      step, loss, value

Prints nothing; progress goes through `Context.say`.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from backends.contract import Setting, Status
from harness.context import Context
from harness.environments import provision, staging
from harness.environments.builds import BUILDS
from harness.errors import CorruptRecord, JobFailed, UnknownName, UsageError
from harness.execution import runner, verbs
from harness.execution.processes import Limits, WorkerProcess
from harness.execution.progress import ProgressStep
from harness.execution.worker_environment import clean_environment
from harness.models.folder import making
from harness.models.origin import Converted
from harness.plan import Opening
from harness.records import checksums, files, runs, store
from harness.records.decoder import decode
from harness.workloads.spec import Workload

MODEL_FILE, CHECKPOINTS, LOSSES = "model.json", "checkpoints", "losses.csv"
#: The number of a step in a line of losses.
STEP = re.compile("[0-9]{1,18}")
#: 1 (first), 2 (a seal, and the SHA-256 of every file of the checkpoints).
SCHEMA, SEALED_SINCE = 2, 2
#: What a training that was interrupted before its first checkpoint may leave.
UNFINISHED = {LOSSES, CHECKPOINTS}
#: A request to a worker trains for about this long, and progress is told after each; a checkpoint
#: is left this often and at the end.
REQUEST_S, CHECKPOINT_S = 10.0, 60.0


@dataclasses.dataclass(frozen=True)
class Model:
    """What `model.json` says.

    Attributes:
        data: as given to `--data`. step: training steps seen. config: hash of the workload's
            configuration.
        converted: where it came from, if it was converted.
        threads: of the worker that trained it last; another number sums in another order. None
            where it was never told.
        files: the SHA-256 of every file below `checkpoints/`; empty for a model that an older
            harness made.
        saving: a checkpoint was being written when this was: an interrupted training has left it,
            and `files` may be of the one before.
    """

    workload: str
    preset: str
    data: str
    build: str
    precision: str
    seed: int
    step: int
    config: str
    converted: Converted = dataclasses.field(default_factory=Converted)
    threads: int | None = None
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    saving: bool = False

    def write(self, folder: Path) -> None:
        """Write it into a model's folder, last: what has it is complete."""
        plain = {**dataclasses.asdict(self), "converted": self.converted.plain()}
        store.write_sealed(folder / MODEL_FILE, {"kind": "model", "schema": SCHEMA, **plain})


def read(folder: Path) -> Model:
    """Return what a model's folder says of itself.

    Raises:
        UsageError: it is none. CorruptRecord, NewerSchema: it cannot be read.
    """
    path = folder / MODEL_FILE
    if not path.is_file():
        raise UsageError(
            f"{folder}: no {MODEL_FILE} there, so it is no model. Give the folder that `harness"
            " train --out` wrote."
        )
    return decode(Model, store.read_sealed(path, "model", SCHEMA, SEALED_SINCE), str(path))


def checked(folder: Path, *, resume: bool = False) -> Model:
    """Return what a model's folder says of itself, after checking its checkpoints.

    Args:
        folder: the model's.
        resume: a checkpoint that was being written when the training was interrupted will do.

    Raises:
        UsageError: it is no model. CorruptRecord, NewerSchema: it cannot be read, or a file of its
            checkpoints is not what was written.
    """
    model = read(folder)
    if not (model.saving and resume):
        try:
            checksums.verify_below(folder / CHECKPOINTS, model.files)
        except CorruptRecord as error:
            way = "Take the model from a copy, or train it again."
            if model.saving:
                way = f"A training was interrupted there; go on with --resume --out {folder}."
            raise CorruptRecord(f"{error} {way}") from error
    return model


@dataclasses.dataclass(frozen=True)
class Site:
    """Where a model is worked on.

    Attributes:
        workload: bound to its data. folders: of ports, before the shipped ones. interpreters: named
            by the user.
        threads: of the worker. limit_s: longest time of one request. pass_env: names of further
            variables that it sees.
    """

    workload: Workload
    context: Context
    interpreters: Mapping[str, Path]
    folders: tuple[str, ...] = ()
    threads: int = 1
    limit_s: float = 600.0
    pass_env: tuple[str, ...] = ()

    def check(self, model: Model) -> None:
        """Raise UsageError unless the model's build has a port and it was made with this workload's
        present configuration.

        Raises:
            UnknownName: there is no such build.
        """
        if model.build not in BUILDS:
            raise UnknownName("build", model.build, BUILDS)
        if BUILDS[model.build].backend not in self.workload.backends:
            raise UsageError(
                f"{model.workload} has no port for {model.build}; it has ports for"
                f" {', '.join(self.workload.backends)}."
            )
        if model.config != fingerprint(self.workload, model.preset):
            raise UsageError(
                f"this model was made with another configuration of {model.workload}"
                f" ({model.preset}, data {model.data}): the harness or the data have changed since."
                " Use the version and the data that it was trained with."
            )

    @contextlib.contextmanager
    def worker(self, model: Model, scratch: Path) -> Iterator[tuple[WorkerProcess, str]]:
        """Start the model's build, open the port; yield it with the path of the initial weights.

        Raises:
            JobFailed: the port cannot be opened, or keeps no checkpoints.
        """
        self.check(model)
        backend, environ = BUILDS[model.build].backend, self.context.environ
        interpreter = provision.locate(
            model.build,
            "cpu",
            overrides=self.interpreters,
            environ=environ,
            progress=self.context.say,
        )
        run_context = runner.RunContext(
            run=scratch,
            staging=staging.prepare(environ),
            interpreters={model.build: interpreter.path},
            environment=clean_environment(environ, self.pass_env, TF_CPP_MIN_LOG_LEVEL="1"),
            workloads={model.workload: self.workload},
            limits=Limits(self.limit_s),
        )
        files = runner.inputs(run_context, model.workload, model.preset, model.seed, 1)
        setting = Setting(precision=model.precision, threads=self.threads)
        opening = Opening(backend, model.workload, model.preset, "variable", self.folders, setting)
        with run_context.worker(model.build, scratch / f"{model.build}.log") as worker:
            opened = runner.open_port(worker, run_context, opening, files)
            missing = [name for name in ("save", "restore") if name not in opened.content.abilities]
            if missing:
                raise JobFailed(
                    Status.UNSUPPORTED,
                    f"the port of {model.workload} for {model.build} keeps no checkpoints: it"
                    f" defines no `{missing[0]}`. Take another build, or define it",
                )
            yield worker, str(files.tape)


def fingerprint(workload: Workload, preset: str) -> str:
    """Return a hash of the configuration that a model is made with."""
    return runs.key([workload.config(preset)])


def train(site: Site, model: Model, out: Path, steps: int, *, resume: bool) -> Model:
    """Train until the model has seen `steps` steps; leave checkpoints on the way and the model's
    folder at the end.

    Args:
        site: where it is worked on.
        model: what is to be trained; to go on, the one in the folder has to be the same.
        out: the model's folder; it is made.
        steps: of the whole training, those before `resume` included.
        resume: go on with the model in the folder, or with what an interrupted training left there.

    Raises:
        UsageError: less than one step; the folder holds a model already and `resume` was not asked
            for, or another one, or something else; there is no folder to resume; or the build has
            no port.
        RecordError: something in the folder is a symbolic link, or cannot be read.
        BuildError: the build cannot be had.
        JobFailed: the port failed.
    """
    if steps < 1:
        raise UsageError(f"--steps {steps}: must be at least 1.")
    begun = _begun(model, out, resume=resume)
    model = dataclasses.replace(begun or model, threads=site.threads)
    with (
        making(out, MODEL_FILE),
        tempfile.TemporaryDirectory() as scratch,
        site.worker(model, Path(scratch)) as (worker, tape),
    ):
        weights: dict[str, Any] = {"checkpoint": _checkpoints(out)} if begun else {"tape": tape}
        step = worker.request(verbs.START, seed=model.seed, **weights).content.step
        if not begun and step:
            what = f"step is {str(step)[:20]}, and a new training begins at 0"
            raise JobFailed(Status.ERROR, f"the worker's answer to 'start': {what}")
        _forget(out / LOSSES, step)
        _train(site, worker, model, out, (step, steps))
    return read(out)


def _begun(model: Model, out: Path, *, resume: bool) -> Model | None:
    """Return the model that is gone on with, or None where a new one is trained.

    Raises:
        UsageError: as `train`.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: this is a file; give a folder.")
    if resume:
        own = (out / MODEL_FILE, out / LOSSES, out / CHECKPOINTS)
        files.refuse_links([*own, *(out / CHECKPOINTS).rglob("*")])
        files.sweep(out, (MODEL_FILE, LOSSES))
    if not (out / MODEL_FILE).exists():
        names = {path.name for path in out.iterdir()} if out.exists() else set()
        if names - (UNFINISHED if resume else set()):
            raise UsageError(f"--out {out}: there is something else already. Give a new folder.")
        if resume and not out.exists():
            raise UsageError(
                f"--resume --out {out}: there is nothing to go on with there. Drop --resume to"
                " train a new model, or give the folder of one that was begun."
            )
        return None
    if not resume:
        raise UsageError(
            f"--out {out}: there is a model already. Go on with it (--resume), or give another"
            " folder."
        )
    begun = checked(out, resume=True)
    untrained = dataclasses.replace(
        begun, step=0, converted=Converted(), threads=None, files={}, saving=False
    )
    if untrained != dataclasses.replace(model, step=0):
        raise UsageError(
            f"--resume {out}: that model was trained with other options; see {out / MODEL_FILE}."
        )
    return begun


def _checkpoints(out: Path) -> str:
    """Return where a model's checkpoints lie, as a worker takes it."""
    return str(out.absolute() / CHECKPOINTS)


def _train(
    site: Site, worker: WorkerProcess, model: Model, out: Path, span: tuple[int, int]
) -> None:
    """Train from the first step of a span to its last, in requests of about `REQUEST_S`."""
    (step, steps), size = span, 1
    saved = time.monotonic()
    if step < steps:
        site.context.say(_progress(model, (step, steps), "begins"))
    while step < steps:
        count = min(size, steps - step)
        started = time.monotonic()
        saves = step + count == steps or started - saved > CHECKPOINT_S
        target: dict[str, Any] = {"checkpoint": _checkpoints(out)} if saves else {}
        if saves and (out / MODEL_FILE).exists():
            dataclasses.replace(read(out), saving=True).write(out)
        losses = worker.request(verbs.ADVANCE, steps=count, **target).content.losses
        took_s = time.monotonic() - started
        _append(out / LOSSES, step, losses)
        step += count
        if saves:
            dataclasses.replace(
                model, step=step, files=checksums.checksums_below(out / CHECKPOINTS), saving=False
            ).write(out)
            saved = time.monotonic()
        pace = f"{took_s / count:.3g} s a step"
        message = "; ".join(part for part in (_latest(losses), pace) if part)
        # the first step alone is mostly tracing
        left_s = took_s / count * (steps - step) if step - span[0] > 1 else None
        site.context.say(_progress(model, (step, steps), message, left_s))
        size = max(1, min(2 * count, int(REQUEST_S * count / max(took_s, 1e-3))))


def _progress(
    model: Model, position: tuple[int, int], message: str, left_s: float | None = None
) -> ProgressStep:
    """Return the line of progress after so many steps; a listing has the last one for certain."""
    what = f"{model.workload} on {model.build}"
    step, steps = position
    line = f"{what}: step {step} of {steps}; {message}"
    return ProgressStep(line, f"training {what}", step, steps, left_s, passing=step < steps)


def _forget(path: Path, step: int) -> None:
    """Keep the losses up to a step: those after the last checkpoint are trained again."""
    lines = files.read_text(path).splitlines()[1:] if path.exists() and step else []
    kept = []
    for line in lines:
        number, comma, _ = line.partition(",")  # of a line that was cut off it may be the beginning
        if comma and STEP.fullmatch(number) and int(number) <= step:
            kept.append(line)
    files.write_text(path, "\n".join(["step,loss,value", *kept]) + "\n")


def _append(path: Path, start: int, losses: Mapping[str, Sequence[float | None]]) -> None:
    """Append all lines in one write: a kill does not cut one in two."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")
    for name, values in losses.items():
        writer.writerows(
            (start + index + 1, name, repr(value))
            for index, value in enumerate(values)
            if value is not None
        )
    with path.open("ab") as file:
        file.write(lines.getvalue().encode("utf-8"))


def _latest(losses: Mapping[str, Sequence[float | None]]) -> str:
    """Return the last values of the first two total losses, in words."""
    totals = [name for name in losses if name.endswith("total")]
    parts = []
    for name in totals[:2]:
        values = [value for value in losses[name] if value is not None]
        if values:
            parts.append(f"{name} {values[-1]:.4g}")
    return ", ".join(parts)


def generate(site: Site, folder: Path, rows: int, out: Path) -> tuple[int, ...]:
    """Write `rows` generated rows as `samples` of an .npz; return their shape.

    Args:
        site: where the model is worked on. folder: the model's. rows: at least one.
        out: the .npz; its folder is made if there is none.

    Raises:
        UsageError: the folder holds no model, or `out` is a folder.
        CorruptRecord, NewerSchema: the model's file cannot be read.
        BuildError: the model's build cannot be had. JobFailed: the port failed.
    """
    if rows < 1:
        raise UsageError(f"--rows {rows}: must be at least 1.")
    if out.is_dir():
        raise UsageError(f"--out {out}: this is a folder; give a file to write.")
    model = checked(folder)
    with tempfile.TemporaryDirectory() as scratch, site.worker(model, Path(scratch)) as (worker, _):
        worker.request(
            verbs.START, seed=model.seed, checkpoint=str(folder.absolute() / CHECKPOINTS)
        )
        path = Path(scratch) / "samples.npz"
        made = worker.request(verbs.GENERATE, count=rows, path=str(path)).content
        samples = files.read_bytes(path)
        files.write_bytes(out, samples)
    return made.shape
