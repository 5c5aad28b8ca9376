"""The report of a comparison as Python and notebooks have it: the judged rows that every renderer
draws, and what is done with them.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, overload

from harness.api import explanation
from harness.errors import Departed, TooSlow, Undecided, UnknownName, UsageError, VerdictError
from harness.report import notebook_cell, tables
from harness.report.renderers import FORMATS
from harness.results import outcome
from harness.results.model import Report
from harness.results.verdicts import Fidelity

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, repr=False)
class RunReport(Report):
    """A judged run and where it lies. In a notebook its verdict and its tables are drawn.

    Attributes:
        folder: of the run, absolute: `report.html`, records and logs are in it. None where the
            report was never written.
        fidelity, headline, stages, speed, ...: as in `harness.results.model.Report`. Times are in
            seconds, memory is in bytes, errors are dimensionless.
    """

    folder: Path | None = None

    @classmethod
    def of(cls, report: Report, folder: Path | None = None) -> RunReport:
        """Return a judged report with the folder in which it lies.

        Args:
            report: as the engine made it. folder: of the run.
        """
        rows = {item.name: getattr(report, item.name) for item in dataclasses.fields(Report)}
        return cls(**rows, folder=folder)

    def __repr__(self) -> str:
        where = f" ({self.folder})" if self.folder is not None else ""
        return f"<Report {self.fidelity}: {self.headline}{where}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the answer, its tables, and where the whole page lies."""
        why = explanation.lines(self)[1:] if self._is_wanting() else []
        return notebook_cell.render(self, why, self._page())

    def explain(self) -> str:
        """Return the answer, and of one that is not PASS where the sides part first, by how much,
        what else is not the same there, and the command that gives it again."""
        return "\n".join(explanation.lines(self, self._page()))

    def raise_for_verdict(self) -> None:
        """Raise where the command would end with another exit code than 0.

        Raises:
            Departed: fidelity is FAIL; names the first departure.
            TooSlow: a side is materially slower, and `fail_if_slower` was asked for.
            Undecided: a job broke, the verdict is INCONCLUSIVE, a comparison of speed was refused,
                or nothing was measured.
        """
        if self.exit_code == 0:
            return
        kind: type[VerdictError] = Undecided
        if self.fidelity == Fidelity.FAIL:
            kind = Departed
        elif self.exit_code == outcome.TOO_SLOW:
            kind = TooSlow
        row = explanation.first_row(self)
        raise kind(
            self.explain(),
            self.exit_code,
            workload=row.workload if row else "",
            stage=str(row.stage) if row else "",
            tensor=(row.worst or "") if row else "",
            command=(row.command if row else "") or self.command,
        )

    def assert_pass(self) -> None:
        """Fail a test unless every stage that was asked for was looked at and agrees.

        Stricter than the exit code: a run that judged no fidelity does not pass, nor does one in
        which a side could not show a stage. Ask for fewer stages there, e.g. `until="loss"`.

        Raises:
            AssertionError: with the text of `explain`.
        """
        __tracebackhide__ = True  # pytest shows the line of the test
        unseen = explanation.unseen_stages(self)
        if self.fidelity == Fidelity.PASS and self.exit_code == 0 and not unseen:
            return
        text = self.explain()
        if unseen:
            text += (
                f"\n  not looked at, though asked for: {', '.join(unseen)}; a side cannot show it."
                " Ask for fewer stages, with until=... or stages=..."
            )
        raise AssertionError(text)

    @overload
    def to_pandas(self) -> dict[str, pd.DataFrame]: ...

    @overload
    def to_pandas(self, table: str) -> pd.DataFrame: ...

    def to_pandas(self, table: str | None = None) -> dict[str, pd.DataFrame] | pd.DataFrame:
        """Return the report as frames of pandas.

        Args:
            table: `stages` (a row a verdict), `tensors` (error, floor and threshold of each),
                `speed` (a row a ratio), `rounds` (single step times), `costs`, `quality`, `jobs`,
                `builds`, `settings`, `curves`, `spreads` or `notes`. Without it all of them, by
                name. Columns are called as in the JSON: those in `_s` are seconds, those in
                `_bytes` bytes, those in `_j` joules.

        Raises:
            UnknownName: there is no such table. UsageError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise UsageError(
                "to_pandas() needs pandas, which is not installed here. Install it with: pip"
                " install 'parity-harness[pandas]'"
            ) from error
        if table is not None and table not in tables.TABLES:
            raise UnknownName("table", table, tables.TABLES)
        frames = {}
        for name in tables.TABLES if table is None else (table,):
            flat = tables.table(self, name)
            frames[name] = pd.DataFrame(list(flat.rows), columns=list(flat.columns))
        return frames if table is None else frames[table]

    def _is_wanting(self) -> bool:
        return self.exit_code != 0 or self.fidelity in (Fidelity.FAIL, Fidelity.INCONCLUSIVE)

    def _page(self) -> str:
        """Return the path of the HTML page; empty where the report lies nowhere."""
        return str(self.folder / FORMATS["html"].file) if self.folder is not None else ""
