"""Bugs of batches and averages: the order of rows, last batches, averaged weights; in
`zoo_averages`."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

ZOO = "zoo_averages"
GIVEN = 'batch, size = source.batch(source.cursor, "train"), self.config["batch"]'
#: The batches are cut first, and then their order is shuffled: the same rows always meet.
CUT_FIRST = """\
size, rows = self.config["batch"], source.training_rows()
        batches = []
        for start in range(0, 64, size):
            part = {name: value[start:start + size] for name, value in rows.items()}
            batches.append(Batch(part, {}))
        order = np.random.RandomState(0).permutation(len(batches))
        batch = batches[order[source.cursor % len(batches)]]"""
DRAWN = """\
size, rows = self.config["batch"], source.training_rows()
        chosen = torch.randperm(len(rows["y"]))[:size].numpy()
        batch = Batch({name: value[chosen] for name, value in rows.items()}, {})"""
WARM_UP = """\
min(
            np.float32(self.config["decay"]), (np.float32(1) + updates) / (np.float32(10) + updates)
        )"""
EVALUATION = 'self.layers(self.model, {"x": rows})["prediction"], wanted\n            )'
MSE = 'functional.mse_loss(output, arrays["y"])'

MUTANTS = (
    Mutant(
        73, "batched_before_shuffling", ZOO, ((GIVEN, CUT_FIRST),), "trajectory", "step 1/loss/"
    ),
    Mutant(73, "own_order_of_rows", ZOO, ((GIVEN, DRAWN),), "trajectory", "step 1/"),
    Mutant(
        73,
        "last_batch_dropped",
        ZOO,
        (('math.ceil(self.config["epoch_rows"] / size)', '(self.config["epoch_rows"] // size)'),),
        "trajectory",
        "step 3/loss/total",
    ),
    Mutant(
        74,
        "average_without_warm_up",
        ZOO,
        ((WARM_UP, 'np.float32(self.config["decay"])'),),
        "trajectory",
        "generate",
    ),
    Mutant(
        74,
        "statistics_averaged_too",
        ZOO,
        (("multi_avg_fn=self.move", "multi_avg_fn=self.move, use_buffers=True"),),
        "trajectory",
        "generate",
    ),
    Mutant(
        74,
        "average_begins_with_a_copy",
        ZOO,
        (("n_averaged.fill_(\n            1\n", "n_averaged.zero_(\n"),),
        "trajectory",
        "generate",
    ),
    Mutant(
        79,
        "evaluation_averaged_over_batches",
        ZOO,
        ((f"{EVALUATION} * len(wanted)", EVALUATION), ("/ len(y)", "/ len(batches)")),
        "loss",
        "train/evaluation",
    ),
    Mutant(
        80,
        "partial_batch_divided_by_a_full_one",
        ZOO,
        (
            (
                MSE,
                'functional.mse_loss(output, arrays["y"], reduction="sum") / self.config["batch"]',
            ),
        ),
        "trajectory",
        "step 3/loss/total",
    ),
)
