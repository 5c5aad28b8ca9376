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


class Modeling(object):
    """Mixed into the session: works on its open port, `config` and `data`."""

    port = None  # type: Any
    config = {}  # type: Dict[str, Any]
    data = {}  # type: Dict[str, np.ndarray]
    source = None  # type: Any

    def do_start(
        self, seed: int, tape: Optional[str] = None, checkpoint: Optional[str] = None
    ) -> Dict[str, Any]:
        """Begin with the tape's initial weights, or where a checkpoint stopped; return how many
        steps it has seen."""
        self.source = NativeSource(self.data, seed, self.config["batch"])
        if checkpoint is not None:
            self.source.cursor = self.port.restore(checkpoint)
        else:
            self.port.load_parameters(passes.weights(recorder.load_arrays(tape)))
        return {"step": self.source.cursor, "origin": dict(self.port.step_origin)}

    def do_advance(self, steps: int, checkpoint: Optional[str] = None) -> Dict[str, Any]:
        """Train `steps` native steps and leave a checkpoint, if asked to; return the losses of
        `Port.train`."""
        losses = self.port.train(self.source, steps)
        if checkpoint is not None:
            self.port.save(checkpoint)
        return {"step": self.source.cursor, "losses": losses}

    def do_generate(self, count: int, path: str) -> Dict[str, Any]:
        """Write what the model generates for `count` rows in native mode as `samples` of an
        .npz."""
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

        Args: names: of the variables of another program's checkpoint, see
        `backends/tf1/foreign.py`.
        """
        step = (
            self.port.restore(checkpoint)
            if names is None
            else self.port.restore_foreign(checkpoint, names)
        )
        np.savez(path, **self._canonical())
        return {"step": step, "origin": dict(self.port.step_origin)}

    def do_adopt(self, path: str, checkpoint: str, step: int) -> Dict[str, Any]:
        """Give the port what `export` wrote, save it in this framework's own format, and read that
        back; return what differs."""
        arrays = self._give(path, step)
        self.port.save(checkpoint)
        self.port.load_parameters(
            {name: np.zeros_like(value) for name, value in self.port.parameters().items()}
        )
        found_step = self.port.restore(checkpoint)
        found = self._canonical()
        lost = sorted(
            name for name, value in arrays.items() if not np.array_equal(found.get(name), value)
        )
        counted = [sum(name.startswith(prefix) for name in arrays) for prefix in (WEIGHT, STATE)]
        return {"step": found_step, "lost": lost, "parameters": counted[0], "state": counted[1]}

    def do_continue(self, path: str, tape: str, step: int, out: str) -> Dict[str, Any]:
        """Go on from what `export` wrote for one lockstep step; write weights and optimizer state
        before and after it."""
        before = self._give(path, step)
        source = TapeSource(self.data, recorder.load_arrays(tape), self.config["batch"], first=step)
        self.port.train(source, 1)
        after = self._canonical()
        np.savez(
            out,
            **dict(
                {"before/" + name: before[name] for name in after},
                **{"after/" + name: after[name] for name in after},
            ),
        )
        return {"step": source.cursor}

    def _canonical(self) -> Dict[str, np.ndarray]:
        arrays = {WEIGHT + name: value for name, value in self.port.parameters().items()}
        arrays.update({STATE + name: value for name, value in self.port.optimizer_state().items()})
        return arrays

    def _give(self, path: str, step: int) -> Dict[str, np.ndarray]:
        """Load what `export` wrote into the port and return it."""
        arrays = recorder.load_arrays(path)
        self.port.load_parameters(
            {
                name[len(WEIGHT) :]: value
                for name, value in arrays.items()
                if name.startswith(WEIGHT)
            }
        )
        state = {
            name[len(STATE) :]: value for name, value in arrays.items() if name.startswith(STATE)
        }
        held = self.port.optimizer_state()
        # A loss scale is fp16's alone: a port in another precision has none to set.
        self.port.load_optimizer_state(
            {
                name: value
                for name, value in state.items()
                if name in held or name.rsplit("/", 1)[-1] not in LOSS_SCALE
            }
        )
        self.port.steps_trained = step
        return {
            name: value
            for name, value in arrays.items()
            if name.startswith(WEIGHT) or name[len(STATE) :] in held
        }
