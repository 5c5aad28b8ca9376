"""The host environment of a framework in a worker's process, which decides how fast it can be:
processor, variables, denormals, threads.

Read from the system and by computing, never from what was asked for, and after the work has run: a
port may have changed any of it. Standard library and NumPy only.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from typing import Any, Dict, Mapping

import numpy as np

#: Variables that change how fast, or in which numbers, a framework computes. What ports set on
#: their own is left out.
VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_DYNAMIC",
    "MKL_DYNAMIC",
    "OMP_THREAD_LIMIT",
    "OMP_SCHEDULE",
    "OMP_WAIT_POLICY",
    "OMP_PROC_BIND",
    "OMP_PLACES",
    "GOMP_CPU_AFFINITY",
    "GOMP_SPINCOUNT",
    "KMP_AFFINITY",
    "KMP_BLOCKTIME",
    "KMP_SETTINGS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_SET_ONEDNN_FPMATH_MODE",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "MKL_DEBUG_CPU_TYPE",
    "OPENBLAS_CORETYPE",
    "ATEN_CPU_CAPABILITY",
    "NPY_DISABLE_CPU_FEATURES",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
    "NVIDIA_TF32_OVERRIDE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_LAUNCH_BLOCKING",
    "TF_CUDNN_USE_AUTOTUNE",
    "TF_GPU_THREAD_MODE",
    "TF_GPU_ALLOCATOR",
    "PYTORCH_ALLOC_CONF",
    "PYTORCH_CUDA_ALLOC_CONF",
    "TORCHINDUCTOR_CUDAGRAPHS",
    "PYTORCH_NO_CUDA_MEMORY_CACHING",
    "TORCHDYNAMO_DISABLE",
    "LD_PRELOAD",
    "MALLOC_CONF",
    "MALLOC_ARENA_MAX",
    "GLIBC_TUNABLES",
    "PYTHONMALLOC",
    "PYTHONDEVMODE",
)
#: What the tf1 backend adds to TF_XLA_FLAGS itself; it does nothing alone.
OWN_FLAG = "--tf_xla_cpu_global_jit"
#: A thread that ran for less than this share of the busiest one's time did nothing that counts.
BUSY_SHARE = 0.1
#: The places for tools that `sys.monitoring` has.
MONITORING_TOOLS = range(6)


def read() -> Dict[str, Any]:
    """Return the host environment as it is now.

    Returns:
        `cores`: how many this process may use; `affinity`: which; `nice`: its priority;
        `environment`: those of `VARIABLES` that are set; `denormals`: "kept" or "flushed" on this
        thread; `python_tracing`: whether a debugger or a profiler watches.
    """
    affinity = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return {
        "cores": len(affinity) or os.cpu_count(),
        "affinity": ",".join(map(str, affinity)) or "unknown",
        "nice": os.nice(0),
        "environment": environment(os.environ),
        "denormals": denormals(),
        "python_tracing": is_traced(),
    }


def is_traced() -> bool:
    """Whether a debugger, a profiler or a coverage tool watches this thread's Python."""
    if sys.gettrace() is not None or sys.getprofile() is not None:
        return True
    monitoring: Any = getattr(sys, "monitoring", None)  # from Python 3.12 on
    return monitoring is not None and any(map(monitoring.get_tool, MONITORING_TOOLS))


def environment(environ: Mapping[str, str]) -> Dict[str, str]:
    """Return those of `VARIABLES` that are set, without what a backend sets on its own."""
    stripped = {
        name: environ[name].replace(OWN_FLAG, "").strip() for name in VARIABLES if name in environ
    }
    return {name: value for name, value in stripped.items() if value}


def tensorflow_tries_algorithms(environ: Mapping[str, str], deterministic: bool) -> bool:
    """Whether TensorFlow tries cuDNN's algorithms on a GPU before it chooses: by default it does,
    and no function of its tells.

    Args:
        environ: TF_CUDNN_USE_AUTOTUNE is read.
        deterministic: whether its deterministic mode is in effect, in which it does not.
    """
    switch = environ.get("TF_CUDNN_USE_AUTOTUNE", "1").strip().lower()
    return switch not in ("0", "false") and not deterministic


def denormals() -> str:
    """Return what this thread makes of a float32 below the smallest normal one, 1.2e-38, by
    computing with it.
    """
    tiny = np.full(64, 1e-40, np.float32)
    return word_for_denormals((tiny * np.float32(0.5)).max())


def word_for_denormals(largest: float) -> str:
    """Return the word for what became of denormal numbers."""
    return "kept" if largest > 0 else "flushed"


def cpu_time_ns() -> Dict[int, int]:
    """Return how long each thread of this process has run, nanoseconds by thread; empty where the
    kernel does not tell."""
    ran_ns: Dict[int, int] = {}
    try:
        threads = [int(name) for name in os.listdir("/proc/self/task")]
    except OSError:  # not Linux
        return ran_ns
    for thread in threads:
        path = f"/proc/self/task/{thread}/schedstat"
        # It may have ended meanwhile.
        with contextlib.suppress(OSError, ValueError, IndexError), open(path) as file:
            ran_ns[thread] = int(file.read().split()[0])
    if threading.current_thread() is threading.main_thread():
        # The kernel adds up a running thread's time at its ticks, milliseconds apart: a short step
        # would not have run at all.
        ran_ns[os.getpid()] = time.thread_time_ns()
    return ran_ns


def threads_that_ran(before: Mapping[int, int], after: Mapping[int, int]) -> int:
    """Return how many threads worked between two calls of `cpu_time_ns`, 0 where that is not known.

    Threads that began and ended in between are not seen.
    """
    ran_ns = [time_ns - before.get(thread, 0) for thread, time_ns in after.items()]
    busiest = max(ran_ns + [0])
    if busiest <= 0:
        return 0
    return sum(1 for time_ns in ran_ns if time_ns > BUSY_SHARE * busiest)
