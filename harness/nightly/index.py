"""`reports/nightly/index.html`: all nights with their verdicts, the newest first. One page, nothing loaded from elsewhere."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from pathlib import Path

import jinja2

from harness.errors import RecordError
from harness.nightly.night import OK, Night
from harness.nightly.summary import SIGNS, settled
from harness.progress import spell
from harness.report.format import one_line

TONES = {"PASS": "good", "FAIL": "bad", "INCONCLUSIVE": "open", "regression": "bad", "improvement": "good", OK: "dim"}

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Nights</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --dim: #57606a; --line: #d0d7de;
  --good: #1a7f37; --bad: #cf222e; --open: #9a6700; --mark: #0969da; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --dim: #9198a1; --line: #30363d;
  --good: #3fb950; --bad: #ff7b72; --open: #d29922; --mark: #58a6ff; } }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin: 0; display: inline; }
section { border-top: 1px solid var(--line); padding: .7rem 0; } section p { margin: .25rem 0; }
a, summary { color: var(--mark); } .dim { color: var(--dim); font-size: .875rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .open { color: var(--open); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
th { color: var(--dim); font-weight: 500; white-space: nowrap; } td.tight { white-space: nowrap; } td.said { min-width: 14rem; }
</style>
</head>
<body>
<main>
<h1>Nights</h1>
{% if not nights %}<p>There is none yet.</p>{% endif %}
{% for folder, one in nights %}
<section>
{% if one is string %}<h2>{{ folder | line }}</h2><p class="bad">{{ one | line }}</p>
{% else %}
<h2>{{ folder | line }}</h2> <strong class="{{ tone(one.verdict) }}">{{ sign(one.verdict) }} {{ one.verdict | line }}</strong>
<p>{{ one.headline | line }}</p>
{% if one.changed %}<ul>{% for item in one.changed %}
<li><strong class="{{ tone(item.severity) }}">{{ item.severity | line }}</strong> {{ item.text | line }}</li>
{% endfor %}</ul>{% endif %}
<p class="dim">Begun {{ one.created | line }}, {{ spell(one.spent_s) if one.spent_s else "no time" }} of {{ spell(one.budget_s) }}
{%- if one.exit_code is not none %}, exit code {{ one.exit_code }}{% endif %}
{%- if not one.finished %}, <span class="open">not finished</span>{% endif %}.
<a href="{{ address(folder, 'summary.md') }}">Summary</a></p>
<details{% if loop.first %} open{% endif %}><summary>{{ one.rows | length }} cells</summary>
<div class="wide"><table>
<tr><th scope="col">cell</th><th scope="col">status</th><th scope="col">fidelity</th><th scope="col">speed settled</th>
<th scope="col">time</th><th scope="col">what it says</th></tr>
{% for row in one.rows %}<tr>
<td>{% if row.exit_code is not none %}<a href="{{ address(folder, row.folder + '/report.html') }}">{{ row.cell.name | line }}</a>
{%- else %}{{ row.cell.name | line }}{% endif %}</td>
<td class="tight">{{ row.status | line }}</td>
<td class="tight {{ tone(row.fidelity) }}">{{ sign(row.fidelity) }} {{ row.fidelity | line }}</td>
<td class="tight">{{ settled(row) }}</td><td class="tight">{{ spell(row.duration_s) if row.duration_s }}</td>
<td class="said">{{ (row.reason or row.headline) | line }}
{%- for lack in row.lacking %}<br><span class="dim">without {{ lack.build | line }}: {{ lack.reason | line }}</span>{% endfor %}</td></tr>
{% endfor %}</table></div></details>
{% endif %}
</section>
{% endfor %}
</main>
</body>
</html>
"""


def render(nights: Sequence[tuple[Path, Night | RecordError]]) -> str:
    """Return the page; a night that cannot be read says why."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    environment.filters["line"] = lambda text: one_line(str(text))
    shown = [(folder.name, one if isinstance(one, Night) else str(one)) for folder, one in nights]
    return environment.from_string(PAGE).render(
        nights=shown, spell=spell, settled=settled, address=_address, tone=lambda word: TONES.get(word, "dim"),
        sign=lambda verdict: SIGNS.get(verdict, ""),
    )


def _address(folder: str, path: str) -> str:
    """Return a relative address; `./` keeps a name with a colon from being taken for a scheme."""
    return "./" + urllib.parse.quote(f"{folder}/{path}")
