"""One timed run at a time on a machine: two that share it would slow each other."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.environments import staging
from harness.execution import machine_lock

if TYPE_CHECKING:
    from harness.context import Context


@contextlib.contextmanager
def alone(context: Context) -> Iterator[None]:
    """Hold the machine for a timed run; say so if that means waiting for another one."""
    lock = staging.cache(context.environ) / "timed.lock"
    waiting = f"another timed run holds {lock}; waiting for it to end"
    with machine_lock.held(lock, lambda: context.say(waiting)):
        yield
