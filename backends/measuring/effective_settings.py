"""The effective settings while a port is timed, read in the worker after the work: settings that
differ make two times no comparison.

Three sources, each over what the one before claims: the port itself (`Port.effective`), its
framework's switches and traces (the backend's module `effective_settings`), and the host
environment of both. None of them looks at what was asked for.
"""

from __future__ import annotations

import importlib
from typing import Any, Dict, Optional

from backends.contract import Unsupported
from backends.measuring import host_environment


class EffectiveSettings:
    """The effective settings of one port of a backend in this process.

    Make it before the port is built: what a process has done for earlier ports is not this one's.
    """

    def __init__(self, backend: str) -> None:
        self.reading = importlib.import_module(f"backends.{backend}.effective_settings").Reading()
        self._begun: Dict[int, int] = {}

    def begin(self) -> None:
        """Count the threads that work from here on."""
        self._begun = host_environment.cpu_time_ns()

    def read(self, port: Any, timer: Optional[Any] = None, watch: bool = True) -> Dict[str, Any]:
        """Return every effective setting by name.

        Args:
            port: after it has worked.
            timer: of what was timed.
            watch: whether to tell in which dtypes it contracts; where it takes that, one more of
                its steps is run, and slowly.
        """
        settings = dict(port.effective())
        settings.update(self.reading.settings(port))
        settings.update(host_environment.read())
        if timer is not None:
            settings["threads_that_ran"] = host_environment.threads_that_ran(
                self._begun, host_environment.cpu_time_ns()
            )
            if watch:
                settings["contractions"] = self._contractions(port, timer)
        return settings

    def _contractions(self, port: Any, timer: Any) -> str:
        """Return the dtypes of the operands of matrix products and convolutions in one step, e.g.
        "bfloat16+float32".
        """
        try:
            dtypes = self.reading.contractions(port, lambda: timer.run(1))
        except Unsupported:  # a compiled function that cannot be watched
            return "unknown"
        return "+".join(sorted(dtypes)) or "unknown"
