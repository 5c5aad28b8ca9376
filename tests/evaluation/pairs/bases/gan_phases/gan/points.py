"""Points on a ring, and what a maker makes points of."""

import numpy as np


def load():
    generator = np.random.RandomState(11)
    angle = generator.uniform(0, 6, 96)
    x = np.stack([np.cos(angle), np.sin(angle)], 1) + 0.1 * generator.normal(size=(96, 2))
    return {"x": x.astype("float32"), "z": generator.normal(size=(96, 4)).astype("float32")}
