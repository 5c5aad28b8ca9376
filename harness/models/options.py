"""Options of `harness train`, `generate` and `convert`, checked, resolved to a site and a model."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from backends.contract import PRECISIONS
from harness.commands import options, resolution
from harness.commands.option_groups import ENVIRONMENT, FLAG, JUDGED, SEVERAL, WHAT, WRITTEN
from harness.context import Context
from harness.environments.builds import BUILDS
from harness.errors import UnknownName, UsageError
from harness.execution import host, worker_environment
from harness.models import foreign_names, training
from harness.models.conversion import Checkpoint
from harness.models.training import Model, Site
from harness.workloads.spec import Workload


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Where:
    """Options that all three commands share.

    Parameters
    ----------
    threads
        Threads of the framework's pool; if not given, those that the model was trained with, and
        all cores for a new one.
    ports
        Folders with workloads and ports of your own.
    python
        BUILD=PATH, the interpreter of a build.
    limit
        Longest time that one request to a worker may take, seconds.
    """

    threads: Annotated[int | None, ENVIRONMENT] = None
    ports: Annotated[tuple[Path, ...], SEVERAL, WHAT] = ()
    python: Annotated[tuple[str, ...], SEVERAL, ENVIRONMENT] = ()
    limit: Annotated[float, ENVIRONMENT] = 600.0
    pass_env: options.PassEnv = ()

    def site(self, workload: Workload, context: Context, model: Model | None = None) -> Site:
        """Return where a workload's models are worked on.

        Args:
            workload: the models'. context: from outside. model: one that exists already.

        Raises:
            UsageError: an option that says something impossible.
        """
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"--threads {self.threads}: must be at least 1.")
        folders = tuple(str(folder.absolute()) for folder in self.ports)
        trained = model.threads if model else None
        return Site(
            workload=workload,
            context=context,
            interpreters=resolution.interpreters(self.python),
            folders=folders,
            threads=self.threads or trained or host.cores(),
            limit_s=self.limit,
            pass_env=worker_environment.check_names(self.pass_env),
        )


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class What:
    """Options that say what a model is.

    Parameters
    ----------
    preset
        tiny, small or paper.
    data
        The cohort of a workload that takes one: synthetic_icu, daphnet or a folder.
    precision
        fp64 fp32 tf32 bf16 or fp16.
    seed
        Seed of the initial weights and of the framework's draws.
    """

    preset: Annotated[str, WHAT] = "tiny"
    data: Annotated[str | None, WHAT] = None
    precision: Annotated[str, WHAT] = "fp32"
    seed: Annotated[int, WHAT] = 0

    def model(self, name: str, build: str, where: Where) -> tuple[Workload, Model]:
        """Return the workload, bound to its data, and a model of it that has not been trained.

        Args:
            name: of the workload. build: that trains it. where: the folders of ports.

        Raises:
            UnknownName: a workload, build, preset or precision that does not exist. UsageError:
                data that cannot be used.
        """
        known = resolution.known_workloads(
            options.Options(ports=where.ports, data=self.data, workloads=(name,))
        )
        for kind, value, allowed in (
            ("workload", name, tuple(known)),
            ("build", build, tuple(BUILDS)),
            ("precision", self.precision, PRECISIONS),
        ):
            if value not in allowed:
                raise UnknownName(kind, value, allowed)
        workload = known[name]
        if self.preset not in workload.presets:
            raise UnknownName(f"preset of {name}", self.preset, workload.presets)
        if not 0 <= self.seed < 2**31:
            raise UsageError(f"--seed {self.seed}: must lie between 0 and 2147483647.")
        digest = training.fingerprint(workload, self.preset)
        return workload, Model(
            workload=name,
            preset=self.preset,
            data=workload.source,
            build=build,
            precision=self.precision,
            seed=self.seed,
            step=0,
            config=digest,
        )


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Training:
    """Options of `train` alone.

    Parameters
    ----------
    build
        The build to train on.
    steps
        How many steps the model will have seen.
    out
        The model's folder; it is made.
    resume
        Go on with the model in that folder.
    """

    build: Annotated[str, WHAT] = "torch"
    steps: Annotated[int, WHAT] = 100
    out: Annotated[Path, WRITTEN] = Path("model")
    resume: Annotated[bool, FLAG, WRITTEN] = False

    def begun(self) -> Model | None:
        """Return the model that is gone on with, or None where a new one is trained."""
        if not self.resume or not (self.out / training.MODEL_FILE).is_file():
            return None
        return training.read(self.out)


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Converting:
    """Options of `convert` alone.

    Parameters
    ----------
    to
        The build to convert to.
    out
        Folder of the new model; it must not exist or be empty.
    from_
        The build that wrote the checkpoint; needed, with --workload, where SOURCE is a bare folder
        of checkpoints.
    workload
        The workload of a bare folder of checkpoints.
    no_proof
        Do not run one more step on both builds to compare.
    names
        JSON file that says under which names a TF1 checkpoint of another program holds the model;
        `original` for EHR-M-GAN's own.
    print_names
        Convert nothing: print a first draft of that file for SOURCE, a TF1 checkpoint, with the
        best guess by shape and name.
    """

    to: Annotated[str | None, WHAT] = None
    out: Annotated[Path | None, WRITTEN] = None
    from_: Annotated[str | None, Parameter(name="--from"), WHAT] = None
    workload: Annotated[str | None, WHAT] = None
    no_proof: Annotated[bool, FLAG, JUDGED] = False
    names: Annotated[str | None, WHAT] = None
    print_names: Annotated[bool, FLAG, WRITTEN] = False

    def target(self) -> tuple[str, Path]:
        """Return the build to convert to, and the folder of the new model.

        Raises:
            UsageError: one of them is not given.
        """
        if self.to is None or self.out is None:
            raise UsageError(
                "a conversion needs --to BUILD and --out FOLDER; only --print-names does without."
            )
        return self.to, self.out


def source(
    folder: Path, converting: Converting, what: What, where: Where
) -> tuple[Workload, Model, Checkpoint]:
    """Return the workload, what the checkpoint is, and where it lies.

    Args:
        folder: a model's, or a bare one of checkpoints.
        converting, what: what the user says of a bare one.
        where: has the folders with workloads of the user's own.

    Raises:
        UsageError: it is a bare folder and the options do not say what it holds, or a model and
            they say otherwise; or its names cannot be given, or do not fit the workload.
        CorruptRecord, NewerSchema: the model's file cannot be read.
    """
    if (folder / training.MODEL_FILE).is_file():
        workload, model = of(folder, where)
        for option, value, held in (
            ("--from", converting.from_, model.build),
            ("--workload", converting.workload, model.workload),
        ):
            if value not in (None, held):
                raise UsageError(
                    f"{option} {value}: {folder / training.MODEL_FILE} says that it is {held}."
                    " Leave the option out."
                )
        option = f"--names {converting.names}" if converting.names else "--print-names"
        if converting.names is not None or converting.print_names:
            raise UsageError(
                f"{option}: the harness wrote {folder} and knows its names. Leave the option out."
            )
        training.checked(folder)
        return workload, model, Checkpoint(folder / training.CHECKPOINTS)
    prefix = folder.with_name(f"{folder.name}.index") if folder.name else folder
    if converting.names is None and not converting.print_names and prefix.is_file():
        raise UsageError(
            f"{folder}: this is the beginning of a TF1 checkpoint's files. If the harness wrote it,"
            f" give the folder, {folder.parent}; if another program did, add --from tf1 --workload"
            " NAME and --names FILE (--print-names writes a draft of it)."
        )
    if converting.from_ is None or converting.workload is None:
        raise UsageError(
            f"{folder}: no {training.MODEL_FILE} there. For a bare folder of checkpoints say what"
            " they are: --from BUILD --workload NAME, and --preset, --data and --precision where"
            " they are not the defaults."
        )
    workload, model = what.model(converting.workload, converting.from_, where)
    if converting.print_names and BUILDS[model.build].backend != "tf1":
        raise UsageError(
            "--print-names: only TF1 checkpoints are read under other names, not those of"
            f" {model.build}."
        )
    if converting.names is None:
        return workload, model, Checkpoint(folder)
    if BUILDS[model.build].backend != "tf1":
        raise UsageError(
            f"--names {converting.names}: only TF1 checkpoints are read under other names, not"
            f" those of {model.build}."
        )
    spec = workload.model_spec(model.preset)
    known = workload.namings(workload.config(model.preset))
    if converting.names in known:
        document = known[converting.names]
        naming = foreign_names.parse(document, f"--names {converting.names}", spec)
    else:
        naming = foreign_names.read(Path(converting.names), spec)
    return workload, model, Checkpoint(folder, naming)


def of(folder: Path, where: Where) -> tuple[Workload, Model]:
    """Return the workload of a folder's model, bound to the data it was trained with, and it.

    Args:
        folder: the model's. where: has the folders with workloads of the user's own.

    Raises:
        UsageError: it holds no model, or its workload or data cannot be had.
        CorruptRecord, NewerSchema: its file cannot be read.
    """
    model = training.read(folder)
    what = What(
        preset=model.preset, data=model.data or None, precision=model.precision, seed=model.seed
    )
    return what.model(model.workload, model.build, where)[0], model
