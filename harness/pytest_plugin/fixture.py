"""What a test gets as `harness`: comparisons by the Python API, each test's reports in a folder of
their own, and the report's path in JUnit's file.
"""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness import api
from harness.api import arguments
from harness.api.arguments import Names, Place
from harness.api.run_report import RunReport
from harness.errors import HarnessError
from harness.pytest_plugin import build_markers
from harness.report.renderers import FORMATS

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from harness.api.arguments import CompareOptions

#: Letters of a test's name that are kept in its folder's.
LONGEST = 60


class HarnessFixture:
    """Compares models for one test.

    Args:
        item: the test. temporary: pytest's maker of folders. kept: folder in which reports are
            kept; None where they are temporary.
    """

    def __init__(
        self, item: pytest.Item, temporary: pytest.TempPathFactory, kept: Path | None = None
    ) -> None:
        self._item, self._temporary, self._kept = item, temporary, kept

    def compare(
        self, what: Place | Names | None = None, **options: Unpack[CompareOptions]
    ) -> RunReport:
        """Compare two models, or builds on workloads, as `harness.compare` does; speed is left out
        unless `speed=True` asks for it.

        Args:
            what: a pair file, beside the test's file or in the working folder; or names of
                workloads.
            options: as in `harness.compare`. Without `out` the report lies in a folder of this
                test.

        Returns:
            The report: `report.assert_pass()` fails the test with the first departure.

        Raises:
            HarnessError: as `harness.compare`; UsageError too where the test compares a build by
                which `-m` selects, and is not marked with it.
        """
        __tracebackhide__ = True  # the message is complete without the engine's frames
        try:
            return self._compare(what, options)
        except HarnessError as error:
            raise error.with_traceback(None) from None

    def _compare(self, what: Place | Names | None, options: CompareOptions) -> RunReport:
        named = arguments.read(what, options)
        if named.pair is not None:
            what = build_markers.located(named.pair, self._item)
            builds = build_markers.builds_of(what)
        else:
            builds = [name.partition("@")[0] for name in named.options.backends]
        build_markers.check(self._item, builds)
        own: CompareOptions = {"speed": False, **options}
        if own.get("out") is None:
            own["out"] = self.folder()
        started = time.monotonic()
        report = api.compare(what, progress=False, **own)
        self._note(report, time.monotonic() - started)
        return report

    def folder(self) -> Path:
        """Return the folder in which this test's reports are made; another one for each test, also
        where several processes run them."""
        if self._kept is None:
            return self._temporary.mktemp("harness")
        name = re.sub(r"[^\w.-]+", "-", self._item.nodeid)[-LONGEST:].strip("-")
        digest = hashlib.sha256(self._item.nodeid.encode()).hexdigest()[:8]
        return self._kept / f"{name}-{digest}"

    def _note(self, report: RunReport, duration_s: float) -> None:
        """Note a comparison for JUnit's file."""
        assert report.folder is not None
        self._item.user_properties += [
            ("harness_report", str(report.folder / FORMATS["html"].file)),
            ("harness_verdict", str(report.fidelity)),
            ("harness_seconds", f"{duration_s:.3f}"),
        ]
