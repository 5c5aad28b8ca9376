"""Devices are judged by what the driver has put on the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.environments import devices


def machine(tmp_path: Path, *nodes: str) -> Path:
    """Return the root of a file system with these device nodes."""
    (tmp_path / "dev").mkdir()
    for node in nodes:
        (tmp_path / "dev" / node).parent.mkdir(exist_ok=True)
        (tmp_path / "dev" / node).touch()
    return tmp_path


@pytest.mark.parametrize("device", ["gpu", "tpu"])
def test_absent(tmp_path: Path, device: str) -> None:
    """A machine without the device is told so in one sentence that names the device."""
    reason = devices.missing(device, {"PATH": ""}, machine(tmp_path, "null"))
    assert reason is not None
    assert device.upper() in reason
    assert reason.count(". ") == 0


def test_cpu_is_everywhere(tmp_path: Path) -> None:
    """The CPU is never missing."""
    assert devices.missing("cpu", {}, tmp_path) is None


@pytest.mark.parametrize(
    ("device", "node"), [("gpu", "nvidia0"), ("gpu", "dxg"), ("tpu", "accel0"), ("tpu", "vfio/0")]
)
def test_device_node(tmp_path: Path, device: str, node: str) -> None:
    """A device node is enough."""
    assert devices.missing(device, {}, machine(tmp_path, node)) is None


def test_driver_without_a_card(tmp_path: Path) -> None:
    """The driver's control node alone is no GPU, nor is the vfio control node a TPU."""
    root = machine(tmp_path, "nvidiactl", "nvidia-uvm", "vfio/vfio")
    assert devices.missing("gpu", {}, root) is not None
    assert devices.missing("tpu", {}, root) is not None


def test_nvidia_smi_on_path(tmp_path: Path) -> None:
    """nvidia-smi on PATH counts; it is not run."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text("not a program")
    tool.chmod(0o755)
    assert devices.missing("gpu", {"PATH": str(tmp_path)}, machine(tmp_path)) is None


def test_tpu_by_variable(tmp_path: Path) -> None:
    """A TPU elsewhere is known by its name; an empty variable names nothing."""
    root = machine(tmp_path)
    assert devices.missing("tpu", {"TPU_NAME": "local"}, root) is None
    assert devices.missing("tpu", {"TPU_NAME": ""}, root) is not None
