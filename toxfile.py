"""tox's inline plugin: finds interpreters where pyenv, uv and conda keep them, and stops early without the device.

Runs in the interpreter that runs tox, from a checkout and from an installed wheel (it is shipped beside tox.ini), so it
imports only the two modules of the harness that need nothing but the standard library.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from tox.plugin import impl
from tox.tox_env.errors import Fail

from harness import devices, interpreters

if TYPE_CHECKING:
    from tox.config.cli.parser import ToxParser
    from tox.tox_env.api import ToxEnv

#: What the builds and the test environments may ask for.
MINORS = ("3.7", "3.10", "3.11", "3.12", "3.13")


@impl
def tox_add_option(parser: ToxParser) -> None:
    """Tell tox where interpreters are, through the variable of its own option `--discover`, unless the user has.

    Called before defaults are taken from the environment. tox's own interpreter comes first, so that it keeps being
    the one of environments that name none.
    """
    found = [str(path) for minor in MINORS for path in interpreters.find(minor, os.environ)[:1]]
    os.environ.setdefault("TOX_DISCOVER", ";".join([sys.executable, *found]))


@impl
def tox_on_install(tox_env: ToxEnv, arguments: Any, section: str, of_type: str) -> None:
    """Fail before anything is downloaded for a device that this machine does not have."""
    device = tox_env.conf.name.rpartition("-")[2]
    if device in devices.ACCELERATORS and (reason := devices.missing(device, os.environ)):
        raise Fail(f"{tox_env.conf.name} needs a {device.upper()}, and {reason}")
