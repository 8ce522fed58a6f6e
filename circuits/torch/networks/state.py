"""Results of a network in one window of its trials, and its state between windows."""

from typing import NamedTuple

import torch


class NetworkState(NamedTuple):
    """State of a network between two windows of a trial.

    Parameters
    ----------
    layers : tuple
        The state of each layer: a `State`, of a `MixedLayer` a tuple of them.
    readout : torch.Tensor
        State of the readout: spike counts [batch, features], or with `readout_ms` filtered logits [batch, classes].

    Examples
    --------
    >>> import circuits, torch
    >>> from circuits.torch import MotifLayer, MotifNetwork
    >>> network = MotifNetwork([MotifLayer(circuits.zoo["onset-2"], copies=4, in_features=10)], classes=3)
    >>> network.run(torch.zeros(50, 8, 10)).state.readout.shape
    torch.Size([8, 4])
    """

    layers: tuple
    readout: torch.Tensor

    def detach(self) -> "NetworkState":
        """The same state without its past: gradients stop here.

        Returns
        -------
        NetworkState
            The detached tensors.
        """
        parts = (k.detach() if hasattr(k, "detach") else tuple(part.detach() for part in k) for k in self.layers)
        return NetworkState(tuple(parts), self.readout.detach())


class NetworkRun(NamedTuple):
    """Results of one window of a network's trials.

    Parameters
    ----------
    logits : torch.Tensor
        Logits, [batch, classes], or with `readout_ms` [steps, batch, classes].
    spikes : torch.Tensor
        Spikes of all neurons of each layer in the window, with gradients, [batch, layers].
    state : NetworkState
        The state to continue from.

    Examples
    --------
    >>> import circuits, torch
    >>> from circuits.torch import MotifLayer, MotifNetwork
    >>> network = MotifNetwork([MotifLayer(circuits.zoo["onset-2"], copies=4, in_features=10)], classes=3)
    >>> network.run(torch.zeros(50, 8, 10)).spikes.shape
    torch.Size([8, 1])
    """

    logits: torch.Tensor
    spikes: torch.Tensor
    state: NetworkState
