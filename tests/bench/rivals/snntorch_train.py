"""snnTorch's RSynaptic with all-to-all recurrence behind a linear layer, trained through time."""

from protocol import serve
from training import prepare_with


def layer(job):
    import snntorch
    import torch

    into = torch.nn.Linear(int(job.channels), int(job.neurons), bias=False)
    cell = snntorch.RSynaptic(alpha=0.6, beta=0.9, linear_features=int(job.neurons))

    def call(x):
        spikes, syn, mem = cell.reset_mem()
        raster = []
        for current in into(x):
            spikes, syn, mem = cell(current, spikes, syn, mem)
            raster.append(spikes)
        return torch.stack(raster)

    return torch.nn.ModuleList([into, cell]), call


def version():
    import snntorch

    return snntorch.__version__


if __name__ == "__main__":
    serve(prepare_with(layer, version))
