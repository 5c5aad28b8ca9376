"""Outcomes of trials that need not be held again: a run that was interrupted, or whose explanations
have changed, goes on.

An outcome is kept under a digest of the mutant's text, the honest sides' records, and the text of
the judge and of the trial; whatever of these changes, the trial is held again. What depends on the
machine's mood (a time limit, a crash) is not kept.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from tests.evaluation.mutation.trial import Outcome
from tests.evaluation.zoo.mutant import ROOT

#: What decides an outcome beside the records.
JUDGE = (
    *sorted((ROOT / "harness/fidelity").glob("*.py")),
    ROOT / "tests/evaluation/laboratory.py",
    ROOT / "tests/evaluation/mutation/trial.py",
    ROOT / "tests/evaluation/zoo/mutant.py",
)
#: Errors of the mutant itself, by the status of the job.
LASTING = ("error", "unsupported")


class Ledger:
    """Outcomes by digest, one JSON object a line.

    Args:
        folder: where the file lies.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "outcomes.jsonl"
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        whole, _, rest = text.rpartition("\n")
        if rest:  # an interrupted run's last line
            self.path.write_text(f"{whole}\n" if whole else "", encoding="utf-8")
        self.outcomes = {
            found.pop("digest"): Outcome(**found) for found in map(json.loads, whole.splitlines())
        }

    def outcome(self, key: str, trial: Callable[[], Outcome]) -> Outcome:
        """Return the outcome under a key; hold the trial if there is none."""
        if key not in self.outcomes:
            found = trial()
            if found.kind == "error" and found.stage not in LASTING:
                return found
            self.outcomes[key] = found
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"digest": key, **dataclasses.asdict(found)}) + "\n")
        return self.outcomes[key]


def digest(*parts: str) -> str:
    """Return a digest of the parts and of the judge."""
    return hashlib.sha256(json.dumps([_judge(), *parts]).encode()).hexdigest()


@functools.cache
def _judge() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in JUDGE)).hexdigest()
