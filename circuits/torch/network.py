"""Layers of motifs and a linear readout: a spiking network trained by backpropagation through time."""

from collections.abc import Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import nn

from circuits.errors import UserError
from circuits.torch.checks import is_real, told, whole_number
from circuits.torch.config import from_config
from circuits.torch.finite import NotFiniteError, require_finite
from circuits.torch.layer import MotifLayer
from circuits.torch.mixed import MixedLayer
from circuits.torch.precision import OwnPrecision
from circuits.torch.readout import CountReadout, StepReadout


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


class MotifNetwork(OwnPrecision):
    """A spiking network: layers of motifs, and a linear readout of the spikes of the last layer.

    Call it with x, [steps, batch, lines], or [batch, steps, lines] with `batch_first`; every trial starts from rest. It returns
    logits [batch, classes], of the spike counts of the trial; with `readout_ms` logits in every step, [steps, batch, classes].
    `run` goes on from a state, so that a long trial can be taken window by window (`windows`).

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
    readout_ms : float, optional
        Logits are read in every step, from spikes filtered with this time constant in ms. None: from the counts of the trial.

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
        self,
        layers: Sequence[MotifLayer | MixedLayer],
        classes: int,
        batch_first: bool = False,
        lines: int | None = None,
        readout_ms: float | None = None,
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
        self.batch_first, self.readout_ms = batch_first, readout_ms
        dtype, features = next(layers[-1].parameters()).dtype, layers[-1].out_features
        self.readout: CountReadout | StepReadout = (
            CountReadout(features, classes, dtype=dtype)
            if readout_ms is None
            else StepReadout(features, classes, readout_ms, dt_of(layers[-1]), dtype)
        )
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
            Logits, [batch, classes], or with `readout_ms` [steps, batch, classes].
        """
        given, x = x, self._features(x)
        with self._named(given):
            for layer in self.layers:
                x, _ = layer(x)
        return self._in_order(self.readout.read(x)[0])

    def run(self, x: torch.Tensor, state: NetworkState | None = None) -> NetworkRun:
        """Run one window of the trials and go on from its state later.

        Parameters
        ----------
        x : torch.Tensor
            Input of the window, [steps, batch, lines].
        state : NetworkState, optional
            The state to start from; by default neurons at rest.

        Returns
        -------
        NetworkRun
            Logits, spikes and the state to continue from. Logits of spike counts are those since the trial began.
        """
        given, x, counts, states = x, self._features(x), [], []
        with self._named(given):
            for k, layer in enumerate(self.layers):
                everything, after = layer.run(x, None if state is None else state.layers[k])  # type: ignore[operator]
                counts.append(everything.sum((0, 2)))
                states.append(after)
                x = everything.index_select(-1, layer.read)
        logits, carried = self.readout.read(x, None if state is None else state.readout)
        return NetworkRun(self._in_order(logits), torch.stack(counts, -1), NetworkState(tuple(states), carried))

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
            Logits, [batch, classes], or with `readout_ms` [steps, batch, classes].
        spikes : torch.Tensor
            Spikes of all neurons of each layer in each trial, [batch, layers].
        """
        found = self.run(x)
        return found.logits, found.spikes

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

    def _in_order(self, logits):
        return logits.transpose(0, 1) if self.batch_first and self.readout_ms is not None else logits

    def _features(self, x):
        """Input of the first layer, steps first."""
        if not is_real(x, (3,), self.lines):
            shape = f"[batch, steps, {self.lines}]" if self.batch_first else f"[steps, batch, {self.lines}]"
            raise UserError(f"x: must be a sequence, {shape}, not {told(x)}")
        x = x.transpose(0, 1) if self.batch_first else x
        return x if self.together is None else self.together(x.to(self.together.weight.dtype))


def dt_of(layer: MotifLayer | MixedLayer) -> float:
    """The time step of a layer in ms."""
    first = layer.layers[0] if isinstance(layer, MixedLayer) else layer
    return first.cell.motif.dt_ms  # type: ignore[union-attr, return-value]
