"""The pytest-benchmark suite of a build: steady `train` and `generate` steps of each workload, in
native mode.

For a number to compare builds by, use `harness compare`: it measures them in turns. This suite
follows one build over time; `tox run -e tf2-cpu` keeps its results where `pytest-benchmark compare`
finds them.
"""

from __future__ import annotations

import pytest

from backends.schedule import last_segment


@pytest.mark.benchmark(group="train")
def test_train_step(kit, build, benchmark):
    """One training step, as users run it."""
    benchmark.extra_info["build"] = build
    port, source = kit.port("fp32"), kit.native()
    source.cursor = last_segment(kit.config)
    port.train(source, 10)
    terms = benchmark(port.train, source, 1)
    assert all(len(values) == 1 for values in terms.values())


@pytest.mark.benchmark(group="generate")
def test_generate_step(kit, build, benchmark):
    """One batch of predictions in inference mode."""
    benchmark.extra_info["build"] = build
    port, source = kit.port("fp32"), kit.native()
    port.generate(source, kit.config["batch"])
    output = benchmark(port.generate, source, kit.config["batch"])
    assert len(output) == kit.config["batch"]
