"""A cell's steps by the fused kernels, with conversion between the module's and the kernels' layout."""

import numpy as np
import torch
from torch.nn import functional

from circuits.numerics.simd import LANES
from circuits.torch.fused.autograd import Plan, Run, words
from circuits.torch.fused.backward import Credit
from circuits.torch.fused.lists import lists_of
from circuits.torch.state import State
from circuits.torch.surrogate import SURROGATES


def run(cell, x, state, read: np.ndarray) -> tuple[torch.Tensor, State]:
    """Spikes of the neurons `read` [steps, ..., slots] and the next state; x is [steps, ..., channels], state may be None.

    The kernels need time and batch last in memory, [..., channels, steps, batch]: an input that is a view of such is not
    copied.
    """
    batch = x.shape[-2]
    pad = -batch % LANES
    past_x = past_spikes = start = None
    refractory = None
    if state is not None:
        further = () if state.further is None else state.further.unbind()
        start = torch.stack([_columns(tensor[None], cell, pad)[:, :, 0] for tensor in (*state[:3], *further)])
        past_x = _columns(state.inputs, cell, pad) if len(state.inputs) else None
        before = state.spikes.detach() if cell.credit == "local" else state.spikes
        past_spikes = _columns(before, cell, pad) if len(before) else None
        refractory = _columns(state.refractory[None], cell, pad)
    weight, delay, taps = _synapses(cell)
    table = cell.lif.constants()
    plan = Plan(
        model=cell.motif.model.kind,
        lists=lists_for(cell, taps),
        delay=delay,
        batch=batch,
        history=max(cell.longest, cell.longest_input, 1),
        read=read,
        expiry=_expiry(cell, refractory, batch + pad),
        kind=SURROGATES[cell.surrogate].kind(_scalar(x.dtype, cell.slope)),
        credit=Credit(
            dampening=_scalar(x.dtype, cell.dampening),
            clip=_scalar(x.dtype, np.inf if cell.clip is None else cell.clip),
            local=int(cell.credit == "local"),
        ),
        times=cell.lif.times,
    )
    table = table if table.ndim == 3 else table[None]
    spikes, tail, final, held = Run.apply(_columns(x, cell, pad), weight, table, start, past_x, past_spikes, plan)
    before = (None, None) if state is None else (state.inputs, state.spikes)
    v, i_e, i_i, *further, refractory = (_rows(tensor[:, :, None], cell, batch)[0] for tensor in (*final.unbind(), held))
    inputs = _last(cell.longest_input, before[0], x, cell.channels)
    in_transit = _last(cell.longest, before[1], _rows(tail, cell, batch), cell.neurons)
    next_state = State(v, i_e, i_i, refractory, inputs, in_transit, torch.stack(further) if further else None)
    return (spikes.transpose(1, 2) if cell.copies else spikes[:, :, 0]), next_state


def lists_for(cell, taps: tuple[int, ...]):
    """The kernels' lists of a cell, cached; taps: their number per synapse, by kind."""
    if taps not in cell.lists:
        kinds = (cell.input, cell.excitatory, cell.inhibitory)

        def joined(name):
            return np.concatenate([np.tile(getattr(kind, name).numpy(), n) for kind, n in zip(kinds, taps, strict=True)])

        weight = np.concatenate([np.tile(wires.weight, n) for wires, n in zip(cell.wires, taps, strict=True)])
        which = np.repeat([0, 1, 2], [len(kind.source) * n for kind, n in zip(kinds, taps, strict=True)])
        arrays = joined("source"), joined("target"), joined("delay"), weight, which
        cell.lists[taps] = lists_of(*arrays, cell.neurons, cell.channels, cell.lif.n_ref.numpy())
    return cell.lists[taps]


def _synapses(cell):
    """Signed weights [1 | G, taps], delays, int64 array [1 | G, taps], and the number of taps per synapse of each kind."""
    kinds = (cell.input, cell.excitatory, cell.inhibitory)
    weights, delays = zip(*(kind.taps() for kind in kinds), strict=True)
    taps = tuple(weight.shape[-1] // max(1, len(kind.source)) for weight, kind in zip(weights, kinds, strict=True))
    weight = torch.cat(weights, -1)
    delay = torch.cat([delay.expand(weight.shape[:-1] + delay.shape[-1:]) for delay in delays], -1)
    return torch.atleast_2d(weight), torch.atleast_2d(delay).numpy(), taps


def _expiry(cell, refractory, lanes):
    """`Job.expiry`, from counters int32 [G, neurons, 1, B] or None."""
    steps = 0 if refractory is None else int(refractory.max().item() if refractory.numel() else 0)
    if steps == 0:
        return np.zeros((1, lanes // LANES, 0, cell.neurons), "u8")
    masks = words(refractory == torch.arange(steps + 1, dtype=torch.int32)[:, None])
    return np.ascontiguousarray(masks.transpose(0, 3, 2, 1))


def _columns(tensor, cell, pad):
    """[rows, ..., columns] -> [G, columns, rows, B], B padded to whole blocks."""
    tensor = tensor if cell.copies else tensor[:, None]
    tensor = tensor.permute(1, 3, 0, 2)
    return functional.pad(tensor, (0, pad)) if pad else tensor


def _rows(tensor, cell, batch):
    """[G, columns, rows, B] -> [rows, ..., columns]."""
    tensor = tensor[..., :batch].permute(2, 0, 3, 1)
    return tensor if cell.copies else tensor[:, 0]


def _last(rows, before, after, columns):
    """The last rows of two concatenated tensors [rows, ..., columns]; None is silence."""
    if len(after) >= rows:
        return after[len(after) - rows :]
    missing = rows - len(after)
    before = after.new_zeros(missing, *after.shape[1:-1], columns) if before is None else before[len(before) - missing :]
    return torch.cat([before, after])


def _scalar(dtype, number):
    return np.float32(number) if dtype == torch.float32 else np.float64(number)
