"""A cell's steps in plain tensor operations: for all models, GPUs and torch.compile, and as reference for the fused kernels."""

import torch

from circuits.neurons.model import P11_E, P11_I
from circuits.torch.bounds import Bounds
from circuits.torch.state import State
from circuits.torch.surrogate import SURROGATES, Spike


def run(cell, x, state, watch=None) -> tuple[torch.Tensor, State]:
    """Spikes of all neurons [steps, ..., neurons] and the next state; x is [steps, ..., channels].

    watch  called in each step with (surrogate slope of the spikes, is the potential reset?), both [..., neurons]
    """
    steps, form, local = len(x), cell.lif.form, cell.credit == "local"
    surrogate_derivative = SURROGATES[cell.surrogate].tensor
    constants = cell.lif.constants()
    if constants.ndim == 3:  # copies with parameters of their own
        constants = constants[:, None]
    c = constants.unbind(-1)
    v_reset = c[form.reset]
    excitation, inhibition = cell.excitatory.matrix(), cell.inhibitory.matrix()
    excitatory_taps = excitation.shape[-2]
    inputs = torch.cat([state.inputs, x])
    afferent = _afferent(cell.input, inputs, steps)
    v, i_e, i_i, refractory = state[:4]
    further = () if state.further is None else tuple(state.further.unbind())
    plastic = _Plastic(cell, inputs, state) if cell.plastic else None
    rows = list((state.spikes.detach() if local else state.spikes).unbind())
    past, out = len(rows), []
    bounds = None if cell.clip is None else Bounds(cell.clip)
    for k in range(steps):
        is_refractory = refractory > 0

        slopes: list[torch.Tensor] = []

        def fire(v, threshold, k=k, is_refractory=is_refractory, slopes=slopes):
            if watch is not None:
                slope = cell.dampening * surrogate_derivative(v - threshold, cell.slope)
                slopes.append(torch.where(is_refractory, 0, slope))
            v = v if bounds is None else bounds.hold(v, k)
            return v, Spike.apply(v, threshold, is_refractory, surrogate_derivative, cell.slope, cell.dampening)

        v, further, spikes = form.step(c, v, i_e, i_i, further, fire)
        i_e, i_i = c[P11_E] * i_e, c[P11_I] * i_i
        if afferent is not None:
            i_e = i_e + afferent[k]
        if past:
            incoming = torch.cat([rows[past + k - delay] for delay in cell.delays], -1).index_select(-1, cell.taps)
            i_e = i_e + incoming[..., :excitatory_taps] @ excitation
            i_i = i_i + incoming[..., excitatory_taps:] @ inhibition
        if plastic is not None:
            i_e, i_i = plastic.arrive(rows, past, k, i_e, i_i)
        fired = spikes.detach() > 0
        if watch is not None:
            watch((slopes[0], fired | is_refractory))
        v = torch.where(fired | is_refractory, v_reset, v)
        refractory = torch.where(fired, cell.lif.n_ref, (refractory - 1).clamp_(min=0))
        out.append(spikes)
        rows.append(spikes.detach() if local else spikes)
    raster = torch.stack(out) if steps else x.new_zeros(0, *v.shape)
    in_transit = torch.stack((list(state.spikes.unbind()) + out)[steps:]) if past else state.spikes
    if bounds is not None:
        raster, in_transit, v, i_e, i_i = bounds.watch(raster, in_transit, v, i_e, i_i)
    after = torch.stack(further) if further else None
    short_term = None if plastic is None else plastic.state()
    return raster, State(v, i_e, i_i, refractory, inputs[steps:], in_transit, after, short_term)


def _afferent(synapses, inputs, steps):
    """Excitation by the input channels in each step, [steps, ..., neurons]; `inputs` starts with past steps."""
    if not synapses.delays or not synapses.sources:
        return None
    matrix, past, total = synapses.matrix(), len(inputs) - steps, 0
    channels = len(synapses.sources)
    for d, delay in enumerate(synapses.delays):
        total = total + inputs.narrow(0, past - delay, steps) @ matrix.narrow(-2, d * channels, channels)
    return total


class _Plastic:
    """A cell's synapses with short-term plasticity during a run."""

    def __init__(self, cell, inputs, state):
        self.cell, self.inputs, self.past = cell, inputs, len(state.inputs)
        self.weights = {name: part.weights(getattr(cell, name)) for name, part in cell.plastic.items()}
        sizes = [len(part.which) for part in cell.plastic.values()]
        self.states = {
            name: tuple(part.unbind()) for name, part in zip(cell.plastic, state.short_term.split(sizes, -1), strict=True)
        }

    def arrive(self, rows, past, k, i_e, i_i):
        """The currents after the arrivals of step k."""
        for name, part in self.cell.plastic.items():
            arriving = part.arrivals(self.inputs, self.past, k) if name == "input" else part.arrivals(rows, past, k)
            target = getattr(self.cell, name).target
            current = i_i if name == "inhibitory" else i_e
            self.states[name], current = part.arrive(self.weights[name], target, arriving, self.states[name], current)
            i_e, i_i = (i_e, current) if name == "inhibitory" else (current, i_i)
        return i_e, i_i

    def state(self):
        return torch.stack([torch.cat(parts, -1) for parts in zip(*self.states.values(), strict=True)])
