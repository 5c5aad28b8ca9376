"""A cohort that the system does not let the user read is said to be so, and not to be damaged."""

from __future__ import annotations

import contextlib
import os
import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from harness.errors import UsageError
from harness.workloads.ehr_mgan import folder


def write(place: Path) -> Path:
    """Write a cohort of twenty stays."""
    for name, shape in (
        (folder.VITALS, (20, 5, 3)),
        (folder.INTERVENTIONS, (20, 5, 2)),
        (folder.STATICS, (20, 1)),
    ):
        (place / name).write_bytes(pickle.dumps(np.ones(shape)))
    np.savez(place / folder.NORMS, min_val=np.zeros(3), max_val=np.ones(3))
    return place


@pytest.fixture
def other_user() -> Iterator[Path]:
    """A cohort that anyone may read, while this process is a user without privileges."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        place = write(Path(name))
        place.chmod(0o755)
        before = os.geteuid()
        if before == 0:
            os.seteuid(65534)
        try:
            yield place
        finally:
            os.seteuid(before)


@contextlib.contextmanager
def closed(path: Path) -> Iterator[None]:
    """Nobody may read it meanwhile, save root."""
    mode, user = path.stat().st_mode, os.geteuid()

    def allow(wanted: int) -> None:
        os.seteuid(os.getuid())
        path.chmod(wanted)
        os.seteuid(user)

    allow(0)
    try:
        yield
    finally:
        allow(mode)


@pytest.mark.parametrize("name", folder.FILES)
def test_a_file_that_may_not_be_read_is_not_said_to_be_damaged(other_user, name):
    """By name, with what the system says; the same file is read when it may be."""
    path = other_user / name
    with closed(path), pytest.raises(UsageError) as caught:
        folder.cohort(other_user)("tiny")
    assert f"{path} cannot be read (Permission denied); what it holds was not looked at." in str(
        caught.value
    )
    assert 3 == folder.cohort(other_user)("tiny").continuous.shape[2]


def test_a_folder_that_may_not_be_entered_is_said_to_be_so(other_user):
    """When it is looked at first, and when its files are looked at again."""
    read = folder.cohort(other_user)
    with closed(other_user):
        for attempt in (lambda: folder.cohort(other_user), lambda: read("tiny")):
            with pytest.raises(UsageError, match=r"cannot be read \(Permission denied\)"):
                attempt()
    read("tiny")


def test_a_file_that_the_system_cannot_read_is_said_to_be_so(tmp_path):
    """For other reasons than permissions: here a part of memory that is not there."""
    place = write(tmp_path)
    (place / "norm_stats.npz").unlink()
    (place / "norm_stats.npz").symlink_to("/proc/self/mem")
    with pytest.raises(UsageError, match=r"norm_stats\.npz cannot be read \(Input/output error\)"):
        folder.cohort(place)("tiny")
