"""The optimizers of TensorFlow that torch does not have, in torch's own style."""

import math

import torch


class Adam(torch.optim.Optimizer):
    """Adam with epsilon beside the root of the uncorrected second moment, and decoupled weight
    decay, as in Keras."""

    def __init__(self, params, lr, betas, eps, weight_decay=0.0):
        super().__init__(
            params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        )

    @torch.no_grad()
    def step(self):
        """Run one update."""
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                grad = p.grad
                state = self.state[p]
                if not state:
                    state["step"] = 0
                    state["exp_avg"] = torch.zeros_like(grad)
                    state["exp_avg_sq"] = torch.zeros_like(grad)
                exp_avg, exp_avg_sq = state["exp_avg"], state["exp_avg_sq"]
                state["step"] += 1
                p.mul_(1 - group["lr"] * group["weight_decay"])
                exp_avg.mul_(beta1).add_(grad, alpha=1 - beta1)
                exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
                bias_correction1 = 1 - beta1 ** state["step"]
                bias_correction2 = 1 - beta2 ** state["step"]
                denom = exp_avg_sq.sqrt().add_(group["eps"])
                step_size = group["lr"] * math.sqrt(bias_correction2) / bias_correction1
                p.sub_(step_size * exp_avg / denom)


class RMSprop(torch.optim.Optimizer):
    """RMSprop as in TF1: the mean square begins at 1, epsilon is inside the root, the rate
    inside the momentum."""

    def __init__(self, params, lr, alpha, momentum, eps):
        super().__init__(params, {"lr": lr, "alpha": alpha, "momentum": momentum, "eps": eps})

    @torch.no_grad()
    def step(self):
        """Run one update."""
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["square_avg"] = torch.ones_like(p)
                    state["momentum_buffer"] = torch.zeros_like(p)
                square_avg, buf = state["square_avg"], state["momentum_buffer"]
                square_avg.mul_(group["alpha"]).addcmul_(p.grad, p.grad, value=1 - group["alpha"])
                avg = square_avg.add(group["eps"]).sqrt_()
                buf.mul_(group["momentum"]).addcdiv_(p.grad, avg, value=group["lr"])
                p.sub_(buf)


class RowMomentum(torch.optim.Optimizer):
    """Momentum for sparse gradients as in TF1: rows without a gradient stay, and so does their
    momentum."""

    def __init__(self, params, lr, momentum):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self):
        """Run one update."""
        for group in self.param_groups:
            for p in group["params"]:
                grad = p.grad.coalesce()
                buf = self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
                rows = grad.indices()[0]
                buf[rows] = group["momentum"] * buf[rows] + grad.values()
                p[rows] -= group["lr"] * buf[rows]
