"""Adapter of networks to NeuroBench, which counts spikes, synaptic operations and memory.

    from circuits.torch.neurobench import neurobench_model
    Benchmark(neurobench_model(network), loader, [], [...], [[Footprint], [ActivationSparsity, SynapticOperations]]).run()

NeuroBench (Yik et al., Nat. Commun. 16, 2025) counts the data in activation modules and `nn.Linear`, of a `MotifNetwork` only
in the readout. The adapter runs the network and presents it to NeuroBench as one circuit (`whole`):

    activations   one module through which the spikes of all neurons pass in all steps
    synapses      `nn.Linear` layers with one weight for each synapse: sources with f synapses each form a layer of f outputs.
                  A spike is one operation for each nonzero synapse of its source, and in the readout for each output
    memory        weights of synapses and readout in the network's precision; of each synapse its target (4 bytes) and delay
                  (2); of each neuron the constants of its model and its refractory period (2)
"""

from collections import defaultdict
from typing import Any

import torch
from torch import nn

from circuits.errors import MachineError, UserError
from circuits.torch.networks.whole import whole
from circuits.torch.short_term import ShortTermSynapses


class Spikes(nn.Identity):
    """Identity of the spikes of all neurons, 0 and 1."""


class Reading(nn.Module):
    """A network as one circuit of counted modules. Called with x, [batch, steps, features], it returns the network's logits."""

    def __init__(self, network):
        super().__init__()
        flat = whole(network)
        motif, dtype = flat.motif, network.readout.weight.dtype
        self._network = (network,)  # in a tuple, not as submodule: its weights are those below
        index = motif.index
        self.spikes = Spikes()
        outgoing: dict = defaultdict(list)
        for c, channel in enumerate(motif.inputs):
            outgoing["features", c] += channel.synapses
        for synapse in motif.synapses:
            outgoing["neurons", index[synapse.pre]].append(synapse)
        groups = defaultdict(list)
        for (kind, source), synapses in outgoing.items():
            if synapses:
                groups[kind, len(synapses)].append((source, [s.weight_mv for s in synapses]))
        self.synapses, self.sources = nn.ModuleList(), []
        for (kind, fan_out), members in groups.items():
            sources, weights = zip(*members, strict=True)
            layer = nn.Linear(len(sources), fan_out, bias=False, dtype=dtype)
            layer.weight.data = torch.tensor(weights, dtype=dtype).T.contiguous()
            self.synapses.append(layer)
            self.sources.append((kind, list(sources)))
        self.readout = nn.Linear(len(flat.read), network.readout.out_features, dtype=dtype)
        self.readout.load_state_dict(network.readout.state_dict())
        self.read = [index[name] for name in flat.read]
        all_synapses = [s for synapses in outgoing.values() for s in synapses]
        delays = torch.tensor([round(s.delay_ms / motif.dt_ms) for s in all_synapses])
        self.register_buffer("target", torch.tensor([index[s.post] for s in all_synapses], dtype=torch.int32))
        self.register_buffer("delay", delays.to(torch.uint16))
        table = motif.model.table(motif.parameters, motif.dt_ms)
        self.register_buffer("constants", torch.tensor(table, dtype=dtype))
        self.register_buffer(
            "n_ref", torch.tensor(motif.model.refractory_steps(motif.parameters, motif.dt_ms)).to(torch.uint16)
        )

    @torch.no_grad()
    def forward(self, x):
        """Logits; hooks of the modules count."""
        (network,) = self._network
        x = x.to(self.readout.weight.dtype)
        inputs = x if network.batch_first else x.transpose(0, 1)
        features, rasters = network._features(inputs), []
        for layer in network.layers:
            spikes, _ = layer.run(features)
            rasters.append(spikes)
            features = spikes.index_select(-1, layer.read)
        rows = {"features": x.transpose(0, 1), "neurons": self.spikes(torch.cat(rasters, -1))}
        for layer, (kind, sources) in zip(self.synapses, self.sources, strict=True):
            layer(rows[kind][..., sources])
        self.readout(rows["neurons"][..., self.read])
        return network._in_order(network.readout.read(features)[0])


def neurobench_model(network) -> Any:
    """The model of a `MotifNetwork` in eval mode for NeuroBench's `Benchmark`. Data are [batch, steps, features].

    Raises MachineError if neurobench is not installed, and UserError for networks that do not form one circuit.
    """
    try:
        from neurobench.models import NeuroBenchModel
    except ModuleNotFoundError as error:
        raise MachineError(f"this needs neurobench ({error.name} is not installed): pip install neurobench") from None
    if any(isinstance(part, ShortTermSynapses) for part in network.modules()):
        raise UserError("network: an operation of a synapse with short-term plasticity is more than one of NeuroBench's")

    class Model(NeuroBenchModel):
        """A MotifNetwork in NeuroBench's interface."""

        def __init__(self):
            super().__init__()
            self.reading = Reading(network.eval())
            self.add_activation_module(Spikes)

        def __call__(self, batch):
            return self.reading(batch)

        def __net__(self):
            return self.reading

    return Model()
