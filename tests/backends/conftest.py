"""The contract tests run inside one build's interpreter (Python 3.7 syntax; nothing of `harness`
can be imported here).

    pytest tests/backends --build tf2 --device cpu

Without --build they run on NumPy, which every interpreter has.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys

import numpy as np
import pytest

from backends.contract import Setting
from backends.protocol import loading
from backends.source import Batch, NativeSource, TapeSource

BACKENDS = {
    "tf1": "tf1",
    "tf1-compat": "tf1",
    "tf2.10": "tf2",
    "tf2": "tf2",
    "torch": "torch",
    "numpy": "numpy",
}
WORKLOADS = {"linear": ("numpy", "tf1", "tf2", "torch"), "cnn": ("tf1", "tf2", "torch")}
for name in ("ehr_mgan", "ehr_mgan_conditional"):
    WORKLOADS[name] = ("tf1", "tf2", "torch")
HERE = os.path.dirname(os.path.abspath(__file__))
FROZEN = os.path.join(os.path.dirname(HERE), "data", "workloads")
STEPS = 6
THREADS = 2


def beside(name):
    """Import a module of this folder by its path: pytest's importlib mode has no folder of tests on
    sys.path. From then on it can be imported by its name."""
    spec = importlib.util.spec_from_file_location(name, os.path.join(HERE, name + ".py"))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


beside("ehr_mgan_networks")
beside("line_port")
oracle = beside("ehr_mgan_oracle")


def pytest_addoption(parser):
    parser.addoption(
        "--build",
        default="numpy",
        choices=sorted(BACKENDS),
        help="the build whose interpreter this is",
    )
    parser.addoption("--device", default="cpu", choices=("cpu", "gpu", "tpu"))


def pytest_configure(config):
    config.addinivalue_line("markers", "workloads(*names): run the test for these workloads only")
    config.addinivalue_line("markers", "backends(*names): run the test on these backends only")
    config.addinivalue_line("markers", "keras(*release): run the test from that release on")


@pytest.fixture(scope="session")
def build(request):
    return request.config.getoption("--build")


@pytest.fixture(scope="session")
def backend(build):
    return BACKENDS[build]


@pytest.fixture(scope="session")
def device(request):
    return request.config.getoption("--device")


def pytest_generate_tests(metafunc):
    """Run a test that takes `workload` or `execution` once for each that the build has."""
    backend = BACKENDS[metafunc.config.getoption("--build")]
    if "execution" in metafunc.fixturenames:
        executions = importlib.import_module("backends.%s.core" % backend).EXECUTIONS
        metafunc.parametrize("execution", [name for name in executions if name != "default"])
    if "fix" in metafunc.fixturenames:
        metafunc.parametrize("fix", oracle.FIXES)
    if "workload" in metafunc.fixturenames:
        only = metafunc.definition.get_closest_marker("workloads")
        # The conditional variant is the same port on another configuration: for the tests that name
        # it.
        wanted = (
            only.args
            if only
            else [name for name in sorted(WORKLOADS) if not name.endswith("_conditional")]
        )
        there = metafunc.definition.get_closest_marker("backends")
        wanted = [] if there and backend not in there.args else wanted
        metafunc.parametrize("workload", [name for name in wanted if backend in WORKLOADS[name]])


def _keras():
    """Return major and minor version of Keras; zeros where it is a part of TensorFlow, or on
    CPython 3.7, on which nobody can tell."""
    try:
        from importlib import metadata
    except ImportError:
        return 0, 0
    try:
        return tuple(map(int, metadata.version("keras").split(".")[:2]))
    except metadata.PackageNotFoundError:
        return 0, 0


def _wants_newer_keras(item):
    return any(_keras() < mark.args for mark in item.iter_markers("keras"))


def pytest_collection_modifyitems(config, items):
    """Deselect what this backend has no port for; it is no skip, there is nothing that could
    run."""
    reasons = {
        item: [str(mark.kwargs.get("reason")) for mark in item.iter_markers("skip")]
        for item in items
    }
    gone = [
        item
        for item, found in reasons.items()
        if any("empty parameter set" in reason for reason in found) or _wants_newer_keras(item)
    ]
    config.hook.pytest_deselected(items=gone)
    items[:] = [item for item in items if item not in gone]


_POOL = {}


class Kit:
    """A workload's frozen configuration with data, weights and a tape drawn for the tests."""

    def __init__(self, backend, workload, device):
        self.backend, self.workload, self.device = backend, workload, device
        self._taken = {}  # how many ports of each kind this test has
        self.config = self.frozen("tiny")
        generator = np.random.RandomState(7)
        self.data = self._data(generator)
        self.weights = {}
        for item in self.config["parameters"]:
            value = generator.uniform(-0.2, 0.2, size=item["shape"])
            self.weights[item["name"]] = (
                value + 1.0 if item["name"].endswith("moving_variance") else value
            )
        rows = len(next(value for name, value in self.data.items() if not name.startswith("eval_")))
        batch = self.config["batch"]
        self.tape = {
            "batches": np.stack([generator.permutation(rows)[:batch] for _ in range(STEPS)])
        }
        for site in self.config["noise"]:
            values = self._draw(generator, site)
            self.tape.update(
                {"noise/%s/%s" % (phase, site["site"]): values for phase in site["phases"]}
            )

    @staticmethod
    def _draw(generator, site):
        once = set(site["phases"]) <= {"forward", "generate"}
        shape = [1 if once else STEPS] + site["shape"]
        if site["kind"] == "normal":
            return generator.normal(size=shape)
        values = generator.uniform(site["low"], site["high"], size=shape)
        return (values < site["keep"]).astype(np.uint8) if site["kind"] == "keep_mask" else values

    def _data(self, generator):
        if self.workload == "linear":
            x = generator.normal(size=(64, self.config["features"]))
            return {"x": x, "y": x.sum(axis=1, keepdims=True), "eval_x": x[:5]}
        if self.workload == "cnn":
            x = generator.uniform(size=[64] + self.config["image"])
            return {
                "x": x,
                "y": generator.randint(0, self.config["classes"], size=64),
                "eval_x": x[:5],
            }
        series = [64, self.config["hours"]]
        found = {
            name: generator.uniform(size=series + [count])
            for name, count in self.config["channels"].items()
        }
        # Channels at levels of their own, which training can learn.
        found["continuous"] = 0.2 * found["continuous"] + np.linspace(
            0.05, 0.75, found["continuous"].shape[2]
        )
        found["discrete"] = np.rint(found["discrete"])
        if self.config["conditional"]:
            label = generator.randint(0, 4, size=(64, 1))
            found.update(label=label, eval_label=label[:5])
        return found

    @staticmethod
    def close(found, expected, tolerance, name=""):
        """Assert that two arrays agree within a share of the larger one's largest element."""
        found, expected = np.asarray(found), np.asarray(expected)
        assert found.shape == expected.shape, name
        assert np.abs(found - expected).max() <= tolerance * max(np.abs(expected).max(), 1e-300), (
            name
        )

    def frozen(self, preset):
        """Return the workload's configuration for another preset."""
        with open(os.path.join(FROZEN, "%s-%s.json" % (self.workload, preset))) as file:
            return json.load(file)

    def oracle(self, batch, fixes=()):
        """Return EHR-M-GAN's oracle on a batch."""
        return oracle.Oracle(self.config, self.weights, batch.arrays, batch.noise, fixes)

    def port_class(self):
        """Return the class of the port; the conditional variant is the same port on another
        configuration."""
        return loading.load(
            loading.locate(self.backend, self.workload.replace("_conditional", ""), [])
        )

    def port(self, precision="fp64", **setting):
        """Return a port with the weights loaded, which resets all else: no two of a test are the
        same, but a later test may get one that an earlier test had, because building and tracing
        takes seconds. Frameworks fix their threads once a process.
        """
        changed = setting.pop("config", {})
        key = json.dumps([self.workload, precision, setting, changed], sort_keys=True)
        pool = _POOL.setdefault(key, [])
        if self._taken.get(key, 0) == len(pool):
            chosen = Setting(device=self.device, precision=precision, threads=THREADS, **setting)
            pool.append(self.port_class()(dict(self.config, **changed), chosen))
        port = pool[self._taken.get(key, 0)]
        self._taken[key] = self._taken.get(key, 0) + 1
        port.load_parameters(self.weights)
        return port

    def kinds(self):
        """Return one phase of each kind: further rounds of the generators and the joint VAEs
        compute what others do."""
        kinds = {}
        for phase in self.config["phases"]:
            kind = phase.replace("joint/vae", "pretrain")
            kinds.setdefault("".join(letter for letter in kind if not letter.isdigit()), phase)
        return list(kinds.values())

    def column(self, phase, term):
        """Return the name under which `train` hands a loss term over."""
        return "%s/%s" % (phase, term) if len(self.config["phases"]) > 1 else term

    def look(self, port):
        """Return the activations of every mode that the workload has."""
        batch = self.lockstep().batch(0, self.config["forward"]["phase"])
        given = {"training": batch, "inference": Batch(batch.arrays, None)}
        return {
            mode: port.forward(given[mode], mode == "training")
            for mode in self.config["forward"]["modes"]
        }

    def draws_statelessly(self):
        """Whether native training is a function of the seed alone."""
        return self.workload.startswith("ehr_mgan")

    def multiplies(self, precision):
        """Whether the framework has the workload's kernels in a precision: TensorFlow 2.4 has no
        bfloat16 convolution for CPUs. That it says so is a test of its own (test_settings.py)."""
        versions = importlib.import_module("backends.%s.core" % self.backend).framework_versions()
        return not (
            versions.get("tensorflow", "").startswith("2.4.")
            and (self.workload, precision) == ("cnn", "bf16")
        )

    def lockstep(self):
        """Return a fresh source at the start of the tape."""
        return TapeSource(self.data, self.tape, self.config["batch"])

    def native(self, seed=0):
        """Return a fresh native source."""
        return NativeSource(self.data, seed, self.config["batch"])


@pytest.fixture
def kit(backend, workload, device):
    return Kit(backend, workload, device)
