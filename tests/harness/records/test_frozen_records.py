"""The records of jobs that the harness of an earlier day has written become what today's typed
views hold; what was not written then is not known, and not an empty answer."""

from __future__ import annotations

import dataclasses

import pytest

from harness.fidelity.declarations import Declarations
from harness.fidelity.evidence import LossScale
from harness.records import contents, store
from harness.records.contents import Attempted, FirstRun
from harness.speed.disturbance import Turn
from tests.harness.records.frozen import (
    D21_09,
    D21_13,
    D21_23,
    D28_15,
    D29_02,
    D29_11,
    D29_16,
    D30_14,
    FORMATS,
)

LADDER = ("weights", "forward", "loss", "gradients", "update", "trajectory")
UNSUPPORTED = ("unsupported", "numpy computes in fp64 and fp32, not in bf16")
INTERRUPTED = ("interrupted", "interrupted by the user")
TOLD = Declarations(trainable_values=11, own_training=False)


def manifest(day: str, what: str) -> store.Record:
    """Return a frozen record, which ended well unless it is one of a failure."""
    record = store.read_manifest(FORMATS / day / what)
    assert record.ok or what == "failed"
    return record


@pytest.mark.parametrize(
    ("day", "stages", "tensors", "ulp", "declared", "sources"),
    [
        (D21_09, LADDER[:5], 16, 3, Declarations(), 0),
        (D21_13, LADDER, 32, 3, Declarations(), 0),
        (D21_23, LADDER[:3], 8, 3, Declarations(), 0),
        (D29_02, LADDER[:3], 8, 2, TOLD, 6),
        (D29_11, LADDER, 27, 2, TOLD, 6),
    ],
)
def test_records_of_lockstep_jobs(
    day: str, stages: tuple[str, ...], tensors: int, ulp: int, declared: Declarations, sources: int
) -> None:
    """Tensors, noise, checksums and what the build is; what an older port did not say of itself is
    not known, and not an empty answer."""
    record = manifest(day, "recorded")
    left = record.recorded
    assert ("numpy", "linear", tensors) == (
        record.job["side"],
        record.job["workload"],
        len(left.tensors),
    )
    first, *_ = left.tensors
    assert ("weights", "W", (10, 1), "float64", 1.0) == (
        first.stage,
        first.name,
        first.shape,
        first.dtype,
        first.largest,
    )
    (loss,) = [item for item in left.tensors if (item.stage, item.name) == ("loss", "train/total")]
    assert 25.146522658864846 == loss.largest
    assert ulp == len(left.noise["loss/train/total"]["ulp"])
    assert {f"{stage}.npz" for stage in stages} == {*left.files} == {*contents.files(record.whole)}
    assert ("3.11.7", {"numpy": "2.4.6"}) == (left.identity.python, left.identity.versions)
    assert (declared, sources) == (left.declared, len(left.sources))
    assert "eager" == left.effective["execution"] and left.peak_bytes > 30_000_000


def test_a_record_in_a_lower_precision() -> None:
    """Which activations a product is upstream of."""
    left = manifest(D29_11, "recorded_bf16").recorded
    assert frozenset({"training/prediction", "inference/prediction"}) == left.declared.contracted
    assert (0.229400634765625, 0.138458251953125) == left.noise["loss/train/total"]["ulp"]


def test_a_record_with_a_dynamic_loss_scale() -> None:
    """At which scale the gradients of each phase were recorded."""
    left = manifest(D29_16, "recorded_fp16").recorded
    assert {"train": LossScale(8192.0, 2)} == left.loss_scale


def test_a_record_of_a_side_that_keeps_an_average_nobody_compares() -> None:
    """What was seen, and what may be one; older records tell of none."""
    declared = manifest(D30_14, "recorded_averages").recorded.declared
    (hidden,), (unseen,) = declared.hidden_averages, declared.unseen_averages
    assert hidden.startswith("a step moves a ndarray [5, 6] as an average of hid.weight")
    assert unseen.startswith("a ndarray [5, 6], as large as the largest weight")


@pytest.mark.parametrize(
    ("day", "ended"),
    [
        (D21_09, UNSUPPORTED),
        (D21_13, INTERRUPTED),
        (D21_23, INTERRUPTED),
        (D29_11, UNSUPPORTED),
    ],
)
def test_records_of_jobs_that_did_not_end_well(day: str, ended: tuple[str, str]) -> None:
    """The reason is what there is to read."""
    record = manifest(day, "failed")
    assert (ended, {}) == ((record.status, record.reason), record.result)


@pytest.mark.parametrize(
    ("day", "train_s", "spec", "sources"),
    [
        (D21_13, 14.65063857899986, "", 0),
        (D21_23, 22.848564451998755, "91c6ecdb", 0),
        (D29_11, 17.072722816999885, "91c6ecdb", 24),
    ],
)
def test_records_of_models_from_own_seeds(
    day: str, train_s: float, spec: str, sources: int
) -> None:
    """Terms, checksums, and how long the training took."""
    record = manifest(day, "sampled")
    left = record.sampled
    assert (50, "joint/discriminator/continuous/fake") == (len(left.terms), left.terms[0])
    assert ["losses.npz", "samples.npz"] == sorted(contents.files(record.whole))
    assert (train_s, spec, sources) == (left.train_s, left.spec_hash[:8], len(left.sources))
    assert (951163860, "2.13.0+cpu") == (record.job["own_seed"], left.identity.versions["torch"])


@pytest.mark.parametrize(
    ("day", "side", "rooted"),
    [(D21_23, "torch#2", ()), (D29_11, "torch@faulty", ("training/conv1", "inference/conv1"))],
)
def test_records_of_teacher_forced_passes(day: str, side: str, rooted: tuple[str, ...]) -> None:
    """What each activation was computed from."""
    record = manifest(day, "forced")
    left = record.forced
    assert (side, 20, rooted) == (record.job["side"], len(left.tensors), left.rooted)
    assert (("training/pool1",), ()) == (left.read["training/conv2"], left.own["training/conv2"])


@pytest.mark.parametrize(("day", "declared"), [(D21_23, Declarations()), (D29_11, TOLD)])
def test_records_of_repeated_runs(day: str, declared: Declarations) -> None:
    """Both modes, with their tensors."""
    left = manifest(day, "repeated").repeated
    assert {"lockstep": 27, "native": 13} == {
        mode: len(part.tensors) for mode, part in left.parts.items()
    }
    assert {"trajectory.npz", "weights.npz"} == {*left.parts["native"].files}
    assert [declared, declared] == [part.declared for part in left.parts.values()]


@pytest.mark.parametrize(
    ("day", "workload", "remarks"), [(D29_02, "cnn", 0), (D29_11, "linear", 2)]
)
def test_records_of_first_runs(day: str, workload: str, remarks: int) -> None:
    """How it ended, and what was remarked."""
    left = manifest(day, "first_run").first_run
    said = left.workloads[workload].remarks
    assert FirstRun({workload: Attempted(store.Status.OK, "", said)}) == left
    assert (remarks, remarks) == (len(said), sum("raised ValueError: planted" in x for x in said))


@dataclasses.dataclass(frozen=True)
class Timed:
    """What is known of a frozen round, of its action `train` and of its first side.

    Attributes:
        baseline_bytes, flops, operations, mapped_bytes, tape: what no older harness wrote.
        cores, met: what none before the last did.
    """

    step_s: float
    rows_a_step: int
    segment: str = "train"
    steady: bool = True
    baseline_bytes: int | None = None
    flops: float | None = None
    operations: float | None = None
    rate: float | None = None
    mapped_bytes: int | None = None
    tape: str = ""
    cores: float | None = None
    met: Turn = dataclasses.field(default_factory=Turn)

    @classmethod
    def of(cls, left: contents.Round) -> Timed:
        """Return the same of a round that was read."""
        train, side = left.actions["train"], "torch"
        spent = left.spent.get("train", {}).get(side, contents.Spent())
        return cls(
            train.palindromes[0][side][0],
            left.rows_a_step,
            train.prepared[side].segment,
            train.prepared[side].steady,
            left.baseline_bytes.get(side),
            spent.flops,
            left.operations.get("train"),
            spent.rate,
            train.mapped_bytes.get(side),
            left.tape_hash[:8],
            left.machine[0].cores,
            train.met,
        )


BUSY = Turn(41.68369388300198, 34.086635285, 45.004863131, others_s=49.11577235100277, load=6.79)
ROUNDS = {
    D21_09: Timed(0.20191617700038478, 32, ""),
    D21_13: Timed(0.055402174999471754, 32),
    D21_23: Timed(
        0.02339074200062896,
        32,
        baseline_bytes=309579776,
        flops=65519616.0,
        operations=65519616.0,
        rate=226716071312.63324,
    ),
    D28_15: Timed(
        5.703927810000096,
        12,
        "joint",
        steady=False,
        baseline_bytes=310562816,
        rate=258174564671.779,
        mapped_bytes=111198208,
        tape="d356dadd",
    ),
    D29_11: Timed(
        5.057681746999151,
        12,
        "joint",
        baseline_bytes=310833152,
        rate=111654572879.04425,
        mapped_bytes=111419392,
        tape="d356dadd",
        cores=2.0,
        met=BUSY,
    ),
}


@pytest.mark.parametrize("day", ROUNDS)
def test_records_of_rounds(day: str) -> None:
    """Step times, memory, what a step costs and what disturbed it, as far as it was measured."""
    left = manifest(day, "round").round
    assert ROUNDS[day] == Timed.of(left)
    assert (("torch", "torch#2"), {"train", "generate"}) == (left.labels, {*left.actions})
    assert {"torch", "torch#2"} == {*left.opened} == {*left.actions["train"].peak_bytes}
    assert (day == D29_11) == left.actions["train"].disturbed
    missing = left.actions["train"].device_peak_missing.get("torch", "")
    assert (day >= D21_23) == missing.startswith("it ran on the CPU")
