"""Real ports, each planted with one wrong setting, for the gate that compares the settings in
effect.

A mismatch is a few lines that a user's port may well hold. Each port is otherwise the shipped one
of `linear`.
"""

from __future__ import annotations

import dataclasses
import textwrap
from pathlib import Path

from harness.speed.settings import LABELLED, REFUSED


@dataclasses.dataclass(frozen=True)
class Mismatch:
    """One wrong setting.

    Attributes:
        name: of the port's folder. build: on which it is planted.
        setting: the difference by which it has to be found. kind: what has to come of it.
        before, after: lines around the shipped port's own initialisation. methods: further ones of
            the class.
    """

    name: str
    build: str
    setting: str
    kind: str
    before: str = ""
    after: str = ""
    methods: str = ""

    def write(self, folder: Path) -> Path:
        """Write the port's file and return the folder to look for ports in."""
        backend = {"tf1-compat": "tf1"}.get(self.build, self.build)
        lines = [
            "import os, sys",
            FRAMEWORKS[backend],
            f"from backends.ports.{backend}.linear import Port as Shipped",
            "",
            "class Port(Shipped):",
            "    def __init__(self, config, setting):",
            _indented(self.before),
            "        Shipped.__init__(self, config, setting)",
            _indented(self.after),
            textwrap.indent(textwrap.dedent(self.methods), "    "),
            "",
        ]
        path = folder / self.name / backend / "linear.py"
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(lines), encoding="utf-8")
        return folder / self.name


FRAMEWORKS = {
    "torch": "import torch",
    "tf2": "import tensorflow as tf",
    "tf1": "import dataclasses, tensorflow.compat.v1 as tf",
}


def _indented(lines: str) -> str:
    return textwrap.indent(textwrap.dedent(lines).strip("\n"), " " * 8)


TORCH = (
    Mismatch("one_thread", "torch", "threads", REFUSED, after="torch.set_num_threads(1)"),
    Mismatch(
        "one_core",
        "torch",
        "cores",
        REFUSED,
        after="os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])",
    ),
    Mismatch("flushed", "torch", "denormals", REFUSED, after="torch.set_flush_denormal(True)"),
    Mismatch(
        "medium",
        "torch",
        "matmul_precision",
        REFUSED,
        after='torch.set_float32_matmul_precision("medium")',
    ),
    Mismatch(
        "tf32_products",
        "torch",
        "matmul_precision",
        REFUSED,
        after="torch.backends.cuda.matmul.allow_tf32 = True",
    ),
    Mismatch(
        "tf32_convolutions",
        "torch",
        "convolution_precision",
        REFUSED,
        after="torch.backends.cudnn.allow_tf32 = True",
    ),
    Mismatch(
        "onednn_in_bf16",
        "torch",
        "onednn_precision",
        REFUSED,
        after='torch.backends.mkldnn.matmul.fp32_precision = "bf16"',
    ),
    Mismatch(
        "autocast",
        "torch",
        "contractions",
        REFUSED,
        methods="""
        def precision(self):
            return torch.autocast("cpu", dtype=torch.bfloat16)
        """,
    ),
    Mismatch(
        "anomaly", "torch", "debugging", REFUSED, after="torch.autograd.set_detect_anomaly(True)"
    ),
    Mismatch(
        "profiled", "torch", "python_tracing", REFUSED, after="sys.setprofile(lambda *_: None)"
    ),
    Mismatch(
        "deterministic",
        "torch",
        "deterministic",
        LABELLED,
        after="torch.use_deterministic_algorithms(True)",
    ),
    Mismatch(
        "without_onednn",
        "torch",
        "onednn",
        LABELLED,
        after="torch.backends.mkldnn.set_flags(False)",
    ),
    Mismatch(
        "compiled",
        "torch",
        "execution",
        LABELLED,
        after='self._terms = torch.compile(self._terms, backend="eager")',
    ),
    Mismatch(
        "autotuned",
        "torch",
        "cudnn_benchmark",
        LABELLED,
        after="torch.backends.cudnn.benchmark = True",
    ),
    Mismatch(
        "float64_by_default",
        "torch",
        "default_dtype",
        LABELLED,
        after="torch.set_default_dtype(torch.float64)",
    ),
    Mismatch(
        "variable",
        "torch",
        "environment OMP_NUM_THREADS",
        LABELLED,
        after='os.environ["OMP_NUM_THREADS"] = "7"',
    ),
    Mismatch(
        "override",
        "torch",
        "environment NVIDIA_TF32_OVERRIDE",
        REFUSED,
        after='os.environ["NVIDIA_TF32_OVERRIDE"] = "1"',
    ),
    Mismatch(
        "threads_of_its_own",
        "torch",
        "threads_that_ran",
        LABELLED,
        methods="""
        def generate(self, source, count):
            import concurrent.futures, hashlib, threading
            if not hasattr(self, "pool"):
                self.pool = concurrent.futures.ThreadPoolExecutor(12)
            meeting = threading.Barrier(12)
            def work(data):
                meeting.wait()
                return hashlib.sha256(data).digest()
            list(self.pool.map(work, [bytes(1 << 22)] * 12))
            return Shipped.generate(self, source, count)
        """,
    ),
)
TENSORFLOW = (
    Mismatch(
        "eager",
        "tf2",
        "execution",
        LABELLED,
        after="self.trainer.compiled = lambda function: function",
    ),
    Mismatch(
        "run_eagerly",
        "tf2",
        "functions_run_eagerly",
        LABELLED,
        after="tf.config.run_functions_eagerly(True)",
    ),
    Mismatch(
        "xla",
        "tf2",
        "xla",
        LABELLED,
        methods="""
        def activations(self, arrays, noise, training):
            def shipped(arrays):
                return Shipped.activations(self, arrays, noise, training)

            return tf.function(shipped, jit_compile=True, autograph=False)(arrays)
        """,
    ),
    Mismatch(
        "one_intra_thread",
        "tf2",
        "threads",
        REFUSED,
        methods="""
        def build(self):
            tf.config.threading.set_intra_op_parallelism_threads(1)
            return Shipped.build(self)
        """,
    ),
    Mismatch(
        "two_inter_threads",
        "tf2",
        "inter_threads",
        REFUSED,
        methods="""
        def build(self):
            tf.config.threading.set_inter_op_parallelism_threads(2)
            return Shipped.build(self)
        """,
    ),
    Mismatch(
        "op_determinism",
        "tf2",
        "deterministic",
        LABELLED,
        after="tf.config.experimental.enable_op_determinism()",
    ),
    Mismatch(
        "tensor_float",
        "tf2",
        "matmul_precision",
        REFUSED,
        after="tf.config.experimental.enable_tensor_float_32_execution(True)",
    ),
    Mismatch(
        "mixed",
        "tf2",
        "contractions",
        REFUSED,
        methods="""
        def build(self):
            low = tf.keras.mixed_precision.Policy("mixed_bfloat16")
            self.policies = dict(self.policies, low=low)
            return Shipped.build(self)
        """,
    ),
    Mismatch(
        "mixed_elsewhere",
        "tf2",
        "global_policy",
        LABELLED,
        after='tf.keras.mixed_precision.set_global_policy("mixed_float16")',
    ),
    Mismatch("checked", "tf2", "debugging", REFUSED, before="tf.debugging.enable_check_numerics()"),
    Mismatch(
        "autoclustered",
        "tf2",
        "autoclustering",
        LABELLED,
        after='tf.config.optimizer.set_jit("autoclustering")',
    ),
    Mismatch(
        "one_session_thread",
        "tf1-compat",
        "threads",
        REFUSED,
        before="setting = dataclasses.replace(setting, threads=1)",
    ),
    Mismatch("without_grappler", "tf1-compat", "grappler", LABELLED, methods="REWRITE = False"),
)
ALL = TORCH + TENSORFLOW
