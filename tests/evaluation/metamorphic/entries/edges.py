"""Values that lie exactly on an edge: the buckets, roundings and thresholds of one side take
them for the other one's neighbour."""

from __future__ import annotations

from tests.evaluation.metamorphic.entry import Entry


def _edges(name: str, old: str, new: str, what: str, stage: str = "forward") -> Entry:
    return Entry("edges", name, "meta_edges", ((old, new),), what, stage)


def _tenths(name: str, old: str, new: str, what: str, stage: str = "") -> Entry:
    return Entry("edges", name, "meta_tenths", ((old, new),), what, stage)


def _brink(name: str, old: str, new: str, what: str, stage: str = "") -> Entry:
    return Entry("edges", name, "meta_brink", ((old, new),), what, stage)


MUTANTS = (
    _edges(
        "rounded_half_up",
        'seen["rounded"] = torch.round(x)',
        'seen["rounded"] = torch.floor(x + 0.5)',
        "halves are rounded up, not to even",
    ),
    _edges(
        "rounded_half_away",
        'seen["rounded"] = torch.round(x)',
        'seen["rounded"] = x.sign() * torch.floor(x.abs() + 0.5)',
        "halves are rounded away from zero",
    ),
    _edges(
        "floored_by_truncation", "torch.floor(x)", "torch.trunc(x)", "cut towards zero, not floored"
    ),
    _edges(
        "floored_from_above",
        "torch.floor(x)",
        "torch.ceil(x) - 1.0",
        "whole numbers fall to the one below",
    ),
    _edges("whole_by_rounding", "x.long()", "torch.round(x).long()", "the cast to integers rounds"),
    _edges("zero_is_positive", "x > 0.0", "x >= 0.0", "a mask of x > 0 that takes zero in"),
    _edges(
        "threshold_without_its_edge", "x >= 1.0", "x > 1.0", "the threshold's own value is below it"
    ),
    _edges(
        "level_half_up",
        "torch.round(x * 3.0)",
        "torch.floor(x * 3.0 + 0.5)",
        "quantisation rounds halves up",
    ),
    _edges(
        "one_hot_of_the_nearest",
        "cell == torch.arange(4)",
        "cell.clamp(0, 3) == torch.arange(4)",
        "what is out of range is taken for the nearest",
    ),
    _edges(
        "bucket_on_the_left",
        "edges, right=True",
        "edges, right=False",
        "a value on an edge falls into the bucket below",
    ),
    _brink(
        "mixed_with_the_other_neighbour",
        "roll(1, 0)",
        "roll(-1, 0)",
        "each row is mixed with the one after it",
        "forward",
    ),
    _brink(
        "wave_out_of_phase",
        "32.0 * seen",
        "2.0**-24 + 32.0 * seen",
        "a phase of less than a ten-millionth",
        "forward",
    ),
    _brink(
        "floored_after_the_product",
        '0.25 * seen["floored"]',
        '0.25 * (seen["floored"] + 2.0**-20)',
        "a millionth is added on the edge",
        "forward",
    ),
    _tenths(
        "edges_in_float32",
        "dtype=self.dtype)\n",
        "dtype=torch.float32).to(self.dtype)\n",
        "the edges alone are rounded to float32",
        "forward",
    ),
    _tenths(
        "tenths_on_the_left",
        "right=True",
        "right=False",
        "a tenth on an edge falls into the bucket below",
        "forward",
    ),
)
TWINS = (
    _edges(
        "rounded_by_a_large_number",
        'seen["rounded"] = torch.round(x)',
        'seen["rounded"] = (x.double() + 1.5 * 2.0**52 - 1.5 * 2.0**52).to(self.dtype)',
        "rounded by adding what leaves no place for fractions",
        "",
    ),
    _edges(
        "floored_by_remainder",
        "torch.floor(x)",
        "x - torch.remainder(x, 1.0)",
        "the floor as what a remainder leaves",
        "",
    ),
    _edges(
        "whole_by_truncation",
        "x.long().to(self.dtype)",
        "torch.trunc(x) + 0.0",
        "the cast to integers as truncation",
        "",
    ),
    _edges(
        "positive_by_the_sign",
        'seen["flag"].to(self.dtype)',
        "torch.relu(x.sign())",
        "the mask as a rectified sign",
        "",
    ),
    _edges(
        "bucket_by_counting",
        "torch.bucketize(x[:, 1].contiguous(), edges, right=True)",
        "(x[:, 1:2] >= edges).sum(1)",
        "the bucket by counting edges",
        "",
    ),
    _brink(
        "wave_by_a_double_angle",
        'torch.sin(32.0 * seen["mixed"])',
        '2.0 * torch.sin(16.0 * seen["mixed"]) * torch.cos(16.0 * seen["mixed"])',
        "the wave by half its angle",
    ),
    _brink(
        "product_in_two_parts_of_the_sum",
        '0.25 * seen["floored"] @ self.model["kernel"]',
        '(seen["floored"][:, 2:] @ self.model["kernel"][2:] + seen["floored"][:, :2] @'
        ' self.model["kernel"][:2]) * 0.25',
        "the product as the sum of two",
    ),
    _brink(
        "mixed_by_a_matrix",
        'seen["hidden"].roll(1, 0)',
        'torch.eye(len(seen["hidden"]), dtype=self.dtype).roll(1, 0) @ seen["hidden"]',
        "rows are mixed by a product",
    ),
    _tenths(
        "tenths_by_counting",
        'torch.bucketize(arrays["x"], edges, right=True)',
        '(arrays["x"][:, None] >= edges).sum(1)',
        "the bucket by counting edges",
    ),
)
