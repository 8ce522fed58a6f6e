"""Edits of a circuit as data: a list of them takes one circuit to another, can be kept, sent and taken back.

    edits = parse([{"edit": "weight", "synapse": 0, "mv": 12.5}, {"edit": "silence", "neuron": "I0"}])
    changed = apply(circuit, edits)

Synapses are numbered as everywhere, those from input channels first, channel by channel; a number counts in the circuit that an
edit finds, after those before it. What a circuit cannot be is refused with the reason, by the checks that every circuit passes.
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

MOST = 10_000  # edits of one circuit


class _Edit(Part):
    def apply(self, circuit: Circuit) -> Circuit:
        raise NotImplementedError


class Weight(_Edit):
    """Give a synapse another weight."""

    edit: Literal["weight"] = "weight"
    synapse: int = Field(ge=0)
    mv: float

    def apply(self, circuit):
        return _with_synapse(circuit, self.synapse, weight_mv=self.mv)


class Delay(_Edit):
    """Give a synapse another delay, the nearest one in whole steps of at least one."""

    edit: Literal["delay"] = "delay"
    synapse: int = Field(ge=0)
    ms: float

    def apply(self, circuit):
        steps = max(1, round(self.ms / circuit.dt_ms))
        return _with_synapse(circuit, self.synapse, delay_ms=round(steps * circuit.dt_ms, 9))


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
        delay = round(max(1, round(self.ms / circuit.dt_ms)) * circuit.dt_ms, 9)
        if self.channel is not None:
            if self.channel not in [c.name for c in circuit.inputs]:
                raise UserError(f"there is no input channel {self.channel!r}")
            new = _checked(InputSynapse, post=self.post, weight_mv=self.mv, delay_ms=delay)
            inputs = [
                c.model_copy(update={"synapses": (*c.synapses, new)}) if c.name == self.channel else c for c in circuit.inputs
            ]
            return _made(circuit, inputs=inputs)
        if self.pre is None:
            raise UserError("a synapse begins at a channel or a neuron: name one of them")
        new = _checked(Synapse, pre=self.pre, post=self.post, weight_mv=self.mv, delay_ms=delay)
        return _made(circuit, synapses=[*circuit.synapses, new])


class Flip(_Edit):
    """Turn the sign of a neuron, and with it that of all its synapses; or of one synapse, which Dale's law allows only where
    that is the only one of its neuron."""

    edit: Literal["flip"] = "flip"
    neuron: Id | None = None
    synapse: int | None = Field(None, ge=0)

    def apply(self, circuit):
        if self.neuron is not None:
            return self._turned(circuit, self.neuron)
        if self.synapse is None:
            raise UserError("name the neuron or the synapse whose sign is to be turned")
        source, one = _synapse(circuit, self.synapse)
        if source is not None:
            raise UserError(f"input channels excite: the synapse from {source} to {one.post} cannot inhibit")
        others = [s.post for s in circuit.synapses if s.pre == one.pre and s is not one]
        if others:
            does = "excites" if _neuron(circuit, one.pre).sign == "E" else "inhibits"
            raise UserError(
                f"Dale's law: {one.pre} {does} all its targets alike, and has {len(others)} more ({_listed(others)}): flip "
                f"{one.pre} itself"
            )
        return self._turned(circuit, one.pre)

    def _turned(self, circuit, neuron):
        mine = _neuron(circuit, neuron)
        port = next((o.name for o in circuit.outputs if neuron in o.neurons), None)
        if mine.sign == "E" and port is not None:
            raise UserError(
                f"{neuron} is read by output {port!r}, and only excitatory neurons can be read: let the port read another one "
                "first"
            )
        return _with_neuron(circuit, neuron, sign="I" if mine.sign == "E" else "E", type="")


class Silence(_Edit):
    """Silence a neuron: nothing reaches it, it reaches nothing, and it has no drive."""

    edit: Literal["silence"] = "silence"
    neuron: Id

    def apply(self, circuit):
        return lesion(circuit, neurons=[self.neuron])


class Remove(_Edit):
    """Take a neuron out, with its synapses and its places in the output ports."""

    edit: Literal["remove"] = "remove"
    neuron: Id

    def apply(self, circuit):
        return without(circuit, neurons=[self.neuron])


class Set(_Edit):
    """Give a parameter of a neuron another value."""

    edit: Literal["set"] = "set"
    neuron: Id
    parameter: str
    value: float

    def apply(self, circuit):
        known = circuit.model.parameters
        if self.parameter not in known:
            raise UserError(
                f"neurons of {circuit.neuron_model} have no parameter {self.parameter!r}; they have {', '.join(known)}"
            )
        value = self.value
        if self.parameter == "t_ref_ms":
            value = round(max(0, round(value / circuit.dt_ms)) * circuit.dt_ms, 9)
        return _with_neuron(circuit, self.neuron, **{self.parameter: value})


class Noise(_Edit):
    """Give the membranes another noise: the standard deviation that it alone would give them."""

    edit: Literal["noise"] = "noise"
    mv: float

    def apply(self, circuit):
        return _made(circuit, noise_mv=self.mv)


class Place(_Edit):
    """Add a neuron of the circuit's model, with the default parameters."""

    edit: Literal["place"] = "place"
    sign: Literal["E", "I"]
    neuron: Id | None = None

    def apply(self, circuit):
        there = {str(n.id) for n in circuit.neurons}
        name = self.neuron or next(name for k in count() if (name := f"{self.sign}{k}") not in there)
        return _made(circuit, neurons=[*circuit.neurons, circuit.model.neuron(id=name, sign=self.sign)])


class Channel(_Edit):
    """Add an input channel."""

    edit: Literal["channel"] = "channel"
    name: str

    def apply(self, circuit):
        return _made(circuit, inputs=[*circuit.inputs, _checked(InputChannel, name=self.name)])


class Read(_Edit):
    """Let an output port read a neuron, in place of what it read; a port that is not there is made."""

    edit: Literal["read"] = "read"
    port: str
    neuron: Id

    def apply(self, circuit):
        new = _checked(OutputPort, name=self.port, neurons=(self.neuron,))
        if self.port in [o.name for o in circuit.outputs]:
            return _made(circuit, outputs=[new if o.name == self.port else o for o in circuit.outputs])
        return _made(circuit, outputs=[*circuit.outputs, new])


Edit = Annotated[
    Weight | Delay | Cut | Connect | Flip | Silence | Remove | Set | Noise | Place | Channel | Read, Field(discriminator="edit")
]


@cache
def _adapter():
    return TypeAdapter(list[Edit])


def parse(edits: Any) -> list[Edit]:
    """Edits from plain JSON, checked. Raises UserError."""
    if isinstance(edits, list) and len(edits) > MOST:
        raise UserError(f"{len(edits)} edits are more than {MOST}: save the circuit and go on from the file")
    try:
        return _adapter().validate_python(edits)
    except ValidationError as error:
        raise UserError(f"edits: {one_line(error)}") from None


def apply(circuit: Circuit, edits: Iterable[Edit]) -> Circuit:
    """The circuit after the edits, one after the other. Raises UserError with the reason for one that cannot be."""
    for edit in edits:
        circuit = edit.apply(circuit)
    return circuit


def _made(circuit, **changes):
    """The circuit with these parts, checked as every circuit is."""
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
    return _made(circuit, neurons=[new if n is old else n for n in circuit.neurons])


def _synapse(circuit, number):
    """The channel (None between neurons) and the synapse of a number."""
    every = [(c.name, s) for c in circuit.inputs for s in c.synapses] + [(None, s) for s in circuit.synapses]
    if number >= len(every):
        raise UserError(f"there is no synapse {number}; there are {len(every)}")
    return every[number]


def _with_synapse(circuit, number, **changes):
    _, old = _synapse(circuit, number)
    new = _checked(type(old), **(dict(old) | changes))
    inputs = [c.model_copy(update={"synapses": tuple(new if s is old else s for s in c.synapses)}) for c in circuit.inputs]
    return _made(circuit, inputs=inputs, synapses=[new if s is old else s for s in circuit.synapses])


def _listed(names):
    return ", ".join(map(str, names[:4])) + (", ..." if len(names) > 4 else "")
