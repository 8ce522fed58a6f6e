"""snnTorch's own recurrent neuron RSynaptic, a batch of 64 trials, stepped over time.

Its equations are simpler: one synaptic time constant (the excitatory one), mem = beta mem + syn, a reset one step late, no
refractory period, no delays. Weights are scaled so that a spike moves the potential of its neuron as far as ours.
"""

import time

from protocol import matrices, propagators, serve, shifted


def prepare(job):
    import snntorch
    import torch

    torch.set_num_threads(1)
    entering, excitatory, inhibitory = matrices(job)
    p, n = propagators(job), int(job.neurons)
    layer = torch.nn.Linear(int(job.channels), n, bias=False)
    cell = snntorch.RSynaptic(
        alpha=torch.tensor(p.p11e, dtype=torch.float32),
        beta=torch.tensor(p.p22, dtype=torch.float32),
        linear_features=n,
        reset_mechanism="zero",
    )
    cell.recurrent = torch.nn.Linear(n, n, bias=False)
    with torch.no_grad():
        layer.weight[:] = torch.tensor((entering * p.p21e).T)
        cell.recurrent.weight[:] = torch.tensor((excitatory * p.p21e + inhibitory * p.p21i).T)
    inputs = torch.tensor(shifted(job), dtype=torch.float32)

    def simulate():
        spikes, syn, mem = cell.reset_mem()
        raster = []
        for current in layer(inputs):
            spikes, syn, mem = cell(current, spikes, syn, mem)
            raster.append(spikes)
        return torch.stack(raster)

    def run():
        start = time.perf_counter()
        with torch.inference_mode():
            raster = simulate()
        return time.perf_counter() - start, raster.sum((0, 1)).numpy()

    leaves_out = ["delays", "refractory period", "second synaptic time constant", "exact integration"]
    return run, {"version": snntorch.__version__, "leaves_out": leaves_out}


if __name__ == "__main__":
    serve(prepare)
