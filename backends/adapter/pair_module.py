"""A pair file in a worker: loaded, its functions called, its data made into arrays."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import types
from typing import Any, Callable, Dict, Sequence, Tuple

import numpy as np

from backends.adapter.side import Side
from backends.contract import BrokenPort, Setting, Unsupported
from backends.pair import DATA, SIDE, Arrays

#: How the module of a pair file is called in `sys.modules`.
MODULE = "user_pair"
#: So many batches of training rows are the inputs of inference where the user names none.
EVALUATION_BATCHES = 4
KINDS = "fiub"
#: Before the names of inputs of inference.
EVALUATION = "eval_"


def module(path: str, paths: Sequence[str]) -> types.ModuleType:
    """Return the user's pair file, imported once a process.

    Args:
        path: of the file; its folder is where the user's own packages are looked for first.
        paths: further folders for that.
    """
    if MODULE in sys.modules:
        return sys.modules[MODULE]
    own = os.path.dirname(os.path.abspath(path))
    if own not in sys.path:
        sys.path.insert(0, own)
    # Behind what the interpreter has: a folder may hold packages that are another interpreter's.
    sys.path += [folder for folder in paths if folder not in sys.path]
    spec = importlib.util.spec_from_file_location(MODULE, path)
    if spec is None or spec.loader is None:
        raise BrokenPort(f"{path} is no Python file: a pair file's name ends in .py")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = loaded
    try:
        spec.loader.exec_module(loaded)
    except BaseException:
        del sys.modules[MODULE]
        raise
    return loaded


def function(path: str, paths: Sequence[str], name: str) -> Callable[[], Any]:
    """Return one of a pair file's functions.

    Args:
        path, paths: as of `module`. name: the function's.

    Raises:
        BrokenPort: it has none of that name, or the function is not marked.
    """
    chosen = getattr(module(path, paths), name, None)
    if not callable(chosen) or not (hasattr(chosen, SIDE) or hasattr(chosen, DATA)):
        raise BrokenPort(
            f"{path}: `{name}` is no function marked with @pair.side(...) or @pair.data once the"
            " file is loaded"
        )
    typed: Callable[[], Any] = chosen
    return typed


def side(backend: str, pair: Callable[[], Any], setting: Setting) -> Side:
    """Return a side's objects, built.

    Args:
        backend: its folder. pair: the user's function. setting: how to run.

    Raises:
        Unsupported: the backend adapts no objects, or the setting cannot be honoured.
    """
    name = f"backends.{backend}.adapter"
    if importlib.util.find_spec(name) is None:
        raise Unsupported(f"the backend {backend} makes no port of objects that exist already")
    built: Side = importlib.import_module(name).Side(pair, setting)
    return built


def arrays(pair: Callable[[], Any]) -> Tuple[Dict[str, np.ndarray], int]:
    """Call the user's function of the data; return the arrays as files hold them, inputs of
    inference as `eval_<name>`, and the rows of a batch.

    Args:
        pair: the user's function.

    Raises:
        BrokenPort: it returns something else than `pair.arrays(...)`, or arrays that are none.
    """
    made = pair()
    where = f"`{getattr(pair, '__name__', pair)}`"
    if not isinstance(made, Arrays):
        raise BrokenPort(
            f"{where} returned {type(made).__name__}; it has to return pair.arrays(x=..., y=...,"
            " batch=32)"
        )
    rows = {name: _array(name, value, where) for name, value in made.rows.items()}
    if not rows:
        raise BrokenPort(f"{where}: pair.arrays has no arrays. Give them by name: x=..., y=...")
    for name in rows:
        if name.startswith(EVALUATION):
            raise BrokenPort(
                f"{where}: {name} begins with {EVALUATION}, as inputs of inference are called."
                " Give them as evaluation={...}, or choose another name"
            )
    total = _rows(rows, where)
    batch = made.batch
    whole: Any = batch
    if not isinstance(whole, int) or isinstance(whole, bool) or not 0 < whole <= total:
        raise BrokenPort(
            f"{where}: batch={batch!r} has to be a whole number from 1 to the {total} rows"
        )
    evaluation = made.evaluation
    if evaluation is None:
        evaluation = {name: value[: EVALUATION_BATCHES * batch] for name, value in rows.items()}
    unknown = sorted(set(evaluation) - set(rows))
    if unknown:
        raise BrokenPort(
            f"{where}: evaluation has {unknown[0]!r}, which is no array of the training rows. They"
            f" are {', '.join(rows)}"
        )
    shown = {name: _array(name, value, where) for name, value in evaluation.items()}
    if shown and not _rows(shown, where):
        raise BrokenPort(f"{where}: evaluation has no rows")
    return dict(rows, **{EVALUATION + name: value for name, value in shown.items()}), batch


def _rows(arrays: Dict[str, np.ndarray], where: str) -> int:
    """Return how many rows all arrays have."""
    lengths = {name: len(value) for name, value in arrays.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise BrokenPort(f"{where}: all arrays need the same number of rows; they have {listed}")
    return next(iter(lengths.values()))


def _array(name: str, value: Any, where: str) -> np.ndarray:
    """Return one of the user's arrays: float64, or integers as they are."""
    if hasattr(value, "detach"):  # a tensor of torch
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise BrokenPort(f"{where}: {name} is no array: {error}") from error
    if array.ndim == 0 or array.dtype.kind not in KINDS:
        raise BrokenPort(
            f"{where}: {name} is {array.dtype} of shape {list(array.shape)}; arrays of numbers with"
            " the rows first are wanted"
        )
    return array.astype(np.float64) if array.dtype.kind == "f" else array
