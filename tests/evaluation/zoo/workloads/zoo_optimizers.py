"""`zoo_optimizers`: small regressors side by side, each trained by one of the optimizers on which
frameworks disagree.

One recording of it serves every bug of this kind. The optimizers are TensorFlow's own, with their
semantics as hyper-parameters; ports build them by the name of the phase (the contract knows `sgd`
and `adam` alone). All hyper-parameters are dyadic, and the powers of Adam's betas stay exact in
float32 for fifteen steps.
"""

from harness.workloads.linear import Linear
from harness.workloads.spec import Optimizer, Parameter, Update

DENSE = ("adam", "adamw", "rmsprop", "adagrad", "clip_each", "clip_together", "guarded")
TABLES = ("table_adam", "table_momentum")
#: Two optimizers that take turns on one network.
TURNS = ("first_turn", "second_turn")


class ZooOptimizers(Linear):
    """Regressors of the diabetes table, one for each optimizer on which frameworks disagree."""

    name = "zoo_optimizers"
    backends = ("tf2", "torch")
    presets = ("tiny",)

    def hyperparameters(self, preset):
        """Return the sizes, and what the optimizers are given."""
        return {
            "batch": 8,
            "features": 10,
            "units": 4,
            "groups": 12,
            "networks": [*DENSE, "turns"],
            "tables": [*TABLES],
            "rate": 2.0**-5,
            "beta1": 2.0**-1,
            "beta2": 1.0 - 2.0**-2,
            "epsilon": 2.0**-23,
            "table_epsilon": 2.0**-27,
            "weight_decay": 2.0**-4,
            "momentum": 1.0 - 2.0**-2,
            "rmsprop_decay": 1.0 - 2.0**-3,
            "rmsprop_epsilon": 2.0**-10,
            "accumulator": 2.0**-3,
            "clip_norm": 2.0**-3,
            # So steep that the squares of its gradient overflow.
            "barrier": {"float64": 2.0**640, "float32": 2.0**80},
        }

    def parameters(self, hyper):
        """Return a hidden and an output layer for each network, and the tables of the
        embeddings."""
        features, units = hyper["features"], hyper["units"]
        found = []
        for name in hyper["networks"]:
            found += [
                Parameter(f"{name}/hidden/kernel", (features, units), "glorot_uniform"),
                Parameter(f"{name}/hidden/bias", (units,)),
                Parameter(f"{name}/output/kernel", (units, 1), "glorot_uniform"),
            ]
        found += [
            Parameter(f"{name}/embeddings", (hyper["groups"], units), "glorot_uniform")
            for name in hyper["tables"]
        ]
        return (*found, Parameter("guarded/slack", (1,)))

    def optimizers(self, hyper):
        """Return one for each phase; what it is beside its rate, its name says."""
        return {
            name: Optimizer("sgd", learning_rate=hyper["rate"])
            for name in (*TABLES, *DENSE, *TURNS)
        }

    def updates(self, hyper):
        """Return a phase for each network or table, and two for the one that is trained in
        turns."""
        names = [item.name for item in self.parameters(hyper)]
        owners = {name: name for name in (*TABLES, *DENSE)} | dict.fromkeys(TURNS, "turns")

        def update(phase, owner):
            owned = tuple(name for name in names if name.startswith(f"{owner}/"))
            return Update(phase, phase, owned)

        return tuple(update(phase, owner) for phase, owner in owners.items())

    def forward(self, hyper):
        """Return that there is no difference between training and inference."""
        return {"phase": "adam", "modes": ["inference"]}

    def data(self, hyper):
        """Return `x`, `y` and `eval_x` of `linear`, and the group of age of each row, `group`
        and `eval_group`, int64."""
        found = super().data(hyper)
        for name in ("x", "eval_x"):
            # The first column is the age in standard deviations, from about -2.3 to 2.3.
            group = (2.5 * found[name][:, 0] + 0.5 * hyper["groups"]).clip(0, hyper["groups"] - 1)
            found[name.replace("x", "group")] = group.astype("int64")
        return found


WORKLOAD = ZooOptimizers()
