"""Read one NumPy array from a pickle, and nothing else.

A pickle is a program: it names functions, and loading it calls them. Here every name that a pickled array needs stands for a
small class of this module that only keeps what it is given, and every other name is refused; no function that a file names is
ever looked up, so none can run. The bytes of the array are read at the end, by a dtype of numbers.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from harness.errors import UsageError

#: A cohort of 100,000 stays with 100 channels over 24 hours takes 2 GB.
MAX_BYTES = 4 * 2**30
KINDS = "biuf"  # bool, int, unsigned, float
ORDERS = ("<", ">", "=", "|")
#: What a damaged or hostile file makes the unpickler, or the reading of what it kept, raise.
BROKEN = (
    pickle.UnpicklingError, ArithmeticError, AttributeError, EOFError, ImportError, LookupError, MemoryError, RuntimeError, TypeError,
    ValueError,
)


class Refused(Exception):
    """A pickle asks for what is not an array of numbers; the message says what."""


class _Unpickler(pickle.Unpickler):
    """Gives each name that arrays need a stand-in; made afresh, so that a file which alters one alters it for itself alone."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="latin1")  # as Python 2 wrote arrays
        known = _stand_ins()
        self.array = known["array"]
        self.allowed = {
            ("numpy", "ndarray"): known["ndarray"], ("numpy", "dtype"): known["dtype"], ("_codecs", "encode"): known["encode"],
        }
        for core in ("numpy.core", "numpy._core"):  # NumPy 1 and NumPy 2
            self.allowed[core + ".multiarray", "_reconstruct"] = known["array"]
            self.allowed[core + ".multiarray", "scalar"] = known["scalar"]
            self.allowed[core + ".numeric", "_frombuffer"] = known["from_buffer"]

    def find_class(self, module: str, name: str) -> Any:
        found = self.allowed.get((module, name))
        if found is None:
            raise Refused(f"it asks for `{module}.{name}`")
        return found

    def persistent_load(self, identity: object) -> NoReturn:
        raise Refused("it refers to something outside the file")


def _stand_ins() -> dict[str, Any]:
    """Return what stands for NumPy's classes and functions while one file is read."""

    class Dtype:
        def __init__(self, code: object, *_: object) -> None:
            self.code, self.order = code, "="  # type: object, object

        def __setstate__(self, state: tuple[Any, ...]) -> None:
            self.order = state[1]
            if state[2] is not None or state[3] is not None:
                raise Refused("it holds records with fields, not numbers")

        def numpy(self) -> np.dtype[Any]:
            # Nothing but short text is looked at: the text of nested lists that share each other never ends.
            if not isinstance(self.code, str) or not isinstance(self.order, str) or self.order not in ORDERS:
                raise Refused("it holds elements of a type that is not written as NumPy writes it")
            order: Any = self.order
            found: np.dtype[Any] | None = np.dtype(self.code).newbyteorder(order) if len(self.code) <= 3 else None
            if found is None or found.kind not in KINDS:
                what = "Python objects" if found is not None and found.hasobject else f"elements of the type {self.code[:20]!r}"
                raise Refused(f"it holds {what}, not numbers")
            return found

    class Array:
        def __init__(self, *_: object) -> None:
            self.state: tuple[Any, ...] | None = None

        def __setstate__(self, state: tuple[Any, ...]) -> None:
            self.state = state

        def numpy(self) -> NDArray[Any]:
            if self.state is None:
                raise Refused("it holds an array without content")
            _, shape, dtype, column_major, raw = self.state
            if not isinstance(dtype, Dtype):
                raise Refused("it holds an array without a dtype")
            read = np.frombuffer(encode(raw), dtype.numpy())
            return read.reshape(tuple(shape), order="F" if column_major else "C")

    def encode(text: str | bytes, *_: object) -> bytes:
        return text.encode("latin1") if isinstance(text, str) else text

    def from_buffer(raw: bytes, dtype: object, shape: tuple[int, ...], order: str) -> Array:
        if not isinstance(raw, (bytes, bytearray, memoryview, pickle.PickleBuffer)):  # bytes(10**10) would be that many zeros
            raise Refused("it holds an array whose content is no bytes")
        made = Array()
        made.state = (1, shape, dtype, order == "F", bytes(raw))
        return made

    def scalar(*_: object) -> NoReturn:
        raise Refused("it holds a single number, not an array")

    class Ndarray:
        def __init__(self, *_: object) -> NoReturn:
            raise Refused("it makes an array by another way than NumPy's pickles do")

    return {"dtype": Dtype, "array": Array, "encode": encode, "from_buffer": from_buffer, "scalar": scalar, "ndarray": Ndarray}


def read_array(path: Path) -> NDArray[Any]:
    """Return the array in a pickle that NumPy 1 or 2 wrote, in any protocol; of booleans, integers or floats.

    Raises:
        UsageError: the file is too large, is no pickle, or holds anything else; which, and what to do.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise UsageError(f"{path}: {size} bytes; at most {MAX_BYTES} are read. Take fewer rows, or float32 instead of float64.")
    unpickler = _Unpickler(path.read_bytes())
    advice = "Nothing in it was run. Only one array of numbers is read; write it again: pickle.dump(numpy.asarray(table, float), file)"
    try:
        made = unpickler.load()
        if not isinstance(made, unpickler.array):
            raise Refused(f"it holds {_called(made)}, not an array")
        found: NDArray[Any] = made.numpy()
    except Refused as error:
        raise UsageError(f"{path}: refused, because {error}. {advice}.") from error
    except BROKEN as error:
        raise UsageError(f"{path} is not a pickle of an array, or is damaged ({type(error).__name__}: {error}). {advice}.") from error
    return found


def _called(made: object) -> str:
    return f"a {type(made).__name__}" if type(made).__module__ == "builtins" else "a part of an array"
