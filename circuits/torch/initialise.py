"""Initial values of training: projections that drive neurons by fluctuations, and balanced excitation and inhibition.

As in `torch.nn.init`, functions with a trailing underscore change their argument.
"""

import math

import torch

from circuits.errors import UserError
from circuits.neurons.lif_psc_exp import P21_E, P22, THRESHOLD
from circuits.neurons.model import P11_E
from circuits.torch.lif import INDEX
from circuits.torch.models import lif

MIN_DISTANCE = 1.0  # mV, from the bias to the threshold


@torch.no_grad()
def drive_(layer, rate_hz: float = 20.0, deviations: float = 2.0) -> None:
    """Draw the projection of a `MotifLayer` so that its input drives the neurons by fluctuations.

    Poisson trains of `rate_hz` as input bring the potential of the median neuron behind the channels to threshold at its mean
    plus `deviations` standard deviations. Weights are drawn from an exponential distribution: non-negative, many small and few
    large ones. Mean and deviation of the potential are those of shot noise through the filter of the neuron, without
    recurrence (the idea of Rossbroich, Gygax and Zenke, Neuromorphic Computing and Engineering 2, 2022, also for projections
    that only excite). In a signed projection half of the weights are negative and the mean is 0.

    Parameters
    ----------
    layer : MotifLayer
        The layer, changed in place.
    rate_hz : float
        Firing rate of an input line in Hz.
    deviations : float
        Number of standard deviations.

    Raises
    ------
    circuits.errors.UserError
        For a rate that is not above 0.

    Examples
    --------
    >>> import circuits
    >>> from circuits.torch import MotifLayer, drive_
    >>> drive_(MotifLayer(circuits.zoo["onset-2"], copies=4, in_features=10), rate_hz=50)
    """
    if not (isinstance(rate_hz, (int, float)) and 0 < rate_hz < math.inf):
        raise UserError(f"rate_hz: a number above 0, not {rate_hz!r}")
    cell, features = layer.cell, layer.in_features
    chance = min(1.0, rate_hz * cell.motif.dt_ms / 1000)
    values, form = cell.lif.now(), cell.lif.form
    if form.linear:
        table = cell.lif.constants().double()
    else:  # a weight is the current at threshold in all models
        table = torch.stack(lif.columns(dict(zip(form.model.names, values.unbind(-1), strict=True)), cell.motif.dt_ms), -1)
    p11, p22, p21 = table[..., P11_E], table[..., P22], table[..., P21_E]
    area = p21 / ((1 - p11) * (1 - p22))
    square = p21.square() * (1 + p11 * p22) / ((1 - p11.square()) * (1 - p22.square()) * (1 - p11 * p22))
    bias = values[..., INDEX["bias_mv"]]
    distance = (table[..., THRESHOLD] - bias).clamp(min=MIN_DISTANCE)
    weight = cell.input.weight.double()
    zero = weight.new_zeros(*weight.shape[:-1], cell.neurons)
    target = cell.input.target.expand(weight.shape)
    once, squared = zero.scatter_add(-1, target, weight), zero.scatter_add(-1, target, weight.square())
    if layer.signed:
        mean, variance = zero, features * 2 * squared * chance * square
    else:
        mean = features * chance * once * area
        variance = features * ((squared + once.square()) * chance - once.square() * chance**2) * square
    scales = (distance / (mean + deviations * variance.sqrt()))[once > 0]
    scale = scales.median().item() if len(scales) else 1.0
    weight = scale * torch.empty_like(layer.projection).exponential_()
    layer.set_projection(weight * torch.randint_like(weight, 2).mul(2).sub(1) if layer.signed else weight)


@torch.no_grad()
def balance_(cell) -> None:
    """Scale the inhibitory weights of a `MotifCell` to balance excitation.

    Every neuron that receives both signs gets as much charge from either (weight times synaptic time constant) if all sources
    fire at one rate: means cancel, fluctuations remain.

    Parameters
    ----------
    cell : MotifCell
        The cell, changed in place.

    Examples
    --------
    >>> import circuits
    >>> from circuits.torch import MotifCell, balance_
    >>> balance_(MotifCell(circuits.zoo["onset-2"]))
    """
    values = cell.lif.now()
    tau_e, tau_i = values[..., INDEX["tau_syn_e_ms"]], values[..., INDEX["tau_syn_i_ms"]]

    def charge(kind, tau):
        weight = kind.weight.double()
        zero = weight.new_zeros(*weight.shape[:-1], cell.neurons)
        return zero.scatter_add(-1, kind.target.expand(weight.shape), weight) * tau

    excites = charge(cell.input, tau_e) + charge(cell.excitatory, tau_e)
    inhibits = charge(cell.inhibitory, tau_i)
    factor = torch.where((excites > 0) & (inhibits > 0), excites / inhibits, 1.0)
    cell.inhibitory.set_weight(cell.inhibitory.weight * factor.index_select(-1, cell.inhibitory.target))


@torch.no_grad()
def spread_(cell, sigma: float) -> None:
    """Multiply every weight of a `MotifCell` by a log-normal number of median 1, so that copies differ.

    Parameters
    ----------
    cell : MotifCell
        The cell, changed in place.
    sigma : float
        Standard deviation of the logarithm.

    Examples
    --------
    >>> import circuits
    >>> from circuits.torch import MotifCell, spread_
    >>> spread_(MotifCell(circuits.zoo["onset-2"], copies=4), 0.1)
    """
    for kind in (cell.input, cell.excitatory, cell.inhibitory):
        kind.set_weight(kind.weight * torch.randn_like(kind.weight).mul(sigma).exp())
