"""Wrong layers planted in real ports: each is named, whatever is wrong behind it, and no layer
that only got a wrong input."""

from __future__ import annotations

import logging

import pytest

from harness.evaluation import pair_evidence, stage_rows
from harness.experiments import wrong_layers
from harness.results.verdicts import Fidelity
from tests.evaluation.zoo.mutant import Mutant, plant

LOG = logging.getLogger(__name__)
#: Wrong layers of `cnn`, by name.
WRONG = {
    "conv1": (
        "functional.relu(self.conv1(x.permute(0, 3, 1, 2)))",
        "functional.relu(1.01 * self.conv1(x.permute(0, 3, 1, 2)))",
    ),
    "conv2": (
        'functional.relu(self.conv2(seen["pool1"]))',
        'functional.relu(self.conv2(seen["pool1"]) + 0.01)',
    ),
    "flatten": ('seen["pool2"].permute(0, 2, 3, 1).flatten(1)', 'seen["pool2"].flatten(1)'),
    "dropout": ("hidden * keep / (1.0 - self.rate)", "hidden * keep"),
    "logits": (
        'self.dense2(seen["batch_norm"]).to(x.dtype)',
        '0.99 * self.dense2(seen["batch_norm"]).to(x.dtype)',
    ),
}
#: A port that keeps a record of its own and hands it over at the end.
DEAF = (
    ("seen: Tensors = {} if record is None else record", "seen: Tensors = {}"),
    ('record["probabilities"] = ', 'record.update(seen)\n            record["probabilities"] = '),
)
#: The second precision goes through another floor.
PRECISIONS = ("fp64", "fp32")


def port(laboratory, folder, name, *changes):
    """Return the side whose `cnn` on torch has these changes."""
    return laboratory.side("torch", plant(Mutant(0, name, "cnn", changes, "forward", ""), folder))


def judged(laboratory, sides, **changed):
    """Return the rows of the forward stage, with what was said on the way."""
    planned = laboratory.plan("cnn", sides, stages=("weights", "forward"), **changed)
    found, said = laboratory.evidences(planned.jobs), []
    rows = wrong_layers.localise(
        laboratory.stand, planned, found, stage_rows.stage_rows(planned, found), said.append
    )
    rows = [row for row in rows if row.stage == "forward"]
    for row in rows:
        LOG.info(f"{row.precision} {row.worst} {row.wrong_layers}: {row.reason}")
    return rows, said


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("conv1",), "conv1"),
        (("conv2", "logits"), "conv2, logits"),
        (("flatten", "dropout"), "flatten, dropout (in training)"),
    ],
)
def test_all_wrong_layers_and_no_other_are_named(laboratory, tmp_path, names, words):
    """Everything behind the first one departs, too; of that, only what is wrong by itself is
    named."""
    sides = [
        laboratory.side("tf2"),
        port(laboratory, tmp_path, "_".join(names), *(WRONG[name] for name in names)),
    ]
    rows, said = judged(laboratory, sides, precisions=PRECISIONS)
    assert PRECISIONS == tuple(row.precision for row in rows)
    for row, line in zip(rows, said, strict=True):
        assert (Fidelity.FAIL, f"training/{names[0]}") == (row.verdict, row.worst)
        expected = [
            f"{mode}/{name}"
            for mode in ("training", "inference")
            for name in names
            if (mode, name) != ("inference", "dropout")
        ]
        assert expected == list(row.wrong_layers)
        assert row.reason.endswith(f"; wrong layers, each given the right input: {words}")
        assert line.endswith(f"wrong layers, each given the right input: {words}")
        departing = int(row.reason.split()[0])
        assert departing > len(expected)  # many more depart, for their input alone


def test_the_other_side_is_forced_where_a_port_does_not_listen(laboratory, tmp_path):
    """A port that keeps a record of its own cannot be teacher-forced; the other one is, by its
    values, and the same layers are named."""
    deaf = port(laboratory, tmp_path, "deaf_and_wrong", *DEAF, WRONG["conv2"], WRONG["logits"])
    (row,), _ = judged(laboratory, [laboratory.side("tf2"), deaf])
    assert ["training/conv2", "training/logits", "inference/conv2", "inference/logits"] == list(
        row.wrong_layers
    )


def test_ports_that_do_not_listen_are_said_to(laboratory, tmp_path):
    """Where neither can be teacher-forced nothing is assumed: the first departing layer stays,
    with the reason."""
    honest, wrong = (
        port(laboratory, tmp_path, name, *DEAF, *more)
        for name, more in (("deaf", ()), ("deaf_too", (WRONG["conv1"],)))
    )
    (row,), _ = judged(laboratory, [honest, wrong])
    assert (Fidelity.FAIL, "training/conv1", ()) == (row.verdict, row.worst, row.wrong_layers)
    assert (
        "the port of torch deaf_too reads nothing back and goes on with its own values"
        in row.reason
    )
    assert "the port of torch deaf reads nothing back and goes on with its own values" in row.reason


def test_a_recorded_reference_is_not_forced(laboratory, tmp_path):
    """It cannot be run again, and the row says so."""
    sides = [laboratory.side("tf2"), port(laboratory, tmp_path, "conv1_again", WRONG["conv1"])]
    planned = laboratory.plan("cnn", sides, stages=("forward",))
    found = laboratory.evidences(planned.jobs)
    rows = stage_rows.stage_rows(planned, found)
    found = {
        name: pair_evidence.JobEvidence(item.evidence, item.status, item.reason, item.abilities, "")
        for name, item in found.items()
    }
    (row,) = wrong_layers.localise(laboratory.stand, planned, found, rows, lambda _: None)
    assert () == row.wrong_layers and row.reason.endswith(
        "a recorded reference can be neither teacher-forced nor the teacher"
    )


def test_what_is_made_of_the_layers_is_no_layer(laboratory, tmp_path):
    """Where only the product departs no layer is blamed and none is forced."""
    change = (
        '    PRODUCT = "probabilities"',
        """    PRODUCT = "probabilities"

    def _products(self, arrays, noise):
        return 1.01 * TorchPort._products(self, arrays, noise)""",
    )
    side = port(laboratory, tmp_path, "product", change)
    (row,), _ = judged(laboratory, [laboratory.side("tf2"), side])
    assert (Fidelity.FAIL, "generate", ()) == (row.verdict, row.worst, row.wrong_layers)
    assert row.reason.endswith("; no layer departs, only what is made of them")


@pytest.mark.parametrize(
    ("workload", "read"),
    [
        ("zoo_attention", 18),
        ("zoo_losses", 16),
        ("zoo_norm", 12),
        ("zoo_recurrent", 12),
        ("zoo_vision", 18),
    ],
)
def test_every_construct_can_be_teacher_forced(laboratory, workload, read):
    """Attention, heads, normalisation, recurrence, resizing and poolings: forced by
    TensorFlow's values, torch departs nowhere."""
    planned = laboratory.plan(
        workload, [laboratory.side("tf2"), laboratory.side("torch")], stages=("forward",)
    )
    (pair,) = planned.pairs
    layers = wrong_layers.teacher_forced(
        laboratory.stand, pair, pair.a, pair.b, laboratory.evidences(planned.jobs)
    )
    assert ((), (), read) == (layers.names, layers.untold, layers.read)


def test_two_wrong_layers_of_ehr_mgan(laboratory, tmp_path):
    """The torch port reads nothing back, so the one on TensorFlow is forced by its values. Both
    streams' second layer are one product: of the later one nothing can be told."""
    mutant = Mutant(
        0,
        "two_layers",
        "ehr_mgan",
        (
            (
                "return list(h.split(units, dim=2))",
                "return list((h * (1.01 if layer == 2 else 1.0)).split(units, dim=2))",
            ),
            (
                'record[f"generated/{stream}/decoded"] = torch.sigmoid(',
                'record[f"generated/{stream}/decoded"] = 0.99 * torch.sigmoid(',
            ),
        ),
        "forward",
        "",
        file="networks.py",
    )
    planned = laboratory.plan(
        "ehr_mgan",
        [laboratory.side("tf2"), laboratory.side("torch", plant(mutant, tmp_path))],
        stages=("forward",),
    )
    found = laboratory.evidences(planned.jobs)
    (row,) = wrong_layers.localise(
        laboratory.stand, planned, found, stage_rows.stage_rows(planned, found), lambda _: None
    )
    wrong = [
        "generator/discrete/layer2",
        "generated/continuous/decoded",
        "generated/discrete/decoded",
    ]
    assert [f"training/{name}" for name in wrong] == list(row.wrong_layers)
    assert (
        f"wrong layers, each given the right input: {', '.join(wrong)}; cannot be told of"
        " generator/continuous/layer2: " in row.reason
    )


def test_a_model_of_one_layer(laboratory, tmp_path):
    """It is computed from data alone, so it is wrong if it departs."""
    change = (
        'seen["prediction"] = self.model(arrays["x"]).to(self.dtype)',
        'seen["prediction"] = 1.01 * self.model(arrays["x"]).to(self.dtype)',
    )
    side = laboratory.side(
        "torch", plant(Mutant(0, "scaled", "linear", (change,), "forward", ""), tmp_path)
    )
    planned = laboratory.plan("linear", [laboratory.side("tf2"), side], stages=("forward",))
    found = laboratory.evidences(planned.jobs)
    (row,) = wrong_layers.localise(
        laboratory.stand, planned, found, stage_rows.stage_rows(planned, found), lambda _: None
    )
    assert ("training/prediction", "inference/prediction") == row.wrong_layers


def test_honest_ports_are_forced_without_a_fault(laboratory):
    """Forced by each other, the shipped ports depart in no layer, in either direction and
    precision."""
    planned = laboratory.plan(
        "cnn",
        [laboratory.side("tf2"), laboratory.side("torch")],
        stages=("forward",),
        precisions=PRECISIONS,
    )
    found = laboratory.evidences(planned.jobs)
    for pair in planned.pairs:
        for teacher, forced in ((pair.a, pair.b), (pair.b, pair.a)):
            layers = wrong_layers.teacher_forced(laboratory.stand, pair, teacher, forced, found)
            assert ((), (), 20, 18) == (
                layers.wrong,
                layers.untold,
                layers.total,
                layers.read,
            )  # the first of each mode reads data
            assert "given the right input no layer departs" in str(layers)
