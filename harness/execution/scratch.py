"""What a worker's environment says of temporary files: a folder of its own, for a process that is
ended leaves what it has written."""

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
