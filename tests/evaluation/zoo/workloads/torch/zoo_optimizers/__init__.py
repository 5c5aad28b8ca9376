"""`zoo_optimizers` on torch; `updating` builds the optimizer of each phase, `optimizers` holds
those that torch does not have."""

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import DENSE, TorchPort, dtype_label

from .updating import SPARSE, UPDATERS


class Regressor(nn.Module):
    """Two layers."""

    def __init__(self, features, units):
        super().__init__()
        self.hidden = nn.Linear(features, units)
        self.output = nn.Linear(units, 1, bias=False)

    def hide(self, arrays):
        """Return the hidden layer [batch, units]."""
        return torch.tanh(self.hidden(arrays["x"]))

    def forward(self, arrays):
        """Return the prediction [batch, 1]."""
        return self.output(self.hide(arrays)).to(arrays["x"].dtype)


class Table(nn.Embedding):
    """An embedding of the group, and its sum."""

    def forward(self, arrays):
        """Return the prediction [batch, 1]."""
        return torch.tanh(super().forward(arrays["group"])).sum(1, keepdim=True)


class Port(TorchPort):
    """Regressors, one for each optimizer."""

    def __init__(self, config, setting):
        self.LAYOUT = {"guarded/slack": ("slack", None)}
        for name in config["networks"]:
            self.LAYOUT[name + "/hidden/kernel"] = (f"networks.{name}.hidden.weight", DENSE)
            self.LAYOUT[name + "/hidden/bias"] = (f"networks.{name}.hidden.bias", None)
            self.LAYOUT[name + "/output/kernel"] = (f"networks.{name}.output.weight", DENSE)
        for name in config["tables"]:
            self.LAYOUT[name + "/embeddings"] = (f"networks.{name}.weight", None)
        super().__init__(config, setting)

    def build(self):
        """Return all regressors and the slack variable."""
        config, model = self.config, nn.Module()
        found = {
            name: Regressor(config["features"], config["units"]) for name in config["networks"]
        }
        found.update(
            {
                name: Table(config["groups"], config["units"], sparse=SPARSE[name])
                for name in config["tables"]
            }
        )
        model.networks, model.slack = nn.ModuleDict(found), nn.Parameter(torch.zeros(1))
        return model

    def _build_updaters(self, precision):
        """Build the updater of each phase."""
        self.updates, self.updaters = {}, {}
        for update in self.config["updates"]:
            phase, names = update["phase"], update["parameters"]
            self.updaters[phase] = UPDATERS[phase](
                self.config, {name: self.trainable[name] for name in names}
            )
            self.updates[phase] = (self.updaters[phase], names)

    def activations(self, arrays, noise):
        """Return hidden layers, the slack variable, what each regressor predicts, and the sum of
        that."""
        with self.precision():
            found = {
                name + "/hidden": self.model.networks[name].hide(arrays)
                for name in self.config["networks"]
            }
            predictions = {name: network(arrays) for name, network in self.model.networks.items()}
        return dict(found, slack=self.model.slack, sum=sum(predictions.values()), **predictions)

    def _products(self, arrays, noise):
        return self.activations(arrays, noise)["sum"]

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error; where the optimizer is guarded, with the slack variable
        before a steep barrier."""
        owner = self.updates[phase][1][0].split("/")[0]
        with self.precision():
            prediction = self.model.networks[owner](arrays)
        mse = functional.mse_loss(prediction, arrays["y"])
        if phase != "guarded":
            return {"total": mse}
        slack = self.model.slack.sum()
        return {
            "mse": mse,
            "total": (
                mse + slack + self.config["barrier"][dtype_label(slack)] * functional.relu(-slack)
            ),
        }

    def array(self, tensor):
        """Return a tensor as an array; the sparse gradient of a table as the whole table."""
        return super().array(tensor.to_dense() if tensor.is_sparse else tensor)
