"""A network as one circuit: all copies of all layers, with the projections as synapses.

An input line is a channel with a synapse for every pair of a projection weight and an input synapse, weighted by their product;
an output neuron has such synapses onto the next layer. The first neuron of copy 2 of layer 0 is "0.2.0".
"""

from typing import Any, NamedTuple

import torch

from circuits.circuit import InputChannel, InputSynapse, OutputPort, Synapse
from circuits.errors import UserError
from circuits.motif_file import Motif
from circuits.torch.networks.mixed import MixedLayer
from circuits.torch.trained import to_motif


class Whole(NamedTuple):
    """motif: not validated, with weights of any sign;   read  ids of the neurons that the readout reads, in its order."""

    motif: Motif
    read: list[str]


def whole(network) -> Whole:
    """The circuit of a network with the present parameters. Raises UserError for features that no circuit has."""
    neurons: list = []
    synapses: list = []
    channels: list[list] = [[] for _ in range(network.in_features)]
    sources: list[str] = []
    inhibits: set[str] = set()
    for k, layer in enumerate(network.layers):
        parts, outputs = _parts(layer), []
        for p, part in enumerate(parts):
            name = f"{k}.{p}" if len(parts) > 1 else f"{k}"
            projection = part.projection_weight.detach().double()
            if k == 0 and network.input_projection is not None:
                projection = network.input_projection.weight.detach().double().T @ projection
            layer_ends = _copies(part, name, projection, neurons, synapses, inhibits)
            for source, post, weight, delay in layer_ends.inputs:
                if k == 0:
                    channels[source].append(InputSynapse.model_construct(post=post, weight_mv=weight, delay_ms=delay))
                    continue
                pre = sources[source]
                if pre in inhibits:
                    raise UserError(f"layers[{k}]: inhibitory neuron {pre!r} projects to it by excitatory weights")
                synapses.append(Synapse.model_construct(pre=pre, post=post, weight_mv=weight, delay_ms=delay))
            outputs += layer_ends.outputs
        sources = outputs
    first = _parts(network.layers[0])[0].cell.motif
    ports = [OutputPort.model_construct(name="out", neurons=tuple(dict.fromkeys(n for n in sources if n not in inhibits)))]
    motif = Motif.model_construct(
        dt_ms=first.dt_ms,
        neuron_model=first.neuron_model,
        noise_mv=0.0,
        neurons=tuple(neurons),
        inputs=tuple(InputChannel.model_construct(name=f"line{c}", synapses=tuple(s)) for c, s in enumerate(channels)),
        synapses=tuple(synapses),
        outputs=tuple(port for port in ports if port.neurons),
        provenance=first.provenance,
    )
    if len({part.cell.motif.neuron_model for layer in network.layers for part in _parts(layer)}) > 1:
        raise UserError("layers: one circuit has neurons of one model, but these layers have several")
    return Whole(motif, sources)


class _Ends(NamedTuple):
    """inputs  (feature, post, weight, delay) of each synapse behind the projection;   outputs  ids, copy after copy."""

    inputs: list
    outputs: list[str]


def _parts(layer) -> list[Any]:
    return list(layer.layers) if isinstance(layer, MixedLayer) else [layer]


def _copies(layer, name, projection, neurons, synapses, inhibits):
    """Add the copies of a layer; `projection` [features, copies * channels]."""
    cell, ends = layer.cell, _Ends([], [])
    separate = cell.copies is not None and not layer.share
    number = 0
    for copy in range(cell.copies or 1):
        motif = to_motif(cell, copy if separate else 0, dales_law=False)
        ids = {neuron.id: f"{name}.{copy}.{n}" for n, neuron in enumerate(motif.neurons)}
        neurons += [neuron.model_copy(update={"id": ids[neuron.id]}) for neuron in motif.neurons]
        inhibits.update(ids[neuron.id] for neuron in motif.neurons if neuron.sign == "I")
        synapses += [s.model_copy(update={"pre": ids[s.pre], "post": ids[s.post]}) for s in motif.synapses]
        for channel in motif.inputs:
            column = projection[:, number].tolist()
            number += 1
            for s in channel.synapses:
                if s.short_term:
                    raise UserError("an input synapse with short-term plasticity sums all features: no circuit can have that")
                inputs = (
                    (f, ids[s.post], weight * s.weight_mv, s.delay_ms)
                    for f, weight in enumerate(column)
                    if weight * s.weight_mv
                )
                ends.inputs.extend(inputs)
        copy_ids = list(ids.values())
        ends.outputs.extend(copy_ids[n] for n in cell.readout.tolist())
    return ends


def rows_of(x: torch.Tensor):
    """Input spikes [steps, batch, features] for the simulator, bool [batch, steps, features]. Raises UserError for reals."""
    if not bool(((x == 0) | (x == 1)).all()):
        raise UserError("x: the simulator takes spikes, 0 and 1, only")
    return (x.transpose(0, 1) == 1).contiguous().cpu().numpy()
