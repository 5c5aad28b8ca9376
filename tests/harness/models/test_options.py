"""What names a model wrongly, or not fully, is refused with what exists."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

import pytest

from harness.context import Context
from harness.errors import UnknownName, UsageError
from harness.execution import host
from harness.models import options, training
from harness.models.conversion import Checkpoint
from harness.models.foreign_names import Naming
from harness.models.options import Converting, Training, What, Where
from harness.workloads.linear import WORKLOAD

CONTEXT = Context(
    {}, datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc), "harness train", print
)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The folder of a model of `linear` on torch."""
    folder = tmp_path / "kept"
    folder.mkdir()
    _, model = What(precision="fp64", seed=7).model("linear", "torch", Where())
    model.write(folder)
    return folder


@pytest.mark.parametrize(
    ("kind", "meant", "what", "names"),
    [
        ("workload", "linear", What(), ("linaer", "torch")),
        ("build", "torch", What(), ("linear", "pytorch")),
        ("precision", "fp64", What(precision="f64"), ("linear", "torch")),
        ("preset of linear", "small", What(preset="smal"), ("linear", "torch")),
    ],
)
def test_unknown(kind: str, meant: str, what: What, names: tuple[str, str]) -> None:
    """A name that does not exist is answered with the one that was probably meant."""
    with pytest.raises(UnknownName, match=f"unknown {kind} ") as caught:
        what.model(*names, Where())
    assert f"Did you mean '{meant}'?" in str(caught.value)


def test_a_preset_that_only_others_have() -> None:
    """The refusal names the workload and its own presets."""
    with pytest.raises(UnknownName, match=r"unknown preset of linear 'paper'.* Known: small, tiny"):
        What(preset="paper").model("linear", "torch", Where())


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_that_no_generator_takes(seed: int) -> None:
    """NumPy's legacy generators take 31 bits everywhere."""
    with pytest.raises(UsageError, match=f"--seed {seed}: must lie between"):
        What(seed=seed).model("linear", "torch", Where())


def test_data_for_a_workload_that_takes_none() -> None:
    """They would silently train nothing."""
    with pytest.raises(UsageError, match="--data daphnet"):
        What(data="daphnet").model("linear", "torch", Where())


def test_a_new_model_has_seen_nothing() -> None:
    """And remembers by a hash what it is a model of."""
    workload, model = What(preset="small", seed=3).model("linear", "tf1", Where())
    assert workload.name == "linear"
    digest = training.fingerprint(WORKLOAD, "small")
    assert training.Model("linear", "small", "", "tf1", "fp32", 3, 0, digest) == model
    assert digest != training.fingerprint(WORKLOAD, "tiny")


def test_where_a_model_is_worked_on(tmp_path: Path) -> None:
    """All cores, unless told otherwise; folders are absolute, because workers run elsewhere."""
    assert Where().site(WORKLOAD, CONTEXT).threads == host.cores()
    site = Where(threads=3, ports=(Path("mine"),), limit=5.0).site(WORKLOAD, CONTEXT)
    assert (3, (str(Path("mine").absolute()),), 5.0) == (site.threads, site.folders, site.limit_s)
    with pytest.raises(UsageError, match="--threads 0: must be at least 1"):
        Where(threads=0).site(WORKLOAD, CONTEXT)


def test_a_model_that_is_there_is_worked_on_with_its_own_threads(kept: Path) -> None:
    """Unless others were asked for; one that does not tell, and a new one, get all cores."""
    model = training.read(kept)
    assert host.cores() == Where().site(WORKLOAD, CONTEXT, model).threads
    own = dataclasses.replace(model, threads=host.cores() + 5)
    assert [host.cores() + 5, 2] == [
        where.site(WORKLOAD, CONTEXT, own).threads for where in (Where(), Where(threads=2))
    ]
    own.write(kept)
    assert own == Training(out=kept, resume=True).begun()
    assert (
        Training(out=kept).begun() is None
        and Training(out=kept / "new", resume=True).begun() is None
    )


def test_a_model_is_known_by_its_folder(kept: Path) -> None:
    """What was chosen when it was trained need not be said again; what is said has to agree."""
    asked = Converting(to="tf2", out=kept / "out")
    workload, model, checkpoint = options.source(kept, asked, What(), Where())
    assert ("linear", "torch", "fp64", 7) == (
        workload.name,
        model.build,
        model.precision,
        model.seed,
    )
    assert Checkpoint(kept / training.CHECKPOINTS) == checkpoint
    agrees = Converting(to="tf2", out=kept / "out", from_="torch", workload="linear")
    assert (workload, model, checkpoint) == options.source(kept, agrees, What(), Where())
    for option, other in (
        ("--from tf1", {"from_": "tf1"}),
        ("--workload cnn", {"workload": "cnn"}),
    ):
        with pytest.raises(UsageError, match=f"{option}: .* Leave the option out"):
            options.source(kept, Converting(to="tf2", out=kept / "out", **other), What(), Where())


def test_a_bare_folder_of_checkpoints_has_to_be_described(tmp_path: Path) -> None:
    """Both names are needed; with them the folder itself is the source."""
    for given in ({}, {"from_": "tf1"}, {"workload": "linear"}):
        with pytest.raises(UsageError, match="--from BUILD --workload NAME"):
            options.source(
                tmp_path, Converting(to="tf2", out=tmp_path / "out", **given), What(), Where()
            )
    asked = Converting(to="tf2", out=tmp_path / "out", from_="tf1", workload="linear")
    workload, model, checkpoint = options.source(tmp_path, asked, What(precision="fp64"), Where())
    assert ("linear", "tf1", "fp64", tmp_path) == (
        workload.name,
        model.build,
        model.precision,
        checkpoint.folder,
    )


def test_names_are_for_tf1_checkpoints_of_other_programs(kept: Path, tmp_path: Path) -> None:
    """The harness's own and other builds' need none; a word that the workload knows stands for a
    whole file."""
    out = tmp_path / "out"
    with pytest.raises(UsageError, match=r"--names x: the harness wrote .* Leave the option out"):
        options.source(kept, Converting(to="tf2", out=out, names="x"), What(), Where())
    with pytest.raises(UsageError, match=r"--names x: only TF1 checkpoints .* not those of torch"):
        options.source(
            tmp_path,
            Converting(to="tf2", out=out, from_="torch", workload="linear", names="x"),
            What(),
            Where(),
        )
    with pytest.raises(UsageError, match="--names original: cannot be read"):
        options.source(
            tmp_path,
            Converting(to="tf2", out=out, from_="tf1", workload="linear", names="original"),
            What(),
            Where(),
        )
    asked = Converting(
        to="torch", out=out, from_="tf1-compat", workload="ehr_mgan", names="original"
    )
    names = options.source(tmp_path, asked, What(), Where())[2].names
    assert names is not None and names.weights["vae/shared/mu/bias"] == (
        "Sampling_layer/Shared_VAE/b_mu",
    )
    file = tmp_path / "names.json"
    file.write_text(
        '{"kind": "naming", "schema": 1, "weights": {"W": "w", "b": ["b"]}}', encoding="utf-8"
    )
    asked = Converting(to="torch", out=out, from_="tf1", workload="linear", names=str(file))
    assert (
        Naming(f"--names {file}", {"W": ("w",), "b": ("b",)})
        == options.source(tmp_path, asked, What(), Where())[2].names
    )


def test_the_beginning_of_a_checkpoints_files_is_told_from_a_folder(
    kept: Path, tmp_path: Path
) -> None:
    """Whatever else is given, but for names; a draft of them needs none, and is for TF1."""
    prefix, out = tmp_path / "model.ckpt-123", tmp_path / "out"
    prefix.with_name("model.ckpt-123.index").write_bytes(b"")
    for more in ({}, {"from_": "tf1", "workload": "linear"}):
        with pytest.raises(
            UsageError, match=r"the beginning of a TF1 checkpoint's files"
        ) as caught:
            options.source(prefix, Converting(to="torch", out=out, **more), What(), Where())
        assert f"give the folder, {tmp_path};" in str(caught.value)
    drafted = Converting(from_="tf1", workload="linear", print_names=True)
    assert prefix == options.source(prefix, drafted, What(), Where())[2].folder
    with pytest.raises(UsageError, match="--print-names: only TF1"):
        options.source(prefix, dataclasses.replace(drafted, from_="torch"), What(), Where())
    with pytest.raises(UsageError, match="--print-names: the harness wrote"):
        options.source(kept, Converting(print_names=True), What(), Where())
    with pytest.raises(UsageError, match="needs --to BUILD and --out FOLDER"):
        drafted.target()
