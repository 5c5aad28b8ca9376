"""What stood behind two nights: everything that moved is noted, and nothing that did not."""

from __future__ import annotations

import dataclasses

from harness.changes import provenance
from harness.changes.model import (
    DATA,
    NOTE,
    PORT,
    SETTING,
    VERSION,
    JudgedNight,
    Ratios,
    measurand,
    moments,
)
from harness.changes.provenance import Suspects


def found(before, after):
    return list(provenance.changes(Suspects(JudgedNight(before), JudgedNight(after))))


def test_what_did_not_move_is_not_noted(sample):
    """The same night twice, and a build that only one night has."""
    assert (
        []
        == found(sample.report(), sample.report())
        == found(sample.report(("tf2", "torch")), sample.report())
    )


def test_everything_that_moves_is_a_note(sample):
    """Planted one by one: a release, Python, a port, a setting, the tape, the platform, the
    harness."""
    base = sample.report()
    planted = {
        "2.14.0": sample.rebuilt(base, "torch", versions={"framework": "2.14.0", "numpy": "2.4.6"}),
        "3.12.0": sample.rebuilt(base, "torch", python="3.12.0"),
        "ffffffffffff": sample.rebuilt(
            base, "torch", port={"cnn": "backends/ports/torch/cnn.py, sha256 ffffffffffff"}
        ),
        "tf32 off -> on": sample.rebuilt(base, "torch", effective={"threads": 2, "tf32": True}),
        "xla": sample.rebuilt(
            base, "torch", effective={"threads": 2, "tf32": False, "environment": {"xla": "1"}}
        ),
        "cdcdcdcdcdcd": dataclasses.replace(base, tapes={"cnn/tiny/0": "cd" * 32}),
        "Linux-6.2": dataclasses.replace(
            base,
            builds=tuple(dataclasses.replace(row, platform="Linux-6.2") for row in base.builds),
        ),
        "0.2.0": dataclasses.replace(base, harness_version="0.2.0"),
    }
    kinds = []
    for told, after in planted.items():
        (change,) = found(base, after)
        assert told in change.text and NOTE == change.severity
        kinds.append(change.kind)
    assert [VERSION, VERSION, PORT, SETTING, SETTING, DATA, VERSION, VERSION] == kinds


def test_suspects_of_a_row_are_its_own(sample):
    """Another build's release is no suspect; the harness and the tape are everybody's."""
    base = sample.report()
    after = dataclasses.replace(
        sample.rebuilt(base, "torch", versions={"framework": "2.14.0"}),
        harness_version="0.2.0",
        tapes={"cnn/tiny/0": "cd" * 32},
    )
    suspects = Suspects(JudgedNight(base), JudgedNight(after))
    told = [str(one) for one in suspects.of("cnn", ("tf2", "torch"))]
    assert ["torch: framework 2.13.0 -> 2.14.0", "harness 0.1.0 -> 0.2.0"] == told
    assert ["tape cnn/tiny/0", "harness"] == [
        one.what for one in suspects.of("cnn", ("tf2",), "cnn/tiny/0")
    ]
    assert suspects.moved("cnn", "torch") and not suspects.moved("cnn", "tf2")


def test_the_rounds_tell_where_the_report_does_not(sample):
    """A run that was only timed has no rows of builds: sources and versions come from its
    rounds."""
    base = dataclasses.replace(sample.report(("tf2", "torch")), builds=())
    what = measurand(base.speed[0]), moments([0.0, 0.1])
    nights = [
        JudgedNight(
            base,
            (
                Ratios(
                    *what, {"tf2": "ab" * 32, "torch": digest * 32}, {"torch": {"torch": version}}
                ),
            ),
        )
        for digest, version in (("ab", "2.13.0"), ("cd", "2.14.0"))
    ]
    suspects = Suspects(*nights)
    assert {("cnn", "torch")} == {*suspects.ports} and {"torch"} == {*suspects.versions}
    full = Suspects(JudgedNight(sample.report(("tf2", "torch"))), nights[0])
    assert {"torch", "tf2"} == {side for _, side in full.ports} and {} == full.versions
