"""Two sides and entries of a map of them, to be written and read."""

from __future__ import annotations

from pathlib import Path

from backends.survey import Layer
from harness.pairs import map_file
from harness.pairs.matches import Matched
from harness.pairs.taps import TapPair
from tests.harness.pairs.scenes import piece, survey

LABELS = ("tf2", "torch")
A = survey(
    [piece("dense", "kernel", (4, 6)), piece("dense", "bias", (6,))],
    [Layer("dense", "dense", "Dense", outputs=((2, 3, 6),)), Layer("box", "container", "Model")],
)
B = survey(
    [piece("fc", "kernel", (4, 6)), piece("fc", "bias", (6,))],
    [Layer("fc", "dense", "Linear", outputs=((2, 3, 6),))],
)
SIDES = (LABELS[0], A), (LABELS[1], B)


def read(path: Path, text: str) -> tuple[Matched, list[TapPair]]:
    """All that is made of a map."""
    path.write_text(text, encoding="utf-8")
    content = map_file.read(path, LABELS)
    return map_file.matched(content, *SIDES), map_file.taps(content, *SIDES)


def entry(kind: str = "parameter", **values: str) -> str:
    lines = [f"{key} = {value}" for key, value in values.items()]
    return "\n".join([f"[[{kind}]]", *lines, ""])


def parameter(tf2: str = '"dense/kernel"', torch: str = '"fc/kernel"', **more: str) -> str:
    return entry(**{"name": '"kernel"', "tf2": tf2, "torch": torch, **more})


def layer(tf2: str = '"dense"', torch: str = '"fc"', **more: str) -> str:
    return parameter() + entry("layer", **{"name": '"d"', "tf2": tf2, "torch": torch, **more})
