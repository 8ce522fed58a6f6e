"""Layers of motifs and a linear readout: a spiking classifier trained by backpropagation through time."""

from collections.abc import Sequence
from contextlib import contextmanager
from itertools import pairwise

import torch
from torch import nn

from circuits.errors import UserError
from circuits.torch.checks import is_real, told, whole_number
from circuits.torch.config import from_config
from circuits.torch.finite import NotFiniteError, require_finite
from circuits.torch.layer import MotifLayer
from circuits.torch.mixed import MixedLayer
from circuits.torch.precision import OwnPrecision


class MotifNetwork(OwnPrecision):
    """A spiking classifier: layers of motifs, and a linear readout of the spike counts of the last layer.

    Call it with x, [steps, batch, lines], or [batch, steps, lines] with `batch_first`; every trial starts from rest. It returns
    logits [batch, classes].

    Parameters
    ----------
    layers : sequence of MotifLayer or MixedLayer
        Layers one after the other: `in_features` of each is `out_features` of the one before.
    classes : int
        Number of classes.
    batch_first : bool
        The input is [batch, steps, lines].
    lines : int, optional
        Number of input lines that a trained matrix projects to the features of the first layer: with many lines, a projection
        for every copy would have most of the parameters. None: the lines are the features of the first layer.

    Raises
    ------
    circuits.errors.UserError
        For layers that do not fit each other, and as `MotifLayer`.

    Examples
    --------
    >>> import circuits, torch
    >>> from circuits.torch import MotifLayer, MotifNetwork
    >>> network = MotifNetwork([MotifLayer(circuits.zoo["onset-2"], copies=4, in_features=10)], classes=3)
    >>> network(torch.zeros(50, 8, 10)).shape
    torch.Size([8, 3])
    """

    def __init__(
        self, layers: Sequence[MotifLayer | MixedLayer], classes: int, batch_first: bool = False, lines: int | None = None
    ):
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
        self.lines, self.together = layers[0].in_features, None
        if lines is not None:
            whole_number("lines", lines)
            if not layers[0].signed:
                raise UserError('lines: brought together they may be negative, so that layers[0] needs projection="signed"')
            self.lines, self.together = lines, nn.Linear(lines, layers[0].in_features, bias=False, dtype=dtype)

    @classmethod
    def from_config(cls, config) -> "MotifNetwork":
        """Make a network from its description.

        Parameters
        ----------
        config : str, path-like or dict
            A TOML file, or a dict of the same form, see `circuits.torch.config`.

        Returns
        -------
        MotifNetwork
            The network.

        Raises
        ------
        circuits.errors.UserError
            For a wrong description, with one line that names the place.
        """
        return from_config(cls, config)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Classify trials; called by calling the module.

        Parameters
        ----------
        x : torch.Tensor
            Input, [steps, batch, lines].

        Returns
        -------
        torch.Tensor
            Logits, [batch, classes].
        """
        given, x = x, self._features(x)
        with self._named(given):
            for layer in self.layers:
                x, _ = layer(x)
        return self._read(x)

    def forward_with_spikes(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Classify trials and count the spikes, both with gradients.

        A spike-count penalty, the spikes times a price added to the loss, silences neurons that the classes do not need.

        Parameters
        ----------
        x : torch.Tensor
            Input, [steps, batch, lines].

        Returns
        -------
        logits : torch.Tensor
            Logits, [batch, classes].
        spikes : torch.Tensor
            Spikes of all neurons of each layer in each trial, [batch, layers].
        """
        given, x, found = x, self._features(x), []
        with self._named(given):
            for layer in self.layers:
                everything, _ = layer.run(x)  # type: ignore[operator]
                found.append(everything.sum((0, 2)))
                x = everything.index_select(-1, layer.read)
        return self._read(x), torch.stack(found, -1)

    @torch.no_grad()
    def spikes(self, x: torch.Tensor) -> torch.Tensor:
        """Count the spikes of each layer.

        Parameters
        ----------
        x : torch.Tensor
            Input, [steps, batch, lines].

        Returns
        -------
        torch.Tensor
            Spikes of all neurons of each layer in each trial, int64 [batch, layers].
        """
        return self.forward_with_spikes(x)[1].long()

    @contextmanager
    def _named(self, x):
        """Name a layer's values that are not finite as the network knows them."""
        try:
            yield
        except NotFiniteError:
            require_finite(x, "x", ("trial", "step", "line") if self.batch_first else ("step", "trial", "line"))
            raise

    def _read(self, x):
        return self.readout(x.sum(0).to(self.readout.weight.dtype))

    def _features(self, x):
        """Input of the first layer, steps first."""
        if not is_real(x, (3,), self.lines):
            shape = f"[batch, steps, {self.lines}]" if self.batch_first else f"[steps, batch, {self.lines}]"
            raise UserError(f"x: must be a sequence, {shape}, not {told(x)}")
        x = x.transpose(0, 1) if self.batch_first else x
        return x if self.together is None else self.together(x.to(self.together.weight.dtype))
