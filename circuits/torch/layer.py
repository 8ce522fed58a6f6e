"""Copies of one motif side by side behind a learned projection."""

import torch
from torch import nn

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.motif_file import Motif
from circuits.torch import eprop
from circuits.torch.assemble import Lateral, assembly
from circuits.torch.cell import MotifCell
from circuits.torch.checks import describe, is_real, one_of, whole_number
from circuits.torch.finite import Finite, NotFiniteError, require_finite
from circuits.torch.initialise import balance_, drive_, spread_
from circuits.torch.positive import PARAMETRISATIONS, identity
from circuits.torch.precision import OwnPrecision, without_autocast
from circuits.torch.state import State


class MotifLayer(OwnPrecision):
    """Copies of a motif side by side, behind a trained projection of the input.

    Call it with x, [batch, in_features] or [steps, batch, in_features] (spikes or reals >= 0), and optionally a `State`. It
    returns the spikes of the outputs of all copies, [batch, out_features] or [steps, batch, out_features], copy after copy, and
    the state to continue from. An input of 1 through a projection weight of 1 drives a channel as one spike does. `read` holds
    the numbers of the output neurons among all neurons, copy after copy.

    Parameters
    ----------
    motif : Motif or Circuit
        The circuit, with input channels and output ports.
    copies : int
        Number of copies.
    in_features : int
        Number of input features.
    share : bool
        Copies share their synapses, which are trained together; otherwise each has its own.
    lateral : Lateral, optional
        Synapses between neighbouring copies in a ring.
    init : {"motif", "balanced"}
        Initial weights: those of the motif, or with inhibition scaled to balance the excitation of each neuron.
    spread : float
        Copies with their own parameters start with weights multiplied by exp(spread * a normal number).
    rate_hz : float
        Expected firing rate of an input feature in Hz: the projection starts so that fluctuations drive the neurons to
        threshold, see `drive_`.
    projection : {"excitatory", "signed"}
        "excitatory": weights of the projection stay >= 0; "signed": they are free, as if each feature came over an excitatory
        and an inhibitory line.
    batch_first : bool
        Sequences are [batch, steps, ...] instead of [steps, batch, ...].
    **options
        Further parameters of `MotifCell`. An excitatory projection has the same parametrisation as the weights.

    Raises
    ------
    circuits.errors.UserError
        As `MotifCell`.

    Examples
    --------
    >>> import circuits, torch
    >>> from circuits.torch import MotifLayer
    >>> layer = MotifLayer(circuits.zoo["onset-2"], copies=4, in_features=10)
    >>> layer(torch.zeros(50, 8, 10))[0].shape
    torch.Size([50, 8, 4])
    """

    read: torch.Tensor

    def __init__(
        self,
        motif: Motif | Circuit,
        copies: int,
        in_features: int,
        share: bool = True,
        *,
        lateral: Lateral | None = None,
        init: str = "motif",
        spread: float = 0.0,
        rate_hz: float = 20.0,
        projection: str = "excitatory",
        batch_first: bool = False,
        **options,
    ):
        super().__init__()
        whole_number("copies", copies)
        whole_number("in_features", in_features)
        one_of("init", init, ("motif", "balanced"))
        one_of("projection", projection, ("excitatory", "signed"))
        if lateral is None:
            self.cell = MotifCell(motif, copies=copies, share=share, **options)
        else:
            copies_as_one = assembly(motif, copies, lateral)
            self.cell = MotifCell(copies_as_one if share else copies_as_one.motif, **options)
        self.copies, self.in_features, self.share, self.batch_first = copies, in_features, share, batch_first
        self.motif, self.lateral, self.projects = motif if isinstance(motif, Motif) else Motif.of(motif), lateral, projection
        channels, outputs = self._each(self.cell.channels), self._each(len(self.cell.readout))
        if channels == 0 or outputs == 0:
            raise UserError("motif: a layer needs one with input channels and output ports")
        self.channels, self.out_features = channels, copies * outputs
        first = self.cell.neurons * torch.arange(self.cell.copies or 1)
        self.register_buffer("read", (first[:, None] + self.cell.readout).flatten(), persistent=False)
        self.signed = projection == "signed"
        self._weight, self._free = (
            (identity, identity)
            if self.signed
            else PARAMETRISATIONS.get(options.get("parametrisation", "abs"), PARAMETRISATIONS["abs"])
        )
        self.projection = nn.Parameter(torch.empty(in_features, copies * channels, dtype=self.cell.lif.bias_mv.dtype))
        if spread and not share:
            spread_(self.cell, spread)
        if init == "balanced":
            balance_(self.cell)
        drive_(self, rate_hz)

    def to_motifs(self) -> list[Motif]:
        """The motifs with the present parameters.

        Returns
        -------
        list of Motif
            One for each copy; a single one if copies share parameters or are wired with one another.
        """
        separate = self.cell.copies is not None and not self.share
        return [self.cell.to_motif(copy) for copy in range(self.copies if separate else 1)]

    def _each(self, number):
        """The number per copy, from that of the cell."""
        return number if self.cell.copies else number // self.copies

    @torch.no_grad()
    def set_projection(self, weight):
        """Set the weights of the projection.

        Parameters
        ----------
        weight : torch.Tensor
            Weights, [in_features, copies * channels], >= 0 unless the projection is signed.
        """
        self.projection.copy_(self._free(weight.double()))

    @property
    def projection_weight(self):
        """The weights of the projection, [in_features, copies * channels], >= 0 unless it is signed."""
        return self._weight(self.projection)

    def forward(self, x: torch.Tensor, state: State | None = None) -> tuple[torch.Tensor, State]:
        """Step all copies; called by calling the module.

        Parameters
        ----------
        x : torch.Tensor
            Input, [batch, in_features] or [steps, batch, in_features].
        state : State, optional
            The state to start from; by default neurons at rest.

        Returns
        -------
        spikes : torch.Tensor
            Spikes of the outputs of all copies, [batch, out_features] or [steps, batch, out_features].
        state : State
            The state to continue from.
        """
        return self._shaped(x, state, everything=False)

    def run(self, x: torch.Tensor, state: State | None = None) -> tuple[torch.Tensor, State]:
        """Step all copies and return the spikes of all neurons.

        Parameters
        ----------
        x : torch.Tensor
            Input, [batch, in_features] or [steps, batch, in_features].
        state : State, optional
            The state to start from; by default neurons at rest.

        Returns
        -------
        spikes : torch.Tensor
            Spikes of all neurons, copy after copy.
        state : State
            The state to continue from.
        """
        return self._shaped(x, state, everything=True)

    def _shaped(self, x, state, everything):
        if not is_real(x, (2, 3), self.in_features):
            raise UserError(f"x: must be [batch, {self.in_features}] or [steps, batch, {self.in_features}], not {describe(x)}")
        with without_autocast(x):
            return self._stepped(x, state, everything)

    def _stepped(self, x, state, everything):
        sequence = x.ndim == 3
        x = (x[None] if not sequence else x.transpose(0, 1) if self.batch_first else x).to(self.projection.dtype)
        try:
            if self.cell.credit == "eprop":
                require_finite(x, "x", ("step", "trial", "feature"))
                spikes, state = eprop.run(self, x, state)
                spikes = spikes if everything else spikes.index_select(-1, self.cell.readout)
                spikes = spikes if sequence else spikes[0]
            else:
                drive, cell = self._project(x), self.cell.run if everything else self.cell
                spikes, state = cell(drive if sequence else drive[0], state)
        except NotFiniteError:  # found by the cell in the output of the projection
            require_finite(x, "x", ("step", "trial", "feature"))
            require_finite(self.projection, "the projection", ("feature", "channel"))
            raise
        if self.cell.copies:
            spikes = spikes.transpose(-3, -2).flatten(-2)
        return (spikes.transpose(0, 1) if sequence and self.batch_first else spikes), state

    def _project(self, x):
        """The channels' drive in the cell's axes, with steps and batch last in memory, by one matrix product."""
        steps, batch, features = x.shape
        features_first = x.permute(2, 0, 1).reshape(features, steps * batch)
        drive = Finite.apply(self.projection_weight, "the projection weights").T @ features_first
        drive = drive.view(self.copies, self.channels, steps, batch)
        return drive.permute(2, 0, 3, 1) if self.cell.copies else drive.flatten(0, 1).permute(1, 2, 0)
