"""A circuit as an nn.Module that spikes as the simulator does and learns through surrogate gradients."""

import math
from typing import NamedTuple

import numpy as np
import torch
from pydantic import ValidationError
from torch import nn

from circuits import portable
from circuits.circuit import Circuit
from circuits.errors import UserError, one_line
from circuits.motif_file import Motif
from circuits.neurons import LIF_PSC_EXP
from circuits.neurons.lif_psc_exp import P21_E, P21_I, P22, RESET, THRESHOLD
from circuits.neurons.model import P11_E, P11_I
from circuits.torch.dale import PARAMETRISATIONS, DaleSynapses
from circuits.torch.surrogate import SURROGATES
from circuits.torch.wiring import from_inputs, from_neurons

TRAINABLE = ("weights", "bias")


class State(NamedTuple):
    """What a cell carries from one step to the next; real, `...` is batch, or copies and batch.

    v           [..., neurons]: potential above v_rest, mV
    i_e, i_i    [..., neurons]: synaptic currents, mV
    refractory  int32 [..., neurons]: steps still to be held at v_reset
    inputs      [longest input delay, ..., channels]: what is still on its way, oldest first
    spikes      [longest delay, ..., neurons]: the same between neurons
    """

    v: torch.Tensor
    i_e: torch.Tensor
    i_i: torch.Tensor
    refractory: torch.Tensor
    inputs: torch.Tensor
    spikes: torch.Tensor

    def detach(self) -> "State":
        """The same state without its past: gradients stop here (truncated backpropagation through time)."""
        return State(*(tensor.detach() for tensor in self))


class MotifCell(nn.Module):
    """A circuit as a recurrent module with the simulator's timing rule (NEST's `iaf_psc_exp`; equations in `circuits.neurons`).

    motif            a Motif or Circuit
    parametrisation  how weights stay >= 0 whatever the optimiser does: "abs", "softplus" or "exp" (`circuits.torch.dale`)
    surrogate        gradient of the spike: "fast_sigmoid" or "arctan" (`circuits.torch.surrogate`), with `slope` in 1/mV
    trainable        any of "weights", "bias" (the neurons' constant drive `bias_mv`)
    batch_first      sequences are [batch, steps, ...] and not [steps, batch, ...]
    copies           None, or a number of circuits side by side with weights of their own: one axis more, before batch

    Call it with x [batch, channels] (one step) or [steps, batch, channels] (a sequence): 0 and 1 for spikes, or any reals. It
    returns the spikes of the output ports as 0 and 1, [batch, slots] or [steps, batch, slots], one column per neuron of a port
    in the order of `ports`, and the State to go on from. Row k of x holds the spikes stamped (k + 1) dt, as in
    `circuits.simulate`. In float64 the spikes are those of `circuits.simulate`, unless a potential meets the threshold to the
    last bit: sums may be rounded in another order here.

    Membrane noise (`noise_mv`) is left out here. Raises UserError for a motif of another neuron model or with plastic synapses,
    for an unknown option, and for an input or a state of another shape.
    """

    readout: torch.Tensor
    taps: torch.Tensor
    table: torch.Tensor
    bias_gain: torch.Tensor
    n_ref: torch.Tensor

    def __init__(
        self,
        motif: Motif | Circuit,
        *,
        parametrisation: str = "abs",
        surrogate: str = "fast_sigmoid",
        slope: float = 1.0,
        trainable: tuple[str, ...] = ("weights",),
        dtype: torch.dtype = torch.float32,
        batch_first: bool = False,
        copies: int | None = None,
    ):
        super().__init__()
        _check(motif, parametrisation, surrogate, slope, trainable, dtype, copies)
        self.motif = motif if isinstance(motif, Motif) else Motif.of(motif)
        self.surrogate, self.slope, self.batch_first, self.copies = surrogate, slope, batch_first, copies
        self.channels, self.neurons = len(motif.inputs), len(motif.neurons)
        place = {neuron.id: k for k, neuron in enumerate(motif.neurons)}
        slots = [place[i] for port in motif.outputs for i in port.neurons]
        self.register_buffer("readout", torch.tensor(slots, dtype=torch.int64), persistent=False)
        self.input_delays, wires = from_inputs(motif)
        self.input = DaleSynapses(wires, 1.0, parametrisation, copies, dtype)
        self.delays, taps, excitatory, inhibitory = from_neurons(motif)
        self.excitatory = DaleSynapses(excitatory, 1.0, parametrisation, copies, dtype)
        self.inhibitory = DaleSynapses(inhibitory, -1.0, parametrisation, copies, dtype)
        self.register_buffer("taps", taps, persistent=False)
        bias = torch.tensor(motif.parameters[:, -1]).to(dtype)
        self.bias_mv = nn.Parameter(bias if copies is None else bias.repeat(copies, 1, 1))
        self.register_buffer("table", torch.zeros(RESET + 1, self.neurons, dtype=dtype), persistent=False)
        self.register_buffer("bias_gain", torch.zeros(self.neurons, dtype=dtype), persistent=False)
        self._set_propagators()
        n_ref = torch.tensor(LIF_PSC_EXP.refractory_steps(motif.parameters, motif.dt_ms), dtype=torch.int32)
        self.register_buffer("n_ref", n_ref, persistent=False)
        for parameter in self.parameters():
            parameter.requires_grad_("weights" in trainable)
        self.bias_mv.requires_grad_("bias" in trainable)

    @property
    def ports(self) -> dict[str, slice]:
        """The columns of the output that belong to each port."""
        ends = np.cumsum([0] + [len(port.neurons) for port in self.motif.outputs]).tolist()
        return {port.name: slice(a, b) for port, a, b in zip(self.motif.outputs, ends[:-1], ends[1:], strict=True)}

    def _set_propagators(self):
        parameters, dt = self.motif.parameters, self.motif.dt_ms
        self.table.copy_(torch.tensor(LIF_PSC_EXP.table(parameters, dt).T.copy()))
        self.bias_gain.copy_(torch.tensor(-portable.expm1(-dt / parameters[:, 0])))

    def _apply(self, fn, recurse=True):
        super()._apply(fn, recurse)
        self._set_propagators()  # rounded once from float64, whatever conversions came before
        return self

    def init_state(self, batch: int) -> State:
        """Neurons at v_rest without currents, nothing on its way."""
        lead = (batch,) if self.copies is None else (self.copies, batch)
        rest = self.table.new_zeros(*lead, self.neurons)
        inputs = rest.new_zeros(max(self.input_delays, default=0), *lead, self.channels)
        spikes = rest.new_zeros(max(self.delays, default=0), *lead, self.neurons)
        return State(rest, rest, rest, rest.to(torch.int32), inputs, spikes)

    def forward(self, x: torch.Tensor, state: State | None = None) -> tuple[torch.Tensor, State]:
        """Spikes of the output ports and the next state; shapes in the docstring of the class."""
        spikes, state = self.run(x, state)
        return spikes.index_select(-1, self.readout), state

    def run(self, x: torch.Tensor, state: State | None = None) -> tuple[torch.Tensor, State]:
        """As a call, but the spikes of all neurons, in the order of the motif: [batch, neurons] or [steps, batch, neurons]."""
        lead = 1 if self.copies is None else 2
        self._check_input(x, lead)
        x = x.to(self.table.dtype)
        if x.ndim == lead + 1:
            spikes, state = self._run(x[None], state)
            return spikes[0], state
        if self.batch_first:
            spikes, state = self._run(x.movedim(-2, 0), state)
            return spikes.movedim(0, -2), state
        return self._run(x, state)

    def _run(self, x, state):
        steps, *lead, _ = x.shape
        state = self.init_state(lead[-1]) if state is None else state
        if state.v.shape[:-1] != x.shape[1:-1]:
            raise UserError(f"state: of a batch of {list(state.v.shape[:-1])}, but the input has {lead}")
        fire = SURROGATES[self.surrogate]
        p22, p11_e, p11_i, p21_e, p21_i, v_th, v_reset = (
            self.table[k] for k in (P22, P11_E, P11_I, P21_E, P21_I, THRESHOLD, RESET)
        )
        drive = self.bias_gain * self.bias_mv
        excitation, inhibition = self.excitatory.matrix(), self.inhibitory.matrix()
        excitatory_taps = excitation.shape[-2]
        inputs = torch.cat([state.inputs, x])
        afferent = self._afferent(inputs, steps)
        v, i_e, i_i, refractory = state[:4]
        rows = list(state.spikes.unbind())
        past = len(rows)
        for k in range(steps):
            # addcmul rounds once where the processor fuses it, as the kernel's fma does.
            v = torch.addcmul(torch.addcmul(torch.addcmul(drive, p21_i, i_i), p21_e, i_e), p22, v)
            i_e, i_i = p11_e * i_e, p11_i * i_i
            if self.input_delays:
                i_e = i_e + afferent[k]
            if self.delays:
                arriving = torch.cat([rows[past + k - delay] for delay in self.delays], -1).index_select(-1, self.taps)
                i_e = i_e + arriving[..., :excitatory_taps] @ excitation
                i_i = i_i + arriving[..., excitatory_taps:] @ inhibition
            held = refractory > 0
            v = torch.where(held, v_reset, v)
            spikes = fire(v, v_th, self.slope)
            fired = spikes.detach() > 0
            v = torch.where(fired, v_reset, v)
            refractory = torch.where(fired, self.n_ref, (refractory - 1).clamp_(min=0))
            rows.append(spikes)
        raster = torch.stack(rows[past:]) if steps else x.new_zeros(0, *v.shape)
        on_their_way = torch.stack(rows[steps:]) if past else state.spikes
        return raster, State(v, i_e, i_i, refractory, inputs[steps:], on_their_way)

    def _afferent(self, inputs, steps):
        """Excitation from the input channels in each of the steps, [steps, ..., neurons]; `inputs` starts with the past."""
        matrix, past, total = self.input.matrix(), len(inputs) - steps, 0
        equation = "tbc,cn->tbn" if self.copies is None else "tkbc,kcn->tkbn"
        for d, delay in enumerate(self.input_delays):
            weights = matrix.narrow(-2, d * self.channels, self.channels)
            total = total + torch.einsum(equation, inputs.narrow(0, past - delay, steps), weights)
        return total

    def _check_input(self, x, lead):
        axes = "batch, " if self.copies is None else f"{self.copies} copies, batch, "
        wanted = f"[{axes}{self.channels} channels], alone or for each of several steps"
        given = f"a tensor {list(x.shape)}" if isinstance(x, torch.Tensor) else f"a {type(x).__name__}"
        if not isinstance(x, torch.Tensor) or x.ndim not in (lead + 1, lead + 2) or x.shape[-1] != self.channels:
            raise UserError(f"x: must be {wanted}, not {given}")
        first = 0 if x.ndim == lead + 1 or self.batch_first else 1
        if self.copies is not None and x.shape[first] != self.copies:
            raise UserError(f"x: must be {wanted}, not {given}")

    def to_motif(self, copy: int = 0) -> Motif:
        """The motif with the weights and biases as they are now, provenance kept; `copy` says of which copy.

        Raises UserError if training has left a value that no motif may have (not finite, or a bias out of range).
        """

        def values(tensor):
            return iter((tensor if self.copies is None else tensor[copy]).detach().double().abs().flatten().tolist())

        into, excites, inhibits = (values(kind.weight) for kind in (self.input, self.excitatory, self.inhibitory))
        bias = (self.bias_mv if self.copies is None else self.bias_mv[copy]).detach().double().flatten().tolist()
        data = self.motif.model_dump()
        sign = {neuron["id"]: neuron["sign"] for neuron in data["neurons"]}
        for channel in data["inputs"]:
            for synapse in channel["synapses"]:
                synapse["weight_mv"] = next(into)
        for synapse in data["synapses"]:
            synapse["weight_mv"] = next(excites if sign[synapse["pre"]] == "E" else inhibits)
        for neuron, value in zip(data["neurons"], bias, strict=True):
            if value != torch.tensor(neuron["bias_mv"], dtype=self.bias_mv.dtype).item():
                neuron["bias_mv"] = value
        try:
            return Motif(**data)
        except ValidationError as error:
            raise UserError(f"the trained cell is no motif: {one_line(error)}") from None

    def extra_repr(self):
        return f"{self.channels} channels, {self.neurons} neurons, ports {list(self.ports)}, dt {self.motif.dt_ms:g} ms"


def _check(motif, parametrisation, surrogate, slope, trainable, dtype, copies):
    if not isinstance(motif, Circuit):
        raise UserError(f"motif: a Motif or a Circuit, not {type(motif).__name__}")
    if motif.model is not LIF_PSC_EXP:
        raise UserError(f"motif: the torch module has neurons of lif_psc_exp, not of {motif.neuron_model}")
    plastic = [s for s in (*motif.synapses, *(s for c in motif.inputs for s in c.synapses)) if s.short_term or s.stdp]
    if plastic:
        raise UserError("motif: the torch module has static synapses; this motif has plastic ones")
    if parametrisation not in PARAMETRISATIONS:
        raise UserError(f"parametrisation: one of {', '.join(PARAMETRISATIONS)}, not {parametrisation!r}")
    if surrogate not in SURROGATES:
        raise UserError(f"surrogate: one of {', '.join(SURROGATES)}, not {surrogate!r}")
    if not (isinstance(slope, (int, float)) and 0 < slope < math.inf):
        raise UserError(f"slope: a number above 0 (1/mV), not {slope!r}")
    if isinstance(trainable, str) or not set(trainable) <= set(TRAINABLE):
        raise UserError(f"trainable: a tuple of {', '.join(TRAINABLE)}, not {trainable!r}")
    if dtype not in (torch.float32, torch.float64):
        raise UserError(f"dtype: torch.float32 or torch.float64, not {dtype}")
    if copies is not None and not (isinstance(copies, int) and copies >= 1):
        raise UserError(f"copies: a whole number above 0, not {copies!r}")
