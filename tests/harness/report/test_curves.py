"""The plot: an SVG that a parser takes, with its lines where the numbers are."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from harness.report.curves import BOTTOM, COLOURS, HEIGHT, LEFT, RIGHT, TOP, WIDTH, CurveLine, svg

SPACE = "{http://www.w3.org/2000/svg}"


def spots(text: str) -> list[list[tuple[float, ...]]]:
    lines = ElementTree.fromstring(text).iter(f"{SPACE}polyline")
    return [
        [tuple(float(part) for part in spot.split(",")) for spot in line.get("points").split()]
        for line in lines
    ]


def test_points_lie_where_their_numbers_say():
    """0 and 0 % at the bottom left, the largest size and 100 % at the top right."""
    (line,) = spots(svg("t", "w", [CurveLine("n", ((0.0, 0.0), (5.0, 0.5), (10.0, 1.0)))]))
    assert [
        (LEFT, HEIGHT - BOTTOM),
        ((LEFT + WIDTH - RIGHT) / 2, (HEIGHT - BOTTOM + TOP) / 2),
        (WIDTH - RIGHT, TOP),
    ] == line


def test_names_are_shown_and_do_no_harm():
    """Whatever a workload is called."""
    text = svg("<script>", "a & b", [CurveLine("5 rounds", ((0.0, 0.0),))])
    words = [element.text for element in ElementTree.fromstring(text).iter(f"{SPACE}text")]
    assert {"<script>", "a & b", "5 rounds", "100 %"} <= {*words} and "<script>" not in text


@pytest.mark.parametrize("count", [0, 1, 8])
def test_any_number_of_lines_is_told_apart(count):
    """By colour, then by dashes; none at all is a plot without lines."""
    text = svg(
        "t", "w", [CurveLine(str(number), ((0.0, 0.1), (1.0, 0.2))) for number in range(count)]
    )
    found = [
        (line.get("stroke"), line.get("stroke-dasharray"))
        for line in ElementTree.fromstring(text).iter(f"{SPACE}polyline")
    ]
    assert count == len(found) == len({*found}) and {stroke for stroke, _ in found} <= {*COLOURS}
