"""Encoding a circuit as a genome: the inverse of `to_circuit`, for circuits from elsewhere."""

from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.errors import UserError
from evo.genome import record
from evo.genome.record import GAIN, GRID, Encoding, type_row


class Encoded(NamedTuple):
    """The genome of a circuit, a record of `genome.dtype`, and whether numbers were rounded to the genome's grid."""

    genome: np.void
    rounded: bool


def from_circuit(circuit: Circuit, encoding: Encoding, inputs, outputs) -> Encoded:
    """The genome of a circuit, with its neurons in the slots in order.

    inputs, outputs  of the task: channels and ports are matched by these names, or by order if the names differ
    Raises UserError that names the part of the circuit that does not fit, and the key of [circuit] to change.
    """
    work = _Work(circuit, encoding)
    work.neurons()
    work.synapses(_order("input channels", [c.name for c in circuit.inputs], inputs), inputs)
    work.readout(outputs)
    for fault in record.faults(work.genome, encoding.bounds):
        raise UserError(f"its genome would have a fault: {fault}")
    return Encoded(work.genome, work.rounded)


class _Work:
    """A genome in the making."""

    def __init__(self, circuit: Circuit, encoding: Encoding):
        self.circuit, self.encoding, self.bounds = circuit, encoding, encoding.bounds
        self.genome = record.empty(self.bounds, 1)[0]
        self.rounded = False
        self.slot = {neuron.id: k for k, neuron in enumerate(circuit.neurons)}

    def neurons(self):
        circuit, encoding, bounds = self.circuit, self.encoding, self.bounds
        if circuit.neuron_model != encoding.model.name:
            raise UserError(f"its neurons are {circuit.neuron_model}, circuit.neuron_model is {encoding.model.name}")
        total = len(circuit.neurons)
        e = int(circuit.excitatory.sum()) if bounds.dale else total
        sizes = np.add(*np.nonzero(bounds.allowed))
        if not sizes.min() <= total <= sizes.max():
            raise UserError(f"it has {total} neurons, circuit.neurons allows {sizes.min()} to {sizes.max()}")
        if not bounds.allowed[e, total - e]:
            share = f"{e} E and {total - e} I neurons"
            raise UserError(f"it has {share}, which circuit.neurons and circuit.excitatory_share do not allow together")
        for slot, neuron in enumerate(circuit.neurons):
            self.genome["kind"][slot] = kind = self._kind(neuron)
            row = type_row(kind, bounds.excitatory)
            values = {name: getattr(neuron, name) for name in encoding.model.names} | self._plastic(neuron, row)
            for p, (name, value) in enumerate(values.items()):
                self.genome["parameters"][slot, p] = self._fitted(
                    value,
                    bounds.step[p],
                    bounds.parameter[row, :, p],
                    f"{name} of {neuron.id!r}",
                    f"circuit.parameters.{name}",
                )

    def _kind(self, neuron):
        encoding, excitatory = self.encoding, self.bounds.excitatory
        excites = neuron.sign == "E" or not self.bounds.dale
        rows = range(excitatory) if excites else range(excitatory, len(encoding.types))
        if not any(encoding.types):
            if not len(rows):
                raise UserError(f"neuron {neuron.id!r} is {neuron.sign}, and there are none")
            return 1 if excites else -1
        row = next((row for row in rows if encoding.types[row] == neuron.type), None)
        if row is None:
            known = ", ".join(encoding.types[row] for row in rows) or "none"
            raise UserError(
                f"neuron {neuron.id!r} is of the type {neuron.type!r}, circuit.types of sign {neuron.sign} are: {known}"
            )
        return row + 1 if row < excitatory else excitatory - row - 1

    def _plastic(self, neuron, row):
        """The parameters of a neuron's plastic outgoing synapses, of which a genome has one set."""
        model = self.encoding.synapse_model
        outgoing = [s for s in self.circuit.synapses if s.pre == neuron.id]
        wanted = "static" if model is None else model.name
        for s in outgoing:
            kind = "short_term" if s.short_term else "stdp" if s.stdp else "static"
            if kind != wanted:
                raise UserError(f"the synapse from {s.pre!r} to {s.post!r} is {kind}, circuit.synapse_model is {wanted}")
        if model is None:
            return {}
        sections = {getattr(s, model.name) for s in outgoing}
        if len(sections) > 1:
            raise UserError(f"the synapses from {neuron.id!r} differ in their {model.name} parameters; a search keeps one set")
        if sections:
            return sections.pop().model_dump()
        low, high = self.bounds.parameter[row, :, len(self.encoding.model.names) :]
        defaults = [p.default for p in model.parameters.values()]
        return dict(zip(model.parameters, np.clip(defaults, low, high).tolist(), strict=True))

    def synapses(self, channels, names):
        count, sampled = self.bounds.channels, self.encoding.sampled
        for k, channel in enumerate(self.circuit.inputs[c] for c in channels):
            wanted = sampled[k] if k < len(sampled) else None
            if channel.signal != wanted:
                raise UserError(
                    f"its input {channel.name!r} is of {_of(channel.signal)}, that of the task, {names[k]!r}, of {_of(wanted)}"
                )
            for s in channel.synapses:
                if s.short_term or s.stdp:
                    raise UserError(f"the synapse from input {channel.name!r} to {s.post!r} is plastic; a search's are static")
                self._synapse(k, s, GAIN if wanted else 0, f"from input {channel.name!r} to {s.post!r}")
        for s in self.circuit.synapses:
            row = 0 if self.circuit.neurons[self.slot[s.pre]].sign == "E" else 1
            self._synapse(count + self.slot[s.pre], s, row, f"from {s.pre!r} to {s.post!r}")
        degree = (self.genome["weight"] != 0).sum(axis=0)
        if degree.max() > self.bounds.in_degree:
            busy = self.circuit.neurons[int(degree.argmax())].id
            raise UserError(f"neuron {busy!r} has {degree.max()} synapses, circuit.in_degree allows {self.bounds.in_degree}")

    def _synapse(self, source, s, range_of, between):
        """`range_of`: the row of `Bounds.weight`."""
        bounds, genome, post = self.bounds, self.genome, self.slot[s.post]
        row = type_row(int(genome["kind"][post]), bounds.excitatory)
        kind = 0 if source < bounds.channels else 1 + type_row(int(genome["kind"][source - bounds.channels]), bounds.excitatory)
        if not bounds.projects[kind, row]:
            raise UserError(f"the synapse {between} is one that circuit.types does not allow")
        steps = s.delay_ms / bounds.dt_ms
        low, high = bounds.delay
        if abs(steps - round(steps)) > 1e-6 or not low <= round(steps) <= high:
            allowed = f"{low * bounds.dt_ms:g} to {high * bounds.dt_ms:g} ms in steps of the task's {bounds.dt_ms:g} ms"
            raise UserError(f"the delay {between} is {s.delay_ms:g} ms, circuit.delay_ms allows {allowed}")
        if s.weight_mv == 0:
            self.rounded = True  # a synapse without effect is left out
            return
        key = f"circuit.{('excitatory_weight_mv', 'inhibitory_weight_mv', 'gain_mv')[range_of]}"
        weight = self._fitted(s.weight_mv, 1 / GRID, bounds.weight[range_of], f"the weight {between}", key)
        if genome["weight"][source, post]:
            raise UserError(f"there are two synapses {between}; a search keeps one")
        genome["weight"][source, post] = weight if bounds.dale or range_of != 1 else -weight
        genome["delay"][source, post] = round(steps)

    def _fitted(self, value, step, pair, name, key):
        """A value moved onto the grid and into its range, by less than a step of the grid; else UserError."""
        fitted = float(np.clip(np.rint(value / step) * step, *pair))
        if abs(fitted - value) >= step * (1 - 1e-9) + 1e-9 * abs(value):
            low, high = (f"{end:g}" for end in pair)
            allowed = f"{low} to {high}" if low != high else low
            raise UserError(f"{name} is {value:g}, {key} allows {allowed}")
        self.rounded |= abs(fitted - value) > 1e-6 * max(1.0, abs(value))
        return fitted

    def readout(self, outputs):
        """Match ports by name, or all their neurons in order."""
        ports = self.circuit.outputs
        if {port.name for port in ports} == set(outputs) and all(len(port.neurons) == 1 for port in ports):
            read = [next(port for port in ports if port.name == name).neurons[0] for name in outputs]
        else:
            read = [neuron for port in ports for neuron in port.neurons]
        if len(read) != len(outputs):
            raise UserError(
                f"{len(read)} neurons are read by its output ports, the task reads {len(outputs)}: {_listed(outputs)}"
            )
        slots = [self.slot[neuron] for neuron in read]
        if len(set(slots)) < len(slots):
            raise UserError("two outputs read one neuron; in a search each reads its own")
        self.genome["readout"] = slots


def _order(kind, names, wanted):
    """Index of each wanted name among the names, or the given order if the names differ."""
    if len(names) != len(wanted):
        raise UserError(f"it has {len(names)} {kind}, the task has {len(wanted)}: {_listed(wanted)}")
    return [names.index(name) for name in wanted] if set(names) == set(wanted) else range(len(names))


def _of(signal):
    return "spikes" if signal is None else f"{signal.of} in units of {signal.scale:g} {signal.unit} from {signal.center:g}"


def _listed(names):
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
