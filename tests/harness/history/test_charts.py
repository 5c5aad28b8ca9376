"""The page of a whole history: every figure is drawn, a million rows soon, and the file stays
small."""

from __future__ import annotations

import time

from harness.history import History, Wanted, charts
from harness.report import history_page
from tests.harness.history.test_aggregate import NIGHTS, SERIES, long  # noqa: F401  (a fixture)
from tests.harness.history.test_query import ten  # noqa: F401  (a fixture)

LIMIT_BYTES, LIMIT_S = 8_000_000, 10.0


def page(found: charts.HistoryCharts) -> str:
    return history_page.render(
        "History", found.histories, found.left_out, found.stages, found.speed
    )


def test_a_million_rows_become_a_page_soon(long: History) -> None:  # noqa: F811
    """From the file to the page in less than ten seconds of work and 8 MB; no series is left
    out."""
    started = time.process_time()
    found = charts.drawn(long)
    text = page(found)
    spent_s = time.process_time() - started
    assert SERIES == len(found.histories) and SERIES * (NIGHTS - 10) == sum(
        one.runs for one in found.histories
    )
    assert SERIES == text.count(" runs: level") and 0 == found.left_out
    assert len(text.encode()) < LIMIT_BYTES and spent_s < LIMIT_S, (len(text), spent_s)


def test_a_stretch_keeps_what_stands_out(long: History) -> None:  # noqa: F811
    """Least, mean and largest of each stretch, in the order of time."""
    (one,) = charts.drawn(long, Wanted(workloads=("w7",))).histories
    assert [1.07, 2.07] == [round(one.low[0], 2), round(one.high[-1], 2)] and sorted(
        one.when
    ) == list(one.when)
    assert all(
        low <= level <= high for low, level, high in zip(one.low, one.middle, one.high, strict=True)
    )


def test_what_does_not_fit_is_counted(long: History) -> None:  # noqa: F811
    """The page says how many series it leaves out, and what to do."""
    found = charts.drawn(long, most=30)
    assert (30, SERIES - 30) == (len(found.histories), found.left_out)
    assert f"{SERIES - 30} more series: name workloads" in page(found)


def test_real_rows_have_ratios_step_times_memory_and_errors(ten: History) -> None:  # noqa: F811
    """Of a history of reports; verdicts of each night beside them."""
    found = charts.drawn(ten)
    kinds = {one.figure.partition(",")[0] for one in found.histories}
    error = "error of the tensor nearest to its threshold"
    assert {"time of b / time of a", "step time", "peak memory", error} == kinds
    judged = [one for one in found.histories if one.figure.startswith(error)]
    assert judged and all(one.verdict for one in judged)
    assert all(len(one.floor) == len(one.threshold) == len(one.when) for one in judged)
    text = page(found)
    assert text.index("Verdicts, night by night") < text.index("<svg class=spark")
    assert len(found.histories) == text.count("<svg class=spark") == text.count("<svg class=plot")
    assert text.index("<svg class=spark") < text.index("<svg class=plot")
    assert "Verdicts, night by night" in text and "<script" not in text.replace("&lt;script", "")


def test_an_empty_history_says_so() -> None:
    """No series, no night."""
    assert "There is no series yet." in history_page.render("History", (), 0, {}, {})
