"""What a worker can be asked to do: open a port, record its stages, time its blocks.

Each `do_<verb>` is one request of the protocol; its arguments and its result are plain JSON, arrays
travel as files.
"""

from __future__ import annotations

import functools
import importlib
import time
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np

from backends import schedule
from backends.contract import Setting, Unsupported, abilities
from backends.diagnosis import faults, promises, user_modules
from backends.measuring import cost, effective_settings, timer
from backends.parameters import misshapen
from backends.protocol import fingerprint, loading
from backends.protocol.model_verbs import Modeling
from backends.recording import passes, teacher_forced_pass
from backends.recording import recorder as recording
from backends.source import NativeSource, TapeSource

#: Precisions whose loss may leave the range that they can represent although the port is right
#: (bf16 has that of fp32).
SMALL_RANGE = ("fp16",)
#: Stages that need `train`, and those that look at a forward pass. The others have methods of their
#: own.
NATIVE = "distribution"
TRAINED, FORWARD = ("trajectory", NATIVE), ("forward",)
SINGLE = (("loss", "losses"), ("gradients", "gradients"), ("update", "train_step"))


class Session(Modeling):
    """The state of one job: the open port and its data."""

    def __init__(self, note: Optional[Callable[[str], None]] = None) -> None:
        self.note = note or _tell_nobody  # told what is being done
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
        self.path, self.folders = "", ()  # type: str, Sequence[str]
        self.also = []  # type: List[str]

    def do_describe(self, backend: str) -> Dict[str, Any]:
        """Import the framework and return the build's identity."""
        return fingerprint.build(importlib.import_module("backends.%s.core" % backend))

    def do_open(
        self,
        backend: str,
        workload: str,
        config: Dict[str, Any],
        setting: Dict[str, Any],
        places: Dict[str, Any],
        data: str,
    ) -> Dict[str, Any]:
        """Build the port; return what it can do and how long the imports and the building took,
        seconds.

        Args:
            places: `folders` and `only`, as for `ports.locate`; `also`: files of the user's that
                belong to the port in another interpreter.
        """
        started = time.perf_counter()
        identity = self.do_describe(backend)
        self.core = importlib.import_module("backends.%s.core" % backend)
        imported_at = time.perf_counter()
        self.folders = list(places["folders"])
        self.path = loading.locate(backend, workload, self.folders, places["only"])
        self.note("loading %s" % self.path)
        port_class = loading.load(self.path)
        self.config, self.setting = config, Setting(**setting)
        self.data = recording.load_arrays(data)
        self.backend = backend
        self.effect = effective_settings.Effect(backend)
        self.note("`__init__` of the port")
        self.port = port_class(config, self.setting)
        promises.check_built(self.port, self.path)
        built_at = time.perf_counter()
        self.also = list(places["also"]) + user_modules.outside(self.folders)
        return dict(
            {
                "identity": identity,
                "abilities": abilities(port_class),
                "port": self.path,
                "import_s": imported_at - started,
                "build_s": built_at - imported_at,
            },
            **self._sources(),
        )

    def _sources(self) -> Dict[str, Any]:
        """Return which files decide what the port computes, as far as they have been imported by
        now, and the hash over them."""
        found = loading.sources(self.path, self.backend, self.folders, self.also)
        return {"sources": [list(item) for item in found], "source_hash": loading.digest(found)}

    def do_probe(
        self, tape: str, stages: Optional[Sequence[str]] = None, brief: bool = True
    ) -> Dict[str, Any]:
        """Do once what the stages do many times, on the tape; return what is in effect, with the
        dtypes observed, and the remarks of `promises`.

        Args:
            stages: those that are going to be recorded; None for training and inference. A port
                whose training fails can be judged without it.
            brief: for a job that goes on with the tape. Else single losses, gradients and updates
                are looked at too, to find what is broken, and the stages that train natively, or
                None, are tried natively: a port need not do both.
        """
        arrays = recording.load_arrays(tape)
        source = TapeSource(self.data, arrays, self.config["batch"])
        trial = promises.Trial(self.port, self.config, self.path)
        native = not brief and (stages is None or NATIVE in stages)
        both = () if native else TRAINED + FORWARD
        lockstep = [
            stage
            for stage in (both if stages is None else stages)
            if not (native and stage == NATIVE)
        ]
        with faults.watched(self.port, self.note):
            if self._load(trial, passes.weights(arrays)):
                self._try(trial, source, lockstep)
                if not brief:
                    self._try_single(trial, source, lockstep)
                if native:
                    self.port.load_parameters(passes.weights(arrays))
                    self._try(trial, NativeSource(self.data, 0, self.config["batch"]), (NATIVE,))
                trial.end()
        return dict(self.do_effective(), remarks=trial.remarks, **self._sources())

    def _load(self, trial: promises.Trial, given: Dict[str, np.ndarray]) -> bool:
        """Load the initial weights. A parameter of another shape is for the judge of the weights;
        nothing else is tried then."""
        try:
            self.port.load_parameters(given)
        except Exception:
            if not misshapen(self.port, given):
                raise
            trial.parameters()
            return False
        trial.parameters()
        return True

    def _try(self, trial: promises.Trial, source: Any, stages: Sequence[str]) -> None:
        can = abilities(type(self.port))
        losses = {}  # type: Dict[str, Any]
        if any(stage in TRAINED for stage in stages):
            losses = trial.attempt("train", lambda: trial.train(source)) or {}
        elif "losses" in can and "loss" in stages:
            for phase in self.config["phases"]:
                terms = (
                    trial.attempt(
                        "losses", lambda phase=phase: trial.losses(phase, source.batch(0, phase))
                    )
                    or {}
                )
                losses[phase] = list(terms.values())
        if any(stage in FORWARD + TRAINED for stage in stages):
            product = trial.attempt(
                "generate", lambda: trial.generate(source, self.config["batch"])
            )
            self.output_dtype = "unknown" if product is None else str(product.dtype)
        if "forward" in can and any(stage in FORWARD for stage in stages):
            trial.attempt(
                "forward",
                lambda: trial.forward(source.batch(0, self.config["forward"]["phase"]), True),
            )
        for name, history in losses.items():
            values = [value for value in history if value is not None]
            # A range that is too small is the precision's; in the full ones it is the port's fault,
            # and for the judge to see.
            if self.setting.precision in SMALL_RANGE and not np.all(np.isfinite(values)):
                raise Unsupported(
                    "one step in %s gives the loss %s = %s"
                    % (self.setting.precision, name, values[0])
                )

    def _try_single(self, trial: promises.Trial, source: TapeSource, stages: Sequence[str]) -> None:
        can = abilities(type(self.port))
        for stage, method in SINGLE:
            if stage in stages and method in can:
                for phase in self.config["phases"]:
                    trial.attempt(
                        method,
                        lambda phase=phase, method=method: getattr(trial, method)(
                            phase, source.batch(0, phase)
                        ),
                    )

    def do_effective(self, watch: bool = True) -> Dict[str, Any]:
        """Return what is in effect, after whatever has run; if an action was prepared and `watch`,
        one more of its steps may run."""
        found = self.effect.read(self.port, self.timer, watch)
        found.update(
            observed_dtypes=dict(self.port.observed_dtypes), output_dtype=self.output_dtype
        )
        return {"effective": found}

    def do_record(
        self,
        tape: str,
        folder: str,
        stages: List[str],
        steps: int,
        variants: List[Dict[str, Any]],
        seed: Optional[int] = None,
    ) -> Dict[str, Any]:
        """Run the stages, write their tensors, and measure how far honest variations move them: in
        lockstep, or with a seed natively."""
        recorder = recording.Recorder(
            self.port, self.config, self.data, recording.load_arrays(tape), folder, seed
        )
        with faults.watched(self.port, self.note):
            return recorder.record(stages, steps, variants)

    def do_teach(self, tape: str, teacher: str, folder: str) -> Dict[str, Any]:
        """Record the forward stage again, each activation computed from the teacher's values of
        those before it."""
        return teacher_forced_pass.record(
            self.port,
            self.config,
            self.data,
            recording.load_arrays(tape),
            recording.load_arrays(teacher),
            folder,
        )

    def do_load(self, tape: str, action: str, seed: int, slowdown: float = 0.0) -> Dict[str, Any]:
        """Give the port the tape's weights and get one action ready to be timed in native mode,
        slowed down by a share if asked."""
        self.port.load_parameters(passes.weights(recording.load_arrays(tape)))
        source = NativeSource(self.data, seed, self.config["batch"])
        source.cursor = schedule.last_segment(self.config)
        wait = (
            functools.partial(self.core.synchronize, self.setting.device)
            if self.setting.device != "cpu"
            else None
        )
        self.timer = timer.Timer(self.port, source, action, self.config["batch"], slowdown, wait)
        self.timers[action] = self.timer
        return {}

    def do_prepare(
        self,
        warmup_s: float,
        sample_s: float,
        least_steps: Optional[int] = None,
        probe_s: float = 0.0,
        exactly: bool = False,
    ) -> Dict[str, Any]:
        """Warm the loaded action up as `timing.Timer.prepare` does and return what it returns. Runs
        nothing but that action."""
        if self.timer is None:
            raise RuntimeError("prepare before load")
        cost.reset_device_peak(self.backend, self.port)
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
        return dict(self.timer.block(samples), **cost.device_peak(self.backend, self.port))

    def do_spend(self, action: str) -> Dict[str, Any]:
        """Return what one step of an action that was prepared costs beside time; runs steps that
        are not timed."""
        return cost.spend(self.backend, self.port, self.timers[action])


def _tell_nobody(_doing: str) -> None:
    """Take what is being done where nobody listens."""
