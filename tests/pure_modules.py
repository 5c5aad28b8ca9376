"""Which modules are pure, and what such a module may import: see `import_rules`."""

from __future__ import annotations

#: A pure module may import these of the standard library and of what is installed, and of the
#: harness what is pure itself.
PURE = {
    "bisecting/search",
    "bisecting/verdicts",
    "evaluation/pair_evidence",
    "evaluation/stage_rows",
    "nightly/matrix",
    "pairs/alignment",
    "pairs/decisions",
    "pairs/draws",
    "pairs/exchanges",
    "pairs/inference",
    "pairs/matches",
    "pairs/attribute_differences",
    "pairs/optimizer_differences",
    "pairs/optimizers",
    "pairs/preflight",
    "pairs/steps",
    "pairs/taps",
    "pairs/units",
}
PURE_FOLDERS = {"changes", "fidelity", "plan", "results", "speed"}
PURE_IMPORTS = {
    "__future__",
    "collections",
    "dataclasses",
    "enum",
    "fnmatch",
    "functools",
    "hashlib",
    "itertools",
    "json",
    "math",
    "numpy",
    "re",
    "scipy",
    "shlex",
    "statistics",
    "typing",
}
PURE_HARNESS = {
    "harness.changes",
    "harness.errors",
    "harness.evaluation.pair_evidence",
    "harness.fidelity",
    "harness.pairs.alignment",
    "harness.pairs.decisions",
    "harness.pairs.draws",
    "harness.pairs.exchanges",
    "harness.pairs.inference",
    "harness.pairs.matches",
    "harness.pairs.attribute_differences",
    "harness.pairs.optimizer_differences",
    "harness.pairs.optimizers",
    "harness.pairs.preflight",
    "harness.pairs.steps",
    "harness.pairs.taps",
    "harness.pairs.units",
    "harness.plan",
    "harness.results",
    "harness.speed",
    "harness.workloads.spec",
}
