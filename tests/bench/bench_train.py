"""A step of training: a layer of motifs through time and backwards, beside recurrent layers of snnTorch and Norse with as many
neurons, and beside our own code in plain tensor operations: make bench-train

All are timed in turn in one run, on one thread and on two; a rival's time is its better one. `make rivals` installs them. A
step is the forward pass, the squared error of the spike counts, and the backward pass. The rivals have simpler neurons, no
delays, and every neuron connected with every other; the motifs have Dale's law, delays of 1 to 8 steps and their sparse wiring.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests.bench.contest import AbsentError, Entry, Rival
from tests.bench.report import figure, quickest, skipped, timer

STEPS, BATCH, LINES, COPIES, NEURONS = 100, 64, 40, 16, 16
WANTED = 5.0  # spikes of a neuron in a trial
TURN = 0.3  # seconds: training is step after step, with warm caches
RIVALS = {"snnTorch RSynaptic": "snntorch_train.py", "Norse LIFRecurrent": "norse_train.py"}


def main():
    import torch

    spikes = np.random.default_rng(0).random((STEPS, LINES, BATCH)) < 0.05
    calls = {}
    for threads in (1, 2):
        for share in (False, True):
            name = "copies that share weights" if share else "copies with their own weights"
            calls[name, threads] = step(torch, layer(torch, "fused", share), spikes, threads)
        calls["plain tensor operations", threads] = step(torch, layer(torch, "eager", False), spikes, threads)
        for name, engine in (("adaptive neurons", "fused"), ("adaptive neurons, plain tensor operations", "eager")):
            calls[name, threads] = step(torch, layer(torch, engine, False, "alif_psc_exp"), spikes, threads)
    with TemporaryDirectory() as folder:
        rivals = ready(Path(folder) / "job.npz", spikes)
        timers = [*map(timer, calls.values()), *(rival.go for rival in rivals.values())]
        for timed in timers:
            timed()
        seconds = dict(zip([*calls, *rivals], quickest(*timers, seconds=20, rounds=8, stretch=TURN), strict=True))
        for rival in rivals.values():
            rival.close()
    names = dict.fromkeys(name for name, _ in [*rivals, *calls])
    best = {name: min(seconds[name, threads] for threads in (1, 2) if (name, threads) in seconds) for name in names}
    ours = "copies with their own weights"
    for name in names:
        each = ", ".join(
            f"{1000 * seconds[name, threads]:.3g} ms on {threads}" for threads in (1, 2) if (name, threads) in seconds
        )
        figure(f"training step: {name}", 1000 * best[name], "ms", f"{each}; ours beside it", best[name] / best[ours])
    for engine in ("fused", "eager"):
        figure(f"kept for the backward pass, {engine}", kept(torch, layer(torch, engine, False), spikes) / 2**20, "MiB")


def layer(torch, engine, share, model="lif_psc_exp"):
    """COPIES copies of a random motif; every E neuron is an output, and the projection makes all fire some times in a trial."""
    from circuits.torch import MotifLayer

    torch.manual_seed(0)
    return MotifLayer(motif(model), COPIES, LINES, share=share, engine=engine)


def motif(model="lif_psc_exp", seed=1):
    """NEURONS neurons, a quarter of them I, with four channels and about six synapses each, delays of 1 to 8 steps of 1 ms."""
    from circuits import Circuit

    rng = np.random.default_rng(seed)
    excitatory = NEURONS * 3 // 4
    neurons = [{"id": n, "sign": "E" if n < excitatory else "I"} for n in range(NEURONS)]

    def wire(**ends):
        return ends | {"weight_mv": float(rng.uniform(4, 12)), "delay_ms": float(rng.integers(1, 9))}

    inputs = [
        {"name": f"in{c}", "synapses": [wire(post=int(n)) for n in rng.choice(NEURONS, NEURONS // 2, replace=False)]}
        for c in range(4)
    ]
    synapses = [wire(pre=int(pre), post=n) for n in range(NEURONS) for pre in rng.choice(NEURONS, 6, replace=False)]
    outputs = [{"name": "out", "neurons": list(range(excitatory))}]
    if model == "alif_psc_exp":
        neurons = [neuron | {"w_jump_mv": 0.5, "theta_jump_mv": 1.0} for neuron in neurons]
    return Circuit(dt_ms=1.0, neuron_model=model, neurons=neurons, inputs=inputs, synapses=synapses, outputs=outputs)


def step(torch, module, spikes, threads):
    """A step of training of a layer, as a call without arguments."""
    x = torch.tensor(spikes.transpose(0, 2, 1), dtype=torch.float32)

    def run():
        torch.set_num_threads(threads)
        module.zero_grad(set_to_none=True)
        counts = module(x)[0].sum(0)
        (counts - WANTED).square().mean().backward()

    return run


def kept(torch, module, spikes):
    """Bytes that the forward pass keeps for the backward pass, each memory counted once; parameters and input left out."""
    found = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        found[storage.data_ptr()] = storage.nbytes()
        return tensor

    x = torch.tensor(spikes.transpose(0, 2, 1), dtype=torch.float32)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = module(x)[0]
    for tensor in (x, *module.parameters(), *module.buffers()):
        found.pop(tensor.untyped_storage().data_ptr(), None)
    del out
    return sum(found.values())


def ready(path, spikes):
    """The rivals that can be asked, by name and threads; the others are named with the reason."""
    np.savez(path, spikes=spikes, channels=LINES, neurons=COPIES * NEURONS, wanted=WANTED)
    found = {}
    for name, script in RIVALS.items():
        for threads in (1, 2):
            try:
                rival = Rival(Entry(name, script, ".venv-rivals-torch", (str(threads),)), path)
            except AbsentError as absent:
                skipped(f"{name} on {threads}", absent)
                continue
            found[f"{name} {rival.about['version']}", threads] = rival
    return found


if __name__ == "__main__":
    main()
