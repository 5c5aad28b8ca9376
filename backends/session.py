"""What a worker can be asked to do: open a port, record its stages, time its blocks.

Each `do_<verb>` is one request of the protocol; its arguments and its result are plain JSON, arrays travel as files.
"""

from __future__ import annotations

import functools
import importlib
import time
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from backends import effect, fingerprint, lessons, ports, recording, schedule, spending, timing
from backends.contract import Setting, Unsupported, abilities
from backends.modeling import Modeling
from backends.source import NativeSource, TapeSource

#: Precisions whose loss may leave the range that they can represent although the port is right (bf16 has that of fp32).
SMALL_RANGE = ("fp16",)


class Session(Modeling):
    """The state of one job: the open port and its data."""

    def __init__(self) -> None:
        self.port = None  # type: Any
        self.config = {}  # type: Dict[str, Any]
        self.setting = Setting()
        self.data = {}  # type: Dict[str, np.ndarray]
        self.timer = None  # type: Any
        self.timers = {}  # type: Dict[str, timing.Timer]
        self.effect = None  # type: Any
        self.output_dtype = "unknown"
        self.backend = ""
        self.core = None  # type: Any

    def do_describe(self, backend: str) -> Dict[str, Any]:
        """Import the framework and return the build's identity."""
        return fingerprint.build(importlib.import_module("backends.%s.core" % backend))

    def do_open(
        self, backend: str, workload: str, config: Dict[str, Any], setting: Dict[str, Any], folders: Sequence[str], data: str
    ) -> Dict[str, Any]:
        """Build the port; return what it can do and how long the imports and the building took, seconds."""
        started = time.perf_counter()
        identity = self.do_describe(backend)
        self.core = importlib.import_module("backends.%s.core" % backend)
        imported = time.perf_counter()
        path = ports.locate(backend, workload, folders)
        port_class = ports.load(path)
        self.config, self.setting = config, Setting(**setting)
        self.data = recording.load_arrays(data)
        self.backend = backend
        self.effect = effect.Effect(backend)
        self.port = port_class(config, self.setting)
        return {
            "identity": identity,
            "abilities": abilities(port_class),
            "port": path,
            "source_hash": ports.source_hash(path, backend),
            "import_s": imported - started,
            "build_s": time.perf_counter() - imported,
        }

    def do_probe(self, tape: str) -> Dict[str, Any]:
        """Run one training step and one inference on the tape; return what is in effect, with the dtypes observed."""
        arrays = recording.load_arrays(tape)
        source = TapeSource(self.data, arrays, self.config["batch"])
        self.port.load_parameters(recording.weights(arrays))
        losses = self.port.train(source, 1)
        output = self.port.generate(source, self.config["batch"])
        if "forward" in abilities(type(self.port)):
            self.port.forward(source.batch(0, self.config["forward"]["phase"]), True)
        for name, history in losses.items():
            values = [value for value in history if value is not None]
            # A range that is too small is the precision's; in the full ones it is the port's fault, and for the judge to see.
            if self.setting.precision in SMALL_RANGE and not np.all(np.isfinite(values)):
                raise Unsupported("one step in %s gives the loss %s = %s" % (self.setting.precision, name, values[0]))
        self.output_dtype = str(output.dtype)
        return self.do_effective()

    def do_effective(self, watch: bool = True) -> Dict[str, Any]:
        """Return what is in effect, after whatever has run; if an action was prepared and `watch`, one more of its steps may run."""
        found = self.effect.read(self.port, self.timer, watch)
        found.update(observed_dtypes=dict(self.port.observed_dtypes), output_dtype=self.output_dtype)
        return {"effective": found}

    def do_record(
        self, tape: str, folder: str, stages: List[str], steps: int, variants: List[Dict[str, Any]], seed: Optional[int] = None
    ) -> Dict[str, Any]:
        """Run the stages, write their tensors, and measure how far honest variations move them: in lockstep, or with a seed natively."""
        recorder = recording.Recorder(self.port, self.config, self.data, recording.load_arrays(tape), folder, seed)
        return recorder.record(stages, steps, variants)

    def do_teach(self, tape: str, teacher: str, folder: str) -> Dict[str, Any]:
        """Record the forward stage again, each activation computed from the teacher's values of those before it."""
        return lessons.record(self.port, self.config, self.data, recording.load_arrays(tape), recording.load_arrays(teacher), folder)

    def do_load(self, tape: str, action: str, seed: int, slowdown: float = 0.0) -> Dict[str, Any]:
        """Give the port the tape's weights and get one action ready to be timed in native mode, slowed down by a share if asked."""
        self.port.load_parameters(recording.weights(recording.load_arrays(tape)))
        source = NativeSource(self.data, seed, self.config["batch"])
        source.cursor = schedule.last_segment(self.config)
        wait = functools.partial(self.core.synchronize, self.setting.device) if self.setting.device != "cpu" else None
        self.timer = timing.Timer(self.port, source, action, self.config["batch"], slowdown, wait)
        self.timers[action] = self.timer
        return {}

    def do_prepare(
        self, warmup_s: float, sample_s: float, least_steps: Optional[int] = None, probe_s: float = 0.0, exactly: bool = False
    ) -> Dict[str, Any]:
        """Warm the loaded action up as `timing.Timer.prepare` does and return what it returns. Runs nothing but that action."""
        if self.timer is None:
            raise RuntimeError("prepare before load")
        spending.reset_device_peak(self.backend, self.port)
        self.effect.begin()
        result = self.timer.prepare(warmup_s, sample_s, least_steps, probe_s, exactly)
        result["segment"] = self.config["schedule"][-1]["name"]
        self.output_dtype = self.timer.output_dtype
        return result

    def do_step(self) -> Dict[str, Any]:
        """Run one step of the loaded action, to learn how long one is."""
        if self.timer is None:
            raise RuntimeError("step before load")
        return {"step_s": self.timer.run(1)}

    def do_block(self, samples: int) -> Dict[str, Any]:
        """Time one block of the prepared action; with it, the device's peak since `prepare`."""
        if self.timer is None:
            raise RuntimeError("block before prepare")
        return dict(self.timer.block(samples), **spending.device_peak(self.backend, self.port))

    def do_spend(self, action: str) -> Dict[str, Any]:
        """Return what one step of an action that was prepared costs beside time; runs steps that are not timed."""
        return spending.spend(self.backend, self.port, self.timers[action])
