"""What a user has declared, built in a setting: models, optimizers and steps, the mode and the
dtypes that they run in, and their state."""

from __future__ import annotations

import contextlib
import random
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel

from backends.adapter.side import Arrays, Side
from backends.contract import PRECISION_TABLE, Setting, Unsupported
from backends.pair import TRAIN, Declared
from backends.survey import AVERAGE
from backends.torch import memory, runtime
from backends.torch.adapter import checkpoints, losses, optimizers, remarks, values
from backends.torch.adapter.accepted import Accepted
from backends.torch.adapter.averages import Averages
from backends.torch.adapter.compiled import Compiled
from backends.torch.adapter.draws import Tape, open_kernels, seeded
from backends.torch.adapter.inventory import Inventory, arrays
from backends.torch.adapter.own_autocast import OwnAutocast
from backends.torch.adapter.state import Snapshot
from backends.torch.core import DTYPES

SEED = 0
Batch = Dict[str, torch.Tensor]


class Objects(Side):
    """The part of a side that is not a run of it.

    Attributes:
        inventory: names of modules and parameters. optimizers: by own name, those that the user
            has declared, else those that the steps hold.
        steps: by phase. remarks: what could not be done.
    """

    def __init__(self, function: Any, setting: Setting) -> None:
        if setting.execution not in ("default", "eager"):
            raise Unsupported(
                f"objects of the user's run as they are: eagerly, or compiled by themselves; not"
                f" {setting.execution}"
            )
        self.device = runtime.require(setting)
        self.keeps_freed = memory.keep_freed()
        table = PRECISION_TABLE[setting.precision]
        self.dtype, self.low = DTYPES[table["master"]], DTYPES[table["contraction"]]
        self.remarks: List[str] = []
        self._dtypes: Dict[str, str] = {}
        self.own_autocast = OwnAutocast(setting.precision)
        Side.__init__(self, function, setting)
        self.steps = self._step_functions()
        # The first of all snapshots also finds the optimizers that nobody has named.
        reached = Snapshot(self.roots())
        self.optimizers = self._all_optimizers(reached)
        self.compiled = Compiled(reached)
        self._refuse(reached)
        self.inventory = Inventory(self.declared.models, self.optimizers)
        self.averages = Averages(self.declared.models, reached)
        self.remarks += self.averages.remarks
        self._recurrent_dropout = any(
            isinstance(module, torch.nn.RNNBase) and module.dropout
            for module in self.inventory.modules.values()
        )
        self._note_others(reached)
        self.remarks += remarks.of_models(self.declared.models, self.inventory.modules)
        self.updates = dict.fromkeys(self.optimizers, 0)
        self._begun = {name: optimizers.count(each) for name, each in self.optimizers.items()}
        self._totals: Dict[str, Optional[losses.Rule]] = {}
        self._updated: Dict[str, List[str]] = {}
        held = self.inventory.tensors().values()
        self._built = Snapshot(self.roots(), [id(value) for value in held])
        self.accept({})

    # -- building ----------------------------------------------------------------------------------

    def _declared(self, function: Any) -> Declared:
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(SEED)
        with self._default_dtype():
            declared = function()
        if not isinstance(declared, Declared) or declared.framework != "torch":
            raise TypeError(
                "the function of a side that is run by torch returns pair.torch(...), not"
                f" {declared!r}"
            )
        for name, model in declared.models.items():
            if not isinstance(model, torch.nn.Module):
                raise TypeError(f"pair.torch: model {name!r} is no nn.Module, but {model!r}")
            if any(torch.nn.parameter.is_lazy(value) for value in model.parameters()):
                raise TypeError(
                    f"pair.torch: model {name!r} has lazy modules, which have no weights before"
                    " they have run: call it once on a batch in the function that makes it"
                )
            model._apply(self._converted)
        #: How the weights were drawn is told from these; empty: from the weights that there are.
        self.drawn: Dict[str, np.ndarray] = {}
        if declared.weights is not None:
            self.drawn = arrays(Inventory(declared.models, {}).tensors())
            checkpoints.load(declared.weights, declared.models)
        return declared

    def _converted(self, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.is_complex():
            return tensor.to(self.device, self.dtype.to_complex())
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else None)

    def _step_functions(self) -> Dict[str, Callable[..., Any]]:
        if self.declared.steps:
            return dict(self.declared.steps)
        if self.declared.loss is None or not self.declared.optimizers:
            return {}
        loss, members = self.declared.loss, list(self.declared.optimizers.values())

        def step(batch: Batch) -> Any:
            # The usual step, in which `.train()` has been called.
            with self.mode(True):
                for optimizer in members:
                    optimizer.zero_grad()
                value = loss(self.call(batch), batch)
                value.backward()
                for optimizer in members:
                    optimizer.step()
                return value

        return {TRAIN: step}

    def roots(self) -> List[Any]:
        """Return what everything that a step may move is reached from."""
        declared = self.declared
        functions = [*declared.steps.values(), declared.forward, declared.loss]
        members = [*declared.models.values(), *declared.optimizers.values()]
        return [*members, *(each for each in functions if each is not None)]

    def _all_optimizers(self, reached: Snapshot) -> Dict[str, Any]:
        if self.declared.optimizers:
            return dict(self.declared.optimizers)
        members = reached.reached(torch.optim.Optimizer)
        if len(members) == 1:
            return {"": members[0]}
        return {f"optimizer{index}": member for index, member in enumerate(members)}

    def _refuse(self, reached: Snapshot) -> None:
        self.scalers = reached.reached(torch.amp.GradScaler)
        if self.setting.precision == "fp16" and self.steps and not self.scalers:
            raise Unsupported(
                "fp16 needs a loss scale, and the training step has no torch.amp.GradScaler"
            )
        compiled = self.compiled.modules or self.compiled.functions
        if compiled and not hasattr(torch.compiler, "set_stance"):
            raise Unsupported(
                f"torch {torch.__version__} cannot run a compiled module eagerly, which looking"
                " into it needs; torch 2.6 can"
            )

    def _note_others(self, reached: Snapshot) -> None:
        """Remark upon what is trained or kept beside what is compared."""
        own = {*map(id, self.inventory.tensors().values()), *map(id, self.averages.tensors())}
        members = [each for model in self.declared.models.values() for each in model.modules()]
        known = set(map(id, members))
        for module in reached.reached(torch.nn.Module):
            held = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
            if isinstance(module, AveragedModel):
                held = []  # it counts, and what it holds is a module of its own
            if id(module) not in known and any(id(value) not in own for value in held):
                self.remarks.append(
                    f"a {type(module).__name__} that is not declared is within reach of a step:"
                    " what it keeps is not compared. Declare it beside the model, by name"
                )

    # -- contexts ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _default_dtype(self) -> Iterator[None]:
        before = torch.get_default_dtype()
        torch.set_default_dtype(self.dtype)
        try:
            yield
        finally:
            torch.set_default_dtype(before)

    @contextlib.contextmanager
    def precision(self) -> Iterator[None]:
        """Run in the dtypes of the setting."""
        low = self.low is not self.dtype
        own = contextlib.nullcontext() if low else self.own_autocast.off()
        with self._default_dtype(), own, torch.autocast(self.device.type, self.low, low):
            yield

    @contextlib.contextmanager
    def serving(self, tape: Tape) -> Iterator[Callable[[], Tuple[str, ...]]]:
        """Let draws be answered; yields what `draws.seeded` yields.

        Args:
            tape: that answers.
        """
        kernels = open_kernels(self._recurrent_dropout)
        with self.precision(), seeded(tape.draws) as drawn, kernels, tape:
            yield drawn

    @contextlib.contextmanager
    def mode(self, training: bool) -> Iterator[None]:
        """Run in training mode, or in inference mode; then in the mode that was.

        Args:
            training: which.
        """
        models = list(self.declared.models.values())
        modules = [each for model in models for each in model.modules()]
        modes = [module.training for module in modules]
        for model in models:
            # What is in inference mode inside of a model that is in training mode stays there.
            if model.training != training:
                model.train(training)
        try:
            with torch.enable_grad() if training else torch.no_grad():
                yield
        finally:
            for module, before in zip(modules, modes):
                module.training = before

    # -- what is run -------------------------------------------------------------------------------

    def batch(self, rows: Arrays) -> Batch:
        """Return a batch as fresh tensors on the device.

        Args:
            rows: by name.
        """
        return values.batch(rows, self.dtype, self.device)

    def call(self, batch: Batch) -> Any:
        """Return what the user's forward pass gives.

        Args:
            batch: see `batch`.

        Raises:
            ValueError: it is not known how the model is called.
        """
        if self.declared.forward is not None:
            return self.declared.forward(batch)
        if len(self.declared.models) != 1 or "x" not in batch:
            raise ValueError(
                "pair.torch needs `forward=`, a function of the batch, where there are several"
                f" models or the data have no array `x`; they have {', '.join(sorted(batch))}"
            )
        return next(iter(self.declared.models.values()))(batch["x"])

    # -- state -------------------------------------------------------------------------------------

    def parameters(self) -> Dict[str, np.ndarray]:
        return arrays(self.inventory.tensors())

    def accept(self, names: Mapping[str, Any]) -> None:
        parameters = self.inventory.parameters()
        self.accepted = Accepted(names, self.optimizers, parameters, tuple(self.scalers))

    def round_constants(self, which: str) -> None:
        self.accepted.constants = which

    def constants_may_move(self, which: str) -> bool:
        return self.accepted.constants_may_move(which)

    @torch.no_grad()
    def assign(self, values: Arrays) -> None:
        held = self.inventory.tensors()
        for name, value in values.items():
            held[name].copy_(torch.from_numpy(np.array(value)))
        self.accepted.assigned()

    @torch.no_grad()
    def reset(self) -> None:
        kept = {name: value.detach().clone() for name, value in self.inventory.tensors().items()}
        self._built.restore()
        for name, value in self.inventory.tensors().items():
            value.copy_(kept[name])
        self.averages.begin()
        self.updates = dict.fromkeys(self.optimizers, 0)

    def snapshot(self) -> Any:
        state = random.getstate(), np.random.get_state(), torch.get_rng_state()
        return Snapshot(self.roots()), dict(self.updates), state

    def restore(self, snapshot: Any) -> None:
        kept, self.updates, (plain, numbers, own) = snapshot[0], dict(snapshot[1]), snapshot[2]
        kept.restore()
        random.setstate(plain)
        np.random.set_state(numbers)
        torch.set_rng_state(own)

    def slots(self) -> Dict[str, Dict[str, Dict[str, np.ndarray]]]:
        names = {id(value): name for name, value in self.inventory.parameters().items()}
        held = {name: optimizers.slots(each, names) for name, each in self.optimizers.items()}
        return self.averages.shown(held, self.optimizers, names)

    def assign_slots(self, optimizer: str, word: str, values: Arrays) -> None:
        names = {id(value): name for name, value in self.inventory.parameters().items()}
        if word == AVERAGE:
            self.averages.assign(values, names)
        optimizers.assign_slots(self.optimizers[optimizer], names, word, values)

    def counts(self) -> Dict[str, int]:
        counted = {name: optimizers.count(each) for name, each in self.optimizers.items()}
        return {
            name: counted[name] - self._begun[name] if counted[name] else self.updates[name]
            for name in self.optimizers
        }
