"""The template of the HTML report. One page, nothing loaded from elsewhere: its policy forbids it, whatever a name contains."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --dim: #57606a; --line: #d0d7de; --soft: #f6f8fa;
  --good: #1a7f37; --bad: #cf222e; --open: #9a6700; --mark: #0969da; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --dim: #9198a1; --line: #30363d; --soft: #161b22;
  --good: #3fb950; --bad: #ff7b72; --open: #d29922; --mark: #58a6ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.2rem; margin: 0 0 .5rem; color: var(--dim); font-weight: 500; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.answer { font-size: 1.35rem; font-weight: 600; border-left: .35rem solid var(--dim); padding: .5rem .9rem; background: var(--soft); }
.answer.good { border-color: var(--good); } .answer.bad { border-color: var(--bad); } .answer.open { border-color: var(--open); }
.dim { color: var(--dim); font-size: .875rem; } .good { color: var(--good); } .bad { color: var(--bad); } .open { color: var(--open); }
.answer.good, .answer.bad, .answer.open { color: var(--ink); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); max-width: 26rem;
  overflow-wrap: break-word; } td.hint { min-width: 14rem; }
@media (max-width: 40rem) { th span { display: none; } th, td { padding: .3rem .4rem; } }
th { color: var(--dim); font-weight: 500; white-space: nowrap; } td.tight { white-space: nowrap; }
code { font: .8125rem/1.4 ui-monospace, monospace; background: var(--soft); padding: .1rem .3rem; border-radius: .2rem; }
.card { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .9rem; margin: .6rem 0; } .card p { margin: .25rem 0; }
summary { cursor: pointer; color: var(--mark); } svg { display: block; width: 15rem; height: 1.6rem; }
svg .axis { stroke: var(--line); } svg .one { stroke: var(--dim); } svg .bar { stroke: currentColor; stroke-width: 3; }
svg circle { fill: currentColor; } svg text { fill: var(--dim); font-size: 10px; text-anchor: middle; }
"""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{{ report.title | line }}</title>
<style>{{ style }}</style>
</head>
<body>
<h1>{{ report.title | line }}</h1>
<p class="answer {{ report.fidelity | tone }}">{{ sign(report.fidelity) }} {{ report.fidelity | line }}: {{ report.headline | line }}</p>
<p class="dim">Made {{ report.created | line }} by parity-harness {{ report.harness_version | line }}:
<code>{{ report.command | line }}</code></p>
{% if matrix.lines %}
<h2>Same function?</h2>
<div class="wide"><table>
<tr><th>workload</th><th>a : b</th><th>precision</th>
{%- for letter in matrix.letters %}<th title="{{ matrix.stages[loop.index0] }}">{{ letter }}
<span>{{ matrix.stages[loop.index0] }}</span></th>{% endfor %}</tr>
{% for row in matrix.lines %}<tr><td>{{ row.workload | line }}</td><td>{{ row.pair | line }}</td><td>{{ setting(row) | line }}</td>
{%- for cell in row.cells %}<td class="tight {{ cell.verdict | tone if cell }}">
{%- if cell %}{{ sign(cell.verdict) }} {{ spell.margin(cell.error, cell.threshold) }}{% endif %}</td>{% endfor %}</tr>
{% endfor %}</table></div>
<p class="dim">✓ pass &nbsp; ✗ fail &nbsp; ? inconclusive &nbsp; i not judged; the number is error / threshold: beyond 1, it departs.
{% for letter in matrix.letters %}{{ letter }} {{ matrix.stages[loop.index0] }}{{ ", " if not loop.last }}{% endfor %}</p>
{% endif %}
{% if matrix.departures %}
<h2>Where it departs</h2>
{% for row in matrix.departures %}{% set first = row.first %}<div class="card">
<p><strong class="{{ first.verdict | tone }}">{{ sign(first.verdict) }} {{ first.verdict | line }}</strong>
{{ row.workload | line }}, {{ row.pair | line }}, {{ seeded(row) | line }}: first at <strong>{{ first.stage | line }}</strong></p>
{% if first.worst is not none %}<p><code>{{ first.worst | line }} {{ (first.place or "") | line }}</code><br>
a = {{ spell.value(first.value_a) }}, b = {{ spell.value(first.value_b) }}</p>{% endif %}
{% if first.error is not none %}<p>error {{ spell.error(first.error) }}, floor {{ spell.error(first.floor) }},
threshold {{ spell.error(first.threshold) }}</p>{% endif %}
<p>{{ first.reason | line }}</p>
{% if row.also %}<p>also {{ first.verdict | line }} at
{% for other in row.also %}{{ other.stage | line }}{{ ", " if not loop.last }}{% endfor %}</p>{% endif %}
{% if first.command %}<p class="dim">again: <code>{{ first.command | line }}</code></p>{% endif %}
{% if first.logs %}<p class="dim">logs: {% for log in first.logs %}<code>{{ log | line }}</code> {% endfor %}</p>{% endif %}
</div>
{% endfor %}{% endif %}
{% if report.speed %}
<h2>How fast?</h2>
<p class="dim">{{ threads(report.speed) }}. Ratio: time of b / time of a, with its 99 % interval; above 1, b is slower.
One logarithmic scale for all rows.</p>
<div class="wide"><table>
<tr><th>workload</th><th>build</th><th>step</th><th>b / a {{ plot.axis() }}</th><th>b is</th><th>rounds</th><th></th>
<th>samples</th><th>build + first step</th><th>memory</th></tr>
{% for row in report.speed %}<tr>
<td>{{ row.workload | line }} {{ row.preset | line }}<br>{{ action(row) | line }} {{ setting(row) | line }}</td>
<td>a {{ row.a | line }}<br>b {{ row.b | line }}</td>
<td class="tight">{{ spell.seconds(row.a_step_s) }}<br>{{ spell.seconds(row.b_step_s) }}</td>
<td class="tight {{ row.verdict | tone }}">{{ spell.ratio(row.ratio, row.low, row.high) }}{{ plot.row(row) }}</td>
<td class="{{ row.verdict | tone }}">{{ row.verdict | line }}{% if row.material %}<br>material{% endif %}</td>
<td>{{ row.rounds }}</td><td class="hint">{{ hint(row) }}
{%- if row.command %}<details><summary>again</summary><code>{{ row.command | line }}</code></details>{% endif %}</td>
<td class="tight">{{ spell.rate(row.a_rate) }}<br>{{ spell.rate(row.b_rate) }}</td>
<td class="tight">{{ spell.warmup(row.a_warmup_s, row.a_build_s, row.a_first_step_s) }}<br>
{{ spell.warmup(row.b_warmup_s, row.b_build_s, row.b_first_step_s) }}</td>
<td class="tight">{{ spell.memory(row.a_peak_bytes) }}<br>{{ spell.memory(row.b_peak_bytes) }}</td></tr>
{% endfor %}</table></div>
{% endif %}
{% if costs %}
<h2>What a step costs beside time</h2>
<p class="dim">{{ spending.EXPLAINED }}</p>
<div class="wide"><table>
<tr><th>workload</th><th>build</th>{% for head in spending.COLUMNS %}<th>{{ head }}</th>{% endfor %}</tr>
{% for cost in costs %}<tr><td>{{ cost.row.workload | line }} {{ cost.row.preset | line }}<br>{{ action(cost.row) | line }}
{{ cost.precision | line }}</td><td>{{ cost.build | line }}</td>
{%- for cell in spending.COLUMNS.values() %}<td class="tight">{{ cell(cost) }}</td>{% endfor %}</tr>
{% endfor %}</table></div>
{% for text in spending.reasons(costs) + spending.sources(costs) %}<p class="dim">{{ text | line }}</p>
{% endfor %}{% endif %}
{% for table in phases %}
<h2>Phase by phase: {{ table.first.workload | line }} {{ table.first.preset | line }} {{ setting(table.first) | line }}</h2>
<p class="dim">One update of each phase; below it time / time of {{ table.builds[0] | line }}, ? unclear, = same.</p>
<div class="wide"><table>
<tr><th>phase</th>{% for build in table.builds %}<th>{{ build | line }}</th>{% endfor %}</tr>
{% for phase, cells in table.lines.items() %}<tr><td>{{ phase | line }}</td><td class="tight">{{ spell.seconds(table.base_s(phase)) }}</td>
{%- for row in cells %}<td class="tight">{% if row %}{{ spell.seconds(row.b_step_s) }}<br>
<span class="{{ row.verdict | tone }}">{{ spell.ratio_alone(row.ratio) }}{{ relation(row) }}</span>{% endif %}</td>{% endfor %}</tr>
{% endfor %}</table></div>
{% endfor %}
{% if qualities %}
<h2>How good is what they generate?</h2>
<p class="dim">Mean over seeds [95 % interval]. Baseline: real training rows in place of generated ones, what a perfect model would get.</p>
<div class="wide"><table>
<tr><th>workload</th><th>metric</th><th>best</th><th>baseline</th><th>build</th><th>mean [95 %]</th><th>seeds</th><th></th></tr>
{% for first, group in qualities %}{% for row in group %}<tr>
<td>{% if loop.first %}{{ row.workload | line }} {{ row.preset | line }} {{ row.precision | line }}{% endif %}</td>
<td>{% if loop.first %}{{ row.metric | line }}{% endif %}</td><td>{% if loop.first %}{{ row.better | line }}{% endif %}</td>
<td class="tight">{% if loop.first %}{{ spell.metric(row.baseline) }}{% endif %}</td><td>{{ row.build | line }}</td>
<td class="tight">{{ spell.metric_interval(row.mean, row.low, row.high) }}</td><td>{{ row.seeds }}</td>
<td class="hint">{{ row.reason | line }}</td></tr>
{% endfor %}{% endfor %}</table></div>
{% endif %}
{% if ended %}
<h2>Jobs that did not end ok</h2>
<div class="wide"><table>
<tr><th>status</th><th>build</th><th>workload</th><th>kind</th><th>precision</th><th>seed</th><th>reason</th><th>log</th></tr>
{% for job in ended %}<tr><td class="{{ 'dim' if job.status == 'unsupported' else 'bad' }}">{{ job.status | line }}</td>
<td>{{ job.build | line }}</td><td>{{ job.workload | line }}</td><td>{{ job.kind | line }}</td><td>{{ job.precision | line }}</td>
<td>{{ spell.count(job.seed) }}</td><td>{{ job.reason | line }}</td><td><code>{{ job.log | line }}</code></td></tr>
{% endfor %}</table></div>
{% endif %}
{% if report.notes %}
<h2>Notes</h2>
<ul>{% for note in report.notes %}<li>{{ note | line }}</li>{% endfor %}</ul>
{% endif %}
{% if report.stages %}
<h2>Ladder</h2>
<div class="wide"><table>
<tr><th>workload</th><th>a : b</th><th>precision</th><th>stage</th><th>verdict</th><th>tensor</th><th>error</th><th>floor</th>
<th>threshold</th><th>tensors</th><th>reason</th></tr>
{% for row in report.stages %}<tr><td>{{ row.workload | line }}</td><td>{{ row.a | line }} : {{ row.b | line }}</td>
<td>{{ setting(row) | line }}</td><td>{{ row.stage | line }}</td><td class="{{ row.verdict | tone }}">{{ row.verdict | line }}</td>
<td>{{ (row.worst or "-") | line }}</td>
<td class="tight">{{ spell.error(row.error) }}</td><td class="tight">{{ spell.error(row.floor) }}</td>
<td class="tight">{{ spell.error(row.threshold) }}</td><td>{{ row.tensors }}</td><td>{{ row.reason | line }}
{%- if row.command %}<details><summary>again</summary><code>{{ row.command | line }}</code></details>{% endif %}</td></tr>
{% endfor %}</table></div>
{% for workload, names in zeros.items() %}<p class="dim">{{ workload | line }}: mathematically zero, neither agreement nor fault:
{% for name in names %}<code>{{ name | line }}</code> {% endfor %}</p>{% endfor %}
{% endif %}
{% if report.builds %}
<h2>Builds</h2>
{% for build in report.builds %}<div class="card"><p><strong>{{ build.build | line }}</strong>
{{ build.python | line }}, {{ build.platform | line }},
from {{ build.origin | line }}</p>
<p>{% for name in build.versions | sort %}{{ name | line }} {{ build.versions[name] | line }}{{ ", " if not loop.last }}{% endfor %}</p>
{% if build.port %}<p class="dim">port: {% for name in build.port | sort %}{{ name | line }} <code>{{ build.port[name] | line }}</code>
{% endfor %}</p>{% endif %}
<p class="dim">in effect: {% for name, told in told(build) %}{{ name | line }} <code>{{ told | line }}</code> {% endfor %}</p></div>
{% endfor %}{% endif %}
{% if report.tapes %}
<h2>Tapes</h2>
{% for name in report.tapes | sort %}<p class="dim">{{ name | line }} <code>{{ report.tapes[name] | line }}</code></p>
{% endfor %}{% endif %}
</body>
</html>
"""
