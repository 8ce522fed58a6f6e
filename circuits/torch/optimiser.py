"""Learning that multiplies: exponentiated gradients, for weights whose sign is given."""

import math

import torch
from torch import nn

from circuits.errors import UserError
from circuits.torch.dale import DaleSynapses

MOST = 1.0  # a step multiplies or divides by at most e


class ExponentiatedGradient(torch.optim.Optimizer):
    """w <- w exp(-lr g sign(w)), with g the gradient or, with `momentum`, its running mean.

    Signs never change, large weights change more than small ones, and weights stay sparse: a weight of 0 stays 0. For weights
    in the parametrisations "abs" and "clamp" (`magnitudes` lists them; give all else to another optimiser). The exponent is
    held between -1 and 1. Kivinen and Warmuth, Information and Computation 132, 1997; as a model of learning under Dale's law:
    Cornford et al., bioRxiv 2024.10.25.620272.
    """

    def __init__(self, params, lr: float = 0.1, momentum: float = 0.0):
        if not 0 < lr < math.inf:
            raise UserError(f"lr: a number above 0, not {lr!r}")
        if not 0 <= momentum < 1:
            raise UserError(f"momentum: from 0 to below 1, not {momentum!r}")
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        """Change all parameters that have a gradient; returns what the closure returns, which is called before."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                g = parameter.grad
                if group["momentum"]:
                    mean = self.state[parameter].setdefault("mean", torch.zeros_like(parameter))
                    g = mean.lerp_(g, 1 - group["momentum"])
                parameter.mul_((-group["lr"] * g * parameter.sign()).clamp(-MOST, MOST).exp())
        return loss


def magnitudes(module: nn.Module) -> list[nn.Parameter]:
    """The parameters behind the weights >= 0 of a module and all in it: synapses and projections."""
    found = [part.free for part in module.modules() if isinstance(part, DaleSynapses)]
    found += [p for part in module.modules() if isinstance(p := getattr(part, "projection", None), nn.Parameter)]
    return [parameter for parameter in found if parameter.requires_grad]
