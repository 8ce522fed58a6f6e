"""A network as one circuit: all copies of all layers, with the projections as synapses.

An input line is a channel with a synapse for each of the projection's weights and each synapse behind it; an output of a layer
has such synapses onto the next layer. Copies keep their names: neuron "e1" of copy 2 of layer 0 is "0.2.e1".
"""

from typing import Any, NamedTuple

import torch

from circuits.circuit import InputChannel, InputSynapse, OutputPort, Synapse
from circuits.errors import UserError
from circuits.motif_file import Motif
from circuits.torch.mixed import MixedLayer
from circuits.torch.trained import to_motif


class Whole(NamedTuple):
    """motif: not checked, with weights of any sign;   read  ids of the neurons behind the readout, in its order."""

    motif: Motif
    read: list[str]


def whole(network) -> Whole:
    """The circuit of a network as it is now. Raises UserError for what no circuit has."""
    neurons: list = []
    between: list = []
    channels: list[list] = [[] for _ in range(network.lines)]
    sources: list[str] = []
    inhibits: set[str] = set()
    for k, layer in enumerate(network.layers):
        parts, following = _parts(layer), []
        for p, part in enumerate(parts):
            name = f"{k}.{p}" if len(parts) > 1 else f"{k}"
            into = part.projection_weight.detach().double()
            if k == 0 and network.together is not None:
                into = network.together.weight.detach().double().T @ into
            read = _copies(part, name, into, neurons, between, inhibits)
            for source, post, weight, delay in read.arriving:
                if k == 0:
                    channels[source].append(InputSynapse.model_construct(post=post, weight_mv=weight, delay_ms=delay))
                    continue
                pre = sources[source]
                if pre in inhibits:
                    raise UserError(
                        f"layers[{k}]: hears neuron {pre!r}, which inhibits, over excitatory lines: no circuit has that"
                    )
                between.append(Synapse.model_construct(pre=pre, post=post, weight_mv=weight, delay_ms=delay))
            following += read.outputs
        sources = following
    first = _parts(network.layers[0])[0].cell.motif
    ports = [OutputPort.model_construct(name="out", neurons=tuple(dict.fromkeys(n for n in sources if n not in inhibits)))]
    motif = Motif.model_construct(
        dt_ms=first.dt_ms,
        neuron_model=first.neuron_model,
        noise_mv=0.0,
        neurons=tuple(neurons),
        inputs=tuple(InputChannel.model_construct(name=f"line{c}", synapses=tuple(s)) for c, s in enumerate(channels)),
        synapses=tuple(between),
        outputs=tuple(port for port in ports if port.neurons),
        provenance=first.provenance,
    )
    if len({part.cell.motif.neuron_model for layer in network.layers for part in _parts(layer)}) > 1:
        raise UserError("layers: one circuit has neurons of one model, but these layers have several")
    return Whole(motif, sources)


class _Read(NamedTuple):
    """arriving  (feature, post, weight, delay) of each synapse behind the projection;   outputs  ids, copy after copy."""

    arriving: list
    outputs: list[str]


def _parts(layer) -> list[Any]:
    return list(layer.layers) if isinstance(layer, MixedLayer) else [layer]


def _copies(layer, name, into, neurons, between, inhibits):
    """Add the copies of a layer; `into` [features, copies * channels]."""
    cell, found = layer.cell, _Read([], [])
    own = cell.copies is not None and not layer.share
    number = 0
    for copy in range(cell.copies or 1):
        motif = to_motif(cell, copy if own else 0, dales_law=False)
        ids = {neuron.id: f"{name}.{copy}.{n}" for n, neuron in enumerate(motif.neurons)}
        neurons += [neuron.model_copy(update={"id": ids[neuron.id]}) for neuron in motif.neurons]
        inhibits.update(ids[neuron.id] for neuron in motif.neurons if neuron.sign == "I")
        between += [s.model_copy(update={"pre": ids[s.pre], "post": ids[s.post]}) for s in motif.synapses]
        for channel in motif.inputs:
            column = into[:, number].tolist()
            number += 1
            for s in channel.synapses:
                if s.short_term:
                    raise UserError("an input synapse with short-term plasticity adds up all lines: no circuit has that")
                arriving = (
                    (f, ids[s.post], weight * s.weight_mv, s.delay_ms)
                    for f, weight in enumerate(column)
                    if weight * s.weight_mv
                )
                found.arriving.extend(arriving)
        places = list(ids.values())
        found.outputs.extend(places[n] for n in cell.readout.tolist())
    return found


def rows_of(x: torch.Tensor):
    """Input spikes [steps, batch, lines] for the simulator, bool [batch, steps, lines]. Raises UserError for reals."""
    if not bool(((x == 0) | (x == 1)).all()):
        raise UserError("x: the simulator has spikes, 0 and 1, and no other input")
    return (x.transpose(0, 1) == 1).contiguous().cpu().numpy()
