"""What the two models of a pair are: each side is built and looked at in a worker of its own build,
and where rules leave a choice the second one is run until data have decided.

Weights of a large model are as large as it is: they stay on the disk, and one array is read at a
time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.adapter.pieces import apply
from backends.contract import Setting
from backends.survey import NORMAL, Piece
from harness.execution import verbs
from harness.execution.processes import ending
from harness.execution.runner import RunContext
from harness.experiments.pair_walks import Place, Training, Weight
from harness.pairs import decisions, draws, later_calls, map_file, matches, start_values, taps
from harness.pairs.agreement import Walk
from harness.pairs.file import PairFile
from harness.pairs.inference import Against, Inference, SurveyedSide
from harness.pairs.matches import Matched
from harness.plan import Side
from harness.records import archives
from harness.workloads.spec import FORWARD, GENERATE

#: In which sides are looked at: what belongs together shows best without rounding.
PRECISION = "fp64"
LOG = "worker.log"
#: By what a layer's parameters are multiplied, to see what depends on them.
MOVED = 1.25
#: Arrays with their names, made one at a time.
Made = Iterator[tuple[str, NDArray[Any]]]


def infer(
    run_context: RunContext,
    pair: PairFile,
    sides: Sequence[Side],
    paths: Sequence[Path],
    say: Callable[[str], None],
    use_map: bool = True,
) -> Inference:
    """Look at all sides of a pair and return what belongs together: as its map says, or as rules
    and data decide.

    Args:
        run_context: of the run. pair: the file. sides: in its order.
        paths: folders of the user's own packages. say: told what is being done.
        use_map: whether a map that lies there is used.

    Raises:
        UsageError: the map does not fit. JobFailed: a side cannot be built or run.
        CorruptRecord: a worker has said something else.
    """
    with contextlib.ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="harness-pair-")))
        first, surveyed = _survey(stack, run_context, pair, (sides[0], 0), (root, paths, None), say)
        data = first.folder / "data.npz"
        values = stack.enter_context(archives.arrays(first.folder / "values.npz"))
        labels = [side.label for side in sides]
        known = None
        if use_map and pair.map_path.is_file():
            say(f"what belongs together stands in {pair.map_path}")
            known = map_file.read(pair.map_path, labels)
        others = []
        for index, side in enumerate(sides[1:], 1):
            what = (root, paths, (data, surveyed.batch))
            place, _ = _survey(stack, run_context, pair, (side, index), what, say)
            others.append(_against(first, place, values, (data, surveyed.batch), known))
        arrays = archives.read_arrays(data)
        pieces = others[0].decided.matched.pieces
        canonical = first.folder / "canonical.npz"
        made = ((item.name, apply(values[item.a.name], item.part)) for item in pieces)
        archives.write_each(canonical, made)
        held = archives.taken(canonical)
        return Inference(first.side, tuple(others), surveyed.batch, arrays, held)


def _survey(
    stack: contextlib.ExitStack,
    run_context: RunContext,
    pair: PairFile,
    which: tuple[Side, int],
    what: tuple[Path, Sequence[Path], tuple[Path, int] | None],
    say: Callable[[str], None],
) -> tuple[Place, verbs.Surveyed]:
    side, index = which
    root, paths, known = what
    declared = pair.sides[index]
    folder = root / str(index)
    folder.mkdir()
    say(f"looking at {side.label}: `{declared.function}` of {pair.path.name}")
    worker = stack.enter_context(run_context.worker(side.build, folder / LOG, side=side.label))
    stack.enter_context(ending([worker]))
    request: dict[str, Any] = {
        "path": str(pair.path),
        "paths": [str(path) for path in paths],
        "side": declared.function,
        "data": pair.data,
    }
    if known is not None:
        request["batch"] = known[1]
    answer = worker.request(
        verbs.SURVEY,
        backend=side.backend,
        pair=request,
        setting=dataclasses.asdict(Setting(precision=PRECISION)),
        folder=str(folder),
        data=None if known is None else str(known[0]),
    )
    surveyed = answer.content
    seen = SurveyedSide(side.label, declared.function, surveyed.survey)
    return Place(seen, worker, folder), surveyed


def _against(
    first: Place,
    other: Place,
    values: Mapping[str, NDArray[Any]],
    data: tuple[Path, int],
    known: map_file.MapFile | None,
) -> Against:
    """Lay another side beside the first one."""
    a, b = first.side.survey, other.side.survey
    named = (first.side.label, a), (other.side.label, b)
    matched = map_file.matched(known, *named) if known else matches.by_rule(a, b)
    anchors = [*matched.units, *matched.shown]
    shown = map_file.taps(known, *named) if known else taps.by_rule(a, b, anchors)
    generator = np.random.RandomState(0)
    begun = other.folder / "start.npz"
    archives.write_each(begun, _start(a.pieces, values, generator))
    start = archives.taken(begun)
    drawn = draws.match(a, b)
    told_a, told_b = (
        draws.entries(drawn.sites, survey.draws, first=survey is a) for survey in (a, b)
    )
    with archives.arrays(data[0]) as arrays:
        rows = _two_inputs(arrays, data[1])
    inputs = data[0], rows, told_a.get(GENERATE, [])
    inputs_b = data[0], rows, told_b.get(GENERATE, [])
    first.held = {}  # of the start weights of a run beside another side nothing is assumed
    whole = [Weight(piece, piece.name) for piece in a.pieces]
    walk_a = first.walk(whole, start, inputs)

    def run_b(matched: Matched, training: Training | None = None) -> Walk:
        weights = [
            Weight(dataclasses.replace(item.b, name=item.name), item.a.name, item.part)
            for item in matched.pieces
        ]
        return other.walk(weights, start, inputs_b, training)

    if known is None:
        decided = decisions.decide(
            matched, shown, walk_a, run_b, [each.name for each in a.layers if each.calls]
        )
    else:
        decided = decisions.as_given(matched, shown, walk_a, run_b(matched))
    if later_calls.shared(decided, a, b):
        decided = later_calls.added(decided, a, b, walk_a, run_b(decided.matched))
    if all(tap.name in decided.agreed for tap in decided.taps) and not drawn.sites:
        return Against(other.side, decided, drawn)
    noise = _noise(drawn, generator)
    mine, theirs = (told_a.get(FORWARD, []), noise), (told_b.get(FORWARD, []), noise)

    def moved(layers: Collection[str]) -> Walk | None:
        own = [
            dataclasses.replace(weight, times=MOVED) if weight.piece.layer in layers else weight
            for weight in whole
        ]
        return first.walk(own, start, inputs, mine) if own != whole else None

    walk_a = first.walk(whole, start, inputs, mine)
    decided = decisions.settled(decided, walk_a, run_b(decided.matched, theirs), moved)
    return Against(other.side, decided, drawn)


def _start(
    pieces: Sequence[Piece],
    values: Mapping[str, NDArray[Any]],
    generator: np.random.RandomState,
) -> Made:
    """Yield the weights that both sides are looked at with, drawn in order."""
    for piece in pieces:
        own = np.asarray(values[piece.name], np.float64)
        yield piece.name, start_values.alike(piece.role, own, generator)


def _noise(drawn: draws.DrawsMatched, generator: np.random.RandomState) -> Walk:
    """Return values of what is drawn in a forward pass in training mode, by site."""
    noise = {}
    for site in drawn.sites:
        if site.phase == FORWARD:
            draw = generator.standard_normal if site.kind == NORMAL else generator.random_sample
            noise[site.name] = np.asarray(draw(site.shape))
    return noise


def _two_inputs(arrays: Mapping[str, NDArray[Any]], batch: int) -> list[list[int]]:
    """Return the rows of two batches, as different as the data let them be."""
    total = len(next(value for name, value in arrays.items() if not name.startswith("eval_")))
    return [list(range(batch)), [(total - 1 - index) % total for index in range(batch)]]
