"""Which phases a step runs, and how the losses of several steps are handed over."""

from __future__ import annotations

import pytest

from backends import schedule

CONFIG = {
    "workload": "gan",
    "phases": ["pretrain", "critic", "generator"],
    "schedule": [
        {"name": "first", "steps": 2, "phases": ["pretrain"]},
        {"name": "second", "steps": 1, "phases": ["critic"]},
        {"name": "last", "steps": None, "phases": ["critic", "generator"]},
    ],
}
ENDS = dict(CONFIG, schedule=CONFIG["schedule"][:2])


def test_a_step_runs_the_phases_of_its_segment():
    """The last segment has no end."""
    found = [schedule.phases_at(CONFIG, step) for step in (0, 1, 2, 3, 10**6)]
    assert [
        ["pretrain"],
        ["pretrain"],
        ["critic"],
        ["critic", "generator"],
        ["critic", "generator"],
    ] == found


OPTIMIZED = dict(
    CONFIG,
    optimizers={"slow": {}, "fast": {}, "both": {}},
    updates=[
        {"phase": phase, "optimizer": name}
        for phase, name in (("pretrain", "slow"), ("critic", "both"), ("generator", "fast"))
    ],
    schedule=[
        {"name": "first", "steps": 4, "phases": ["pretrain", "critic"]},
        {"name": "last", "steps": None, "phases": ["critic", "generator", "generator"]},
    ],
)


def test_a_segment_begins_with_an_epoch_of_its_own():
    """The last epoch of a segment may be short; epochs are counted on."""
    segments = [{"name": "any", "steps": steps, "phases": []} for steps in (3, 2, None)]
    found = [schedule.epoch_at(dict(CONFIG, schedule=segments), step, 2) for step in range(9)]
    assert [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (4, 0), (4, 1)] == found
    with pytest.raises(IndexError, match="has ended"):
        schedule.epoch_at(ENDS, 3, 2)


def test_updates_are_counted_by_optimizer():
    """Whatever phase makes them."""
    found = [schedule.updates_by(OPTIMIZED, step) for step in (0, 3, 4, 6)]
    assert [
        {"slow": 0, "fast": 0, "both": 0},
        {"slow": 3, "fast": 0, "both": 3},
        {"slow": 4, "fast": 0, "both": 4},
        {"slow": 4, "fast": 4, "both": 6},
    ] == found


def test_updates_tell_the_steps():
    """Whether or not those are known of optimizers that work in several segments."""
    for step in (0, 1, 4, 5, 9):
        updates = schedule.updates_by(OPTIMIZED, step)
        assert step == schedule.steps_seen(OPTIMIZED, updates)
        assert step == schedule.steps_seen(
            OPTIMIZED, {name: updates[name] for name in ("slow", "fast")}
        )


def test_a_segment_that_was_longer_or_shorter_counts_as_the_schedule_has_it():
    """Training goes on in the segment in which it stopped, or in the next where it was through."""
    assert 4 == schedule.steps_seen(OPTIMIZED, {"slow": 100, "fast": 0})
    for pretrained in (2, 100):
        assert 7 == schedule.steps_seen(OPTIMIZED, {"slow": pretrained, "fast": 6})


@pytest.mark.parametrize(
    "updates", [{}, {"slow": 2}, {"fast": 2, "both": 3}, {"slow": 2, "fast": 3}]
)
def test_updates_that_do_not_tell_the_steps_are_an_error(updates):
    """A segment whose own optimizers are not known, or a part of a step."""
    with pytest.raises(ValueError, match=r"do not tell how many steps of .*give its step"):
        schedule.steps_seen(OPTIMIZED, updates)


def test_updates_that_disagree_are_an_error():
    """Two optimizers of a segment make as many updates in a step as its phases say."""
    config = dict(
        OPTIMIZED, schedule=[{"name": "all", "steps": None, "phases": ["pretrain", "critic"]}]
    )
    assert 3 == schedule.steps_seen(config, {"slow": 3, "both": 3})
    with pytest.raises(ValueError, match=r"steps of all .*both: 4, slow: 3"):
        schedule.steps_seen(config, {"slow": 3, "both": 4})


def test_what_is_handed_over_is_the_callers_own():
    """A port that changes its list of phases does not change the configuration."""
    schedule.phases_at(CONFIG, 0).append("mine")
    assert ["pretrain"] == schedule.phases_at(CONFIG, 0)


def test_a_step_after_the_end_is_an_error():
    """And not a step without phases, which would train nothing."""
    assert ["critic"] == schedule.phases_at(ENDS, 2)
    with pytest.raises(
        IndexError, match="schedule of gan has ended: it has 3 steps, and no step 3"
    ):
        schedule.phases_at(ENDS, 3)


def test_the_last_segment_begins_after_all_others():
    """Timing starts there."""
    assert 3 == schedule.last_segment(CONFIG)
    assert 0 == schedule.last_segment(dict(CONFIG, schedule=CONFIG["schedule"][2:]))


def test_a_column_has_a_value_a_step_and_none_where_its_phase_did_not_run():
    """Whenever the phase first appears."""
    both = [("critic", {"total": 3.0}), ("generator", {"l2": 0.5, "total": 4.0})]
    history = [[("pretrain", {"total": 1.0})], [("critic", {"total": 2.0})], both]
    expected = {
        "pretrain/total": [1.0, None, None],
        "critic/total": [None, 2.0, 3.0],
        "generator/l2": [None, None, 0.5],
        "generator/total": [None, None, 4.0],
    }
    assert expected == schedule.columns(CONFIG, history)


def test_a_single_phase_is_not_named():
    """Its terms stand for themselves."""
    assert {"total": [1.0, 2.0]} == schedule.columns(
        {"phases": ["train"]}, [[("train", {"total": 1.0})], [("train", {"total": 2.0})]]
    )
    assert {} == schedule.columns({"phases": ["train"]}, [])
