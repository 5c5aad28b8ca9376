"""How numbers and foreign text are spelled in every renderer. Knows no layout and no markup."""

from __future__ import annotations

import math
import unicodedata

from harness.results.speed_words import TIMES

MISSING = "-"
#: Upper bound of a unit's range in seconds, the unit's size and its name.
SECONDS = (
    (1e-6, 1e-9, "ns"),
    (1e-3, 1e-6, "µs"),
    (1.0, 1e-3, "ms"),
    (120.0, 1.0, "s"),
    (7200.0, 60.0, "min"),
    (math.inf, 3600.0, "h"),
)
#: By Unicode: controls, line breaks among them, overrides of direction, lone surrogates, what is
#: unassigned (U+FFFE), separators of lines and of paragraphs.
SPELLED_OUT = ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")


def one_line(text: str) -> str:
    """Return text without anything that moves a cursor or that XML forbids: white space is
    collapsed, controls are spelled out."""
    return spelled_out(" ".join(text.split()))


def spelled_out(text: str, keep: str = "") -> str:
    """Return text in which what moves a cursor or ends a line stands as its number.

    Args:
        text: of anybody. keep: characters that stay as they are.
    """
    return "".join(
        f"\\x{ord(char):02x}"
        if unicodedata.category(char) in SPELLED_OUT and char not in keep
        else char
        for char in text
    )


def _odd(value: float) -> str:
    """Return the name of a value that is not finite, else an empty string."""
    if math.isfinite(value):
        return ""
    if math.isnan(value):
        return "NaN"
    return "inf" if value > 0 else "-inf"


def seconds(value: float | None) -> str:
    """Three significant digits: `2.05 ms`, `340 µs`, `1.5 min`."""
    if value is None:
        return MISSING
    if _odd(value) or value == 0.0:
        return f"{_odd(value) or 0} s"
    size, unit = next(
        (size, unit)
        for bound, size, unit in SECONDS
        if abs(value) < bound * 0.9995 or bound == math.inf
    )
    return f"{_digits(value / size)} {unit}"


def _digits(value: float) -> str:
    """Three significant digits without an exponent between 0.001 and 10^9."""
    if value == 0.0:
        return "0"
    value = float(f"{value:.2e}")
    decimals = max(0, 2 - math.floor(math.log10(abs(value)) + 1e-9))
    return f"{value:,.{decimals}f}" if 1e-3 <= abs(value) < 1e9 else f"{value:.2e}"


def error(value: float | None) -> str:
    """An error, floor or threshold: `1.2e-15`, `0`, `NaN`."""
    if value is None:
        return MISSING
    return _odd(value) or ("0" if value == 0.0 else f"{value:.1e}")


def value(number: float | None) -> str:
    """A tensor's element, with the digits in which two sides can differ."""
    if number is None:
        return MISSING
    return _odd(number) or repr(float(number))


def margin(error: float | None, threshold: float | None) -> str:
    """How much of its threshold an error takes, in at most five characters: `6 %` of it, or `6e12×`
    as much; `0`, `<1 %`, `inf×`.

    Args:
        error, threshold: of one tensor; None where it has none.
    """
    if error is None or threshold is None:
        return ""
    if error == 0.0:
        return "0"
    part = error / threshold if threshold else abs(error) * math.inf
    return _odd(part) + TIMES * (part == math.inf) or _percent(part) or f"{_short(part)}{TIMES}"


def _percent(part: float) -> str:
    """Return the part of a whole, rounded down: what lies below it never reads as all of it."""
    if part >= 1.0:
        return ""
    return "<1 %" if part < 0.01 else f"{math.floor(100 * part)} %"


def _short(part: float) -> str:
    if part < 9.95:
        return f"{part:.1f}"
    return f"{part:.0f}" if part < 999.5 else f"{part:.0e}".replace("e+0", "e").replace("e+", "e")


def ratio(middle: float | None, low: float | None, high: float | None) -> str:
    """`1.234 [1.20, 1.27]`; without an interval, the ratio alone.

    Args:
        middle: the ratio; None where nothing was measured.
        low, high: the interval; None where there is none.
    """
    return " ".join(part for part in (ratio_alone(middle), interval(low, high)) if part)


def ratio_alone(middle: float | None) -> str:
    """`1.234`."""
    return MISSING if middle is None else _odd(middle) or _ratio(middle, 3)


def interval(low: float | None, high: float | None) -> str:
    """`[1.20, 1.27]`, with so many digits that no end hides on which side of 1 it lies; empty if
    there is none."""
    if low is None or high is None:
        return ""
    hidden = any(end != 1.0 and f"{end:.2f}" == "1.00" for end in (low, high))
    decimals = 3 if hidden or f"{low:.2f}" == f"{high:.2f}" else 2
    return f"[{_odd(low) or _end(low, decimals)}, {_odd(high) or _end(high, decimals)}]"


def _end(number: float, decimals: int) -> str:
    """Return an end of an interval, which reads 1 only where it is 1."""
    while number != 1.0 and float(f"{number:.{decimals}f}") == 1.0:
        decimals += 1
    return _ratio(number, decimals)


def _ratio(number: float, decimals: int) -> str:
    return f"{number:.{decimals}f}" if 0.05 <= number < 1000 else f"{number:.2g}"


def rate(per_second: float | None) -> str:
    """Samples per second: `812/s`, `12.3k/s`, `4.56M/s`."""
    if per_second is None:
        return MISSING
    if _odd(per_second):
        return f"{_odd(per_second)}/s"
    size, unit = next(
        (size, unit)
        for size, unit in ((1e6, "M"), (1e3, "k"), (1.0, ""))
        if abs(per_second) >= size or size == 1.0
    )
    return f"{_digits(per_second / size)}{unit}/s"


def warmup(total: float | None, build: float | None, first: float | None) -> str:
    """Building and first step, `1.2 s + 340 ms`; their sum where only that is known."""
    if build is None or first is None:
        return seconds(total)
    return f"{seconds(build)} + {seconds(first)}"


def count(number: int | None) -> str:
    """A whole number, all of its digits: `3`."""
    return MISSING if number is None else str(number)


def metric(value: float | None) -> str:
    """A quality metric in three significant digits: `0.0312`."""
    return MISSING if value is None else _odd(value) or f"{value:.3g}"


def metric_interval(value: float | None, low: float | None, high: float | None) -> str:
    """`0.031 [0.029, 0.034]`, without brackets where there is no interval."""
    if low is None or high is None:
        return metric(value)
    return f"{metric(value)} [{metric(low)}, {metric(high)}]"


def operations(count: float | None, per: str = "") -> str:
    """Floating-point operations: `1.22 GFLOP`, or with "/s" a rate of them."""
    if count is None:
        return MISSING
    if _odd(count):
        return f"{_odd(count)} FLOP{per}"
    steps = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
    size, unit = next((size, unit) for size, unit in steps if abs(count) >= size or size == 1.0)
    return f"{_digits(count / size)} {unit}FLOP{per}"


def share(part: float | None) -> str:
    """A part of a whole: `12.3 %`."""
    return MISSING if part is None else f"{_odd(part) or _digits(100 * part)} %"


def joules(energy_j: float | None) -> str:
    """`1.20 J`, `340 mJ`."""
    if energy_j is None:
        return MISSING
    if abs(energy_j) >= 1.0 or _odd(energy_j):
        return f"{_odd(energy_j) or _digits(energy_j)} J"
    return f"{_digits(1e3 * energy_j)} mJ"


def memory(size_bytes: int | None) -> str:
    """`212 MiB`."""
    return MISSING if size_bytes is None else f"{_digits(size_bytes / 2**20)} MiB"
