"""What a step costs beside time, in every renderer: each build once, every None with a reason,
nothing wider than the terminal."""

from __future__ import annotations

import dataclasses
import io
import json
from types import ModuleType

import pytest
from rich.console import Console

from harness.report import costs, html, json_format, markdown, terminal, terminal_speed
from harness.results.model import Cost, Report
from tests.harness.report.sample import sealed

CPU = "it ran on the CPU"
TRAIN = Cost(
    baseline_bytes=200 << 20,
    trace_s=1.5,
    flops=2.5e9,
    flops_source="a counter",
    peak_rate=1e11,
    utilisation=0.125,
    missing={
        "device_peak_bytes": CPU,
        "energy_j": "no <NVML> | here",
        "p99_s": "only calls of `generate`",
    },
)
GPU = Cost(
    baseline_bytes=900 << 20,
    device_peak_bytes=3 << 30,
    p50_s=1e-3,
    p95_s=2e-3,
    p99_s=9e-3,
    energy_j=0.34,
    missing={"flops": "its counter knows no loops", "utilisation": "its counter knows no loops"},
)


@pytest.fixture
def report(sample: ModuleType) -> Report:
    """Two pairs that share a build, and one of precisions."""
    rows = [
        dataclasses.replace(
            sample.speed("train", "SLOWER"),
            workload="cnn",
            precision="fp32",
            a="tf1",
            b=b,
            a_cost=TRAIN,
            b_cost=GPU,
        )
        for b in ("torch", "tf2")
    ]
    gain = dataclasses.replace(
        rows[0], precision="fp32:bf16", a="torch-fp32", b="torch-bf16", gain=True
    )
    return json_format.derived(
        dataclasses.replace(
            sample.REPORT, speed=(*rows, gain), stages=(), jobs=(), quality=(), notes=()
        )
    )


def test_each_build_has_one_line(report: Report) -> None:
    """However many pairs it is in; of one build's precisions, each has its own."""
    found = costs.lines(report.speed)
    assert [
        ("tf1", "fp32"),
        ("torch", "fp32"),
        ("tf2", "fp32"),
        ("torch-fp32", "fp32"),
        ("torch-bf16", "bf16"),
    ] == [(line.build, line.precision) for line in found]


def test_reasons_are_told_once_and_of_whom(report: Report) -> None:
    """Those of a few builds name them."""
    found = costs.lines(report.speed[:1])
    assert f"no memory on the GPU of tf1: {CPU}" in costs.reasons(found)
    assert "no operations, utilisation of torch: its counter knows no loops" in costs.reasons(found)
    both = [dataclasses.replace(line, cost=TRAIN) for line in found]
    assert f"no memory on the GPU: {CPU}" in costs.reasons(both)
    assert ["operations of tf1: a counter"] == costs.sources(found)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_terminal(report: Report, width: int) -> None:
    """The first columns fit 80 columns; a wide terminal has all, and no column that is empty."""
    stream = io.StringIO()
    Console(file=stream, width=width).print(terminal.render(report))
    text = stream.getvalue()
    assert max(map(len, text.splitlines())) <= width and "What else does a step cost?" in text
    table = text[text.index("What else") :]
    assert "200 MiB" in table and "bf16" not in table
    assert ("12.5 %" in table) == (width == 200) or width == 120


def costs_table(report: Report, width: int) -> str:
    """Return the table of costs as a terminal shows it, which ends that report."""
    stream = io.StringIO()
    Console(file=stream, width=width).print(terminal.render(report))
    return stream.getvalue().rpartition("once the")[2].partition("open)")[2]


@pytest.mark.parametrize("width", [80, 100, 120, 140])
@pytest.mark.parametrize("filled", [False, True], ids=["some columns", "every column"])
def test_no_word_is_broken(report: Report, width: int, filled: bool) -> None:
    """Neither of a heading nor of a workload's name. All columns come from 140 on, if they fit."""
    if filled:
        known = dataclasses.replace(
            TRAIN,
            device_peak_bytes=3 << 30,
            p50_s=1e-3,
            p95_s=2e-3,
            p99_s=9e-3,
            energy_j=0.34,
            missing={},
        )
        rows = [
            dataclasses.replace(
                row, workload="ehr_mgan", a_cost=known, a_build_s=1.5, a_first_step_s=0.3
            )
            for row in report.speed
        ]
        report = dataclasses.replace(report, speed=tuple(rows))
    text = costs_table(report, width)
    words = set(" ".join(["workload", "build", *costs.COLUMNS]).split())
    for line in costs.lines(report.speed):
        words |= {line.build, line.row.workload, line.row.preset, line.row.action, line.precision}
        for cell in costs.COLUMNS.values():
            words |= set(cell(line).split())
    shown = {word for word in text.split() if word.strip("\N{BOX DRAWINGS LIGHT HORIZONTAL}")}
    assert set() == shown - words
    workload = report.speed[0].workload
    assert {"workload", "build", "baseline", workload, "small", "train", "fp32"} <= shown
    assert ("utilisation" in shown) == (width == 140 and not filled)


@pytest.mark.parametrize(
    ("width", "expected"), [(14, None), (15, [4, 2, 5]), (16, [5, 2, 5]), (99, [6, 2, 7])]
)
def test_room_beyond_the_longest_words_goes_to_the_first_columns(
    width: int, expected: list[int] | None
) -> None:
    """There is no width for less than that; a no-break space does not end a word."""
    columns = [["aa bbb", "cccc"], ["d", "ee"], ["f ggggg", "h i"]]
    assert expected == terminal_speed.unbroken(columns, width)


def test_files(report: Report) -> None:
    """All columns, the reasons and the counters' names, escaped."""
    for text in (markdown.render(report), html.render(report)):
        for cell in (
            "12.5 %",
            "2.50 GFLOP",
            "100 GFLOP/s",
            "340 mJ",
            "3,070 MiB",
            "a counter",
            "torch-bf16",
        ):
            assert cell in text, cell
        assert "<NVML>" not in text
    assert (
        "no <NVML> | here"
        in json.loads(json_format.to_json(report))["speed"][0]["a_cost"]["missing"]["energy_j"]
    )


def test_json_keeps_it_and_reads_reports_without(report: Report) -> None:
    """The same report comes back; one that was written before there were costs has none, and no
    table."""
    assert report == json_format.from_json(json_format.to_json(report))
    older = dataclasses.replace(
        report,
        speed=tuple(dataclasses.replace(row, a_cost=None, b_cost=None) for row in report.speed),
    )
    flat = json.loads(json_format.to_json(older))
    for row in flat["speed"]:
        for name in ("a_cost", "b_cost", "gain"):
            del row[name]
    assert "beside time" not in markdown.render(json_format.from_json(sealed(flat)))
