"""Integers: beyond what float64 holds exactly, below zero, one off, in too few bits. No unit in
the last place touches them."""

from __future__ import annotations

from tests.evaluation.metamorphic.entry import Entry


def _keys(name: str, old: str, new: str, what: str, stage: str = "") -> Entry:
    return Entry("integers", name, "meta_ids", ((old, new),), what, stage)


MIXED, GROUP = "key * 3 + 1", 'torch.div(key, 10, rounding_mode="floor")'
BUCKET, SHARE = 'torch.remainder(seen["mixed"], 7)', "torch.remainder(key, 300)"

MUTANTS = (
    _keys(
        "key_through_float64",
        MIXED,
        "(key.double() * 3 + 1).long()",
        "the key passes through float64, which has no odd numbers there",
        "forward",
    ),
    _keys(
        "key_in_32_bits", MIXED, "key.int().long() * 3 + 1", "the key is cut to 32 bits", "forward"
    ),
    _keys("one_off", MIXED, "key * 3 + 2", "one more, beyond 2^53", "forward"),
    _keys(
        "bucket_one_off",
        BUCKET,
        'torch.remainder(seen["mixed"] + 1, 7)',
        "the next row of the table",
        "forward",
    ),
    _keys(
        "bucket_towards_zero",
        BUCKET,
        'torch.fmod(seen["mixed"], 7).abs()',
        "the remainder's sign is the dividend's, and is dropped",
        "forward",
    ),
    _keys(
        "group_towards_zero",
        GROUP,
        'torch.div(key, 10, rounding_mode="trunc")',
        "the quotient is cut towards zero",
        "forward",
    ),
    _keys(
        "group_by_a_float",
        GROUP,
        "(key / 10).floor().long()",
        "the quotient is a float's",
        "forward",
    ),
    _keys(
        "share_in_8_bits",
        SHARE,
        "torch.remainder(key, 300).to(torch.uint8)",
        "the remainder wraps at 256",
        "forward",
    ),
)
SHOWN = Entry(
    "integers",
    "shown_one_off",
    "meta_ids",
    ((MIXED, "key * 3 + 2"), (BUCKET, "torch.remainder(key * 3 + 1, 7)")),
    "a shown number beyond 2^53 is one more than it is; nothing is computed from it",
    "forward",
)
MUTANTS = (*MUTANTS, SHOWN)
TWINS = (
    _keys(
        "bucket_by_truncation",
        BUCKET,
        'torch.fmod(torch.fmod(seen["mixed"], 7) + 7, 7)',
        "the remainder by another one",
    ),
    _keys(
        "group_by_subtraction",
        GROUP,
        'torch.div(key - torch.remainder(key, 10), 10, rounding_mode="trunc")',
        "the quotient of what the remainder leaves",
    ),
    _keys(
        "rows_by_embedding",
        'w["buckets"][seen["bucket"]]',
        'functional.embedding(seen["bucket"], w["buckets"])',
        "the row by an embedding",
    ),
    _keys(
        "rows_by_one_hot",
        'w["groups"][seen["group"]]',
        'functional.one_hot(seen["group"], 5).to(self.dtype) @ w["groups"]',
        "the row by a product",
    ),
)
