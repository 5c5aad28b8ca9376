"""The pairs: code of libraries, and what has to be said of it. Where a pair fails, the reason is a
difference that is there, and a variant of the pair without it has to pass: that is the proof."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from backends.contract import Stage
from harness.results.verdicts import Fidelity

PAIRS = Path(__file__).parent / "pairs"
BUILDS = "harness.toml"
#: Why the classes for TensorFlow hold some numbers in float32 inside a float64 model.
CAST = "TensorFlow makes a Python number float32 before it is cast: "
EXACT = "the same with a ReLU"
ADAMW = (
    "both libraries' AdamW: ε beside √v̂ in torch, beside √v in Keras before the correction of the"
    " bias; 1e-8 and 1e-7; a decay of 0.01 and 0.004"
)


@dataclasses.dataclass(frozen=True)
class Entry:
    """One comparison.

    Attributes:
        name: of it. file: of the pair. change: texts of the file and what stands in their place.
        precision: of the comparison. verdict: that has to come out. stage: at which it departs.
        what: the change, in words. reason: what the difference is.
        also: further words of the command.
    """

    name: str
    file: str
    change: tuple[tuple[str, str], ...] = ()
    precision: str = "fp64"
    verdict: Fidelity = Fidelity.PASS
    stage: Stage | None = None
    what: str = ""
    reason: str = ""
    also: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Where the pair file lies."""
        return PAIRS / f"{self.file}.py"

    @property
    def lines(self) -> int:
        """Lines of the pair file that say something: neither empty nor its docstring."""
        return sum(bool(line.strip()) for line in self._text().splitlines()[1:])

    @property
    def title(self) -> str:
        """What the pair is, as its docstring says, and what is changed."""
        first = self._text().splitlines()[0].strip('"').rstrip(".")
        return f"{first}; {self.what}" if self.what else first

    def _text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def text(self) -> str:
        """Return the pair file, changed.

        Raises:
            ValueError: a text that is to be changed does not stand there.
        """
        text = self._text()
        for old, new in self.change:
            if old not in text:
                raise ValueError(f"{self.name}: {old!r} is not in {self.path.name}")
            text = text.replace(old, new)
        return text


ENTRIES: Sequence[Entry] = (
    Entry(
        "keras",
        "keras_releases",
        verdict=Fidelity.FAIL,
        stage=Stage.UPDATE,
        reason="Keras 2 moves the statistics of a batch norm by 1 - momentum in float32,"
        " whatever is set",
    ),
    Entry(
        "keras-exact",
        "keras_releases",
        (
            (
                "    net.compile",
                "    for layer in net.layers:\n        layer.momentum = 0.75\n    net.compile",
            ),
        ),
        verdict=Fidelity.INCONCLUSIVE,
        stage=Stage.TRAJECTORY,
        what="statistics that keep three quarters, which float32 holds",
        reason="none in W to U; what the model gives after 20 steps on batches of four is"
        " undecided",
    ),
    Entry("torch", "torch_releases"),
    Entry("linear", "linear"),
    Entry("cnn", "cnn"),
    Entry("ehr_mgan", "ehr_mgan"),
    Entry(
        "torch-adamw",
        "torch_releases",
        (("SGD(net.parameters(), 0.01, momentum=0.9)", "AdamW(net.parameters(), 1e-3)"),),
        verdict=Fidelity.INCONCLUSIVE,
        stage=Stage.UPDATE,
        what="with AdamW",
        reason="the gradient of a key's bias is 0 mathematically; AdamW divides what rounding"
        " leaves of it by its own size: nothing can be said of that step",
    ),
    Entry(
        "bert",
        "bert",
        verdict=Fidelity.FAIL,
        stage=Stage.FORWARD,
        reason=CAST + "the √8 that scores are divided by, the √2 of the gelu",
    ),
    Entry("bert-fp32", "bert", precision="fp32"),
    Entry(
        "bert-exact",
        "bert",
        (("2, 2, 32,", '2, 4, 32, hidden_act="relu",'),),
        what=EXACT + " and heads of 4, whose root is exact",
    ),
    Entry(
        "bert-padding",
        "bert",
        (("2, 2, 32,", '2, 4, 32, hidden_act="relu",'), ("randint(1, 60", "randint(0, 60")),
        verdict=Fidelity.FAIL,
        stage=Stage.GRADIENTS,
        what=EXACT + ", heads of 4, and token 0 in the data",
        reason="token 0 pads: torch's class gives its row of the embeddings no gradient,"
        " TensorFlow's does",
    ),
    Entry(
        "bert-adamw",
        "bert",
        (
            ("2, 2, 32,", '2, 4, 32, hidden_act="relu",'),
            ("SGD(0.0625)", "AdamW(0.0009765625)"),
            ("SGD(net.parameters(), 0.0625)", "AdamW(net.parameters(), 0.0009765625)"),
        ),
        verdict=Fidelity.FAIL,
        stage=Stage.UPDATE,
        what=EXACT + ", heads of 4, and AdamW as it comes",
        reason=ADAMW,
    ),
    Entry(
        "gpt2",
        "gpt2",
        verdict=Fidelity.FAIL,
        stage=Stage.FORWARD,
        reason=CAST + "the π and the 0.044715 of the gelu",
    ),
    Entry(
        "gpt2-exact",
        "gpt2",
        (("n_head=2", 'n_head=2, activation_function="relu"'),),
        what=EXACT,
    ),
    Entry(
        "bart",
        "bart",
        verdict=Fidelity.FAIL,
        stage=Stage.FORWARD,
        reason=CAST + "the √2 of the gelu",
    ),
    Entry("bart-fp32", "bart", precision="fp32"),
    Entry(
        "bart-exact",
        "bart",
        (("d_model=16", 'd_model=16, activation_function="relu"'),),
        what=EXACT,
    ),
    Entry(
        "resnet50",
        "resnet50",
        what="fp64 and fp32",
        reason="bn-unbiased-variance, accepted: torch keeps a running variance of n - 1",
        also=("fp32", "--steps", "4", "--accept", "bn-unbiased-variance"),
    ),
)


def chosen(names: Sequence[str]) -> list[Entry]:
    """Return entries by name, or all of a pair by that of its file.

    Raises:
        ValueError: there is none of a name.
    """
    for name in names:
        if not any(name in (entry.name, entry.file) for entry in ENTRIES):
            known = ", ".join(entry.name for entry in ENTRIES)
            raise ValueError(f"{name!r} is none of {known}")
    return [entry for entry in ENTRIES if not names or {entry.name, entry.file} & {*names}]
