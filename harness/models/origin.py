"""Where a kept model came from, as its `model.json` says: the build it was converted from, how its
step counts were found, and what was proved."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Converted:
    """Where a model that was converted came from; of one that was trained, empty.

    Attributes:
        build: that the checkpoint was of; "from" in `model.json`.
        step_origin: by optimizer, how its step count was found.
        proof: the largest difference of one more step on both builds; None if none was run.
        names: the file that said which of another program's variables is what, as it was given.
    """

    build: str = dataclasses.field(default="", metadata={"name": "from"})
    step_origin: dict[str, str] = dataclasses.field(default_factory=dict)
    proof: float | None = None
    names: str = ""

    def plain(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        if not self.build:
            return {}
        plain = {"from": self.build, "step_origin": self.step_origin, "proof": self.proof}
        return {**plain, "names": self.names} if self.names else plain
