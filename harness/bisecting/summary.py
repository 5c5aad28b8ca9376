"""A bisection in words: its releases, the answer, and what else moved with a release. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.bisecting.record import TriedRelease
from harness.bisecting.search import Conclusion, ConclusionKind
from harness.environments.releases import Release

COLUMNS = ("release", "python", "verdict", "numbers", "reason")
EXIT_CODES = {
    ConclusionKind.LOCATED: 0,
    ConclusionKind.UNCHANGED: 0,
    ConclusionKind.NARROWED: 6,
    ConclusionKind.BACK_AND_FORTH: 6,
    ConclusionKind.NO_END: 4,
}
#: Not part of what computes.
_INSTALLERS = {"pip", "setuptools", "wheel"}


def lines(series: Sequence[Release], tried: Mapping[int, TriedRelease]) -> list[tuple[str, ...]]:
    """Return a row for each release that was tried, the oldest first.

    Args:
        series: all releases, the oldest first. tried: by the index in it.
    """
    return [
        (
            series[number].version,
            series[number].minor,
            tried[number].judged.verdict,
            tried[number].judged.numbers,
            tried[number].judged.reason,
        )
        for number in sorted(tried)
    ]


def answer(
    package: str,
    series: Sequence[Release],
    tried: Mapping[int, TriedRelease],
    conclusion: Conclusion,
) -> str:
    """Return what was concluded, in one or two sentences.

    Args:
        package: its name. series: all its releases, the oldest first. tried: by the index in it.
        conclusion: by the same indices.
    """

    def named(number: int) -> str:
        return f"{series[number].version} ({tried[number].judged.verdict})"

    good, bad = conclusion.good, conclusion.bad
    if conclusion.kind == ConclusionKind.NO_END:
        assert bad is not None
        return (
            f"{package} {series[bad].version} is an end of the search and cannot be judged:"
            f" {tried[bad].judged.reason}"
        )
    last = len(series) - 1
    if conclusion.kind == ConclusionKind.UNCHANGED:
        return (
            f"Nothing changed: {package} {named(0)} and {named(last)} agree, as do all"
            f" {_judged(tried)} releases that were judged. A change that was taken back in between"
            " need not have been seen."
        )
    assert good is not None
    assert bad is not None
    if conclusion.kind == ConclusionKind.LOCATED:
        return (
            f"{package} {named(bad)} is the first release that changed; the last before is"
            f" {named(good)}."
        )
    if conclusion.kind == ConclusionKind.NARROWED:
        between = ", ".join(series[number].version for number in conclusion.between)
        return (
            f"{package} changed after {named(good)} and not later than {named(bad)}; "
            f"not told between: {between} cannot be judged."
        )
    steps = "; ".join(f"between {named(a)} and {named(b)}" for a, b in conclusion.changes)
    return f"{package} has no one release that changed: the verdict goes back and forth, {steps}."


def moved(
    series: Sequence[Release],
    tried: Mapping[int, TriedRelease],
    package: str,
    conclusion: Conclusion,
) -> str:
    """Return what else differs between the environments around the change; empty if nothing.

    Args:
        series: all releases, the oldest first. tried: by the index in it.
        package: the one that is bisected, which is not named.
        conclusion: which two releases the change lies between; without both there is nothing to
            tell.
    """
    good, bad = conclusion.good, conclusion.bad
    if good is None or bad is None:
        return ""
    parts = []
    if series[good].minor != series[bad].minor:
        parts.append(f"Python {series[good].minor} → {series[bad].minor}")
    parts += _differences(tried[good].versions, tried[bad].versions, _INSTALLERS | {package})
    if not parts:
        return ""
    return (
        f"Moved with it, and as suspect: {', '.join(parts)}. Pin them with --with to rule them out."
    )


def _differences(a: Mapping[str, str], b: Mapping[str, str], without: set[str]) -> Iterator[str]:
    for name in sorted((a.keys() | b.keys()) - without):
        if a.get(name) != b.get(name):
            yield f"{name} {a.get(name, 'absent')} → {b.get(name, 'absent')}"


def _judged(tried: Mapping[int, TriedRelease]) -> int:
    return sum(release.judged.state is not None for release in tried.values())
