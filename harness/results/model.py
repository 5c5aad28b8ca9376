"""The judged result of a run: what every renderer draws and what the JSON holds.

Owns the shape of a judged run, nothing else: no judging, no input or output. Frozen dataclasses of
plain values, so that judging the same records again gives the same bytes.

History of `SCHEMA`: 1 (first), 2 (a seal in its JSON). What came later (`quality`, `seeds`,
`compared`, ...) has a default, so older reports are read.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from backends.contract import ACTIONS, Stage, Status
from harness.results.precisions import Precisions
from harness.results.series import Compared, Curve, FigureHistory, Spread, Turns
from harness.results.verdicts import Bounds, Fidelity, Shown, Speed

SCHEMA, SEALED_SINCE = 2, 2


@dataclasses.dataclass(frozen=True)
class StageRow:
    """One stage of one pair at one precision.

    Attributes:
        a, b: builds; `b` is the one whose values are the denominator of the error measure.
        stage: a rung of the ladder, or the bounds of a lower precision (a = b's float64 run).
        verdict: PASS, FAIL or INCONCLUSIVE; "INFO" marks a row that is printed but never summed up.
        worst: the tensor furthest above (or nearest to) its own threshold; for FAIL, the first one
            that departs.
        error, floor, threshold: of that tensor, by the error measure (dimensionless); None where
            none was compared.
        value_a, value_b: the two values at that tensor's worst element.
        place: index of that element, e.g. "[3, 0, 17]".
        tensors: how many tensors were judged; `null`: names of those that are mathematically zero,
            with the reason.
        reason: one sentence.
        command: reproduces the verdict. `logs`: paths of the jobs' logs, relative to the run's
            folder.
        preset, seed: which sizes, and which draw of data and tape.
        max_error: the largest error of any compared tensor, by the error measure; unlike `error`,
            not chosen by threshold.
        beyond: how many tensors lie beyond the horizon, where rounding alone explains any
            difference.
        seeds: of the distribution stage: trained models of each build that were judged, the fewer
            of the two. There, `tensors` are quantities, `error` is their difference in spreads
            between seeds, `threshold` the margin in the same unit, `floor` what the seeds' own
            noise takes off it, `value_a` and `value_b` the means over seeds.
        needed: about how many seeds a build would give a verdict, where it is INCONCLUSIVE and that
            can be told.
        first_bad_step: of a trajectory that failed, counted from 1, where replays have found it.
        wrong_layers: of a forward pass that failed, every layer that departs although its input was
            right, where a teacher-forced run has found them. Then `worst` is the first of them,
            with its numbers of that run if it is not the first that departs in the other.
        compared: error against floor of the tensors, for a plot.
        decided: how many tensors were compared, and agree or depart; the others of `tensors` are
            zero, beyond the horizon or undecided. None in reports that were written before it was
            told.
        excuse: what `--accept` would take the difference of a FAIL for, `float32-constants`;
            accepted: it was, and the verdict is PASS.
        unseen: activations that one side has said it cannot show.
        device, execution, data, threads: how both sides ran; `data` is "" for the workload's own.
        interpreters: of a and of b, where the user has named one.
        a_side, b_side: the sides, where the rows of bounds and of chains add words to their labels;
            else empty: see `sides`.
        not_looked_at: of a row that informs, that a port lacks the method which the stage needs.
    """

    workload: str
    a: str
    b: str
    precision: str
    stage: Stage | Bounds
    verdict: Fidelity
    reason: str
    worst: str | None = None
    error: float | None = None
    floor: float | None = None
    threshold: float | None = None
    value_a: float | None = None
    value_b: float | None = None
    place: str | None = None
    tensors: int = 0
    null: tuple[str, ...] = ()
    command: str = ""
    logs: tuple[str, ...] = ()
    preset: str = ""
    seed: int = 0
    max_error: float | None = None
    beyond: int = 0
    seeds: int = 0
    needed: int | None = None
    first_bad_step: int | None = None
    wrong_layers: tuple[str, ...] = ()
    compared: Compared | None = None
    decided: int | None = None
    unseen: tuple[str, ...] = ()
    excuse: str = ""
    accepted: bool = False
    device: str = "cpu"
    execution: str = "default"
    data: str = ""
    threads: int = 0
    interpreters: tuple[str, ...] = ()
    a_side: str = ""
    b_side: str = ""
    not_looked_at: bool = False

    @property
    def sides(self) -> tuple[str, str]:
        """The two sides, without what a row adds to their labels: `torch` of `torch fp64`."""
        return self.a_side or self.a, self.b_side or self.b

    @property
    def shown(self) -> Fidelity | Shown:
        """The verdict as cells show it: a PASS that rests on an accepted difference is told from
        one that needs none."""
        return Shown.ACCEPTED if self.accepted else self.verdict

    @property
    def counted(self) -> int:
        """How many tensors were compared."""
        return self.tensors - len(self.null) - self.beyond if self.decided is None else self.decided

    @property
    def left_out(self) -> int:
        """How many tensors were not compared: mathematically zero, beyond the horizon, undecided,
        or shown by one side alone."""
        return self.tensors - self.counted + len(self.unseen)


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one side's step costs beside its time. None where it could not be had; `missing` says
    why, by attribute.

    Attributes:
        baseline_bytes: resident memory of the process tree once the port was open, before its first
            step.
        device_peak_bytes: the most that the framework itself had allocated on the GPU.
        private_bytes: of the peak, what is no page of a mapped file. Pages of libraries depend on
            the page cache, and are not compared.
        trace_s: what the first step took beyond a steady one: tracing and compiling, seconds.
        p50_s, p95_s, p99_s: of single calls of `generate`, over all rounds, seconds.
        flops: floating-point operations of a step's matrix products and convolutions;
            `flops_source`: who counted them.
        peak_rate: the most such operations a second that a square product reaches in this build, on
            this device, in this setting.
        utilisation: flops / step time / peak_rate. energy_j: joules a step, of the whole GPU board,
            as NVML counts.
    """

    missing: dict[str, str]
    baseline_bytes: int | None = None
    device_peak_bytes: int | None = None
    trace_s: float | None = None
    p50_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    flops: float | None = None
    flops_source: str = ""
    peak_rate: float | None = None
    utilisation: float | None = None
    energy_j: float | None = None
    private_bytes: int | None = None


@dataclasses.dataclass(frozen=True)
class SpeedRow:
    """One paired comparison of step times. `ratio` is time of `b` over time of `a`: above 1, b is
    slower than a.

    Attributes:
        action: `train`, `generate`, or the name of a phase, for single updates of it.
        ratio, low, high: the estimate and its 99 % interval; None where nothing could be estimated.
        verdict: FASTER, SLOWER, SAME or UNCLEAR, of b against a; REFUSED where settings in effect
            differ so that a ratio means nothing.
        material: whether the whole interval lies outside the margin.
        rounds: rounds of fresh processes; `more_rounds`: about how many in all would settle
            UNCLEAR, or halve the interval of another verdict, and `more_s` how long they take.
        a_step_s, b_step_s: median step time over rounds, seconds. `a_rate`, `b_rate`: samples per
            second.
        a_warmup_s, b_warmup_s: build, trace, compile and first steps, seconds. `a_peak_bytes`,
            `b_peak_bytes`: peak resident memory of the worker's process tree during this action.
        differences: effective settings in which the two sides differ, e.g. "xla: a on, b off".
        seed: which draw of data and tape.
        segment: of the schedule, the one whose steps `train` times.
        a_build_s, b_build_s: building the model and its graph, seconds. `a_first_step_s`,
            `b_first_step_s`: latency of the first step, with whatever is traced or compiled then.
            Medians over rounds; together they are the warm-up.
        a_cost, b_cost: what a step costs beside time. gain: the row compares two precisions of one
            build, `precision` names both.
        turns: step times round by round, for a plot. obstacle: what kept an UNCLEAR verdict from
            being made other than noise: a busy machine, steps that change while they are measured
            or are too long for the budget.
        device, execution, data, interpreters: as in `StageRow`.
        machine: in a report that `harness merge` has made, the machine on which it was timed; rows
            of two machines are never one.
    """

    workload: str
    a: str
    b: str
    precision: str
    preset: str
    action: str
    verdict: Speed
    reason: str
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    material: bool = False
    rounds: int = 0
    more_rounds: int | None = None
    more_s: float | None = None
    a_step_s: float | None = None
    b_step_s: float | None = None
    a_rate: float | None = None
    b_rate: float | None = None
    a_warmup_s: float | None = None
    b_warmup_s: float | None = None
    a_peak_bytes: int | None = None
    b_peak_bytes: int | None = None
    threads: int = 0
    differences: tuple[str, ...] = ()
    command: str = ""
    logs: tuple[str, ...] = ()
    seed: int = 0
    segment: str = ""
    a_build_s: float | None = None
    b_build_s: float | None = None
    a_first_step_s: float | None = None
    b_first_step_s: float | None = None
    a_cost: Cost | None = None
    b_cost: Cost | None = None
    gain: bool = False
    turns: Turns | None = None
    obstacle: str = ""
    device: str = "cpu"
    execution: str = "default"
    data: str = ""
    interpreters: tuple[str, ...] = ()
    machine: str = ""

    @property
    def by_phase(self) -> bool:
        """Whether single updates of one phase were timed: such a row informs, and decides
        nothing."""
        return self.action not in ACTIONS

    @property
    def precisions(self) -> Precisions:
        """What `precision` names."""
        return Precisions.read(self.precision)


@dataclasses.dataclass(frozen=True)
class QualityRow:
    """One metric of what one build's models generate, against real rows that were held out.

    Attributes:
        better: `lower`, `higher`, or the value that is best.
        mean, low, high: over the seeds that gave a number, with the 95 % interval of the mean; None
            where there is none.
        seeds: how many gave a number. baseline: real training rows in place of generated ones, what
            a perfect model would get.
        reason: why a number is missing.
    """

    workload: str
    build: str
    precision: str
    preset: str
    metric: str
    better: str
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: int = 0
    baseline: float | None = None
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class JobRow:
    """How one job ended.

    Attributes:
        build: the side; of a timed round, the labels of all that took part. sides: the same one by
            one, where they are several; else empty: see `builds`.
        seed: which draw of data and tape; of a model trained for the distribution stage, the seed
            of its own. None in reports that were written before it was told.
    """

    job: str
    build: str
    workload: str
    kind: str
    precision: str
    status: Status
    reason: str
    duration_s: float
    log: str
    seed: int | None = None
    sides: tuple[str, ...] = ()

    @property
    def builds(self) -> tuple[str, ...]:
        """The sides that took part."""
        return self.sides or (self.build,)


@dataclasses.dataclass(frozen=True)
class BuildRow:
    """What a build turned out to be: the worker's own report, not what the pins hoped for.

    Attributes:
        effective: settings in effect in its first lockstep job, or, where only speed was asked for,
            while it was timed.
        port: by workload, the port file that was used and the hash of its source: "path, hash".
        timed: settings in effect while it was timed, by workload, action and precision: "cnn train
            fp32".
    """

    build: str
    python: str
    platform: str
    versions: dict[str, str]
    origin: str
    effective: dict[str, Any]
    port: dict[str, str] = dataclasses.field(default_factory=dict)
    timed: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Report:
    """A judged run.

    Attributes:
        fidelity: PASS, FAIL, INCONCLUSIVE, or "NONE" when no stage was asked for.
        headline: the answer in one sentence.
        notes: what a reader must know: references used in place of a build, abilities that a port
            lacks, ...
        tapes: SHA-256 of the tape by `workload/preset/seed`.
        curves, spreads: losses over training, and what models generate beside real rows, for plots.
            history: figures over earlier runs.
        commit: of the harness's own checkout, with `-dirty` where files differ from it; empty for
            an installed wheel.
    """

    title: str
    created: str
    harness_version: str
    command: str
    fidelity: Fidelity
    headline: str
    stages: tuple[StageRow, ...]
    speed: tuple[SpeedRow, ...]
    jobs: tuple[JobRow, ...]
    builds: tuple[BuildRow, ...]
    tapes: dict[str, str]
    notes: tuple[str, ...] = ()
    exit_code: int = 0
    schema: int = SCHEMA
    quality: tuple[QualityRow, ...] = ()
    curves: tuple[Curve, ...] = ()
    spreads: tuple[Spread, ...] = ()
    history: tuple[FigureHistory, ...] = ()
    commit: str = ""

    @property
    def merged(self) -> bool:
        """Whether its speed was timed on several machines."""
        return any(row.machine for row in self.speed)
