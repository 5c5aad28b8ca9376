"""Two models that somebody already has, declared in one file: what a user writes.

    from backends import pair

    @pair.side("tf2")
    def original():
        from reviews.model import build
        return pair.keras(build())

    @pair.side("torch")
    def port():
        from reviews.net import Net
        net = Net()
        optimizer = torch.optim.Adam(net.parameters())
        return pair.torch(net, optimizer, loss=lambda output, batch: loss_of(output, batch["y"]))

    @pair.data
    def data():
        from reviews.data import load
        x, y = load()
        return pair.arrays(x=x, y=y, batch=32)

The file is read by every interpreter that has a part in it, Python 3.7 among them, so frameworks
and the user's own package are imported inside its functions. Here are declarations only; the
adapters of each backend (`backends/<backend>/adapter`) make ports of them. Standard library only.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Optional, Tuple, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
#: What the decorators leave on a function: the name of a build; True.
SIDE, DATA = "__harness_side__", "__harness_data__"
#: Names of phases, for a training step that is one.
TRAIN = "train"


def side(build: str) -> Callable[[Function], Function]:
    """Mark a function without arguments as what makes one side: it returns `keras(...)`,
    `torch(...)` or `tf1(...)`.

    Args:
        build: whose interpreter runs it, as `harness list` names them, or one of `harness.toml`.

    Raises:
        TypeError: it is no name.
    """
    if not isinstance(build, str):
        raise TypeError(
            f'@pair.side({build!r}): give the name of a build, e.g. @pair.side("torch")'
        )

    def mark(function: Function) -> Function:
        setattr(function, SIDE, build)
        return function

    return mark


def data(function: Function) -> Function:
    """Mark the function without arguments that returns `arrays(...)`. It runs in the first side's
    interpreter."""
    setattr(function, DATA, True)
    return function


class Arrays:
    """What `arrays` returns.

    Attributes:
        rows: training rows by name. evaluation: inputs of inference by name. batch: rows a batch.
    """

    def __init__(
        self, rows: Mapping[str, Any], evaluation: Optional[Mapping[str, Any]], batch: int
    ) -> None:
        self.rows = dict(rows)
        self.evaluation = None if evaluation is None else dict(evaluation)
        self.batch = batch


def arrays(batch: int = 32, evaluation: Optional[Mapping[str, Any]] = None, **rows: Any) -> Arrays:
    """Return the data of a pair.

    Args:
        batch: rows of one training step.
        evaluation: inputs of inference, under the names that `rows` has them by; if not given, rows
            of training.
        rows: arrays by name, the first axis of each the rows, equally many. `x` and `y` are what a
            model without further instructions is called with and trained towards.
    """
    return Arrays(rows, evaluation, batch)


#: For `weights`: begin with the values that the objects have, which your own code has loaded.
OWN = "the objects' own values"


class Declared:
    """What one side is made of, as its function has declared it.

    Attributes:
        framework: keras, torch or tf1: which of the functions below has made it.
        models: by name; one model is named "".
        optimizers: by name; one optimizer is named "". Empty: the compiled one, or none.
        steps: by phase, what runs one training step on a batch.
        forward: what runs the model on a batch; None: the model itself, on `x`.
        loss: for torch, a function of output and batch, where there is no step.
        weights: path of a checkpoint to load; None: none. begins: whether the comparison begins
            with the very values that the side then has.
        graph: of tf1; with `feeds`, `losses`, `trains`, `product`, `training` as `tf1` has them.
    """

    def __init__(self, framework: str) -> None:
        self.framework = framework
        self.models: Dict[str, Any] = {}
        self.optimizers: Dict[str, Any] = {}
        self.steps: Dict[str, Callable[..., Any]] = {}
        self.forward: Optional[Callable[..., Any]] = None
        self.loss: Optional[Callable[..., Any]] = None
        self.weights: Optional[str] = None
        self.begins = False
        self.graph: Any = None
        self.feeds: Dict[str, Any] = {}
        self.losses: Dict[str, Any] = {}
        self.trains: Dict[str, Any] = {}
        self.product: Any = None
        self.training: Dict[Any, Tuple[Any, Any]] = {}


def keras(
    model: Any,
    optimizer: Any = None,
    step: Any = None,
    forward: Optional[Callable[..., Any]] = None,
    weights: Optional[str] = None,
) -> Declared:
    """Declare a side made of Keras models.

    Args:
        model: a `keras.Model`, or several by name.
        optimizer: one, or several by name; None: the one that the model was compiled with.
        step: a function of a batch (a dict of tensors by the names of the data) that runs one
            training step and returns the loss, or a dict of losses; several by phase, for a model
            whose step has several. None: `model.train_on_batch(batch["x"], batch["y"])`.
        forward: a function of a batch and of `training` that returns what the model gives. None:
            `model(batch["x"], training=training)`.
        weights: path of a checkpoint (.h5, .keras, .weights.h5, a TensorFlow checkpoint) to begin
            with; `OWN`: begin with what the model has; None: with other values, in their likeness.
    """
    declared = Declared("keras")
    declared.models = _named(model)
    declared.optimizers = {} if optimizer is None else _named(optimizer)
    declared.steps = {} if step is None else _named(step, TRAIN)
    declared.forward = forward
    return _beginning(declared, weights)


def torch(
    model: Any,
    optimizer: Any = None,
    step: Any = None,
    forward: Optional[Callable[..., Any]] = None,
    loss: Optional[Callable[..., Any]] = None,
    weights: Optional[str] = None,
) -> Declared:
    """Declare a side made of PyTorch modules.

    Args:
        model: an `nn.Module`, or several by name.
        optimizer: one, or several by name.
        step: a function of a batch (a dict of tensors by the names of the data) that runs one
            training step and returns the loss, or a dict of losses; several by phase. None: with
            `loss`, the usual one: zero the gradients, forward, loss, backward, step.
        forward: a function of a batch that returns what the model gives, in the mode that the
            module is in. None: `model(batch["x"])`.
        loss: a function of what `forward` returns and of the batch.
        weights: path of a state dict (.pt, .pth, .safetensors) to begin with; `OWN`: begin with
            what the module has; None: with other values, in their likeness.
    """
    declared = Declared("torch")
    declared.models = _named(model)
    declared.optimizers = {} if optimizer is None else _named(optimizer)
    declared.steps = {} if step is None else _named(step, TRAIN)
    declared.forward, declared.loss = forward, loss
    return _beginning(declared, weights)


def tf1(  # noqa: PLR0913, PLR0917  (what a user writes, by name)
    graph: Any,
    feeds: Mapping[str, Any],
    product: Any,
    loss: Any = None,
    train: Any = None,
    training: Optional[Mapping[Any, Tuple[Any, Any]]] = None,
    weights: Optional[str] = None,
) -> Declared:
    """Declare a side made of a TensorFlow 1 graph. Tensors and operations are given as such or by
    name.

    Args:
        graph: a `tf.Graph`; a function without arguments that builds into the graph it is called
            in, and may return a dict of tensors that the other arguments name by its keys; or the
            path of a MetaGraph (.meta) or of a SavedModel.
        feeds: the placeholder of each array of the data that is fed, by the array's name.
        product: the tensor that inference gives.
        loss: the loss, or one by phase.
        train: the operation that runs one update, or one by phase.
        training: what else is fed, as (value in training, value in inference), by placeholder:
            `{"is_training:0": (True, False), "keep_prob:0": (0.5, 1.0)}`.
        weights: prefix of a TensorFlow checkpoint to begin with; `OWN`: begin with what the graph's
            initializers, or the SavedModel, give; None: with other values, in their likeness.
    """
    declared = Declared("tf1")
    declared.graph, declared.feeds, declared.product = graph, dict(feeds), product
    declared.losses = {} if loss is None else _named(loss, TRAIN)
    declared.trains = {} if train is None else _named(train, TRAIN)
    declared.training = dict(training or {})
    return _beginning(declared, weights)


def _beginning(declared: Declared, weights: Optional[str]) -> Declared:
    """Return what is declared, to begin with the weights that are wanted."""
    declared.begins = weights is not None
    declared.weights = None if weights == OWN else weights
    return declared


def _named(value: Any, name: str = "") -> Dict[str, Any]:
    """Return several by name as they are, one under `name`."""
    return dict(value) if isinstance(value, Mapping) else {name: value}
