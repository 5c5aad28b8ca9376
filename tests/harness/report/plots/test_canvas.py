"""Drawings: lines break where a value is missing, text is escaped, everything is in the box."""

from __future__ import annotations

import math
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report.plots.canvas import Canvas, Frame, shortened
from tests.harness.report.plots.drawings import odd

ANY = st.one_of(st.none(), st.floats())


def canvas():
    return Canvas("<label>", (0.0, 10.0), (0.0, 10.0), Frame(120, 120, 10, 10, 10, 10))


def test_a_line_breaks_at_what_is_missing_and_a_lone_value_is_a_point():
    """Nothing is drawn across a gap."""
    drawn = canvas()
    drawn.line(
        [(0, 0.0), (1, 1.0), (2, None), (3, math.nan), (4, 4.0), (5, math.inf), (6, 6.0), (7, 7.0)],
        "sa",
    )
    text = str(drawn.svg())
    assert (
        "d='M10 110L20 100M70 50L80 40'" in text
        and text.count("<circle") == 1
        and "cx='50' cy='70'" in text
    )


def test_a_line_breaks_where_either_axis_has_no_value():
    """A place that is no number would stop a browser from drawing all that follows."""
    drawn = canvas()
    drawn.line(
        [
            (0, 0.0),
            (1, 1.0),
            (math.nan, 2.0),
            (3, 3.0),
            (4, 4.0),
            (None, 5.0),
            (6, 6.0),
            (-math.inf, 1.0),
        ],
        "sa",
    )
    drawn.band([0, math.nan, 2], [0.0, 1.0, 2.0], [1.0, 2.0, 3.0], "sb")
    text = str(drawn.svg())
    assert (
        [] == odd(text) and "d='M10 110L20 100M40 80L50 70'" in text and "cx='70' cy='50'" in text
    )
    assert "class='band sb' d='M10 100L30 80L30 90L10 110Z'" in text


def test_a_band_goes_there_and_back():
    """Points without both ends are passed over."""
    drawn = canvas()
    drawn.band([0, 1, 2], [0.0, None, 1.0], [2.0, 3.0, 4.0], "sb")
    assert "class='band sb' d='M10 90L30 70L30 100L10 110Z'" in str(drawn.svg())
    drawn = canvas()
    drawn.band([0, 1], [0.0, math.nan], [2.0, 3.0], "sb")
    assert "band" not in str(drawn.svg())


@settings(deadline=None)
@given(st.text(), st.lists(st.tuples(ANY, ANY), max_size=5))
def test_any_text_is_escaped_and_no_number_is_odd(words, points):
    """In labels, titles and on the drawing."""
    drawn = Canvas(words, (0.0, 10.0), (0.0, 10.0))
    drawn.axes(words, words)
    drawn.line(points, "sa")
    drawn.point(1.0, 1.0, "sa", words, "cross")
    text = str(drawn.svg())
    tags = re.findall(r"<(/?\w+)", text)
    assert set(tags) <= {
        "svg",
        "/svg",
        "path",
        "/path",
        "circle",
        "/circle",
        "text",
        "/text",
        "title",
        "/title",
    }
    assert [] == odd(text)


def test_long_names_keep_their_end():
    """Which tells layers apart."""
    assert "short" == shortened("short", 10)
    name = shortened("step 12/generator/lstm/kernel", 16)
    assert 16 == len(name) and name.startswith("step ") and name.endswith("stm/kernel")
