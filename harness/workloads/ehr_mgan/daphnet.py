"""`daphnet`: the gait of a patient with Parkinson's disease, a recording of 110 s cut into windows
of 24 steps.

Nine accelerometer channels (ankle, thigh and trunk, three axes each, in thousandths of g, 64 per
second) of subject 6, run 2: Bächlin et al. 2010, IEEE Transactions on Information Technology in
Biomedicine 14(2), 436-446; UCI Machine Learning Repository, Daphnet Freezing of Gait. The excerpt
that the package aeon ships is read from its folder, without importing aeon.

Samples are averaged by fours, to 16 steps per second, so a window of 24 steps lasts 1.5 s: more
than one stride. The recording is cut into blocks of 5.5 s and a window lies within its block, as
does all that its channels are computed from. Windows of the same block overlap; two whole blocks,
one at rest and one in motion, are held out, so no sample is both trained on and held out. The
windows of each part are shuffled with a fixed seed. Everything is computed from whole numbers: no
bit depends on a platform.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import io
import itertools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import UsageError
from harness.workloads.ehr_mgan.cohort import Cohort

NAME = "daphnet"
LOCATION = ("datasets", "data", "Daphnet_S06R02E0", "S06R02E0.csv")
SHA256 = "5a1d2990fec3846c3e1bc43487f0860e63434bd06b3df763012e97ce23d0d84c"  # of aeon 1.0 to 1.6
INSTALL = (
    "pip install 'parity-harness[daphnet]' (the file alone is enough: pip install --no-deps"
    " 'aeon<1.7')"
)
CHANNELS = tuple(
    f"{part}_{axis}"
    for part in ("ankle", "thigh", "trunk")
    for axis in ("forward", "vertical", "lateral")
)
#: `freeze` is the recording's own flag, 0 throughout this excerpt; the other two are derived from
#: the acceleration.
FLAGS = ("freeze", "walking", "swing")
AVERAGED = 4  # samples in a step
HOURS = 24  # steps in a window
BLOCK, STRIDE = 88, 4  # steps
HELD_OUT = (3, 15)  # of 20 blocks, a tenth of the windows
SEED = 6
#: `walking`: the vertical acceleration of the thigh varies by more than this over half a second
#: (mg, standard deviation; it is about 10 at rest and above 150 in motion).
WALKING_MG, WALKING_STEPS = 100, 8
#: `swing`: the foot is thrown forwards or braked, the mean of a step beyond this in either
#: direction (mg).
SWING_MG = 500
#: Classes by the vertical variation of the thigh within the window, mg: standing, turning or
#: starting, walking, walking briskly.
ACTIVITY_MG = (100, 300, 400)
ANKLE_FORWARD, THIGH_VERTICAL = 0, 4

Whole = NDArray[np.int64]


@functools.lru_cache(maxsize=1)
def daphnet(_preset: str = "") -> Cohort:
    """Return the cohort, 340 windows; the same for every preset.

    Raises:
        UsageError: the file is not installed, or is another one.
    """
    return windows(read(find()))


def find() -> Path:
    """Return where the recording lies.

    Raises:
        UsageError: it is not installed.
    """
    spec = importlib.util.find_spec("aeon")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder).joinpath(*LOCATION)
        if path.is_file():
            return path
    what = "the recording comes with aeon, which is not installed"
    if spec:
        what = (
            f"the aeon that is installed has no {'/'.join(LOCATION)}; its authors announced to drop"
            " it in 1.7"
        )
    raise UsageError(f"--data {NAME}: {what}. Install it: {INSTALL}, or use another --data.")


def read(path: Path) -> Whole:
    """Return [samples, 10]: nine accelerations in mg and the freeze flag.

    Raises:
        UsageError: the content is not the one known.
    """
    content = path.read_bytes()
    checksum = hashlib.sha256(content).hexdigest()
    if checksum != SHA256:
        raise UsageError(
            f"--data {NAME}: {path} is not the recording known (SHA-256 {checksum[:16]}..., not"
            f" {SHA256[:16]}...). Install it anew: {INSTALL}."
        )
    return np.loadtxt(
        io.BytesIO(content),
        np.int64,
        delimiter=",",
        skiprows=1,
        usecols=range(1, len(CHANNELS) + 2),
    )


def windows(recording: Whole) -> Cohort:
    """Return the windows of a recording [samples, 10] as a cohort, those of the blocks that are
    held out last."""
    blocks = len(recording) // (BLOCK * AVERAGED)
    samples = recording[: blocks * BLOCK * AVERAGED].reshape(blocks, BLOCK, AVERAGED, -1)
    sums = samples.sum(axis=2)
    thigh = samples[..., THIGH_VERTICAL].reshape(blocks, -1)
    half_seconds = thigh.reshape(blocks, -1, WALKING_STEPS * AVERAGED)
    walking = np.repeat(_varies(half_seconds, WALKING_MG), WALKING_STEPS, axis=1)
    swing = np.abs(sums[..., ANKLE_FORWARD]) > SWING_MG * AVERAGED
    flags = np.stack([sums[..., -1] > 0, walking, swing], axis=2).astype(np.float64)
    held_out = [index for index in HELD_OUT if index < blocks]
    training = [index for index in range(blocks) if index not in held_out]
    generator = np.random.RandomState(SEED)
    parts = [
        starts[generator.permutation(len(starts))]
        for starts in (_starts(training), _starts(held_out))
    ]
    block, start = np.concatenate(parts).T
    rows, steps = block[:, None], start[:, None] + np.arange(HOURS)
    activity = thigh[rows, start[:, None] * AVERAGED + np.arange(HOURS * AVERAGED)]
    label = np.sum([_varies(activity, least) for least in ACTIVITY_MG], axis=0)
    accelerations = sums[..., :-1]
    minimum = accelerations.min(axis=(0, 1)) / AVERAGED
    maximum = accelerations.max(axis=(0, 1)) / AVERAGED
    continuous = (accelerations / AVERAGED - minimum) / (maximum - minimum)
    return Cohort(
        name=NAME,
        continuous=continuous[rows, steps],
        discrete=flags[rows, steps],
        label=label.astype(np.int64),
        minimum=minimum,
        range=maximum - minimum,
        channels=CHANNELS,
        interventions=FLAGS,
    )


def _starts(blocks: list[int]) -> Whole:
    """Return [windows, 2]: the block and the first step of every window."""
    steps = range(0, BLOCK - HOURS + 1, STRIDE)
    return np.array(list(itertools.product(blocks, steps)), np.int64).reshape(-1, 2)


def _varies(values: Whole, least: int) -> NDArray[np.bool_]:
    """Whether the standard deviation along the last axis is above a whole number; without a root or
    a division."""
    count = values.shape[-1]
    squared: Whole = count * (values * values).sum(axis=-1) - values.sum(axis=-1) ** 2
    above: NDArray[np.bool_] = squared > (least * count) ** 2
    return above
