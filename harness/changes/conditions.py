"""Under what two nights measured the same thing: threads, device, machine, the workload's
specification. Owns how a difference is worded.

A condition that only one night tells has not moved: older records tell less. The names are those
that callers give to `Ratios.conditions`.
"""

from __future__ import annotations

from harness.changes.model import JudgedNight, Measurand, Ratios, Suspect

#: A hash of a workload's configuration and data. Where it differs the condition is not another one:
#: the thing itself is.
SPECIFICATION = "specification"
#: The fingerprint of the host.
MACHINE = "machine"
#: So many digits of a specification's hash are shown.
DIGITS = 12


def moved(before: Ratios, after: Ratios) -> str:
    """Return in what the conditions of two nights differ, or an empty string."""
    old, new = before.conditions, after.conditions
    names = [name for name in sorted({*old} & {*new}) if old[name] != new[name]]
    reasons = []
    if SPECIFICATION in names:
        hashes = f"{old[SPECIFICATION][:DIGITS]} -> {new[SPECIFICATION][:DIGITS]}"
        reasons.append(
            f"the workload's {SPECIFICATION} or data changed ({hashes}): another thing was measured"
        )
        names.remove(SPECIFICATION)
    if names:
        differing = ", ".join(f"{name} {old[name]} -> {new[name]}" for name in names)
        reasons.append(f"measured under other conditions: {differing}")
    return "; ".join(reasons)


def between(before: JudgedNight, after: JudgedNight) -> dict[Measurand, str]:
    """Return in what conditions differ, by measurand; only those that both nights have and that do
    differ."""
    old = {ratios.measurand: ratios for ratios in before.ratios}
    reasons = {
        new.measurand: moved(old[new.measurand], new)
        for new in after.ratios
        if new.measurand in old
    }
    return {what: reason for what, reason in reasons.items() if reason}


def machines(night: JudgedNight) -> list[str]:
    """Return the fingerprints of the hosts on which a night's rows were timed, each once.

    Args:
        night: with the conditions that its records tell.
    """
    fingerprints = (ratios.conditions.get(MACHINE, "") for ratios in night.ratios)
    return [*dict.fromkeys(filter(None, fingerprints))]


def moved_machine(before: JudgedNight, after: JudgedNight) -> Suspect | None:
    """Return the machine as what moved; None where it is the same, or a night does not tell.

    Args:
        before, after: the two nights.
    """
    old, new = machines(before), machines(after)
    if not old or not new or {*old} == {*new}:
        return None
    return Suspect("", MACHINE, ", ".join(old)[:DIGITS], ", ".join(new)[:DIGITS])
