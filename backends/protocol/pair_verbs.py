"""The worker's verbs for a pair of models that somebody already has: look at a side, and run it on
given weights so that the harness sees which layer is which."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np

from backends.adapter import pair_module, pieces, port
from backends.adapter.draws import Draws
from backends.adapter.side import FORWARD, GENERATE, Side, Tap
from backends.contract import Setting
from backends.recording import recorder
from backends.survey import MOST_CALLS, Survey, of_call

#: Before the names of activations that a look is asked for.
LAYER = "layer/"


class Pairing:
    """Mixed into the session: the side that `survey` has built."""

    side: Optional[Side] = None
    surveyed: Optional[Survey] = None

    def do_survey(
        self,
        backend: str,
        pair: Dict[str, Any],
        setting: Dict[str, Any],
        folder: str,
        data: Optional[str] = None,
    ) -> Dict[str, Any]:
        """Build one side of a pair and return what it is.

        Args:
            backend: its folder. setting: the arguments of `contract.Setting`.
            pair: `path` of the pair file; `paths`, further folders of the user's; `side` and
                `data`, names of the functions.
            folder: where `data.npz` is written, if `data` is None, and `values.npz`: the side's own
                values of its pieces.
            data: where another side's worker has written the data.
        """
        path, paths = pair["path"], pair["paths"]
        batch = pair.get("batch")
        if data is None:
            arrays, batch = pair_module.arrays(pair_module.function(path, paths, pair["data"]))
            data = os.path.join(folder, "data.npz")
            recorder.save_arrays(data, arrays)
        arrays = recorder.load_arrays(data)
        rows = {
            name: value[:batch] for name, value in arrays.items() if not name.startswith("eval_")
        }
        function = pair_module.function(path, paths, pair["side"])
        self.side = side = pair_module.side(backend, function, Setting(**setting))
        survey = dataclasses.replace(side.survey(rows), begins=side.declared.begins)
        self.surveyed = survey
        own = side.parameters()
        values = {piece.name: pieces.canonical(piece, own) for piece in survey.pieces}
        values = {name: np.asarray(value, np.float64) for name, value in values.items()}
        recorder.save_arrays(os.path.join(folder, "values.npz"), values)
        described = {
            name: {"shape": list(value.shape), "dtype": str(value.dtype)}
            for name, value in arrays.items()
        }
        return {"survey": survey.plain(), "batch": batch, "arrays": described}

    def do_walk(
        self,
        parts: List[Dict[str, Any]],
        values: str,
        data: str,
        rows: List[Sequence[int]],
        out: str,
        draws: Dict[str, Any],
    ) -> Dict[str, Any]:
        """Run the side that was surveyed on given weights, in inference mode, once for each list of
        rows; write what every layer returned, `<number>/<layer>`, at later calls
        `<number>/<layer>/call <number>`, and what the model gave, `outputs/<number>/<name>`, in the
        side's own layout.

        Args:
            parts: `survey.Piece` as plain JSON, under canonical names. values: where theirs are;
                parameters that are in no piece stay.
            data: where the arrays are. rows: of each run. out: the .npz to write.
            draws: what is told of them, as in `adapter.draws.Draws`: `inference`, where the numbers
                are those off the tape; `training`, where one more run, on the first rows, is in
                training mode, and `noise`, where its values are.
        """
        side, survey = self.side, self.surveyed
        if side is None or survey is None:
            raise RuntimeError("walk before survey")
        canonical = recorder.load_arrays(values)
        chosen = [port.piece(part) for part in parts]
        side.assign(pieces.own_values(chosen, canonical, side.parameters()))
        arrays = recorder.load_arrays(data)
        # Under names of their own: a layer may be called `output`, as what the model gives is.
        taps = [
            Tap(LAYER + of_call(layer.name, call), layer.name, call)
            for layer in survey.layers
            if layer.outputs
            for call in range(min(layer.calls, MOST_CALLS) or 1)
        ]
        shown: Dict[str, np.ndarray] = {}
        for number, chosen_rows in enumerate(rows):
            batch = {
                name: value[np.asarray(chosen_rows)]
                for name, value in arrays.items()
                if not name.startswith("eval_")
            }
            looked = side.look(batch, False, Draws(GENERATE, draws["inference"]), taps)
            shown.update(_numbered(number, looked))
            if "training" in draws and not number:
                noise = recorder.load_arrays(draws["noise"])
                answers = Draws(FORWARD, draws["training"], noise)
                shown.update(_numbered(len(rows), side.look(batch, True, answers, taps)))
        recorder.save_arrays(out, shown)
        return {"layers": [tap.layer for tap in taps]}


def _numbered(number: int, looked: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Return what a pass has shown under the number of its run."""
    named = {}
    for name, value in looked.items():
        kind, _, layer = name.partition(LAYER)
        named[f"outputs/{number}/{name}" if kind else f"{number}/{layer}"] = value
    return named
