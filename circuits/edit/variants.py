"""Variants of one circuit, with parts removed, weights and parameters changed, packed for simulation without building a circuit
of each."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.simulation.packed import DRIVE, PackedCircuits, from_circuit, order_of_summation
from circuits.synapses import MODELS


class Variants(NamedTuple):
    """`V` variants of a circuit with `N` neurons and `S` synapses, those from input channels first, channel by channel.

    present     bool [V, N]: other neurons are removed, with their synapses; output slots that read them stay silent
    kept        bool [V, S]: other synapses are cut
    weight      float64 [V, S], mV;   parameters  float64 [V, N, parameters], in the order of the model's
    """

    present: np.ndarray
    kept: np.ndarray
    weight: np.ndarray
    parameters: np.ndarray

    @classmethod
    def of(cls, circuit: Circuit, count: int) -> "Variants":
        """Copies of the unchanged circuit."""
        weight = [synapse.weight_mv for _, synapse in circuit.all_synapses]
        shape = count, len(circuit.neurons)
        return cls(
            np.ones(shape, bool),
            np.ones((count, len(weight)), bool),
            np.tile(np.array(weight, "f8"), (count, 1)),
            np.tile(circuit.parameters, (count, 1, 1)),
        )

    def __add__(self, other):  # type: ignore[override]
        """The variants of both, these first."""
        return Variants(*(np.concatenate(both) for both in zip(self, other, strict=True)))

    def tables(self, circuit: Circuit, real=np.float32) -> PackedCircuits:
        """Pack the variants for the simulator, with the same bits as if each were built as a circuit."""
        base, ends = from_circuit(circuit, real), Ends.of(circuit)
        channels, model = base.channels, circuit.model
        index = np.cumsum(self.present, axis=1) - 1
        first = np.argsort(~self.present, axis=1, kind="stable")  # present neurons move to the front

        def moved(of_neurons):
            return np.take_along_axis(of_neurons, first.reshape(*first.shape, *[1] * (of_neurons.ndim - 2)), axis=1)

        source_present = np.concatenate([np.ones((len(index), channels), bool), self.present], axis=1)
        column = np.concatenate([np.tile(np.arange(channels), (len(index), 1)), channels + index], axis=1)
        among_sampled = np.cumsum([c.signal is not None for c in circuit.inputs] + [False] * len(circuit.neurons)) - 1
        kept = self.kept & self.present[:, ends.target] & source_present[:, ends.source]
        weight = np.where(ends.inhibitory, -self.weight, self.weight)
        order = np.array(order_of_summation(circuit), "i8")

        def lists(packed, name):
            of_model = order[ends.model[order] == name]
            columns = column[:, ends.source[of_model]], channels + len(circuit.neurons)
            if name == DRIVE:
                columns = np.tile(among_sampled[ends.source[of_model]], (len(index), 1)), base.sampled
            return _selected(packed, kept[:, of_model], weight[:, of_model], *columns, moved)

        static = lists(base, "")
        further_lists = {name: getattr(base, name) for name in (*MODELS, DRIVE) if getattr(base, name) is not None}
        n_ref, present = model.refractory_steps(self.parameters, circuit.dt_ms), moved(self.present)
        fan_out = kept @ (ends.source[:, None] == np.arange(column.shape[1])).astype("i8")
        return base._replace(
            neurons=self.present.sum(axis=1),
            **static,
            table=moved(model.table(self.parameters, circuit.dt_ms, circuit.noise_mv).astype(real)),
            n_ref=moved(n_ref),
            fan_out=np.concatenate([fan_out[:, :channels], moved(fan_out[:, channels:])], axis=1),
            readout=np.ascontiguousarray(np.where(self.present[:, base.readout[0]], index[:, base.readout[0]], -1)),
            history=max(base.history, int(n_ref.max()) + 1),
            excitatory=moved(np.broadcast_to(circuit.excitatory, present.shape)) & present,
            **{name: packed._replace(**lists(packed, name)) for name, packed in further_lists.items()},
        )


def lesioned(circuit: Circuit, lesions: Sequence[tuple[Collection, Collection[tuple]]]) -> Variants:
    """The variants of the circuit that `circuits.edit.lesion.lesion` makes, for each pair (neurons, connections)."""
    variants, ends = Variants.of(circuit, len(lesions)), Ends.of(circuit)
    ids = [n.id for n in circuit.neurons]
    sources = [*(c.name for c in circuit.inputs), *ids]
    pairs = [(sources[s], ids[t]) for s, t in zip(ends.source, ends.target, strict=True)]
    for v, (neurons, connections) in enumerate(lesions):
        silent = np.array([i in neurons for i in ids])
        cut = silent[ends.target] | np.concatenate([np.zeros(len(circuit.inputs), bool), silent])[ends.source]
        variants.kept[v] = ~cut & np.array([pair not in connections for pair in pairs], bool)
        if "bias_mv" in circuit.model.names:
            variants.parameters[v, silent, circuit.model.names.index("bias_mv")] = 0.0
    return variants


class Ends(NamedTuple):
    """Indices of a circuit's synapses, in the order of `Variants`.

    source  int64 [S]: input channels, then neurons;   target  int64 [S]: neurons
    inhibitory  bool [S];   model  [S]: "" for a static synapse, "drive" for a connection of a sampled channel
    """

    source: np.ndarray
    target: np.ndarray
    inhibitory: np.ndarray
    model: np.ndarray

    @classmethod
    def of(cls, circuit: Circuit) -> "Ends":
        index = circuit.index
        synapses: list[tuple[int, Any]] = [(c, s) for c, channel in enumerate(circuit.inputs) for s in channel.synapses]
        synapses += [(len(circuit.inputs) + index[s.pre], s) for s in circuit.synapses]
        source = np.array([source for source, _ in synapses], "i8")
        return cls(
            source,
            np.array([index[s.post] for _, s in synapses], "i8"),
            np.concatenate([np.zeros(len(circuit.inputs), bool), ~circuit.excitatory])[source],
            np.array(
                [
                    DRIVE
                    if source < len(circuit.inputs) and circuit.inputs[source].signal
                    else next((name for name in MODELS if getattr(s, name)), "")
                    for source, s in synapses
                ],
                object,
            ),
        )


def _selected(packed, kept, weight, column, width, moved) -> dict[str, np.ndarray]:
    """The synapse lists of all variants, from those of the circuit: the synapses `kept`, bool [V, synapses], with weights
    [V, synapses] and columns [V, synapses] of a raster of this width."""
    ends = np.concatenate([np.zeros((len(kept), 1), "i8"), np.cumsum(kept, axis=1)], axis=1)
    ends += np.concatenate([[0], np.cumsum(ends[:-1, -1])])[:, None]  # the lists of variants are concatenated
    delay = -(packed.offset // width)
    lists = {
        "bounds": moved(ends[:, packed.bounds[0]]),
        "weight": weight[kept].astype(packed.weight.dtype),
        "offset": (column - delay * width)[kept],
    }
    if isinstance(packed, PackedCircuits):
        return lists
    constants = set(packed._fields) - set(lists) - {"channels"}
    return lists | {name: np.broadcast_to(getattr(packed, name), kept.shape)[kept] for name in constants}
