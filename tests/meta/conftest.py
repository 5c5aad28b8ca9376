"""The laboratory, opened once for all tests of the checkers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.evaluation.laboratory import Laboratory, opened


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """The builds tf2, torch and numpy, with one worker each."""
    with opened(tmp_path_factory.mktemp("meta")) as found:
        yield found
