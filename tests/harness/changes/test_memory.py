"""Memory that grew by more than measuring explains, told once for each build."""

from __future__ import annotations

import dataclasses

import pytest

from harness.changes import creep, memory
from harness.changes.model import IMPROVEMENT, NOTE, REGRESSION, JudgedNight
from harness.changes.provenance import Suspects
from harness.results.model import Cost


def with_peak(base, build, size, **more):
    """Return a report in which a build's peak is another one, in all of its rows of `train`."""
    rows = tuple(
        (
            dataclasses.replace(
                row,
                **{
                    f"{side}_peak_bytes": size
                    for side, name in (("a", row.a), ("b", row.b))
                    if name == build
                },
                **more,
            )
            if row.action == "train"
            else row
        )
        for row in base.speed
    )
    return dataclasses.replace(base, speed=rows)


def found(before, after, earlier=()):
    old, new = (
        one if isinstance(one, JudgedNight) else JudgedNight(one) for one in (before, after)
    )
    return list(
        memory.changes(
            old, new, Suspects(old, new), creep.past(new, (old, *earlier)) if earlier else ()
        )
    )


def under(made, **conditions):
    """Return a night whose ratios were measured under given conditions."""
    return dataclasses.replace(
        made, ratios=tuple(dataclasses.replace(one, conditions=conditions) for one in made.ratios)
    )


def nightly(nights):
    """Return what each night tells, with all nights before it; the nights are given oldest
    first."""
    return [
        found(nights[place - 1], nights[place], nights[: place - 1][::-1])
        for place in range(1, len(nights))
    ]


@pytest.mark.parametrize(
    ("was", "now", "severity"),
    [
        (400_000_000, 409_000_000, REGRESSION),
        (400_000_000, 407_900_000, None),
        (100_000_000, 104_900_000, None),
        (100_000_000, 105_100_000, REGRESSION),
        (400_000_000, 300_000_000, IMPROVEMENT),
        (400_000_000, 392_100_000, None),
    ],
)
def test_two_per_cent_and_five_megabytes(sample, was, now, severity):
    """Both have to be exceeded; one change for the build, whatever number of pairs it is in."""
    base = sample.report()
    changes = found(with_peak(base, "torch", was), with_peak(base, "torch", now))
    assert [severity] * bool(severity) == [one.severity for one in changes]
    if changes:
        assert ("torch", "train", was, now) == (
            changes[0].subject.build,
            changes[0].subject.what,
            changes[0].before,
            changes[0].after,
        )


def test_a_changed_port_is_a_note(sample):
    """Its memory is of other code."""
    base = sample.report()
    after = sample.rebuilt(
        with_peak(base, "torch", 900_000_000),
        "torch",
        port={"cnn": "backends/ports/torch/cnn.py, sha256 ffffffffffff"},
    )
    (change,) = found(base, after)
    assert NOTE == change.severity and "port of cnn" in change.text


def test_the_gpu_has_a_peak_of_its_own(sample):
    """Resident memory may stay as it is while the card's grows."""
    base = sample.report(("tf2", "torch"))
    before, after = (
        with_peak(base, "torch", 400_000_000, b_cost=Cost({}, device_peak_bytes=size))
        for size in (10**9, 2 * 10**9)
    )
    (change,) = found(before, after)
    assert (
        REGRESSION == change.severity
        and "peak memory on the GPU grew from 1000.0 to 2000.0 MB (+100.0 %)" in change.text
    )


def test_what_one_night_did_not_measure_is_not_compared(sample):
    """No number, no change."""
    base = sample.report(("tf2", "torch"))
    assert [] == found(with_peak(base, "torch", None), base)


@pytest.mark.parametrize(
    ("name", "was", "now", "told"),
    [
        ("machine", "aaaa", "bbbb", "measured under other conditions: machine aaaa -> bbbb"),
        ("threads", "2", "4", "threads 2 -> 4"),
        (
            "specification",
            "ab" * 8,
            "cd" * 8,
            "specification or data changed (abababababab -> cdcdcdcdcdcd)",
        ),
    ],
)
def test_other_conditions_make_it_a_note(sample, name, was, now, told):
    """Another machine, other threads, another batch size: what grew, or shrank, is told with the
    reason, and is nobody's fault."""
    base = sample.report()
    before = under(sample.night(base), **{name: was})
    for size in (900_000_000, 100_000_000):
        made = with_peak(base, "torch", size)
        (change,) = found(before, under(sample.night(made), **{name: now}))
        assert NOTE == change.severity and told in change.text and "torch" == change.subject.build
        (change,) = found(before, under(sample.night(made), **{name: was}))
        assert NOTE != change.severity and told not in change.text


def test_conditions_of_another_action_are_nothing_to_it(sample):
    """Only `generate` was run with other threads."""
    base = sample.report()
    after = sample.night(with_peak(base, "torch", 900_000_000))
    after = dataclasses.replace(
        after,
        ratios=tuple(
            (
                dataclasses.replace(one, conditions={"threads": "4"})
                if one.measurand.action == "generate"
                else one
            )
            for one in after.ratios
        ),
    )
    (change,) = found(sample.night(base), after)
    assert REGRESSION == change.severity


def test_memory_that_creeps_is_told_once(sample):
    """Planted: 1.9 % a night, which doubles in 37 nights, and no night of which is beyond the
    threshold against the one before."""
    base = sample.report()
    nights = [
        sample.night(with_peak(base, "torch", round(4e8 * 1.019**place))) for place in range(38)
    ]
    told = [changes for changes in nightly(nights) if changes]
    assert [1] == [len(changes) for changes in told]
    (change,) = told[0]
    assert (REGRESSION, "torch", 407_600_000) == (
        change.severity,
        change.subject.build,
        change.before,
    )
    assert (
        "grew from 407.6 to 423.2 MB (+3.8 %) against the median of the last 3 nights."
        in change.text
    )


def test_a_slower_creep_is_told_later(sample):
    """0.4 % a night is beyond 2 % of the median of nine nights; of a peak that only trembles,
    nothing is told."""
    base = sample.report()
    creeping = [
        sample.night(with_peak(base, "torch", round(4e8 * 1.004**place))) for place in range(30)
    ]
    assert [(9, 1)] == [
        (place, len(changes)) for place, changes in enumerate(nightly(creeping), 1) if changes
    ]
    trembling = [
        sample.night(with_peak(base, "torch", 400_000_000 + 7_000_000 * (place % 2)))
        for place in range(30)
    ]
    assert not any(nightly(trembling))


@pytest.mark.parametrize("place", range(1, 8))
def test_a_step_is_told_by_the_night_before_alone(sample, place):
    """Whenever it comes: not a second time, the night after, against the median. Nor is a peak
    that came and went."""
    base = sample.report()
    sizes = [400_000_000] * place + [500_000_000] * 8
    nights = [sample.night(with_peak(base, "torch", size)) for size in sizes]
    told = [change for changes in nightly(nights) for change in changes]
    assert 1 == len(told) and "median" not in told[0].text
    nights[place + 1 :] = [nights[0]] * 8
    assert [REGRESSION, IMPROVEMENT] == [
        change.severity for changes in nightly(nights) for change in changes
    ]


def test_only_comparable_nights_make_the_median(sample):
    """Planted: 4 % over the nights of another machine, of another port, of another tape. Their
    medians say nothing."""
    base = sample.report()
    now = under(sample.night(with_peak(base, "torch", 415_900_000)), machine="a")
    last = under(sample.night(with_peak(base, "torch", 407_900_000)), machine="a")
    light = with_peak(base, "torch", 400_000_000)
    others = [
        under(sample.night(light), machine="b"),
        under(
            sample.night(
                sample.rebuilt(
                    light, "torch", port={"cnn": "backends/ports/torch/cnn.py, sha256 ffffffffffff"}
                )
            ),
            machine="a",
        ),
        under(
            sample.night(dataclasses.replace(light, tapes={"cnn/small/0": "cd" * 32})), machine="a"
        ),
    ]
    now, last = (
        dataclasses.replace(
            one, report=dataclasses.replace(one.report, tapes={"cnn/small/0": "ab" * 32})
        )
        for one in (now, last)
    )
    for other in others:
        assert [] == found(last, now, [other] * 9)
    (change,) = found(
        last,
        now,
        [
            *others,
            under(sample.night(light), machine="a"),
            *others,
            under(sample.night(light), machine="a"),
        ],
    )
    assert "against the median of the last 3 nights" in change.text


def test_what_moved_since_the_oldest_of_the_nights_is_the_suspect(sample):
    """A release of five nights ago: between the last two nights nothing moved."""
    base = sample.report()
    released = sample.rebuilt(base, "torch", versions={"framework": "2.14.0", "numpy": "2.4.6"})
    nights = [
        sample.night(with_peak(released, "torch", size))
        for size in (407_000_000, 404_000_000, 402_000_000, 400_000_000)
    ]
    (change,) = found(
        nights[0],
        sample.night(with_peak(released, "torch", 412_000_000)),
        [*nights[1:], sample.night(base)],
    )
    assert ["torch: framework 2.13.0 -> 2.14.0"] == [str(one) for one in change.suspects]
