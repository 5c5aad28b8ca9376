"""`synthetic_icu`: intensive-care stays that a small process with a seed makes up; the embedded cohort.

Each stay has a severity that wanders over the hours; vital signs follow it with their own noise, interventions start where it
is high and then tend to go on, and the outcome depends on where it ends. Nothing in it is real, nothing is missing.
"""

from __future__ import annotations

import functools

import numpy as np

from harness.workloads.ehr_mgan.cohort import Cohort
from harness.workloads.spec import normal

HOURS = 24
STAYS = {"tiny": 160, "small": 640, "paper": 2844}
#: Channel, unit's lower and upper end, centre, change by a unit of severity, spread between and within stays.
VITALS = (
    ("heart_rate", 30.0, 180.0, 84.0, 14.0, 8.0, 4.0),
    ("systolic_pressure", 60.0, 220.0, 122.0, -12.0, 12.0, 6.0),
    ("respiratory_rate", 5.0, 45.0, 18.0, 4.0, 2.5, 1.5),
    ("oxygen_saturation", 70.0, 100.0, 97.0, -2.5, 0.8, 0.6),
    ("temperature", 34.0, 41.5, 37.0, 0.35, 0.3, 0.15),
    ("diastolic_pressure", 30.0, 130.0, 66.0, -7.0, 7.0, 4.0),
    ("mean_pressure", 40.0, 160.0, 84.0, -9.0, 8.0, 4.0),
)
#: Intervention and the severities at which it starts and stops.
INTERVENTIONS = (("ventilation", 0.9, -0.2), ("vasopressor", 1.2, 0.1), ("fluid_bolus", 0.5, 0.4))
TINY_VITALS = 4
SEED = 20231
#: Values are rounded to this many binary digits, so that no platform's `exp` shows in them.
BITS = 16


@functools.lru_cache
def synthetic_icu(preset: str) -> Cohort:
    """Return the cohort of a preset: 4 (tiny) or 7 vital signs and 3 interventions over 24 hours."""
    vitals = VITALS[:TINY_VITALS] if preset == "tiny" else VITALS
    stays = STAYS[preset]
    generator = np.random.RandomState(SEED)
    severity = np.empty((stays, HOURS))
    severity[:, 0] = 0.8 * normal(generator, (stays,))
    drift = 0.05 * normal(generator, (stays,))
    for hour in range(1, HOURS):
        severity[:, hour] = 0.95 * severity[:, hour - 1] + drift + 0.25 * normal(generator, (stays,))
    minimum = np.array([item[1] for item in vitals])
    spread = np.array([item[2] for item in vitals]) - minimum
    continuous = np.empty((stays, HOURS, len(vitals)))
    for index, (_, low, high, centre, slope, between, within) in enumerate(vitals):
        value = centre + slope * severity + between * normal(generator, (stays, 1)) + within * normal(generator, (stays, HOURS))
        continuous[:, :, index] = (np.clip(value, low, high) - low) / (high - low)
    discrete = np.zeros((stays, HOURS, len(INTERVENTIONS)))
    for index, (_, start, stop) in enumerate(INTERVENTIONS):
        on = np.zeros(stays, bool)
        for hour in range(HOURS):
            felt = severity[:, hour] + 0.3 * normal(generator, (stays,))
            on = np.where(on, felt > stop, felt > start)
            discrete[:, hour, index] = on
    risk = severity[:, -6:].mean(axis=1) + 0.3 * normal(generator, (stays,))
    label = np.select([risk > 1.6, risk > 1.1, risk > 0.5], [0, 1, 2], 3).astype(np.int64)
    continuous = np.rint(np.ldexp(continuous, BITS))
    return Cohort(
        np.ldexp(continuous, -BITS), discrete, label, minimum, spread,
        tuple(item[0] for item in vitals), tuple(item[0] for item in INTERVENTIONS),
    )
