"""What every HTML page is rendered with: escaping, the words of a verdict, and one style. No page
loads anything or runs a script.

All text from outside is escaped by jinja2; the pages' own policy forbids scripts and loading,
whatever a name holds.
"""

from __future__ import annotations

import jinja2
from markupsafe import Markup

from harness.changes.model import Severity
from harness.report import format as spell
from harness.report import links
from harness.report.matrix import MARGIN, TENSORS
from harness.report.overview import PAIR, bar_shares
from harness.report.plots import bars
from harness.report.signs import SIGNS
from harness.results.speed_words import noun, relation, relation_interval
from harness.results.verdicts import Fidelity, Shown, Speed

TONES = {
    Fidelity.PASS: "good",
    Fidelity.FAIL: "bad",
    Fidelity.INCONCLUSIVE: "open",
    Fidelity.INFO: "dim",
    Shown.ACCEPTED: "good",
    Speed.FASTER: "good",
    Speed.SLOWER: "bad",
    Speed.SAME: "good",
    Speed.UNCLEAR: "open",
    Speed.REFUSED: "open",
    Severity.REGRESSION: "bad",
    Severity.IMPROVEMENT: "good",
    Severity.NOTE: "dim",
}


def environment(*packages: str) -> jinja2.Environment:
    """Return an environment with the templates of the report and of other packages.

    Args:
        packages: each has its templates in its folder `templates`.
    """
    loaders = [jinja2.PackageLoader(name) for name in (*packages, "harness.report")]
    templates = jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["line"] = lambda text: spell.one_line(str(text))
    templates.filters["tone"] = lambda verdict: TONES.get(verdict, "dim")
    templates.filters["sign"] = lambda verdict: SIGNS.get(verdict, "")
    templates.globals["spell"] = spell
    templates.globals["counts"] = TENSORS
    templates.globals["margin"] = MARGIN
    templates.globals["links"] = links
    templates.globals["opening"] = _opening
    templates.globals["enumerated"] = lambda names: list(enumerate(names, 1))
    templates.globals["bar_shares"] = bar_shares
    templates.globals["pair_size"] = PAIR
    templates.globals["bar"] = bars.bar
    templates.globals["words"] = {
        "relation": relation,
        "interval": relation_interval,
        "noun": noun,
    }
    assert templates.loader is not None
    style = templates.loader.get_source(templates, "style.css")[0]
    templates.globals["style"] = Markup(style)  # noqa: S704  (a file of this package)
    return templates


def _opening(headline: str) -> tuple[str, str]:
    """Return the first sentence of a headline, and all others."""
    first, stop, rest = headline.partition(". ")
    return (f"{first}.", rest) if stop else (headline, "")
