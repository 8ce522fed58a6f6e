"""A motif for conventional recurrent networks: the same wiring and signs, rates instead of spikes."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.motif_file import Motif
from circuits.torch.checks import describe, has_rates, is_real, one_of, whole_number
from circuits.torch.dale import DaleSynapses
from circuits.torch.finite import NotFiniteError, all_finite, require_finite
from circuits.torch.positive import PARAMETRISATIONS
from circuits.torch.precision import OwnPrecision, without_autocast
from circuits.torch.wiring import Wires, from_inputs, from_neurons

ACTIVATIONS = {"relu": functional.relu, "softplus": functional.softplus, "sigmoid": torch.sigmoid}


class MotifRateCell(OwnPrecision):
    """A circuit as a recurrent cell of firing rates, in place of `nn.RNNCell`: h = cell(x, h).

    The rates follow

        h <- (1 - a) h + a s f(W h + V x + b)      a = 1 - exp(-dt / tau_m), s the sign of the neuron (+1 or -1)

    h [batch, hidden_size] is the output of the neurons, negative for inhibitory ones. W and V are >= 0 and have a weight where
    the circuit has a synapse, at first the mean drive of the synapse, weight * tau_syn / dt, in units of the distance from
    v_rest to v_th; b starts at the bias in that unit. All delays are one step.

    Parameters
    ----------
    motif : Motif or Circuit
        A circuit of neurons with membrane and synaptic time constants.
    input_size : int, optional
        Number of input features, which a projection >= 0 maps to the channels; None: the input is that of the channels.
    copies : int
        Number of copies, each with its own weights: hidden_size = copies * neurons, copy after copy.
    activation : {"relu", "softplus", "sigmoid"}
        The function f.
    trainable : tuple of str
        Any of "weights" and "bias".
    parametrisation : {"abs", "softplus", "exp", "clamp"}
        How weights stay >= 0.
    dtype : torch.dtype
        float32 or float64.

    Raises
    ------
    circuits.errors.UserError
        For an unknown option, an input of another shape, NaN and infinity in it, and for conversion to 16-bit floats.

    Examples
    --------
    >>> import circuits, torch
    >>> from circuits.torch import MotifRateCell
    >>> cell = MotifRateCell(circuits.zoo["onset-2"], input_size=10, copies=4)
    >>> cell(torch.zeros(8, 10)).shape
    torch.Size([8, 8])
    """

    leak: torch.Tensor
    sign: torch.Tensor

    def __init__(
        self,
        motif: Motif | Circuit,
        input_size: int | None = None,
        copies: int = 1,
        *,
        activation: str = "relu",
        trainable: tuple[str, ...] = ("weights", "bias"),
        parametrisation: str = "abs",
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        if not isinstance(motif, Circuit):
            raise UserError(f"motif: a Motif or a Circuit, not {type(motif).__name__}")
        if not has_rates(motif.model):
            model = motif.neuron_model
            raise UserError(f"motif: the rate form needs neurons with tau_m and a threshold, not {model}; use --to brian2")
        if any(channel.signal is not None for channel in motif.inputs):
            raise UserError("motif: the rate form has inputs that are rates of spikes, not sampled ones; use MotifCell")
        if isinstance(trainable, str) or not set(trainable) <= {"weights", "bias"}:
            raise UserError(f"trainable: a tuple of weights, bias, not {trainable!r}")
        one_of("activation", activation, ACTIVATIONS)
        one_of("parametrisation", parametrisation, PARAMETRISATIONS)
        whole_number("copies", copies)
        self.motif = motif if isinstance(motif, Motif) else Motif.of(motif)
        self.copies, self.neurons, self.channels = copies, len(motif.neurons), len(motif.inputs)
        self.activation = ACTIVATIONS[activation]
        p = dict(zip(motif.model.names, motif.parameters.T, strict=True))
        distance = p["v_th_mv"] - p["v_rest_mv"]
        gain_e, gain_i = (p[name] / (motif.dt_ms * distance) for name in ("tau_syn_e_ms", "tau_syn_i_ms"))
        afferent, (excitatory, inhibitory) = from_inputs(motif), from_neurons(motif)
        common = {"parametrisation": parametrisation, "copies": copies, "dtype": dtype}
        both = zip(_scaled(excitatory, gain_e), _scaled(inhibitory, gain_i), strict=True)
        wires = Wires(*map(np.concatenate, both))
        self.input = DaleSynapses("input", _scaled(afferent, gain_e), 1.0, self.neurons, sources=range(self.channels), **common)
        self.recurrent = DaleSynapses("recurrent", wires, 1.0, self.neurons, sources=range(self.neurons), **common)
        self.bias = nn.Parameter(torch.tensor(p["bias_mv"] / distance).to(dtype).repeat(copies, 1))
        self.register_buffer("leak", torch.tensor(-np.expm1(-motif.dt_ms / p["tau_m_ms"])).to(dtype), persistent=False)
        signs = np.where(motif.excitatory, 1.0, -1.0)
        self.register_buffer("sign", torch.tensor(signs).to(dtype), persistent=False)
        self._positive, free = PARAMETRISATIONS[parametrisation]
        self.register_parameter("projection", None)
        if input_size is not None:
            whole_number("input_size", input_size)
            drawn = torch.empty(input_size, copies * self.channels, dtype=torch.float64).exponential_() / input_size**0.5
            self.projection = nn.Parameter(free(drawn).to(dtype))
        self.input_size = copies * self.channels if input_size is None else input_size
        self.hidden_size = copies * self.neurons
        for parameter in (self.input.free, self.recurrent.free):
            parameter.requires_grad_("weights" in trainable)
        self.bias.requires_grad_("bias" in trainable)

    @property
    def outputs(self) -> list[int]:
        """The columns of h that belong to output ports, copy after copy, a list of int."""
        index = self.motif.index
        slots = [index[i] for port in self.motif.outputs for i in port.neurons]
        return [copy * self.neurons + slot for copy in range(self.copies) for slot in slots]

    def forward(self, x: torch.Tensor, h: torch.Tensor | None = None) -> torch.Tensor:
        """Compute the next rates; called by calling the module.

        Parameters
        ----------
        x : torch.Tensor
            Input, [batch, input_size].
        h : torch.Tensor, optional
            Rates to start from, [batch, hidden_size]; by default 0.

        Returns
        -------
        torch.Tensor
            The next rates, [batch, hidden_size].
        """
        self._check(x, 2, "[batch, ")
        with without_autocast(x):
            x, h = self._converted(x, h, x.shape[0], ("trial", "feature"))
            return self._step(self._drive(x), h, self._matrix())

    def unroll(self, x: torch.Tensor, h: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Step through a sequence, as `nn.RNN`.

        Parameters
        ----------
        x : torch.Tensor
            Input, [steps, batch, input_size].
        h : torch.Tensor, optional
            Rates to start from, [batch, hidden_size]; by default 0.

        Returns
        -------
        every : torch.Tensor
            Rates after each step, [steps, batch, hidden_size].
        last : torch.Tensor
            Rates after the last step, [batch, hidden_size].
        """
        self._check(x, 3, "[steps, batch, ")
        with without_autocast(x):
            x, h = self._converted(x, h, x.shape[1], ("step", "trial", "feature"))
            matrix, rates = self._matrix(), []
            for drive in self._drive(x):
                h = self._step(drive, h, matrix)
                rates.append(h)
            return (torch.stack(rates) if rates else x.new_zeros(0, *h.shape)), h

    def _step(self, drive, h, matrix):
        """drive [batch, copies, neurons]."""
        before = h.unflatten(-1, (self.copies, self.neurons))
        recurrent = torch.einsum("bkm,kmn->bkn", before, matrix)
        rate = self.sign * self.activation(drive + recurrent)
        return (before + self.leak * (rate - before)).flatten(-2)

    def _drive(self, x):
        """Input current of every neuron, with its bias: [..., batch, copies, neurons]."""
        if self.projection is not None:
            x = x @ self._positive(self.projection)
        x = x.unflatten(-1, (self.copies, self.channels))
        if not self.input.delays:
            return self.bias.expand(*x.shape[:-2], *self.bias.shape)
        matrix = self.input.matrix().expand(self.copies, self.channels, self.neurons)
        return self.bias + torch.einsum("...kc,kcn->...kn", x, matrix)

    def _matrix(self):
        if not self.recurrent.delays:
            return self.bias.new_zeros(self.copies, self.neurons, self.neurons)
        return self.recurrent.matrix()

    def _converted(self, x, h, batch, axes):
        """The input and the initial rates, checked, in the precision of the cell."""
        x = x.to(self.bias.dtype)
        start = self.bias.new_zeros(batch, self.hidden_size) if h is None else h
        if start.shape != (batch, self.hidden_size) or start.is_complex():
            raise UserError(f"h: must be [{batch}, {self.hidden_size}], not {describe(start)}")
        start = start.to(self.bias.dtype)
        if not all_finite(x, *([] if h is None else [start])):
            require_finite(x, "x", axes)
            raise NotFiniteError("h is not finite: it holds NaN or infinity")
        return x, start

    def _check(self, x, ndim, leading_axes):
        if not is_real(x, (ndim,), self.input_size):
            raise UserError(f"x: must be {leading_axes}{self.input_size}], not {describe(x)}")


def _scaled(wires, gain):
    return wires._replace(weight=wires.weight * gain[wires.target], delay=np.ones_like(wires.delay))
