"""The catalogue of real porting bugs: what each is, the stage at which it first shows, and which
mutants plant it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence

from tests.evaluation.zoo import mutants
from tests.evaluation.zoo.mutant import Mutant

#: Number -> (the difference, and its symptom; the stage or stages where it is first seen).
BUGS = {
    1: ("contrib l2 = ½·s·Σw², Keras l2 has no ½ → regularisation term doubled", "L"),
    2: ("regularisation losses collected in neither framework, or only in one", "L"),
    3: ("Adam + L2 against AdamW", "U"),
    4: ("decoupled decay multiplied by the learning rate (torch) or not (TF addons)", "U"),
    5: ("weight decay applied to biases and norms on one side only", "U"),
    6: ("BatchNorm ε 1e-3 against 1e-5 → small forward bias", "F"),
    7: ("BatchNorm momentum = 1 − momentum; clean at load, wrong after training", "U (state)"),
    8: ("torch's running variance uses n/(n−1), batch normalisation does not", "U (state)"),
    9: ("TF fused BN applies Bessel's correction, non-fused does not", "U (state)"),
    10: ("frozen BN: TF2 inference mode, old Keras batch statistics", "F (train)"),
    11: ("UPDATE_OPS never run → moving mean 0, variance 1", "U (state)"),
    12: ("contrib BN decay 0.999 and scale=False", "W/F"),
    13: ("last BN γ zero-initialised on one side", "W"),
    14: ("BN statistics polluted by a lazy-initialisation input", "U (state)"),
    15: ("LSTM gate order: TF1 i,j,f,o; Keras and torch i,f,c,o", "F"),
    16: ("TF1 forget bias added at run time, Keras stores it", "F"),
    17: ("torch's two LSTM biases: same forward if summed, but the bias step doubles", "U"),
    18: ("GRU reset_after", "F"),
    19: ("recurrent activation hard_sigmoid → sigmoid (Keras 2.3)", "F"),
    20: ("hard_sigmoid 0.2x + 0.5 against x/6 + 0.5", "F"),
    21: ("RNN dropout: wrapper on every output, torch not on the last layer", "F (train)"),
    22: ("dynamic_rnn zeroes past the length, Keras masks carry the state", "F"),
    23: ("TF1 Adam's ε-hat: bias correction scales ε → early steps", "U"),
    24: ("torch's Adam moved its own ε", "U"),
    25: ("Adam ε default 1e-7 against 1e-8", "U"),
    26: ("float16 ε underflows to 0 → 0/0", "U"),
    27: ("RMSprop ε inside or outside the root", "U"),
    28: ("RMSprop accumulator starts at 1 (TF1) or 0 (Keras, torch)", "U step 1"),
    29: ("Adagrad initial accumulator 0.1 against 0", "U step 1"),
    30: (
        (
            "momentum: Keras has lr inside the velocity, TF1 and torch outside → differs only when"
            " lr changes"
        ),
        "T",
    ),
    31: ("sparse rows: momentum lazy, TF Adam dense, SparseAdam lazy", "U"),
    32: ("one Adam against several on shared variables (slots)", "U step 2"),
    33: ("clipnorm per variable (tf.keras) against global (old Keras, torch)", "U"),
    34: ("torch's clip adds 1e-6 to the denominator", "U"),
    35: ("clipping an infinite norm gave zero gradients", "U"),
    36: ("clip before unscale → flat learning curve", "U"),
    37: ("scale updated before unscale → half gradients", "U"),
    38: ("overflow step skipped, scheduler advances anyway", "T"),
    39: ("scheduler stepped before the optimiser", "T"),
    40: ("plateau patience off by one", "T"),
    41: ("SAME stride-2 padding asymmetric → fine at stride 1", "F"),
    42: ("transposed convolution: pad means crop", "F"),
    43: ("max-pool pads −inf or explicit zeros (negative inputs only)", "F edges"),
    44: ("average-pool count_include_pad", "F edges"),
    45: ("NHWC/NCHW flatten → permuted features", "F"),
    46: ("resize align_corners / half-pixel", "F"),
    47: ("nearest-neighbour rounding", "F"),
    48: ("antialias in resize (68.93 → 69.75 % accuracy)", "F input"),
    49: ("GELU tanh against erf, about 5e-4", "F"),
    50: ("LeakyReLU slope 0.01 / 0.1 / 0.2 / 0.3", "F"),
    51: ("LayerNorm ε 1e-3 / 1e-5 / 1e-12, or one layer missed", "F"),
    52: ("mask −1e4 / −1e9 / −inf: leak, or NaN on all-masked rows", "F"),
    53: ("rotary embedding interleaved or half", "F"),
    54: ("missing or extra 1/√d", "F"),
    55: ("softmax twice / from_logits", "L"),
    56: ("BCE ε: clip plus add (15.42 against 16.12)", "L"),
    57: ("torch BCE clamps log at −100, which kills the gradient at saturation", "G"),
    58: ("weighted cross-entropy mean ÷ Σw or ÷ N", "L"),
    59: ("TF1 ÷ non-zero weights, Keras ÷ all, padding included", "L"),
    60: ("label smoothing over K or K − 1", "L"),
    61: ("KL with log-variance or log-σ; mean or sum over the latent", "L"),
    62: ("Huber δ, KLDiv 'mean', log-input", "L"),
    63: ("std with ddof 1 or 0", "F/L"),
    64: ("keep_prob against rate, positionally", "F (train)/D"),
    65: ("dropout left on at inference, or wrongly removed", "D"),
    66: ("padding_idx / mask_zero: gradient of that row", "G/U"),
    67: ("Glorot with zero bias against Kaiming a = √5 with uniform bias", "W"),
    68: ("truncated-normal std correction 0.8796", "W"),
    69: ("trunc_normal_ bounds are absolute", "W"),
    70: ("embedding N(0,1) against U(±0.05); RNN orthogonal against uniform", "W"),
    71: ("TF1 op seed depends on the size of the graph", "W"),
    72: ("op seed differs between eager and graph", "W/F"),
    73: ("batch-then-shuffle; drop_last", "T"),
    74: ("weight EMA: BN buffers or not, warm-up of the decay", "T/D"),
    75: ("TF32 on by default (torch < 1.12 matmul, cuDNN convolutions)", "F ~1e-3"),
    76: ("float16 reduced-precision accumulation", "F/G"),
    77: ("GAN detach / update order; None against zero gradients", "G/T"),
    78: ("depthwise and transposed kernel layouts", "W/F"),
    79: ("evaluation loss averaged over batches or over samples", "L (eval)"),
    80: ("loss of the last, partial batch weighted as a full one", "T"),
}


def planted(only: Sequence[str] = ()) -> tuple[Mutant, ...]:
    """Return all mutants, or those of some modules, by bug."""
    found = [mutant for module in _modules(only) for mutant in getattr(module, "MUTANTS", ())]
    names = [mutant.name for mutant in found]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    return tuple(sorted(found, key=lambda mutant: (mutant.bug, mutant.name)))


def left_out() -> dict[int, str]:
    """Return the bugs that no mutant plants, and why."""
    reasons = {
        bug: reason
        for module in _modules()
        for bug, reason in getattr(module, "LEFT_OUT", {}).items()
    }
    there = {mutant.bug for mutant in planted()}
    return {bug: reasons.get(bug, "") for bug in BUGS if bug not in there}


def _modules(only: Sequence[str] = ()) -> list[object]:
    names = [item.name for item in pkgutil.iter_modules(mutants.__path__)]
    return [importlib.import_module(f"{mutants.__name__}.{name}") for name in only or names]
