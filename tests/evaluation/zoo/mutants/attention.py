"""Bugs of attention, normalised layers, GELU and embeddings, in `zoo_attention`."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

ATTENTION = "zoo_attention"
MASK = 'scores.masked_fill(~allowed, self.config["masked"])'
MUTANTS = (
    Mutant(
        49,
        "gelu_tanh",
        ATTENTION,
        (
            (
                'functional.gelu(found["inner"])',
                'functional.gelu(found["inner"], approximate="tanh")',
            ),
        ),
        "forward",
        "training/gelu",
    ),
    Mutant(
        51,
        "layer_norm_epsilon",
        ATTENTION,
        (('"norm1": nn.LayerNorm(width, eps=epsilon)', '"norm1": nn.LayerNorm(width)'),),
        "forward",
        "training/norm1",
    ),
    Mutant(
        51,
        "layer_norm_one_missed",
        ATTENTION,
        (('"norm2": nn.LayerNorm(width, eps=epsilon)', '"norm2": nn.LayerNorm(width, eps=1e-12)'),),
        "forward",
        "training/norm2",
    ),
    # A row without anything to see: -inf gives NaN, and an added -1e4 leaves the differences
    # between its scores.
    Mutant(
        52,
        "mask_infinite",
        ATTENTION,
        ((MASK, 'scores.masked_fill(~allowed, -float("inf"))'),),
        "forward",
        "training/attention",
    ),
    Mutant(
        52,
        "mask_added",
        ATTENTION,
        ((MASK, "scores - 1e4 * ~allowed"),),
        "forward",
        "training/attention",
    ),
    Mutant(
        53,
        "rotary_interleaved",
        ATTENTION,
        (
            (
                "(x, y), cos, sin = x.chunk(2, dim=-1)",
                "(x, y), cos, sin = (x[..., ::2], x[..., 1::2])",
            ),
        ),
        "forward",
        "training/scores",
    ),
    Mutant(
        54,
        "scores_not_scaled",
        ATTENTION,
        ((" / math.sqrt(query.shape[3])", ""),),
        "forward",
        "training/scores",
    ),
    Mutant(
        54,
        "scores_scaled_by_the_width",
        ATTENTION,
        (("math.sqrt(query.shape[3])", "math.sqrt(x.shape[2])"),),
        "forward",
        "training/scores",
    ),
    Mutant(
        66,
        "padding_row_frozen",
        ATTENTION,
        (
            (
                'nn.Embedding(config["tokens"], width)',
                'nn.Embedding(config["tokens"], width, padding_idx=0)',
            ),
        ),
        "gradients",
        "train/embedding/embeddings",
    ),
)
