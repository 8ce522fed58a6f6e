"""A network as NeuroBench reads it: its spikes, all of its synapses, and its memory.

    from circuits.torch.neurobench import neurobench_model
    Benchmark(neurobench_model(network), loader, [], [...], [[Footprint], [ActivationSparsity, SynapticOperations]]).run()

NeuroBench (Yik et al., Nat. Commun. 16, 2025) counts what goes through activation modules and `nn.Linear`; of a `MotifNetwork`
it sees the readout alone. The adapter runs the network and shows NeuroBench the network as one circuit (`whole`):

    activations   one module through which the spikes of all neurons pass in all steps
    synapses      `nn.Linear` layers that together have one weight for each synapse: the sources with f synapses each are a
                  layer of f outputs. A spike is one operation for each of its source's synapses whose weight is not 0, and so
                  is a spike that is read for each output of the readout
    memory        weights of synapses and readout in the network's precision; of each synapse its target (4 bytes) and delay
                  (2); of each neuron the constants of its model and its refractory period (2)
"""

from collections import defaultdict
from typing import Any

import torch
from torch import nn

from circuits.errors import MachineError, UserError
from circuits.torch.short_term import ShortTermSynapses
from circuits.torch.whole import whole


class Spikes(nn.Identity):
    """The spikes of all neurons, 0 and 1, pass through this module."""


class Reading(nn.Module):
    """A network as one circuit whose parts count. Called with x, [batch, steps, lines], it returns the network's logits."""

    def __init__(self, network):
        super().__init__()
        found = whole(network)
        motif, dtype = found.motif, network.readout.weight.dtype
        self._network = (network,)  # not a part: its weights are those below
        place = {neuron.id: k for k, neuron in enumerate(motif.neurons)}
        self.spikes = Spikes()
        leaving: dict = defaultdict(list)
        for c, channel in enumerate(motif.inputs):
            leaving["lines", c] += channel.synapses
        for synapse in motif.synapses:
            leaving["neurons", place[synapse.pre]].append(synapse)
        groups = defaultdict(list)
        for (kind, source), synapses in leaving.items():
            if synapses:
                groups[kind, len(synapses)].append((source, [s.weight_mv for s in synapses]))
        self.synapses, self.sources = nn.ModuleList(), []
        for (kind, fan_out), members in groups.items():
            sources, weights = zip(*members, strict=True)
            layer = nn.Linear(len(sources), fan_out, bias=False, dtype=dtype)
            layer.weight.data = torch.tensor(weights, dtype=dtype).T.contiguous()
            self.synapses.append(layer)
            self.sources.append((kind, list(sources)))
        self.readout = nn.Linear(len(found.read), network.readout.out_features, dtype=dtype)
        self.readout.load_state_dict(network.readout.state_dict())
        self.read = [place[name] for name in found.read]
        every = [s for synapses in leaving.values() for s in synapses]
        delays = torch.tensor([round(s.delay_ms / motif.dt_ms) for s in every])
        self.register_buffer("target", torch.tensor([place[s.post] for s in every], dtype=torch.int32))
        self.register_buffer("delay", delays.to(torch.uint16))
        table = motif.model.table(motif.parameters, motif.dt_ms)
        self.register_buffer("constants", torch.tensor(table, dtype=dtype))
        self.register_buffer(
            "n_ref", torch.tensor(motif.model.refractory_steps(motif.parameters, motif.dt_ms)).to(torch.uint16)
        )

    @torch.no_grad()
    def forward(self, x):
        """Logits; the counts are left to the hooks of the parts."""
        (network,) = self._network
        x = x.to(self.readout.weight.dtype)
        given = x if network.batch_first else x.transpose(0, 1)
        features, found = network._features(given), []
        for layer in network.layers:
            everything, _ = layer.run(features)
            found.append(everything)
            features = everything.index_select(-1, layer.read)
        rows = {"lines": x.transpose(0, 1), "neurons": self.spikes(torch.cat(found, -1))}
        for layer, (kind, sources) in zip(self.synapses, self.sources, strict=True):
            layer(rows[kind][..., sources])
        self.readout(rows["neurons"][..., self.read])
        return network._in_order(network.readout.read(features)[0])


def neurobench_model(network) -> Any:
    """The model that NeuroBench's `Benchmark` takes, of a `MotifNetwork` in eval mode. Data are [batch, steps, lines].

    Raises MachineError if neurobench is not installed, and UserError for networks that are no one circuit.
    """
    try:
        from neurobench.models import NeuroBenchModel
    except ModuleNotFoundError as error:
        raise MachineError(f"this needs neurobench ({error.name} is not installed): pip install neurobench") from None
    if any(isinstance(part, ShortTermSynapses) for part in network.modules()):
        raise UserError("network: an operation of a synapse with short-term plasticity is more than one of NeuroBench's")

    class Model(NeuroBenchModel):
        """A MotifNetwork as NeuroBench reads it."""

        def __init__(self):
            super().__init__()
            self.reading = Reading(network.eval())
            self.add_activation_module(Spikes)

        def __call__(self, batch):
            return self.reading(batch)

        def __net__(self):
            return self.reading

    return Model()
