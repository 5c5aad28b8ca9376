"""The pages of a night and of all nights, and the summary: everything is told, nothing is
unescaped, nothing is loaded."""

from __future__ import annotations

import dataclasses
import html.parser
import re
from pathlib import Path

import pytest

from harness.errors import CorruptRecord
from harness.nightly import conclusion, index, matrix, page, summary
from harness.nightly.matrix import MatrixEntry
from harness.nightly.night import CellRow, CellStatus, Changed, MissingBuild, Night
from tests.e2e import screenshots
from tests.harness.report import sample

EVIL = "<script>alert('x')</script> [b](http://x) a|b `c` \x1b[31m\u202e"
CELLS = matrix.cells(
    [
        MatrixEntry(
            name="one",
            priority=3,
            workloads=("linear", "cnn", "a/<b>:c"),
            builds=("tf1", "torch"),
            devices=("cpu",),
            precisions=("fp64",),
            presets=(),
            seeds=(0,),
            judge=("fidelity",),
            stages=(),
            execution="default",
            timing_s=120.0,
        )
    ]
)
PASSED = CellRow(CELLS[2], CellStatus.OK, fidelity="PASS", headline="fine", exit_code=0)


def made() -> Night:
    rows = (
        CellRow(
            CELLS[0],
            CellStatus.OK,
            fidelity="FAIL",
            headline=EVIL,
            exit_code=1,
            settled=1,
            compared=2,
            duration_s=61.0,
        ),
        CellRow(CELLS[1], CellStatus.NOT_REACHED, EVIL),
        dataclasses.replace(PASSED, left_out=(MissingBuild("tf1", EVIL),)),
    )
    return conclusion.summed_up(
        Night(
            "2026-11-21",
            "k",
            EVIL,
            EVIL,
            "0.1.0",
            EVIL,
            840.0,
            rows,
            changed=(
                Changed("regression", "slower", EVIL),
                Changed("note", "version", "torch moved"),
            ),
            regressed=True,
        )
    )


class Page(html.parser.HTMLParser):
    """Collects tags, attributes and text, and checks that tags nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.text, self.open = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "link", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def shown() -> str:
    """The page of a night, two of whose cells have a report: one with hostile names, one
    without."""
    state = made()
    return page.render(
        state, [(state.rows[0], sample.REPORT), (state.rows[2], screenshots.report())]
    )


def test_a_nights_page_escapes_and_loads_nothing(shown: str) -> None:
    """Names and reasons are text; addresses are relative to the page; tags nest; what changed,
    verdicts, cells and builds are there."""
    found = Page(shown)
    assert not {"script", "img", "iframe", "object", "b"} & set(found.tags)
    assert not [
        name for name, _ in found.attributes if name.startswith("on") or name in ("style", "src")
    ]
    addresses = [value for name, value in found.attributes if name == "href"]
    assert [] == [
        value
        for value in addresses
        if not (value in ("data:,", "../index.html") or value.startswith(("./cells/", "#")))
    ]
    assert (
        "./cells/one-linear/report.html#pair-1" in addresses
        and "./cells/one-a_b_c/report.html" in addresses
    )
    text = " ".join("".join(found.text).split())
    assert (
        text.count("<script>alert('x')</script>") > 5
        and "\x1b" not in shown
        and "\u202e" not in shown
    )
    said = (
        "FAIL",
        "not reached",
        "61 s",
        "regression",
        "torch moved",
        "without tf1",
        "tf1 on cpu",
        "exit code 1",
        "torch is 1.23× slower than tf1-compat in training of cnn [1.20, 1.27].",
        "1.23× slower [1.20, 1.27]",
    )
    assert [] == [one for one in said if one not in text]
    assert "prefers-color-scheme: dark" in shown and "default-src 'none'" in shown


def test_a_nights_page_leads_with_change_points(shown: str) -> None:
    """Series of speed are drawn, those that stepped first, with what is suspected."""
    assert (
        shown.index("Speed, night by night")
        < shown.index("torch 2.12.0 → 2.13.0")
        < shown.index('id="cells"')
    )


@pytest.mark.parametrize(
    ("changed", "before", "said"),
    [
        ((), "", "There is no earlier night to compare with."),
        ((), "2026-11-20", "Nothing, against the night 2026-11-20 and over the history."),
        (
            (Changed("note", "version", "torch moved"),),
            "2026-11-20",
            "Nothing became worse or better than it was.",
        ),
        ((Changed("improvement", "faster", "torch is faster"),), "2026-11-20", "torch is faster"),
    ],
)
def test_a_nights_page_says_that_nothing_changed(changed, before: str, said: str) -> None:
    """A silence would leave open whether anybody looked."""
    assert said in page.render(dataclasses.replace(made(), changed=changed, before=before), [])


def test_a_report_that_cannot_be_read_costs_only_its_own_lines(tmp_path: Path) -> None:
    """The page of a night whose cell's report is damaged still has the cell's row."""
    state = made()
    damaged = tmp_path / state.rows[0].folder / "report.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{")
    assert [] == list(page.reports(state, tmp_path))
    assert "one-linear" in page.render(state, [])


def test_the_index_escapes_and_loads_nothing(tmp_path: Path) -> None:
    """Names and reasons are text; addresses are relative to the page; tags nest; a night that
    cannot be read says why."""
    nights = [(tmp_path / "2026-11-21", made()), (tmp_path / "2026-11-20", CorruptRecord(EVIL))]
    text = index.render(nights)
    found = Page(text)
    assert not {"script", "img", "iframe", "object", "b"} & set(found.tags)
    assert not [
        name for name, _ in found.attributes if name.startswith("on") or name in ("style", "src")
    ]
    addresses = [value for name, value in found.attributes if name == "href"]
    own = {"./2026-11-21/index.html", "./2026-11-21/summary.md"}
    assert {"data:,", "#content", *own} == set(addresses)
    shown = " ".join("".join(found.text).split())
    assert (
        4 == shown.count("<script>alert('x')</script>")
        and "\x1b" not in text
        and "\u202e" not in text
    )
    for said in ("FAIL", "3 cells", "regression", "1 note", "exit code 1", "61 s of 14 min"):
        assert said in shown
    assert "torch moved" not in shown  # a note is on the night's own page
    assert "prefers-color-scheme: dark" in text and "default-src 'none'" in text


def test_no_night_yet() -> None:
    """An empty index says so."""
    assert "There is none yet" in index.render([])


def test_the_summary_is_markdown_that_stays_what_it_is() -> None:
    """A pipe ends no cell, a bracket makes no link, an angle bracket no tag; every cell and
    every change is there."""
    text = summary.render(made())
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert 5 == len(table) and {6} == {line.replace("\\|", "").count("|") for line in table}
    text = re.sub(r"`` .*? ``", "", text)  # inside a span of code nothing has a meaning
    assert "<script>" not in text.replace("\\<script", "") and "](http" not in text.replace(
        "\\](http", ""
    )
    for said in (
        "✗ FAIL",
        "not reached",
        "- **regression**",
        "torch moved",
        "[one-linear](cells/one-linear/report.md)",
        "tf1 on cpu",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("rows", "verdict", "code", "said"),
    [
        (
            (CellRow(CELLS[0], CellStatus.OK, fidelity="PASS", exit_code=0),),
            "PASS",
            0,
            "Same function in 1 of 1 cells.",
        ),
        (
            (CellRow(CELLS[0], "crashed", "SIGSEGV", fidelity="INCONCLUSIVE", exit_code=4),),
            "INCONCLUSIVE",
            4,
            "1 cell did not end well.",
        ),
        (
            (
                CellRow(CELLS[0], "error", "no"),
                CellRow(CELLS[1], CellStatus.OK, fidelity="FAIL", headline="Differs.", exit_code=1),
            ),
            "FAIL",
            1,
            "Differs.",
        ),
        (
            (CellRow(CELLS[0], "crashed", "SIGSEGV", fidelity="FAIL", exit_code=1),),
            "FAIL",
            1,
            "1 cell did not end well.",
        ),
        ((CellRow(CELLS[0], CellStatus.UNSUPPORTED, "no GPU"),), "NONE", 5, "1 cannot run here."),
        (
            (
                CellRow(CELLS[0], CellStatus.UNSUPPORTED, "no GPU"),
                CellRow(CELLS[1], CellStatus.OK, exit_code=0, compared=3, settled=2, apart=1.0),
            ),
            "NONE",
            0,
            "No build is found faster or slower in 3 comparisons of speed.",
        ),
        (
            (
                CellRow(CELLS[0], "ok", exit_code=0, compared=2, speed="b is slower", apart=1.2),
                CellRow(CELLS[1], "ok", exit_code=0, compared=2, speed="b is faster", apart=5.1),
            ),
            "NONE",
            0,
            "one-cnn: b is faster; 0 of 4 comparisons of speed have an answer.",
        ),
        ((CellRow(CELLS[0], CellStatus.NOT_REACHED),), "NONE", 5, "1 was not reached."),
        (
            (CellRow(CELLS[0], "ok", fidelity="INCONCLUSIVE", headline="Open.", exit_code=6),),
            "INCONCLUSIVE",
            6,
            "one-linear: Open.",
        ),
    ],
)
def test_a_night_has_one_verdict_one_sentence_and_one_code(
    rows, verdict: str, code: int, said: str
) -> None:
    """The worst cell decides; what was not reached or cannot run here is told and fails nothing."""
    found = conclusion.summed_up(
        dataclasses.replace(made(), rows=rows, exit_code=None, changed=(), regressed=False)
    )
    assert (verdict, code) == (found.verdict, found.exit_code) and said in found.headline


def test_cells_judged_before_speed_was_told_say_nothing_of_it() -> None:
    """They may be far apart: a night that goes on after an upgrade claims nothing."""
    row = CellRow(CELLS[0], CellStatus.OK, fidelity="PASS", exit_code=0, compared=3, settled=2)
    night = dataclasses.replace(made(), rows=(row,), changed=(), regressed=False)
    assert "faster or slower" not in conclusion.summed_up(night).headline
