"""The fixture in real comparisons: it passes, it fails with the first departure and its cause, and
several processes keep out of each other's way."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import harness

pytest_plugins = ("pytester",)

SAME = """
def test_same(harness):
    report = harness.compare(
        "linear", backends=["numpy", "numpy"], precision="fp64", until="update", {more}
    )
    report.assert_pass()
    assert {stages} == [str(row.stage) for row in report.stages]
    assert () == report.speed
"""
LADDER = ["weights", "forward", "loss", "gradients", "update"]
WRONG = """
from backends.ports.numpy.linear import Port as Shipped

class Port(Shipped):
    def losses(self, phase, batch):
        made = Shipped.losses(self, phase, batch)
        made["mse"] *= 1.5
        return made
"""
#: A model in two halves, both in torch, and a port with another constant in its normalisation.
PAIR = """
import numpy as np
from backends import pair

def made(eps):
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(4, 6)
            self.norm = nn.LayerNorm(6, eps=eps)
            self.outer = nn.Linear(6, 2)

        def forward(self, x):
            return self.outer(self.norm(self.inner(x)))

    net = Net()
    loss = lambda out, batch: nn.functional.cross_entropy(out, batch["y"])
    return pair.torch(net, torch.optim.SGD(net.parameters(), 0.1), loss=loss)

@pair.side("torch")
def original():
    return made(1e-5)

@pair.side("torch")
def port():
    return made({eps})

@pair.data
def data():
    random = np.random.RandomState(0)
    return pair.arrays(8, x=random.randn(32, 4), y=random.randint(0, 2, 32))
"""


def test_a_pair_passes_and_a_planted_mistake_is_explained(run_tests, pytester: pytest.Pytester):
    """On a real build; the pair lies beside the test's file. The text has layer, error, threshold,
    both values, the attribute that is not the same, the command and the report, and none of the
    engine's frames."""
    folder = pytester.mkdir("checks")
    for name, eps in (("good", "1e-5"), ("bad", "1e-2")):
        (folder / f"{name}.py").write_text(PAIR.replace("{eps}", eps), encoding="utf-8")
        (folder / f"test_{name}.py").write_text(
            "def test_port(harness):\n"
            f'    harness.compare("{name}.py", until="update", precision="fp64").assert_pass()\n',
            encoding="utf-8",
        )
    result = run_tests("--harness-reports", "kept", "--junit-xml", "junit.xml")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*AssertionError: FAIL: Not the same model: torch and torch#2 part in bad (fp64)*",
            "*first: *norm (bad, fp64, forward)",
            "*error *, threshold * (*× of it)",
            "*torch has *, torch#2 has * at [[]*",
            "*not the same: norm: epsilon is 1e-05 in torch, 0.01 in torch#2; shows at forward*",
            "*again: harness compare *bad.py *--stages forward*",
            "*report: *kept*report.html",
        ]
    )
    shown = result.stdout.str()
    assert 'harness.compare("bad.py"' in shown and "run_report.py" not in shown
    cases = {}
    for case in ElementTree.parse(pytester.path / "junit.xml").iter("testcase"):
        noted = {str(item.get("name")): str(item.get("value")) for item in case.iter("property")}
        cases[str(case.get("classname"))] = {**noted, "time": str(case.get("time"))}
    assert ["checks.test_bad", "checks.test_good"] == sorted(cases)
    for case in cases.values():
        assert 0 < float(case["harness_seconds"]) <= float(case["time"])
        page = Path(case["harness_report"])
        assert page.is_file() and page.is_relative_to(pytester.path / "kept")
        assert case["harness_verdict"] == str(harness.load(page.parent).fidelity)


def test_several_processes_keep_out_of_each_others_way(run_tests, pytester: pytest.Pytester):
    """The same comparison in several tests at once, also in one folder that all of them name."""
    shared = SAME.format(more='out="shared"', stages=LADDER)
    own = SAME.format(more="", stages=LADDER)
    for number in range(2):
        pytester.makepyfile(**{f"test_shared{number}": shared, f"test_own{number}": own})
    words = ("-p", "xdist.plugin", "-n", "2", "--harness-reports", "kept")
    result = run_tests(*words)
    result.assert_outcomes(passed=4)
    assert 2 == len([*pytester.path.glob("shared/*/report.json")])
    assert 2 == len([*pytester.path.glob("kept/*/*/report.json")])


def test_speed_and_errors_are_those_of_the_api(run_tests, pytester: pytest.Pytester):
    """A wrong loss fails the assertion; a wrong word raises the command's error, which a test may
    expect, and which ends in its message."""
    port = pytester.mkdir("mine") / "numpy"
    port.mkdir()
    (port / "linear.py").write_text(WRONG, encoding="utf-8")
    pytester.makepyfile(
        """
        import pytest
        from harness.errors import Departed, UnknownName

        WHAT = {"precision": "fp64", "until": "L", "backends": ["numpy", "numpy@mine"]}

        def test_departs(harness):
            report = harness.compare("linear", **WHAT)
            with pytest.raises(Departed, match="first: .*mse"):
                report.raise_for_verdict()
            report.assert_pass()

        def test_expected(harness):
            with pytest.raises(UnknownName, match="Did you mean 'linear'"):
                harness.compare("linaer", backends=["numpy", "numpy"])

        def test_raised(harness):
            harness.compare("linear", backends=["nunpy"])
        """
    )
    result = run_tests()
    result.assert_outcomes(passed=1, failed=2)
    shown = result.stdout.str()
    assert re.search(r"AssertionError: FAIL: .* at loss, first in .*mse", shown)
    assert "Did you mean 'numpy'?" in shown and "resolution.py" not in shown
