"""What tests of the harness share."""

from __future__ import annotations

from collections.abc import Callable

import psutil
import pytest


@pytest.fixture
def children() -> Callable[[], list[psutil.Process]]:
    """Return what asks for the processes that were started since the test began. Before it, other
    tests may have started a server or a browser that this process keeps."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    return lambda: [
        child for child in psutil.Process().children(recursive=True) if child.pid not in before
    ]
