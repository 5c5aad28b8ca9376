"""Read one NumPy array from a pickle, and nothing else.

A pickle is a program: it names functions, and loading it calls them. Here every name that a pickled
array needs stands for a small class of this module that only keeps what it is given, and every
other name is refused; no function that a file names is ever looked up, so none can run. The bytes
of the array are read at the end, by a dtype of numbers.

Before that the file's opcodes are looked at (`pickle_opcodes`): what arrays have no need of is
refused without being built.
"""

from __future__ import annotations

import contextlib
import io
import pickle
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from harness.errors import UsageError
from harness.workloads.ehr_mgan.pickle_opcodes import first_unfit, printable

#: A cohort of 100,000 stays with 100 channels over 24 hours takes 2 GB.
MAX_BYTES = 4 * 2**30
KINDS = "biuf"  # bool, int, unsigned, float
ORDERS = ("<", ">", "=", "|")
#: The most that NumPy has.
MAX_AXES = 64
#: What a damaged or hostile file makes the unpickler, or the reading of what it kept, raise.
BROKEN = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Refused(Exception):
    """A pickle asks for what is not an array of numbers; the message says what."""


class _Unpickler(pickle.Unpickler):
    """Gives each name that arrays need a stand-in; made afresh, so that a file which alters one
    alters it for itself alone."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="latin1")  # as Python 2 wrote arrays
        known = _stand_ins()
        self.array = known["array"]
        self.allowed = {
            ("numpy", "ndarray"): known["ndarray"],
            ("numpy", "dtype"): known["dtype"],
            ("_codecs", "encode"): known["encode"],
            ("__builtin__", "bytes"): known["no_bytes"],
        }
        for core in ("numpy.core", "numpy._core"):  # NumPy 1 and NumPy 2
            self.allowed[core + ".multiarray", "_reconstruct"] = known["array"]
            self.allowed[core + ".multiarray", "scalar"] = known["scalar"]
            self.allowed[core + ".numeric", "_frombuffer"] = known["from_buffer"]

    def find_class(self, module: str, name: str) -> Any:
        stand_in = self.allowed.get((module, name))
        if stand_in is None:
            raise Refused(f"it asks for `{printable(module + '.' + name)}`")
        return stand_in


def _stand_ins() -> dict[str, Any]:
    """Return what stands for NumPy's classes and functions while one file is read."""

    class Dtype:
        def __init__(self, code: object, *_: object) -> None:
            self.code: object = code
            self.order: object = "="

        def __setstate__(self, state: tuple[Any, ...]) -> None:
            self.order = state[1]
            if state[2] is not None or state[3] is not None:
                raise Refused("it holds records with fields, not numbers")

        def numpy(self) -> np.dtype[Any]:
            # Nothing but short text is looked at: the text of nested lists that share each other
            # never ends.
            if (
                not isinstance(self.code, str)
                or not isinstance(self.order, str)
                or self.order not in ORDERS
            ):
                raise Refused("it holds elements of a type that is not written as NumPy writes it")
            order: Any = self.order
            dtype: np.dtype[Any] | None = None
            if len(self.code) <= 3:
                dtype = np.dtype(self.code).newbyteorder(order)
            if dtype is None or dtype.kind not in KINDS:
                what = f"elements of the type {self.code[:20]!r}"
                if dtype is not None and dtype.hasobject:
                    what = "Python objects"
                raise Refused(f"it holds {what}, not numbers")
            return dtype

    class Array:
        def __init__(self, *_: object) -> None:
            self.state: tuple[Any, ...] | None = None

        def __setstate__(self, state: tuple[Any, ...]) -> None:
            self.state = state

        def numpy(self) -> NDArray[Any]:
            if self.state is None:
                raise Refused("it holds an array without content")
            _, shape, dtype, column_major, raw, *axes = self.state
            if not isinstance(dtype, Dtype):
                raise Refused("it holds an array without a dtype")
            for numbers in (shape, *axes):  # the tuple of long bytes would be that many numbers
                if (
                    not isinstance(numbers, tuple)
                    or len(numbers) > MAX_AXES
                    or not all(isinstance(item, int) for item in numbers)
                ):
                    raise Refused("it holds an array whose shape is no list of numbers")
            read: NDArray[Any] = np.frombuffer(encode(raw), dtype.numpy()).reshape(
                shape, order="F" if column_major else "C"
            )
            return read.transpose(*axes) if axes else read

    def encode(text: str | bytes, *_: object) -> bytes:
        return text.encode("latin1") if isinstance(text, str) else text

    # How protocols 0 to 2 write the content of an empty array.
    def no_bytes(*arguments: object) -> bytes:
        if arguments:
            raise Refused("it makes bytes by another way than NumPy's pickles do")
        return b""

    def from_buffer(
        raw: bytes, dtype: object, shape: object, order: object, axes: object = None
    ) -> Array:
        if not isinstance(raw, (bytes, bytearray)):  # bytes(10**10) would be that many zeros
            raise Refused("it holds an array whose content is no bytes")
        made = Array()
        made.state = (1, shape, dtype, order == "F", raw)
        if order == "K":  # since NumPy 2.4
            made.state += (axes,)
        return made

    def scalar(*_: object) -> NoReturn:
        raise Refused("it holds a single number, not an array")

    class Ndarray:
        def __init__(self, *_: object) -> NoReturn:
            raise Refused("it makes an array by another way than NumPy's pickles do")

    return {
        "dtype": Dtype,
        "array": Array,
        "encode": encode,
        "no_bytes": no_bytes,
        "from_buffer": from_buffer,
        "scalar": scalar,
        "ndarray": Ndarray,
    }


def content(path: Path, limit: int, advice: str) -> bytes:
    """Return the bytes of a user's file.

    Raises:
        UsageError: it cannot be read, and why, or it has more bytes than the limit; then with the
            advice.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():  # a device or a FIFO, which may never end
            raise UsageError(f"{path} is no file, so nothing is read from it. {advice}")
        if size > limit:
            raise UsageError(f"{path}: {size} bytes; at most {limit} are read. {advice}")
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> UsageError:
    """Return what is said of a path that the system does not let this user read."""
    advice = "Copy it to where it can be read"
    if isinstance(error, PermissionError):
        advice = "Let the user who runs the harness read it"
    return UsageError(
        f"{path} cannot be read ({error.strerror or error}); what it holds was not looked at."
        f" {advice}."
    )


def read_array(path: Path) -> NDArray[Any]:
    """Return the array in a pickle that NumPy 1 or 2 wrote, in any protocol; of booleans, integers
    or floats.

    Raises:
        UsageError: the file cannot be read, is too large, is no pickle, or holds anything else;
            which, and what to do.
    """
    data = content(path, MAX_BYTES, "Take fewer rows, or float32 instead of float64.")
    advice = (
        "Nothing in it was run. Only one array of numbers is read; write it again:"
        " pickle.dump(numpy.asarray(table, float), file)"
    )
    try:
        return _array(data)
    except Refused as error:
        raise UsageError(f"{path}: refused, because {error}. {advice}.") from error
    except BROKEN as error:
        raise UsageError(
            f"{path} is not a pickle of an array, or is damaged ({type(error).__name__}: {error})."
            f" {advice}."
        ) from error


def _array(data: bytes) -> NDArray[Any]:
    unfit = first_unfit(data)
    if unfit is not None:
        # The name that a file asks for says more than what it does with it: what comes before is
        # read, up to a stop.
        with contextlib.suppress(*BROKEN):
            _Unpickler(data[: unfit.offset] + pickle.STOP + data[unfit.offset + 1 :]).load()
        raise Refused(unfit.reason)
    unpickler = _Unpickler(data)
    made = unpickler.load()
    if not isinstance(made, unpickler.array):
        raise Refused(f"it holds {_called(made)}, not an array")
    array: NDArray[Any] = made.numpy()
    return array


def _called(made: object) -> str:
    if type(made).__module__ == "builtins":
        return f"a {type(made).__name__}"
    return "a part of an array"
