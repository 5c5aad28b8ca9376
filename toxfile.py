"""tox's inline plugin: finds interpreters where pyenv, uv and conda keep them, and stops early
without the device.

Runs in the interpreter that runs tox, from a checkout and from an installed wheel (it is shipped
beside tox.ini), so it imports only the two modules of the harness that need nothing but the
standard library.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tox.plugin import impl
from tox.tox_env.errors import Fail

from harness.environments import devices, interpreters

if TYPE_CHECKING:
    from tox.tox_env.api import ToxEnv

#: What the builds and the test environments may ask for.
MINORS = ("3.7", "3.10", "3.11", "3.12", "3.13")


@impl
def tox_add_core_config() -> None:
    """Put the folders of interpreters that are nowhere on PATH at PATH's end, where they hide
    nothing.

    tox's own option for this, `--discover`, cannot be used: a virtualenv old enough for Python 3.7
    takes the first interpreter that it names, even when another one is asked for by its path.
    """
    folders = [
        str(path.parent) for minor in MINORS for path in interpreters.find(minor, os.environ)
    ]
    known = os.environ.get("PATH", "").split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join(
        [*known, *(folder for folder in folders if folder not in known)]
    )


@impl
def tox_on_install(tox_env: ToxEnv) -> None:
    """Fail before anything is downloaded for a device that this machine does not have."""
    device = tox_env.conf.name.rpartition("-")[2]
    if device in devices.ACCELERATORS and (reason := devices.missing(device, os.environ)):
        raise Fail(f"{tox_env.conf.name} needs a {device.upper()}, and {reason}")
