"""The workloads of the harness as plain objects, three sides each."""

from __future__ import annotations

from collections.abc import Sequence

from tests.evaluation.wild.entry import Entry

ENTRIES: Sequence[Entry] = (
    Entry("linear", "linear"),
    Entry("cnn", "cnn"),
    Entry("ehr_mgan", "ehr_mgan"),
)
