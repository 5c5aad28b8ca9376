"""The tables of the calibration in Markdown, and their place in docs/distribution.md."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from harness.fidelity import equivalence
from harness.fidelity.equivalence import ALPHA
from harness.fidelity.summaries import quantities
from tests.evaluation import pages
from tests.evaluation.calibration.pools import FAULTS, HONEST, Pools
from tests.evaluation.calibration.rates import (
    CONFIDENCE,
    CONSERVATIVE,
    PERMUTED,
    Discoveries,
    Rate,
    Verdicts,
    interval,
)
from tests.evaluation.zoo.mutant import ROOT
from tests.evaluation.zoo.tables import table

PAGE = ROOT / "docs/distribution.md"
#: Of a fault, the share of comparisons that have to find it.
POWER = 0.8
#: Faults that are missed, and why; one that is found after all has to leave.
MISSED = {
    "no_generator_noise": (
        "on `tiny` it moves nothing by much: the generators are hardly trained, and the decoders'"
        " dropout, which is on in generation, makes rows differ without it"
    ),
}


@dataclasses.dataclass(frozen=True)
class Findings:
    """Everything that was measured.

    Attributes:
        exact, split: rates of the families of tests with nothing to find, of the stand-in and of
            splits of the honest pool.
        verdicts: by what was compared: `STAND_IN`, `HONEST`, a mutant's name.
        mixture: discoveries where a third of the quantities differ.
        furthest: by mutant, the quantity that differs most over the whole pools, and by how many
            spreads.
        sizes: models of each pool.
    """

    exact: Sequence[Rate]
    split: Sequence[Rate]
    verdicts: Mapping[str, Verdicts]
    mixture: Discoveries
    furthest: Mapping[str, tuple[str, float]]
    sizes: Mapping[str, int]


STAND_IN = "stand-in"


def faults(found: Findings) -> list[str]:
    """Return what is not as it should be: the level of tests and verdicts, and power, but for what
    `MISSED` owns up to.

    Permuted labels make a test exact for splits of one pool too, whatever the pool: those families
    are held to it from above.
    """
    wrong = [
        f"{rate.family}: rejects {_percent(rate.mean)} of the time (single tests"
        f" {_percent(rate.lowest)} to {_percent(rate.highest)})"
        for rate in found.exact
        if not rate.calibrated
    ]
    wrong += [
        f"{HONEST}, {rate.family}: rejects {_percent(rate.mean)} of the time"
        for rate in found.split
        if rate.family in PERMUTED and rate.mean > interval(rate.repetitions)[1]
    ]
    for name in (STAND_IN, HONEST):
        said = found.verdicts[name]
        if said["FAIL"] > ALPHA:
            wrong.append(f"{name}: equal sides FAIL {_percent(said['FAIL'])} of the time")
    most = interval(found.verdicts[STAND_IN].repetitions)[1]
    if found.verdicts[STAND_IN].discovered > most:
        wrong.append(
            f"{STAND_IN}: equal sides show a difference"
            f" {_percent(found.verdicts[STAND_IN].discovered)} of the time"
        )
    if found.mixture.false > ALPHA:
        wrong.append(f"of what is discovered {_percent(found.mixture.false)} is false")
    for fault in FAULTS:
        seen = found.verdicts[fault.mutant.name]["FAIL"]
        if fault.mutant.name in MISSED and seen >= POWER:
            wrong.append(
                f"{fault.mutant.name} is among those known to be missed, and found {_percent(seen)}"
                " of the time"
            )
        elif fault.mutant.name not in MISSED and seen < POWER:
            wrong.append(f"{fault.mutant.name}: found {_percent(seen)} of the time only")
    return wrong


def _percent(value: float) -> str:
    return f"{100.0 * value:.1f} %"


def levels(found: Findings) -> str:
    """Return how often each family of tests rejects with nothing to find."""
    split = {rate.family: rate for rate in found.split}
    rows = []
    for rate in found.exact:
        low, high = interval(rate.repetitions)
        within = "yes" if rate.calibrated else "**no**"
        if rate.family in CONSERVATIVE and rate.mean < low:
            within = "below" if rate.calibrated else within
        other = split[rate.family]
        rows.append(
            (
                rate.family,
                rate.tests,
                _percent(rate.mean),
                _spread(rate),
                f"{_percent(low)} to {_percent(high)}",
                within,
                other.tests,
                _percent(other.mean),
                _spread(other),
            )
        )
    exact = ("stand-in: tests", "reject", "single tests", f"interval ({CONFIDENCE:.0%})", "within")
    return table(("test", *exact, "pool: tests", "reject", "single tests"), rows)


def _spread(rate: Rate) -> str:
    return f"{_percent(rate.lowest)} to {_percent(rate.highest)}" if rate.tests > 1 else ""


def verdicts(found: Findings) -> str:
    """Return the verdicts on equal sides and on each faulty port."""
    rows = [
        _row("equal sides, stand-in", found.verdicts[STAND_IN]),
        _row("equal sides, splits of the pool", found.verdicts[HONEST]),
    ]
    for fault in FAULTS:
        name = fault.mutant.name
        said, (quantity, effect) = found.verdicts[name], found.furthest[name]
        decided = f"{said.decided} ({said.decided_share:.0%})" if said.decided else ""
        far = f"{effect:.1f}" if effect <= 1000.0 else "above 1000"
        rows.append((*_row(fault.what, said, wanted=True)[:-2], decided, f"{quantity}: {far}"))
    shares = ("FAIL", "INCONCLUSIVE", "PASS", "any discovery")
    return table(
        ("compared", "comparisons", *shares, "FAIL names most often", "furthest quantity, spreads"),
        rows,
    )


def _row(what: str, said: Verdicts, wanted: bool = False) -> tuple[object, ...]:
    shares = [_percent(said[verdict]) for verdict in ("FAIL", "INCONCLUSIVE", "PASS")]
    if wanted and said["FAIL"] < POWER:
        shares[0] = f"**{shares[0]}**"
    return (what, said.repetitions, *shares, _percent(said.discovered), "", "")


def summary(found: Findings) -> str:
    """Return the setting and the false discoveries, in a paragraph."""
    models = ", ".join(f"{count} {name}" for name, count in found.sizes.items())
    mixture = found.mixture
    return (
        f"Models trained: {models}. In the mixture, where a third of the quantities differ by two"
        f" spreads, over {mixture.repetitions} repetitions: {_percent(mixture.false)} of what is"
        f" discovered is false on average, at a level of {_percent(ALPHA)};"
        f" {_percent(mixture.found)} of the true differences are discovered."
    )


def furthest(pools: Pools, name: str) -> tuple[str, float]:
    """Return the quantity whose means lie furthest apart between the whole pools, in spreads,
    and how far."""
    found = [
        equivalence.compare(item.name, item.a, item.b, item.negligible)
        for item in quantities(pools.draws[HONEST], pools.draws[name], pools.channels)
        if np.all(np.isfinite([*item.a, *item.b]))
    ]
    worst = max(found, key=lambda one: one.effect)
    return worst.name, worst.effect


def write(sections: Mapping[str, str], page: Path = PAGE) -> None:
    """Write sections of the page."""
    pages.write(page, sections)
