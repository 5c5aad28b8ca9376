"""Bugs of optimizers: epsilons, decay, first values of slots, sparse rows, shared variables; in
`zoo_optimizers`."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

ZOO = "zoo_optimizers"
#: Modules of the torch port: the optimizers' rules, which phase has which, and the model.
RULES, BUILT, MODEL = "optimizers.py", "updating.py", "__init__.py"
DECAY = 'p.mul_(1 - group["lr"] * group["weight_decay"])'
#: The Adam of the phase `adam` alone: behind that of `guarded` stands its clipping.
KERAS_ADAM = """\
Adam(params, lr=config["rate"], betas=betas, eps=config["epsilon"]),
        MOMENTS,
    )"""
FROM_THE_ACCUMULATOR = """\
            initial_accumulator_value=config["accumulator"],
            eps=0.0,
"""
DECAYED = "step 1/adamw/parameter/adamw/hidden/kernel"

MUTANTS = (
    Mutant(
        3,
        "adamw_as_l2_in_the_gradient",
        ZOO,
        (
            ("grad = p.grad\n", 'grad = p.grad + group["weight_decay"] * p\n'),
            (f"                {DECAY}\n", ""),
        ),
        "update",
        DECAYED,
        file=RULES,
    ),
    Mutant(
        4,
        "decay_without_the_rate",
        ZOO,
        ((DECAY, 'p.mul_(1 - group["weight_decay"])'),),
        "update",
        DECAYED,
        file=RULES,
    ),
    Mutant(
        5,
        "decay_of_biases",
        ZOO,
        (
            (
                '{"params": kept, "weight_decay": 0.0}',
                '{"params": kept, "weight_decay": config["weight_decay"]}',
            ),
        ),
        "update",
        "step 2/adamw/parameter/adamw/hidden/bias",
        file=BUILT,
    ),
    Mutant(
        23,
        "torch_adam_for_keras_adam",
        ZOO,
        (
            (
                f"optimizers.{KERAS_ADAM}",
                f"torch.optim.{KERAS_ADAM}",
            ),
        ),
        "update",
        "step 1/adam/parameter/adam/",
        file=BUILT,
    ),
    Mutant(
        24,
        "epsilon_as_torch_moved_it",
        ZOO,
        (
            (
                'exp_avg_sq.sqrt().add_(group["eps"])',
                '(exp_avg_sq.sqrt() / math.sqrt(bias_correction2)).add_(group["eps"])',
            ),
            (
                'group["lr"] * math.sqrt(bias_correction2) / bias_correction1',
                'group["lr"] / bias_correction1',
            ),
        ),
        "update",
        "step 1/table_adam/parameter/table_adam/embeddings",
        file=RULES,
    ),
    Mutant(
        25,
        "epsilon_of_torch_in_adamw",
        ZOO,
        (
            (
                'optimizers.Adam(groups, lr=config["rate"], betas=betas, eps=eps)',
                'optimizers.Adam(groups, lr=config["rate"], betas=betas, eps=1e-8)',
            ),
        ),
        "update",
        "step 1/adamw/parameter/adamw/",
        file=BUILT,
    ),
    Mutant(
        26,
        "float16_moments",
        ZOO,
        (("grad = p.grad\n", "grad = p.grad.half()\n"),),
        "update",
        "step 1/table_adam/parameter/table_adam/embeddings",
        file=RULES,
        precision="fp32",
    ),
    Mutant(
        27,
        "rmsprop_epsilon_outside_the_root",
        ZOO,
        (('square_avg.add(group["eps"]).sqrt_()', 'square_avg.sqrt().add_(group["eps"])'),),
        "update",
        "step 1/rmsprop/parameter/rmsprop/",
        file=RULES,
    ),
    Mutant(
        28,
        "rmsprop_from_zero",
        ZOO,
        (("torch.ones_like(p)", "torch.zeros_like(p)"),),
        "update",
        "step 1/rmsprop/parameter/rmsprop/",
        file=RULES,
    ),
    Mutant(
        29,
        "adagrad_from_zero",
        ZOO,
        ((FROM_THE_ACCUMULATOR, ""),),
        "update",
        "step 1/adagrad/parameter/adagrad/",
        file=BUILT,
    ),
    Mutant(
        31,
        "adam_of_seen_rows_alone",
        ZOO,
        (
            ('"table_adam": False', '"table_adam": True'),
            ("optimizers.Adam(list(", "torch.optim.SparseAdam(list("),
        ),
        "update",
        "step 2/table_adam/parameter/table_adam/embeddings",
        file=BUILT,
    ),
    Mutant(
        31,
        "momentum_of_unseen_rows",
        ZOO,
        (
            ('"table_momentum": True', '"table_momentum": False'),
            ("optimizers.RowMomentum(", "torch.optim.SGD("),
        ),
        "update",
        "step 2/table_momentum/parameter/table_momentum/embeddings",
        file=BUILT,
    ),
    Mutant(
        32,
        "one_adam_for_both_turns",
        ZOO,
        (
            (
                "self.updaters[phase] = UPDATERS[phase]",
                (
                    'self.updaters[phase] = self.updaters["first_turn"] if phase == "second_turn"'
                    " else UPDATERS[phase]"
                ),
            ),
        ),
        "update",
        "step 1/second_turn/parameter/turns/",
        file=MODEL,
    ),
)
