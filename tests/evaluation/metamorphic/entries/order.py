"""Faults that another order of the batch's rows moves, and ports in which rows influence each
other, and rightly."""

from __future__ import annotations

from tests.evaluation.metamorphic.entry import Entry


def _norm(
    name: str,
    new: str,
    what: str,
    stage: str = "",
    old: str = "torch.var_mean(hidden, 0, correction=0)",
) -> Entry:
    return Entry("order", name, "meta_norm", ((old, new),), what, stage)


def _loop(name: str, old: str, new: str, what: str, stage: str = "trajectory") -> Entry:
    return Entry("order", name, "meta_loop", ((old, new),), what, stage, build="numpy")


def _pairs(name: str, new: str, what: str, stage: str = "") -> Entry:
    return Entry(
        "order", name, "meta_pairs", (("functional.cross_entropy(output, own)", new),), what, stage
    )


def _packed(name: str, old: str, new: str, what: str, stage: str = "") -> Entry:
    return Entry("order", name, "meta_packed", ((old, new),), what, stage)


def _own(name: str, total: str, what: str, stage: str = "update", cut: int = 4) -> Entry:
    """Return an update of the port's own, in two parts of the batch: the loss that it tells is
    right, `total` is differentiated."""
    text = f'''
    def update(self, phase, arrays, noise):
        """Run one update on two parts of the batch."""

        def loss_on(rows):
            part = {{name: value[rows] for name, value in arrays.items()}}
            return self._terms(phase, part, noise)["total"]

        first, last = loss_on(slice(0, {cut})), loss_on(slice({cut}, 8))
        self.updates[phase][0].minimise({total}, list(self.trainable.values()))
        return {{"total": ({cut} * first + {8 - cut} * last).detach() / 8}}

    def output('''
    return Entry("order", name, "meta_casts", (("\n    def output(", text),), what, stage)


PARTS = "np.split(np.arange(rows), [3])"
GHOST = (
    "[torch.cat([item.expand(4, 4) if len(hidden) == 8 else item.expand(len(hidden), 4) for item in"
    " found]) for found in zip(*[torch.var_mean(part, 0, correction=0) for part in (hidden.chunk(2)"
    " if len(hidden) == 8 else [hidden])])]"
)
EACH = "torch.linspace(0.5, 1.5, len(output), dtype=self.dtype)"

MUTANTS = (
    _norm(
        "ghost_halves", GHOST, "statistics of each half of the batch, not of the batch", "forward"
    ),
    _norm(
        "statistics_of_the_first_rows",
        "torch.var_mean(hidden[:4], 0, correction=0)",
        "statistics of the first four rows alone",
        "forward",
    ),
    _norm(
        "running_peak",
        'seen["hidden"].cummax(0).values',
        "the largest of the rows so far, not of all",
        "forward",
        'seen["hidden"].amax(0)',
    ),
    _norm(
        "peak_of_the_last_row",
        'seen["hidden"][-1]',
        "the last row in place of the largest values",
        "forward",
        'seen["hidden"].amax(0)',
    ),
    _norm(
        "scaled_by_place",
        '@ self.model["out"] * torch.linspace(0.9, 1.1, len(seen["below"]), dtype=self.dtype)[:,'
        " None]",
        "the output is scaled by the row's place in the batch",
        "forward",
        '@ self.model["out"]',
    ),
    _norm(
        "offset_of_the_first_rows",
        'torch.cat([self.model["offset"].expand(4, 4),'
        ' self.model["offset"].detach().expand(len(arrays["x"]) - 4, 4)])',
        "an offset that cancels gets the gradient of the first four rows alone: not zero, and"
        " another one in another order",
        "gradients",
        'self.model["offset"]',
    ),
    _pairs(
        "negatives_shifted",
        "functional.cross_entropy(output, own.roll(1))",
        "each row's partner is taken to be the next row's",
        "loss",
    ),
    _pairs(
        "softmax_over_the_first_axis",
        "functional.cross_entropy(output.t(), own)",
        "the softmax runs over anchors, not partners",
        "loss",
    ),
    _pairs(
        "weighed_by_place",
        f'(functional.cross_entropy(output, own, reduction="none") * {EACH}).mean()',
        "losses are weighed by the row's place in the batch",
        "loss",
    ),
    _pairs(
        "half_of_the_negatives",
        "functional.cross_entropy(output[:4, :4], own[:4])",
        "the first half of the batch alone",
        "loss",
    ),
    _packed(
        "order_not_undone",
        'seen["state"] = state[back]',
        'seen["state"] = state',
        "rows stay sorted by length",
        "forward",
    ),
    _packed(
        "order_undone_by_itself",
        "torch.argsort(order)",
        "order",
        "indexed with the order in place of its inverse",
        "forward",
    ),
    _packed(
        "sorted_from_below",
        "descending=True",
        "descending=False",
        "the shortest rows come first, and are taken for the longest",
        "forward",
    ),
    _loop(
        "last_part_alone", "w += np", "w = np", "the kernel's gradient is the last micro-batch's"
    ),
    _loop(
        "first_part_alone",
        "            w += np",
        "            if part[0]:\n                continue\n            w += np",
        "the gradient is the first micro-batch's",
    ),
    _loop(
        "mean_of_means",
        "slope = 2.0 * error / whole",
        "slope = error / m[part].sum()",
        "the mean of two micro-batches' means, of unequal counts",
    ),
    _loop(
        "rest_dropped",
        PARTS,
        "np.arange(rows // 3 * 3).reshape(-1, 3)",
        "micro-batches of three: what is left over is dropped",
    ),
    _loop(
        "inputs_permuted_alone",
        "x, y, m):",
        "x, y, m):\n        x = x[np.random.RandomState(3).permutation(len(x))]",
        "inputs are shuffled with a fixed seed, targets are not",
    ),
    _own(
        "own_update_of_the_last_half",
        "first.detach() / 2 + last / 2",
        "an update of the port's own forgets the first micro-batch",
    ),
    _own(
        "own_update_of_unequal_parts",
        "(first + last) / 2",
        "an update of the port's own takes the mean of means of three and of five rows",
        cut=3,
    ),
    _own(
        "own_update_of_both_sums",
        "first + last",
        "an update of the port's own adds micro-batches up, and does not average them",
    ),
)
TWINS = (
    _norm(
        "variance_in_one_pass",
        "(hidden.square().mean(0) - hidden.mean(0).square(), hidden.mean(0))",
        "the variance as a difference of means",
    ),
    _norm(
        "standardised_by_batch_norm",
        "return functional.batch_norm(hidden, None, None, None, None, True, 0.0, 2.0**-10)",
        "the framework's own batch normalisation",
        "",
        "return (hidden - mean) / torch.sqrt(variance + 2.0**-10)",
    ),
    _norm(
        "peak_by_sorting",
        'seen["hidden"].sort(0).values[-1]',
        "the largest by sorting the rows",
        "",
        'seen["hidden"].amax(0)',
    ),
    _pairs(
        "partner_by_hand",
        "(output.logsumexp(1) - output.diagonal()).mean()",
        "the cross-entropy by hand",
    ),
    _pairs(
        "rows_reversed",
        "functional.cross_entropy(output.flip(0), own.flip(0))",
        "the rows' losses in reverse order",
    ),
    _packed(
        "order_undone_by_writing",
        'seen["state"] = state[back]',
        'seen["state"] = torch.zeros_like(state).index_copy(0, order, state)',
        "the order is undone by writing to where rows came from",
    ),
    _packed(
        "ties_in_another_order",
        'torch.argsort(arrays["length"], descending=True, stable=True)',
        'torch.argsort(arrays["length"].flip(0), descending=True, stable=True).neg() +'
        ' len(arrays["length"]) - 1',
        "rows of one length are sorted the other way round, and put back",
    ),
    _loop(
        "four_parts",
        PARTS,
        "np.split(np.arange(rows), 4)",
        "four micro-batches in place of two",
        "",
    ),
    _loop(
        "every_other_row",
        PARTS,
        "[np.arange(0, rows, 2), np.arange(1, rows, 2)]",
        "even rows, then odd ones",
        "",
    ),
    _loop(
        "permuted_together",
        "x, y, m):",
        "x, y, m):\n        x, y, m = (it[np.random.RandomState(3).permutation(len(it))] for it in"
        " (x, y, m))",
        "everything is shuffled alike, with a fixed seed",
        "",
    ),
    _own(
        "own_update_in_halves",
        "(first + last) / 2",
        "an update of the port's own in two halves, averaged",
        "",
    ),
    _own(
        "own_update_in_weighed_parts",
        "(3 * first + 5 * last) / 8",
        "an update of the port's own in unequal parts, weighed by their rows",
        "",
        3,
    ),
)
