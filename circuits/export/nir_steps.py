"""The motif for frameworks that step NIR's CubaLIF nodes: snnTorch, Norse, SpikingJelly.

These frameworks accept CubaLIF, LIF and Linear nodes only, with different conventions. A step of a CubaLIF node is

    I <- alpha I + x      V <- beta V + I      V > 1: a spike, V <- 0

for alpha = 1 - dt / tau_syn, beta = 1 - dt / tau_mem, r = tau_mem / dt, w_in = tau_syn / dt, v_leak = 0; recurrent input comes
a step later. This is the simulator's step once x is multiplied by its P21, and V is relative to the reset in units of the
threshold. The rest of a motif is made of relays, CubaLIF neurons without memory (alpha = beta = 0) that repeat a spike a step
later:

- a delay of d steps is a chain of d relays;
- a synaptic current that decays with a factor a other than alpha is a sum of delayed inputs: w, w (a - alpha), w (a - alpha) a,
  w (a - alpha) a^2, ... until `LEFT_OUT` of it are left;
- a refractory neuron is made to fire in every step, which holds it at its reset; its chain blocks these spikes, and the output
  subtracts them;
- a constant drive, and an initial V other than the reset, come from one more input channel, the last, that is 1 in all steps.
"""

from collections import defaultdict
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from circuits.export.nir_graphs import parameters
from circuits.motif_file import Motif
from circuits.neurons.lif_psc_exp import P21_E, P21_I, P22
from circuits.neurons.model import P11_E, P11_I

DT = 1e-4  # s: the step that snnTorch requires; the graph does not contain the motif's
LEFT_OUT = 1e-6  # of a synaptic current
MAX_RELAYS = 3_000  # their matrices are dense
PASS = 2.0  # weight of a spike onto a relay, whose threshold is 1

# Inputs: (source, relays on the path, target) -> weight. Sources are input channels and, from -1 downwards, neurons.
Taps = dict[tuple[int, int, int], float]


class Steps(NamedTuple):
    """P neurons at unit threshold, those of the motif first, then relays.

    alpha, beta  [P];   from_inputs  [P, channels];   recurrent  [P, P];   read  [neurons, P], maps their spikes to the motif's
    """

    alpha: np.ndarray
    beta: np.ndarray
    from_inputs: np.ndarray
    recurrent: np.ndarray
    read: np.ndarray


class TooManyError(Exception):
    """A motif needs more than `MAX_RELAYS` relays; the argument is their number."""


def steps(motif: Motif) -> Steps:
    """The motif as neurons and relays. Raises TooManyError."""
    n, channels = len(motif.neurons), len(motif.inputs)
    table = motif.model.table(motif.parameters, motif.dt_ms)
    alpha, beta = table[:, P11_E], table[:, P22]
    refractory = motif.model.refractory_steps(motif.parameters, motif.dt_ms)
    constant = _constant_input(motif, table)
    taps = _synapses(motif, table) | {(channels, relays, post): weight for (relays, post), weight in constant.items()}

    longest = {-1 - k: int(refractory[k]) for k in range(n) if refractory[k]}
    for source, relays, _ in taps:
        longest[source] = max(relays, longest.get(source, 0))
    if sum(longest.values()) > MAX_RELAYS:
        raise TooManyError(sum(longest.values()))
    ends = n + np.cumsum(list(longest.values()), dtype=int)
    chains = {source: np.arange(end - length, end) for (source, length), end in zip(longest.items(), ends, strict=True)}
    size = n + sum(longest.values())
    from_inputs, recurrent, read = np.zeros((size, channels + bool(constant))), np.zeros((size, size)), np.eye(n, size)
    for source, chain in chains.items():
        recurrent[chain[1:], chain[:-1]] = PASS
        matrix, column = (from_inputs, source) if source >= 0 else (recurrent, -1 - source)
        matrix[chain[:1], column] = PASS
    for (source, relays, post), weight in taps.items():
        matrix, column = (recurrent, chains[source][relays - 1]) if relays else (from_inputs, source)
        matrix[post, column] += weight

    force = _overriding_input(alpha, recurrent, chains, refractory) + np.abs(from_inputs[:n]).sum(1)
    for k in np.flatnonzero(refractory):
        chain = chains[-1 - int(k)][: refractory[k]]
        recurrent[k, k] += force[k]
        recurrent[k, chain] -= alpha[k] * force[k]
        recurrent[k, chain[-1]] -= force[k]
        recurrent[chain[0], chain] -= PASS
        read[k, chain] = -1
    memory = np.zeros(size - n)
    return Steps(np.r_[alpha, memory], np.r_[beta, memory], from_inputs, recurrent, read)


def _synapses(motif, table) -> Taps:
    """The inputs by synapses. A spike reaches V a step after its delay: through a relay per step, from channels through one
    more."""
    p = parameters(motif)
    unit = p["v_th_mv"] - p["v_reset_mv"]
    index = motif.index
    taps: Taps = defaultdict(float)
    for c, channel in enumerate(motif.inputs):
        for s in channel.synapses:
            post = index[s.post]
            taps[c, 1 + round(s.delay_ms / motif.dt_ms), post] += s.weight_mv * table[post, P21_E] / unit[post]
    for s in motif.synapses:
        pre, post, relays = index[s.pre], index[s.post], round(s.delay_ms / motif.dt_ms)
        if motif.neurons[pre].sign == "E":
            taps[-1 - pre, relays, post] += s.weight_mv * table[post, P21_E] / unit[post]
            continue
        weight, decay = -s.weight_mv * table[post, P21_I] / unit[post], table[post, P11_I]
        taps[-1 - pre, relays, post] += weight
        later = decay - table[post, P11_E]
        while abs(later) > LEFT_OUT * (1 - decay):
            relays += 1
            taps[-1 - pre, relays, post] += weight * later
            later *= decay
    return taps


def _constant_input(motif, table) -> dict[tuple[int, int], float]:
    """Weights of an input that is 1 in all steps, (relays, neuron) -> weight, so that I is `drive` in all steps and V starts at
    rest; none if the reset is at rest."""
    p = parameters(motif)
    alpha, beta, unit = table[:, P11_E], table[:, P22], p["v_th_mv"] - p["v_reset_mv"]
    drive = (1 - beta) * (p["v_rest_mv"] + p["bias_mv"] - p["v_reset_mv"]) / unit
    first = drive + beta * (p["v_rest_mv"] - p["v_reset_mv"]) / unit
    inputs = [first, drive - alpha * first, drive - alpha * drive]  # in the first step, in the second, in all others
    changes = np.diff(inputs, axis=0, prepend=0)
    return {(int(relays), int(post)): changes[relays, post] for relays, post in zip(*np.nonzero(changes), strict=True)}


def _overriding_input(alpha, recurrent, chains, refractory):
    """An input that makes neurons fire despite any inhibition, [neurons]: I is lowest where all sources have always fired at
    their maximal rate."""
    total = np.full(len(alpha), 2.0)
    for source, chain in chains.items():
        interval = 1 if source >= 0 else refractory[-1 - source] + 1
        total += np.abs(np.minimum(recurrent[: len(alpha), chain], 0)).sum(1) / (1 - alpha**interval)
    return total


def graph(nir: Any, stepped: Steps, slots: np.ndarray, alike: bool) -> Any:
    """The NIRGraph of `steps`; its output are the slots, a matrix [slots, neurons].

    alike  the neurons of a node have the same alpha and beta, as SpikingJelly requires, with many nodes; else one node

    Recurrent input must be that of the step before. The frameworks use the last output of nodes that they have not yet updated;
    snnTorch and SpikingJelly update nodes in the order of their names, Norse depth first along the edges: the graph satisfies
    both. `d_spikes` also keeps snnTorch from merging neurons and recurrent weights into a module, whose input it connects to
    the weights.
    """
    kinds, kind = np.unique(np.c_[stepped.alpha, stepped.beta], axis=0, return_inverse=True)
    groups = [np.flatnonzero(kind == k) for k in range(len(kinds))] if alike else [np.arange(len(kind))]
    identity = np.eye(len(kind))
    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array([stepped.from_inputs.shape[1]])})}
    edges: list[tuple[str, str]] = []
    for k, members in enumerate(groups):
        tau_syn, tau_mem = DT / (1 - stepped.alpha[members]), DT / (1 - stepped.beta[members])
        ones = np.ones(len(members))
        constants = {"r": tau_mem / DT, "w_in": tau_syn / DT, "v_leak": 0 * ones, "v_threshold": ones, "v_reset": 0 * ones}
        nodes[f"a_inputs_{k}"] = nir.Linear(stepped.from_inputs[members])
        nodes[f"b_neurons_{k}"] = nir.CubaLIF(tau_syn=tau_syn, tau_mem=tau_mem, **constants)
        nodes[f"c_gather_{k}"] = nir.Linear(identity[:, members])
        nodes[f"e_recurrent_{k}"] = nir.Linear(stepped.recurrent[members])
        path = ["input", f"a_inputs_{k}", f"b_neurons_{k}", f"c_gather_{k}", "d_spikes", f"e_recurrent_{k}", f"b_neurons_{k}"]
        edges += pairwise(path)
    if alike:
        nodes["d_spikes"] = nir.Linear(identity)
    else:  # one node gathers
        nodes["d_spikes"] = nodes.pop("c_gather_0")
        edges = [("b_neurons_0", "d_spikes") if edge[0] == "b_neurons_0" else edge for edge in edges if edge[0] != "c_gather_0"]
    nodes |= {"f_ports": nir.Linear(slots @ stepped.read), "output": nir.Output({"output": np.array([len(slots)])})}
    return nir.NIRGraph(nodes, [*edges, ("d_spikes", "f_ports"), ("f_ports", "output")])
