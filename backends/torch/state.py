"""A port's weights and optimizers as arrays in canonical names and layouts: out, in, and to
checkpoints and back."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np
import torch

from backends.contract import Port
from backends.parameters import check
from backends.torch import checkpoints, undeclared_state
from backends.torch.optimizers import Updater

Tensors = Dict[str, torch.Tensor]
#: What NumPy has no dtype for, or too small a one, and as what it is handed over.
READABLE = {
    torch.bfloat16: torch.float32,
    torch.float16: torch.float32,
    torch.complex32: torch.complex64,
}


class StoredPort(Port):
    """The part of a port that holds state; `TorchPort` sets the attributes."""

    LAYOUT: Dict[str, Tuple[str, Any]] = {}
    model: torch.nn.Module
    device = torch.device("cpu")
    dtype = torch.float32
    weights: Tensors = {}
    updaters: Dict[str, Updater] = {}

    # -- moving arrays -----------------------------------------------------------------------------

    def tensor(self, array: np.ndarray) -> torch.Tensor:
        """Return an array as a tensor on the device; real and complex in the stored precision,
        integers as they are."""
        kind = {"f": self.dtype, "c": self.dtype.to_complex()}.get(array.dtype.kind)
        return torch.as_tensor(np.ascontiguousarray(array)).to(self.device, kind)

    def tensors(self, arrays: Mapping[str, np.ndarray]) -> Tensors:
        """Return arrays as tensors on the device."""
        return {name: self.tensor(value) for name, value in arrays.items()}

    def noise_tensors(self, arrays: Mapping[str, np.ndarray]) -> Tensors:
        """Return a tape's noise as tensors; masks in the stored dtype too, as native ones are."""
        return {name: self.tensor(value).to(self.dtype) for name, value in arrays.items()}

    def array(self, tensor: torch.Tensor) -> np.ndarray:
        """Return a tensor as an array, complex ones as such; NumPy has no bfloat16, so low
        precisions are handed over as float32."""
        tensor = tensor.detach()
        if tensor.dtype in READABLE:
            tensor = tensor.to(READABLE[tensor.dtype])
        # A conjugate is a mark until somebody asks. A copy: the array must not change when the
        # weight behind it does.
        array: np.ndarray = tensor.resolve_conj().resolve_neg().cpu().numpy().copy()
        return array

    def _canonical(self, name: str, tensor: torch.Tensor) -> np.ndarray:
        axes = self.LAYOUT[name][1]
        if axes is not None:
            tensor = axes[0](tensor) if callable(axes[0]) else tensor.permute(axes)
        return self.array(tensor)

    def _own(self, name: str, value: np.ndarray) -> torch.Tensor:
        """Return the inverse of `_canonical`, in the stored dtype on the device."""
        axes = self.LAYOUT[name][1]
        tensor = torch.as_tensor(np.array(value)).to(self.device, self.dtype)
        if axes is None:
            return tensor
        if callable(axes[1]):
            return axes[1](tensor)
        return tensor.permute(*np.argsort(axes).tolist())

    # -- the state ---------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Find the statistics again: a module may have put another tensor in a buffer's place."""
        buffers = dict(self.model.named_buffers())
        self.weights.update(
            {name: buffers[path] for name, (path, _) in self.LAYOUT.items() if path in buffers}
        )

    def trainable_values(self) -> Optional[int]:
        return undeclared_state.trainable_values(self)

    def parameters(self) -> Dict[str, np.ndarray]:
        self._refresh()
        return {name: self._canonical(name, value) for name, value in self.weights.items()}

    def parameter_shapes(self) -> Dict[str, Tuple[int, ...]]:
        return {name: self._shape(name, value) for name, value in self.weights.items()}

    def _shape(self, name: str, weight: torch.Tensor) -> Tuple[int, ...]:
        try:
            return self._canonical(name, weight).shape
        except (RuntimeError, IndexError, ValueError, TypeError):
            return tuple(weight.shape)  # a weight of another rank than its layout

    @torch.no_grad()
    def load_parameters(self, values: Mapping[str, np.ndarray]) -> None:
        check(values, self.config, self.parameter_shapes())
        self.undeclared.reset()
        self._refresh()
        for name, weight in self.weights.items():
            weight.copy_(self._own(name, values[name]))
        for updater in self.updaters.values():
            updater.reset()
        self.steps_trained = self.single_steps = 0

    def optimizer_state(self) -> Dict[str, np.ndarray]:
        state = {}
        for optimizer, updater in self.updaters.items():
            for word, value in updater.counts().items():
                state[f"{optimizer}/{word}"] = value.cpu().numpy().copy()
            for name, slots in updater.slots().items():
                for word, value in slots.items():
                    state[f"{optimizer}/{name}/{word}"] = self._canonical(name, value)
        return state

    def load_optimizer_state(self, values: Mapping[str, np.ndarray]) -> None:
        self._check_state(values)
        for optimizer, updater in self.updaters.items():
            counts = {word: np.asarray(values[f"{optimizer}/{word}"]) for word in updater.counts()}
            slots: Dict[str, Tensors] = {}
            for name, present in updater.slots().items():
                slots[name] = {
                    word: self._own(name, values[f"{optimizer}/{name}/{word}"]) for word in present
                }
            updater.load(counts, slots)

    def _check_state(self, values: Mapping[str, np.ndarray]) -> None:
        shapes = {name: value.shape for name, value in self.optimizer_state().items()}
        missing, unknown = sorted(set(shapes) - set(values)), sorted(set(values) - set(shapes))
        if missing or unknown:
            workload = self.config["workload"]
            raise KeyError(
                f"optimizer state of {workload}: missing {missing or 'none'}; unknown"
                f" {unknown or 'none'}"
            )
        for name, shape in shapes.items():
            if np.shape(values[name]) != shape:
                raise ValueError(
                    f"optimizer state {name} has shape {np.shape(values[name])}, expected {shape}"
                )

    def save(self, folder: str) -> None:
        checkpoints.save(
            folder,
            self.config["workload"],
            self.steps_trained,
            self.parameters(),
            self.optimizer_state(),
        )

    def restore(self, folder: str) -> int:
        content = checkpoints.read(folder, self.config["workload"])
        try:  # before anything is changed
            check(content["parameters"], self.config, self.parameter_shapes())
            self._check_state(content["optimizer_state"])
        except KeyError as error:
            raise ValueError(f"the checkpoint in {folder} does not fit: {error.args[0]}") from error
        stored = _dtypes(content["parameters"])
        own = _dtypes(self.parameters())
        if stored != own:
            raise ValueError(
                f"the checkpoint in {folder} holds {stored}, this port {own}: open it in its own"
                " precision"
            )
        self.load_parameters(content["parameters"])
        self.load_optimizer_state(content["optimizer_state"])
        self.steps_trained = content["steps_trained"]
        return self.steps_trained


def _dtypes(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the names of the dtypes of some arrays."""
    return ", ".join(sorted({str(np.asarray(value).dtype) for value in arrays.values()}))


def dtype_label(tensor: torch.Tensor) -> str:
    """Return the dtype's name without torch's prefix."""
    return str(tensor.dtype).replace("torch.", "")
