"""What the `torch` backend can do, and the part of a port that is not the model.

A port built on `TorchPort` declares its module, the canonical name and layout of each weight, and
what it computes; precision, activations and generation are here, losses, gradients and updates in
`training`, weights and checkpoints in `state`, native draws in `native`, the process' switches in
`runtime`.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Set, Tuple, Type

import numpy as np
import torch

from backends.contract import (
    PRECISION_TABLE,
    BrokenPort,
    ForcedActivations,
    Port,
    Setting,
)
from backends.source import Batch
from backends.torch import memory, native, runtime, teacher_forcing, undeclared_state
from backends.torch.compilation import Compiler
from backends.torch.normalization import BatchNorm  # noqa: F401  (ports take it from here)
from backends.torch.state import Tensors, dtype_label
from backends.torch.training import TrainedPort

#: The abilities of a backend are read from this module.
DEVICES, EXECUTIONS = runtime.DEVICES, runtime.EXECUTIONS
framework_versions, synchronize = runtime.framework_versions, runtime.synchronize

DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
#: Axes of torch's own layouts in canonical order.
DENSE = (1, 0)  # [out, in] -> [in, out]
CONV2D = (2, 3, 1, 0)  # [out, in, h, w] -> [h, w, in, out]


class TorchPort(TrainedPort):
    """Base of the torch ports.

    A subclass states `LAYOUT` (canonical name -> attribute of the module, and the axes of torch's
    layout in canonical order, None, or a pair of functions of a tensor, to canonical and back) and
    `PRODUCT`, the activation that `generate` returns, and defines `build`, `activations` and
    `loss_terms`: the hooks of every backend.

    A model with one output may define `output`, `terms` and, where `generate` returns something
    else than the output, `product`; activations, loss terms and product are made of them here.
    """

    PRODUCT = ""

    #: Whether `compiled` compiles `loss_terms`, `activations` and `product` whole; else the port
    #: compiles pieces.
    COMPILED_WHOLE = True
    #: Whether activations of four axes are images that the port keeps as [batch, channels, height,
    #: width].
    CHANNELS_FIRST = False

    def __init__(self, config: Mapping[str, Any], setting: Setting) -> None:
        self.device = runtime.require(setting)
        _refuse_unused(type(self))
        Port.__init__(self, config, setting)
        self.keeps_freed = memory.keep_freed()
        table = PRECISION_TABLE[setting.precision]
        self.dtype, self.low_dtype = DTYPES[table["master"]], DTYPES[table["contraction"]]
        self.compiler = None
        if setting.execution in ("compiled", runtime.CUDAGRAPH):
            self.compiler = Compiler(setting.execution == runtime.CUDAGRAPH)
        self.reached: Set[int] = set()
        self.model = self.build().to(self.device, self.dtype)
        tensors = dict(self.model.named_buffers(), **dict(self.model.named_parameters()))
        self.weights = {name: tensors[path] for name, (path, _) in self.LAYOUT.items()}
        self.undeclared = undeclared_state.of(self)
        self.recording = False
        self.trainable = {
            name: value for name, value in self.weights.items() if value.requires_grad
        }
        self._build_updaters(table)
        self.noise = native.Noise(config, self.device, self.dtype)
        # The optimizers are not compiled: their kernels take all weights at once as they are.
        whole = self.compiled if self.COMPILED_WHOLE else lambda function: function
        self._terms = whole(self.loss_terms)
        self._look = whole(self.activations)
        self._infer = whole(self._products)

    # -- what a port declares ----------------------------------------------------------------------

    def build(self) -> torch.nn.Module:
        """Return the module; its initial values do not matter, they are always loaded or drawn
        later."""
        raise NotImplementedError

    def loss_terms(self, phase: str, arrays: Tensors, noise: Tensors) -> Tensors:
        """Return the loss terms of a phase, `total` last.

        Args:
            phase: one of `config["phases"]`.
            arrays: of the batch, by the names of the workload's data.
            noise: of that phase, by site.
        """
        with self.precision():
            output = self.output(arrays, noise, None)
        return self.terms(output, arrays)

    def activations(self, arrays: Tensors, noise: Tensors) -> Tensors:
        """Return the named activations in order, in a `new_record()`, in the mode that
        `self.model.training` says.

        Args:
            arrays: of the batch, by the names of the workload's data.
            noise: by site; empty in inference mode.
        """
        record: Tensors = self.new_record()
        with self.precision():
            self.output(arrays, noise, record)
        return record

    def output(
        self, arrays: Tensors, noise: Optional[Tensors], record: Optional[Tensors]
    ) -> torch.Tensor:
        """Return the model's output in `self.model.training`'s mode, and store named activations in
        `record` if given."""
        raise NotImplementedError

    def terms(self, output: torch.Tensor, arrays: Tensors) -> Tensors:
        """Return the loss terms of the output, `total` last.

        Args:
            output: of the model. arrays: of the batch, the targets among them.
        """
        raise NotImplementedError

    def product(self, output: torch.Tensor) -> torch.Tensor:
        """Return what `generate` promises, from the model's output."""
        return output

    def _products(self, arrays: Tensors, noise: Tensors) -> torch.Tensor:
        if self.PRODUCT:
            product: torch.Tensor = self.activations(arrays, noise)[self.PRODUCT]
            return product
        with self.precision():
            output = self.output(arrays, noise, None)
        return self.product(output)

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of tensors compiled where the execution is `compiled`, else as it
        is."""
        return function if self.compiler is None else self.compiler(function)

    @contextlib.contextmanager
    def precision(self) -> Iterator[None]:
        """Run contractions in the low dtype, as `PRECISION_TABLE` defines it."""
        with torch.autocast(
            self.device.type, dtype=self.low_dtype, enabled=self.low_dtype is not self.dtype
        ):
            yield

    # -- the contract ------------------------------------------------------------------------------

    def shown(self, value: torch.Tensor) -> torch.Tensor:
        """Return an activation in the layout in which all ports show it."""
        return value.permute(0, 2, 3, 1) if self.CHANNELS_FIRST and value.ndim == 4 else value

    def unshown(self, value: torch.Tensor) -> torch.Tensor:
        """Return the inverse of `shown`."""
        return value.permute(0, 3, 1, 2) if self.CHANNELS_FIRST and value.ndim == 4 else value

    def _looked_at(self, batch: Batch, training: bool) -> Tuple[Tensors, Tensors]:
        if training:
            return self._on_device(self.config["forward"]["phase"], batch)
        return self.tensors(batch.arrays), {}

    def new_record(self) -> Any:
        if self.recording or self.forced_record is not None:
            return Port.new_record(self)
        return {}  # copies are for looks

    def forward(self, batch: Batch, training: bool) -> Dict[str, np.ndarray]:
        inputs = self._looked_at(batch, training)
        with self.undeclared.undisturbed(), self.mode(training, tracking=False), torch.no_grad():
            self.recording = True
            try:
                record = dict(self._look(*inputs))
            finally:
                self.recording = False
        self.observed_dtypes.update({name: dtype_label(value) for name, value in record.items()})
        return {name: self.array(self.shown(value)) for name, value in record.items()}

    def forward_from(
        self, batch: Batch, training: bool, teacher: Mapping[str, np.ndarray]
    ) -> ForcedActivations:
        inputs = self._looked_at(batch, training)
        with self.undeclared.undisturbed(), self.mode(training, tracking=False):
            return teacher_forcing.teacher_forced(self, *inputs, teacher)

    def contracted(self, batch: Batch, training: bool) -> Optional[List[str]]:
        if self.compiler is not None and not self.COMPILED_WHOLE:
            return None
        inputs = self._looked_at(batch, training)
        with self.undeclared.undisturbed(), self.mode(training, tracking=False):
            return teacher_forcing.Look(self, *inputs, {}).contracted()

    def generate(self, source: Any, count: int) -> np.ndarray:
        # Python 3.7 has no parentheses around several contexts.
        generating, inference = self.undeclared.generating(source.lockstep), torch.inference_mode()
        with generating, self.mode(False, tracking=False), inference:
            product = self._infer(self.tensors(source.evaluation_rows(count)), {})
            self.observed_dtypes["output"] = dtype_label(product)
            return self.array(product)

    def effective(self) -> Dict[str, Any]:
        execution = {"execution": "eager"} if self.compiler is None else self.compiler.effective()
        policy = str(self.dtype)
        if self.low_dtype is not self.dtype:
            policy = f"{self.dtype}, autocast {self.low_dtype}"
        return dict(
            runtime.effective(self.device),
            dtype_policy=policy,
            keeps_freed_memory=self.keeps_freed,
            **execution,
        )


def _refuse_unused(port: Type[TorchPort]) -> None:
    """Raise BrokenPort for a method of the short form in a port of the full one, as one derived
    from a shipped port may have: nothing calls it, and what it changes would go unseen.
    """
    unused = [
        name
        for name in ("output", "terms", "product")
        if port.PRODUCT and getattr(port, name) is not getattr(TorchPort, name)
    ]
    if unused:
        raise BrokenPort(
            f"{port.__module__}.{port.__name__} defines `{unused[0]}`, which nothing calls: it has"
            f" PRODUCT = {port.PRODUCT!r}, and computes in `activations` and `loss_terms`. Define"
            " these."
        )
