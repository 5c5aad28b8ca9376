"""A side made of the modules, optimizers and steps that somebody already has.

Nothing of the user's is changed but for as long as it is looked at: hooks, patches and generators
are taken out or put back when a run ends, however it ends. In a timed run there are none.
"""

from __future__ import annotations

import random
from typing import Any, Dict, Mapping, Optional, Sequence

import numpy as np
import torch

from backends.adapter.draws import Draws
from backends.adapter.side import Arrays, StepResult, Tap
from backends.contract import ForcedActivations, Stage
from backends.survey import Survey
from backends.torch import runtime
from backends.torch.adapter import examination, losses, teacher_forcing, values
from backends.torch.adapter.draws import Tape
from backends.torch.adapter.inventory import arrays as read
from backends.torch.adapter.objects import Objects
from backends.torch.adapter.steps import Watch
from backends.torch.adapter.taps import Record, Running, Seen
from backends.torch.state import dtype_label


class Side(Objects):
    """See `backends.adapter.side.Side`."""

    # -- runs --------------------------------------------------------------------------------------

    def seed(self, seed: int) -> None:
        for begin in (random.seed, np.random.seed, torch.manual_seed):
            begin(seed)

    def _bare(self, phase: str, rows: Arrays) -> StepResult:
        """Run a step with nothing around it."""
        with self.precision():
            returned = self.steps[phase](self.batch(rows))
        named = losses.named(returned)
        rule = self._totals.get(phase) or losses.rule(named)
        for name in self._updated.get(phase, self.optimizers):
            self.updates[name] += 1
        return StepResult(losses.complete(named, float("nan") if rule is None else rule(named)))

    def step(
        self,
        phase: str,
        arrays: Arrays,
        draws: Optional[Draws],
        gradients: Optional[Arrays] = None,
        watch: bool = True,
    ) -> StepResult:
        if draws is None and gradients is None and not watch:
            return self._bare(phase, arrays)
        seen = self.watch(gradients, watch)
        # Without draws torch's own generator answers.
        serving = self.precision() if draws is None else self.serving(Tape(draws))
        with serving, self.accepted.neutralised(), seen.watching():
            returned = self.steps[phase](self.batch(arrays))
        return self.result(phase, returned, seen)

    def watch(self, teacher: Optional[Arrays] = None, copies: bool = True) -> Watch:
        """Return what watches a step.

        Args:
            teacher: gradients that take the place of its own. copies: whether its own are wanted.
        """
        return Watch(self.inventory.parameters(), self.optimizers, teacher, copies)

    def result(self, phase: str, returned: Any, seen: Watch) -> StepResult:
        """Return what a step did.

        Args:
            phase: which. returned: what it returned. seen: what has watched it.

        Raises:
            ValueError: it has neither differentiated nor returned a loss.
        """
        named, total = losses.named(returned), seen.total()
        rule = self._totals[phase] = losses.rule(named, total)
        if total is None and rule is None:
            raise ValueError(
                f"the step of the phase {phase} returns no loss and differentiates none"
            )
        if total is None and rule is not None:
            total = rule(named)
        self._updated[phase] = list(seen.updated)
        for name in seen.updated:
            self.updates[name] += 1
        if seen.dtype is not None:
            self._dtypes[Stage.LOSS] = str(seen.dtype).replace("torch.", "")
        assert total is not None
        gradients = read(seen.updated_gradients()) if seen.copies else {}
        return StepResult(losses.complete(named, total), gradients, list(seen.updated))

    def look(
        self, arrays: Arrays, training: bool, draws: Optional[Draws], taps: Sequence[Tap]
    ) -> Dict[str, np.ndarray]:
        if draws is None and not taps and not training:
            with self.precision(), self.mode(training):
                return self._shown(self.call(self.batch(arrays)), {})
        if not taps and not training and draws is not None and self.runs_compiled(draws):
            return self.look_compiled(arrays)
        record = Record(taps)
        running = self.running(record.seen)
        before = self.snapshot()
        serving = self.precision() if draws is None else self.serving(Tape(draws))
        try:
            with self.mode(training), serving, running.watching():
                output = self.call(self.batch(arrays))
            return self._shown(output, record.kept)
        finally:
            self.restore(before)

    def runs_compiled(self, draws: Draws) -> bool:
        """Return whether inference runs as the user has compiled it: where nothing is to be drawn
        from the tape, and no autocast is to be off, which compiled code would not see.

        Args:
            draws: of inference.
        """
        return self.compiled.modules and not draws.plan and not self.own_autocast.remarks()

    def look_compiled(self, arrays: Arrays) -> Dict[str, np.ndarray]:
        """Return the outputs of inference as the user has compiled it; state is left alone.

        Args:
            arrays: the batch.
        """
        before = self.snapshot()
        try:
            with self.precision(), self.mode(False):
                return self._shown(self.compiled.run(lambda: self.call(self.batch(arrays))), {})
        finally:
            self.restore(before)

    def running(self, seen: Seen) -> Running:
        """Return what follows which layers are running.

        Args:
            seen: called when one returns.
        """
        return Running(self.inventory.paths, self.inventory.top, seen)

    def _shown(self, output: Any, kept: Mapping[str, torch.Tensor]) -> Dict[str, np.ndarray]:
        shown = dict(kept, **dict(values.tensors(output)))
        self._dtypes.update({name: dtype_label(value) for name, value in shown.items()})
        return read(shown)

    def look_from(
        self,
        arrays: Arrays,
        training: bool,
        draws: Optional[Draws],
        taps: Sequence[Tap],
        teacher: Arrays,
    ) -> ForcedActivations:
        before = self.snapshot()
        try:
            return teacher_forcing.look_from(
                self, arrays, training, draws, teacher_forcing.TeacherValues(taps, teacher)
            )
        finally:
            self.restore(before)

    def survey(self, arrays: Arrays) -> Survey:
        return examination.survey(self, arrays)

    def dtypes(self) -> Dict[str, str]:
        return dict(self._dtypes)

    def effective(self) -> Dict[str, Any]:
        policy = str(self.dtype)
        if self.low is not self.dtype:
            policy = f"{self.dtype}, autocast {self.low}"
        return dict(
            runtime.effective(self.device),
            dtype_policy=policy,
            keeps_freed_memory=self.keeps_freed,
            execution="eager",
        )
