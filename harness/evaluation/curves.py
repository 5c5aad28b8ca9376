"""What plots are drawn from that no verdict needs: losses over training and what trained models
generate, read one record at a time.

A file that cannot be read leaves its curve out; the verdict of its stage says which file.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping

from backends.contract import Stage
from harness.errors import CorruptRecord
from harness.evaluation import pair_evidence
from harness.execution import samples
from harness.execution.runner import RunContext
from harness.fidelity import plot_series
from harness.fidelity.evidence import Evidence
from harness.fidelity.plot_series import PlotSubject
from harness.fidelity.summaries import series
from harness.plan import Job, Plan, SampleJob
from harness.records import store
from harness.results.series import REAL, Curve, Spread

Records = Mapping[str, store.Record]
Steps = dict[int, float]
#: Seeds whose own curves are kept: as many as the distribution stage trains unless it is asked for
#: more.
MOST_SEEDS = 8


def curves(
    planned: Plan, evidences: pair_evidence.JobEvidences, sampled: Records
) -> tuple[Curve, ...]:
    """Return the loss curves of every side: on the tape, then from seeds of its own.

    Args:
        planned: its pairs and training jobs, in the order of the curves.
        evidences: of the lockstep jobs, by name.
        sampled: the records of the training jobs, by name.
    """
    seeds: dict[tuple[PlotSubject, str], dict[str, list[Steps]]] = {}
    numbers: dict[tuple[PlotSubject, str], dict[str, list[int]]] = {}

    def note(key: tuple[PlotSubject, str], seed: int, terms: Mapping[str, Steps]) -> None:
        for term, steps in terms.items():
            seeds.setdefault(key, {}).setdefault(term, []).append(steps)
            numbers.setdefault(key, {}).setdefault(term, []).append(seed)

    seen = set()
    for pair in planned.pairs:
        for job in (pair.a, pair.b) if Stage.TRAJECTORY in pair.stages else ():
            evidence = evidences[job.name].evidence
            if evidence is None or job.name in seen:  # a side takes part in several pairs
                continue
            seen.add(job.name)
            note((_subject(job), "lockstep"), job.seed, _lockstep(evidence))
    for sample in planned.samples:
        if sample.name in sampled and sampled[sample.name].ok:
            note((_subject(sample), "native"), sample.own_seed, _native(sampled[sample.name]))
    drawn = [
        _curve(key, term, values, numbers[key][term])
        for key, terms in seeds.items()
        for term, values in terms.items()
    ]
    return tuple(curve for curve in drawn if curve is not None)


def _curve(
    key: tuple[PlotSubject, str], term: str, seeds: list[Steps], numbers: list[int]
) -> Curve | None:
    """Return the band of one term over seeds, with the line of each seed beside it."""
    band = plot_series.curve(*key, term, seeds)
    if band is None or len(seeds) == 1:
        return band and dataclasses.replace(band, numbers=tuple(numbers))
    common = set.intersection(*(set(seed) for seed in seeds))
    each = []
    for seed in seeds[:MOST_SEEDS]:
        line = plot_series.curve(*key, term, [{step: seed[step] for step in common}])
        if line is not None:
            each.append(line.middle)
    return dataclasses.replace(band, each=tuple(each), numbers=tuple(numbers[: len(each)]))


def _subject(job: Job | SampleJob) -> PlotSubject:
    return PlotSubject(job.workload, job.side, job.precision, job.preset)


def _lockstep(evidence: Evidence) -> dict[str, Steps]:
    with contextlib.suppress(CorruptRecord):
        return plot_series.lockstep(evidence)
    return {}


def _native(record: store.Record) -> dict[str, Steps]:
    """Return the losses of one training by term and by step counted from 1, of all segments."""
    losses: dict[str, Steps] = {}
    with contextlib.suppress(CorruptRecord):
        for term in plot_series.terms(record.sampled.terms):
            values = record.read(samples.LOSSES, samples.VALUE + term)
            steps = record.read(samples.LOSSES, samples.STEP + term)
            losses[term] = {
                int(step) + 1: float(value) for step, value in zip(steps, values, strict=True)
            }
    return losses


def spreads(planned: Plan, sampled: Records, run_context: RunContext) -> tuple[Spread, ...]:
    """Return the quantiles of what each side's models generate, and of real rows where a workload
    has some.

    Args:
        planned: its training jobs, in the order of the sides.
        sampled: their records, by name; those that did not end well are left out.
        run_context: its workloads have the real rows, and the names of channels.
    """
    sides: dict[PlotSubject, list[SampleJob]] = {}
    for job in planned.samples:
        if job.name in sampled and sampled[job.name].ok:
            sides.setdefault(_subject(job), []).append(job)
    drawn: list[Spread] = []
    with_real: set[tuple[str, str]] = set()
    for subject, jobs in sides.items():
        spec = run_context.workloads[jobs[0].workload]
        real = spec.held_out(spec.config(jobs[0].preset))
        if real is not None and (jobs[0].workload, jobs[0].precision) not in with_real:
            with_real.add((jobs[0].workload, jobs[0].precision))
            drawn.append(
                plot_series.spread(
                    dataclasses.replace(subject, build=REAL),
                    real.channels,
                    [plot_series.quantiles(series(real.rows))],
                )
            )
        models = []
        for job in jobs:
            with contextlib.suppress(CorruptRecord):
                models.append(
                    plot_series.quantiles(
                        series(sampled[job.name].read(samples.SAMPLES, samples.SAMPLES))
                    )
                )
        if models and len({model.shape for model in models}) == 1:
            drawn.append(plot_series.spread(subject, real.channels if real else (), models))
    return tuple(drawn)
