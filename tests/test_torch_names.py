"""What the torch backend takes for granted is there in the oldest torch that is accepted; its
environment, torch-oldest, runs the ports."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.environments.builds import BUILDS
from tests import torch_names

SOURCES = sorted((Path(__file__).parents[1] / "backends" / "torch").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_oldest_torch_has_all_names(path: Path) -> None:
    """A newer name is asked for with `hasattr` or `getattr` first, or left alone."""
    assert [] == torch_names.missing(torch_names.used(path.read_text()), torch_names.recorded())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            (
                "from torch._dynamo import exc\nREFUSALS = (exc.BackendCompilerFailed,"
                " exc.FailOnRecompileLimitHit)"
            ),
            ["torch._dynamo.exc.FailOnRecompileLimitHit"],
        ),
        (
            "from torch._dynamo import config\nconfig.fail_on_recompile_limit_hit = True",
            ["torch._dynamo.config.fail_on_recompile_limit_hit"],
        ),
        ("import torch\nx: torch.float4_e2m1fn_x2", ["torch.float4_e2m1fn_x2"]),
        ("import torch.nn.functional as F\nF.grouped_mm()", ["torch.nn.functional.grouped_mm"]),
        ("from torch.nn.utils.rnn import unheard_of as known", ["torch.nn.utils.rnn.unheard_of"]),
        (
            (
                "from torch._dynamo import config\nif hasattr(config,"
                " 'fail_on_recompile_limit_hit'): config.fail_on_recompile_limit_hit = True"
            ),
            [],
        ),
        ("from torch import nn\nnn.Linear(2, 3).weight.data\nclass Mine(nn.RMSNorm): pass", []),
    ],
)
def test_a_name_of_newer_releases_is_found(source: str, expected: list[str]) -> None:
    """However it is imported; asked for first, it is none."""
    assert expected == torch_names.missing(torch_names.used(source), torch_names.recorded())


def test_the_recorded_release_is_the_oldest_that_is_accepted() -> None:
    """Its file bears its name."""
    oldest = BUILDS["torch"].accepts.split(",")[0].removeprefix(">=")
    assert torch_names.RECORDED.name.startswith(f"torch-{oldest}.")
