"""`synthetic_icu`: intensive-care stays that a small process with a seed makes up; the embedded
cohort. Nothing in it is real.

Each stay has a severity, in no unit, that wanders over the hours with a drift of its own. Vital
signs follow it, each with its own spread between and within stays; the pressures are tied to each
other (diastolic < mean < systolic). Interventions start where the severity passes a threshold and
stop below a lower one, so they persist; the outcome depends on the last six hours' mean. A vital
sign that nobody charted in an hour has the last charted value, as in tables that were filled before
they were published.

Bits do not depend on the platform: uniform draws, sums, products and comparisons alone, then a
rounding to 2^-16.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.workloads.ehr_mgan.cohort import Cohort
from harness.workloads.generators import normal

Series = NDArray[np.float64]

NAME = "synthetic_icu"
HOURS = 24
STAYS = {"tiny": 160, "small": 640, "paper": 2844}


class Vital(NamedTuple):
    """One vital sign.

    Attributes:
        device: what measures it; everything of one device is charted in the same hours.
        low, high: limits, in the unit of the channel. centre: at severity 0. slope: change by one
            of severity.
        between, within: spread between stays and, hour by hour, within one. charted: share of
            hours.
    """

    name: str
    device: str
    low: float
    high: float
    centre: float
    slope: float
    between: float
    within: float
    charted: float


VITALS = (
    # 1/min
    Vital(
        name="heart_rate",
        device="monitor",
        low=30.0,
        high=180.0,
        centre=84.0,
        slope=14.0,
        between=8.0,
        within=4.0,
        charted=0.97,
    ),
    # mmHg
    Vital(
        name="systolic_pressure",
        device="cuff",
        low=60.0,
        high=220.0,
        centre=122.0,
        slope=-12.0,
        between=12.0,
        within=6.0,
        charted=0.92,
    ),
    # 1/min
    Vital(
        name="respiratory_rate",
        device="chest belt",
        low=5.0,
        high=45.0,
        centre=18.0,
        slope=4.0,
        between=2.5,
        within=1.5,
        charted=0.95,
    ),
    # %
    Vital(
        name="oxygen_saturation",
        device="oximeter",
        low=70.0,
        high=100.0,
        centre=97.0,
        slope=-2.5,
        between=0.8,
        within=0.6,
        charted=0.95,
    ),
    # degrees Celsius
    Vital(
        name="temperature",
        device="thermometer",
        low=34.0,
        high=41.5,
        centre=37.0,
        slope=0.35,
        between=0.3,
        within=0.15,
        charted=0.4,
    ),
    # mmHg, before it follows the systolic one
    Vital(
        name="diastolic_pressure",
        device="cuff",
        low=30.0,
        high=130.0,
        centre=66.0,
        slope=-2.0,
        between=5.0,
        within=3.0,
        charted=0.92,
    ),
    # mmHg; what it has beside the other two
    Vital(
        name="mean_pressure",
        device="cuff",
        low=40.0,
        high=160.0,
        centre=0.0,
        slope=0.0,
        between=0.0,
        within=1.5,
        charted=0.92,
    ),
)
#: Intervention and the severities at which it starts and stops.
INTERVENTIONS = (("ventilation", 0.9, -0.2), ("vasopressor", 1.2, 0.1), ("fluid_bolus", 0.5, 0.4))
#: The risks above which an outcome is the first, second or third class; below all of them it is the
#: last.
OUTCOMES = ("ICU death", "hospital death", "readmission within 30 days", "none of these")
RISKS, RISK_HOURS = (1.6, 1.1, 0.5), 6
TINY_VITALS = 4
SEED = 20231
BITS = 16
#: Share of the systolic pressure's own deviation that the diastolic one follows, and mmHg at least
#: between two pressures.
DIASTOLIC_SHARE, APART = 0.4, 3.0


@functools.lru_cache
def synthetic_icu(preset: str) -> Cohort:
    """Return the cohort of a preset: 4 (tiny) or 7 vital signs and 3 interventions over 24
    hours."""
    vitals = VITALS[:TINY_VITALS] if preset == "tiny" else VITALS
    stays = STAYS[preset]
    generator = np.random.RandomState(SEED)
    severity = _severity(generator, stays)
    measured = {vital.name: _measured(generator, vital, severity) for vital in vitals}
    if "mean_pressure" in measured:
        _tie_pressures(measured)
    discrete = np.stack(
        [_intervention(generator, severity, start, stop) for _, start, stop in INTERVENTIONS],
        axis=2,
    )
    risk = sum(severity[:, -RISK_HOURS:].T) / RISK_HOURS + 0.3 * normal(generator, (stays,))
    classes = np.select([risk > least for least in RISKS], range(len(RISKS)), len(RISKS))
    label = classes.astype(np.int64)
    minimum = np.array([vital.low for vital in vitals])
    spread = np.array([vital.high for vital in vitals]) - minimum
    bounded = np.stack(
        [np.clip(measured[vital.name], vital.low, vital.high) for vital in vitals], axis=2
    )
    filled = np.take_along_axis(bounded, _charted(vitals, stays), axis=1)
    continuous = np.rint(np.ldexp((filled - minimum) / spread, BITS))
    return Cohort(
        name=NAME,
        continuous=np.ldexp(continuous, -BITS),
        discrete=discrete,
        label=label,
        minimum=minimum,
        range=spread,
        channels=tuple(vital.name for vital in vitals),
        interventions=tuple(name for name, _, _ in INTERVENTIONS),
    )


def _severity(generator: np.random.RandomState, stays: int) -> Series:
    """Return [stays, hours]: an autoregression of order one with a drift of the stay's own."""
    severity = np.empty((stays, HOURS))
    severity[:, 0] = 0.8 * normal(generator, (stays,))
    drift = 0.05 * normal(generator, (stays,))
    for hour in range(1, HOURS):
        severity[:, hour] = (
            0.95 * severity[:, hour - 1] + drift + 0.25 * normal(generator, (stays,))
        )
    return severity


def _measured(generator: np.random.RandomState, vital: Vital, severity: Series) -> Series:
    of_stay = vital.between * normal(generator, (len(severity), 1))
    own = of_stay + vital.within * normal(generator, severity.shape)
    return vital.centre + vital.slope * severity + own


def _tie_pressures(measured: dict[str, Series]) -> None:
    """Let the diastolic pressure follow the systolic one in part, and lay the mean a third of the
    way up, plus its own noise."""
    systolic = measured["systolic_pressure"]
    follow = DIASTOLIC_SHARE * (systolic - VITALS[1].centre)
    diastolic = np.minimum(measured["diastolic_pressure"] + follow, systolic - 5 * APART)
    mean = measured["mean_pressure"] + diastolic + (systolic - diastolic) / 3
    measured["diastolic_pressure"] = diastolic
    measured["mean_pressure"] = np.clip(mean, diastolic + APART, systolic - APART)


def _charted(vitals: Sequence[Vital], stays: int) -> NDArray[np.int64]:
    """Return [stays, hours, vitals]: the hour whose value stands at each hour; where nothing was
    charted, the last that was, and before the first charted hour, that one. The pressures are
    charted together."""
    generator = np.random.RandomState(SEED + 1)
    seen: dict[str, NDArray[np.bool_]] = {}
    for vital in vitals:
        if vital.device not in seen:
            seen[vital.device] = generator.uniform(size=(stays, HOURS)) < vital.charted
    charted = np.stack([seen[vital.device] for vital in vitals], axis=2)
    charted[:, 0] |= ~charted.any(axis=1)
    hours = np.where(charted, np.arange(HOURS)[:, None], charted.argmax(axis=1)[:, None])
    return np.maximum.accumulate(hours, axis=1)


def _intervention(
    generator: np.random.RandomState, severity: Series, start: float, stop: float
) -> Series:
    """Return [stays, hours] of 0 and 1: off at first, on above one severity, off again below the
    other, each felt with noise."""
    series = np.zeros(severity.shape)
    on = np.zeros(len(severity), bool)
    for hour in range(HOURS):
        felt = severity[:, hour] + 0.3 * normal(generator, (len(severity),))
        on = np.where(on, felt > stop, felt > start)
        series[:, hour] = on
    return series
