"""The worker's verbs for models that are kept: train in native mode, generate, carry weights and
optimizers over.

A model's training is a run of `advance` requests, so that no request lasts long and every one may
leave a checkpoint.
"""

from __future__ import annotations

from typing import Any, Dict, Optional

import numpy as np

from backends.contract import Unsupported
from backends.recording import passes, recorder
from backends.source import NativeSource, TapeSource

#: What `export` writes and `adopt` reads: canonical names below these prefixes.
WEIGHT, STATE = "parameter/", "optimizer/"
LOSS_SCALE = ("loss_scale", "good", "skipped")


class Modeling:
    """Mixed into the session: works on its open port, `config` and `data`."""

    port: Any = None
    config: Dict[str, Any] = {}
    data: Dict[str, np.ndarray] = {}
    source: Any = None

    def do_start(
        self, seed: int, tape: Optional[str] = None, checkpoint: Optional[str] = None
    ) -> Dict[str, Any]:
        """Begin with the tape's initial weights, or where a checkpoint stopped.

        Returns:
            How many steps that has seen, and where the optimizers' step counts come from.
        """
        self.source = NativeSource(self.data, seed, self.config["batch"])
        if checkpoint is not None:
            self.source.cursor = self.port.restore(checkpoint)
        else:
            assert tape is not None  # the harness sends one of both
            self.port.load_parameters(passes.weights(recorder.load_arrays(tape)))
        return {"step": self.source.cursor, "origin": dict(self.port.step_origin)}

    def do_advance(self, steps: int, checkpoint: Optional[str] = None) -> Dict[str, Any]:
        """Train `steps` native steps; return the losses of `Port.train`.

        Args:
            steps: how many.
            checkpoint: where to leave one; None for nowhere.
        """
        losses = self.port.train(self.source, steps)
        if checkpoint is not None:
            self.port.save(checkpoint)
        return {"step": self.source.cursor, "losses": losses}

    def do_generate(self, count: int, path: str) -> Dict[str, Any]:
        """Write `count` rows that the model generates in native mode as `samples` of an .npz."""
        samples = self.port.generate(self.source, count)
        np.savez(path, samples=samples)
        return {"shape": list(samples.shape)}

    def do_inspect(self, checkpoint: str) -> Dict[str, Any]:
        """Return shape and dtype of every variable of a checkpoint that another program wrote."""
        if not hasattr(self.port, "variables_of"):
            raise Unsupported("this port reads no checkpoints of other programs")
        return {"variables": self.port.variables_of(checkpoint)}

    def do_export(
        self, checkpoint: str, path: str, names: Optional[Dict[str, Any]] = None
    ) -> Dict[str, Any]:
        """Write a checkpoint's weights and optimizer state under their canonical names; return its
        steps and where they come from.

        Args:
            checkpoint: where it is.
            path: of the .npz to write.
            names: of the variables of another program's checkpoint, see `backends/tf1/foreign.py`.
        """
        if names is None:
            step = self.port.restore(checkpoint)
        else:
            step = self.port.restore_foreign(checkpoint, names)
        recorder.save_arrays(path, self._canonical())
        return {"step": step, "origin": dict(self.port.step_origin)}

    def do_adopt(self, path: str, checkpoint: str, step: int) -> Dict[str, Any]:
        """Give the port what `export` wrote, save it in this framework's own format, and read that
        back; return what differs."""
        arrays = self._give(path, step)
        self.port.save(checkpoint)
        zeros = {name: np.zeros_like(value) for name, value in self.port.parameters().items()}
        self.port.load_parameters(zeros)
        restored_step = self.port.restore(checkpoint)
        restored = self._canonical()
        lost = sorted(
            name
            for name, value in arrays.items()
            if name not in restored or not np.array_equal(restored[name], value)
        )
        return {
            "step": restored_step,
            "lost": lost,
            "parameters": len(passes.below(WEIGHT, arrays)),
            "state": len(passes.below(STATE, arrays)),
        }

    def do_continue(self, path: str, tape: str, step: int, out: str) -> Dict[str, Any]:
        """Go on from what `export` wrote for one lockstep step; write weights and optimizer state
        before and after it."""
        before = self._give(path, step)
        source = TapeSource(self.data, recorder.load_arrays(tape), self.config["batch"], first=step)
        self.port.train(source, 1)
        after = self._canonical()
        arrays = {"before/" + name: before[name] for name in after}
        arrays.update({"after/" + name: value for name, value in after.items()})
        recorder.save_arrays(out, arrays)
        return {"step": source.cursor}

    def _canonical(self) -> Dict[str, np.ndarray]:
        arrays = {WEIGHT + name: value for name, value in self.port.parameters().items()}
        arrays.update({STATE + name: value for name, value in self.port.optimizer_state().items()})
        return arrays

    def _give(self, path: str, step: int) -> Dict[str, np.ndarray]:
        """Load what `export` wrote into the port and return it."""
        arrays = recorder.load_arrays(path)
        self.port.load_parameters(passes.below(WEIGHT, arrays))
        held = self.port.optimizer_state()
        # A loss scale is fp16's alone: a port in another precision has none to set.
        state = {
            name: value
            for name, value in passes.below(STATE, arrays).items()
            if name in held or name.rsplit("/", 1)[-1] not in LOSS_SCALE
        }
        self.port.load_optimizer_state(state)
        self.port.steps_trained = step
        return {
            name: value
            for name, value in arrays.items()
            if name.startswith(WEIGHT) or name[len(STATE) :] in held
        }
