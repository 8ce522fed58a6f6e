"""snnTorch's RSynaptic with all-to-all recurrence and a linear readout of spike counts, trained as ours is."""

import json

import numpy as np
from protocol import serve

TAU_M, TAU_SYN = (5.0, 20.0), 5.0  # ms, as in the dense layers of ours
UNIT = 0.1  # a weight of 1 here moves the potential about ten times as far as one of v_th in ours: no factor dt / tau_m


def network(lines, features, neurons, classes, gain, seed):
    import snntorch
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.neurons = neurons
            self.together = nn.Linear(lines, features, bias=False) if features else nn.Identity()
            self.into = nn.Linear(features or lines, neurons, bias=False)
            tau = torch.rand(neurons) * (TAU_M[1] - TAU_M[0]) + TAU_M[0]
            alpha, beta = torch.full((neurons,), np.exp(-1 / TAU_SYN)), torch.exp(-1 / tau)
            self.cell = snntorch.RSynaptic(
                alpha=alpha.float(),
                beta=beta,
                linear_features=neurons,
                learn_alpha=True,
                learn_beta=True,
                learn_threshold=False,
            )
            self.readout = nn.Linear(neurons, classes)
            with torch.no_grad():
                self.into.weight.normal_()
                self.cell.recurrent.weight.normal_(0, UNIT * gain / neurons**0.5)
                self.cell.recurrent.bias.zero_()  # as it comes, it makes half of the neurons fire all the time

        def _counts(self, x):
            spikes, syn, mem = self.cell.reset_mem()
            total = 0
            for current in self.into(self.together(x)):
                spikes, syn, mem = self.cell(current, spikes, syn, mem)
                total = total + spikes
            return total

        def forward(self, x):
            return self.readout(self._counts(x))

        def forward_with_spikes(self, x):
            counts = self._counts(x)
            return self.readout(counts), counts.sum(-1)

        @torch.no_grad()
        def drive_(self, factor):
            self.into.weight.mul_(factor)

    torch.manual_seed(seed)
    return Network()


def prepare(job):
    import snntorch
    import torch
    from classify import learn, parameters

    torch.set_num_threads(1)
    sets = [(torch.from_numpy(getattr(job, f"{name}_x")), torch.from_numpy(getattr(job, f"{name}_y"))) for name in job.sets]
    lines, features, classes = sets[0][0].shape[1], int(job.features), int(job.classes)
    budget, gain, seed = int(job.parameters), float(job.gain), int(job.seed)
    neurons = next(n for n in range(4, 2000) if parameters(network(lines, features, n + 1, classes, 0.1, 0)) > budget)
    mine = network(lines, features, neurons, classes, gain, seed)
    found = learn(mine, *sets, int(job.steps), float(job.rate), seed, float(job.price))
    return None, {"version": snntorch.__version__, "result": [], "found": json.dumps(found)}


if __name__ == "__main__":
    serve(prepare)
