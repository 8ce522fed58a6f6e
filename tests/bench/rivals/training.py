"""How the rivals of `make bench-train` take part: the same step of training around a recurrent layer of theirs.

    python RIVAL.py job.npz THREADS     with a `layer(job)` that returns (module, call): call(x [steps, batch, lines]) -> spikes

A step is: the layer through time, the squared error of its spike counts, backwards. Its seconds are those of all of it.
"""

import time

import numpy as np


def prepare_with(layer, version):
    """The `prepare` that `protocol.serve` wants, of a `layer` as above."""

    def prepare(job, threads):
        import torch

        torch.set_num_threads(int(threads))
        torch.manual_seed(0)
        x = torch.tensor(job.spikes.transpose(0, 2, 1), dtype=torch.float32)
        module, call = layer(job)

        def run():
            start = time.perf_counter()
            module.zero_grad(set_to_none=True)
            counts = call(x).sum(0)
            (counts - float(job.wanted)).square().mean().backward()
            return time.perf_counter() - start, counts.detach().sum(0).numpy()

        _, counts = run()
        parameters = sum(p.numel() for p in module.parameters() if p.grad is not None and np.isfinite(p.grad.sum().item()))
        about = {"version": version(), "parameters": parameters, "rate": float(counts.sum()) / x[:, :, 0].numel() / counts.size}
        return run, about | {"leaves_out": ["delays", "refractory period", "second synaptic time constant"]}

    return prepare
