"""Which rounds count, and what a report says of those that do not."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import plan
from harness.commands import options, resolution
from harness.evaluation import circumstances, measured_rounds, speed_notes, speed_rows
from harness.execution import rounds, runner
from harness.experiments import speed_rounds
from harness.records import store
from harness.report import junit, markdown
from harness.results import outcome
from harness.results.model import Report
from harness.speed import forecast
from tests.harness import contents

MB = 1 << 20
BUSY = {"wall_s": 1.0, "ran_s": 0.39, "waited_s": 0.61, "load": 20.0, "others_s": 1.6}
JOB: dict[str, Any] = {
    "backends": ("numpy", "numpy"),
    "workloads": ("linear",),
    "precision": ("fp32",),
    "no_fidelity": True,
    "threads": 1,
}


def recorded(
    ratio: float, seed: int, disturbed: bool = False, late: float = 1.0, leak: int = 0
) -> store.Record:
    """Return a round in which the second side takes `ratio` times as long, and `late` times that
    in its last palindromes."""
    generator = np.random.RandomState(seed)
    actions = {}
    for action in ("train", "generate"):
        scale = 1.0 + 0.01 * generator.normal()
        palindromes = []
        for place in range(9):
            noise = 1.0 + 0.001 * generator.uniform(size=(2, 6))
            factor = ratio * scale * (late if place >= 6 and action == "train" else 1.0)
            palindromes.append(
                {"numpy": [*(0.001 * noise[0])], "numpy#2": [*(factor * 0.001 * noise[1])]}
            )
        side = {
            "warmup_s": 0.1,
            "first_step_s": 0.01,
            "steady": True,
            "settled_steps": 0,
            "sample_s": 0.001,
            "steps_a_sample": 1,
        }
        grown = [[100 * turn, 50 * MB + 100 * turn * leak] for turn in range(18)]
        actions[action] = {
            "palindromes": palindromes,
            "prepared": {"numpy": side, "numpy#2": side},
            "disturbed": disturbed,
            "met": BUSY if disturbed else {},
            "peak_bytes": {},
            "resident_bytes": {
                "numpy": [[100 * turn, 50 * MB] for turn in range(18)],
                "numpy#2": grown,
            },
        }
    result = {
        "actions": actions,
        "opened": {label: contents.opened(build_s=0.1) for label in ("numpy", "numpy#2")},
        "rows_a_step": 8,
        "machine": [{"cores": 2.0}, {"cores": 2.0}],
    }
    return store.Record(Path("nowhere"), {}, "ok", "", result, 2.0)


def measured(*records: store.Record, **more: Any) -> speed_rows.Timed:
    """Return a job whose run has ended with these rounds."""
    (job,) = plan.make(resolution.resolve(options.Options(**JOB))).speed
    return speed_rows.Timed(job, ["numpy", "numpy#2"], list(records), final=True, **more)


def row(one: speed_rows.Timed) -> Any:
    """Return the row of training."""
    return speed_rows.rows([one], Path())[0]


def test_a_busy_machine_makes_no_verdict() -> None:
    """Rounds that say 67 with all their might, and are disturbed, say nothing; the same ones,
    undisturbed, do."""
    ratios = [67.0 * (1.0 + 0.01 * number) for number in range(6)]
    loud = row(measured(*[recorded(ratio, number) for number, ratio in enumerate(ratios)]))
    assert ("SLOWER", True, "") == (loud.verdict, loud.material, loud.obstacle) and loud.rounds == 6
    found = row(
        measured(*[recorded(ratio, number, disturbed=True) for number, ratio in enumerate(ratios)])
    )
    assert ("UNCLEAR", False, None) == (
        found.verdict,
        found.material,
        found.ratio,
    ) and found.rounds == 0
    said = "the machine was busy: load 20 on 2 cores, waited 61 % of the time"
    assert found.reason == found.obstacle == f"{said}; 6 of 6 rounds do not count, and 5 have to"
    assert found.a_step_s == pytest.approx(0.001, rel=0.01)


def test_enough_clean_rounds_make_one() -> None:
    """What is left out is told, and is not in the estimate."""
    clean = [recorded(1.2, number) for number in range(6)]
    one = measured(*clean, recorded(9.0, 7, disturbed=True))
    found = row(one)
    assert ("SLOWER", 6, "") == (
        found.verdict,
        found.rounds,
        found.obstacle,
    ) and found.ratio == pytest.approx(1.2, rel=0.02)
    assert clean == one.counted
    said = (
        "the machine was busy: load 20 on 2 cores, waited 61 % of the time; 1 of 7 rounds were"
        " left out"
    )
    assert f"linear fp32: {said}" == speed_notes.notes([one])[0]
    assert "UNCLEAR" == row(measured(*clean[:4], recorded(1.2, 7, disturbed=True))).verdict


def test_it_stands_at_the_top_of_every_output() -> None:
    """In the headline, which terminal, Markdown, HTML and JSON begin with, and in the case of
    the pair in JUnit."""
    one = measured(*[recorded(2.0, number, disturbed=True) for number in range(5)])
    speed = speed_rows.rows([one], Path())
    headline = outcome.headline([], speed, [])
    said = "the machine was busy: load 20 on 2 cores, waited 61 % of the time"
    assert f"2 of 2 are unclear: {said}" in headline
    report = Report(
        title="t",
        created="now",
        harness_version="0",
        command="c",
        fidelity="NONE",
        headline=headline,
        stages=(),
        speed=tuple(speed),
        jobs=(),
        builds=(),
        tapes={},
        notes=speed_notes.notes([one]),
    )
    assert said in markdown.render(report).split("##")[0] and said in junit.render(report)
    mixed = [*speed, row(measured(*[recorded(1.2, number) for number in range(6)]))]
    assert f"2 of 3 are unclear: {said}" in outcome.headline([], mixed, [])


def test_a_round_whose_steps_change_while_measured_does_not_count() -> None:
    """A warm-up that was too short: said, with what to do about it."""
    one = measured(*[recorded(6.0, number, late=1 / 6) for number in range(5)])
    found = row(one)
    said = (
        "train: steps of numpy or numpy#2 changed by a factor of 6.0 while they were measured, in 5"
        " of 5 rounds; --warmup gives them"
    )
    assert found.verdict == "UNCLEAR" and found.reason.startswith(said) and [] == one.counted
    assert speed_notes.notes([one])[0].startswith(f"linear fp32 {said}")


def test_memory_that_grows_is_told_in_bytes_a_step() -> None:
    """Of the side that leaks, in rounds of which most show it."""
    one = measured(*[recorded(1.0, number, leak=20000) for number in range(5)])
    told = [note for note in speed_notes.notes([one]) if "grows" in note]
    assert ["train", "generate"] == [note.split(":")[0].split()[-1] for note in told]
    assert all(
        "memory of numpy#2 grows by 19.5 kB a step while it is measured, in 5 of 5 rounds" in note
        for note in told
    )
    once = measured(
        recorded(1.0, 0, leak=20000), *[recorded(1.0, number) for number in range(1, 5)]
    )
    assert not [note for note in speed_notes.notes([once]) if "grows" in note]


def test_a_late_change_of_the_first_warm_up_lengthens_the_others() -> None:
    """By a quarter more than it took; one that has not settled, by what was run."""
    first = recorded(1.0, 0)
    first.result["actions"]["train"]["prepared"]["numpy#2"] = {
        "first_step_s": 0.1,
        "settled_steps": 320,
        "warmup_steps": 600,
    }
    first.result["actions"]["generate"]["prepared"]["numpy"] = {
        "first_step_s": 0.1,
        "settled_steps": None,
        "warmup_steps": 600,
    }
    assert {"train": {"numpy#2": 400}, "generate": {"numpy": 750}} == measured_rounds.learned(first)
    assert {"train": {}, "generate": {}} == measured_rounds.learned(recorded(1.0, 0))
    busy = recorded(1.0, 1, disturbed=True)
    busy.result["actions"]["train"]["prepared"]["numpy"] = {
        "first_step_s": 0.1,
        "settled_steps": 9000,
        "warmup_steps": 9000,
    }
    assert (
        circumstances.learned([]) is None and circumstances.learned([busy]) is None
    )  # the next round looks again
    assert measured_rounds.learned(first) == circumstances.learned([busy, first])


def test_rounds_that_were_spoilt_run_again_only_within_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Undisturbed, five run whatever they take."""

    def run(disturbed: bool, budget_s: float) -> speed_rows.Timed:
        def add(run_context: object, one: speed_rows.Timed, *_: object) -> None:
            one.records.append(
                recorded(2.0 ** (-1) ** len(one.records), len(one.records), disturbed=disturbed)
            )

        monkeypatch.setattr(speed_rounds, "_add_round", add)
        return speed_rounds.run_speed(
            types.SimpleNamespace(), [measured().job], budget_s, lambda _: None
        )[0]  # type: ignore[arg-type]

    assert [5, 1, 4, 10] == [
        len(run(*asked).records) for asked in ((False, 0.0), (True, 0.0), (True, 9.0), (True, 20.0))
    ]


def test_steps_too_long_for_the_budget_have_a_row_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With what it would take; and nothing failed."""

    def gives_up(*_: object) -> None:
        raise forecast.TooLong("a step of numpy takes 60 s", 720.0)

    monkeypatch.setattr(runner, "inputs", lambda *_: None)
    monkeypatch.setattr(rounds, "run_round", gives_up)
    monkeypatch.setattr(rounds, "round_folder", lambda *_: Path("nowhere"))
    nowhere: Any = types.SimpleNamespace()
    (one,) = speed_rounds.run_speed(nowhere, [measured().job], 30.0, lambda _: None)
    found = row(one)
    said = (
        "the budget of 30 s ended before 5 rounds: a step of numpy takes 60 s, 5 rounds take about"
        " 3600 s"
    )
    assert (
        ("UNCLEAR", 0) == (found.verdict, found.rounds)
        and found.reason.startswith(said)
        and [] == one.failed
    )
    assert f"1 of 1 are unclear: {said}" in outcome.headline([], [found], [])


def test_long_rounds_stop_at_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the first five; what has run is shown, without a verdict."""

    def add(run_context: object, one: speed_rows.Timed, *_: object) -> None:
        record = recorded(1.5, len(one.records))
        record.result["actions"]["train"]["prepared"]["numpy"] = {
            "first_step_s": 0.1,
            "sample_s": 2.0,
            "steps_a_sample": 1,
        }
        one.records.append(record)

    monkeypatch.setattr(speed_rounds, "_add_round", add)
    nowhere: Any = types.SimpleNamespace()
    (one,) = speed_rounds.run_speed(nowhere, [measured().job], 7.0, lambda _: None)
    assert 3 == len(one.records) and "3 fit into it, 5 rounds take about 10 s" in one.shortage
