"""Declarations of workloads: how parameters and noise are drawn, and what a port is handed."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from harness.errors import UsageError
from harness.workloads import registry
from harness.workloads.linear import WORKLOAD
from harness.workloads.spec import Noise, Optimizer, Parameter, Workload


def test_initial_values_are_what_they_say():
    """Zeros, ones, and Glorot's limit with the receptive field counted in."""
    generator = np.random.RandomState(0)
    assert not Parameter("b", (3,)).draw(generator).any()
    assert (Parameter("g", (3,), "ones").draw(generator) == 1.0).all()
    kernel = Parameter("k", (3, 3, 16, 32), "glorot_uniform").draw(generator)
    limit = math.sqrt(6.0 / (9 * (16 + 32)))
    assert np.float64 == kernel.dtype and 0.99 * limit < np.abs(kernel).max() <= limit


def test_noise_is_what_it_says():
    """Masks hold zeros and ones in the share asked for; uniform noise lies in [0, 1)."""
    mask = Noise(("train",), "dropout", (100, 50), "keep_mask", 0.875).draw(
        np.random.RandomState(0), 4
    )
    assert (
        (4, 100, 50) == mask.shape
        and {0.0, 1.0} == set(np.unique(mask))
        and abs(mask.mean() - 0.875) < 0.01
    )
    uniform = Noise(("train",), "z", (100,), "uniform").draw(np.random.RandomState(0), 4)
    assert 0.0 <= uniform.min() < uniform.max() < 1.0
    label = Noise(("train",), "label", (100,), "uniform", low=0.75, high=1.25).draw(
        np.random.RandomState(0), 4
    )
    assert 0.75 <= label.min() < 0.8 and 1.2 < label.max() < 1.25
    drawn = Noise(("train",), "e", (1000,), "normal").draw(np.random.RandomState(0), 4)
    assert abs(drawn.mean()) < 0.05 and abs(drawn.std() - 1.0) < 0.05


def test_an_unknown_kind_is_refused_by_name():
    """With what is allowed."""
    with pytest.raises(ValueError, match="zeros, ones, normal, glorot_uniform"):
        Parameter("w", (1,), "he_normal").draw(np.random.RandomState(0))
    with pytest.raises(ValueError, match="keep_mask, uniform, normal"):
        Noise(("train",), "z", (1,), "poisson").draw(np.random.RandomState(0), 1)


def test_a_configuration_is_plain_json():
    """It crosses a pipe; the powers of beta are the only thing that a comparison decides."""
    for workload in registry.SHIPPED:
        config = workload.config("tiny", "float32")
        assert config == json.loads(json.dumps(config))
        assert {"float32"} == {item["beta_power_dtype"] for item in config["optimizers"].values()}
        plain = {
            name: {**item, "beta_power_dtype": "variable"}
            for name, item in config["optimizers"].items()
        }
        assert {**config, "optimizers": plain} == workload.config("tiny")


@pytest.mark.parametrize("workload", registry.SHIPPED, ids=lambda workload: workload.name)
def test_what_is_declared_of_a_model_is_what_its_configuration_says(workload: Workload):
    """The harness looks at the one, and ports at the other."""
    for preset in workload.presets:
        config, spec = workload.config(preset), workload.model_spec(preset)
        assert (config["workload"], preset) == (spec.workload, config["preset"])
        assert config["parameters"] == [item.described() for item in spec.parameters]
        assert config["updates"] == [
            {**dataclasses.asdict(item), "parameters": [*item.parameters]} for item in spec.updates
        ]
        assert config["optimizers"] == {
            name: item.plain("variable") for name, item in spec.optimizers.items()
        }


def test_a_workload_that_brings_its_own_data_takes_no_other():
    """And says which one it is."""
    assert () == WORKLOAD.sources and "" == WORKLOAD.source
    with pytest.raises(UsageError, match="--data daphnet: workload linear brings its own data"):
        WORKLOAD.with_data("daphnet")


def test_a_workload_says_what_it_is_in_one_line():
    """For the list; no two say the same."""
    lines = [workload.what for workload in registry.SHIPPED]
    assert all(line.endswith(".") and "\n" not in line for line in lines) and len({*lines}) == len(
        lines
    )


def test_only_adamw_decays_weights():
    """A port is told of a decay where there is one to tell of; elsewhere it would be asked for
    and not done."""
    assert 0.25 == Optimizer("adamw", 0.5, weight_decay=0.25).plain("float32")["weight_decay"]
    assert "weight_decay" not in Optimizer("adam", 0.5).plain("variable")
    assert "float32" == Optimizer("adam", 0.5).plain("float32")["beta_power_dtype"]
    with pytest.raises(ValueError, match="only adamw decays weights"):
        Optimizer("adam", 0.5, weight_decay=0.25)
