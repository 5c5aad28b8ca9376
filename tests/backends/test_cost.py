"""What a step costs beside time: counts that must come out exactly, and reasons where there is
none."""

from __future__ import annotations

import ctypes
import math

import pytest

from backends.contract import Unsupported
from backends.measuring import cost, energy
from backends.measuring import timer as timing
from backends.schedule import last_segment


def timer(kit, action, precision="fp32"):
    """Return the timer of one action on a port with known weights."""
    source = kit.native()
    source.cursor = last_segment(kit.config)
    return timing.Timer(kit.port(precision), source, action, kit.config["batch"])


def contractions(config, action):
    """Return the operations of cnn's and linear's contractions by hand; nothing is
    differentiated by the inputs."""
    batch = config["batch"]
    if config["workload"] == "linear":
        return 2 * batch * config["features"] * (2 if action == "train" else 1)
    total, first = 0, True
    height, width, _ = config["image"]
    for item in config["parameters"]:
        shape = item["shape"]
        if len(shape) == 4:
            products = 2 * batch * height * width * shape[0] * shape[1] * shape[2] * shape[3]
        elif len(shape) == 2:
            products = 2 * batch * shape[0] * shape[1]
        else:
            continue
        total += products * (1 if action == "generate" else 2 if first else 3)
        height, width, first = (
            (height // 2, width // 2, False) if len(shape) == 4 else (height, width, False)
        )
    return total


@pytest.mark.workloads("linear", "cnn")
@pytest.mark.parametrize("action", ["train", "generate"])
def test_operations_are_counted(kit, action):
    """The framework's counter gives what the shapes give; NumPy has none and says so."""
    found = cost.of_a_step(kit.backend, kit.port("fp32"), timer(kit, action))
    if kit.backend == "numpy":
        assert found["flops"] is None
        assert "counts no" in found["missing"]["flops"]
        return
    assert contractions(kit.config, action) == found["flops"], found
    assert found["flops_source"]


@pytest.mark.workloads("ehr_mgan")
def test_what_no_formula_knows_is_not_counted(kit):
    """A count is a number with its source or None with a reason, never half a count."""
    found = cost.of_a_step(kit.backend, kit.port("fp32"), timer(kit, "train"))
    assert (found["flops"] is None) == ("flops" in found["missing"])
    assert found["flops"] is None or found["flops"] > 1e5


@pytest.mark.workloads("linear")
def test_rate_and_energy(kit):
    """A square product has a rate; energy and the device's memory have reasons on the CPU."""
    port = kit.port("fp32")
    found = cost.of_a_step(kit.backend, port, timer(kit, "train"))
    assert 1e7 < found["rate"] < 1e16
    if kit.device == "cpu":
        assert found["energy_j"] is None
        assert "CPU" in found["missing"]["energy_j"]
        told = cost.device_peak(kit.backend, port)
        assert told["device_peak_bytes"] is None
        assert "CPU" in told["device_peak_missing"]
    else:
        assert found["energy_j"] is None or found["energy_j"] > 0
        assert cost.device_peak(kit.backend, port)["device_peak_bytes"] > 0


@pytest.mark.workloads("linear")
def test_calls_are_counted_by_latency(kit):
    """Every call of `generate` in a block is in one class of latency, and none of `train`."""
    found = timer(kit, "generate")
    found.prepare(0.0, 1e-3)
    done = found.block(5)
    assert 5 * found.steps_a_sample == sum(done["calls"].values())
    assert all(1e-7 < timing.LATENCY_BASE**place < 10 for place in done["calls"])
    assert timer(kit, "train").block(2)["calls"] == {}


def test_latency_classes():
    """A class holds what lies within 1 % of its middle; a call that the clock did not see is in
    one too."""
    middle = timing.LATENCY_BASE**-300
    found = timing.latencies([middle, 1.009 * middle, 0.991 * middle, 1.03 * middle, 2.0, 0.0])
    assert {-300: 3, -299: 1, 35: 1, round(math.log(1e-9, timing.LATENCY_BASE)): 1} == found


class Board:
    """Stands for the driver's library: a counter that moves 250 J a reading."""

    def __init__(self, answer=0):
        self.answer, self.asked, self.millijoules = answer, [], 0

    def nvmlInit_v2(self):  # noqa: N802  (the name is the library's)
        return 0

    # The names are the library's.
    def nvmlDeviceGetHandleByIndex_v2(self, index, handle):  # noqa: N802
        self.asked.append(index.value)
        return 0

    def nvmlDeviceGetHandleByUUID(self, name, handle):  # noqa: N802  (the name is the library's)
        self.asked.append(name)
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, device, pointer):  # noqa: N802
        self.millijoules += 250000
        ctypes.cast(pointer, ctypes.POINTER(ctypes.c_ulonglong))[0] = self.millijoules
        return self.answer


@pytest.mark.parametrize(("visible", "asked"), [("", 0), ("2,1", 2), ("GPU-1a", b"GPU-1a")])
def test_meter(visible, asked):
    """The counter is that of the first GPU that CUDA would show, in joules."""
    board = Board()
    meter = energy.Meter(board, {"CUDA_VISIBLE_DEVICES": visible})
    before = meter.joules()
    assert 250.0 == meter.joules() - before
    assert [asked] == board.asked


def test_no_meter():
    """A GPU without a counter is a reason, not a number."""
    with pytest.raises(Unsupported, match="NVML answers 3"):
        energy.Meter(Board(3), {}).joules()
