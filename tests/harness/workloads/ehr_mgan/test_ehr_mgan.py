"""`ehr_mgan` is what its docstring and the frozen configurations say."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from harness.errors import UsageError
from harness.records import tape
from harness.workloads.ehr_mgan import CONDITIONAL, WORKLOAD, EhrMGan
from harness.workloads.registry import SHIPPED

FROZEN = Path(__file__).parents[3] / "data" / "workloads"
BOTH = (WORKLOAD, CONDITIONAL)


@pytest.mark.parametrize(
    ("workload", "preset"), [(WORKLOAD, "tiny"), (CONDITIONAL, "tiny"), (WORKLOAD, "paper")]
)
def test_the_frozen_configurations_are_the_workloads_own(workload, preset):
    """The contract tests run where the harness cannot be imported; they read these files."""
    frozen = json.loads((FROZEN / f"{workload.name}-{preset}.json").read_text())
    assert frozen == json.loads(json.dumps(workload.config(preset)))


def test_the_number_of_parameters():
    """20,614,256 at the original's sizes with 7 vital signs and 3 interventions, 1,150,012 of
    them the VAEs'."""
    parameters = WORKLOAD.parameters(WORKLOAD.hyperparameters("paper"))
    sizes = {item.name: math.prod(item.shape) for item in parameters}
    assert 20_614_256 == sum(sizes.values()) and len(parameters) == len(sizes)
    assert 1_150_012 == sum(size for name, size in sizes.items() if name.startswith("vae/"))


@pytest.mark.parametrize("workload", BOTH)
def test_biases_of_the_latents_and_outputs_begin_as_kernels_do(workload):
    """As in the original the biases of mu, sigma and the decoded outputs are Glorot-uniform, in
    declaration and as drawn; all others begin at zero. Of a vector of n both fans are n."""
    config = workload.config("small")
    oddities = {
        "vae/shared/mu/bias",
        "vae/shared/sigma/bias",
        "vae/continuous/output/bias",
        "vae/discrete/output/bias",
    }
    declared = {
        item.name: item for item in workload.parameters(config) if item.name.endswith("/bias")
    }
    assert oddities == {name for name, item in declared.items() if item.initial == "glorot_uniform"}
    assert {"zeros"} == {item.initial for name, item in declared.items() if name not in oddities}
    drawn = [tape.initial(workload, config, seed) for seed in range(20)]
    for name, item in declared.items():
        values = np.concatenate([weights["weights/" + name] for weights in drawn])
        if name in oddities:
            limit = math.sqrt(3.0 / item.shape[0])
            assert stats.kstest(values, stats.uniform(-limit, 2.0 * limit).cdf).pvalue > 1e-3, name
        else:
            assert not values.any(), name


@pytest.mark.parametrize("workload", BOTH)
@pytest.mark.parametrize("preset", ["tiny", "small"])
def test_adams_hyperparameters_are_exact_in_float32(workload, preset):
    """So that float64 runs of all frameworks use the same ones; `paper` has the original's,
    which are not."""
    values = [
        value
        for item in workload.optimizers(workload.hyperparameters(preset)).values()
        for value in (item.learning_rate, item.beta1, item.beta2, item.epsilon)
    ]
    assert values == [float(np.float32(value)) for value in values]
    original = workload.optimizers(workload.hyperparameters("paper"))
    assert {5e-4, 1e-4} == {item.learning_rate for item in original.values()} and {1e-8} == {
        item.epsilon for item in original.values()
    }


def test_eight_optimizers_update_what_is_theirs():
    """The shared part of the VAEs belongs to both streams; a generator and a discriminator to
    their own optimizer alone."""
    hyper = WORKLOAD.hyperparameters("tiny")
    updates = WORKLOAD.updates(hyper)
    assert 8 == len(WORKLOAD.optimizers(hyper)) == len({update.optimizer for update in updates})
    for update in updates:
        network, stream = update.optimizer.split("/")[-2:]
        prefixes = (
            ("vae/shared/", f"vae/{stream}/")
            if network in ("pretrain", "vae")
            else (f"{network}/{stream}/",)
        )
        assert [
            item.name for item in WORKLOAD.parameters(hyper) if item.name.startswith(prefixes)
        ] == [*update.parameters]


def test_a_joint_step_has_ten_updates_and_pretraining_two():
    """Discriminators, three rounds of generators, VAEs; the discrete stream first, but in
    pre-training."""
    pretrain, joint = WORKLOAD.schedule(WORKLOAD.hyperparameters("tiny"))
    assert (4, ("pretrain/continuous", "pretrain/discrete")) == (
        pretrain.steps,
        pretrain.phases,
    ) and joint.steps is None
    assert [name.split("/")[1].split()[0] for name in joint.phases] == ["discriminator"] * 2 + [
        "generator"
    ] * 6 + ["vae"] * 2
    assert ["discrete", "continuous"] * 5 == [name.rsplit("/", 1)[-1] for name in joint.phases]


@pytest.mark.parametrize("workload", BOTH)
def test_data_bind_to_a_workload_of_the_same_kind(workload):
    """The one that is bound knows what `--data` named; the shipped one stays as it was."""
    bound = workload.with_data("synthetic_icu")
    assert (workload.name, workload.conditional, "synthetic_icu", "") == (
        bound.name,
        bound.conditional,
        bound.source,
        workload.source,
    )
    assert workload.config("tiny") == bound.config("tiny")
    assert ("synthetic_icu", "daphnet") == workload.sources and workload in SHIPPED


def test_a_name_that_is_neither_known_nor_a_folder(tmp_path, monkeypatch):
    """A typing error is answered with what was probably meant; a known name comes before a
    folder of that name."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UsageError,
        match=(
            r"unknown data \(there is no such folder either\) 'dapnet'\. Did you mean 'daphnet'\?"
        ),
    ):
        EhrMGan("dapnet")
    with pytest.raises(UsageError, match=r"--data .*/dapnet: there is no such folder"):
        EhrMGan("./dapnet")
    (tmp_path / "synthetic_icu").mkdir()
    assert "synthetic_icu" == EhrMGan("synthetic_icu").source
    with pytest.raises(UsageError, match="the folder lacks"):
        EhrMGan("./synthetic_icu")


def test_labels_belong_to_the_conditional_variant_alone():
    """Training rows, and all for which series are to be generated."""
    plain, given = (workload.data(workload.config("tiny")) for workload in BOTH)
    assert ["continuous", "discrete"] == [*plain] and {
        "continuous",
        "discrete",
        "label",
        "eval_label",
    } == {*given}
    assert ((144, 24, 4), (144, 1), (160, 1)) == (
        given["continuous"].shape,
        given["label"].shape,
        given["eval_label"].shape,
    )
