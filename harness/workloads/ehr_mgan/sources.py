"""Where a cohort comes from: what `--data` may name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from harness.errors import UnknownName
from harness.workloads.ehr_mgan import daphnet, folder, synthetic
from harness.workloads.ehr_mgan.cohort import Cohort

NAMED: dict[str, Callable[[str], Cohort]] = {
    synthetic.NAME: synthetic.synthetic_icu,
    daphnet.NAME: daphnet.daphnet,
}


def find(data: str) -> tuple[str, Callable[[str], Cohort]]:
    """Return the name or the absolute path of what `--data` names, and what gives its cohort for a
    preset.

    Raises:
        UsageError: it is neither a known name nor a folder with a cohort.
    """
    if data in NAMED:
        return data, NAMED[data]
    path = Path(data).expanduser().absolute()
    if not path.exists() and os.sep not in data:
        raise UnknownName("data (there is no such folder either)", data, NAMED)
    return str(path), folder.cohort(path)
