"""What the `torch` backend can do, and the part of a port that is not the model.

A port built on `TorchPort` declares its module, the canonical name and layout of each weight, and
what it computes; phases, optimizers, gradients, precision, native randomness, checkpoints and
read-back of settings are here.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple

import numpy as np
import torch

from backends import loss_scale, schedule
from backends.contract import PRECISION_TABLE, Port, Setting, Taught, Unsupported
from backends.source import Batch
from backends.torch import devices, memory, native, teacher_forcing, undeclared_state
from backends.torch.compilation import Compiler
from backends.torch.devices import DEVICES  # noqa: F401  (abilities are read here)
from backends.torch.normalization import BatchNorm
from backends.torch.state import StoredPort, Tensors
from backends.torch.updater import Updater

#: On every device; on a GPU there is also `CUDAGRAPH`.
EXECUTIONS = ("default", "eager", "compiled")
CUDAGRAPH = "cudagraph"

DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
#: Axes of torch's own layouts in canonical order.
DENSE = (1, 0)  # [out, in] -> [in, out]
CONV2D = (2, 3, 1, 0)  # [out, in, h, w] -> [h, w, in, out]


def framework_versions() -> Dict[str, str]:
    """Return the versions that decide what this backend computes."""
    return {"torch": torch.__version__, "numpy": np.__version__, "cuda": str(torch.version.cuda)}


def synchronize(device: str) -> None:
    """Return when the device has finished all work."""
    if device == "gpu":
        torch.cuda.synchronize()


class TorchPort(StoredPort):
    """Base of the torch ports.

    A subclass states `LAYOUT` (canonical name -> attribute of the module, and the axes of torch's
    layout in canonical order, None, or a pair of functions of a tensor, to canonical and back) and
    defines `build`. A model with one output then defines `output`, `terms` and, where `generate`
    returns something else than the output, `product`; a model with several phases defines
    `loss_terms`, `activations` and `generate` in their place.
    """

    #: Whether `compiled` compiles `loss_terms`, `activations` and `product` whole; else the port
    #: compiles pieces.
    COMPILED_WHOLE = True
    #: Whether activations of four axes are images that the port keeps as [batch, channels, height,
    #: width].
    CHANNELS_FIRST = False

    def __init__(self, config: Mapping[str, Any], setting: Setting) -> None:
        if setting.execution not in (*EXECUTIONS, CUDAGRAPH):
            raise Unsupported(
                "torch has no %s execution; it has %s"
                % (setting.execution, ", ".join((*EXECUTIONS, CUDAGRAPH)))
            )
        if setting.execution == CUDAGRAPH and setting.device != "gpu":
            raise Unsupported(
                "CUDA graphs need an NVIDIA GPU; this is the %s" % setting.device.upper()
            )
        self.device = devices.device(setting)
        Port.__init__(self, config, setting)
        self.keeps_freed = memory.keep_freed()
        torch.set_num_threads(setting.threads)
        with contextlib.suppress(
            RuntimeError
        ):  # may be set once a process; a second port finds it done
            torch.set_num_interop_threads(1)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = (
            setting.precision == "tf32"
        )
        # without it cuBLAS refuses to be deterministic; it reads it when its first handle is made
        if setting.deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(setting.deterministic)
        table = PRECISION_TABLE[setting.precision]
        self.dtype, self.low = DTYPES[table["master"]], DTYPES[table["contraction"]]
        self.compiler = (
            Compiler(setting.execution == CUDAGRAPH)
            if setting.execution in ("compiled", CUDAGRAPH)
            else None
        )
        self.reached = set()  # type: Set[int]
        self.model = self.build().to(self.device, self.dtype)
        found = dict(self.model.named_buffers(), **dict(self.model.named_parameters()))
        self.weights = {name: found[path] for name, (path, _) in self.LAYOUT.items()}
        self.undeclared = undeclared_state.of(self)
        self.recording = False
        self.trainable = {
            name: value for name, value in self.weights.items() if value.requires_grad
        }
        self._build_updaters(table)
        self.drawing = native.Drawing(config, self.device, self.dtype)
        # The optimizers are not compiled: their kernels take all weights at once as they are.
        whole = self.compiled if self.COMPILED_WHOLE else lambda function: function
        self._terms, self._look, self._infer = (
            whole(self.loss_terms),
            whole(self.activations),
            whole(self._products),
        )

    def _build_updaters(self, precision: Mapping[str, Any]) -> None:
        """Build an updater for each optimizer, over the union of what its phases update."""
        owned = {name: [] for name in self.config["optimizers"]}  # type: Dict[str, List[str]]
        for update in self.config["updates"]:
            owned[update["optimizer"]] += [
                name for name in update["parameters"] if name not in owned[update["optimizer"]]
            ]
        self.updaters = {
            name: Updater(spec, {key: self.trainable[key] for key in owned[name]}, precision)
            for name, spec in self.config["optimizers"].items()
        }
        self.optimizers = {name: updater.optimizer for name, updater in self.updaters.items()}
        self.updates = {
            item["phase"]: (self.updaters[item["optimizer"]], item["parameters"])
            for item in self.config["updates"]
        }

    # -- what a port declares ----------------------------------------------------------------------

    def build(self) -> torch.nn.Module:
        """Return the module; its initial values do not matter, they are always loaded or drawn
        later."""
        raise NotImplementedError

    def loss_terms(self, phase: str, arrays: Tensors, noise: Tensors) -> Tensors:
        """Return the loss terms of a phase, `total` last."""
        with self.precision():
            output = self.output(arrays, noise, None)
        return self.terms(output, arrays)

    def activations(self, arrays: Tensors, noise: Tensors) -> Tensors:
        """Return the named activations in order, in a `new_record()`, in the mode that
        `self.model.training` says."""
        record = self.new_record()  # type: Tensors
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
        """Return the loss terms of the output, `total` last."""
        raise NotImplementedError

    def product(self, output: torch.Tensor) -> torch.Tensor:
        """Return what `generate` promises, from the model's output."""
        return output

    def _products(self, arrays: Tensors, noise: Tensors) -> torch.Tensor:
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
        with torch.autocast(self.device.type, dtype=self.low, enabled=self.low is not self.dtype):
            yield

    # -- the contract ------------------------------------------------------------------------------

    @contextlib.contextmanager
    def mode(self, training: bool, tracking: bool) -> Iterator[None]:
        """Set training or inference mode, and whether running statistics move."""
        self.model.train(training)
        for module in self.model.modules():
            if isinstance(module, BatchNorm):
                module.tracking = tracking
        yield

    def _given(self, phase: str, batch: Batch) -> Tuple[Tensors, Tensors]:
        """Return a batch and its noise on the device; what is not given is drawn from seed 0."""
        drawn = batch.noise is None
        noise = (
            self.drawing.noise(phase, 0, native.STEP, self.single_steps)
            if drawn
            else self.noise(batch.noise)
        )
        return self.tensors(batch.arrays), noise

    def shown(self, value: torch.Tensor) -> torch.Tensor:
        """Return an activation in the layout in which all ports show it."""
        return value.permute(0, 2, 3, 1) if self.CHANNELS_FIRST and value.ndim == 4 else value

    def unshown(self, value: torch.Tensor) -> torch.Tensor:
        """Return the inverse of `shown`."""
        return value.permute(0, 3, 1, 2) if self.CHANNELS_FIRST and value.ndim == 4 else value

    def _looked_at(self, batch: Batch, training: bool) -> Tuple[Tensors, Tensors]:
        return (
            self._given(self.config["forward"]["phase"], batch)
            if training
            else (self.tensors(batch.arrays), {})
        )

    def new_record(self) -> Any:
        return (
            Port.new_record(self) if self.recording or self.lesson is not None else {}
        )  # copies are for looks

    def forward(self, batch: Batch, training: bool) -> Dict[str, np.ndarray]:
        given = self._looked_at(batch, training)
        with self.undeclared.undisturbed(), self.mode(training, tracking=False), torch.no_grad():
            self.recording = True
            try:
                record = dict(self._look(*given))
            finally:
                self.recording = False
        self.observed_dtypes.update({name: dtype_label(value) for name, value in record.items()})
        return {name: self.array(self.shown(value)) for name, value in record.items()}

    def forward_from(
        self, batch: Batch, training: bool, teacher: Mapping[str, np.ndarray]
    ) -> Taught:
        given = self._looked_at(batch, training)
        with self.undeclared.undisturbed(), self.mode(training, tracking=False):
            return teacher_forcing.taught(self, *given, teacher)

    def contracted(self, batch: Batch, training: bool) -> Optional[List[str]]:
        if self.compiler is not None and not self.COMPILED_WHOLE:
            return None
        given = self._looked_at(batch, training)
        with self.undeclared.undisturbed(), self.mode(training, tracking=False):
            return teacher_forcing.Look(self, *given, {}).contracted()

    def losses(self, phase: str, batch: Batch) -> Dict[str, float]:
        with self.undeclared.undisturbed(), self.mode(True, tracking=False), torch.no_grad():
            terms = self._terms(phase, *self._given(phase, batch))
        return {name: value.item() for name, value in terms.items()}

    def gradients(self, phase: str, batch: Batch) -> Dict[str, np.ndarray]:
        (updater, names), given = self.updates[phase], self._given(phase, batch)
        weights = [self.trainable[name] for name in names]

        def scaled(scale: Optional[float]) -> Dict[str, np.ndarray]:
            factor = 1.0 if scale is None else scale
            # Differentiated before the state is put back, which autograd would take for a change of
            # what it needs.
            with self.undeclared.undisturbed(), self.mode(True, tracking=False):
                total = self._terms(phase, *given)["total"]
                self.reached.update(undeclared_state.leaves(total))
                found = torch.autograd.grad(total * factor, weights, allow_unused=True)
            return {
                name: self._canonical(name, value / factor)
                for name, value in zip(names, found)
                if value is not None
            }

        return loss_scale.settle(self, phase, updater.loss_scale, scaled)

    def _update(self, phase: str, arrays: Tensors, noise: Tensors) -> Tensors:
        return self.update(phase, arrays, noise)

    def update(self, phase: str, arrays: Tensors, noise: Tensors) -> Tensors:
        """Run one update and return the loss terms before it; the caller has set the mode.

        A port whose own training step is to be judged defines this: it gets a batch and noise as
        tensors on the device, moves `self.model`'s parameters, and shows its optimizer's slots in
        `optimizer_state`, or leaves them out (`docs/ports.md`).
        """
        updater, names = self.updates[phase]
        terms = self._terms(phase, arrays, noise)
        updater.minimise(terms["total"], [self.trainable[name] for name in names])
        if "loss" not in self.observed_dtypes:
            self.observed_dtypes["loss"] = dtype_label(terms["total"])
        return {name: value.detach() for name, value in terms.items()}

    def train_step(self, phase: str, batch: Batch) -> Dict[str, float]:
        with self.mode(True, tracking=True):
            terms = self._update(phase, *self._given(phase, batch))
        self.single_steps += batch.noise is None
        return {name: value.item() for name, value in terms.items()}

    def train(self, source: Any, steps: int) -> Dict[str, List[Any]]:
        history = []  # type: List[List[Tuple[str, Tensors]]]
        with self.mode(True, tracking=True):
            for _ in range(steps):
                history.append(self._train_once(source))
                source.cursor += 1
                self.steps_trained += 1
        # One transfer at the end; it also waits for the device.
        found = [value for step in history for _, terms in step for value in terms.values()]
        values = iter(torch.stack(found).tolist() if found else ())
        read = [
            [(phase, {name: next(values) for name in terms}) for phase, terms in step]
            for step in history
        ]
        return schedule.columns(self.config, read)

    def _train_once(self, source: Any) -> List[Tuple[str, Tensors]]:
        """Run the phases of the source's step."""
        step, phases = source.cursor, schedule.phases_at(self.config, source.cursor)
        if source.lockstep:
            batches = [source.batch(step, phase) for phase in phases]
            return [
                (phase, self._update(phase, *self._given(phase, batch)))
                for phase, batch in zip(phases, batches)
            ]
        arrays = source.stream("torch", self._rows).batch(step)
        return [
            (
                phase,
                self._update(
                    phase, arrays, self.drawing.noise(phase, source.seed, native.STEP, step)
                ),
            )
            for phase in phases
        ]

    def _rows(self, source: Any) -> native.Rows:
        torch.manual_seed(source.seed)  # for a port that draws on its own what it does not declare
        return native.Rows(
            self.tensors(source.training_rows()), self.drawing, source.seed, source.batch_size
        )

    def generate(self, source: Any, count: int) -> np.ndarray:
        with self.undeclared.generating(source.lockstep), self.mode(
            False, tracking=False
        ), torch.inference_mode():
            product = self._infer(self.tensors(source.evaluation_rows(count)), {})
            self.observed_dtypes["output"] = dtype_label(product)
            return self.array(product)

    def effective(self) -> Dict[str, Any]:
        gpu = self.device.type == "cuda"
        execution = {"execution": "eager"} if self.compiler is None else self.compiler.effective()
        effective = {
            "threads": torch.get_num_threads(),
            "inter_threads": torch.get_num_interop_threads(),
            "device": torch.cuda.get_device_name() if gpu else "cpu",
            "tf32": bool(gpu and torch.backends.cuda.matmul.allow_tf32),
            "xla": False,
            "deterministic": torch.are_deterministic_algorithms_enabled(),
            "dtype_policy": (
                "%s, autocast %s" % (self.dtype, self.low)
                if self.low is not self.dtype
                else str(self.dtype)
            ),
            "cudnn_benchmark": torch.backends.cudnn.benchmark,
            "mkldnn": torch.backends.mkldnn.is_available(),
            "keeps_freed_memory": self.keeps_freed,
        }
        return dict(effective, **execution)


def dtype_label(tensor: torch.Tensor) -> str:
    """Return the dtype's name without torch's prefix."""
    return str(tensor.dtype).replace("torch.", "")
