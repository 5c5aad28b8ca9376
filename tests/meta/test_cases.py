"""Small inputs of strangers on which the product was wrong, each with its right answer.

The files in tests/data/cases are as they came, workloads and ports alike: nobody here has tidied
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.plan import Side
from harness.results.model import StageRow
from harness.workloads import registry
from tests.evaluation.laboratory import BACKENDS, Laboratory, opened

CASES = Path(__file__).parents[1] / "data/cases"
BUILDS = ("tf2", "torch", "numpy")
#: The case's folder, its workload, both sides (build, folder of its ports in the case), and where
#: the first FAIL has to be; None: a PASS. `often` is the case keras3_embedding_adam as ports: Keras
#: 3's own Adam moves rows that a batch holds more than once too far. `h_bn` is nn.BatchNorm1d
#: against Keras 3: torch moves its running variance by the unbiased variance, Keras by the biased
#: one.
RIGHT = [
    ("inplace", "inplace", "torch", "torch inplace_off", None),
    ("embedding_bf16", "embed", "torch", "torch", None),
    ("noise_axis", "heads", "torch", "torch", None),
    ("noise_axis", "shared", "torch", "torch", None),
    ("traps", "bn", "torch", "torch", None),
    ("traps", "adamw", "torch", "torch", None),
    ("given", "given", "torch", "torch", None),
    ("h_loop", "h_loop", "tf2", "torch h_loop", "trajectory step 1/"),
    ("h_loop", "h_loop", "tf2", "torch h_loop/honest", None),
    ("h_stateful", "h_stateful", "tf2", "torch", None),
    ("h_stateful", "h_stateful", "tf2", "torch h_stateful/faulty", "update step 2/"),
    ("h_stateful", "h_stateful", "tf2", "torch h_stateful/reset", "update step 2/"),
    ("h_maxtie2", "h_maxtie2", "tf2", "torch", None),
    ("h_maxtie2", "h_maxtie2", "tf2", "torch h_maxtie2/faulty", "gradients train/emb/embeddings"),
    ("h_bucket", "h_bucket", "tf2", "torch", None),
    ("h_bucket", "h_bucket", "tf2", "torch h_bucket/faulty", "forward training/bucket"),
    ("h_mixup", "h_mixup", "tf2", "torch", None),
    ("h_mixup", "h_mixup", "tf2", "torch h_mixup/faulty", "forward training/mixed"),
    ("h_spectrum", "h_spectrum", "tf2", "torch", None),
    ("h_spectrum", "h_spectrum", "tf2", "torch h_spectrum/faulty", "forward training/spectrum"),
    ("h_specnorm", "h_specnorm", "tf2", "torch", None),
    ("h_bn", "h_bn", "tf2", "torch", "update step 1/train/parameter/norm/moving_variance"),
    ("often", "often", "tf2", "torch", "update step 1/train/parameter/emb/embeddings"),
    ("often", "often", "tf2 often/own", "torch", "update step 1/train/parameter/emb/embeddings"),
    ("often", "often", "tf2 often/summed", "torch", None),
    ("tienullp9", "tienullp9", "torch", "torch tienullp9/faulty", "gradients train/c"),
    ("maskedmin", "maskedmin", "torch", "torch maskedmin/honest", None),
    ("maskedmin", "maskedmin", "torch", "torch maskedmin/faulty", "forward training/bucket"),
    ("maskedmin", "maskedmin", "torch", "torch maskedmin/faulty_inf", "forward inference/bucket"),
    ("klmetricq", "klmetricq", "torch", "torch klmetricq/honest", None),
    ("klmetricq", "klmetricq", "torch", "torch klmetricq/faulty", "trajectory step 2/loss/kl"),
    ("klmetricq", "klmetricq", "torch", "torch klmetricq/faulty_rev", "trajectory step 2/loss/kl"),
    ("klloss", "klloss", "torch", "torch klloss/honest", None),
    ("inbatch", "inbatch", "torch", "torch inbatch/honest", None),
    ("inbatch", "inbatch", "torch", "torch inbatch/faulty", "forward training/h"),
    ("innoise", "innoise", "torch", "torch innoise/honest", None),
    ("innoise", "innoise", "torch", "torch innoise/faulty", "forward training/h"),
    ("alias", "alias", "torch", "torch alias/honest", None),
    ("h_prelu", "h_prelu", "tf2", "torch", None),
    ("h_prelu", "h_prelu", "tf2", "torch h_prelu/faulty", "weights prelu/alpha"),
    ("bare_scalar_P", "h_adamax", "tf2", "torch", None),
    (
        "false_pass_microbatch/mine",
        "digits",
        "torch false_pass_microbatch/bare",
        "torch false_pass_microbatch/bad",
        "trajectory step 1/",
    ),
    ("mist", "mist", "numpy", "numpy mist/bad_microbatch", "trajectory step 1/"),
    ("mist", "mist", "numpy mist/full", "numpy mist/bad_microbatch_full", "update step 1/"),
    ("mist", "mist", "numpy", "numpy mist/bad_seed", "trajectory step 1/"),
    ("mist", "mist", "numpy", "numpy mist/bad_seedgrad", "trajectory step 1/"),
    ("mist", "mist", "numpy", "numpy mist/bad_seedmask", "trajectory step 1/"),
    (
        "mist",
        "mist",
        "numpy mist/good_nobias",
        "numpy mist/bad_seedmask_nobias",
        "trajectory step 1/",
    ),
    ("mist", "mist", "numpy", "numpy mist/bad_random", "trajectory step 1/"),
]
#: Those in which a lower precision has its own word.
LOW = {
    "embed": ("bf16",),
    **dict.fromkeys(("h_specnorm", "h_adamax", "h_bucket", "mist"), ("fp64", "fp32")),
}


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """One worker of each build for all cases."""
    with opened(tmp_path_factory.mktemp("cases"), BUILDS) as found:
        yield found


def side(spelled: str, folder: Path) -> Side:
    """Return a side: `build`, with the case's own ports, or `build folder`, with those in a
    folder and nowhere else."""
    build, _, own = spelled.partition(" ")
    if not own:
        return Side(build, build, BACKENDS[build], (str(folder),))
    return Side(f"{build}@{Path(own).name}", build, BACKENDS[build], (str(CASES / own),), only=True)


def rows(
    laboratory: Laboratory, folder: str, workload: str, sides: tuple[str, str]
) -> list[StageRow]:
    """Judge a case as `harness compare --no-speed` does."""
    laboratory.stand.workloads.update(registry.known([CASES / folder]))
    one, two = (side(spelled, CASES / folder) for spelled in sides)
    if one == two:
        two = Side(f"{one.label}#2", one.build, one.backend, one.folders)
    return laboratory.rows(workload, [one, two], precisions=LOW.get(workload, ("fp64",)))


@pytest.mark.parametrize(
    ("folder", "workload", "a", "b", "place"),
    RIGHT,
    ids=lambda value: str(value) if value else "pass",
)
def test_the_answer_is_the_right_one(
    laboratory: Laboratory, folder: str, workload: str, a: str, b: str, place: str | None
):
    """An honest pair passes at every stage; a fault fails first where it is."""
    found = rows(laboratory, folder, workload, (a, b))
    judged = [
        (row.stage, row.precision, row.verdict, row.reason)
        for row in found
        if row.verdict not in ("PASS", "INFO")
    ]
    if place is None:
        assert [] == judged
        assert any(row.verdict == "PASS" for row in found)
        return
    first = next(row for row in found if row.verdict == "FAIL")
    assert f"{first.stage} {first.worst}".startswith(place)
    assert all(row.verdict != "PASS" for row in found if row.stage == first.stage)


@pytest.mark.parametrize(
    ("folder", "workload", "a", "b", "words"),
    [
        (
            "mist",
            "mist",
            "numpy",
            "numpy mist/bad_microbatch",
            "depends on the order of rows, a's does not",
        ),
        (
            "mist",
            "mist",
            "numpy",
            "numpy mist/bad_random",
            "is another one when the same run is repeated",
        ),
        (
            "h_mixup",
            "h_mixup",
            "tf2",
            "torch",
            "rows of a batch, or what is carried between batches, influence each other",
        ),
        ("h_bucket", "h_bucket", "tf2", "torch", "crosses a tie, an edge or a branch"),
        (
            "often",
            "often",
            "tf2 often/own",
            "torch",
            "departs in 3 of the 8 rows that move, and in those as a whole",
        ),
    ],
)
def test_the_sentence_says_why(
    laboratory: Laboratory, folder: str, workload: str, a: str, b: str, words: str
):
    """What moves one side alone, and which variation was no rounding."""
    assert any(words in row.reason for row in rows(laboratory, folder, workload, (a, b)))
