"""HTML: one page, nothing loaded from elsewhere, nothing unescaped."""

from __future__ import annotations

import dataclasses
import html.parser
import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report.html import render
from harness.report.plots.ratios import Intervals

VOID = {"meta", "link", "br", "input"}
ENDS = st.one_of(st.none(), st.floats())
LOADING = {"src", "href", "srcset", "action", "data", "poster", "xlink:href", "background"}


class Page(html.parser.HTMLParser):
    """Collects tags, attributes and text, and checks that tags nest."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def check(text):
    page = Page(text)
    assert not {"script", "img", "iframe", "object", "b", "bold"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    addresses = [value for name, value in page.attributes if name in LOADING]
    assert ["data:,"] == [value for value in addresses if not value.startswith(("#", "./"))]
    assert not [value for value in addresses if ".." in value]
    anchors = [value for name, value in page.attributes if name == "id"]
    assert len(anchors) == len(set(anchors))
    assert {
        value[1:] for name, value in page.attributes if name == "href" and value.startswith("#")
    } <= {*anchors}
    assert {value for name, value in page.attributes if name == "aria-labelledby"} <= {*anchors}
    assert "url(" not in text.split("</style>")[0] and "@import" not in text
    return " ".join("".join(page.text).split())


def test_nothing_is_loaded_and_nothing_is_unescaped(full):
    """Tags nest, and no address is in an attribute."""
    text = render(full)
    assert "<script>alert('x')</script> [bold]b[/bold] a|b `c` \\x1b[31mred\\x202e" in check(text)
    assert "default-src 'none'" in text


def test_all_is_there(full):
    """Answer, matrix, first divergence, ladder, speed with its plot, jobs, builds."""
    text = check(render(full))
    for part in (
        "✗ FAIL: Not the same model",
        "✗FAIL 4e10",
        "first at loss",
        "a = 0.5, b = 1.0",
        "1.23× slower [1.20, 1.27]",
        "SIGSEGV",
        "tox environment torch-cpu",
        "Ladder",
        "commit 0123456789abcdef0123456789abcdef01234567-dirty",
        "first bad step 7",
        "wrong layers: conv1 conv2",
    ):
        assert part in text
    assert render(full).count('class="bar"') == 4


def test_pairs_that_pass_are_closed_and_those_that_depart_are_open(full):
    """Few pairs are all open."""
    text = render(full)
    assert 3 == text.count("<details open><summary>Evidence") and 2 == text.count(
        "<details><summary>Evidence"
    )
    alone = dataclasses.replace(full, stages=full.stages[5:11], speed=())
    assert 1 == render(alone).count("<details open><summary>Evidence")


def test_every_figure_has_its_numbers_as_a_table_and_every_drawing_a_name(full):
    """Who cannot see it hears what it shows."""
    text = render(full)
    figures = text.split("<figure")[1:]
    assert len(figures) == 17 and all("<table>" in one.split("</figure>")[0] for one in figures)
    page = Page(text)
    assert page.tags.count("figcaption") == len(figures)
    assert text.count("<svg class=plot") == sum(
        "aria-label='" in one for one in text.split("<svg class=plot")[1:]
    )


def test_tables_have_scopes_and_regions_that_scroll_have_names(full):
    """Headings go down one level at a time."""
    page = Page(render(full))
    assert page.tags.count("th") == sum(name == "scope" for name, _ in page.attributes)
    assert page.tags.count("main") == 1 == page.tags.count("h1")
    levels = [int(tag[1]) for tag in page.tags if tag in ("h1", "h2", "h3", "h4")]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_both_builds_stand_side_by_side(sample, full):
    """Versions and settings; what differs is said in words, not by colour alone."""
    other = dataclasses.replace(
        sample.BUILDS[0],
        build="tf1-compat",
        versions={"torch": "2.12.0"},
        effective={"threads": 4, "tf32": False},
    )
    text = check(render(dataclasses.replace(full, builds=(sample.BUILDS[0], other)))).replace(
        " ", ""
    )
    assert (
        "threads42≠differs" in text
        and "torch2.12.02.13.0≠differs" in text
        and "tf32falsefalse" in text
    )
    assert "tapecnn/tiny/0:abab" in text


def test_a_history_stands_with_its_pair_and_one_without_by_itself(full):
    """And there is no such section where there is none."""
    text = render(full)
    assert (
        text.index("ratio of train: cnn")
        < text.index('id="history"')
        < text.index("peak memory: cnn, torch, fp32")
    )
    assert "History" not in render(dataclasses.replace(full, history=()))


def test_seeds_are_told_apart(seeded, full):
    """In the matrix, the departures, the ladder and the speed table; a single seed is not shown."""
    text = check(render(seeded))
    assert "cnn, tf1-compat : tf2.10, fp64 seed 1: first at loss" in text
    assert [text.count(f"fp64 s{seed}") for seed in (0, 1)] == [2 + 6, 2 + 7]
    counts = [text.count(f"train fp32 s{seed}") for seed in (0, 1)]
    assert counts[0] == counts[1] > 0
    assert "fp64 s" not in check(render(full))


def test_a_job_that_did_not_end_well_says_its_seed(full):
    """All its digits; a report from before it was told has none."""
    text = render(full)
    assert (
        '2147483647</td><td class="hint">SIGSEGV' in text
        and '-</td><td class="hint">TF 1.15 has no' in text
    )


def test_phases_have_a_table_of_their_own(phased):
    """A line each, beside the rows of every pair."""
    text = check(render(phased))
    assert "Phase by phase: ehr_mgan small fp32" in text
    assert "joint/generator1/discrete26.3ms13.1ms0.49826.4ms1.004=" in text.replace(" ", "")
    assert 3 + 1 == text.count("joint/generator 1/discrete")


def test_the_port_of_a_build_is_told(full):
    """Which file, with the hash of its source."""
    assert "port: cnn ports/cnn/torch.py, 0a1b2c3d" in check(render(full))


@settings(max_examples=25, deadline=None)
@given(st.text())
def test_any_name_is_text(sample, text):
    """In every kind of row."""
    report = dataclasses.replace(
        sample.EMPTY,
        title=text,
        headline=text,
        notes=(text,),
        tapes={text: text},
        stages=(
            sample.stage("forward", "FAIL", workload=text, worst=text, null=(text,), command=text),
            sample.stage(text),
        ),
        speed=(sample.speed("train", text, workload=text, differences=(text,)),),
        jobs=(dataclasses.replace(sample.JOBS[3], job=text, status=text),),
        builds=(
            dataclasses.replace(
                sample.BUILDS[1],
                versions={text: text},
                effective={text: {text: text}},
                port={text: text},
            ),
        ),
    )
    check(render(report))


@given(st.lists(st.tuples(ENDS, ENDS, ENDS), max_size=4))
def test_a_plot_stays_inside_its_box(sample, numbers):
    """Whatever the ratios are."""
    rows = tuple(
        sample.speed("train", "UNCLEAR", ratio=ratio, low=low, high=high)
        for ratio, low, high in numbers
    )
    plot = Intervals(rows)
    for drawn in (plot.axis(), *(plot.row(row) for row in rows)):
        for name, value in Page(str(drawn)).attributes:
            if name in ("x", "x1", "x2", "cx"):
                assert 0.0 <= float(value) <= 240.0


@pytest.mark.parametrize("fastest", [0.14, 0.5, 0.9, 0.99])
def test_marks_of_the_scale_are_not_written_across_each_other(sample, fastest):
    """Where one side of the scale is short its mark is left out; 1 always has its own."""
    axis = str(
        Intervals(
            (sample.speed("train", "FASTER", ratio=1.1 * fastest, low=fastest, high=1.2 * fastest),)
        ).axis()
    )
    places = [float(value) for name, value in Page(axis).attributes if name == "x"]
    assert ">1<" in axis and all(
        second - first >= 24.0 for first, second in itertools.pairwise(places)
    )


def test_the_plot_puts_a_slower_build_to_the_right(sample):
    """1 is a line, b / a above it is on its right; a row without an interval has no plot."""
    slower, faster = (
        sample.speed("train", "SLOWER"),
        sample.speed("train", "FASTER", ratio=0.5, low=0.4, high=0.6),
    )
    plot = Intervals((slower, faster))
    middle = {
        name: float(value) for name, value in Page(str(plot.row(slower))).attributes if name == "cx"
    }["cx"]
    left = {
        name: float(value) for name, value in Page(str(plot.row(faster))).attributes if name == "cx"
    }["cx"]
    assert left < 120.0 < middle
    assert (
        ""
        == plot.row(dataclasses.replace(slower, low=math.nan))
        == plot.row(dataclasses.replace(slower, high=None))
    )


def test_drawing_twice_gives_the_same_bytes(full, empty):
    """No clock, no chance; and an empty report has no empty section."""
    assert render(full) == render(full)
    assert "<h2>" not in render(empty)


def test_a_report_of_speed_alone_has_no_verdict_before_its_answer(empty):
    """As in the terminal."""
    assert '<p class="answer dim">Nothing was judged.</p>' in render(
        empty
    ) and "NONE" not in render(empty)


def test_a_column_of_costs_that_holds_nothing_is_left_out(full):
    """Why it holds nothing stands below the table."""
    table = render(full).split('id="costs"')[1].split("</table>")[0]
    assert (
        "peak memory" in table
        and "baseline" in table
        and "on the GPU" not in table
        and "energy" not in table
    )


@pytest.mark.parametrize("name", ["viewport", "color-scheme", "prefers-color-scheme: dark"])
def test_the_page_is_for_phones_and_for_the_dark(full, name):
    """Stated in its head."""
    assert name in render(full).split("<body>")[0]


@pytest.mark.parametrize("accepted", [True, False])
def test_the_sign_of_accepted_differences_is_explained_where_it_stands(full, sample, accepted):
    rows = (sample.stage("update", "PASS", workload="cnn", accepted=accepted, excuse="some"),)
    text = render(dataclasses.replace(full, stages=rows))
    assert ("≈ pass, with accepted differences" in text) == accepted == ("≈" in text)
