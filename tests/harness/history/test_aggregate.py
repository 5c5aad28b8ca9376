"""A million rows, summed up by the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.history import History, SpeedKey, Wanted, open_history

SERIES, NIGHTS = 100, 10_000
#: The ratio of series `s` in night `n` is 1 + n/10000 + s/100; every tenth is SLOWER, every
#: thousandth has no number.
FILL = (
    """INSERT INTO runs SELECT n, 'run' || n, '', '', 0,
        date('1999-06-01', '+' || n || ' days'), '', n * 86400.0, '', '', '', '', '', 0,
        '', '', 0.0, '{}', NULL FROM night""",
    (
        "INSERT INTO series SELECT s, 'speed', 'w' || s, 'small', 'tf2', 'torch', 'fp32', 'train',"
        " 'cpu', 2, 'default', '', 0 FROM kind"
    ),
    """INSERT INTO speed (run, series, created_s, source_hash, verdict, reason, ratio, more)
        SELECT n, s, n * 86400.0, 'same', iif(n % 10, 'SAME', 'SLOWER'), '',
        iif(n % 1000, 1.0 + n / 10000.0 + s / 100.0, 'NaN'), '{}'
        FROM night, kind""",
)
NUMBERS = (
    "WITH RECURSIVE night(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM night WHERE n <"
    f" {NIGHTS - 1}), kind(s) AS (SELECT 1 UNION ALL SELECT s + 1 FROM kind WHERE s < {SERIES}) "
)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory):
    """A history of a million rows: a hundred series over ten thousand nights."""
    with open_history(tmp_path_factory.mktemp("long") / "history.sqlite") as opened:
        with opened._database.writing() as connection:
            for statement in FILL:
                connection.exec_driver_sql(NUMBERS + statement)
        yield opened


def test_a_series_among_a_million_rows_becomes_buckets(long: History):
    """All its rows and no other's, through the index of series."""
    assert SERIES * NIGHTS == long.count()["speed"]
    key = long.speed_keys(Wanted(workloads=("w7",)))[0]
    found = long.buckets(key, "ratio", 250)
    assert (250, NIGHTS, NIGHTS - 10) == (
        len(found),
        sum(one.rows for one in found),
        sum(one.values for one in found),
    )
    assert pytest.approx(1.07 + 39 / 20000, abs=1e-4) == found[0].mean
    assert {"SLOWER": NIGHTS // 10, "SAME": NIGHTS - NIGHTS // 10} == {
        verdict: sum(one.verdicts[verdict] for one in found) for verdict in ("SLOWER", "SAME")
    }
    with long._database.reading() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT ratio FROM speed WHERE series = 7 ORDER BY created_s"
        ).all()
    assert "USING INDEX speed_series" in plan[0][3] and 1 == len(plan)


def test_all_verdicts_of_a_million_rows(long: History):
    """By night, in one pass."""
    found = long.verdicts(SpeedKey)
    assert (NIGHTS, {"SLOWER": SERIES}) == (len(found), found["1999-06-01"])
    assert SERIES * NIGHTS == sum(sum(one.values()) for one in found.values())


def test_the_newest_points_of_a_long_series(long: History):
    """A limit reads no more than it says."""
    (key,) = long.speed_keys(Wanted(workloads=("w7",)))
    assert [9998 * 86400.0, 9999 * 86400.0] == [
        point.created_s for point in long.series(key, Wanted(limit=2))
    ]
    assert 3 == len(long.runs(Wanted(limit=3))) and 5 == len(long.nights(Wanted(limit=5)))


def test_a_million_rows_are_exported_as_a_stream(long: History, tmp_path: Path):
    """Whole, whatever the size of a batch."""
    assert NIGHTS == long.export(tmp_path / "one.csv", "speed", "csv", Wanted(workloads=("w7",)))
    assert NIGHTS + 1 == (tmp_path / "one.csv").read_text().count("\n")
