"""What each backend's adapter makes of the objects of one side: `Side`, and the plain records it
answers with."""

from __future__ import annotations

import abc
import dataclasses
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from backends.adapter.draws import Draws
from backends.contract import ForcedActivations, Setting, Stage, Unsupported
from backends.pair import Declared
from backends.survey import Survey

Arrays = Mapping[str, np.ndarray]
#: Pseudo-phases of draws: a forward pass in training mode, one in inference mode.
FORWARD, GENERATE = str(Stage.FORWARD), "generate"


@dataclasses.dataclass(frozen=True)
class Tap:
    """One activation that is looked at.

    Attributes:
        name: canonical. layer: the layer's own path, as in the survey. call: which of its calls.
        output: which of what it returns, flattened.
        axes: the order in which its own axes are the canonical ones; None: as they are.
    """

    name: str
    layer: str
    call: int = 0
    output: int = 0
    axes: Optional[Tuple[int, ...]] = None


@dataclasses.dataclass
class StepResult:
    """What one training step of the user's did.

    Attributes:
        losses: by name, `total` last: what was differentiated.
        gradients: by the side's own parameter names: what the loss was differentiated to, before
            anything (clipping, an optimizer) changed it. Canonical layout is not theirs.
        updated: own names of the optimizers whose update ran, in order.
    """

    losses: Dict[str, float]
    gradients: Dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    updated: List[str] = dataclasses.field(default_factory=list)


class Side(abc.ABC):
    """One side's objects, built for one setting.

    Everything crosses as NumPy arrays in the side's own names and layouts; low precisions as
    float32. Draws of randomness are answered by the `Draws` that is handed in; where it is None,
    the framework draws them itself (a timed run).

    Args:
        function: the user's, without arguments; it returns what `backends.pair` makes. It is called
            here, once, with the framework's default dtype that of the setting and its generators
            seeded.
        setting: how to run.

    Raises:
        Unsupported: the setting cannot be honoured with objects like these.
    """

    def __init__(self, function: Any, setting: Setting) -> None:
        self.setting = setting
        self.declared: Declared = self._declared(function)

    @abc.abstractmethod
    def _declared(self, function: Any) -> Declared:
        """Call the user's function in the dtype of the setting."""

    @abc.abstractmethod
    def survey(self, arrays: Arrays) -> Survey:
        """Find out everything about the side by running it on a batch; leave its state alone.

        Args:
            arrays: one batch of training rows.
        """

    def prepare(self, arrays: Arrays) -> None:  # noqa: B027  (most have nothing to do)
        """Build what some models build at their first call, weights among it; a survey does so
        first. Called before `parameters` where no survey was made in this process.

        Args:
            arrays: one batch of training rows.
        """

    def rows(self) -> Optional[int]:
        """Return how many rows every run has to have; None: any number of them."""
        return None

    # -- state -------------------------------------------------------------------------------------

    @abc.abstractmethod
    def parameters(self) -> Dict[str, np.ndarray]:
        """Return every weight and running statistic under its own name, in its own layout."""

    @abc.abstractmethod
    def assign(self, values: Arrays) -> None:
        """Set what `parameters` returns."""

    @abc.abstractmethod
    def reset(self) -> None:
        """Put everything but `parameters` back to what it was when the side was built: optimizers,
        schedules, metrics, counts."""

    @abc.abstractmethod
    def snapshot(self) -> Any:
        """Return a copy of all state that a step or a forward pass may move."""

    @abc.abstractmethod
    def restore(self, snapshot: Any) -> None:
        """Put a snapshot back."""

    @abc.abstractmethod
    def slots(self) -> Dict[str, Dict[str, Dict[str, np.ndarray]]]:
        """Return by optimizer (own name), parameter (own name) and word (`m`, `v`, `momentum`) its
        slots; before the first update none, or zeros."""

    @abc.abstractmethod
    def assign_slots(self, optimizer: str, word: str, values: Arrays) -> None:
        """Set slots that `slots` returns.

        Args:
            optimizer: its own name. word: of the slots. values: by own parameter name.
        """

    @abc.abstractmethod
    def counts(self) -> Dict[str, int]:
        """Return how many updates each optimizer has made since `reset`."""

    def accept(self, names: Mapping[str, Any]) -> None:  # noqa: B027  (most have nothing to do)
        """Do as the other frameworks do where the user takes a known difference for the same.

        Args:
            names: of differences, each with what is to be known of it, as
                `harness.pairs.known_differences` has them.
        """

    def round_constants(self, which: str) -> None:  # noqa: B027  (most have nothing to do)
        """Have optimizers keep hyper-parameters in float32 from now on, in steps that are looked
        at, as some frameworks always do.

        Args:
            which: the learning `rates`, the `others`, the `powers` of β; empty: none.
        """

    def constants_may_move(self, which: str) -> bool:
        """Return whether any update so far might have been another one with these constants in
        float32. False is a proof: each number of every update was one that float32 holds, and a run
        with them rounded is the same run.

        Args:
            which: as for `round_constants`.
        """
        return True

    @abc.abstractmethod
    def seed(self, seed: int) -> None:
        """Have the framework's own generators begin anew, for steps without `draws`.

        Args:
            seed: what they draw from there on is a function of.
        """

    # -- runs --------------------------------------------------------------------------------------

    @abc.abstractmethod
    def step(
        self,
        phase: str,
        arrays: Arrays,
        draws: Optional[Draws],
        gradients: Optional[Arrays] = None,
        watch: bool = True,
    ) -> StepResult:
        """Run one of the user's training steps.

        Args:
            phase: which. arrays: the batch. draws: that answer; None in a timed run.
            gradients: by own parameter, put in the place of what the loss is differentiated to,
                before anything else is done with it; None: its own.
            watch: whether gradients are wanted; else `losses` alone is filled in.
        """

    @abc.abstractmethod
    def look(
        self, arrays: Arrays, training: bool, draws: Optional[Draws], taps: Sequence[Tap]
    ) -> Dict[str, np.ndarray]:
        """Return the taps' values in the order in which they were computed, and then the outputs
        (`output`, `output/<name>`), of one forward pass in own layouts, each as it was when its
        layer returned it. State is left alone.

        Args:
            arrays: the batch. training: in which mode. draws: that answer. taps: what is wanted.
        """

    def look_from(
        self,
        arrays: Arrays,
        training: bool,
        draws: Optional[Draws],
        taps: Sequence[Tap],
        teacher: Arrays,
    ) -> ForcedActivations:
        """Return `look`, each tap computed from the teacher's values of those before it.

        Args:
            arrays, training, draws, taps: as for `look`.
            teacher: by tap, in this side's own layouts.

        Raises:
            Unsupported: this adapter cannot.
        """
        raise Unsupported("the adapter of this framework does not force a teacher's values yet")

    def dtypes(self) -> Dict[str, str]:
        """Return the framework's own names of the dtypes of what the last `look` or `step` saw, by
        tap, `output` and `loss`."""
        return {}

    @abc.abstractmethod
    def effective(self) -> Dict[str, Any]:
        """Return the settings in effect, as `contract.Port.effective` does."""
