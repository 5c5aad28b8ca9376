"""What a worker can be asked to do: open a port, record its stages, time its blocks.

Each `do_<verb>` is one request of the protocol; its arguments and its result are plain JSON, arrays
travel as files.
"""

from __future__ import annotations

import functools
import importlib
import os
import time
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np

from backends import schedule
from backends.adapter import pair_module
from backends.adapter import port as adapter_port
from backends.contract import Setting, Stage, Unsupported, abilities
from backends.diagnosis import faults, promises, user_modules
from backends.measuring import cost, effective_settings, timer
from backends.parameters import misshapen
from backends.protocol import fingerprint, loading
from backends.protocol.model_verbs import Modeling
from backends.protocol.pair_verbs import Pairing
from backends.recording import passes, teacher_forced_pass, teacher_forced_update
from backends.recording import recorder as recording
from backends.source import NativeSource, TapeSource

#: Precisions whose loss may leave the range that they can represent although the port is right
#: (bf16 has that of fp32).
SMALL_RANGE = ("fp16",)
#: Stages that need `train`, and those that look at a forward pass. The others have methods of their
#: own.
NATIVE = Stage.DISTRIBUTION
TRAINED, FORWARD = (Stage.TRAJECTORY, NATIVE), (Stage.FORWARD,)
SINGLE = (
    (Stage.LOSS, "losses"),
    (Stage.GRADIENTS, "gradients"),
    (Stage.UPDATE, "train_step"),
)


class Session(Modeling, Pairing):
    """The state of one job: the open port and its data."""

    def __init__(self, note: Optional[Callable[[str], None]] = None) -> None:
        self.note = note or _tell_nobody  # called with what is being done
        self.port: Any = None
        self.config: Dict[str, Any] = {}
        self.setting = Setting()
        self.data: Dict[str, np.ndarray] = {}
        self.timer: Optional[timer.Timer] = None
        self.timers: Dict[str, timer.Timer] = {}
        self.effective: Any = None
        self.output_dtype = "unknown"
        self.backend = ""
        self.core: Any = None
        self.path = ""
        self.folders: Sequence[str] = ()
        self.also: List[str] = []

    def do_describe(self, backend: str) -> Dict[str, Any]:
        """Import the framework and return the build's identity."""
        return fingerprint.build(importlib.import_module(f"backends.{backend}.core"))

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
            backend: its folder.
            workload: the name of the port's file.
            config: the workload's configuration.
            setting: the arguments of `contract.Setting`.
            places: `folders` and `only`, as for `loading.locate`; `also`: files of the user's that
                belong to the port in another interpreter.
            data: where the workload's arrays are.
        """
        started = time.perf_counter()
        identity = self.do_describe(backend)
        self.core = importlib.import_module(f"backends.{backend}.core")
        imported_at = time.perf_counter()
        self.folders = list(places["folders"])
        self.config, self.setting = config, Setting(**setting)
        self.data = recording.load_arrays(data)
        self.backend = backend
        self.effective = effective_settings.EffectiveSettings(backend)
        self.also = list(places["also"])
        if "pair" in config:
            self._open_side(places["side"])
        else:
            self._open_file(workload, places["only"])
        built_at = time.perf_counter()
        self.also += user_modules.outside(self.folders)
        opened = {
            "identity": identity,
            "abilities": abilities(type(self.port)),
            "port": self.path,
            "import_s": imported_at - started,
            "build_s": built_at - imported_at,
        }
        return dict(opened, **self._sources())

    def _open_file(self, workload: str, only: bool) -> None:
        """Build the port of a file."""
        self.path = loading.locate(self.backend, workload, self.folders, only)
        self.note(f"loading {self.path}")
        port_class = loading.load(self.path)
        self.note("`__init__` of the port")
        self.port = port_class(self.config, self.setting)
        promises.check_built(self.port, self.path)

    def _open_side(self, label: str) -> None:
        """Build the port of one side of a pair: `config["pair"]` says where the user's function is,
        and what the harness has decided about this side."""
        pair = self.config["pair"]
        own = pair["sides"][label]
        self.path = pair["path"]
        self.folders = [os.path.dirname(self.path), *pair["paths"]]
        self.note(f"`{own['function']}` of {self.path}")
        function = pair_module.function(self.path, pair["paths"], own["function"])
        side = pair_module.side(self.backend, function, self.setting)
        # A model whose weights are made by its first batch has none before.
        side.prepare(
            {
                name: value[: self.config["batch"]]
                for name, value in self.data.items()
                if not name.startswith("eval_")
            }
        )
        self.port = adapter_port.Port(dict(self.config, pair=own), self.setting, side)
        self.also += loading.adapter_modules(self.backend)

    def _sources(self) -> Dict[str, Any]:
        """Return which files decide what the port computes, as far as they have been imported by
        now, and the hash over them."""
        hashes = loading.sources(self.path, self.backend, self.folders, self.also)
        return {"sources": [list(item) for item in hashes], "source_hash": loading.digest(hashes)}

    def do_probe(
        self, tape: str, stages: Optional[Sequence[str]] = None, brief: bool = True
    ) -> Dict[str, Any]:
        """Do once what the stages do many times, on the tape; return the effective settings, with
        the dtypes observed, and the remarks of `promises`.

        Args:
            tape: where it is.
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
        wanted = stages
        if wanted is None:
            wanted = () if native else TRAINED + FORWARD
        lockstep = [stage for stage in wanted if not (native and stage == NATIVE)]
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

    def _load(self, trial: promises.Trial, initial: Dict[str, np.ndarray]) -> bool:
        """Load the initial weights. A parameter of another shape is for the judge of the weights;
        nothing else is tried then.
        """
        try:
            self.port.load_parameters(initial)
        except Exception:
            if not misshapen(self.port, initial):
                raise
            trial.parameters()
            return False
        trial.parameters()
        return True

    def _try(self, trial: promises.Trial, source: Any, stages: Sequence[str]) -> None:
        can = abilities(type(self.port))
        losses: Dict[str, Any] = {}
        if any(stage in TRAINED for stage in stages):
            losses = trial.attempt("train", lambda: trial.train(source)) or {}
        elif "losses" in can and Stage.LOSS in stages:
            for phase in self.config["phases"]:
                terms = _attempt_phase(trial, "losses", phase, source) or {}
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
                    f"one step in {self.setting.precision} gives the loss {name} = {values[0]!s}"
                )

    def _try_single(self, trial: promises.Trial, source: TapeSource, stages: Sequence[str]) -> None:
        can = abilities(type(self.port))
        for stage, method in SINGLE:
            if stage in stages and method in can:
                for phase in self.config["phases"]:
                    _attempt_phase(trial, method, phase, source)

    def do_effective(self, watch: bool = True) -> Dict[str, Any]:
        """Return the effective settings, after whatever has run; if an action was prepared and
        `watch`, one more of its steps may run.
        """
        settings = self.effective.read(self.port, self.timer, watch)
        settings["observed_dtypes"] = dict(self.port.observed_dtypes)
        settings["output_dtype"] = self.output_dtype
        return {"effective": settings}

    def do_record(
        self,
        tape: str,
        folder: str,
        what: Dict[str, Any],
        seed: Optional[int] = None,
    ) -> Dict[str, Any]:
        """Run the stages, write their tensors, and measure how far honest variations move them: in
        lockstep, or with a seed natively.

        Args:
            tape: where it is. folder: for the tensors.
            what: the arguments of `recorder.Recorder.record`. seed: of native mode.
        """
        recorder = recording.Recorder(
            self.port, self.config, self.data, recording.load_arrays(tape), folder, seed
        )
        with faults.watched(self.port, self.note):
            return recorder.record(**what)

    def do_teacher_force(self, tape: str, teacher: List[str], folder: str) -> Dict[str, Any]:
        """Record the forward stage again, teacher-forced: each activation computed from the
        teacher's values of those before it.
        """
        return self._forced(teacher_forced_pass.record, tape, teacher, folder)

    def do_force_update(self, tape: str, teacher: List[str], folder: str) -> Dict[str, Any]:
        """Record the updates again, made of the teacher's gradients and begun with its states."""
        return self._forced(teacher_forced_update.record, tape, teacher, folder)

    def _forced(
        self, record: Callable[..., Dict[str, Any]], tape: str, teacher: List[str], folder: str
    ) -> Dict[str, Any]:
        arrays, values = recording.load_arrays(tape), {}
        for path in teacher:
            values.update(recording.load_arrays(path))
        return record(self.port, self.config, self.data, arrays, values, folder)

    def do_load(self, tape: str, action: str, seed: int, slowdown: float = 0.0) -> Dict[str, Any]:
        """Give the port the tape's weights and get one action ready to be timed in native mode,
        slowed down by a share if asked."""
        self.port.load_parameters(passes.weights(recording.load_arrays(tape)))
        source = NativeSource(self.data, seed, self.config["batch"])
        source.cursor = schedule.last_segment(self.config)
        wait = None
        if self.setting.device != "cpu":
            wait = functools.partial(self.core.synchronize, self.setting.device)
        self.timer = timer.Timer(self.port, source, action, self.config["batch"], slowdown, wait)
        self.timers[action] = self.timer
        return {}

    def do_prepare(self, warmup_s: float, sample_s: float, **options: Any) -> Dict[str, Any]:
        """Warm the loaded action up as `timer.Timer.prepare` does, with its arguments, and return
        what it returns. Runs nothing but that action.
        """
        if self.timer is None:
            raise RuntimeError("prepare before load")
        cost.reset_device_peak(self.backend, self.port)
        self.effective.begin()
        result = self.timer.prepare(warmup_s, sample_s, **options)
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
        are not timed.
        """
        return cost.of_a_step(self.backend, self.port, self.timers[action])


def _attempt_phase(trial: promises.Trial, method: str, phase: str, source: Any) -> Any:
    """Attempt a method of the trial on the first batch of a phase."""
    return trial.attempt(method, lambda: getattr(trial, method)(phase, source.batch(0, phase)))


def _tell_nobody(_doing: str) -> None:
    """Take what is being done where nobody listens."""
