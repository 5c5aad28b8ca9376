"""Mistakes of nets that draw in places of their own: stochastic depth, dropout of inputs.

The port's stochastic depth is a method, no layer: what is wrong there is named by the first layer
behind it that both sides show, and so is what stands in the place of a layer.
"""

from __future__ import annotations

from tests.evaluation.pairs.mutant import Mutant

B = "depth"
#: An LSTM written out, its gates in the order of TensorFlow 1.
CELL = """    def upper_states(self, x):
        w, u, b = self.upper.weight_ih_l0, self.upper.weight_hh_l0, self.upper.bias_ih_l0
        h = c = x.new_zeros(len(x), 8)
        for step in x.unbind(1):
            i, g, f, o = (step @ w.T + h @ u.T + b).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h

    def depth(self"""
MUTANTS = (
    Mutant(
        B,
        "gate_order",
        "gates in another order",
        (
            ("    def depth(self", CELL),
            (
                "x, _ = self.upper(functional.dropout(x, 0.125, self.training))",
                "x = self.upper_states(functional.dropout(x, 0.125, self.training))",
            ),
            ("        x = x[:, -1]\n", ""),
        ),
        "forward",
        ("upper", "mixing"),
    ),
    Mutant(
        B,
        "kernel_transposed",
        "a square kernel the other way round",
        (
            (
                "x = x + self.depth(torch.tanh(self.mixing(x)), 0.5)",
                "x = x + self.depth(torch.tanh(x @ self.mixing.weight + self.mixing.bias), 0.5)",
            ),
        ),
        "forward",
        ("mixing", "depth1"),
    ),
    Mutant(
        B,
        "not_shared",
        "a shared layer not shared",
        (
            (
                "        self.norm = ",
                "        self.mixing2 = nn.Linear(8, 8)\n        self.norm = ",
            ),
            ("torch.tanh(self.mixing(x)), 0.25", "torch.tanh(self.mixing2(x)), 0.25"),
        ),
        "forward",
        ("mixing", "depth2"),
    ),
    Mutant(
        B,
        "depth_rate",
        "another rate of stochastic depth",
        (("self.mixing(x)), 0.25)", "self.mixing(x)), 0.5)"),),
        "forward",
        ("depth2", "norm"),
    ),
    Mutant(
        B,
        "depth_unscaled",
        "stochastic depth that does not scale what it keeps",
        (("branch * kept / (1.0 - rate)", "branch * kept"),),
        "forward",
        ("depth1", "norm"),
    ),
    Mutant(
        B,
        "depth_by_element",
        "stochastic depth that draws for every number",
        (("torch.rand(len(branch), 1)", "torch.rand(branch.shape)"),),
        "forward",
        ("depth1", "norm"),
    ),
    Mutant(
        B,
        "mask_of_every_step",
        "an LSTM's dropout drawn anew at every step",
        (("torch.ones_like(x[:, :1])", "torch.ones_like(x)"),),
        "forward",
        ("lower",),
    ),
    Mutant(
        B,
        "first_state",
        "the first state in the place of the last",
        (("x = x[:, -1]", "x = x[:, 0]"),),
        "forward",
        ("upper", "mixing"),
    ),
    Mutant(
        B,
        "loss_summed",
        "a loss summed, not averaged",
        (('batch["y"])\n    loss.back', 'batch["y"], reduction="sum")\n    loss.back'),),
        "loss",
    ),
)
