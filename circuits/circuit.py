"""Circuits: neurons, input channels, synapses, output ports; checked when made, immutable afterwards.

Dale's law is in the data: a neuron carries the sign, a synapse only a weight >= 0.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

import numpy as np
from pydantic import Field, StrictStr, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from circuits import show
from circuits.neurons import LIF_PSC_EXP, MODELS, Cell, NeuronModel
from circuits.part import Id, Part
from circuits.synapses import ShortTerm, Stdp

MAX_DELAY_STEPS = 65_535


def _of_the_model(neuron: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Cell:
    """Validate a neuron by the class of the circuit's model; strictly with a context, when a file is read."""
    model = MODELS[info.data.get("neuron_model", LIF_PSC_EXP.name)]
    if isinstance(neuron, Cell) and type(neuron) is not model.neuron:
        raise ValueError(f"is a {type(neuron).__name__}; neuron_model {model.name!r} wants a {model.neuron.__name__}")
    return model.neuron.model_validate(neuron, strict=True if info.context else None)


if TYPE_CHECKING:
    AnyNeuron = Cell
else:
    AnyNeuron = Annotated[Union[tuple(model.neuron for model in MODELS.values())], WrapValidator(_of_the_model)]  # noqa: UP007


class _Connection(Part):
    @model_validator(mode="after")
    def _of_one_model(self):
        if self.short_term and self.stdp:  # type: ignore[attr-defined]
            raise ValueError("a synapse has a section short_term or stdp, not both")
        return self


class InputSynapse(_Connection):
    """An excitatory synapse from an input channel to a neuron.

    Parameters
    ----------
    post : str or int
        Id of the postsynaptic neuron.
    weight_mv : float
        Weight in mV, at least 0: the peak of the synaptic current times the membrane resistance.
    delay_ms : float
        Delay in ms, a whole multiple of the time step.
    short_term : ShortTerm, optional
        Parameters of short-term plasticity.
    stdp : Stdp, optional
        Parameters of spike-timing-dependent plasticity; a synapse has one kind of plasticity or none.

    Examples
    --------
    >>> from circuits import InputSynapse
    >>> InputSynapse(post="E0", weight_mv=20, delay_ms=1.5).delay_ms
    1.5
    """

    post: Id
    weight_mv: float = Field(ge=0)
    delay_ms: float = Field(gt=0)
    short_term: ShortTerm | None = None
    stdp: Stdp | None = None


class Synapse(_Connection):
    """A synapse between two neurons; its sign is the sign of the presynaptic neuron.

    Parameters
    ----------
    pre : str or int
        Id of the presynaptic neuron.
    post : str or int
        Id of the postsynaptic neuron.
    weight_mv : float
        Weight in mV, at least 0: the peak of the synaptic current times the membrane resistance.
    delay_ms : float
        Delay in ms, a whole multiple of the time step.
    short_term : ShortTerm, optional
        Parameters of short-term plasticity.
    stdp : Stdp, optional
        Parameters of spike-timing-dependent plasticity; a synapse has one kind of plasticity or none.

    Examples
    --------
    >>> from circuits import Synapse
    >>> Synapse(pre="I0", post="E0", weight_mv=65, delay_ms=1).pre
    'I0'
    """

    pre: Id
    post: Id
    weight_mv: float = Field(ge=0)
    delay_ms: float = Field(gt=0)
    short_term: ShortTerm | None = None
    stdp: Stdp | None = None


class Sampled(Part):
    """The signal of a sampled input channel: numbers that drive neurons, instead of spikes.

    Neurons are driven by x = (signal - center) / scale; a negative scale drives them by the inverted signal.

    Parameters
    ----------
    of : str
        Name of the signal; several channels may share it.
    unit : str
        Unit of the signal, of its center and of its scale.
    center, scale : float
        The value of the signal at which x is 0, and the difference from it at which x is 1.

    Examples
    --------
    >>> from circuits import Sampled
    >>> Sampled(of="sound", unit="dB", center=60, scale=5).scale
    5.0
    """

    of: Annotated[StrictStr, Field(min_length=1)]
    unit: StrictStr = ""
    center: float = Field(0.0, ge=-1e12, le=1e12)
    scale: float = Field(1.0, ge=-1e12, le=1e12)

    @model_validator(mode="after")
    def _no_division_by_zero(self):
        if not abs(self.scale) >= 1e-12:
            raise ValueError(f"scale: {self.scale:g} must not be 0")
        return self


class InputChannel(Part):
    """External excitatory afferents that share one spike train in each trial; or one sampled signal.

    The connections of a sampled channel are currents that neurons filter by `tau_syn_e_ms`; `weight_mv` is then their gain, the
    steady drive by x = 1 (see `Sampled`).

    Parameters
    ----------
    name : str
        Name of the channel.
    signal : Sampled, optional
        The signal of a sampled channel; a channel without one has spikes.
    synapses : sequence of InputSynapse
        Synapses of the afferents on neurons.

    Examples
    --------
    >>> from circuits import InputChannel, InputSynapse
    >>> InputChannel(name="left ear", synapses=[InputSynapse(post="E0", weight_mv=20, delay_ms=1)]).name
    'left ear'
    """

    name: Annotated[StrictStr, Field(min_length=1)]
    signal: Sampled | None = None
    synapses: tuple[InputSynapse, ...] = ()


class OutputPort(Part):
    """A named, ordered list of excitatory neurons that other circuits or readouts receive.

    Parameters
    ----------
    name : str
        Name of the port.
    neurons : sequence of str or int
        Ids of at least one excitatory neuron.

    Examples
    --------
    >>> from circuits import OutputPort
    >>> OutputPort(name="yes", neurons=["E0"]).neurons
    ('E0',)
    """

    name: Annotated[StrictStr, Field(min_length=1)]
    neurons: tuple[Id, ...] = Field(min_length=1)


class Circuit(Part):
    """An excitatory/inhibitory spiking circuit.

    A circuit is checked when it is made and cannot be changed afterwards; `model_copy(update={...})` makes a changed copy.

    Parameters
    ----------
    dt_ms : float
        Time step in ms, above 0 and at most 100.
    neuron_model : str
        Name of the neuron model, "lif_psc_exp" by default; `evo models` lists the others.
    noise_mv : float
        Membrane noise: the standard deviation in mV that the noise alone would give the membrane potential.
    neurons : sequence of neurons
        At least one; of class `Neuron` for "lif_psc_exp".
    inputs : sequence of InputChannel
        Input channels, in the order of the channels of every stimulus.
    synapses : sequence of Synapse
        Synapses between neurons.
    outputs : sequence of OutputPort
        Output ports.

    Raises
    ------
    pydantic.ValidationError
        A ValueError, for: no neurons, repeated ids or names, a synapse or port of an unknown neuron, an inhibitory neuron in an
        output port, v_reset >= v_th, delays or refractory periods that are not whole multiples of `dt_ms`.

    Examples
    --------
    >>> from circuits import Circuit, InputChannel, InputSynapse, Neuron, OutputPort
    >>> relay = Circuit(
    ...     dt_ms=0.1,
    ...     neurons=[Neuron(id="E0", sign="E")],
    ...     inputs=[InputChannel(name="in", synapses=[InputSynapse(post="E0", weight_mv=90, delay_ms=1)])],
    ...     outputs=[OutputPort(name="out", neurons=["E0"])],
    ... )
    >>> relay
    <Circuit 1 E, 0 I, 1 synapses, inputs ['in'], outputs ['out'], dt 0.1 ms>
    """

    dt_ms: float = Field(gt=0, le=100)
    neuron_model: Literal[tuple(MODELS)] = LIF_PSC_EXP.name  # type: ignore[valid-type]
    noise_mv: float = Field(
        0.0, ge=0, le=1_000, description="membrane noise: the standard deviation that it alone would give V"
    )
    neurons: tuple[AnyNeuron, ...] = Field(json_schema_extra={"minItems": 1})
    inputs: tuple[InputChannel, ...] = ()
    synapses: tuple[Synapse, ...] = ()
    outputs: tuple[OutputPort, ...] = ()

    @model_validator(mode="after")
    def _consistent(self):
        if not self.neurons:
            raise ValueError("neurons: a circuit has at least one")
        _unique("neurons", [n.id for n in self.neurons])
        _unique("inputs", [c.name for c in self.inputs])
        _unique("outputs", [o.name for o in self.outputs])
        sign = {n.id: n.sign for n in self.neurons}
        for k, n in enumerate(self.neurons):
            self._whole_steps(f"neurons[{k}].t_ref_ms", n.t_ref_ms, minimum=0)
        locations = [(f"inputs[{c}].synapses[{k}]", s) for c, i in enumerate(self.inputs) for k, s in enumerate(i.synapses)]
        locations += [(f"synapses[{k}]", s) for k, s in enumerate(self.synapses)]
        for location, synapse in locations:
            for end in ("pre", "post"):
                if hasattr(synapse, end) and getattr(synapse, end) not in sign:
                    raise ValueError(f"{location}.{end}: there is no neuron {getattr(synapse, end)!r}")
            self._whole_steps(f"{location}.delay_ms", synapse.delay_ms, minimum=1)
        for c, channel in enumerate(self.inputs):
            self._can_be_sampled(f"inputs[{c}]", channel)
        for o, output in enumerate(self.outputs):
            for k, neuron in enumerate(output.neurons):
                if sign.get(neuron) != "E":
                    problem = "there is no neuron" if neuron not in sign else "only E neurons can be read, not"
                    raise ValueError(f"outputs[{o}].neurons[{k}]: {problem} {neuron!r}")
        return self

    def _whole_steps(self, location, time_ms, minimum):
        steps = time_ms / self.dt_ms
        if not minimum - 0.5 <= steps < MAX_DELAY_STEPS + 0.5 or abs(steps - round(steps)) > 1e-6:
            expected = f"{minimum} to {MAX_DELAY_STEPS} whole steps of dt_ms = {self.dt_ms:g}"
            raise ValueError(f"{location}: {time_ms:g} ms must be {expected}")

    def _can_be_sampled(self, location, channel):
        if channel.signal is None:
            return
        if not self.model.currents:
            raise ValueError(f"{location}.signal: {self.neuron_model} neurons have conductances, which no signal can drive")
        for k, synapse in enumerate(channel.synapses):
            if synapse.short_term or synapse.stdp:
                raise ValueError(f"{location}.synapses[{k}]: a connection of a sampled channel cannot be plastic")

    @property
    def model(self) -> NeuronModel:
        """The neuron model, by its name `neuron_model`."""
        return MODELS[self.neuron_model]

    @property
    def index(self) -> dict[Any, int]:
        """Index of each neuron by its id, a dict."""
        return {neuron.id: k for k, neuron in enumerate(self.neurons)}

    @property
    def excitatory(self) -> np.ndarray:
        """Mask of the excitatory neurons, bool [neurons]."""
        return np.array([n.sign == "E" for n in self.neurons])

    @property
    def parameters(self) -> np.ndarray:
        """Parameters of the neurons in the order of `model.parameters`, float64 [neurons, parameters]."""
        return np.array([[getattr(n, name) for name in self.model.names] for n in self.neurons])

    @property
    def nodes(self) -> list[tuple[str, Any]]:
        """Input channels and neurons, a list of ("input", name) and ("neuron", id)."""
        return [("input", c.name) for c in self.inputs] + [("neuron", n.id) for n in self.neurons]

    @property
    def all_synapses(self) -> list[tuple[tuple[str, Any], Any]]:
        """All synapses, those from input channels first, a list of (source, synapse) with sources as in `nodes`."""
        from_inputs = [(("input", c.name), synapse) for c in self.inputs for synapse in c.synapses]
        return [*from_inputs, *((("neuron", synapse.pre), synapse) for synapse in self.synapses)]

    @property
    def synapse_count(self) -> int:
        """Number of synapses between neurons and from input channels."""
        return len(self.synapses) + sum(len(c.synapses) for c in self.inputs)

    def __repr__(self):
        e = int(self.excitatory.sum())
        return (
            f"<Circuit {e} E, {len(self.neurons) - e} I, {self.synapse_count} synapses, "
            f"inputs {[c.name for c in self.inputs]}, outputs {[o.name for o in self.outputs]}, dt {self.dt_ms:g} ms>"
        )

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return show.draw(self, "html")


def _unique(part, names):
    seen = set()
    for k, name in enumerate(names):
        if name in seen:
            raise ValueError(f"{part}[{k}]: {name!r} occurs twice")
        seen.add(name)
