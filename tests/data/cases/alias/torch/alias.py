import math
import numpy as np
import torch
from torch.nn import functional as F
from backends import contract


class Bare(contract.Port):
    def __init__(self, config, setting):
        super().__init__(config, setting)
        torch.set_num_threads(setting.threads)
        self.dtype = torch.float64 if setting.precision == "fp64" else torch.float32
        self.w = {i["name"]: torch.zeros(tuple(i["shape"]), dtype=self.dtype, requires_grad=i["trainable"]) for i in config["parameters"]}

    def load_parameters(self, values):
        with torch.no_grad():
            for n, w in self.w.items():
                w.copy_(torch.from_numpy(np.array(values[n])))
        self.reset()

    def reset(self):
        pass

    def parameters(self):
        return {n: w.detach().numpy().copy() for n, w in self.w.items()}

    def t(self, arrays):
        return {n: (torch.tensor(v, dtype=self.dtype) if v.dtype.kind == "f" else torch.tensor(v)) for n, v in arrays.items()}

    def train(self, source, steps):
        out = []
        for _ in range(steps):
            b = source.batch(source.cursor, "train")
            source.cursor += 1
            out.append(self.step(self.t(b.arrays), self.t(b.noise or {})))
        return {"total": out}

    def generate(self, source, count):
        with torch.no_grad():
            return self.net(self.t(source.evaluation_rows(count))).numpy()

    def leaves(self):
        return [w for w in self.w.values() if w.requires_grad]

    def zero(self):
        for w in self.w.values():
            w.grad = None


class Port(contract.Port):
    def __init__(self, config, setting):
        super().__init__(config, setting)
        self.dt = np.float64 if setting.precision == "fp64" else np.float32

    def load_parameters(self, values):
        self.w, self.b = np.array(values["w"], self.dt), np.array(values["b"], self.dt)

    def parameters(self):
        return {"w": self.w, "b": self.b}

    def train(self, source, steps):
        out = []
        for _ in range(steps):
            b = source.batch(source.cursor, "train").arrays
            source.cursor += 1
            x = b["x"].astype(self.dt)
            e = x @ self.w + self.b - b["y"].astype(self.dt)
            out.append(float((e * e).mean()))
            g = 2 * e / e.size
            self.w -= 2.0**-4 * (x.T @ g)
            self.b -= 2.0**-4 * g.sum(0)
        return {"total": out}

    def generate(self, source, count):
        return source.evaluation_rows(count)["x"].astype(self.dt) @ self.w + self.b
