"""A folder in the original's format is read as it is; what does not fit is refused with value,
place and advice."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from harness.errors import UsageError
from harness.workloads.ehr_mgan import EhrMGan, folder
from tests.harness.workloads.ehr_mgan.cohorts import HOURS, at, refuse, tables, write


def test_a_cohort_is_read_as_it_was_written(tmp_path):
    """Float64 in memory, the class from column 0, `max_val` as the range."""
    expected = tables()
    found = folder.cohort(write(tmp_path, expected))("tiny")
    assert (
        np.array_equal(expected["vital_sign_24hrs.pkl"].astype(np.float64), found.continuous)
        and np.float64 == found.continuous.dtype
    )
    assert (
        np.array_equal(expected["med_interv_24hrs.pkl"], found.discrete)
        and np.float64 == found.discrete.dtype
    )
    assert (
        np.array_equal(expected["statics.pkl"][:, 0], found.label) and np.int64 == found.label.dtype
    )
    assert np.array_equal(expected["min_val"], found.minimum) and np.array_equal(
        expected["max_val"], found.range
    )
    assert (str(tmp_path), 117) == (found.name, found.training_rows) and (3, 2) == (
        len(found.channels),
        len(found.interventions),
    )


def test_its_shapes_become_the_models(tmp_path):
    """Hours and channels are the cohort's; the rows that train are the first nine tenths."""
    workload = EhrMGan(str(write(tmp_path, tables())), conditional=True)
    config = workload.config("tiny")
    assert (HOURS, {"continuous": 3, "discrete": 2}, {"continuous": 1, "discrete": 1}) == (
        config["hours"],
        config["channels"],
        config["noise_size"],
    )
    data = workload.data(config)
    assert {
        "continuous": (117, 12, 3),
        "discrete": (117, 12, 2),
        "label": (117, 1),
        "eval_label": (130, 1),
    } == {name: value.shape for name, value in data.items()}


def test_changed_content_is_other_data(tmp_path):
    """The digest, and with it a run's identity, follows the content and not the folder's name."""
    workload = EhrMGan(str(write(tmp_path, tables())))
    before = workload.config("tiny")["data_digest"]
    (tmp_path / "copy").mkdir()
    assert before == EhrMGan(str(write(tmp_path / "copy", tables()))).config("tiny")["data_digest"]
    place = tmp_path / "vital_sign_24hrs.pkl"
    place.write_bytes(pickle.dumps(at(place.name, (5, 6, 1), 0.25)))
    os.utime(place, ns=(1, 1))
    assert before != workload.config("tiny")["data_digest"]


def test_the_folder_is_looked_at_before_it_is_read(tmp_path):
    """None there, a file, and files that are missing, by name."""
    for place, said in (
        (tmp_path / "nowhere", "there is no such folder"),
        (Path(__file__), "this is no folder"),
        (tmp_path, "lacks vital_sign_24hrs.pkl, med_interv_24hrs.pkl, statics.pkl, norm_stats.npz"),
    ):
        with pytest.raises(UsageError, match=said):
            folder.cohort(place)
    assert "lacks statics.pkl. It must hold vital" in refuse(tmp_path, statics=None)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"vital": tables()["vital_sign_24hrs.pkl"][0]},
            "has the shape [12, 3]; it must have three axes (stays, hours, vital signs)",
        ),
        ({"interv": tables()["med_interv_24hrs.pkl"][:, :, :0]}, "none of them empty"),
        ({"statics": tables()["statics.pkl"][None]}, "must have the axes stays and columns"),
        (
            {"interv": tables()["med_interv_24hrs.pkl"][:-1]},
            "vital_sign_24hrs.pkl has 130 stays, med_interv_24hrs.pkl has 129",
        ),
        (
            {"interv": tables()["med_interv_24hrs.pkl"][:, :-1]},
            "vital_sign_24hrs.pkl has 12 hours, med_interv_24hrs.pkl has 11",
        ),
        (
            {"statics": tables()["statics.pkl"][:-1]},
            "129 rows, but vital_sign_24hrs.pkl has 130 stays",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_refused(tmp_path, changed, said):
    """With both shapes."""
    assert said in refuse(tmp_path, **changed)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"vital": at("vital_sign_24hrs.pkl", (7, 8, 2), np.nan)},
            "1 value is missing or infinite, the first at [7, 8, 2]. Fill",
        ),
        (
            {"vital": at("vital_sign_24hrs.pkl", (slice(3, 5), 8, 2), -np.inf)},
            "2 values are missing or infinite, the first at [3, 8, 2]",
        ),
        (
            {"vital": at("vital_sign_24hrs.pkl", (7, 8, 2), 1.5)},
            "the value 1.5 at [7, 8, 2]; values must lie in [0, 1]",
        ),
        (
            {"vital": 84 + tables()["vital_sign_24hrs.pkl"]},
            "(and 4679 more); values must lie in [0, 1]. Scale each vital sign",
        ),
        (
            {"interv": at("med_interv_24hrs.pkl", (1, 2, 0), 0.5)},
            "the value 0.5 at [1, 2, 0]; an intervention must be 0 or 1",
        ),
        (
            {"interv": at("med_interv_24hrs.pkl", (1, 2, 0), np.nan)},
            "med_interv_24hrs.pkl: 1 value is missing",
        ),
        (
            {"statics": at("statics.pkl", (9, 0), 4)},
            "the value 4 at [9]; the class, column 0, must be a whole number from 0 to 3",
        ),
        ({"statics": at("statics.pkl", (9, 0), 1.5)}, "the value 1.5 at [9]"),
        (
            {"statics": at("statics.pkl", (9, 0), np.nan)},
            "statics.pkl: 1 value is missing or infinite, the first at [9]",
        ),
    ],
)
def test_values_that_do_not_fit_are_refused(tmp_path, changed, said):
    """With the first one, where it stands and how many more there are."""
    assert said in refuse(tmp_path, **changed)


def test_too_few_rows_or_channels_are_refused(tmp_path):
    """Ten times as many rows as a batch has, with the presets that would do; two channels of
    each kind."""
    few = {name: table[:119] for name, table in tables().items() if name.endswith(".pkl")}
    said = refuse(tmp_path, **few)
    assert (
        "has 119 rows; preset tiny takes batches of 12 and needs 10 times as many, 120. Give more"
        " rows." in said
    )
    with pytest.raises(
        UsageError, match=r"needs 10 times as many, 320\. Choose --preset tiny, or give more rows"
    ):
        EhrMGan(str(write(tmp_path, tables()))).hyperparameters("small")
    one = {
        "vital": tables()["vital_sign_24hrs.pkl"][..., :1],
        "min_val": np.zeros(1),
        "max_val": np.ones(1),
    }
    assert "1 continuous channel" in refuse(tmp_path, **one)
    assert "1 discrete channel" in refuse(
        tmp_path, interv=tables()["med_interv_24hrs.pkl"][..., :1]
    )


class Marks:
    """Pickles as a call that makes a folder."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self):
        return (os.mkdir, (str(self.place),))


@pytest.mark.parametrize("name", ["vital", "interv", "statics"])
def test_a_hostile_file_is_refused_by_name_and_does_nothing(tmp_path, name):
    """Whichever of the three it is."""
    said = refuse(tmp_path, **{name: Marks(tmp_path / "mark")})
    assert "refused, because it asks for `posix.mkdir`" in said and not (tmp_path / "mark").exists()


def test_a_table_of_pandas_is_refused_with_the_way_to_convert_it(tmp_path):
    """Its pickle names pandas' own classes; pandas need not be installed to say so."""
    frame = b"\x80\x04\x8c\x11pandas.core.frame\x8c\tDataFrame\x93)\x81."
    said = refuse(tmp_path, statics=frame)
    assert (
        "`pandas.core.frame.DataFrame`" in said
        and "pickle.dump(numpy.asarray(table, float), file)" in said
    )


def test_float32_that_misses_an_end_by_rounding_is_moved_onto_it(tmp_path):
    """And by no more than that."""
    vitals = at("vital_sign_24hrs.pkl", (0, 0, 0), 1.0 + 2.0**-23)
    vitals[0, 0, 1] = -(2.0**-24)
    found = folder.cohort(write(tmp_path, {**tables(), "vital_sign_24hrs.pkl": vitals}))(
        "tiny"
    ).continuous
    assert (1.0, 0.0) == (found[0, 0, 0], found[0, 0, 1])
