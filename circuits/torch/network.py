"""Layers of motifs and a linear readout: a spiking classifier trained by backpropagation through time."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from circuits.errors import UserError
from circuits.torch.layer import MotifLayer


class MotifNetwork(nn.Module):
    """`layers` one after the other, then a linear readout of how often each output of the last one fired in the trial.

    layers   MotifLayers; `in_features` of each is `out_features` of the one before
    classes  number of outputs

    Call it with x [steps, batch, in_features], or [batch, steps, in_features] with `batch_first`; every trial starts from rest.
    It returns logits [batch, classes]. Raises UserError for layers that do not fit and for an input of another shape.
    """

    def __init__(self, layers: Sequence[MotifLayer], classes: int, batch_first: bool = False):
        super().__init__()
        layers = list(layers)
        if not layers or not all(isinstance(layer, MotifLayer) and not layer.batch_first for layer in layers):
            raise UserError("layers: at least one MotifLayer, each without batch_first (the network has its own)")
        for k, (before, layer) in enumerate(pairwise(layers), 1):
            if layer.in_features != before.out_features:
                raise UserError(f"layers[{k}]: takes {layer.in_features} features, but gets {before.out_features}")
        if not (isinstance(classes, int) and classes >= 1):
            raise UserError(f"classes: a whole number above 0, not {classes!r}")
        self.layers, self.batch_first = nn.ModuleList(layers), batch_first
        self.readout = nn.Linear(layers[-1].out_features, classes, dtype=layers[-1].projection.dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits [batch, classes]."""
        if not isinstance(x, torch.Tensor) or x.ndim != 3:
            raise UserError("x: must be a sequence: [steps, batch, in_features], or [batch, steps, ...] with batch_first")
        x = x.transpose(0, 1) if self.batch_first else x
        for layer in self.layers:
            x, _ = layer(x)
        return self.readout(x.sum(0).to(self.readout.weight.dtype))
