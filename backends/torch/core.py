"""What the `torch` backend can do, and the part of a port that is not the model.

A port built on `TorchPort` declares its module, the canonical name and layout of each weight, its output and its loss
terms; training, gradients, optimizer state, precision and read-back of settings are here.
"""

from __future__ import annotations

import contextlib
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

import numpy as np
import torch

from backends.contract import PRECISION_TABLE, Port, Setting, Unsupported
from backends.parameters import check
from backends.source import Batch
from backends.torch import compiling, optimizers

DEVICES = ("cpu", "gpu")
EXECUTIONS = ("default", "eager", "compiled")

DTYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
#: Axes of torch's own layouts in canonical order.
DENSE = (1, 0)  # [out, in] -> [in, out]
CONV2D = (2, 3, 1, 0)  # [out, in, h, w] -> [h, w, in, out]

Tensors = Dict[str, torch.Tensor]


def framework_versions() -> Dict[str, str]:
    """Return the versions that decide what this backend computes."""
    return {"torch": torch.__version__, "numpy": np.__version__, "cuda": str(torch.version.cuda)}


def _device(setting: Setting) -> torch.device:
    """Return the device asked for, or say why it cannot be had."""
    if setting.device not in DEVICES:
        raise Unsupported("the torch backend has no device '%s'" % setting.device)
    if setting.device == "gpu" and not torch.cuda.is_available():
        raise Unsupported("no GPU is visible to torch %s (built for CUDA: %s)" % (torch.__version__, torch.version.cuda))
    if setting.precision == "tf32" and setting.device != "gpu":
        raise Unsupported("tf32 needs an NVIDIA GPU of the Ampere generation or newer; this is the CPU")
    if setting.precision == "tf32" and torch.cuda.get_device_capability()[0] < 8:
        raise Unsupported("tf32 needs the Ampere generation or newer; this is a %s" % torch.cuda.get_device_name())
    return torch.device("cuda" if setting.device == "gpu" else "cpu")


class TorchPort(Port):
    """Base of the torch ports.

    A subclass states `LAYOUT` (canonical name -> attribute of the module, and the axes of torch's layout in canonical
    order or None) and defines `build`, `output`, `terms` and, where `generate` returns something else than the output,
    `product`.
    """

    LAYOUT = {}  # type: Dict[str, Tuple[str, Optional[Tuple[int, ...]]]]

    def __init__(self, config: Mapping[str, Any], setting: Setting) -> None:
        if setting.execution not in EXECUTIONS:
            raise Unsupported("torch has no %s execution; it has %s" % (setting.execution, ", ".join(EXECUTIONS)))
        self.device = _device(setting)
        Port.__init__(self, config, setting)
        torch.set_num_threads(setting.threads)
        with contextlib.suppress(RuntimeError):  # may be set once a process; a second port finds it done
            torch.set_num_interop_threads(1)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = setting.precision == "tf32"
        torch.use_deterministic_algorithms(setting.deterministic)
        table = PRECISION_TABLE[setting.precision]
        self.dtype, self.low = DTYPES[table["master"]], DTYPES[table["contraction"]]
        self.loss_scale = float(table["loss_scale"])
        self.model = self.build().to(self.device, self.dtype)
        self.weights = {name: self.model.get_parameter(path) if self._trainable(path) else self.model.get_buffer(path)
                        for name, (path, _) in self.LAYOUT.items()}
        self.trainable = {name: value for name, value in self.weights.items() if value.requires_grad}
        self.optimizer = optimizers.build(config["optimizer"], self.trainable.values())
        self.updates = 0
        # The optimizer is not compiled: its kernels take all weights at once as they are.
        self.compiler = compiling.Compiler() if setting.execution == "compiled" else None
        compiled = self.compiler or (lambda function: function)
        self._run, self._look, self._infer = compiled(self._terms), compiled(self._seen), compiled(self._products)

    def _trainable(self, path: str) -> bool:
        return path in dict(self.model.named_parameters())

    # -- what a port declares ---------------------------------------------------------------------------------

    def build(self) -> torch.nn.Module:
        """Return the module; its initial values do not matter, they are always loaded or drawn later."""
        raise NotImplementedError

    def output(self, arrays: Tensors, noise: Optional[Tensors], record: Optional[Tensors]) -> torch.Tensor:
        """Return the model's output in `self.model.training`'s mode, and store named activations in `record` if given."""
        raise NotImplementedError

    def terms(self, output: torch.Tensor, arrays: Tensors) -> Tensors:
        """Return the loss terms, `total` last."""
        raise NotImplementedError

    def product(self, output: torch.Tensor) -> torch.Tensor:
        """Return what `generate` promises, from the model's output."""
        return output

    # -- moving arrays ----------------------------------------------------------------------------------------

    def tensor(self, array: np.ndarray) -> torch.Tensor:
        """Return an array as a tensor on the device; floating point in the stored dtype, integers as they are."""
        kind = self.dtype if array.dtype.kind == "f" else None
        return torch.as_tensor(np.ascontiguousarray(array)).to(self.device, kind)

    def _tensors(self, arrays: Optional[Mapping[str, np.ndarray]]) -> Optional[Tensors]:
        return None if arrays is None else {name: self.tensor(value) for name, value in arrays.items()}

    def array(self, tensor: torch.Tensor) -> np.ndarray:
        """Return a tensor as an array; NumPy has no bfloat16, so low precisions are handed over as float32."""
        tensor = tensor.detach()
        # A copy: the array must not change when the weight behind it does.
        return (tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor).cpu().numpy().copy()

    def _canonical(self, name: str, tensor: torch.Tensor) -> np.ndarray:
        axes = self.LAYOUT[name][1]
        return self.array(tensor if axes is None else tensor.permute(axes))

    # -- the contract -----------------------------------------------------------------------------------------

    def parameters(self) -> Dict[str, np.ndarray]:
        return {name: self._canonical(name, value) for name, value in self.weights.items()}

    @torch.no_grad()
    def load_parameters(self, values: Mapping[str, np.ndarray]) -> None:
        check(values, self.config)
        for name, weight in self.weights.items():
            axes = self.LAYOUT[name][1]
            value = np.asarray(values[name])
            weight.copy_(torch.as_tensor(value if axes is None else value.transpose(np.argsort(axes))))
        self.optimizer.zero_grad(set_to_none=True)
        if isinstance(self.optimizer, optimizers.HatAdam):
            self.optimizer.reset()
        else:
            self.optimizer.state.clear()
        self.updates = 0

    @contextlib.contextmanager
    def precision(self) -> Iterator[None]:
        """Run contractions in the low dtype, as `PRECISION_TABLE` defines it."""
        with torch.autocast(self.device.type, dtype=self.low, enabled=self.low is not self.dtype):
            yield

    def _terms(self, arrays: Tensors, noise: Optional[Tensors]) -> Tensors:
        with self.precision():
            output = self.output(arrays, noise, None)
        return self.terms(output, arrays)

    def _seen(self, arrays: Tensors, noise: Optional[Tensors]) -> Tensors:
        record = {}  # type: Tensors
        with self.precision():
            self.output(arrays, noise, record)
        return record

    def _products(self, arrays: Tensors) -> torch.Tensor:
        with self.precision():
            output = self.output(arrays, None, None)
        return self.product(output)

    @contextlib.contextmanager
    def _mode(self, training: bool, tracking: bool) -> Iterator[None]:
        """Set training or inference mode, and whether running statistics move."""
        self.model.train(training)
        for module in self.model.modules():
            if isinstance(module, BatchNorm):
                module.tracking = tracking
        yield

    def forward(self, batch: Batch, training: bool) -> Dict[str, np.ndarray]:
        with self._mode(training, tracking=False), torch.no_grad():
            record = self._look(self._tensors(batch.arrays), self._tensors(batch.noise))
        self.observed_dtypes.update({name: _label(value) for name, value in record.items()})
        return {name: self.array(value) for name, value in record.items()}

    def losses(self, phase: str, batch: Batch) -> Dict[str, float]:
        with self._mode(True, tracking=False), torch.no_grad():
            terms = self._run(self._tensors(batch.arrays), self._tensors(batch.noise))
        return {name: float(value) for name, value in terms.items()}

    def gradients(self, phase: str, batch: Batch) -> Dict[str, np.ndarray]:
        with self._mode(True, tracking=False):
            terms = self._run(self._tensors(batch.arrays), self._tensors(batch.noise))
        found = torch.autograd.grad(terms["total"] * self.loss_scale, list(self.trainable.values()))
        return {name: self._canonical(name, value / self.loss_scale) for name, value in zip(self.trainable, found)}

    def _update(self, arrays: Tensors, noise: Optional[Tensors]) -> Tensors:
        """Run one update; the caller has set the mode."""
        self.optimizer.zero_grad(set_to_none=True)
        terms = self._run(arrays, noise)
        if self.loss_scale == 1.0:
            terms["total"].backward()
        else:
            (terms["total"] * self.loss_scale).backward()
            torch._foreach_div_([item.grad for item in self.trainable.values()], self.loss_scale)
        self.optimizer.step()
        self.updates += 1
        if "loss" not in self.observed_dtypes:
            self.observed_dtypes["loss"] = _label(terms["total"])
        return terms

    def train_step(self, phase: str, batch: Batch) -> Dict[str, float]:
        with self._mode(True, tracking=True):
            terms = self._update(self._tensors(batch.arrays), self._tensors(batch.noise))
        return {name: value.item() for name, value in terms.items()}

    def train(self, source: Any, steps: int) -> Dict[str, List[float]]:
        history = []  # type: List[Tensors]
        with self._mode(True, tracking=True):
            for _ in range(steps):
                arrays, noise = self._next(source)
                history.append({name: value.detach() for name, value in self._update(arrays, noise).items()})
        # One transfer at the end; it also waits for the device.
        return {name: torch.stack([terms[name] for terms in history]).tolist() for name in history[0]} if history else {}

    def _next(self, source: Any) -> Tuple[Tensors, Optional[Tensors]]:
        if source.lockstep:
            batch = source.batch(source.cursor, self.config["phases"][0])
            source.cursor += 1
            return self._tensors(batch.arrays), self._tensors(batch.noise)
        return next(source.stream("torch", self._native_batches)), None

    def _native_batches(self, source: Any) -> Iterator[Tensors]:
        """Yield batches from rows kept on the device, in an order drawn by torch; partial batches are dropped."""
        torch.manual_seed(source.seed)
        rows = self._tensors(source.training_rows())
        total = len(next(iter(rows.values())))
        while True:
            order = torch.randperm(total, device=self.device)
            for start in range(0, total - source.batch_size + 1, source.batch_size):
                chosen = order[start:start + source.batch_size]
                yield {name: value[chosen] for name, value in rows.items()}

    def generate(self, source: Any, count: int) -> np.ndarray:
        with self._mode(False, tracking=False), torch.inference_mode():
            product = self._infer(self._tensors(source.evaluation_rows(count)))
            self.observed_dtypes["output"] = _label(product)
            return self.array(product)

    def optimizer_state(self) -> Dict[str, np.ndarray]:
        kind = self.config["optimizer"]["kind"]
        state = {"%s/step" % kind: np.array(self.updates)}
        for key, value in optimizers.slots(self.optimizer, self.trainable, kind).items():
            state[key] = self._canonical(key.split("/", 1)[1].rsplit("/", 1)[0], value)
        return state

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
            "dtype_policy": "%s, autocast %s" % (self.dtype, self.low) if self.low is not self.dtype else str(self.dtype),
            "cudnn_benchmark": torch.backends.cudnn.benchmark,
            "mkldnn": torch.backends.mkldnn.is_available(),
        }
        return dict(effective, **execution)


def _label(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).replace("torch.", "")


class BatchNorm(torch.nn.Module):
    """Batch normalisation over the first axis with a *biased* moving variance.

    `torch.nn.BatchNorm1d` moves its running variance towards n/(n-1) times the population variance; the specification
    (and Keras 3) wants the population variance itself. `momentum` is the share that is kept, as in TensorFlow.
    """

    def __init__(self, units: int, epsilon: float, momentum: float) -> None:
        super().__init__()
        self.epsilon, self.momentum, self.tracking = epsilon, momentum, True
        self.gamma = torch.nn.Parameter(torch.ones(units))
        self.beta = torch.nn.Parameter(torch.zeros(units))
        self.register_buffer("moving_mean", torch.zeros(units))
        self.register_buffer("moving_variance", torch.ones(units))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise x [batch, units]."""
        if not self.training:
            return torch.nn.functional.batch_norm(
                x, self.moving_mean, self.moving_variance, self.gamma, self.beta, False, 0.0, self.epsilon)
        if self.tracking:
            with torch.no_grad():
                variance, mean = torch.var_mean(x, dim=0, correction=0)
                self.moving_mean.lerp_(mean, 1.0 - self.momentum)
                self.moving_variance.lerp_(variance, 1.0 - self.momentum)
        return torch.nn.functional.batch_norm(x, None, None, self.gamma, self.beta, True, 0.0, self.epsilon)
