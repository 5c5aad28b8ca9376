"""Stays: vital signs in [0, 1], and interventions that follow from them."""

import numpy as np

from ehr import sizes


def load():
    random = np.random.RandomState(3)
    rows, hours = 8 * sizes.BATCH, np.arange(sizes.HOURS)
    vitals, interventions = sizes.CHANNELS.values()
    phase, speed = (random.uniform(0, 3, (rows, 1, vitals)) for _ in range(2))
    waves = 0.5 + 0.4 * np.sin(phase + speed * hours[None, :, None])
    level = waves[..., :interventions] + 0.2 * random.normal(
        size=(rows, sizes.HOURS, interventions)
    )
    return {"continuous": waves, "discrete": (level > 0.5).astype("float64")}
