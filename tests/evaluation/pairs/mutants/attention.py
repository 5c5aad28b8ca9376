"""Mistakes of attention: masks, scales, queries and keys; layer normalisation, embeddings."""

from __future__ import annotations

from tests.evaluation.pairs.mutant import Mutant

B = "attention"
#: Attention as many write it, with the weights of torch's own module.
OWN = """class Attention(nn.MultiheadAttention):
    def forward(self, x, _key, _value, key_padding_mask):
        q, k, v = nn.functional.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, -1)
        q, k, v = (part.unflatten(-1, (4, 4)).transpose(1, 2) for part in (q, k, v))
        scores = {scores}
        scores = scores.masked_fill(key_padding_mask[:, None, None], float("-inf"))
        shares = nn.functional.dropout(scores.softmax(-1), self.dropout, self.training)
        return self.out_proj((shares @ v).transpose(1, 2).flatten(2)), shares


class Block(nn.Module):
"""


def own(scores: str) -> tuple[tuple[str, str], ...]:
    """Return the changes that put attention of one's own in the place of torch's."""
    return (
        ("class Block(nn.Module):\n", OWN.format(scores=scores)),
        ("nn.MultiheadAttention(16", "Attention(16"),
    )


MUTANTS = (
    Mutant(
        B,
        "queries_and_keys",
        "keys asked for queries",
        own("k @ q.transpose(2, 3) / 2.0"),
        "forward",
        ("attend",),
    ),
    Mutant(
        B,
        "no_scale",
        "no 1/√d",
        own("q @ k.transpose(2, 3)"),
        "forward",
        ("attend",),
    ),
    Mutant(
        B,
        "scale_of_width",
        "1/√ of the whole width, not of a head's",
        own("q @ k.transpose(2, 3) / 4.0"),
        "forward",
        ("attend",),
    ),
    Mutant(
        B,
        "no_mask",
        "padding attended to",
        ((", key_padding_mask=words == 0", ""),),
        "forward",
        ("attend",),
    ),
    Mutant(
        B,
        "attention_dropout",
        "another rate of dropout in attention",
        (("4, dropout=0.25", "4, dropout=0.125"),),
        "forward",
        ("attend",),
    ),
    Mutant(
        B,
        "norm_missed",
        "torch's ε in one of two normalisations",
        (("self.norm2 = nn.LayerNorm(16, eps=2**-17)", "self.norm2 = nn.LayerNorm(16)"),),
        "forward",
        ("norm2",),
    ),
    Mutant(
        B,
        "gelu_tanh",
        "GELU by its approximation",
        (("gelu(self.wide(x))", 'gelu(self.wide(x), approximate="tanh")'),),
        "forward",
        ("wide",),
    ),
    Mutant(
        B,
        "no_residual",
        "a residual left out",
        (("self.norm1(x + context)", "self.norm1(context)"),),
        "forward",
        ("norm1",),
    ),
    Mutant(
        B,
        "first_word",
        "the first word in the place of the mean",
        (("x.mean(1)", "x[:, 0]"),),
        "forward",
        ("mean", "classes"),
    ),
    Mutant(
        B,
        "padding_row",
        "no gradient of the row of the padding",
        (("nn.Embedding(20, 16)", "nn.Embedding(20, 16, padding_idx=0)"),),
        "gradients",
        ("words",),
    ),
    Mutant(
        B,
        "no_nesterov",
        "momentum without Nesterov's",
        ((", nesterov=True", ""),),
        "update",
    ),
)
