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

SEVERAL = Parameter(consume_multiple=True, negative="")
PRESETS = ("tiny", "small", "paper")
DEFAULT_BUDGET_S = 120.0

#: Options of several commands that measure, each with its help text.
Threads = Annotated[
    int | None,
    Parameter(help="Threads of each worker's intra-operation pool; if not given, all cores."),
]
Ports = Annotated[
    tuple[Path, ...], SEVERAL, Parameter(help="Folders with workloads and ports of your own.")
]
Paths = Annotated[
    tuple[Path, ...],
    SEVERAL,
    Parameter(
        help="Folders of the packages that a pair file imports, beside its own and PYTHONPATH's."
    ),
]
Python = Annotated[
    tuple[str, ...], SEVERAL, Parameter(help="BUILD=PATH, the interpreter of a build.")
]
Reports = Annotated[Path, Parameter(help="Folder in which the run's own folder is made.")]
Limit = Annotated[
    float, Parameter(help="Longest time that one request to a worker may take, seconds.")
]
PassEnv = Annotated[
    tuple[str, ...],
    SEVERAL,
    Parameter(
        help="Names of further environment variables that workers see, e.g. MY_DATA; SECURITY.md"
        " lists those that they always do."
    ),
]


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Options that `compare` and `run` share.

    Parameters
    ----------
    backends
        Backends or builds to compare, e.g. `tf2 torch`. The same one twice compares it with itself;
        `torch@FOLDER` takes the ports in FOLDER and no others, and is called `torch@` and the
        folder's name from there on.
    workloads
        Which workloads; if not given, all that run by default (see `harness list`) and that at
        least two of the backends have.
    data
        What workloads that take data train on: synthetic_icu (theirs, if not given), daphnet, or a
        folder with a cohort of your own.
    precision
        Which precisions: fp64 fp32 tf32 bf16 fp16.
    preset
        tiny, small or paper, for fidelity and speed alike (else tiny for fidelity, small for
        speed).
    device
        cpu, gpu or tpu.
    execution
        default, eager, graph, compiled, for torch on a GPU cudagraph, or for tf1 callable, in place
        of Session.run.
    stages
        Which stages of the ladder: weights forward loss gradients update trajectory distribution,
        or W F L G U T D. distribution trains models from independent seeds, see --seeds; without it
        all others are looked at.
    steps
        Training steps of the trajectory stage, at most 100000, and no more than a tape of 4 GiB
        holds; the workload's own number, if not given.
    seed
        Seed of the (first) tape.
    seeds
        How many seeds: tapes, counted up from --seed, and models of each build for the distribution
        stage. If not given, one tape and 8 models.
    threads
        Threads of each build's intra-operation pool; if not given, all cores, and one where `tiny`
        is recorded.
    ports
        Folders with workloads and ports of your own.
    path
        Folders of the packages that a pair file imports, beside its own folder and those of
        PYTHONPATH.
    python
        BUILD=PATH, the interpreter of a build, or of one side by its name in tables:
        `torch@mine=PATH`, `torch#2=PATH`.
    budget
        Seconds for all timing; more than five rounds run only within them, and where a step takes
        0.25 s or more, no round.
    warmup
        How long each build warms up before it is timed: `2s`, or steps, `500`; until its steps are
        steady, if not given.
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
        float32 inside a float64 run and the sides agree in fp32; of pair files those that
        `harness list differences` explains.
    dry_run
        Say what would be done, what would be provisioned and how long it takes.
    json
        Write the JSON to this file too.
    history
        Add the finished run to this history, e.g. reports/history.sqlite.
    export
        Write the speed in another program's format too: `pytest-benchmark FILE`.
    resume
        Go on with the newest unfinished run of the same comparison.
    keep
        Keep all recorded tensors, not only those of comparisons that fail.
    reports
        Folder in which the run's own folder is made.
    limit
        Longest time that one request to a worker may take, seconds; of recording, which tells what
        it is at, the longest silence.
    pass_env
        Names of further environment variables that workers see, e.g. MY_DATA; SECURITY.md lists
        those that they always do.
    """

    backends: Annotated[tuple[str, ...], SEVERAL] = ("tf2", "torch")
    workloads: Annotated[tuple[str, ...], SEVERAL] = ()
    data: str | None = None
    precision: Annotated[tuple[str, ...], SEVERAL] = ("fp64", "fp32")
    preset: str | None = None
    device: str = "cpu"
    execution: str = "default"
    stages: Annotated[tuple[str, ...], SEVERAL] = plan.LOCKSTEP_STAGES
    steps: int | None = None
    seed: int = 0
    seeds: int | None = None
    threads: int | None = None
    ports: Annotated[tuple[Path, ...], SEVERAL] = ()
    path: Annotated[tuple[Path, ...], SEVERAL] = ()
    python: Annotated[tuple[str, ...], SEVERAL] = ()
    budget: float = DEFAULT_BUDGET_S
    warmup: str | None = None
    allow_settings: Annotated[bool, Parameter(negative="")] = False
    per_phase: Annotated[bool, Parameter(negative="")] = False
    no_speed: Annotated[bool, Parameter(negative="")] = False
    no_fidelity: Annotated[bool, Parameter(negative="")] = False
    fail_if_slower: Annotated[bool, Parameter(negative="")] = False
    accept: Annotated[tuple[str, ...], SEVERAL] = ()
    dry_run: Annotated[bool, Parameter(negative="")] = False
    json: Path | None = None
    history: Path | None = None
    export: Annotated[tuple[str, Path] | None, Parameter(negative="")] = None
    resume: Annotated[bool, Parameter(negative="")] = False
    keep: Annotated[bool, Parameter(negative="")] = False
    reports: Path = Path("reports")
    limit: float = plan.LIMIT_S
    pass_env: Annotated[tuple[str, ...], SEVERAL] = ()
