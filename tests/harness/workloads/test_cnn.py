"""`cnn` is what its docstring and the frozen configuration say."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from harness.workloads.cnn import WORKLOAD

FROZEN = Path(__file__).parents[2] / "data" / "workloads" / "cnn-tiny.json"


def test_the_frozen_configuration_is_the_workloads_own():
    """The contract tests run where the harness cannot be imported; they read this file."""
    assert json.loads(FROZEN.read_text()) == json.loads(json.dumps(WORKLOAD.config("tiny")))


@pytest.mark.parametrize(
    ("preset", "trainable"), [("tiny", 53_258), ("small", 53_258), ("paper", 25_711_178)]
)
def test_the_number_of_parameters(preset, trainable):
    """Counted by hand from the layers: 320 (or 896) + 18,496 + (flat + 1) 128 + 256 + 1,290; and
    256 running statistics."""
    hyper = WORKLOAD.hyperparameters(preset)
    side, channels = hyper["image"][0], hyper["image"][2]
    by_hand = (9 * channels + 1) * 32 + 18_496 + ((side // 4) ** 2 * 64 + 1) * 128 + 256 + 1_290
    counted = {
        kept: sum(
            math.prod(item.shape) for item in WORKLOAD.parameters(hyper) if item.trainable == kept
        )
        for kept in (True, False)
    }
    assert {True: trainable, False: 256} == counted
    assert trainable == by_hand


def test_every_hyperparameter_is_exact_in_float32():
    """So that float64 runs of all frameworks use the same ones, even where one rounds them."""
    hyper = WORKLOAD.hyperparameters("tiny")
    (optimizer,) = WORKLOAD.optimizers(hyper).values()
    values = [
        optimizer.learning_rate,
        optimizer.beta1,
        optimizer.beta2,
        optimizer.epsilon,
        hyper["dropout_rate"],
        hyper["l2"],
    ]
    values += hyper["batch_norm"].values()
    assert values == [float(np.float32(value)) for value in values]


def test_the_data_are_the_handwritten_digits():
    """Every pixel, divided by 16; held-out rows are the last ten percent."""
    from sklearn.datasets import load_digits

    data = WORKLOAD.data(WORKLOAD.hyperparameters("tiny"))
    assert {"x": (1617, 8, 8, 1), "y": (1617,), "eval_x": (180, 8, 8, 1)} == {
        name: value.shape for name, value in data.items()
    }
    digits = load_digits()
    assert np.array_equal(digits.images, 16 * np.concatenate([data["x"], data["eval_x"]])[..., 0])
    assert np.array_equal(digits.target[:1617], data["y"]) and np.int64 == data["y"].dtype


def test_paper_enlarges_real_digits():
    """224 x 224 x 3, each pixel repeated 28 times: the size of an image, the content of a digit."""
    data = WORKLOAD.data(WORKLOAD.hyperparameters("paper"))
    small = WORKLOAD.data(WORKLOAD.hyperparameters("tiny"))
    assert (64, 224, 224, 3) == data["x"].shape == data["eval_x"].shape and (64,) == data["y"].shape
    assert np.array_equal(small["x"][:64, ..., 0], data["x"][:, ::28, ::28, 2])
    assert np.array_equal(small["x"][:64, ..., 0], data["x"][:, 27::28, 27::28, 0])


def test_the_mask_is_one_draw_for_each_unit_of_a_batch():
    """Kept with probability 7/8."""
    (site,) = WORKLOAD.noise(WORKLOAD.hyperparameters("tiny"))
    assert (("train",), "dropout", (16, 128), "keep_mask", 0.875) == (
        site.phases,
        site.site,
        site.shape,
        site.kind,
        site.keep,
    )


def test_operations_are_those_that_the_frameworks_count():
    """32,759,808 and 11,116,544 are what PyTorch's and TensorFlow's own counters say of a step
    of `tiny`."""
    hyper = WORKLOAD.hyperparameters("tiny")
    assert 32_759_808 == WORKLOAD.operations(hyper, "train")
    assert 11_116_544 == WORKLOAD.operations(hyper, "generate")
