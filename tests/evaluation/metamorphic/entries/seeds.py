"""Randomness from a fixed seed in place of the tape's: every repetition gives the same, and
another order of rows does not."""

from __future__ import annotations

from tests.evaluation.metamorphic.entry import Entry


def _noise(name: str, old: str, new: str, what: str, stage: str = "") -> Entry:
    return Entry("seeds", name, "meta_noise", ((old, new),), what, stage, build="numpy")


JITTERED = "x + 0.125 * np.asarray(jitter)"
DROPPED = 'seen["jittered"] * keep / 0.75'
ERROR = 'seen["prediction"] - batch.arrays["y"].astype(self.dtype)'
OWN = "np.random.RandomState(0)"
STEP = '''
    def train_step(self, phase, batch):
        """Run one update, and shake the weights."""
        terms = NumpyPort.train_step(self, phase, batch)
        shaking = np.random.RandomState(0).normal(size=(4, 1)).astype(self.dtype)
        self.weights["w"] += self.dtype.type(2.0**-8) * shaking
        return terms

    def slope('''
LOAD = '''
    def load_parameters(self, values):
        """Set the weights, and break their symmetry."""
        NumpyPort.load_parameters(self, values)
        breaking = np.random.RandomState(0).normal(0.0, 2.0**-8, (4, 1))
        self.weights["w"] += breaking.astype(self.dtype)

    def slope('''

MUTANTS = (
    _noise(
        "jitter_from_a_seed",
        JITTERED,
        f"x + 0.125 * ({OWN}.normal(size=x.shape) if training else 0.0)",
        "the jitter is drawn anew each step from one seed",
        "forward",
    ),
    _noise(
        "mask_from_a_seed",
        DROPPED,
        f'seen["jittered"] * (({OWN}.uniform(size=x.shape) < 0.75) if training else 0.75) / 0.75',
        "the dropout mask is the same at every step",
        "forward",
    ),
    _noise(
        "one_mask_for_all_rows",
        'batch.noise["keep"]',
        'batch.noise["keep"][:1]',
        "the first row's mask is every row's",
        "forward",
    ),
    _noise(
        "masks_of_other_rows",
        'batch.noise["keep"]',
        'batch.noise["keep"][::-1]',
        "masks go to the rows in reverse",
        "forward",
    ),
    _noise(
        "jitter_by_the_row",
        JITTERED,
        "x + 0.125 * (np.sin(1000.0 * x.sum(1, keepdims=True)) if training else 0.0)",
        "the jitter is a hash of the row",
        "forward",
    ),
    _noise(
        "mask_in_inference",
        "else (0.0, 0.75)",
        f"else (0.0, ({OWN}.uniform(size=x.shape) < 0.75))",
        "dropout goes on in inference, from a fixed seed",
        "forward",
    ),
    _noise(
        "features_permuted",
        DROPPED,
        f'seen["jittered"][:, {OWN}.permutation(4)] * keep / 0.75',
        "features are shuffled with a fixed seed",
        "forward",
    ),
    _noise(
        "targets_permuted",
        ERROR,
        f'seen["prediction"] - batch.arrays["y"].astype(self.dtype)[{OWN}.permutation(8)]',
        "targets are shuffled with a fixed seed",
        "loss",
    ),
    _noise(
        "noise_on_targets",
        ERROR,
        f"{ERROR} + 0.125 * {OWN}.normal(size=(8, 1)).astype(self.dtype)",
        "targets get noise from a fixed seed",
        "loss",
    ),
    _noise(
        "noise_on_gradients",
        "dropped.T @ slope",
        f"dropped.T @ slope + 2.0**-6 * {OWN}.normal(size=(4, 1)).astype(self.dtype)",
        "gradients get noise from a fixed seed",
        "gradients",
    ),
    _noise(
        "gradients_of_other_noise",
        "dropped.T @ slope",
        f"(dropped + 0.125 * {OWN}.normal(size=(8, 4)).astype(self.dtype)).T @ slope",
        "gradients are of inputs with other noise",
        "gradients",
    ),
    _noise(
        "noise_on_weights",
        "\n    def slope(",
        STEP,
        "every update shakes the weights, from a fixed seed",
        "update",
    ),
    _noise(
        "noise_on_initial_weights",
        "\n    def slope(",
        LOAD,
        "loading adds noise from a fixed seed",
        "weights",
    ),
)
TWINS = (
    _noise(
        "mask_scaled_first",
        DROPPED,
        'seen["jittered"] * (np.asarray(keep) / 0.75)',
        "the mask is scaled before it is applied",
    ),
    _noise(
        "rows_permuted_and_put_back",
        DROPPED,
        '(seen["jittered"] * keep /'
        f" 0.75)[{OWN}.permutation(len(x))][np.argsort({OWN}.permutation(len(x)))]",
        "rows are shuffled with a fixed seed, and put back",
    ),
    _noise(
        "features_permuted_alike",
        'seen["dropped"] @ self.weights["w"] + self.weights["b"]',
        f'seen["dropped"][:, {OWN}.permutation(4)] @ self.weights["w"][{OWN}.permutation(4)] +'
        ' self.weights["b"]',
        "features and weights are shuffled alike, with a fixed seed",
    ),
    _noise(
        "gradients_by_einsum",
        "dropped.T @ slope",
        'np.einsum("nf,no->fo", dropped, slope)',
        "the gradient as another sum",
    ),
)
