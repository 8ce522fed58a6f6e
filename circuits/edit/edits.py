"""Edits of a circuit as data: a list of edits turns one circuit into another, and can be stored, sent and undone.

    edits = parse([{"edit": "weight", "synapse": 0, "mv": 12.5}, {"edit": "silence", "neuron": "I0"}])
    changed = apply(circuit, edits)

Synapses are numbered from those of input channels, channel by channel, to those between neurons; a number refers to the circuit
after the preceding edits. An edit that makes an invalid circuit is refused with the reason, by the checks of all circuits.
"""

from collections.abc import Iterable
from functools import cache
from itertools import count
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from circuits.circuit import Circuit, InputChannel, InputSynapse, OutputPort, Synapse
from circuits.edit.lesion import lesion, without
from circuits.errors import UserError, one_line
from circuits.part import Id, Part

MAX_EDITS = 10_000  # edits of one circuit


class _Edit(Part):
    def apply(self, circuit: Circuit) -> Circuit:
        raise NotImplementedError


class Weight(_Edit):
    """Set the weight of a synapse."""

    edit: Literal["weight"] = "weight"
    synapse: int = Field(ge=0)
    mv: float

    def apply(self, circuit):
        return _with_synapse(circuit, self.synapse, weight_mv=self.mv)


class Delay(_Edit):
    """Set the delay of a synapse, rounded to whole steps, at least one."""

    edit: Literal["delay"] = "delay"
    synapse: int = Field(ge=0)
    ms: float

    def apply(self, circuit):
        return _with_synapse(circuit, self.synapse, delay_ms=_on_grid(self.ms, circuit, 1))


class Cut(_Edit):
    """Cut a synapse."""

    edit: Literal["cut"] = "cut"
    synapse: int = Field(ge=0)

    def apply(self, circuit):
        _synapse(circuit, self.synapse)
        return without(circuit, synapses=[self.synapse])


class Connect(_Edit):
    """Add a synapse from an input channel, by its name, or a neuron, by its id, to a neuron."""

    edit: Literal["connect"] = "connect"
    channel: str | None = None
    pre: Id | None = None
    post: Id
    mv: float
    ms: float

    def apply(self, circuit):
        delay = _on_grid(self.ms, circuit, 1)
        if self.channel is not None:
            if self.channel not in [c.name for c in circuit.inputs]:
                raise UserError(f"there is no input channel {self.channel!r}")
            new = _checked(InputSynapse, post=self.post, weight_mv=self.mv, delay_ms=delay)
            inputs = [
                c.model_copy(update={"synapses": (*c.synapses, new)}) if c.name == self.channel else c for c in circuit.inputs
            ]
            return _changed(circuit, inputs=inputs)
        if self.pre is None:
            raise UserError("a synapse begins at a channel or a neuron: name one of them")
        new = _checked(Synapse, pre=self.pre, post=self.post, weight_mv=self.mv, delay_ms=delay)
        return _changed(circuit, synapses=[*circuit.synapses, new])


class Flip(_Edit):
    """Flip the sign of a neuron, and with it of all its synapses; or of one synapse, if it is the only one of its neuron
    (Dale's law)."""

    edit: Literal["flip"] = "flip"
    neuron: Id | None = None
    synapse: int | None = Field(None, ge=0)

    def apply(self, circuit):
        if self.neuron is not None:
            return self._flipped(circuit, self.neuron)
        if self.synapse is None:
            raise UserError("name the neuron or the synapse to flip")
        source, synapse = _synapse(circuit, self.synapse)
        if source is not None:
            raise UserError(f"input channels excite: the synapse from {source} to {synapse.post} cannot inhibit")
        others = [s.post for s in circuit.synapses if s.pre == synapse.pre and s is not synapse]
        if others:
            does = "excites" if _neuron(circuit, synapse.pre).sign == "E" else "inhibits"
            raise UserError(
                f"Dale's law: {synapse.pre} {does} all its targets alike, and has {len(others)} more ({_listed(others)}): flip "
                f"{synapse.pre} itself"
            )
        return self._flipped(circuit, synapse.pre)

    def _flipped(self, circuit, neuron):
        old = _neuron(circuit, neuron)
        port = next((o.name for o in circuit.outputs if neuron in o.neurons), None)
        if old.sign == "E" and port is not None:
            raise UserError(f"output {port!r} reads {neuron}, and only excitatory neurons can be read: change the output first")
        return _with_neuron(circuit, neuron, sign="I" if old.sign == "E" else "E", type="")


class Silence(_Edit):
    """Silence a neuron: remove its synapses and its drive."""

    edit: Literal["silence"] = "silence"
    neuron: Id

    def apply(self, circuit):
        return lesion(circuit, neurons=[self.neuron])


class Remove(_Edit):
    """Remove a neuron, with its synapses and its slots in output ports."""

    edit: Literal["remove"] = "remove"
    neuron: Id

    def apply(self, circuit):
        return without(circuit, neurons=[self.neuron])


class Set(_Edit):
    """Set a parameter of a neuron."""

    edit: Literal["set"] = "set"
    neuron: Id
    parameter: str
    value: float

    def apply(self, circuit):
        parameters = circuit.model.parameters
        if self.parameter not in parameters:
            raise UserError(
                f"neurons of {circuit.neuron_model} have no parameter {self.parameter!r}; they have {', '.join(parameters)}"
            )
        value = _on_grid(self.value, circuit, 0) if self.parameter == "t_ref_ms" else self.value
        return _with_neuron(circuit, self.neuron, **{self.parameter: value})


class Noise(_Edit):
    """Set the membrane noise, as standard deviation of a membrane with noise alone."""

    edit: Literal["noise"] = "noise"
    mv: float

    def apply(self, circuit):
        return _changed(circuit, noise_mv=self.mv)


class Place(_Edit):
    """Add a neuron of the circuit's model, with the default parameters."""

    edit: Literal["place"] = "place"
    sign: Literal["E", "I"]
    neuron: Id | None = None

    def apply(self, circuit):
        names = {str(n.id) for n in circuit.neurons}
        name = self.neuron or next(name for k in count() if (name := f"{self.sign}{k}") not in names)
        return _changed(circuit, neurons=[*circuit.neurons, circuit.model.neuron(id=name, sign=self.sign)])


class Channel(_Edit):
    """Add an input channel."""

    edit: Literal["channel"] = "channel"
    name: str

    def apply(self, circuit):
        return _changed(circuit, inputs=[*circuit.inputs, _checked(InputChannel, name=self.name)])


class Read(_Edit):
    """Let an output port read one neuron instead of its present ones; a missing port is added."""

    edit: Literal["read"] = "read"
    port: str
    neuron: Id

    def apply(self, circuit):
        new = _checked(OutputPort, name=self.port, neurons=(self.neuron,))
        if self.port in [o.name for o in circuit.outputs]:
            return _changed(circuit, outputs=[new if o.name == self.port else o for o in circuit.outputs])
        return _changed(circuit, outputs=[*circuit.outputs, new])


Edit = Annotated[
    Weight | Delay | Cut | Connect | Flip | Silence | Remove | Set | Noise | Place | Channel | Read, Field(discriminator="edit")
]


@cache
def _adapter():
    return TypeAdapter(list[Edit])


def parse(edits: Any) -> list[Edit]:
    """Validate edits from plain JSON. Raises UserError."""
    if isinstance(edits, list) and len(edits) > MAX_EDITS:
        raise UserError(f"{len(edits)} edits are more than {MAX_EDITS}: save the circuit and continue from the file")
    try:
        return _adapter().validate_python(edits)
    except ValidationError as error:
        raise UserError(f"edits: {one_line(error)}") from None


def apply(circuit: Circuit, edits: Iterable[Edit]) -> Circuit:
    """Apply the edits in order. Raises UserError with the reason for an invalid one."""
    for edit in edits:
        circuit = edit.apply(circuit)
    return circuit


def _on_grid(ms, circuit, min_steps):
    return round(max(min_steps, round(ms / circuit.dt_ms)) * circuit.dt_ms, 9)


def _changed(circuit, **changes):
    """The circuit with these parts, validated."""
    parts = {name: getattr(circuit, name) for name in Circuit.model_fields} | changes
    return _checked(Circuit, **parts)


def _checked(kind, **parts):
    try:
        return kind(**parts)
    except ValidationError as error:
        raise UserError(one_line(error)) from None


def _neuron(circuit, name):
    for neuron in circuit.neurons:
        if neuron.id == name:
            return neuron
    raise UserError(f"there is no neuron {name!r}")


def _with_neuron(circuit, name, **changes):
    old = _neuron(circuit, name)
    new = _checked(type(old), **(old.model_dump() | changes))
    return _changed(circuit, neurons=[new if n is old else n for n in circuit.neurons])


def _synapse(circuit, number):
    """The channel (None between neurons) and the synapse with this number."""
    synapses = [(c.name, s) for c in circuit.inputs for s in c.synapses] + [(None, s) for s in circuit.synapses]
    if number >= len(synapses):
        raise UserError(f"there is no synapse {number}; there are {len(synapses)}")
    return synapses[number]


def _with_synapse(circuit, number, **changes):
    _, old = _synapse(circuit, number)
    new = _checked(type(old), **(dict(old) | changes))
    inputs = [c.model_copy(update={"synapses": tuple(new if s is old else s for s in c.synapses)}) for c in circuit.inputs]
    return _changed(circuit, inputs=inputs, synapses=[new if s is old else s for s in circuit.synapses])


def _listed(names):
    return ", ".join(map(str, names[:4])) + (", ..." if len(names) > 4 else "")
