"""Several layers side by side on the same input features: different motifs mixed."""

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import nn

from circuits.errors import UserError
from circuits.torch.layer import MotifLayer
from circuits.torch.precision import OwnPrecision


class MixedLayer(OwnPrecision):
    """Layers of different motifs side by side, which receive the same input features.

    Call it as a `MotifLayer`. The outputs of the layers one after the other are its output features; its state is a tuple of
    the states of its parts.

    Parameters
    ----------
    layers : sequence of MotifLayer
        Layers with the same `in_features`, `batch_first` and time step.

    Raises
    ------
    circuits.errors.UserError
        For layers that do not fit each other.

    Examples
    --------
    >>> import circuits
    >>> from circuits.torch import MixedLayer, MotifLayer
    >>> onset, gate = (MotifLayer(circuits.zoo[name], 2, in_features=10) for name in ("onset-2", "gate-3"))
    >>> MixedLayer([onset, gate]).out_features
    4
    """

    read: torch.Tensor

    def __init__(self, layers: Sequence[MotifLayer]):
        super().__init__()
        layers = list(layers)
        if not layers or not all(isinstance(layer, MotifLayer) for layer in layers):
            raise UserError("layers: at least one MotifLayer")
        for name, term in (("in_features", "number of input features"), ("batch_first", "batch_first")):
            if len({getattr(layer, name) for layer in layers}) > 1:
                raise UserError(f"layers: parts of a layer have the same {term}, not {[getattr(k, name) for k in layers]}")
        if len({layer.cell.motif.dt_ms for layer in layers}) > 1:
            raise UserError(f"layers: parts of a layer have the same dt_ms, not {[k.cell.motif.dt_ms for k in layers]}")
        self.layers = nn.ModuleList(layers)
        self.in_features, self.batch_first = layers[0].in_features, layers[0].batch_first
        self.signed = all(layer.signed for layer in layers)
        self.out_features = sum(layer.out_features for layer in layers)
        first = accumulate((layer.cell.neurons * (layer.cell.copies or 1) for layer in layers), initial=0)
        read = [layer.read + k for layer, k in zip(layers, first, strict=False)]
        self.register_buffer("read", torch.cat(read), persistent=False)

    def forward(self, x: torch.Tensor, state: tuple | None = None) -> tuple[torch.Tensor, tuple]:
        """Step all parts; called by calling the module.

        Parameters
        ----------
        x : torch.Tensor
            Input, [batch, in_features] or [steps, batch, in_features].
        state : tuple of State, optional
            The states to start from; by default neurons at rest.

        Returns
        -------
        spikes : torch.Tensor
            Spikes of the outputs of all parts.
        state : tuple of State
            The states to continue from.
        """
        return self._all(x, state, MotifLayer.forward)

    def run(self, x: torch.Tensor, state: tuple | None = None) -> tuple[torch.Tensor, tuple]:
        """Step all parts and return the spikes of all neurons.

        Parameters
        ----------
        x : torch.Tensor
            Input, [batch, in_features] or [steps, batch, in_features].
        state : tuple of State, optional
            The states to start from; by default neurons at rest.

        Returns
        -------
        spikes : torch.Tensor
            Spikes of all neurons, part after part.
        state : tuple of State
            The states to continue from.
        """
        return self._all(x, state, MotifLayer.run)

    def to_motifs(self) -> list:
        """The motifs of all parts with their present parameters.

        Returns
        -------
        list of Motif
            Those of each part, part after part.
        """
        return [motif for layer in self.layers for motif in layer.to_motifs()]  # type: ignore[operator]

    def _all(self, x, state, call):
        states = [None] * len(self.layers) if state is None else state
        results = [call(layer, x, own_state) for layer, own_state in zip(self.layers, states, strict=True)]
        return torch.cat([spikes for spikes, _ in results], -1), tuple(after for _, after in results)
