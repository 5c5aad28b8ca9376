"""What later updates say of themselves: few one by one, many in a row by their ends."""

from __future__ import annotations

import types

import pytest

from harness.experiments import wrong_updates

PAIR = types.SimpleNamespace(a=types.SimpleNamespace(side="tf2"))


def said(verdicts: str) -> str:
    """What is said of updates from step 2 on; `.` agrees, `x` departs, `?` is undecided."""
    words = {".": "PASS", "x": "FAIL", "?": "INCONCLUSIVE"}
    updates = {}
    for step, sign in enumerate(verdicts, 2):
        name = f"step {step}/train"
        item = types.SimpleNamespace(verdict=words[sign], name=f"{name}/parameter/w")
        updates[name] = [item]
    return "; ".join(wrong_updates._of_states(PAIR, updates))


@pytest.mark.parametrize(
    ("verdicts", "text"),
    [
        ("", ""),
        ("?", ""),
        (".x", "step 2/train agrees, step 3/train departs all the same, parameter/w first"),
        ("." * 48 + "x", "all 48 updates from step 2/train to step 49/train agree, step 50/train"),
        (
            "." * 5 + "?.",
            "all 5 updates from step 2/train to step 6/train agree, step 8/train agrees",
        ),
        ("x" * 9, "parameter/w first, as do the 8 updates behind it, up to step 10/train"),
    ],
)
def test_many_updates_in_a_row_are_told_by_their_ends(verdicts: str, text: str) -> None:
    """One that departs between them is never lost."""
    assert text in said(verdicts) and said(verdicts).count("agrees") <= wrong_updates.MOST_ALONE


def test_every_departure_between_agreeing_updates_is_named() -> None:
    """In accumulation over ten steps, say."""
    text = said(("." * 9 + "x") * 3)
    assert [text.count(f"step {step}/train departs") for step in (11, 21, 31)] == [1, 1, 1]
