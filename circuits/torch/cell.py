"""A circuit as an nn.Module with the simulator's spikes and surrogate gradients."""

import numpy as np
import torch
from torch import nn

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.motif_file import Motif
from circuits.neurons.model import P11_E
from circuits.torch import eager
from circuits.torch.assemble import Assembly
from circuits.torch.checks import check_credit, check_input, checked, one_of
from circuits.torch.dale import DaleSynapses
from circuits.torch.finite import NotFiniteError, all_finite, require_finite
from circuits.torch.fused import run as fused
from circuits.torch.lif import LifNeurons
from circuits.torch.precision import OwnPrecision, without_autocast
from circuits.torch.short_term import ShortTermSynapses, short_term_of
from circuits.torch.state import State
from circuits.torch.trained import to_motif
from circuits.torch.wiring import by_sign, from_inputs, from_neurons


class MotifCell(OwnPrecision):
    """A circuit as a recurrent module with the timing rule of the simulator.

    Call it with x, [batch, channels] for one step or [steps, batch, channels] for a sequence, and optionally a `State`: 0 and 1
    for spikes, or any reals, in any dtype. It returns the spikes of the outputs as 0 and 1, [batch, slots] or [steps, batch,
    slots], one column per neuron in the order of `ports`, and the state to continue from. Row k of x holds the spikes stamped
    (k + 1) dt, as in `circuits.simulate`; `circuits.on_grid` makes such rows of spike times in ms.

    In float64 and eval mode the spikes are those of `circuits.simulate` (the step of NEST's `iaf_psc_exp`), unless a potential
    meets the threshold to the last bit: the eager engine may round sums in another order. While training, a delay between two
    steps brings a spike in parts in both; in eval mode delays are whole steps. Membrane noise (`noise_mv`) is left out. Within
    torch.compile only shapes are checked.

    Parameters
    ----------
    motif : Motif, Circuit or Assembly
        The circuit, of neurons "lif_psc_exp", "alif_psc_exp" or "lif_cond_exp", with static synapses or short-term plasticity.
        The same parts of the copies in an Assembly share parameters.
    trainable : tuple of str
        Any of "weights", "bias" (the constant drive), "time_constants", "thresholds" and "delays"; wiring and signs never are.
    parametrisation : {"abs", "softplus", "exp", "clamp", "signed"}
        How weights stay >= 0, see `circuits.torch.positive`; "signed" weights may have any sign (no Dale's law).
    surrogate : str
        Surrogate derivative of the spike, see `circuits.torch.surrogate`.
    slope : float
        Slope of the surrogate derivative in 1/mV.
    dtype : torch.dtype
        float32 or float64, in autocast too.
    batch_first : bool
        Sequences are [batch, steps, ...] instead of [steps, batch, ...].
    copies : int, optional
        Number of circuits side by side, which adds an axis before batch.
    share : bool
        Copies share their parameters; otherwise each has its own.
    outputs : {"ports", "excitatory", "all"}
        The output neurons: those of the output ports, or excitatory or all neurons, in the order of the motif.
    longest_delay_ms : float, optional
        The largest delay in ms where delays are trained; by default twice the longest of the motif.
    dampening : float
        Factor of the surrogate derivative, above 0 and at most 1. Below 1 gradients grow less, or vanish, through recurrence.
    clip : float, optional
        Bound of the gradient that is passed back through a potential, in each step, trial and circuit: so many times, in 1/mV,
        the largest gradient that has come from outside to a spike of the circuit. With bounds gradients of sequences of any
        length are finite; None leaves them exact.
    credit : {"full", "local", "eprop"}
        "full": backpropagation through time. "local": gradients do not pass from a neuron to those that project to it within
        the circuit, so that they cannot explode. "eprop", for a `MotifLayer`: the same gradients online, by eligibility traces
        that go on from window to window (Bellec et al., Nat. Commun. 11, 2020), in tensor operations.
    engine : {"auto", "fused", "eager"}
        "fused": compiled kernels, for sequences on the CPU of neurons "lif_psc_exp" and "alif_psc_exp" with static synapses;
        "eager": tensor operations, for all; "auto": whichever fits.

    Raises
    ------
    circuits.errors.UserError
        For a motif that cannot be such a module, an unknown option, an input or state of another shape, NaN or infinity in
        these, in the backward pass for a gradient that is not finite, and for conversion to 16-bit floats.

    Examples
    --------
    >>> import circuits, torch
    >>> from circuits.torch import MotifCell
    >>> cell = MotifCell(circuits.zoo["onset-2"])
    >>> spikes, state = cell(torch.zeros(50, 8, 1))
    >>> spikes.shape
    torch.Size([50, 8, 1])
    """

    readout: torch.Tensor
    taps: torch.Tensor
    driven: torch.Tensor

    def __init__(
        self,
        motif: Motif | Circuit | Assembly,
        *,
        trainable: tuple[str, ...] = ("weights",),
        parametrisation: str = "abs",
        surrogate: str = "fast_sigmoid",
        slope: float = 1.0,
        dtype: torch.dtype = torch.float32,
        batch_first: bool = False,
        copies: int | None = None,
        share: bool = False,
        outputs: str = "ports",
        longest_delay_ms: float | None = None,
        dampening: float = 1.0,
        clip: float | None = None,
        credit: str = "full",
        engine: str = "auto",
    ):
        super().__init__()
        self.settings = {
            "trainable": tuple(trainable),
            "parametrisation": parametrisation,
            "surrogate": surrogate,
            "slope": slope,
            "dampening": dampening,
            "clip": clip,
            "credit": credit,
            "outputs": outputs,
            "longest_delay_ms": longest_delay_ms,
            "engine": engine,
        }
        keys, motif = (motif, motif.motif) if isinstance(motif, Assembly) else (None, motif)
        self.keys = keys is not None
        one_of("outputs", outputs, ("ports", "excitatory", "all"))
        longest = checked(motif, trainable, parametrisation, surrogate, slope, dtype, copies, longest_delay_ms, engine)
        check_credit(motif, trainable, dampening, clip, credit)
        self.motif = motif = motif if isinstance(motif, Motif) else Motif.of(motif)
        self.surrogate, self.slope, self.batch_first, self.engine = surrogate, slope, batch_first, engine
        self.dampening, self.clip, self.credit = dampening, clip, credit
        self.copies, self.share, self.outputs = copies, share, outputs
        self.channels, self.neurons = len(motif.inputs), len(motif.neurons)
        parameter_copies = None if share else copies
        common = {"parametrisation": parametrisation, "copies": parameter_copies, "dtype": dtype, "longest": longest}
        self.wires = (from_inputs(motif), *from_neurons(motif))
        sampled = np.array([channel.signal is not None for channel in motif.inputs], bool)
        self.register_buffer("driven", torch.tensor(sampled[self.wires[0].source]), persistent=False)
        self.drives = bool(sampled.any())
        keys_of = (None, None, None) if keys is None else (keys.inputs, *by_sign(motif, keys.synapses))
        kinds = (("input", 1.0, range(self.channels)), ("excitatory", 1.0, None), ("inhibitory", -1.0, None))
        sections = short_term_of(motif)
        self.input, self.excitatory, self.inhibitory = (
            DaleSynapses(
                name,
                wires,
                sign,
                self.neurons,
                sources=sources,
                keys=same,
                plastic=[k for k, s in enumerate(own_sections) if s],
                **common,
            )
            for (name, sign, sources), wires, same, own_sections in zip(kinds, self.wires, keys_of, sections, strict=True)
        )
        self.plastic = nn.ModuleDict(
            {
                name: ShortTermSynapses(getattr(self, name), own_sections, motif.dt_ms, dtype)
                for (name, _, _), own_sections in zip(kinds, sections, strict=True)
                if any(own_sections)
            }
        )
        times, thresholds = "time_constants" in trainable, "thresholds" in trainable
        self.lif = LifNeurons(
            motif.parameters,
            motif.dt_ms,
            parameter_copies,
            dtype,
            times,
            thresholds,
            None if keys is None else keys.neurons,
            motif.model,
        )
        for kind in (self.input, self.excitatory, self.inhibitory):
            kind.free.requires_grad_("weights" in trainable)
        self.lif.bias_mv.requires_grad_("bias" in trainable)
        self._index_rows()

    def _index_rows(self):
        """Set the indices of the engines: delays, and the output neurons."""
        slots = [slot for columns in self._outputs().values() for slot in columns]
        self.read = np.array(list(dict.fromkeys(slots)), "i8")  # each once
        self.repeats = None if len(self.read) == len(slots) else [self.read.tolist().index(slot) for slot in slots]
        self.register_buffer("readout", torch.tensor(slots, dtype=torch.int64), persistent=False)
        self.delays = sorted({*self.excitatory.delays, *self.inhibitory.delays})
        taps = [
            self.delays.index(delay) * self.neurons + source
            for kind in (self.excitatory, self.inhibitory)
            for delay in kind.delays
            for source in kind.sources
        ]
        self.register_buffer("taps", torch.tensor(taps, dtype=torch.int64), persistent=False)
        self.longest, self.longest_input = max(self.delays, default=0), max(self.input.delays, default=0)
        self.lists = {}  # of the fused kernels

    @property
    def ports(self) -> dict[str, slice]:
        """The columns of the output that belong to each port, a dict of slice."""
        outputs = self._outputs()
        ends = np.cumsum([0, *map(len, outputs.values())]).tolist()
        return dict(zip(outputs, map(slice, ends[:-1], ends[1:]), strict=True))

    def _outputs(self):
        """The neurons of each port's columns; of all outputs under the name of the option where it is not "ports"."""
        if self.outputs == "ports":
            index = self.motif.index
            return {port.name: [index[i] for i in port.neurons] for port in self.motif.outputs}
        every = self.outputs == "all"
        return {self.outputs: [k for k, neuron in enumerate(self.motif.neurons) if every or neuron.sign == "E"]}

    def init_state(self, batch: int) -> State:
        """The state of neurons at rest, without currents and spikes in transit.

        Parameters
        ----------
        batch : int
            Number of trials.

        Returns
        -------
        State
            The state.
        """
        lead = (batch,) if self.copies is None else (self.copies, batch)
        zeros = self.lif.table.new_zeros(*lead, self.neurons)
        inputs = zeros.new_zeros(self.longest_input, *lead, self.channels)
        spikes = zeros.new_zeros(self.longest, *lead, self.neurons)
        states, plastic = self.lif.form.states, sum(part.size for part in self.plastic.values())  # type: ignore[misc]
        further = zeros.new_zeros(states, *zeros.shape) if states else None
        short_term = zeros.new_zeros(2, *lead, plastic) if plastic else None
        return State(zeros, zeros, zeros, zeros.to(torch.int32), inputs, spikes, further, short_term)

    def forward(self, x: torch.Tensor, state: State | None = None) -> tuple[torch.Tensor, State]:
        """Step the circuit; called by calling the module.

        Parameters
        ----------
        x : torch.Tensor
            Input, [batch, channels] or [steps, batch, channels]; that of a sampled channel is (signal - center) / scale.
        state : State, optional
            The state to start from; by default neurons at rest.

        Returns
        -------
        spikes : torch.Tensor
            Spikes of the outputs, [batch, slots] or [steps, batch, slots].
        state : State
            The state to continue from.
        """
        return self._shaped(x, state, everything=False)

    def run(self, x: torch.Tensor, state: State | None = None) -> tuple[torch.Tensor, State]:
        """Step the circuit and return the spikes of all neurons.

        Parameters
        ----------
        x : torch.Tensor
            Input, [batch, channels] or [steps, batch, channels]; that of a sampled channel is (signal - center) / scale.
        state : State, optional
            The state to start from; by default neurons at rest.

        Returns
        -------
        spikes : torch.Tensor
            Spikes of all neurons in the order of the motif, [batch, neurons] or [steps, batch, neurons].
        state : State
            The state to continue from.
        """
        return self._shaped(x, state, everything=True)

    def _shaped(self, x, state, everything):
        if self.credit == "eprop":
            raise UserError(
                'credit: "eprop" is for a MotifLayer, whose projection it trains; a cell alone has "full" and "local"'
            )
        lead = 1 if self.copies is None else 2
        check_input(self, x, state, lead)
        with without_autocast(x):
            return self._stepped(x.to(self.lif.table.dtype), state, everything, x.ndim == lead + 2)

    def _stepped(self, x, state, everything, sequence):
        x = x[None] if not sequence else x.movedim(-2, 0) if self.batch_first else x
        self._check_finite(x, state)
        if self.drives:  # a sampled input is a current, which the synapses of a neuron filter
            filtered = 1 - self.lif.constants()[..., P11_E].index_select(-1, self.input.target)
            self.input.share = torch.where(self.driven, filtered, 1.0)
        if self._fuses(x, sequence):
            read = np.arange(self.neurons) if everything else self.read
            spikes, state = fused.run(self, x, state, read)
            if self.repeats and not everything:
                spikes = spikes[..., self.repeats]
        else:
            spikes, state = eager.run(self, x, self.init_state(x.shape[-2]) if state is None else state)
            spikes = spikes if everything else spikes.index_select(-1, self.readout)
        return (spikes[0] if not sequence else spikes.movedim(0, -2) if self.batch_first else spikes), state

    def _check_finite(self, x, state):
        reals = () if state is None else (state.v, state.i_e, state.i_i, state.inputs, state.further, state.short_term)
        if not all_finite(x, *(tensor for tensor in reals if tensor is not None)):
            require_finite(x, "x", ("step", *(["copy"] if self.copies else []), "trial", "channel"))
            raise NotFiniteError("the state is not finite: it holds NaN or infinity")

    def _fuses(self, x, sequence):
        """Do the fused kernels run this?"""
        possible = x.device.type == "cpu" and not torch.compiler.is_compiling() and len(x) > 0
        if self.plastic or not self.lif.form.linear:
            return False
        if self.engine == "fused" and not possible:
            raise UserError('engine: "fused" needs steps on the CPU outside torch.compile; use "auto"')
        return possible and (self.engine == "fused" or (self.engine == "auto" and sequence))

    def to_motif(self, copy: int = 0) -> Motif:
        """The motif with the present parameters, provenance kept.

        Parameters
        ----------
        copy : int
            Number of the copy, if there are several.

        Returns
        -------
        Motif
            The motif; trained delays are rounded to whole steps.

        Raises
        ------
        circuits.errors.UserError
            If a trained value is not finite or out of range.
        """
        return to_motif(self, copy)

    def extra_repr(self):
        """The size of the circuit, for the representation of the module.

        Returns
        -------
        str
            Channels, neurons, ports and time step.
        """
        return f"{self.channels} channels, {self.neurons} neurons, ports {list(self.ports)}, dt {self.motif.dt_ms:g} ms"
