"""From values to positions on an axis, and the round values that it is marked with."""

from __future__ import annotations

import math
from collections.abc import Iterable

#: An axis with less between its ends than this share of them would have marks that all read the
#: same.
NARROWEST = 1e-6
#: Beyond this size a float's distances are no floats; below it a step between marks is none.
LARGEST, LEAST = 1e300, 1e-300
#: On a logarithmic axis, of less than this factor the marks are those of a linear one.
SHORT = 8.0


class Scale:
    """One axis.

    Args:
        low, high: values at its ends; equal ones are moved apart.
        start, end: positions of its ends.
        logarithmic: both ends are above 0.
    """

    def __init__(
        self, low: float, high: float, start: float, end: float, logarithmic: bool = False
    ) -> None:
        low, high = (min(max(end, -LARGEST), LARGEST) for end in (low, high))
        if logarithmic:
            # Of what is smaller still a part may be the same number.
            low, high = max(low, LEAST), max(high, LEAST)
            low, high = (low, high) if high > low * (1.0 + NARROWEST) else (low / 1.5, low * 1.5)
        elif high - low <= max(LEAST, NARROWEST * max(abs(low), abs(high))):
            apart = 0.5 * abs(low) if abs(low) > LEAST else 0.5
            low, high = low - apart, low + apart
        self.low, self.high = low, high
        self.start, self.end = start, end
        self.logarithmic = logarithmic

    def __call__(self, value: float) -> float:
        """Return the position of a value; one beyond an end is put there."""
        inside = min(max(value, self.low), self.high)
        if self.logarithmic:
            reach = math.log(self.high) - math.log(self.low)
            part = (math.log(inside) - math.log(self.low)) / reach
        else:
            part = (inside - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self, most: int = 5) -> list[float]:
        """Return round values between the ends, at most about so many."""
        if self.logarithmic and self.high / self.low >= SHORT:
            first = math.ceil(math.log10(self.low) - 1e-9)
            last = math.floor(math.log10(self.high) + 1e-9)
            if last - first >= 1:
                stride = max(1, math.ceil((last - first) / (most - 1)))
                return [10.0**power for power in range(first, last + 1, stride)]
            values = [
                factor * 10.0**power
                for power in range(first - 1, last + 2)
                for factor in (1.0, 2.0, 5.0)
            ]
            return [value for value in values if self.low <= value <= self.high]
        return _linear(self.low, self.high, most)


def _linear(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / most
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(
        factor * size for factor in (1.0, 2.0, 5.0, 10.0) if factor * size >= rough * (1.0 - 1e-9)
    )
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def finite(values: Iterable[float | None], positive: bool = False) -> list[float]:
    """Return those values that can be placed; with `positive`, on a logarithmic axis."""
    return [
        value
        for value in values
        if value is not None and math.isfinite(value) and (value > 0.0 or not positive)
    ]


def mark(value: float) -> str:
    """Return how a tick is written: `0.25`, `1e-12`; rounding the largest floats gives `inf`."""
    if value == 0.0:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:.6g}"
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.3e}"
    digits, power = text.split("e")
    return f"{float(digits):g}e{int(power)}"
