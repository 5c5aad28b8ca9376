"""The first screen of a page: what departs, how long steps take, and what it can be filtered by."""

from __future__ import annotations

import dataclasses
import re

import pytest

from harness.report import terms
from harness.report.html import render
from tests.harness.report import sample_builds
from tests.harness.report.test_html import Page, check


def _rows(text, nth=1):
    """Return the rows of a table of verdicts, each as its classes and its text without blanks."""
    table = text.split('class="verdicts dense"')[nth].split("</table>")[0]
    found = re.findall('<tr class="(.*?)"[^>]*>(<th scope=.row.*?)</tr>', table, re.DOTALL)
    return [(kind, "".join("".join(Page(f"<tr>{row}</tr>").text).split())) for kind, row in found]


def test_the_first_table_answers_for_every_pair_and_precision(full):
    """What fails first, with a link to the evidence; lower precisions have a table of their own."""
    text = render(full)
    rows = _rows(text)
    fails = "cnnfp64tf1-compat:torch✗FAIL✓PASS0✓PASS3%✗FAIL4e10×✗FAILNaN?INCONCLUSIVE43(5)"
    assert ("", fails) == rows[0]
    assert ["", "", "passes", "passes"] == [kind for kind, _ in rows]
    assert [("", "cnnbf16torch:torchfp64✗FAIL✗FAIL3%12")] == _rows(text, 2)
    assert 5 == text.split('id="speed"')[0].count('href="#pair-')
    assert "Is the lower precision in effect" in text


def test_many_pairs_that_pass_are_one_row_and_all_are_there():
    """Each behind it, for who asks for every pair; what departs comes first, and who it is."""
    text = render(sample_builds.REPORT)
    rows = _rows(text)
    kinds = [kind for kind, _ in rows]
    assert ["", "", "", "", "several passes"] == kinds[:5] and "6otherpairs" in rows[4][1]
    assert 6 == kinds.count("several passes") and 6 * 10 == len(rows) - 6
    assert 2 * 6 + 4 * 10 == kinds.count("folded passes")
    said = "cnn: torch departs from all 4 others, which agree with each other, first at gradients."
    assert said in text and "tf2 is 5.9× slower than tf1 in training of linear" in text


def test_steps_are_bars_in_their_own_units():
    """A bar a build, as long as its share of the longest step of what was timed."""
    text = render(sample_builds.REPORT)
    block = text.split("cnn small training fp32")[1].split("</ul>")[0]
    lengths = [float(number) for number in re.findall("class='length'.*?M0 0H([0-9.]+)V", block)]
    assert 200.0 == max(lengths) == lengths[1]
    assert [200 / 5.9, 200.0, 200 * 0.72 / 5.9] == pytest.approx(lengths[:3], abs=0.1)
    assert "1.60 ms" in block and "9.44 ms" in block and "5.9× slower" in block


def test_the_filter_knows_rows_by_number_alone():
    """No name gets into a style sheet; without what it can choose there is none."""
    text = render(sample_builds.REPORT)
    head = text.split("<body>")[0]
    assert 'body:has(#workload-1:checked) [data-w]:not([data-w~="1"]) { display: none; }' in head
    assert 'body:has(#build-5:checked) [data-b]:not([data-b~="5"]) { display: none; }' in head
    assert text.count('type="radio"') == 3 + 4 + 6
    rows = tuple(row for row in sample_builds.REPORT.stages if (row.a, row.b) == ("tf1", "tf2"))
    one = tuple(row for row in rows if row.workload == "linear")
    alone = dataclasses.replace(sample_builds.REPORT, stages=one, speed=(), curves=())
    assert 'type="radio"' not in render(alone)


def test_evidence_is_linked_where_it_lies_in_the_runs_folder(full):
    """Logs and records; what would lead out of it, or has characters that no path of ours has, is
    text."""
    text = render(full)
    assert '<a href="./jobs/cnn-torch/worker.log">jobs/cnn-torch/worker.log</a>' in text
    assert '<a href="./jobs/cnn-torch/manifest.json" aria-label="record of cnn-torch">' in text
    outside = dataclasses.replace(
        full, stages=(dataclasses.replace(full.stages[2], logs=("../../x/y.log", "/etc/x.log")),)
    )
    shown = render(outside)
    assert "<code>../../x/y.log</code>" in shown and 'href="./jobs' not in shown.split("Jobs")[0]


def test_words_have_a_sentence_where_they_are_used(full, empty):
    """Those of this report; a report of nothing has none."""
    text = check(render(full))
    for name in ("floor", "threshold", "horizon", "null", "tape", "teacher forcing", "margin"):
        assert terms.TERMS[name] in text
    assert '<abbr title="how far honest variations' in render(full)
    assert "Words:" not in render(empty)
