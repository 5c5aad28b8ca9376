"""The command that a verdict carries finds the same ports again."""

from __future__ import annotations

import pytest

from harness import plan


@pytest.mark.parametrize(("folders_a", "folders_b", "words"), [
    ((), (), ["tf2", "torch"]),
    ((), ("/own",), ["tf2", "torch@/own"]),
    (("/shared",), ("/shared",), ["tf2", "torch", "--ports", "/shared"]),
    (("/shared",), ("/own", "/shared"), ["tf2", "torch@/own", "--ports", "/shared"]),
])
def test_names_the_folders_of_ports_again(folders_a: tuple[str, ...], folders_b: tuple[str, ...], words: list[str]):
    """A folder that all sides look into is given by --ports, where workloads are found too; a side's own one after @."""
    sides = (plan.Side("tf2", "tf2", "tf2", folders_a), plan.Side("torch", "torch", "torch", folders_b))
    assert ["--backends", *words] == plan.arguments(sides)
