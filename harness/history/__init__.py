"""The results of all runs, in one embedded SQLite file that several processes may write.

A run's folder is the record; the history is made from it and can be made again. It answers what a
folder cannot: how a measurement went over many runs. `open_history` is the way in, `model` has the
words of the answers, `schema` and `migrations` the tables. Nothing else in the harness speaks SQL.
"""

from harness.history.access import History, open_history
from harness.history.database import DEFAULT
from harness.history.model import (
    Added,
    Bucket,
    HistoryPoint,
    Host,
    NightSummary,
    RunRow,
    SeriesKey,
    SpeedKey,
    SpeedPoint,
    SpeedRound,
    StageKey,
    StagePoint,
    Wanted,
)

__all__ = [
    "DEFAULT",
    "Added",
    "Bucket",
    "History",
    "HistoryPoint",
    "Host",
    "NightSummary",
    "RunRow",
    "SeriesKey",
    "SpeedKey",
    "SpeedPoint",
    "SpeedRound",
    "StageKey",
    "StagePoint",
    "Wanted",
    "open_history",
]
