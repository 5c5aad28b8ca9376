"""How `--warmup` is read."""

from __future__ import annotations

import pytest

from harness import plan
from harness.commands import options, resolution, warmup
from harness.errors import UsageError
from harness.plan import command


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("500", plan.Warmup(0.0, 500)),
        ("1", plan.Warmup(0.0, 1)),
        ("2s", plan.Warmup(2.0, 1)),
        ("0.5s", plan.Warmup(0.5, 1)),
    ],
)
def test_a_plain_number_is_steps_and_the_unit_makes_it_seconds(
    text: str | None, expected: plan.Warmup | None
) -> None:
    """And what it becomes is spelled as it was."""
    found = warmup.parse(text)
    assert expected == found and (found is None or text == str(found))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s",
        "0",
        "-3",
        "0s",
        "-1s",
        "2.5",
        "2 min",
        "nan",
        "nans",
        "infs",
        "1e99s",
        "2ms",
        "9999999999999",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """With both spellings."""
    with pytest.raises(UsageError, match=r"--warmup .*e\.g\. 500, or seconds with the unit s"):
        warmup.parse(text)


def test_it_reaches_the_job_and_the_command_that_repeats_it() -> None:
    """And makes it another job."""
    chosen = options.Options(
        backends=("numpy", "numpy"), workloads=("linear",), no_fidelity=True, warmup="2s"
    )
    (job,) = plan.make(resolution.resolve(chosen)).speed
    (plain,) = plan.make(
        resolution.resolve(
            options.Options(backends=("numpy", "numpy"), workloads=("linear",), no_fidelity=True)
        )
    ).speed
    assert job.warmup == plan.Warmup(2.0, 1) and job.name != plain.name
    assert "--warmup 2s" in command.of_speed(job) and "--warmup" not in command.of_speed(plain)
