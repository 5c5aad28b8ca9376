"""The environment of a worker's process: without what would lead it to the harness's own packages,
and with a temporary folder of its own, for a process that is ended leaves what it has written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def environment(env: Mapping[str, str], folder: str, cold: bool) -> dict[str, str]:
    """Return `env` with a temporary folder of the worker's own, for AutoGraph leaves files when a
    process is ended; what inductor has compiled stays for the next one, or every process would
    compile anew, but a cold one's."""
    if cold:
        return {**env, "TMPDIR": folder, "TORCHINDUCTOR_CACHE_DIR": str(Path(folder) / "inductor")}
    return {
        "TORCHINDUCTOR_CACHE_DIR": str(
            Path(tempfile.gettempdir()) / f"torchinductor_{os.getuid()}"
        ),
        **env,
        "TMPDIR": folder,
    }


# What must not reach a foreign interpreter: it would find the orchestrator's packages, or not find
# its own.
PRIVATE = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONSAFEPATH",
    "PYTHONWARNINGS",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)


def clean_environment(environ: Mapping[str, str], **more: str) -> dict[str, str]:
    """Return `environ` without the variables that would lead a foreign interpreter to our packages,
    plus `more`."""
    kept = {name: value for name, value in environ.items() if name not in PRIVATE}
    return {**kept, "PYTHONNOUSERSITE": "1", **more}
