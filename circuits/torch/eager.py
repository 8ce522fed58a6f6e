"""A cell's steps in plain tensor operations: for GPUs, for torch.compile, and as what the fused kernels are checked against."""

import torch

from circuits.neurons.lif_psc_exp import DRIVE, P21_E, P21_I, P22, RESET, THRESHOLD
from circuits.neurons.model import P11_E, P11_I
from circuits.torch.bounds import Bounds
from circuits.torch.state import State
from circuits.torch.surrogate import SURROGATES, Spike


def run(cell, x, state) -> tuple[torch.Tensor, State]:
    """Spikes of all neurons [steps, ..., neurons] and the next state; x is [steps, ..., channels]."""
    steps = len(x)
    surrogate_derivative = SURROGATES[cell.surrogate].tensor
    constants = cell.lif.constants()
    if constants.ndim == 3:  # copies with parameters of their own
        constants = constants[:, None]
    drive, p22, p11_e, p11_i, p21_e, p21_i, v_th, v_reset = (
        constants[..., column] for column in (DRIVE, P22, P11_E, P11_I, P21_E, P21_I, THRESHOLD, RESET)
    )
    excitation, inhibition = cell.excitatory.matrix(), cell.inhibitory.matrix()
    excitatory_taps = excitation.shape[-2]
    inputs = torch.cat([state.inputs, x])
    afferent = _afferent(cell.input, inputs, steps)
    v, i_e, i_i, refractory = state[:4]
    local = cell.credit == "local"
    rows = list((state.spikes.detach() if local else state.spikes).unbind())
    past = len(rows)
    bounds = None if cell.clip is None else Bounds(cell.clip)
    out = []
    for k in range(steps):
        # addcmul rounds once where the processor fuses it, as the kernel's fma does.
        v = torch.addcmul(torch.addcmul(torch.addcmul(drive, p21_i, i_i), p21_e, i_e), p22, v)
        i_e, i_i = p11_e * i_e, p11_i * i_i
        if afferent is not None:
            i_e = i_e + afferent[k]
        if past:
            arriving = torch.cat([rows[past + k - delay] for delay in cell.delays], -1).index_select(-1, cell.taps)
            i_e = i_e + arriving[..., :excitatory_taps] @ excitation
            i_i = i_i + arriving[..., excitatory_taps:] @ inhibition
        held = refractory > 0
        v = v if bounds is None else bounds.hold(v, k)
        spikes = Spike.apply(v, v_th, held, surrogate_derivative, cell.slope, cell.dampening)
        fired = spikes.detach() > 0
        v = torch.where(fired | held, v_reset, v)
        refractory = torch.where(fired, cell.lif.n_ref, (refractory - 1).clamp_(min=0))
        out.append(spikes)
        rows.append(spikes.detach() if local else spikes)
    raster = torch.stack(out) if steps else x.new_zeros(0, *v.shape)
    on_their_way = torch.stack((rows[:past] + out)[steps:]) if past else state.spikes
    if bounds is not None:
        raster, on_their_way, v, i_e, i_i = bounds.watch(raster, on_their_way, v, i_e, i_i)
    return raster, State(v, i_e, i_i, refractory, inputs[steps:], on_their_way)


def _afferent(synapses, inputs, steps):
    """Excitation from the input channels in each of the steps, [steps, ..., neurons]; `inputs` starts with the past."""
    if not synapses.delays or not synapses.sources:
        return None
    matrix, past, total = synapses.matrix(), len(inputs) - steps, 0
    channels = len(synapses.sources)
    for d, delay in enumerate(synapses.delays):
        total = total + inputs.narrow(0, past - delay, steps) @ matrix.narrow(-2, d * channels, channels)
    return total
