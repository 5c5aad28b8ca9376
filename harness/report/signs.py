"""Signs that stand beside a verdict of fidelity, so that colour is never the only difference."""

from __future__ import annotations

from harness.results.verdicts import Fidelity, Shown

SIGNS: dict[str, str] = {
    Fidelity.PASS: "✓",
    Fidelity.FAIL: "✗",
    Fidelity.INCONCLUSIVE: "?",
    Fidelity.INFO: "i",
    Shown.ACCEPTED: "≈",
}
#: For terminals without Unicode.
ASCII_SIGNS: dict[str, str] = {
    Fidelity.PASS: "ok",
    Fidelity.FAIL: "X",
    Fidelity.INCONCLUSIVE: "?",
    Fidelity.INFO: "i",
    Shown.ACCEPTED: "~",
}
