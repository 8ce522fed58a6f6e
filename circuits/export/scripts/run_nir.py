"""This motif as NIR graphs: runs the example trial and compares the spikes with those of the evocircuits simulator.

    python run.py                  motif.nir by the equations of NIR, solved here on the grid of the simulator
    python run.py without-t_ref    the same without the refractory periods, which only the metadata have
    python run.py older            older.nir, likewise
    python run.py snntorch         steps.nir in snnTorch; or norse; or spikingjelly (spikingjelly.nir)

Needs nir and numpy, and for the last three the framework; not evocircuits.
"""

import contextlib
import io
import sys

import numpy as np
from example import DT_MS, HERE, INPUTS, OUTPUTS, SPIKES, cannot_run, compare

try:
    import nir
except ModuleNotFoundError:
    cannot_run("this script needs nir, which is not installed: pip install nir")


def solve(graph, inputs, dt, t_ref=0):
    """The spikes of the node `neurons` of a graph of Linear, Delay, LI and LIF nodes: bool [steps, neurons].

    Spikes are pulses on a grid of `dt` s; between grid points the equations are solved exactly, from 0.
    """
    nodes, sources = graph.nodes, {name: [a for a, b in graph.edges if b == name] for name in graph.nodes}
    neurons = nodes["neurons"]
    synapses = sources["neurons"]
    current = {name: np.zeros_like(nodes[name].tau) for name in synapses}
    onto_v = {name: neurons.r * p21(dt, neurons.tau, nodes[name].tau) for name in synapses}
    decay, v_reset = np.exp(-dt / neurons.tau), getattr(neurons, "v_reset", 0)  # nir before 1.0.6 has none
    v, steps_held, refractory = np.zeros_like(decay), np.zeros(len(decay)), np.rint(t_ref / dt)
    history = {name: [] for name, node in nodes.items() if isinstance(node, nir.Delay)}  # input of the delays, by step
    spikes = np.zeros((len(inputs), len(decay)), bool)

    def pulses(name):
        """The output of a node at the end of this step."""
        if name in ("input", "neurons"):
            return inputs[k] if name == "input" else spikes[k]
        if name in history:
            delays = np.rint(nodes[name].delay / dt).astype(int)
            return np.array([history[name][k - d][line] if d <= k else 0 for line, d in enumerate(delays)])
        return nodes[name].weight @ sum(pulses(source) for source in sources[name])

    for k in range(len(inputs)):
        drive = sum(onto_v[name] * current[name] for name in synapses)
        v = np.where(steps_held > 0, v_reset, neurons.v_leak + decay * (v - neurons.v_leak) + drive)
        spikes[k] = (v > neurons.v_threshold) & (steps_held <= 0)
        v = np.where(spikes[k], v_reset, v)
        steps_held = np.where(spikes[k], refractory, steps_held - 1)
        for name in history:
            history[name].append(sum(pulses(source) for source in sources[name]))
        for name in synapses:
            synaptic_input = sum(pulses(source) for source in sources[name])
            decayed = np.exp(-dt / nodes[name].tau) * current[name]
            current[name] = decayed + nodes[name].r / nodes[name].tau * synaptic_input
    return spikes


def p21(dt, tau_m, tau_syn):
    """The change of V by a current in one step, finite where the time constants are equal."""
    a = (tau_m - tau_syn) / (tau_m * tau_syn)
    return np.exp(-dt / tau_m) * np.where(a == 0, dt, -np.expm1(-a * dt) / np.where(a == 0, 1, a)) / tau_m


def by_equations(file, with_t_ref):
    graph = nir.read(HERE / file)
    dt = DT_MS / 1000
    t_ref = graph.nodes["neurons"].metadata["t_ref"] if with_t_ref else 0
    return solve(graph, INPUTS.astype(float), dt, t_ref)


def snntorch(file):
    from snntorch.import_nir import import_from_nir

    return import_from_nir(nir.read(file))


def norse(file):
    from norse.torch.utils.import_nir import from_nir

    return from_nir(nir.read(file), dt=1e-4)


def spikingjelly(file):
    from spikingjelly.activation_based.nir_exchange import import_from_nir

    return import_from_nir(file)


FRAMEWORKS = {
    "snntorch": (snntorch, "steps.nir"),
    "norse": (norse, "steps.nir"),
    "spikingjelly": (spikingjelly, "spikingjelly.nir"),
}


def step_by_step(importer, file):
    """The output of a graph in a framework; an input that the motif does not have is 1 in all steps."""
    import torch

    with contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
        module, state, spikes = importer(HERE / file), None, []
        channels = nir.read(HERE / file).nodes["input"].input_type["input"][0]
        inputs = np.ones((len(INPUTS), int(channels)), "f4")
        inputs[:, : INPUTS.shape[1]] = INPUTS
        for row in torch.from_numpy(inputs):
            out, state = module(row[None], state)
            spikes.append(out[0].numpy() > 0.5)
    return np.array(spikes)


def main():
    mode = sys.argv[1] if len(sys.argv) > 1 else "motif.nir"
    if mode in ("motif.nir", "without-t_ref"):
        how = "" if mode == "motif.nir" else " without refractory periods"
        return compare(by_equations("motif.nir", not how), f"motif.nir{how}, by NIR's equations", exact=not how)
    if mode == "older":
        return compare(by_equations("older.nir", False), "older.nir, by NIR's equations", exact=False)
    if mode not in FRAMEWORKS:
        cannot_run(f"there is no {mode}; there are without-t_ref, older, {', '.join(FRAMEWORKS)}")
    importer, file = FRAMEWORKS[mode]
    try:
        spikes = step_by_step(importer, file)
    except ModuleNotFoundError as error:
        cannot_run(f"{mode} needs {error.name}, which is not installed: pip install {mode} nir")
    expected = OUTPUTS if OUTPUTS.shape[1] else SPIKES  # without ports, the output are all neurons
    compare(spikes, f"{file} in {mode}, float32", exact=False, spikes=expected)


if __name__ == "__main__":
    main()
