"""Bugs of initial values, in `zoo_initial`, and of seeds that are taken for draws, there and in
`cnn`."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

CNN, INITIAL = "cnn", "zoo_initial"
GLOROT = "return (2.0 * numbers - 1.0) * math.sqrt(6.0 / sum(numbers.shape))"
# nn.Linear's: kaiming_uniform_ with a = sqrt(5), which comes to 1 / sqrt(fan in), for the bias too.
LINEAR = (
    'if name.startswith("dense/"):\n            return (2.0 * numbers - 1.0) /'
    ' math.sqrt(self.config["width"])'
)
SEEDED = "torch.rand(hidden.shape, generator=torch.Generator().manual_seed(0), dtype=hidden.dtype)"

MUTANTS = (
    Mutant(
        13,
        "gamma_initialised_to_zero",
        INITIAL,
        (
            (
                'torch.ones_like(numbers) if name == "norm/gamma" else torch.zeros_like(numbers)',
                "torch.zeros_like(numbers)",
            ),
        ),
        "weights",
        "norm/gamma",
    ),
    Mutant(
        67,
        "linear_of_torch",
        INITIAL,
        ((f'if name == "dense/kernel":\n            {GLOROT}', LINEAR),),
        "weights",
        "dense/bias",
    ),
    Mutant(
        68,
        "cut_off_not_corrected",
        INITIAL,
        (("numbers.shape[0]) / CUT_OFF", "numbers.shape[0])"),),
        "weights",
        "block/kernel",
    ),
    Mutant(
        69,
        "cut_off_absolute",
        INITIAL,
        ((".clamp(-2.0 * deviation, 2.0 * deviation)", ".clamp(-2.0, 2.0)"),),
        "weights",
        "block/kernel",
    ),
    Mutant(
        70,
        "embedding_normal",
        INITIAL,
        (("(2.0 * numbers - 1.0) * 0.05", "math.sqrt(2.0) * torch.erfinv(2.0 * numbers - 1.0)"),),
        "weights",
        "embedding/embeddings",
    ),
    # A seed is no tape: what an operation draws from it also depends on how many there are in the
    # graph, and on the framework.
    Mutant(
        71,
        "weights_from_a_seed",
        INITIAL,
        (
            (
                "torch.from_numpy(value)",
                (
                    "torch.rand(value.shape, generator=torch.Generator().manual_seed(0),"
                    " dtype=torch.float64)"
                ),
            ),
        ),
        "weights",
        "block/kernel",
    ),
    Mutant(
        72,
        "mask_from_a_seed",
        CNN,
        (
            (
                "hidden * keep / (1.0 - self.rate)",
                f"hidden * ({SEEDED} < 1.0 - self.rate) / (1.0 - self.rate)",
            ),
        ),
        "forward",
        "training/dropout",
    ),
)
