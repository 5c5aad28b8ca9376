"""Prints 100 MB to stdout, once, as frameworks in a bad mood do."""

from __future__ import annotations

import sys
from typing import Any

from backends.ports.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault."""

    def __init__(self, config: Any, setting: Any) -> None:
        super().__init__(config, setting)
        for _ in range(10):
            sys.stdout.write(("chatter " * 12 + "and\n") * 100_000)
