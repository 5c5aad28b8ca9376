"""Under what two nights measured the same thing: threads, device, machine, the workload's
specification. Owns how a difference is worded.

A condition that only one night tells has not moved: older records tell less. The names are those
that callers give to `Ratios.conditions`.
"""

from __future__ import annotations

from harness.changes.model import Measurand, Night, Ratios

#: A hash of a workload's configuration and data. Where it differs the condition is not another one:
#: the thing itself is.
SPECIFICATION = "specification"
#: The fingerprint of the host.
MACHINE = "machine"
#: So many digits of a specification's hash are shown.
DIGITS = 12


def moved(was: Ratios, one: Ratios) -> str:
    """Return in what the conditions of two nights differ, or an empty string."""
    old, new = was.conditions, one.conditions
    names = [name for name in sorted({*old} & {*new}) if old[name] != new[name]]
    told = []
    if SPECIFICATION in names:
        hashes = f"{old[SPECIFICATION][:DIGITS]} -> {new[SPECIFICATION][:DIGITS]}"
        told.append(
            f"the workload's {SPECIFICATION} or data changed ({hashes}): another thing was measured"
        )
        names.remove(SPECIFICATION)
    if names:
        told.append(
            "measured under other conditions:"
            f" {', '.join(f'{name} {old[name]} -> {new[name]}' for name in names)}"
        )
    return "; ".join(told)


def between(before: Night, after: Night) -> dict[Measurand, str]:
    """Return in what conditions differ, of each measurand that both nights have and whose
    conditions do."""
    old = {one.measurand: one for one in before.ratios}
    found = {
        one.measurand: moved(old[one.measurand], one)
        for one in after.ratios
        if one.measurand in old
    }
    return {what: reason for what, reason in found.items() if reason}
