"""The pages that share the report's templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.nightly import index, page
from harness.nightly.night import Night


@pytest.mark.parametrize(("verdict", "expected"), [("NONE", False), ("PASS", True)])
def test_a_night_of_speed_alone_has_no_verdict_before_its_answer(verdict, expected):
    """Neither on its page nor in the list of nights; one that judged has."""
    state = Night(
        "2026-11-21",
        "k",
        "",
        "",
        "0.1.0",
        "",
        840.0,
        (),
        verdict=verdict,
        headline="2 of 3 settled.",
    )
    shown = page.render(state, []).split('<p class="answer')[1].split("</p>")[0]
    assert expected == (f"{verdict}: 2 of 3" in shown) and shown.endswith("2 of 3 settled.")
    heading = index.render([(Path("nights/a"), state)]).split("<h2>")[1].split("</h2>")[0]
    assert expected == (verdict in heading)
