"""The motif as a graph of NIR's differential equations: neuron.py of https://github.com/neuromorphs/NIR (Pedersen et al., Nat.
Commun. 15, 2024).

Spikes are Dirac pulses, time is in seconds, potentials are in mV relative to the initial V. Excitation and inhibition have
separate delay lines, weights and synaptic currents, which meet in the neurons.

    input -> input_lines -> input_delays -> input_weights ----------------> current_e -+
    neurons -> excitatory_lines -> excitatory_delays -> excitatory_weights -^          +-> neurons -> ports -> output
    neurons -> inhibitory_lines -> inhibitory_delays -> inhibitory_weights -> current_i-+

`_lines` copies each source once for each of its delays; synapses of the same ends and delay are one, of the summed weight.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from circuits.motif_file import Motif, dumps


def continuous(nir: Any, motif: Motif, with_motif: bool = True) -> Any:
    """The NIRGraph; its metadata hold what NIR cannot express: `dt` and `t_ref` in s, `motif` the motif file."""
    p = parameters(motif)
    graph = _graph(nir, motif, origin=p["v_rest_mv"], v_reset=p["v_reset_mv"] - p["v_rest_mv"])
    graph.metadata = {"dt": motif.dt_ms / 1000} | ({"motif": dumps(motif)} if with_motif else {})
    graph.nodes["neurons"].metadata = {"t_ref": _whole_steps(motif, p["t_ref_ms"]) * motif.dt_ms / 1000}
    return graph


def older(nir: Any, motif: Motif) -> Any:
    """The NIRGraph for readers that reset to 0: potentials are relative to the reset, where V also starts."""
    return _graph(nir, motif, origin=parameters(motif)["v_reset_mv"], v_reset=np.zeros(len(motif.neurons)))


def parameters(motif) -> dict[str, np.ndarray]:
    """The neurons' parameters, float64 [neurons] each."""
    return dict(zip(motif.model.names, motif.parameters.T, strict=True))


def port_matrix(motif) -> np.ndarray:
    """The neuron behind each slot of the output ports, in port order; without ports, all neurons: [slots, neurons]."""
    ids = [n.id for n in motif.neurons]
    slots = [ids.index(n) for port in motif.outputs for n in port.neurons] or range(len(ids))
    return np.eye(len(ids))[list(slots)]


def _graph(nir, motif, origin, v_reset):
    p, n = parameters(motif), len(motif.neurons)
    index = motif.index
    excitatory = motif.excitatory
    lines = {
        "input": [(c, s) for c, channel in enumerate(motif.inputs) for s in channel.synapses],
        "excitatory": [(index[s.pre], s) for s in motif.synapses if excitatory[index[s.pre]]],
        "inhibitory": [(index[s.pre], s) for s in motif.synapses if not excitatory[index[s.pre]]],
    }
    tau_m = p["tau_m_ms"] / 1000
    at_least = np.nextafter(p["v_th_mv"] - origin, -np.inf)  # a spike is V > threshold there, V >= threshold here
    drive = p["v_rest_mv"] + p["bias_mv"] - origin
    nodes = {
        "input": nir.Input({"input": np.array([len(motif.inputs)])}),
        "neurons": nir.LIF(tau=tau_m, r=np.ones(n), v_leak=drive, v_threshold=at_least, v_reset=v_reset),
        "ports": nir.Linear(port_matrix(motif)),
        "output": nir.Output({"output": np.array([len(port_matrix(motif))])}),
    }
    edges = [("neurons", "ports"), ("ports", "output")]
    for name, rows in lines.items():
        if not rows:
            continue
        source, current, sign = "input" if name == "input" else "neurons", "current_e", 1
        if name == "inhibitory":
            current, sign = "current_i", -1
        steps = _whole_steps(motif, np.array([s.delay_ms for _, s in rows]))
        ends = [(pre, int(delay)) for (pre, _), delay in zip(rows, steps, strict=True)]
        taps = sorted(set(ends))
        copies = np.zeros((len(taps), len(motif.inputs) if name == "input" else n))
        copies[np.arange(len(taps)), [pre for pre, _ in taps]] = 1
        weights = np.zeros((n, len(taps)))
        for end, (_, s) in zip(ends, rows, strict=True):
            weights[index[s.post], taps.index(end)] += sign * s.weight_mv
        nodes[f"{name}_lines"] = nir.Linear(copies)
        nodes[f"{name}_delays"] = nir.Delay(np.array([delay for _, delay in taps]) * motif.dt_ms / 1000)
        nodes[f"{name}_weights"] = nir.Linear(weights)
        tau = p["tau_syn_e_ms" if sign > 0 else "tau_syn_i_ms"] / 1000
        nodes[current] = nir.LI(tau=tau, r=tau, v_leak=np.zeros(n))  # r = tau: a pulse of weight w makes the current jump by w
        path = [source, f"{name}_lines", f"{name}_delays", f"{name}_weights", current, "neurons"]
        edges += [edge for edge in pairwise(path) if edge not in edges]
    return nir.NIRGraph(nodes, edges)


def _whole_steps(motif, times_ms):
    return np.rint(times_ms / motif.dt_ms)
