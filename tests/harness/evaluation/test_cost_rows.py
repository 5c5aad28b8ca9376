"""What recorded rounds say of a step's cost, and that nothing missing is passed over or taken
for 0."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from harness.environments.builds import BUILDS
from harness.errors import CorruptRecord
from harness.evaluation import cost_rows
from harness.records.contents import FlopsCounter
from harness.records.store import Record
from tests.harness import contents

ROOT = Path(__file__).parents[3]


def recorded(number: int, **more: Any) -> Record:
    """Return a round of one side, as `rounds` records it on a CPU; `more` goes into the action
    `generate`."""
    action = {
        "prepared": {"torch": {"first_step_s": 0.5}},
        "peak_bytes": {"torch": 1000},
        "marks_set_back": {"torch": True},
        "device_peak_bytes": {"torch": None},
        "device_peak_missing": {"torch": "it ran on the CPU"},
        "calls": {"torch": {"-300": 900, "-200": 100 + number}},
        "calls_base": {"torch": 1.02},
        **more,
    }
    spent = {
        "torch": {
            "flops": 2e6,
            "flops_source": FlopsCounter.TORCH.value,
            "rate": 1e9,
            "energy_j": None,
            "missing": {"energy_j": "no NVML"},
        }
    }
    result = contents.round_of(
        {"generate": action, "train": {**action, "calls": {"torch": {}}}},
        "torch",
        baseline_bytes={"torch": 700 + 100 * number},
    )
    return Record(
        Path("nowhere"),
        {},
        "ok",
        "",
        {**result, "spent": {"generate": spent, "train": spent} if number == 0 else {}},
        1.0,
    )


@pytest.mark.parametrize(("execution", "expected"), [("compiled", 30.0), ("graph", 0.5)])
def test_compiling_is_timed_where_nothing_was_compiled_before(
    execution: str, expected: float
) -> None:
    """In the first round, whose cache is empty; what is traced is traced in every round, of
    which the median is meant."""
    records = [recorded(number) for number in range(3)]
    for number, record in enumerate(records):
        side = {"first_step_s": 30.0 if number == 0 else 0.5, "effective": {"execution": execution}}
        record.result["actions"]["train"]["prepared"] = {"torch": side}
    assert expected == pytest.approx(cost_rows.cost(records, "train", "torch", 1e-9).trace_s)


def test_a_cost_is_put_together_from_all_rounds() -> None:
    """Percentiles over all calls, the median baseline, what was asked for once, and the share of
    the device's rate."""
    found = cost_rows.cost([recorded(number) for number in range(3)], "generate", "torch", 0.01)
    assert found.p50_s == pytest.approx(1.02**-300) and found.p95_s == found.p99_s == pytest.approx(
        1.02**-200
    )
    assert 800 == found.baseline_bytes and found.trace_s == pytest.approx(0.49)
    assert (2e6, "torch.utils.flop_counter", 1e9) == (
        found.flops,
        found.flops_source,
        found.peak_rate,
    ) and found.utilisation == pytest.approx(0.2)
    unrecorded = {"private_bytes": "it was not recorded"}
    assert (
        found.energy_j is None
        and {"energy_j": "no NVML", "device_peak_bytes": "it ran on the CPU", **unrecorded}
        == found.missing
    )


def test_memory_without_mapped_files_is_that_of_the_largest_round() -> None:
    """Peak less files of each round; not told where one round does not tell."""
    rounds = [
        recorded(number, peak_bytes={"torch": 1000}, mapped_bytes={"torch": 300 - 100 * number})
        for number in range(3)
    ]
    assert 900 == cost_rows.cost(rounds, "generate", "torch", 0.01).private_bytes
    assert (
        cost_rows.cost(
            [*rounds, recorded(3, peak_bytes={"torch": 1000})], "generate", "torch", 0.01
        ).private_bytes
        is None
    )


def test_the_workloads_own_count_stands_in() -> None:
    """Where the framework cannot count, and says why; not where it can."""
    record = recorded(0)
    record.result["operations"] = {"generate": 3e6, "train": None}
    assert cost_rows.cost([record], "generate", "torch", 0.01).flops == 2e6
    record.result["spent"]["generate"]["torch"].update(
        flops=None, flops_source="", missing={"flops": "it cannot"}
    )
    record = dataclasses.replace(record)
    found = cost_rows.cost([record], "generate", "torch", 0.01)
    assert (
        3e6 == found.flops
        and "the workload's own count, because it cannot" == found.flops_source
        and "flops" not in found.missing
    )
    assert found.utilisation == pytest.approx(0.3)


def test_a_count_of_one_output_alone_is_no_count() -> None:
    """TF1's of `generate` stands where the workload's own says the same, and nowhere else; of
    `train` it is whole."""
    record = recorded(0)
    for action in ("generate", "train"):
        source = FlopsCounter.SESSION_GRAPH.value
        record.result["spent"][action]["torch"]["flops_source"] = source
    alone, training = (
        cost_rows.cost([record], action, "torch", 0.01) for action in ("generate", "train")
    )
    assert (
        alone.flops is None
        and alone.utilisation is None
        and "may fetch several" in alone.missing["flops"]
    )
    assert training.flops == 2e6
    record = dataclasses.replace(record)
    record.result["operations"] = {"generate": 2e6}
    agreed = cost_rows.cost([record], "generate", "torch", 0.01)
    assert agreed.flops == 2e6 and "session's graph" in agreed.flops_source
    record = dataclasses.replace(record)
    record.result["operations"] = {"generate": 5e6}
    assert (
        "the workload's own count, because TensorFlow 1"
        in cost_rows.cost([record], "generate", "torch", 0.01).flops_source
    )


def test_every_backends_counter_is_known() -> None:
    """By the name that it gives itself, read without its framework; and no other is."""
    named = {}
    for name in {build.backend for build in BUILDS.values()}:
        text = (ROOT / "backends" / name / "cost.py").read_text(encoding="utf-8")
        (named[name],) = re.findall(r'^SOURCE = "(.*)"$', text, re.MULTILINE)
    assert {*FlopsCounter} == {*named.values()}
    record = recorded(0)
    record.result["spent"]["train"]["torch"]["flops_source"] = "a guess"
    with pytest.raises(CorruptRecord, match="flops_source is 'a guess', and has to be one of"):
        cost_rows.cost([record], "train", "torch", 0.01)


def test_what_is_missing_has_a_reason() -> None:
    """Of every None, and of a peak that could not be told from that of the whole life."""
    found = cost_rows.cost(
        [recorded(0, marks_set_back={"torch": False})], "generate", "torch", 0.01
    )
    assert "whole life" in found.missing["peak_bytes"]
    training = cost_rows.cost([recorded(0)], "train", "torch", 0.01)
    lacking = {
        field.name
        for field in dataclasses.fields(training)
        if getattr(training, field.name) is None
    }
    assert lacking == set(training.missing) and "generate" in training.missing["p99_s"]


def test_older_records_are_read() -> None:
    """A round from before all this was recorded has reasons, not numbers; a run that goes on can
    hold such rounds."""
    action = {"prepared": {"torch": {"first_step_s": 0.5}}, "peak_bytes": {"torch": 1000}}
    old = contents.round_of({"generate": action}, "torch")
    found = cost_rows.cost(
        [Record(Path("nowhere"), {}, "ok", "", old, 1.0)],
        "generate",
        "torch",
        0.01,
    )
    assert (
        found.flops is None
        and found.p50_s is None
        and found.baseline_bytes is None
        and found.trace_s is not None
    )
    once = {
        "baseline_bytes",
        "utilisation",
        "flops",
        "peak_rate",
        "energy_j",
        "device_peak_bytes",
        "private_bytes",
    }
    assert {*once, "p50_s", "p95_s", "p99_s"} == set(found.missing)


def test_device_memory_is_the_largest_of_all_rounds() -> None:
    """The framework's own peak on its device."""
    rounds = [
        recorded(
            number, device_peak_bytes={"torch": 100 + number}, device_peak_missing={"torch": ""}
        )
        for number in range(3)
    ]
    assert cost_rows.cost(rounds, "generate", "torch", 0.01).device_peak_bytes == 102
