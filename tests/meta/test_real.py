"""Real rounds with real slow-downs, as recorded by `python -m tests.meta.real`: what is promised holds on them, and a fault would show."""

from __future__ import annotations

import copy

import pytest

from backends.contract import ACTIONS
from tests.meta.real import identical, injected
from tests.meta.real.__main__ import main

TRIES = 400


def test_what_is_promised_holds_on_real_rounds():
    """Slow-downs inside the timed steps are found as often as promised, and nothing is found where nothing was."""
    found = injected.recorded()
    assert {"linear", "cnn"} == set(found)
    assert all(len(rounds) >= 40 for one in found.values() for actions in one.values() for rounds in actions.values())
    assert injected.faults(found, TRIES) == []


@pytest.mark.parametrize(("instead_of", "taken", "said"), [
    ("0.05", "0", "5 % slower"), ("0", "0.05", "nothing"), ("0.01", "0", "1 % slower"),
])
def test_rounds_that_break_a_promise_are_named(instead_of: str, taken: str, said: str) -> None:
    """Rounds of one slow-down in the place of another's."""
    found = copy.deepcopy(injected.recorded())
    found["linear"][instead_of] = found["linear"][taken]
    faults = injected.faults({"linear": found["linear"]}, TRIES)
    assert faults and all(said in fault for fault in faults)
    assert {fault.split()[1].rstrip(":") for fault in faults} == set(ACTIONS)


def test_a_comparison_with_itself_is_real(capsys: pytest.CaptureFixture[str]) -> None:
    """Both workers start, and the verdict is a comparison's own."""
    assert main(["identical", "--tries", "1", "--builds", "numpy", "--workloads", "linear"]) == 0
    said = capsys.readouterr().out
    assert "linear numpy train" in said and "1 comparisons, 2 verdicts" in said and "0 material" in said


def test_a_hog_that_came_too_late_is_no_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison that ended before anything disturbed it proves nothing."""
    monkeypatch.setattr(identical, "STARTS_S", (3600.0, 3600.0))
    with pytest.raises(RuntimeError, match="before anything disturbed it"), identical._hog(3600.0):
        pass
