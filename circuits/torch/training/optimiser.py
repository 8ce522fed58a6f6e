"""Exponentiated gradients: multiplicative learning of weights of fixed sign."""

import math

import torch
from torch import nn

from circuits.errors import UserError
from circuits.torch.dale import DaleSynapses

MAX_EXPONENT = 1.0  # a step multiplies or divides by at most e


class ExponentiatedGradient(torch.optim.Optimizer):
    """Optimiser that multiplies weights: w <- w exp(-lr g sign(w)).

    g is the gradient or, with `momentum`, its running mean; the exponent is clipped to -1 to 1. Signs never change, large
    weights change more than small ones, and a weight of 0 stays 0. For weights in the parametrisations "abs" and "clamp", which
    `magnitudes` lists; give all other parameters to another optimiser. Sources: Kivinen and Warmuth, Information and
    Computation 132, 1997; as a model of learning under Dale's law Cornford et al., bioRxiv 2024.10.25.620272.

    Parameters
    ----------
    params : iterable of torch.nn.Parameter
        The parameters.
    lr : float
        Learning rate.
    momentum : float
        Decay of the running mean of the gradient, from 0 to below 1.

    Raises
    ------
    circuits.errors.UserError
        For a learning rate or momentum out of range.

    Examples
    --------
    >>> import circuits
    >>> from circuits.torch import ExponentiatedGradient, MotifCell, magnitudes
    >>> optimiser = ExponentiatedGradient(magnitudes(MotifCell(circuits.zoo["onset-2"])), lr=0.1)
    """

    def __init__(self, params, lr: float = 0.1, momentum: float = 0.0):
        if not 0 < lr < math.inf:
            raise UserError(f"lr: a number above 0, not {lr!r}")
        if not 0 <= momentum < 1:
            raise UserError(f"momentum: from 0 to below 1, not {momentum!r}")
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        """Change all parameters that have a gradient.

        Parameters
        ----------
        closure : callable, optional
            Called before, with gradients enabled, to compute the loss.

        Returns
        -------
        object
            The result of the closure.
        """
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
                parameter.mul_((-group["lr"] * g * parameter.sign()).clamp(-MAX_EXPONENT, MAX_EXPONENT).exp())
        return loss


def magnitudes(module: nn.Module) -> list[nn.Parameter]:
    """The parameters behind the weights >= 0 of a module: synapses and projections.

    Parameters
    ----------
    module : torch.nn.Module
        The module, with all modules in it.

    Returns
    -------
    list of torch.nn.Parameter
        Those that are trainable.

    Examples
    --------
    >>> import circuits
    >>> from circuits.torch import MotifCell, magnitudes
    >>> len(magnitudes(MotifCell(circuits.zoo["onset-2"])))
    3
    """
    parameters = [part.free for part in module.modules() if isinstance(part, DaleSynapses)]
    parameters += [p for part in module.modules() if isinstance(p := getattr(part, "projection", None), nn.Parameter)]
    return [parameter for parameter in parameters if parameter.requires_grad]
