"""A workload of two parameters and an honest port of it, in which a test plants a mistake."""

from __future__ import annotations

import textwrap

import numpy as np

from backends.contract import Setting
from backends.diagnosis import promises
from backends.protocol import loading
from backends.source import TapeSource

CONFIG = {
    "workload": "line",
    "batch": 4,
    "phases": ["train"],
    "forward": {"phase": "train", "modes": ["training"]},
    "parameters": [
        {"name": "w", "shape": [2, 1], "trainable": True},
        {"name": "b", "shape": [1], "trainable": True},
    ],
    "updates": [{"phase": "train", "optimizer": "sgd", "parameters": ["w", "b"]}],
    "schedule": [{"name": "train", "steps": None, "phases": ["train"]}],
    "optimizers": {"sgd": {"kind": "sgd", "learning_rate": 0.125}},
}
#: An honest port.
HONEST = textwrap.dedent("""
    import numpy as np
    from backends import contract


    class Port(contract.Port):
        def __init__(self, config, setting):
            super().__init__(config, setting)

        def load_parameters(self, values):
            self.w, self.b = np.array(values["w"]), np.array(values["b"])

        def parameters(self):
            return {"w": self.w.copy(), "b": self.b.copy()}

        def train(self, source, steps):
            losses = []
            for _ in range(steps):
                batch = source.batch(source.cursor, "train").arrays
                source.cursor += 1
                error = batch["x"] @ self.w + self.b - batch["y"]
                losses.append(float((error * error).mean()))
                self.w -= 0.125 * batch["x"].T @ error
            return {"total": losses}

        def generate(self, source, count):
            return source.evaluation_rows(count)["x"] @ self.w + self.b

        def forward(self, batch, training):
            return {"out": batch.arrays["x"] @ self.w + self.b}

        def losses(self, phase, batch):
            return {"total": 1.0}

        def gradients(self, phase, batch):
            return {"w": np.zeros((2, 1)), "b": np.zeros(1)}

        def train_step(self, phase, batch):
            return {"total": 1.0}
""").lstrip()


def write(folder, old="", new=""):
    """Write the port with something replaced below a folder, and return its path."""
    path = folder / "mine" / "numpy" / "line.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    assert old in HONEST
    path.write_text(HONEST.replace(old, new) if old else HONEST)
    return str(path)


def tape():
    """Return a tape of two steps."""
    generator = np.random.RandomState(0)
    data = {
        "x": generator.normal(size=(8, 2)),
        "y": generator.normal(size=(8, 1)),
        "eval_x": generator.normal(size=(3, 2)),
    }
    return TapeSource(data, {"batches": np.arange(8).reshape(2, 4)}, 4)


def trial(path):
    """Build a port, load its parameters and return what tries it."""
    port = loading.load(path)(CONFIG, Setting(precision="fp64"))
    promises.check_built(port, path)
    port.load_parameters({"w": np.ones((2, 1)), "b": np.zeros(1)})
    return promises.Trial(port, CONFIG, path)


def everything(tried, source):
    """Call every method once."""
    batch = source.batch(0, "train")
    tried.parameters()
    tried.train(source)
    tried.generate(source, 4)
    tried.forward(batch, True)
    tried.losses("train", batch)
    tried.gradients("train", batch)
    tried.train_step("train", batch)
