"""Layers of motifs and a linear readout: a spiking classifier trained by backpropagation through time."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from circuits.errors import UserError
from circuits.torch.checks import whole_number
from circuits.torch.layer import MotifLayer
from circuits.torch.mixed import MixedLayer


class MotifNetwork(nn.Module):
    """`layers` one after the other, then a linear readout of how often each output of the last one fired in the trial.

    layers   MotifLayers or MixedLayers; `in_features` of each is `out_features` of the one before
    classes  number of outputs

    Call it with x [steps, batch, in_features], or [batch, steps, in_features] with `batch_first`; every trial starts from rest.
    It returns logits [batch, classes]. Raises UserError for layers that do not fit and for an input of another shape.
    """

    def __init__(self, layers: Sequence[MotifLayer | MixedLayer], classes: int, batch_first: bool = False):
        super().__init__()
        layers = list(layers)
        if not layers or not all(isinstance(layer, (MotifLayer, MixedLayer)) and not layer.batch_first for layer in layers):
            raise UserError("layers: at least one MotifLayer, each without batch_first (the network has its own)")
        for k, (before, layer) in enumerate(pairwise(layers), 1):
            if layer.in_features != before.out_features:
                raise UserError(f"layers[{k}]: takes {layer.in_features} features, but gets {before.out_features}")
        whole_number("classes", classes)
        self.layers: nn.ModuleList = nn.ModuleList(layers)
        self.batch_first = batch_first
        dtype = next(layers[-1].parameters()).dtype
        self.readout = nn.Linear(layers[-1].out_features, classes, dtype=dtype)

    @classmethod
    def described(cls, description) -> "MotifNetwork":
        """A network from a TOML file, or from a dict of the same form: `circuits.torch.description`."""
        from circuits.torch.description import network

        return network(description)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits [batch, classes]."""
        x = self._steps_first(x)
        for layer in self.layers:
            x, _ = layer(x)
        return self._read(x)

    def counted(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits [batch, classes] and how many spikes all neurons of each layer fire in each trial [batch, layers]. Both have
        gradients: add spikes times a price to the loss, and training keeps neurons silent that the classes can do without."""
        x, found = self._steps_first(x), []
        for layer in self.layers:
            everything, _ = layer.run(x)  # type: ignore[operator]
            found.append(everything.sum((0, 2)))
            x = everything.index_select(-1, layer.read)
        return self._read(x), torch.stack(found, -1)

    @torch.no_grad()
    def spikes(self, x: torch.Tensor) -> torch.Tensor:
        """How many spikes all neurons of each layer fire in each trial: int64 [batch, layers]."""
        return self.counted(x)[1].long()

    def _read(self, x):
        return self.readout(x.sum(0).to(self.readout.weight.dtype))

    def _steps_first(self, x):
        if not isinstance(x, torch.Tensor) or x.ndim != 3:
            raise UserError("x: must be a sequence: [steps, batch, in_features], or [batch, steps, ...] with batch_first")
        return x.transpose(0, 1) if self.batch_first else x
