"""Layers of motifs and a linear readout: a spiking network trained by backpropagation through time."""

from collections.abc import Sequence
from contextlib import contextmanager
from itertools import pairwise

import torch
from pydantic import ValidationError
from torch import nn

from circuits.errors import UserError, one_line
from circuits.motif_file import Motif
from circuits.simulation.raster import Raster
from circuits.simulation.simulate import simulate
from circuits.torch.checks import describe, is_real, whole_number
from circuits.torch.finite import NotFiniteError, require_finite
from circuits.torch.layer import MotifLayer
from circuits.torch.networks.config import from_config
from circuits.torch.networks.mixed import MixedLayer
from circuits.torch.networks.readout import CountReadout, StepReadout
from circuits.torch.networks.state import NetworkRun, NetworkState
from circuits.torch.networks.whole import rows_of, whole
from circuits.torch.precision import OwnPrecision


class MotifNetwork(OwnPrecision):
    """A spiking network: layers of motifs, and a linear readout of the spikes of the last layer.

    Call it with x, [steps, batch, in_features], or [batch, steps, in_features] with `batch_first`; every trial starts from
    rest. It returns logits [batch, classes], of the spike counts of the trial; with `readout_ms` logits in every step, [steps,
    batch, classes].
    `run` continues from a state, so that a long trial can be split into windows (`windows`).

    Parameters
    ----------
    layers : sequence of MotifLayer or MixedLayer
        Layers one after the other: `in_features` of each is `out_features` of the one before.
    classes : int
        Number of classes.
    batch_first : bool
        The input is [batch, steps, in_features].
    in_features : int, optional
        Number of inputs that a trained matrix projects to the features of the first layer: with many inputs, a projection
        for every copy would have most of the parameters. None: the inputs are the features of the first layer.
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
        in_features: int | None = None,
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
        self.in_features, self.input_projection = layers[0].in_features, None
        if in_features is not None:
            whole_number("in_features", in_features)
            if not layers[0].signed:
                raise UserError('in_features: projected features may be negative: layers[0] needs projection="signed"')
            self.in_features = in_features
            self.input_projection = nn.Linear(in_features, layers[0].in_features, bias=False, dtype=dtype)

    def _load_from_state_dict(self, state_dict, prefix, *arguments):
        if (weight := state_dict.pop(f"{prefix}together.weight", None)) is not None:  # its name in version 0.4
            state_dict[f"{prefix}input_projection.weight"] = weight
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    @classmethod
    def from_config(cls, config) -> "MotifNetwork":
        """Make a network from its description.

        Parameters
        ----------
        config : str, path-like or dict
            A TOML file, or a dict of the same form, see `circuits.torch.networks.config`.

        Returns
        -------
        MotifNetwork
            The network.

        Raises
        ------
        circuits.errors.UserError
            For a wrong description, with one line that names the key.
        """
        return from_config(cls, config)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Classify trials; called by calling the module.

        Parameters
        ----------
        x : torch.Tensor
            Input, [steps, batch, in_features].

        Returns
        -------
        torch.Tensor
            Logits, [batch, classes], or with `readout_ms` [steps, batch, classes].
        """
        inputs, x = x, self._features(x)
        with self._named(inputs):
            for layer in self.layers:
                x, _ = layer(x)
        return self._in_order(self.readout.read(x)[0])

    def run(self, x: torch.Tensor, state: NetworkState | None = None) -> NetworkRun:
        """Run one window of the trials; the returned state continues it.

        Parameters
        ----------
        x : torch.Tensor
            Input of the window, [steps, batch, in_features].
        state : NetworkState, optional
            The state to start from; by default neurons at rest.

        Returns
        -------
        NetworkRun
            Logits, spikes and the state to continue from. Logits of spike counts are those since the trial began.
        """
        inputs, x, counts, states = x, self._features(x), [], []
        with self._named(inputs):
            for k, layer in enumerate(self.layers):
                layer_spikes, after = layer.run(x, None if state is None else state.layers[k])  # type: ignore[operator]
                counts.append(layer_spikes.sum((0, 2)))
                states.append(after)
                x = layer_spikes.index_select(-1, layer.read)
        logits, readout_state = self.readout.read(x, None if state is None else state.readout)
        return NetworkRun(self._in_order(logits), torch.stack(counts, -1), NetworkState(tuple(states), readout_state))

    def forward_with_spikes(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Classify trials and count the spikes, both with gradients.

        A spike-count penalty, added to the loss, silences neurons that do not contribute.

        Parameters
        ----------
        x : torch.Tensor
            Input, [steps, batch, in_features].

        Returns
        -------
        logits : torch.Tensor
            Logits, [batch, classes], or with `readout_ms` [steps, batch, classes].
        spikes : torch.Tensor
            Spikes of all neurons of each layer in each trial, [batch, layers].
        """
        results = self.run(x)
        return results.logits, results.spikes

    @torch.no_grad()
    def spikes(self, x: torch.Tensor) -> torch.Tensor:
        """Count the spikes of each layer.

        Parameters
        ----------
        x : torch.Tensor
            Input, [steps, batch, in_features].

        Returns
        -------
        torch.Tensor
            Spikes of all neurons of each layer in each trial, int64 [batch, layers].
        """
        return self.forward_with_spikes(x)[1].long()

    def to_motifs(self) -> list[list[Motif]]:
        """The motifs of each layer with their present parameters.

        Returns
        -------
        list of list of Motif
            For each layer its motifs, see `MotifLayer.to_motifs`.
        """
        return [layer.to_motifs() for layer in self.layers]  # type: ignore[operator]

    def to_circuit(self) -> Motif:
        """The whole network as one circuit: a channel for each input, all copies of all layers, projections as synapses.

        The readout is not part of it: the output port "out" has the excitatory neurons that are read. A circuit has weights
        >= 0, which a signed projection or `in_features` do not; `simulate` runs these too.

        Returns
        -------
        Motif
            The circuit; trained delays are rounded to whole steps.

        Raises
        ------
        circuits.errors.UserError
            If a weight is negative, or for features that no circuit has.
        """
        motif = whole(self).motif
        try:
            return Motif(**motif.model_dump())
        except ValidationError as error:
            raise UserError(f"the network is no circuit: {one_line(error)}; `simulate` runs it as it is") from None

    @torch.no_grad()
    def simulate(self, x: torch.Tensor) -> tuple[Raster, torch.Tensor]:
        """Run the network as one circuit in the simulator, with the speed of its kernel.

        In float64 and eval mode the spikes are those of the network itself, unless a potential meets the threshold to the last
        bit.

        Parameters
        ----------
        x : torch.Tensor
            Input spikes, 0 and 1, [steps, batch, in_features].

        Returns
        -------
        raster : Raster
            The spikes of all neurons, layer after layer and copy after copy.
        logits : torch.Tensor
            Logits, as of the network.

        Raises
        ------
        circuits.errors.UserError
            For input that is not spikes, and for features that no circuit has.
        """
        if not is_real(x, (3,), self.in_features):
            raise UserError(f"x: must be a sequence of {self.in_features} features, not {describe(x)}")
        flat = whole(self)
        raster = simulate(flat.motif, rows_of(x.transpose(0, 1) if self.batch_first else x))
        columns = [raster.names.index(name) for name in flat.read]
        spikes = torch.from_numpy(raster.spikes()[..., columns]).transpose(0, 1).to(self.readout.weight)
        return raster, self._in_order(self.readout.read(spikes)[0])

    @contextmanager
    def _named(self, x):
        """Report input that is not finite by the network's axes."""
        try:
            yield
        except NotFiniteError:
            require_finite(x, "x", ("trial", "step", "feature") if self.batch_first else ("step", "trial", "feature"))
            raise

    def _in_order(self, logits):
        return logits.transpose(0, 1) if self.batch_first and self.readout_ms is not None else logits

    def _features(self, x):
        """Input of the first layer, steps first."""
        if not is_real(x, (3,), self.in_features):
            shape = f"[batch, steps, {self.in_features}]" if self.batch_first else f"[steps, batch, {self.in_features}]"
            raise UserError(f"x: must be a sequence, {shape}, not {describe(x)}")
        x = x.transpose(0, 1) if self.batch_first else x
        return x if self.input_projection is None else self.input_projection(x.to(self.input_projection.weight.dtype))


def dt_of(layer: MotifLayer | MixedLayer) -> float:
    """The time step of a layer in ms."""
    first = layer.layers[0] if isinstance(layer, MixedLayer) else layer
    return first.cell.motif.dt_ms  # type: ignore[union-attr, return-value]
