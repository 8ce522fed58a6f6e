"""Synapses with short-term plasticity in tensor operations: `circuits.synapses.short_term`."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from circuits.circuit import Circuit
from circuits.synapses import MODELS
from circuits.torch.finite import Finite
from circuits.torch.wiring import by_sign


def short_term_of(motif: Circuit) -> tuple[list, list, list]:
    """The section short_term of each synapse, or None, by kind: from input channels, excitatory, inhibitory."""
    of_inputs = [s.short_term for channel in motif.inputs for s in channel.synapses]
    return of_inputs, *by_sign(motif, [s.short_term for s in motif.synapses])


class ShortTermSynapses(nn.Module):
    """The synapses of one kind with short-term plasticity.

    kind      `DaleSynapses`;   sections  of each of its synapses `circuits.synapses.ShortTerm`, or None
    A spike is 0 or 1. Another input x is transmitted as x simultaneous spikes, which deplete as much as min(x, 1) spikes.
    """

    which: torch.Tensor
    taps: torch.Tensor
    constants: torch.Tensor

    def __init__(self, kind, sections, dt_ms: float, dtype):
        super().__init__()
        self.dt_ms = dt_ms
        self.of_motif = np.array([[getattr(s, n) for n in MODELS["short_term"].parameters] for s in sections if s], "f8")
        which = torch.tensor([k for k, section in enumerate(sections) if section], dtype=torch.int64)
        self.register_buffer("which", which, persistent=False)
        self.size = len(which)
        delay, source = kind.delay[which], kind.source[which]
        self.delays = delay.unique().tolist()
        row = torch.searchsorted(torch.tensor(self.delays), delay)
        self.columns = len(kind.sources) if kind.name == "input" else kind.neurons
        self.register_buffer("taps", row * self.columns + source, persistent=False)
        self.register_buffer("constants", torch.zeros(3, len(which), dtype=dtype), persistent=False)
        self._round()

    def _round(self):
        model = MODELS["short_term"]
        parameters = dict(zip(model.parameters, self.of_motif.T, strict=True))
        self.constants.copy_(torch.tensor(np.array(model.constants(SimpleNamespace(**parameters), self.dt_ms))))

    def _apply(self, fn, recurse=True):
        super()._apply(fn, recurse)
        self._round()  # from float64, whatever the earlier conversions
        return self

    def weights(self, kind):
        """Signed weights, [synapses], or [copies, 1, synapses] where copies have their own."""
        weight = Finite.apply(kind.sign * kind.weight, f"the {kind.name} weights").index_select(-1, self.which)
        return weight if weight.ndim == 1 else weight[:, None]

    def arrivals(self, rows, past: int, step: int):
        """Arrivals of a step, [..., synapses]; `rows`, of sources, begin `past` steps earlier."""
        return torch.cat([rows[past + step - delay] for delay in self.delays], -1).index_select(-1, self.taps)

    def arrive(self, weights, target, arriving, state, current):
        """The state (u, 1 - x), each [..., synapses], and the current [..., neurons], after the arrivals of a step."""
        use, decay_fac, decay_rec = self.constants
        u, depleted = decay_fac * state[0], decay_rec * state[1]
        u_after = torch.addcmul(u, use, 1 - u)
        released = u_after * (1 - depleted)
        spike = arriving.clamp(0, 1)
        state = torch.lerp(u, u_after, spike), torch.addcmul(depleted, spike, released)
        return state, current.index_add(-1, target[self.which], weights * released * arriving)
