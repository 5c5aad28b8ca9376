"""What a worker reads of itself after it has worked: every build tells the same things, and a
changed one is seen."""

from __future__ import annotations

import os
import sys
import threading
import time

import numpy as np
import pytest

from backends.measuring import host_environment
from backends.measuring import timer as timing
from backends.measuring.effective_settings import EffectiveSettings

ALWAYS = (
    "execution",
    "threads",
    "inter_threads",
    "device",
    "tf32",
    "xla",
    "deterministic",
    "dtype_policy",
    "matmul_precision",
    "convolution_precision",
    "framework_denormals",
    "onednn",
    "debugging",
    "parameter_dtypes",
    "cores",
    "affinity",
    "nice",
    "environment",
    "denormals",
    "python_tracing",
    "threads_that_ran",
    "contractions",
)


def effect_of(kit, precision="fp32", **changed):
    """Return what is in effect after a few native steps."""
    effect = EffectiveSettings(kit.backend)
    port = kit.port(precision, **changed)
    source = kit.native(0)
    effect.begin()
    timer = timing.Timer(port, source, "train", kit.config["batch"])
    timer.run(2)
    return effect.read(port, timer)


def test_every_build_tells_the_same_things(kit, pytestconfig):
    """So that a comparison of two builds knows both values; and float32 is float32 in weights
    and in contractions."""
    found = effect_of(kit)
    assert [name for name in ALWAYS if name not in found] == []
    assert ("float32", "float32", "float32") == (
        found["parameter_dtypes"],
        found["contractions"],
        found["matmul_precision"],
    )
    counts_lines = pytestconfig.pluginmanager.hasplugin("_cov")
    assert ("kept", False, counts_lines) == (
        found["denormals"],
        found["debugging"],
        found["python_tracing"],
    )
    assert found["cores"] == len(os.sched_getaffinity(0))
    assert found["threads_that_ran"] >= 1


@pytest.mark.workloads("linear", "cnn")
@pytest.mark.backends("tf1", "tf2", "torch")
def test_low_contractions_are_seen(kit):
    """By the operands that the framework computed with, not by what the port was asked for."""
    if not kit.multiplies("bf16"):
        return
    found = effect_of(kit, "bf16")
    assert ("float32", "bfloat16") == (found["parameter_dtypes"], found["contractions"])


@pytest.mark.workloads("linear")
@pytest.mark.backends("torch")
def test_switches_of_torch_are_read(kit):
    """Each is turned by hand behind the port's back."""
    import torch

    honest = effect_of(kit)
    port = kit.port("fp32")
    for name, value, turn, back in (
        (
            "matmul_precision",
            "bfloat16",
            lambda: torch.set_float32_matmul_precision("medium"),
            lambda: torch.set_float32_matmul_precision("highest"),
        ),
        (
            "denormals",
            "flushed",
            lambda: torch.set_flush_denormal(True),
            lambda: torch.set_flush_denormal(False),
        ),
        (
            "debugging",
            True,
            lambda: torch.autograd.set_detect_anomaly(True),
            lambda: torch.autograd.set_detect_anomaly(False),
        ),
        (
            "threads",
            1,
            lambda: torch.set_num_threads(1),
            lambda: torch.set_num_threads(port.setting.threads),
        ),
    ):
        assert honest[name] != value
        turn()
        try:
            assert value == EffectiveSettings(kit.backend).read(port)[name]
        finally:
            back()


def test_who_watches_python_is_told():
    """A profiler, and from Python 3.12 on a tool that monitors."""
    sys.setprofile(lambda *_: None)
    try:
        assert host_environment.is_traced()
    finally:
        sys.setprofile(None)
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is not None:
        place = next(n for n in range(6) if monitoring.get_tool(n) is None)
        monitoring.use_tool_id(place, "a debugger")
        try:
            assert host_environment.is_traced()
        finally:
            monitoring.free_tool_id(place)


def test_variables_of_the_environment_without_those_that_a_backend_sets():
    """Only what changes how fast or in which numbers something is computed."""
    given = {
        "OMP_NUM_THREADS": "1",
        "HOME": "/",
        "TF_XLA_FLAGS": " --tf_xla_cpu_global_jit",
        "XLA_FLAGS": "--x",
    }
    assert {"OMP_NUM_THREADS": "1", "XLA_FLAGS": "--x"} == host_environment.environment(given)


@pytest.mark.parametrize(
    ("environ", "deterministic", "tries"),
    [
        ({}, False, True),
        ({"TF_CUDNN_USE_AUTOTUNE": "0"}, False, False),
        ({"TF_CUDNN_USE_AUTOTUNE": "1"}, False, True),
        ({}, True, False),
    ],
)
def test_tensorflow_tries_algorithms_unless_it_is_told_not_to(environ, deterministic, tries):
    """By default it does and torch does not, so a pair of them on a GPU is labelled."""
    assert tries is host_environment.tensorflow_tries_algorithms(environ, deterministic)


def test_work_between_two_ticks_of_the_kernel_is_seen():
    """A step of microseconds has run on one thread, not on none."""
    for _ in range(20):
        before = host_environment.cpu_time_ns()
        sum(range(2000))
        assert host_environment.threads_that_ran(before, host_environment.cpu_time_ns()) >= 1


def test_threads_that_ran_are_those_with_a_share_of_the_work():
    """Two that compute for as long on a core each, beside one that only waits."""
    before, waiting = host_environment.cpu_time_ns(), threading.Event()
    idle = threading.Thread(target=waiting.wait)
    idle.start()
    done, counted = threading.Event(), threading.Event()

    def compute():
        """Own time on a core, whatever else the machine does."""
        started = time.thread_time()
        while time.thread_time() - started < 0.1:
            np.linalg.svd(np.ones((60, 60)))

    def work():
        compute()
        done.set()
        counted.wait()

    worker = threading.Thread(target=work)
    worker.start()
    compute()
    done.wait()
    found = host_environment.threads_that_ran(before, host_environment.cpu_time_ns())
    counted.set()
    waiting.set()
    worker.join()
    idle.join()
    assert found >= 2
    assert host_environment.threads_that_ran({1: 0, 2: 5, 3: 0}, {1: 1000, 2: 6, 3: 400}) == 2
    assert host_environment.threads_that_ran({}, {}) == 0
