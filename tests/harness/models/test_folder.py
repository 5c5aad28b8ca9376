"""The folder of a new model: none is left where nothing came of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.models.folder import making
from tests.harness import users


def test_a_folder_into_which_nothing_came_goes_again(tmp_path: Path):
    """With those above it that were made for it, and no other; what is in it stays."""
    with making(tmp_path / "models/one", "model.json"):
        assert [] == list((tmp_path / "models/one").iterdir())
    assert [] == list(tmp_path.iterdir())
    with making(tmp_path / "models/one", "model.json"):
        (tmp_path / "models/one/losses.csv").touch()
    assert (tmp_path / "models/one/losses.csv").is_file()
    (tmp_path / "empty").mkdir()
    with making(tmp_path / "empty", "model.json"):
        pass
    assert (tmp_path / "empty").is_dir()


def test_a_place_that_cannot_be_written_is_refused_first(tmp_path: Path):
    """By the option's name, with what helps."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(UsageError, match=r"--out .*A part of this path is a file"),
        making(tmp_path / "file/model", "model.json"),
    ):
        raise AssertionError
    with users.unprivileged() as place:
        (place / "model").mkdir()
        for folder in (place / "model", place / "model/deeper"):
            with (
                users.closed(place / "model", 0o555),
                pytest.raises(UsageError, match=f"--out {folder}: .*Give yourself the right"),
                making(folder, "model.json"),
            ):
                raise AssertionError
