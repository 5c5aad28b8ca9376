"""What a port declares of itself beside what it computes: shapes, what it cannot show, whether its
training is its own, how large it is.

The base of `contract.Port`, so that every port has it, and a file of its own because the contract
is long. Standard library only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple

if TYPE_CHECKING:
    from backends.source import Batch

Shape = Tuple[int, ...]


class ShapeMismatch(ValueError):
    """A parameter of a port has another shape than the value that it is to be given. Raised before
    anything is changed.

    Attributes:
        name: canonical, of the first such parameter. own_shape: the port's. given_shape: the
            value's.
    """

    def __init__(self, name: str, own_shape: Sequence[int], given_shape: Sequence[int]) -> None:
        self.name, self.own_shape, self.given_shape = name, tuple(own_shape), tuple(given_shape)
        ValueError.__init__(
            self,
            f"the parameter {name} has shape {list(self.own_shape)} in this port,"
            f" {list(self.given_shape)} is given: it has to have the shape that the workload"
            " declares",
        )


class Declarations:
    """What every port declares. A port overrides what it knows better.

    Attributes:
        not_shown: names of activations of the workload, or patterns of `fnmatch` ("lstm/*"), that
            this port cannot show: what is computed inside of one operation of its framework. They
            are listed as not looked at; any other activation that only the other side has is a
            fault.
        copies: whether it changes no array that it was given, and none that it has handed over: of
            parameters and slots no copies have to be made then, as large as the model.
        hidden_averages, unseen_averages: of a side of a pair, see `backends.survey.Survey`: whether
            it keeps an average of the weights that nobody compares, or may keep one.
        undeclared: the `recording.undeclared_state.Undeclared` that puts back what a look at the
            port has moved; a base class of a backend sets it.
    """

    not_shown: Sequence[str] = ()
    copies: bool = False
    hidden_averages: Sequence[str] = ()
    unseen_averages: Sequence[str] = ()
    undeclared: Any = None

    def parameters(self) -> Dict[str, Any]:
        """Return all weights and running statistics."""
        raise NotImplementedError

    def parameter_shapes(self) -> Dict[str, Shape]:
        """Return the shape of each parameter as the port has it, in canonical layout: also when
        `load_parameters` has refused.
        """
        return {name: tuple(value.shape) for name, value in self.parameters().items()}

    def trainable_values(self) -> Optional[int]:
        """Return how many distinct numbers training can move: each weight once, however many names
        it has, and none that nothing uses. Called after the stages have run. None: the port does
        not tell.

        A weight that two layers share in one port and that is two weights in the other is seen in
        this count alone.
        """
        return None

    def contracted(self, batch: Batch, training: bool) -> Optional[List[str]]:
        """Return the activations that a matrix product, convolution, attention or recurrent layer
        is upstream of, in order.

        The others are the same in every precision that leaves storage alone. None: the port does
        not tell.

        Args:
            batch, training: as for `Port.forward`.
        """
        return None

    def undeclared_state(self) -> List[str]:
        """Return names of state that is no parameter and that a forward pass or an update has
        moved: what nobody compares."""
        return [] if self.undeclared is None else self.undeclared.names()

    def training_is_own(self) -> bool:
        """Return whether updates are the port's own code; False: they are the harness's, as the
        specification of the workload says."""
        return self.defines("train", "train_step", "update", "_update")

    def defines(self, *names: str) -> bool:
        """Return whether a class of the port's outside `backends` defines any of these methods."""
        own = [kind for kind in type(self).__mro__ if not kind.__module__.startswith("backends.")]
        return any(name in vars(kind) for kind in own for name in names)
