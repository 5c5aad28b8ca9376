"""What is said of speed: the direction, how much, the interval, and what has no answer."""

from __future__ import annotations

import dataclasses

import pytest

from harness.results import speed_words
from harness.results.model import SpeedRow

SLOW = SpeedRow(
    workload="cnn",
    a="tf2",
    b="torch",
    precision="fp32",
    preset="small",
    action="train",
    verdict="SLOWER",
    reason="because",
    ratio=1.2345,
    low=1.2,
    high=1.27,
)
FAST = dataclasses.replace(
    SLOW, action="generate", verdict="FASTER", ratio=0.2, low=0.16, high=0.25
)
SAME = dataclasses.replace(SLOW, verdict="SAME", ratio=1.001, low=0.998, high=1.004)
UNCLEAR = dataclasses.replace(SLOW, verdict="UNCLEAR", ratio=1.1, low=0.9, high=1.3, more_rounds=42)
REFUSED = dataclasses.replace(SLOW, verdict="REFUSED")


@pytest.mark.parametrize(
    ("row", "said", "interval"),
    [
        (SLOW, "1.23× slower", "[1.20, 1.27]"),
        (FAST, "5.0× faster", "[4.0, 6.2]"),
        (SAME, "as fast", "[0.998, 1.004]"),
        (UNCLEAR, "unclear", "[0.90, 1.30]"),
        (REFUSED, "not compared", ""),
        (dataclasses.replace(SLOW, ratio=None, low=None, high=None), "slower", ""),
        (dataclasses.replace(FAST, ratio=0.0, low=0.0, high=0.1), "inf× faster", "[10, inf]"),
    ],
)
def test_one_comparison(row: SpeedRow, said: str, interval: str) -> None:
    """The interval is that of the number that is told: of a speed-up, of its inverse."""
    assert (said, interval) == (speed_words.relation(row), speed_words.relation_interval(row))


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1.00"), (1.0004, "1.0004"), (0.9996, "0.9996"), (5.14, "5.1"), (123.4, "123")],
)
def test_only_one_reads_as_one(value: float, text: str) -> None:
    """However near it is."""
    assert text == speed_words.number(value)


def test_a_pair_is_told_action_by_action() -> None:
    """With its intervals; what single phases took is not told here."""
    phase = dataclasses.replace(SLOW, action="joint/vae")
    said = "Against tf2, torch is 1.23× slower in training [1.20, 1.27] and 5.0× faster in generate"
    assert f"{said} [4.0, 6.2]." == speed_words.sentences([SLOW, FAST, phase])
    assert "" == speed_words.sentences([phase]) == speed_words.sentences([])


def test_several_workloads_are_told_by_their_range() -> None:
    """From the slowest to the fastest; how many have no answer is told."""
    faster = dataclasses.replace(FAST, action="train", workload="linear")
    said = speed_words.sentences([SLOW, faster, dataclasses.replace(UNCLEAR, workload="x")])
    assert said.startswith(
        "Against tf2, torch is from 1.23× slower (cnn) to 5.0× faster (linear) (1 of 3 unclear)"
        " in training."
    )
    slower = dataclasses.replace(SLOW, workload="linear", ratio=2.0)
    assert "torch is 1.23 to 2.0× slower in training." in speed_words.sentences([SLOW, slower])


def test_several_builds_are_held_against_the_first() -> None:
    """Pairs among the others are not in the sentence."""
    rows = [SLOW, dataclasses.replace(FAST, action="train", b="tf1")]
    rows.append(dataclasses.replace(SLOW, a="torch", b="tf1", ratio=9.0))
    said = "Against tf2: in training torch 1.23× slower, tf1 5.0× faster."
    assert said == speed_words.sentences(rows)


def test_a_gain_of_precision_is_no_comparison_of_builds() -> None:
    """It is told of its build."""
    gain = dataclasses.replace(FAST, a="torch", precision="fp32:bf16", gain=True)
    said = speed_words.sentences([SLOW, gain])
    assert said.endswith("On torch, bf16 against fp32 is 5.0× faster in generate [4.0, 6.2].")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([UNCLEAR], "About 42 rounds in all would settle it."),
        (
            [dataclasses.replace(UNCLEAR, obstacle="a busy machine"), FAST],
            "1 of 2 are unclear: a busy machine.",
        ),
        ([REFUSED, FAST], "Not compared: 1 of 2 (first tf2 and torch in cnn), settings differ."),
    ],
)
def test_what_has_no_answer_says_why(rows: list[SpeedRow], said: str) -> None:
    """The last sentence."""
    assert speed_words.sentences(rows).endswith(said)


def test_the_widest_comparison_is_that_of_two_builds() -> None:
    """In either direction; neither a phase nor a gain nor what has no answer."""
    phase = dataclasses.replace(SLOW, action="joint/vae", ratio=100.0)
    gain = dataclasses.replace(SLOW, ratio=50.0, gain=True)
    rows = [SLOW, FAST, dataclasses.replace(UNCLEAR, ratio=70.0), phase, gain]
    assert FAST == speed_words.widest(rows) and speed_words.widest([UNCLEAR]) is None
    said = "torch is 5.0× faster than tf2 in generate of cnn [4.0, 6.2]"
    assert said == speed_words.comparison(FAST)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (SAME, "torch is as fast as tf2 in training of cnn [0.998, 1.004]"),
        (UNCLEAR, "torch is unclear against tf2 in training of cnn [0.90, 1.30]"),
        (REFUSED, "torch is not compared against tf2 in training of cnn"),
    ],
)
def test_every_answer_is_a_sentence(row: SpeedRow, said: str) -> None:
    """Of one comparison."""
    assert said == speed_words.comparison(row)


def test_a_workload_without_the_first_build_has_a_sentence_of_its_own() -> None:
    """What is slow there is not lost."""
    rows = [dataclasses.replace(FAST, a="tf1", b="tf2", action="train")]
    rows.append(dataclasses.replace(SLOW, workload="gru", ratio=3.0, low=2.5, high=3.5))
    said = speed_words.sentences(rows)
    assert "Against tf1, tf2 is 5.0× faster in training" in said
    assert "Against tf2, torch is 3.0× slower in training [2.5, 3.5]." in said


def test_the_ends_of_a_range_are_told_apart() -> None:
    """By what differs: the workload, the precision, the seed."""
    low = dataclasses.replace(FAST, action="train", precision="bf16")
    seed = dataclasses.replace(FAST, action="train", seed=1)
    assert "from 1.23× slower (fp32) to 5.0× faster (bf16)" in speed_words.sentences([SLOW, low])
    assert "(seed 0) to 5.0× faster (seed 1)" in speed_words.sentences([SLOW, seed])


def test_what_is_refused_is_not_unclear() -> None:
    """It is counted once, by its own sentence."""
    other = dataclasses.replace(REFUSED, workload="gru")
    said = speed_words.sentences([SLOW, dataclasses.replace(SLOW, workload="x"), other])
    assert "unclear" not in said and said.endswith("settings differ.")
