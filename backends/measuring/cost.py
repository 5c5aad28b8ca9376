"""What a prepared action costs beside time: floating-point operations, how fast the device could do
them, and energy.

Asked for once, after all that is timed. Each backend's `cost` module knows what its framework can
tell; here is what is the same for all. A number that cannot be had is None, with the reason in
`missing`: never 0, never a guess.
"""

from __future__ import annotations

import importlib
import time
from typing import Any, Callable, Dict

from backends.contract import Unsupported
from backends.measuring.energy import Meter

#: Sides of the square products by which the device's rate is found: larger ones are tried until one
#: takes long enough.
SIDES = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
LONG_ENOUGH_S = 0.02
REPEATS = 3
#: NVML's counter of energy moves every 20 to 100 ms: steps are run for this long.
ENERGY_S = 1.5


def of_a_step(backend: str, port: Any, timer: Any) -> Dict[str, Any]:
    """Return what one step of the timer's action costs.

    Args:
        backend: its folder. port: that the timer runs.
        timer: of the prepared action; more of its steps may be run.

    Returns:
        `flops`: floating-point operations of a step's contractions, a multiplication and an
        addition counting as two;
        `flops_source`: who counted them;
        `rate`: the most of them that a square product reaches on this device in this setting, per
        second;
        `energy_j`: joules a step;
        `missing`: by name, why a number is None.
    """
    counter = _of(backend)
    costs: Dict[str, Any] = {"missing": {}, "flops_source": ""}
    for name, measure in (
        ("flops", lambda: counter.flops(port, timer)),
        ("rate", lambda: best_rate(lambda side: counter.product(port, side))),
        ("energy_j", lambda: energy_a_step(port.setting.device, timer)),
    ):
        try:
            costs[name] = measure()
        except Unsupported as error:
            costs[name], costs["missing"][name] = None, str(error)
    if costs["flops"] is not None:
        costs["flops_source"] = counter.SOURCE
    return costs


def reset_device_peak(backend: str, port: Any) -> None:
    """Let the framework's own count of its memory on the device begin anew.

    Args:
        backend: its folder. port: says on which device.
    """
    _of(backend).reset_device_peak(port)


def device_peak(backend: str, port: Any) -> Dict[str, Any]:
    """Return `device_peak_bytes`, the most that the framework had allocated on its device since the
    reset, or None with the reason.

    Args:
        backend: its folder. port: says on which device.
    """
    try:
        return {"device_peak_bytes": _of(backend).device_peak(port)}
    except Unsupported as error:
        return {"device_peak_bytes": None, "device_peak_missing": str(error)}


def _of(backend: str) -> Any:
    """Return the backend's module `cost`."""
    return importlib.import_module(f"backends.{backend}.cost")


def best_rate(product: Callable[[int], Callable[[], Any]]) -> float:
    """Return the largest rate of a square product, floating-point operations per second.

    Args:
        product: for a side n, returns a function that computes a product of two n x n matrices in
            the setting's dtype of contractions and returns when the device has finished. 2 n^3
            operations.
    """
    best = 0.0
    for side in SIDES:
        run = product(side)
        run()
        took = min(_took(run) for _ in range(REPEATS))
        best = max(best, 2.0 * side**3 / took)
        if took > LONG_ENOUGH_S:
            break
    return best


def _took(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return max(time.perf_counter() - started, 1e-9)


def energy_a_step(device: str, timer: Any) -> float:
    """Return what the GPU uses for a step, all of the board, joules.

    Raises:
        Unsupported: this is no NVIDIA GPU, or its driver does not tell.
    """
    if device != "gpu":
        raise Unsupported(
            f"NVML tells the energy of NVIDIA GPUs only, and this ran on the {device.upper()}"
        )
    meter, steps = Meter(), 0
    before, started = meter.joules(), time.perf_counter()
    while time.perf_counter() - started < ENERGY_S:
        timer.run(timer.steps_a_sample)
        steps += timer.steps_a_sample
    return (meter.joules() - before) / steps
