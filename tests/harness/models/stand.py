"""A site to train at whose worker is at hand."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.execution import answers
from harness.execution.verbs import Promised, Said, Verb
from harness.models import training
from harness.models.training import Model, Site
from harness.workloads.linear import WORKLOAD

NOW = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
MODEL = Model("linear", "tiny", "", "torch", "fp32", 0, 0, training.fingerprint(WORKLOAD, "tiny"))


@dataclasses.dataclass
class Worker:
    """Trains as a worker does: the loss of step n is n, and a second phase begins with step 3.

    Attributes:
        saved: the step of the last checkpoint. dies_at: the step that it never survives.
    """

    step: int = 0
    saved: int = 0
    dies_at: int | None = None
    asked: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def request(self, verb: Verb[Promised], **asked: Any) -> Said[Promised]:
        return answers.read(
            {"id": 1, "status": "ok", "result": self._answer(verb.name, **asked)}, verb, 1
        )

    def _answer(self, verb: str, **asked: Any) -> dict[str, Any]:
        self.asked.append({"verb": verb, **asked})
        if verb == "start":
            self.step = self.saved if "checkpoint" in asked else 0
            return {"step": self.step, "origin": {}}
        if verb == "generate":
            Path(asked["path"]).write_bytes(b"rows")
            return {"shape": [asked["count"], 2]}
        assert verb == "advance"
        steps = range(self.step + 1, self.step + asked["steps"] + 1)
        if self.dies_at in steps:
            raise ConnectionError
        self.step = steps[-1]
        if "checkpoint" in asked:
            self.saved = self.step
        late = [step / 10 if step >= 3 else None for step in steps]
        return {
            "step": self.step,
            "losses": {"one/total": [float(step) for step in steps], "two/total": late},
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stand(Site):
    """A site whose worker is at hand."""

    hand: Worker

    @contextlib.contextmanager
    def worker(self, model: Model, scratch: Path) -> Iterator[tuple[Any, str]]:
        yield self.hand, "tape.npz"


def losses(folder: Path) -> list[str]:
    """Return the lines of a model's losses."""
    return (folder / training.LOSSES).read_text().splitlines()
