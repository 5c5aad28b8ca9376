"""What a port breaks of its contract is told with file, line, method and what is wanted; what
can be judged all the same is a remark."""

from __future__ import annotations

import functools

import pytest
from line_port import everything, tape, trial, write  # `conftest.py` makes it known

from backends.contract import BrokenPort
from backends.worker import classify


@pytest.fixture
def written(tmp_path):
    """Return what writes a port with something replaced, and gives its path."""
    return functools.partial(write, tmp_path)


@pytest.fixture
def source():
    return tape()


def test_an_honest_port_breaks_nothing(written, source):
    """And leaves no remark."""
    tried = trial(written())
    everything(tried, source)
    assert tried.remarks == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "class Port(contract.Port)",
            "class Model(contract.Port)",
            ["defines no class `Port`", "class Port(...)"],
        ),
        (
            "class Port(contract.Port)",
            "Port = 3\n\n\nclass Model(contract.Port)",
            ["`Port` is 3", "derived from"],
        ),
        ("class Port(contract.Port)", "class Port", ["derived from backends.contract.Port"]),
        (
            "def generate(",
            "def sample(",
            ["line 5", "lacks the required generate", "one array [count, ...]"],
        ),
        (
            "super().__init__(config, setting)",
            "pass",
            ["line 6, `__init__`", "super().__init__(config, setting)"],
        ),
        (
            '        return {"total": losses}\n',
            "",
            ["line 15, `train` returned nothing", "one number a step"],
        ),
        (
            '{"total": losses}',
            '{"total": losses[0]}',
            ["`train` gave a float for the loss total after 1 step"],
        ),
        ('{"total": losses}', '{"total": losses * 2}', ["`train` gave a list of 2"]),
        (
            '{"total": losses}',
            '{"total": ["low"]}',
            ["`train` gave a str for the loss total, which is no number"],
        ),
        (
            '(count)["x"]',
            '(count + 2)["x"]',
            ["line 25, `generate` returned an array of shape (6, 1) for count = 4", "[count, ...]"],
        ),
        (
            'return source.evaluation_rows(count)["x"] @ self.w + self.b',
            "return np.array([object()])",
            ["`generate`", "an array of object"],
        ),
        (
            'return source.evaluation_rows(count)["x"] @ self.w + self.b',
            "return [0.0] * count",
            ["line 25, `generate` returned a list", "one array [count, ...]"],
        ),
        (
            '{"w": self.w.copy(), "b": self.b.copy()}',
            "[self.w, self.b]",
            ["line 12, `parameters` returned a list", "by its name"],
        ),
        (
            '{"out": batch.arrays["x"] @ self.w + self.b}',
            'batch.arrays["x"]',
            ["`forward` returned a ndarray", "by name"],
        ),
    ],
)
def test_what_cannot_be_run_says_where_and_what_is_wanted(written, source, old, new, told):
    """File, line, method, contract."""
    path = written(old, new)
    with pytest.raises(BrokenPort) as caught:
        everything(trial(path), source)
    assert path in str(caught.value)
    assert all(part in str(caught.value) for part in told), str(caught.value)
    assert classify(caught.value) == ("error", str(caught.value))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (', "b": self.b.copy()}', "}", "line 12, `parameters` lacks b"),
        (
            "self.b.copy()}",
            "self.b.copy().reshape(1, 1)}",
            "`parameters` gave b in the shape (1, 1), declared is (1,)",
        ),
        (
            "self.b.copy()}",
            'self.b.copy(), "c": self.b.copy()}',
            "`parameters` gave c, which the workload does not declare",
        ),
        (
            'return {"total": losses}',
            'return {"loss": losses}',
            "line 15, `train` gave the loss terms loss and no total",
        ),
        (
            "            source.cursor += 1\n",
            "",
            "`train` left source.cursor at 0 after 1 step that began at 0",
        ),
        (
            "losses.append(float((",
            "losses.append(float(np.nan * (",
            "`train` gave the loss total = nan at the first step",
        ),
        ("self.w -= 0.125", "self.w -= np.nan", "`train` left NaN or infinity in w after 1 step"),
        (
            'def losses(self, phase, batch):\n        return {"total"',
            'def losses(self, phase, batch):\n        return {"mean"',
            "`losses` gave the loss terms mean and no total",
        ),
        (
            'np.zeros((2, 1)), "b"',
            'np.zeros((1, 2)), "b"',
            "`gradients` gave w in the shape (1, 2), declared is (2, 1)",
        ),
    ],
)
def test_what_can_be_judged_is_a_remark(written, source, old, new, told):
    """The verdict is the judge's; the remark says where it comes from, and what the contract
    wants."""
    path = written(old, new)
    tried = trial(path)
    everything(tried, source)
    (remark,) = tried.remarks
    assert remark.startswith(path) and told in remark and "The contract: " in remark


def test_what_goes_wrong_on_two_ways_is_one_remark(written, source):
    """The loss alone is tried with its stage, and singly."""
    tried = trial(written())
    for _ in range(2):
        tried.attempt("losses", lambda: {}[0])
    assert 1 == len(tried.remarks)
