"""What a cell carries from one step to the next."""

from typing import NamedTuple

import torch


class State(NamedTuple):
    """Real tensors; `...` is batch, or copies and batch.

    v           [..., neurons]: potential above v_rest, mV
    i_e, i_i    [..., neurons]: synaptic currents, mV
    refractory  int32 [..., neurons]: steps still to be held at v_reset
    inputs      [longest input delay, ..., channels]: what is still on its way, oldest first
    spikes      [longest delay, ..., neurons]: the same between neurons, 0 and 1
    """

    v: torch.Tensor
    i_e: torch.Tensor
    i_i: torch.Tensor
    refractory: torch.Tensor
    inputs: torch.Tensor
    spikes: torch.Tensor

    def detach(self) -> "State":
        """The same state without its past: gradients stop here (truncated backpropagation through time)."""
        return State(*(tensor.detach() for tensor in self))
