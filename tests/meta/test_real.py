"""Real rounds with real slow-downs, as `python -m tests.evaluation.real` records them: what is
promised holds, and a fault would show."""

from __future__ import annotations

import copy

import pytest

from backends.contract import ACTIONS
from tests.evaluation import pages
from tests.evaluation.real import identical, injected
from tests.evaluation.real.__main__ import PAGE, main

TRIES = 400


def test_what_is_promised_holds_on_real_rounds():
    """Slow-downs inside the timed steps are found as often as promised, and nothing is found
    where nothing was."""
    found = injected.recorded()
    assert {"linear", "cnn"} == set(found)
    assert all(
        len(rounds) >= 24
        for one in found.values()
        for actions in one.values()
        for rounds in actions.values()
    )
    assert injected.faults(found, TRIES) == []


def test_the_page_has_the_table_of_the_recording():
    """As it was printed when the rounds were recorded."""
    page = pages.section(PAGE, "INJECTED")
    assert injected.text(injected.recorded()) == page


@pytest.mark.parametrize(
    ("instead_of", "taken", "said"),
    [
        ("0.05", "0", "5 % slower was measured as"),
        ("0", "0.05", "0 % slower was measured as"),
        ("0.02", "0.05", "2 % slower was measured as"),
    ],
)
def test_rounds_that_break_a_promise_are_named(instead_of: str, taken: str, said: str) -> None:
    """Rounds of one slow-down in the place of another's."""
    found = copy.deepcopy(injected.recorded())
    found["linear"][instead_of] = found["linear"][taken]
    faults = injected.faults({"linear": found["linear"]}, TRIES)
    assert {f"linear {action}: {said}" for action in ACTIONS} <= {
        fault.rpartition(" as ")[0] + " as" for fault in faults
    }


def test_rounds_that_scatter_too_much_are_named() -> None:
    """Nothing is found in them, or what is not there."""
    found = copy.deepcopy(injected.recorded())
    for actions in found["linear"].values():
        actions["train"] = [
            [ratio + (0.2 if number % 2 else -0.2) for ratio in one]
            for number, one in enumerate(actions["train"])
        ]
    faults = injected.faults({"linear": found["linear"]}, TRIES)
    assert [fault for fault in faults if "linear train: 5 % slower, at most 8 rounds: " in fault]


def test_a_comparison_with_itself_is_real(capsys: pytest.CaptureFixture[str]) -> None:
    """Both workers start, and the verdict is a comparison's own."""
    assert (
        main(
            [
                "identical",
                "--tries",
                "1",
                "--sides",
                "2",
                "--builds",
                "numpy",
                "--workloads",
                "linear",
            ]
        )
        == 0
    )
    said = capsys.readouterr().out
    assert (
        "linear numpy train" in said
        and "1 runs, 1 pairs, 2 verdicts" in said
        and "0 material" in said
    )


def test_a_hog_that_came_too_late_is_no_try() -> None:
    """A comparison that ended before anything disturbed it proves nothing."""
    with (
        pytest.raises(RuntimeError, match="before anything disturbed it"),
        identical.disturbing(after_s=3600.0),
    ):
        pass
