"""Carry a model from one build to another through canonical names, and prove that it goes on as
before.

The proof is stage U of the ladder, from where the checkpoint stopped: both builds, in float64, are
given the same weights, optimizer state and tape, and run one more training step; what the step
changed must agree.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from backends.contract import Status
from harness.errors import BuildError, JobFailed, UsageError
from harness.execution import verbs
from harness.execution.processes import WorkerProcess
from harness.execution.verbs import Adopted, Stepped, Variable
from harness.fidelity.measure import difference
from harness.models import foreign_names, foreign_variables
from harness.models.folder import making
from harness.models.origin import Converted
from harness.models.training import CHECKPOINTS, MODEL_FILE, Model, Site
from harness.records import archives, checksums, files

#: The acceptance ceiling of float64 (see docs/fidelity.md): the largest error that a converted
#: model's next step may have.
CEILING = 1e-9
#: Beside the largest slot of its kind, one smaller than this share is rounding's.
SHARE = 2.0**-40


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """What is converted.

    Attributes:
        folder: of checkpoints in the build's format, or the common beginning of one TF1
            checkpoint's files.
        names: of its variables, if another program wrote it.
    """

    folder: Path
    names: foreign_names.Naming | None = None


@dataclasses.dataclass(frozen=True)
class Conversion:
    """What `convert` did.

    Attributes:
        model: the new one. parameters, state: how many arrays of each were carried over, bit by
            bit.
        origin: by optimizer, how its step count was found where the checkpoint did not hold it.
        error, worst: largest error of the next step and the array that has it; None without a
            proof.
    """

    model: Model
    parameters: int
    state: int
    origin: dict[str, str]
    error: float | None
    worst: str | None


def convert(
    site: Site, source: Checkpoint, model: Model, build: str, out: Path, *, prove: bool
) -> Conversion:
    """Carry weights and optimizer state of a checkpoint over to another build.

    Args:
        site: where to work. source: the checkpoint. model: what it is. build: where it goes. out:
            the new model's folder.
        prove: whether to run one more step on both builds and compare.

    Raises:
        UsageError: there is something at `out`, it cannot be made, or the names do not fit the
            checkpoint.
        BuildError: one of the two builds cannot be had.
        JobFailed: the checkpoint cannot be read, did not survive, or does not go on as before.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"--out {out}: there is something already. Give a new folder.")
    target = dataclasses.replace(model, build=build)
    for side in (model, target):
        site.check(side)
    # a conversion that is killed must not leave half a model that the next one would refuse
    with (
        making(out, MODEL_FILE),
        tempfile.TemporaryDirectory() as name,
        files.filling(out) as folder,
    ):
        scratch = Path(name)
        exported, adopted = _carry(site, source, (model, target), folder, scratch)
        _check_arrival(exported, adopted, build)
        proof: tuple[float, str] | tuple[None, None] = (None, None)
        if prove:
            proof = _prove(site, (model, target), scratch, exported.step)
        converted = Converted(
            build=model.build,
            step_origin=exported.origin,
            proof=proof[0],
            names="" if source.names is None else source.names.where,
        )
        made = dataclasses.replace(
            target,
            step=exported.step,
            converted=converted,
            files=checksums.checksums_below(folder / CHECKPOINTS),
            saving=False,
        )
        made.write(folder)
    return Conversion(made, adopted.parameters, adopted.state, exported.origin, *proof)


def _check_arrival(exported: Stepped, adopted: Adopted, build: str) -> None:
    """Raise JobFailed unless all arrays and the step count arrived."""
    if adopted.lost:
        raise JobFailed(
            Status.ERROR,
            f"{len(adopted.lost)} arrays did not survive the way to {build},"
            f" {adopted.lost[0]} first",
        )
    if adopted.step != exported.step:
        raise JobFailed(
            Status.ERROR,
            f"the checkpoint had seen {exported.step} steps, on {build} it says {adopted.step}",
        )


def _carry(
    site: Site, source: Checkpoint, models: tuple[Model, Model], out: Path, scratch: Path
) -> tuple[Stepped, Adopted]:
    """Write the checkpoint anew in the second build's format; return what the two builds say."""
    canonical = str(scratch / "canonical.npz")
    try:
        with site.worker(models[0], scratch) as (worker, _):
            which = _which(site, source, models[0], worker)
            exported = worker.request(verbs.EXPORT, path=canonical, **which).content
        with site.worker(models[1], scratch) as (worker, _):
            checkpoint = str((out / CHECKPOINTS).absolute())
            adopted = worker.request(
                verbs.ADOPT, path=canonical, checkpoint=checkpoint, step=exported.step
            ).content
            return exported, adopted
    except BuildError as error:
        builds = f"{models[0].build} to read and {models[1].build} to write"
        raise BuildError(f"a conversion needs both builds, {builds}: {error}") from error


def _which(site: Site, source: Checkpoint, model: Model, worker: WorkerProcess) -> dict[str, Any]:
    """Return what tells a worker which checkpoint to read, and under which names."""
    arguments: dict[str, Any] = {"checkpoint": str(source.folder.absolute())}
    if source.names is not None:
        held = worker.request(verbs.INSPECT, **arguments).content.variables
        spec = site.workload.model_spec(model.preset)
        arguments["names"] = foreign_variables.resolve(source.names, spec, held, model.precision)
    return arguments


def variables(site: Site, source: Path, model: Model) -> dict[str, Variable]:
    """Return shape and dtype of every variable of another program's checkpoint.

    Args:
        site: where to work. source: a folder, or the common beginning of a checkpoint's files.
        model: whose build reads it.

    Raises:
        BuildError: the build cannot be had. JobFailed: the checkpoint cannot be read.
    """
    with tempfile.TemporaryDirectory() as scratch, site.worker(model, Path(scratch)) as (worker, _):
        inspected = worker.request(verbs.INSPECT, checkpoint=str(source.absolute()))
    return inspected.content.variables


def _prove(site: Site, models: tuple[Model, Model], scratch: Path, step: int) -> tuple[float, str]:
    """Return the largest error of one more step, and where it is.

    Raises:
        JobFailed: it exceeds the ceiling.
    """
    sides: list[dict[str, Any]] = []
    for index, model in enumerate(models):
        out = scratch / f"continued-{index}.npz"
        with site.worker(dataclasses.replace(model, precision="fp64"), scratch) as (worker, tape):
            worker.request(
                verbs.CONTINUE,
                path=str(scratch / "canonical.npz"),
                tape=tape,
                step=step,
                out=str(out),
            )
        sides.append(archives.read_arrays(out))
    error, worst = compare(*sides)
    if not error <= CEILING:
        raise JobFailed(
            Status.ERROR,
            f"the converted model does not go on as before: after one more float64 step {worst}"
            f" differs by {error:.1e} of what the step changed (ceiling {CEILING:.0e})",
        )
    return error, worst


def compare(a: dict[str, Any], b: dict[str, Any]) -> tuple[float, str]:
    """Return the largest error after a step, relative to what the step changed, and its name."""
    names = _updated(b)
    if names != _updated(a):
        return float("inf"), "the list of arrays"
    changes = {}
    for name in names:
        change = np.abs(b["after/" + name] - b["before/" + name])
        changes[name] = float(np.max(change, initial=0.0))
    largest: dict[str, float] = {}
    for name in names:
        kind = name.rsplit("/", 1)[-1]
        largest[kind] = max(largest.get(kind, 0.0), changes[name])
    worst = (0.0, names[0])
    for name in names:
        scale = max(changes[name], SHARE * largest[name.rsplit("/", 1)[-1]])
        measured = difference(a["after/" + name], b["after/" + name], scale)
        worst = max(worst, (measured.error if measured.finite else float("inf"), name))
    return worst


def _updated(arrays: dict[str, Any]) -> list[str]:
    """Return the names of what is there after a step, sorted."""
    return sorted(name.removeprefix("after/") for name in arrays if name.startswith("after/"))


def rows(done: Conversion) -> list[tuple[str, ...]]:
    """Return what a conversion did, for a table."""
    model = done.model
    way = f"{model.workload} from {model.converted.build} to {model.build}, {model.step} steps"
    carried = f"{done.parameters} parameters, {done.state} arrays of optimizer state"
    table: list[tuple[str, ...]] = [("model", way), ("carried over, bit by bit", carried)]
    for name, origin in sorted(done.origin.items()):
        if origin != "counted":
            table.append((f"steps of {name}", origin))
    if done.error is not None:
        proof = f"largest difference {done.error:.1e} of what the step changed, in {done.worst}"
        table.append(("one more float64 step on both", proof))
    return table
