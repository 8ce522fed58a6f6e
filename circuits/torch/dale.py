"""Synapses that obey Dale's law under any optimiser: weights are positive functions of free parameters, signs are fixed. Only
the parametrisation "signed" leaves signs free."""

import numpy as np
import torch
from torch import nn

from circuits.torch.finite import Finite
from circuits.torch.positive import WEIGHTS, Between
from circuits.torch.wiring import Wires


class DaleSynapses(nn.Module):
    """The synapses of one kind: all from input channels, all excitatory, or all inhibitory.

    name     of the kind, for messages;   sign  +1 or -1;   neurons  number of possible targets
    copies   None, or the length of a leading axis of independent parameters
    longest  None: delays are fixed; or they are trained, between 1 and this many steps
    sources  possible sources, the rows of `matrix`; by default the sources of the synapses
    keys     synapses with the same key share parameters; None: none do
    plastic  indices of synapses with short-term plasticity, which `matrix` leaves out
    """

    source: torch.Tensor
    target: torch.Tensor
    delay: torch.Tensor
    rank: torch.Tensor
    flat_index: torch.Tensor
    part: torch.Tensor | None
    static: torch.Tensor | None

    def __init__(
        self,
        name,
        wires: Wires,
        sign,
        neurons,
        parametrisation,
        copies,
        dtype,
        longest=None,
        sources=None,
        keys=None,
        plastic=(),
    ):
        super().__init__()
        self.name, self.sign, self.neurons, self.longest = name, sign, neurons, longest
        self._positive, self._free = WEIGHTS[parametrisation]
        self._first, part = parts(keys)

        def parameter(values):
            values = (values if self._first is None else values[self._first]).to(dtype)
            return nn.Parameter(values if copies is None else values.repeat(copies, 1))

        self.free = parameter(self._free(torch.tensor(wires.weight)))
        self.free_delay = None if longest is None else parameter(torch.tensor(wires.delay))
        self.sources = np.unique(wires.source).tolist() if sources is None else list(sources)
        self.delays = np.unique(wires.delay).tolist() if longest is None else list(range(1, longest + 1))
        rank = np.searchsorted(self.sources, wires.source)
        for buffer, values in (("source", wires.source), ("target", wires.target), ("delay", wires.delay), ("rank", rank)):
            self.register_buffer(buffer, torch.tensor(values), persistent=False)
        self.register_buffer("part", part, persistent=False)
        static = torch.ones(len(wires.source), dtype=torch.bool)
        static[list(plastic)] = False
        self.register_buffer("static", static if len(plastic) else None, persistent=False)
        self.register_buffer("flat_index", self._flat_index(self.delay, 1), persistent=False)
        self.share: torch.Tensor | None = None  # of each weight, the fraction that arrives in a step, where not all of it does

    @property
    def weight(self):
        """Weights in mV, >= 0 unless signed: [synapses], or [copies, synapses]."""
        return of_parts(self._positive(self.free), self.part)

    @torch.no_grad()
    def set_weight(self, weight):
        """Set the weights, [synapses] or [copies, synapses]; of synapses that share a parameter, the first decides."""
        free = self._free(weight.double())
        self.free.copy_(free if self._first is None else free[..., self._first])

    @property
    def delay_steps(self):
        """Delays in steps, real-valued where trained: [synapses], or [copies, synapses]."""
        if self.free_delay is None:
            return self.delay
        return of_parts(Between.apply(self.free_delay, 1, self.longest), self.part)

    def taps(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Signed weights and whole delays, [..., taps] both.

        A tap is a synapse. While delays are trained, a synapse has two: a spike arrives in parts in the two steps around the
        delay, so that the delay has a gradient. In eval mode delays are rounded.
        """
        signed = Finite.apply(self.sign * self.weight, f"the {self.name} weights")
        signed = signed if self.share is None else signed * self.share
        if self.free_delay is None:
            return signed, self.delay
        delay = self.delay_steps
        if not self.training:
            return signed, delay.round().long()
        early = delay.detach().floor().clamp(1, max(1, self.longest - 1))
        fraction = delay - early
        return torch.cat([signed * (1 - fraction), signed * fraction], -1), torch.cat([early, early + 1], -1).long()

    def matrix(self):
        """Signed weights, real [..., delays * sources, neurons]; parallel synapses add up."""
        signed, delay = self.taps()
        index = self.flat_index
        if self.free_delay is not None:
            index = self._flat_index(delay, signed.shape[-1] // max(1, len(self.rank)))
        rows = len(self.delays) * len(self.sources)
        signed = signed if self.static is None else torch.where(self.static, signed, 0)
        flat = signed.new_zeros(*signed.shape[:-1], rows * self.neurons)
        return flat.scatter_add(-1, index.expand(signed.shape), signed).unflatten(-1, (rows, self.neurons))

    def _flat_index(self, delay, taps):
        """Index of each tap in the flat matrix: `taps` for each synapse."""
        row = torch.searchsorted(torch.tensor(self.delays, device=delay.device), delay)
        return (row * len(self.sources) + self.rank.repeat(taps)) * self.neurons + self.target.repeat(taps)


def parts(keys) -> tuple[list[int] | None, torch.Tensor | None]:
    """Group elements by key: the first element of each group, and the group of each element. Without keys, None."""
    if keys is None:
        return None, None
    number = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    part = [number[key] for key in keys]
    return [part.index(k) for k in range(len(number))], torch.tensor(part, dtype=torch.int64)


def of_parts(values, part):
    """Values of groups, [..., groups], expanded to their elements; `part` None: values are already one per element."""
    return values if part is None else values.index_select(-1, part)
