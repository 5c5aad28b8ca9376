"""Gradients at kinks and exact ties, and the place of the largest among equals; a unit in the
last place unties them."""

from __future__ import annotations

from tests.evaluation.metamorphic.entry import Entry


def _ties(name: str, old: str, new: str, what: str, stage: str = "gradients") -> Entry:
    return Entry("ties", name, "meta_ties", ((old, new),), what, stage)


def _knots(name: str, old: str, new: str, what: str, stage: str = "gradients") -> Entry:
    return Entry("ties", name, "meta_knots", ((old, new),), what, stage)


LOWEST, SIZE = 'torch.amin(seen["value"], 1, keepdim=True)', 'torch.abs(seen["value"])'
RECTIFIED, CLIPPED = 'torch.relu(seen["value"])', 'torch.clamp(seen["value"], -1.0, 1.0)'
ORDERED, LARGEST = (
    'torch.sort(seen["value"], dim=1, stable=True).values',
    'torch.argmax(seen["value"], 1)',
)

MUTANTS = (
    _ties(
        "minimum_of_one",
        LOWEST,
        'seen["value"].min(1, keepdim=True).values',
        "one of the lowest gets the whole gradient",
    ),
    _ties(
        "absolute_by_cases",
        SIZE,
        'torch.where(seen["value"] >= 0, seen["value"], -seen["value"])',
        "the slope of |0| is 1",
    ),
    _ties(
        "absolute_by_a_root",
        SIZE,
        'torch.maximum(seen["value"], -2.0 * seen["value"]).sub(torch.relu(-seen["value"]))',
        "|v| as max(v, -2v) less a rectifier: another slope at 0",
    ),
    _ties(
        "rectifier_as_clamp",
        RECTIFIED,
        'torch.clamp(seen["value"], min=0.0)',
        "the slope of the rectifier at 0 is 1",
    ),
    _ties(
        "rectifier_as_maximum",
        RECTIFIED,
        'torch.maximum(seen["value"], torch.zeros_like(seen["value"]))',
        "the slope of the rectifier at 0 is 1/2",
    ),
    _ties(
        "clipped_as_hardtanh",
        CLIPPED,
        'functional.hardtanh(seen["value"])',
        "the slope at the edges of clipping is 0",
    ),
    _ties(
        "sorted_from_above",
        ORDERED,
        'torch.sort(seen["value"], dim=1, stable=True, descending=True).values.flip(1)',
        "sorted from above and reversed: equals change places",
    ),
    _ties(
        "last_of_the_largest",
        LARGEST,
        '2 - torch.argmax(seen["value"].flip(1), 1)',
        "the last of the largest, not the first",
        "forward",
    ),
    _ties(
        "largest_by_sorting",
        LARGEST,
        'torch.sort(seen["value"], dim=1, stable=True).indices[:, -1]',
        "the largest as the last of a stable sort",
        "forward",
    ),
    _knots(
        "minimum_of_one_in_mixed_rows",
        LOWEST,
        'seen["value"].min(1, keepdim=True).values',
        "the same, where rows are mixed",
    ),
    _knots(
        "rectifier_as_clamp_in_mixed_rows",
        RECTIFIED,
        'torch.clamp(seen["value"], min=0.0)',
        "the same, where rows are mixed",
    ),
    _knots(
        "mixed_with_the_row_after",
        "value.roll(1, 0)",
        "value.roll(-1, 0)",
        "each row is mixed with the one after it",
        "forward",
    ),
)
TWINS = (
    _ties(
        "minimum_as_maximum",
        LOWEST,
        '-torch.amax(-seen["value"], 1, keepdim=True)',
        "the minimum as a maximum",
        "",
    ),
    _ties(
        "absolute_by_the_sign",
        SIZE,
        'seen["value"] * seen["value"].detach().sign()',
        "|v| as v times its sign",
        "",
    ),
    _ties(
        "rectifier_by_cases",
        RECTIFIED,
        'torch.where(seen["value"] > 0, seen["value"], torch.zeros_like(seen["value"]))',
        "the rectifier by cases, slope 0 at 0",
        "",
    ),
    _ties(
        "sorted_by_gathering",
        ORDERED,
        'seen["value"].gather(1, torch.argsort(seen["value"].detach(), dim=1, stable=True))',
        "sorted by its order",
        "",
    ),
    _ties(
        "first_of_the_largest",
        LARGEST,
        '(seen["value"] == seen["value"].amax(1, keepdim=True)).int().argmax(1)',
        "the first that equals the largest",
        "",
    ),
)
