"""What layers return is taken apart and put together again, whatever it is made of."""

from __future__ import annotations

import collections
import dataclasses
import importlib

import numpy as np
import pytest

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]
Named = collections.namedtuple("Named", "first second")


@dataclasses.dataclass(frozen=True)
class Record:
    """As libraries return it."""

    logits: object
    cache: object = None


@pytest.fixture
def torch(kit):
    return importlib.import_module("torch")


@pytest.fixture
def values(kit):
    return importlib.import_module("backends.torch.adapter.values")


def test_tensors_have_paths_and_can_be_replaced_in_all_containers(torch, values):
    one = torch.ones(2)
    tree = Record(
        {"a": one, "b": [one, 3]}, Named((one, None), collections.OrderedDict(x=one, y="word"))
    )
    assert [name for name, _ in values.tensors(tree)] == [
        "output/logits/a",
        "output/logits/b/0",
        "output/cache/first/0",
        "output/cache/second/x",
    ]
    other = values.replaced(tree, lambda tensor: tensor * 2)
    assert [value.sum().item() for _, value in values.tensors(other)] == [4.0] * 4
    assert [value.sum().item() for _, value in values.tensors(tree)] == [2.0] * 4
    assert type(other.cache) is Named and other.cache.second["y"] == "word"
    assert other.logits["b"][1] == 3 and other.cache.first[1] is None


def test_a_batch_is_made_anew_each_time_and_integers_stay(torch, values):
    rows = {"x": np.ones((2, 3), np.float32), "y": np.arange(2), "mask": np.array([True, False])}
    batch = values.batch(rows, torch.float64, torch.device("cpu"))
    assert [batch[name].dtype for name in rows] == [torch.float64, torch.int64, torch.bool]
    batch["y"].zero_()
    assert rows["y"].tolist() == [0, 1]


def test_arrays_are_copies_in_a_dtype_that_numpy_has(torch, values):
    tensor = torch.ones(2, dtype=torch.bfloat16)
    shown = values.array(tensor)
    tensor.zero_()
    assert shown.dtype == np.float32 and shown.tolist() == [1.0, 1.0]
    assert values.array(torch.eye(2).to_sparse()).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_losses_are_named_and_the_total_follows_from_them(torch, kit):
    losses = importlib.import_module("backends.torch.adapter.losses")
    named = losses.named({"fit": torch.tensor(2.0), "penalty": 1.0, "rows": torch.ones(3)})
    assert named == {"fit": 2.0, "penalty": 1.0}
    assert losses.rule(named, 3.0)({"fit": 5.0, "penalty": 1.0}) == 6.0
    assert losses.rule(named, 2.0)({"fit": 5.0, "penalty": 1.0}) == 5.0
    assert losses.rule(named, 7.0) is None
    assert losses.named(torch.tensor(4.0)) == {"total": 4.0}
    assert list(losses.complete({"total": 9.0, "fit": 2.0}, 3.0).items()) == [
        ("fit", 2.0),
        ("total", 3.0),
    ]
