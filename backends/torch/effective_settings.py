"""What torch does in this process, read from torch itself: its switches, and the dtypes of the
contractions that a step runs.

A port may have changed any switch; `TorchPort.effective` tells what the port means to do, this what
is so.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Set

import torch
from torch._dynamo.utils import counters
from torch.utils._python_dispatch import TorchDispatchMode

from backends.measuring.host_environment import word_for_denormals
from backends.torch.state import dtype_label

CONTRACTIONS = re.compile(
    r"aten\.(addm[mv]|[bm]m|b?addbmm|mv|dot|matmul|linear|_?conv|.*convolution|.*_rnn|lstm|gru"
    r"|.*dot_product)"
)
#: How torch calls what a float32 product may be computed in, and how all backends call it.
PRECISIONS = {
    "highest": "float32",
    "high": "tf32",
    "medium": "bfloat16",
    "ieee": "float32",
    "bf16": "bfloat16",
    "none": "float32",
}


class Watch(TorchDispatchMode):
    """Notes the dtypes of the operands of every contraction that torch runs."""

    def __init__(self) -> None:
        TorchDispatchMode.__init__(self)
        self.dtypes: Set[str] = set()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if CONTRACTIONS.match(str(function)):
            operands = [
                value
                for value in args
                if isinstance(value, torch.Tensor) and value.dtype.is_floating_point
            ]
            self.dtypes.update(dtype_label(value) for value in operands[:2])
        return function(*args, **(kwargs or {}))


class Reading:
    """Reads one port; made before the port is built, because what a process has done for earlier
    ports is not this one's."""

    def __init__(self) -> None:
        self.graphs_before = _graphs()

    def contractions(self, port: Any, step: Callable[[], Any]) -> Set[str]:
        """Return the dtypes of the contractions of a step, which is run. What is compiled runs
        uncompiled in it."""
        with Watch() as watch:
            step()
        dtypes: Set[str] = watch.dtypes
        return dtypes

    def settings(self, port: Any) -> Dict[str, Any]:
        """Return what is in effect, whatever the port says of itself."""
        model = getattr(port, "model", None)  # a port may be built on `contract.Port` alone
        modules = list(model.modules()) if isinstance(model, torch.nn.Module) else []
        scripted = any(isinstance(module, torch.jit.ScriptModule) for module in modules)
        settings: Dict[str, Any] = {
            "matmul_precision": _precision("get_float32_matmul_precision"),
            "convolution_precision": "tf32" if _allowed(torch.backends.cudnn) else "float32",
            "onednn_precision": _onednn_precision(),
            "reduced_precision_sums": bool(
                torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction
            ),
            "framework_denormals": word_for_denormals(
                float((torch.full((64,), 1e-40, dtype=torch.float32) * 0.5).max())
            ),
            "onednn": bool(torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled),
            "cudnn": bool(torch.backends.cudnn.is_available() and torch.backends.cudnn.enabled),
            "cudnn_benchmark": bool(torch.backends.cudnn.benchmark),
            "cudnn_deterministic": bool(torch.backends.cudnn.deterministic),
            "debugging": bool(torch.is_anomaly_enabled()),
            "default_dtype": str(torch.get_default_dtype()).replace("torch.", ""),
        }
        if modules:
            dtypes = {dtype_label(value) for value in modules[0].parameters()}
            settings["parameter_dtypes"] = "+".join(sorted(dtypes)) or "none"
        if getattr(port, "compiler", None) is None and (scripted or _graphs() > self.graphs_before):
            settings["execution"] = "scripted" if scripted else "compiled"
        return settings


def _graphs() -> int:
    """Return how many graphs dynamo has captured in this process."""
    return int(counters["stats"]["unique_graphs"])


def _precision(name: str) -> str:
    """Return what float32 products may be computed in; torch refuses to say where both of its
    interfaces were used."""
    try:
        return PRECISIONS[getattr(torch, name)()]
    except RuntimeError:
        own_word = torch.backends.cuda.matmul.fp32_precision
        precision: str = PRECISIONS.get(own_word, own_word)
        return precision


def _allowed(backend: Any) -> bool:
    try:
        return bool(backend.allow_tf32)
    except RuntimeError:
        return bool(backend.fp32_precision == "tf32")


def _onednn_precision() -> str:
    """Return what oneDNN may compute float32 products in, "float32" where this torch has no such
    switch."""
    own_word = getattr(getattr(torch.backends.mkldnn, "matmul", None), "fp32_precision", "ieee")
    return PRECISIONS.get(own_word, own_word)
