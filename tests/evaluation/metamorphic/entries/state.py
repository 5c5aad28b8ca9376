"""State that is carried wrongly: to other rows, past the loading of weights, by looks, too
seldom or too late."""

from __future__ import annotations

from tests.evaluation.metamorphic.entry import Entry


def _clock(
    name: str, old: str, new: str, what: str, stage: str = "update", kind: str = "state"
) -> Entry:
    return Entry(kind, name, "meta_clock", ((old, new),), what, stage, build="numpy")


def _loop(name: str, old: str, new: str, what: str) -> Entry:
    return Entry("undeclared", name, "meta_loop", ((old, new),), what, "trajectory", build="numpy")


def _carried(name: str, old: str, new: str, what: str, stage: str = "update") -> Entry:
    return Entry("state", name, "meta_carried", ((old, new),), what, stage)


def _range(
    name: str, changes: tuple[tuple[str, str], ...], what: str, stage: str, kind: str = "undeclared"
) -> Entry:
    return Entry(kind, name, "meta_range", changes, what, stage)


def _power(name: str, old: str, new: str, what: str, stage: str = "forward") -> Entry:
    return Entry("undeclared", name, "meta_power", ((old, new),), what, stage)


def _with(method: str) -> str:
    return f"\n    def {method}\n\n    def forward("


KEPT = _with('''load_parameters(self, values):
        """Set the weights; the velocity goes on."""
        kept = self.weights["velocity"]
        NumpyPort.load_parameters(self, values)
        self.weights["velocity"] = kept''')
HELD = _with('''load_parameters(self, values):
        """Set the weights, without a copy."""
        NumpyPort.load_parameters(self, values)
        self.weights = {name: np.asarray(values[name], self.dtype) for name in self.weights}''')
CACHE = """if x.shape not in self.__dict__.setdefault("cache", {}):
            self.cache[x.shape] = x.mean(0)
        return self.cache[x.shape]"""
COUNTED = """self.calls = getattr(self, "calls", -1) + 1
        return self.dtype.type(min(1.0, (1.0 + self.calls) / 4.0))"""
SINCE = """return self.dtype.type(min(1.0, (1.0 + getattr(self, "since", 0.0)) / 4.0))"""
WARM = 'return self.dtype.type(min(1.0, (1.0 + float(self.weights["clock"][0])) / 4.0))'
MOVE = 'held["velocity"] = self.dtype.type(0.5) * held["velocity"] + gradient'
AVERAGE = 'self.dtype.type(0.75) * held["average"] + self.dtype.type(0.25) * held["w"]'
TICK = "self.updates += 1"

MUTANTS = (
    _clock(
        "velocity_survives_loading",
        "\n    def forward(",
        KEPT,
        "momentum goes on where weights are loaded",
        "weights",
    ),
    _clock(
        "velocity_reset_each_step",
        MOVE,
        'held["velocity"] = gradient',
        "momentum is forgotten at every step",
    ),
    _clock(
        "average_before_the_update",
        'self.dtype.type(0.25) * held["w"]',
        'self.dtype.type(0.25) * (held["w"] + self.dtype.type(2.0**-5) * held["velocity"])',
        "the average takes the weights before the update",
    ),
    _clock(
        "average_swapped",
        AVERAGE,
        'self.dtype.type(0.25) * held["average"] + self.dtype.type(0.75) * held["w"]',
        "the average's decay and its rest swapped",
    ),
    _clock(
        "clock_stands",
        'held["clock"] + self.dtype.type(1.0)',
        'held["clock"]',
        "the clock of the warm-up does not move",
    ),
    _clock(
        "mean_cached_by_shape",
        "return x.mean(0)",
        CACHE,
        "the mean is cached by the batch's shape: later batches get the first one's",
    ),
    _clock(
        "clock_moved_by_looks",
        WARM,
        COUNTED,
        "an own clock counts every call, looks included",
        "loss",
        "undeclared",
    ),
    Entry(
        "undeclared",
        "clock_survives_loading",
        "meta_clock",
        ((WARM, SINCE), (TICK, f'{TICK}\n        self.since = getattr(self, "since", 0.0) + 1.0')),
        "an own counter of updates that loading does not reset",
        "loss",
        build="numpy",
    ),
    _carried(
        "state_of_other_rows",
        'w["state"].clone()',
        'w["state"].roll(1, 0)',
        "each row goes on from the next row's state",
    ),
    _carried(
        "state_of_the_hour_before",
        'copy_(seen["hidden"])',
        'copy_(torch.atanh(seen["hidden"]))',
        "the state is carried before its tangent, not after",
    ),
    _carried(
        "state_reset_each_step",
        'w["state"].clone()',
        'torch.zeros_like(w["state"])',
        "every batch begins from zeros",
    ),
    _carried(
        "state_of_the_mean_row",
        'w["state"].copy_(seen["hidden"])',
        'w["state"].copy_(seen["hidden"].mean(0).expand(8, 4))',
        "all rows go on from their mean",
    ),
    _range(
        "range_used_before_it_moves",
        (("wide = torch.maximum(", "moved = torch.maximum("), ("copy_(wide)", "copy_(moved)")),
        "the batch is divided by the range before it",
        "forward",
        "state",
    ),
    _range(
        "range_that_lags",
        (
            (
                'wide = w["range"].clone()',
                'wide = self.own.clone() if self.model.training else w["range"].clone()',
            ),
            ("copy_(wide)", 'copy_(self.own.copy_(w["range"]) * 0 + wide)'),
        ),
        "the range in use is a second, private one, an update behind",
        "update",
    ),
    _range(
        "range_without_decay",
        (
            ("wide = torch.maximum(0.9375 * wide", "wide = torch.maximum(self.own"),
            ("copy_(wide)", "copy_(wide)\n                    self.own = wide.clone()"),
        ),
        "a private range that never decays",
        "forward",
    ),
    _loop(
        "momentum_survives_loading",
        "self.velocity = np.zeros_like(self.w)",
        'self.velocity = getattr(self, "velocity", np.zeros_like(self.w))',
        "momentum goes on where weights are loaded",
    ),
    _loop(
        "count_of_the_first_batch",
        "whole, loss, w, b = m.sum(), 0.0,",
        'self.whole = getattr(self, "whole", m.sum())\n        whole, loss, w, b = self.whole,'
        " 0.0,",
        "tokens are counted in the first batch ever, and never again",
    ),
    _power(
        "vector_stands",
        "self.u = functional.normalize(kernel.t() @ v, dim=0)",
        "functional.normalize(kernel.t() @ v, dim=0)",
        "the power iteration's vector never moves",
    ),
    _power(
        "vector_not_normalised",
        "functional.normalize(kernel.t() @ v, dim=0)",
        "kernel.t() @ v",
        "the vector is not brought to length 1",
    ),
    _power(
        "vector_of_a_fixed_seed",
        "if self.model.training:",
        "if self.model.training:\n                self.u = torch.tensor([0.5, -0.5, 0.5, 0.5],"
        " dtype=self.dtype)\n                v = functional.normalize(kernel @ self.u, dim=0)",
        "the iteration begins anew at each look, from another vector",
    ),
)
TWINS = (
    _clock(
        "clock_by_updates",
        WARM,
        "return self.dtype.type(min(1.0, (1.0 + self.updates) / 4.0))",
        "the clock is the count of updates",
        "",
    ),
    _clock(
        "average_moved_by_its_gap",
        AVERAGE,
        'held["average"] + self.dtype.type(0.25) * (held["w"] - held["average"])',
        "the average moves by its distance",
        "",
    ),
    _clock(
        "mean_cached_and_checked",
        "return x.mean(0)",
        CACHE.replace("x.shape", "x.tobytes()"),
        "the mean is cached by the batch's content",
        "",
    ),
    _carried(
        "cell_as_one_product",
        'x[:, hour] @ w["kernel"] + state @ w["recurrent"]',
        'torch.cat([x[:, hour], state], 1) @ torch.cat([w["kernel"], w["recurrent"]])',
        "the cell as one product",
        "",
    ),
    _range(
        "range_by_both_ends",
        (
            (
                'seen["hidden"].abs().amax()',
                'torch.maximum(seen["hidden"].amax(), -seen["hidden"].amin())',
            ),
        ),
        "the largest as the larger of both ends",
        "",
        "state",
    ),
    _power(
        "product_divided",
        'arrays["x"] @ (kernel / largest)',
        '(arrays["x"] @ kernel) / largest',
        "the product is divided, not the kernel",
        "",
    ),
)
COPIED = Entry(
    "storage",
    "weights_kept_without_a_copy",
    "meta_clock",
    (("\n    def forward(", HELD),),
    "weights are updated in the very arrays that were handed over, which are copies: the tape stays"
    " as it is",
    build="numpy",
)
