"""The workloads that exist: the shipped ones, and those in folders that the user named.

A user's folder mirrors the tree: `<folder>/<name>.py` defines `WORKLOAD`, an instance of
`spec.Workload`, and `<folder>/<backend>/<name>.py` its ports. The folder is code that the user
asked to run; nothing else is.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import UnknownName, UsageError
from harness.workloads.cnn import WORKLOAD as CNN
from harness.workloads.ehr_mgan import CONDITIONAL as EHR_MGAN_CONDITIONAL
from harness.workloads.ehr_mgan import WORKLOAD as EHR_MGAN
from harness.workloads.linear import WORKLOAD as LINEAR
from harness.workloads.modules import is_module
from harness.workloads.spec import Workload

#: How the modules of users' workloads are called.
LOADED = "user_workload_"

SHIPPED: tuple[Workload, ...] = (LINEAR, CNN, EHR_MGAN, EHR_MGAN_CONDITIONAL)


def known(folders: Sequence[Path]) -> dict[str, Workload]:
    """Return all workloads by name, the user's first.

    Raises:
        UsageError: a folder does not exist, or one of its files cannot be loaded as a workload.
    """
    workloads = {workload.name: workload for workload in SHIPPED}
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(
                f"--ports {folder}: no such folder. Give the folder that holds <workload>.py and"
                " <backend>/."
            )
        for path in sorted(folder.glob("*.py")):
            named = not path.name.startswith(("_", "test_", "conftest"))
            if named and is_module(path):
                workload = _load(path)
                workloads[workload.name] = workload
    return workloads


def get(name: str, folders: Sequence[Path] = ()) -> Workload:
    """Return one workload by name.

    Args:
        name: as on the command line.
        folders: the user's; a workload in them goes before a shipped one of its name.

    Raises:
        UnknownName: there is none.
        UsageError: a folder does not exist, or one of its files cannot be loaded as a workload.
    """
    workloads = known(folders)
    if name not in workloads:
        raise UnknownName("workload", name, workloads)
    return workloads[name]


def sources(workload: Workload, folders: Sequence[str]) -> list[str]:
    """Return the files of the user's folders that the specification of a workload is made of: its
    own and what was imported for it.

    Other workloads of the folders, which are loaded too, are not its concern.
    """
    own = type(workload).__module__
    modules = [
        module for name, module in sys.modules.items() if name == own or not name.startswith(LOADED)
    ]
    files = {Path(path).resolve() for module in modules if (path := vars(module).get("__file__"))}
    return sorted(str(path) for path in files if _is_below(path, folders) and _source(path))


def _is_below(path: Path, folders: Sequence[str]) -> bool:
    return any(path.is_relative_to(Path(folder).resolve()) for folder in folders)


def _source(path: Path) -> bool:
    """Whether a file is the user's: neither installed nor the harness's own, which may lie in the
    folder that the user named."""
    harness = Path(__file__).resolve().parents[1]
    ours = {harness, harness.with_name("backends")} & {*path.parents}
    return path.is_file() and not ours and "site-packages" not in path.parts


def _load(path: Path) -> Workload:
    name = f"{LOADED}{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} cannot be loaded as a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(f"{path} failed to load: {type(error).__name__}: {error}") from error
    workload = getattr(module, "WORKLOAD", None)
    if not isinstance(workload, Workload):
        raise UsageError(
            f"{path} defines no `WORKLOAD` derived from harness.workloads.spec.Workload"
        )
    return workload
