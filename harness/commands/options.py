"""What a comparison can be asked for: the options of `harness compare` and `harness run`, checked
and resolved.

One frozen dataclass is the single place of every option, its default and its help text; `request`
turns it into a plan's `Request` or says, before any work starts, which name is wrong and which ones
exist.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from harness import plan
from harness.commands.option_groups import (
    ENVIRONMENT,
    FLAG,
    JUDGED,
    SEVERAL,
    TIMED,
    WHAT,
    WRITTEN,
)

PRESETS = ("tiny", "small", "paper")
DEFAULT_BUDGET_S = 120.0

#: Options of several commands that measure, each with its help text.
Threads = Annotated[
    int | None,
    ENVIRONMENT,
    Parameter(
        help="Threads of each worker's intra-operation pool; if not given, all cores. E.g."
        " `--threads 2`."
    ),
]
Ports = Annotated[
    tuple[Path, ...],
    SEVERAL,
    WHAT,
    Parameter(help="Folders with workloads and ports of your own, e.g. `--ports mine`."),
]
Paths = Annotated[
    tuple[Path, ...],
    SEVERAL,
    ENVIRONMENT,
    Parameter(
        help="Folders of the packages that a pair file imports, beside its own and PYTHONPATH's,"
        " e.g. `--path src`."
    ),
]
Python = Annotated[
    tuple[str, ...],
    SEVERAL,
    ENVIRONMENT,
    Parameter(
        help="BUILD=PATH, the interpreter of a build, e.g. `--python torch=/opt/env/bin/python`."
    ),
]
Reports = Annotated[
    Path,
    WRITTEN,
    Parameter(help="Folder in which the run's own folder is made, e.g. `--reports nights`."),
]
Limit = Annotated[
    float,
    ENVIRONMENT,
    Parameter(
        help="Longest time that one request to a worker may take, seconds, e.g. `--limit 1800`."
    ),
]
PassEnv = Annotated[
    tuple[str, ...],
    SEVERAL,
    ENVIRONMENT,
    Parameter(
        help="Names of further environment variables that workers see, e.g. `--pass-env MY_DATA`;"
        " SECURITY.md lists those that they always do."
    ),
]


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Options that `compare` and `run` share.

    Parameters
    ----------
    backends
        Backends or builds to compare, e.g. `--backends tf2 torch`. The same one twice compares it
        with itself; `torch@FOLDER` takes the ports in FOLDER and no others, and is called `torch@`
        and the folder's name from there on.
    workloads
        Which workloads; if not given, all that run by default (see `harness list`) and that at
        least two of the backends have. E.g. `--workloads linear cnn`.
    data
        What workloads that take data train on: synthetic_icu (theirs, if not given), daphnet, or a
        folder with a cohort of your own. E.g. `--data daphnet`.
    precision
        Which precisions: fp64 fp32 tf32 bf16 fp16. E.g. `--precision fp64`.
    preset
        tiny, small or paper, for fidelity and speed alike (else tiny for fidelity, small for
        speed). E.g. `--preset tiny`.
    device
        cpu, gpu or tpu. E.g. `--device gpu`.
    execution
        default, eager, graph, compiled, for torch on a GPU cudagraph, or for tf1 callable, in place
        of Session.run. E.g. `--execution compiled`.
    stages
        Which stages of the ladder: weights forward loss gradients update trajectory distribution,
        or W F L G U T D. distribution trains models from independent seeds, see --seeds; without it
        all others are looked at. E.g. `--stages W F L`.
    steps
        Training steps of the trajectory stage, at most 100000, and no more than a tape of 4 GiB
        holds; the workload's own number, if not given. E.g. `--steps 50`.
    seed
        Seed of the (first) tape. E.g. `--seed 7`.
    seeds
        How many seeds: tapes, counted up from --seed, and models of each build for the distribution
        stage. If not given, one tape and 8 models. E.g. `--seeds 12`.
    threads
        Threads of each build's intra-operation pool; if not given, all cores, and one where `tiny`
        is recorded. E.g. `--threads 2`.
    ports
        Folders with workloads and ports of your own. E.g. `--ports mine`.
    path
        Folders of the packages that a pair file imports, beside its own folder and those of
        PYTHONPATH. E.g. `--path src`.
    python
        BUILD=PATH, the interpreter of a build, or of one side by its name in tables:
        `torch@mine=PATH`, `torch#2=PATH`. E.g. `--python torch=/opt/env/bin/python`.
    budget
        Seconds for all timing; more than five rounds run only within them, and where a step takes
        0.25 s or more, no round. E.g. `--budget 600`.
    warmup
        How long each build warms up before it is timed, in seconds, e.g. `--warmup 2s`, or in
        steps, `500`; until its steps are steady, if not given.
    allow_settings
        Compare speed although settings in effect differ in a way that leaves no verdict, e.g.
        threads or denormals.
    per_phase
        Time single updates of each phase too, where a workload has several.
    no_speed
        Judge fidelity only.
    no_fidelity
        Measure speed only.
    fail_if_slower
        Exit with 3 if a build is materially slower than the first.
    accept
        Differences to take for the same: float32-constants, where a library holds numbers in
        float32 inside a float64 run and the sides agree in fp32; of pair files those that `harness
        list differences` explains. E.g. `--accept float32-constants`.
    dry_run
        Say what would be done, what would be provisioned and how long it takes.
    json
        Write the JSON to this file too. E.g. `--json result.json`.
    history
        Add the finished run to this history, e.g. `--history reports/history.sqlite`.
    export
        Write the speed in another program's format too, e.g. `--export pytest-benchmark
        speed.json`.
    resume
        Go on with the newest unfinished run of the same comparison.
    keep
        Keep all recorded tensors, not only those of comparisons that fail.
    reports
        Folder in which the run's own folder is made. E.g. `--reports nights`.
    limit
        Longest time that one request to a worker may take, seconds; of recording, which tells what
        it is at, the longest silence. E.g. `--limit 1800`.
    pass_env
        Names of further environment variables that workers see, e.g. `--pass-env MY_DATA`;
        SECURITY.md lists those that they always do.
    """

    backends: Annotated[tuple[str, ...], SEVERAL, WHAT] = ("tf2", "torch")
    workloads: Annotated[tuple[str, ...], SEVERAL, WHAT] = ()
    data: Annotated[str | None, WHAT] = None
    precision: Annotated[tuple[str, ...], SEVERAL, WHAT] = ("fp64", "fp32")
    preset: Annotated[str | None, WHAT] = None
    device: Annotated[str, WHAT] = "cpu"
    execution: Annotated[str, WHAT] = "default"
    stages: Annotated[tuple[str, ...], SEVERAL, JUDGED] = plan.LOCKSTEP_STAGES
    steps: Annotated[int | None, JUDGED] = None
    seed: Annotated[int, JUDGED] = 0
    seeds: Annotated[int | None, JUDGED] = None
    threads: Annotated[int | None, ENVIRONMENT] = None
    ports: Annotated[tuple[Path, ...], SEVERAL, WHAT] = ()
    path: Annotated[tuple[Path, ...], SEVERAL, ENVIRONMENT] = ()
    python: Annotated[tuple[str, ...], SEVERAL, ENVIRONMENT] = ()
    budget: Annotated[float, TIMED] = DEFAULT_BUDGET_S
    warmup: Annotated[str | None, TIMED] = None
    allow_settings: Annotated[bool, FLAG, TIMED] = False
    per_phase: Annotated[bool, FLAG, TIMED] = False
    no_speed: Annotated[bool, FLAG, TIMED] = False
    no_fidelity: Annotated[bool, FLAG, JUDGED] = False
    fail_if_slower: Annotated[bool, FLAG, TIMED] = False
    accept: Annotated[tuple[str, ...], SEVERAL, JUDGED] = ()
    dry_run: Annotated[bool, FLAG, ENVIRONMENT] = False
    json: Annotated[Path | None, WRITTEN] = None
    history: Annotated[Path | None, WRITTEN] = None
    export: Annotated[tuple[str, Path] | None, FLAG, WRITTEN] = None
    resume: Annotated[bool, FLAG, WRITTEN] = False
    keep: Annotated[bool, FLAG, WRITTEN] = False
    reports: Annotated[Path, WRITTEN] = Path("reports")
    limit: Annotated[float, ENVIRONMENT] = plan.LIMIT_S
    pass_env: Annotated[tuple[str, ...], SEVERAL, ENVIRONMENT] = ()
