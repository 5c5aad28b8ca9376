"""Whether a build's framework can really be imported, and which accelerators it sees: asked in its
own interpreter, with an end.

`probe` asks what is installed, which takes no time; an import takes seconds, and fails where a
library is missing or the processor lacks an instruction.
"""

from __future__ import annotations

import dataclasses
import json
import signal
from collections.abc import Mapping
from pathlib import Path

from harness.execution.processes import capture
from harness.execution.worker_environment import clean_environment

# Runs in the build's interpreter, Python 3.7 among them.
_SCRIPT = r"""
import importlib, json, sys, time
began = time.time()
told = {"failure": "", "devices": []}
try:
    module = importlib.import_module(sys.argv[1])
    told["version"] = str(getattr(module, "__version__", ""))
    if sys.argv[1] == "torch":
        cuda = module.cuda
        count = cuda.device_count() if cuda.is_available() else 0
        told["devices"] = ["gpu " + cuda.get_device_name(index) for index in range(count)]
    elif sys.argv[1] == "tensorflow":
        listed = getattr(module.config, "list_physical_devices", None)
        listed = listed or module.config.experimental.list_physical_devices
        for kind in ("GPU", "TPU"):
            told["devices"] += [kind.lower() + " " + item.name for item in listed(kind)]
except BaseException as error:
    told["failure"] = type(error).__name__ + ": " + " ".join(str(error).split())[:300]
told["seconds"] = time.time() - began
print(json.dumps(told))
"""
#: Exit status of `capture` where time is up.
TIME_UP = 124


@dataclasses.dataclass(frozen=True)
class ImportedFramework:
    """What came of an import.

    Attributes:
        error: why it failed; empty where it went well. answered: whether it ended in its time.
        seconds: it took. devices: accelerators that the framework sees, e.g. "gpu NVIDIA H200".
    """

    error: str = ""
    answered: bool = True
    seconds: float = 0.0
    devices: tuple[str, ...] = ()


def imported(
    python: Path, module: str, environ: Mapping[str, str], timeout_s: float
) -> ImportedFramework:
    """Import a framework in an interpreter and return what came of it; never raises for what the
    interpreter does.

    Args:
        python: the interpreter. module: what is imported. environ: the process environment.
        timeout_s: after which it is ended, seconds.
    """
    status, output = capture(
        [str(python), "-I", "-c", _SCRIPT, module],
        env=clean_environment(environ, TF_CPP_MIN_LOG_LEVEL="3"),
        timeout_s=timeout_s,
    )
    if status == TIME_UP:
        return ImportedFramework(answered=False)
    try:
        answer = json.loads(output.strip().splitlines()[-1])
        devices = tuple(map(str, answer["devices"]))
        return ImportedFramework(str(answer["failure"]), True, float(answer["seconds"]), devices)
    except (ValueError, IndexError, KeyError, TypeError):
        return ImportedFramework(f"the interpreter {_ended(status)} while it imported {module}")


def _ended(status: int) -> str:
    """Return how a process ended, in words."""
    if status >= 0:
        return f"ended with {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
