"""What every HTML page is rendered with: escaping, the words of a verdict, and one style. No page
loads anything or runs a script.

All text from outside is escaped by jinja2; the pages' own policy forbids scripts and loading,
whatever a name holds.
"""

from __future__ import annotations

import jinja2
from markupsafe import Markup

from harness.report import format as spell
from harness.report.matrix import TENSORS
from harness.results.verdicts import Fidelity, Speed

SIGNS = {
    Fidelity.PASS: "✓",
    Fidelity.FAIL: "✗",
    Fidelity.INCONCLUSIVE: "?",
    Fidelity.INFO: "i",
    "ACCEPTED": "≈",
}
TONES = {
    Fidelity.PASS: "good",
    Fidelity.FAIL: "bad",
    Fidelity.INCONCLUSIVE: "open",
    Fidelity.INFO: "dim",
    "ACCEPTED": "good",
    Speed.FASTER: "good",
    Speed.SLOWER: "bad",
    Speed.SAME: "good",
    Speed.UNCLEAR: "open",
    Speed.REFUSED: "open",
    "regression": "bad",
    "improvement": "good",
    "note": "dim",
}


def environment(*packages: str) -> jinja2.Environment:
    """Return an environment with the report's templates, and those of other packages, each in its
    folder `templates`."""
    found = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(name) for name in (*packages, "harness.report")]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["line"] = lambda text: spell.one_line(str(text))
    found.filters["tone"] = lambda verdict: TONES.get(verdict, "dim")
    found.filters["sign"] = lambda verdict: SIGNS.get(verdict, "")
    found.globals["spell"] = spell
    found.globals["counts"] = TENSORS
    assert found.loader is not None
    style = found.loader.get_source(found, "style.css")[0]
    found.globals["style"] = Markup(style)  # noqa: S704  (a file of this package)
    return found
