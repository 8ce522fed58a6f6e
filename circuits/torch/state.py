"""State of a cell, carried from one step to the next."""

from typing import NamedTuple

import torch


class State(NamedTuple):
    """State of a cell between two steps: tensors whose leading axes `...` are batch, or copies and batch.

    Parameters
    ----------
    v : torch.Tensor
        Membrane potential above v_rest in mV, [..., neurons].
    i_e, i_i : torch.Tensor
        Synaptic currents in mV, [..., neurons].
    refractory : torch.Tensor
        Remaining refractory steps, int32 [..., neurons].
    inputs : torch.Tensor
        Input in transit, oldest first, [longest input delay, ..., channels].
    spikes : torch.Tensor
        Spikes in transit between neurons, 0 and 1, [longest delay, ..., neurons].

    further : torch.Tensor, optional
        Further states of the neuron model in its order (of "alif_psc_exp" w and theta), [states, ..., neurons].
    short_term : torch.Tensor, optional
        Utilisation u and depletion 1 - x of synapses with short-term plasticity, [2, ..., synapses].

    Examples
    --------
    >>> import circuits
    >>> from circuits.torch import MotifCell
    >>> MotifCell(circuits.zoo["onset-2"]).init_state(batch=3).v.shape
    torch.Size([3, 2])
    """

    v: torch.Tensor
    i_e: torch.Tensor
    i_i: torch.Tensor
    refractory: torch.Tensor
    inputs: torch.Tensor
    spikes: torch.Tensor
    further: torch.Tensor | None = None
    short_term: torch.Tensor | None = None

    def detach(self) -> "State":
        """The same state without its past: gradients stop here (truncated backpropagation through time).

        Returns
        -------
        State
            The detached tensors.
        """
        return State(*(tensor.detach() if tensor is not None else None for tensor in self))  # type: ignore[arg-type]
