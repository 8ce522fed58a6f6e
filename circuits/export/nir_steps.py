"""The motif for frameworks that step NIR's CubaLIF nodes: snnTorch, Norse, SpikingJelly.

They read CubaLIF, LIF and Linear nodes alone, with conventions of their own. Each step of a CubaLIF node is

    I <- alpha I + x      V <- beta V + I      V > 1: a spike, V <- 0

for alpha = 1 - dt / tau_syn, beta = 1 - dt / tau_mem, r = tau_mem / dt, w_in = tau_syn / dt, v_leak = 0, and what recurs comes
a step later. That is the simulator's step once x is multiplied by its P21, and V counts from the reset in units of the
threshold. Whatever else a motif has is made of relays, CubaLIF neurons without memory (alpha = beta = 0) that repeat a spike a
step later:

- a delay of d steps is a chain of d relays;
- a synaptic current that decays with a factor a other than alpha is a sum of delayed inputs: w, w (a - alpha), w (a - alpha) a,
  w (a - alpha) a^2, ... until `LEFT_OUT` of it are left;
- a refractory neuron is made to fire in every step, which holds it at its reset; its chain does not let these spikes pass, and
  the output subtracts them;
- a constant drive, and a start elsewhere than at the reset, come from one more input channel, the last, that is 1 in all steps.
"""

from collections import defaultdict
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from circuits.export.nir_graphs import parameters
from circuits.motif_file import Motif
from circuits.neurons.lif_psc_exp import P21_E, P21_I, P22
from circuits.neurons.model import P11_E, P11_I

DT = 1e-4  # s: the step that snnTorch insists on; the graph knows nothing of ours
LEFT_OUT = 1e-6  # of a synaptic current
MOST = 3_000  # relays: their matrices are dense
PASS = 2.0  # weight of a spike onto a relay, whose threshold is 1

# What arrives: (source, relays on the way, target) -> weight. Sources are input channels and, from -1 downwards, neurons.
Taps = dict[tuple[int, int, int], float]


class Steps(NamedTuple):
    """P neurons at unit threshold, those of the motif first, then relays.

    alpha, beta  [P];   from_inputs  [P, channels];   recurrent  [P, P];   read  [neurons, P], what of it are the motif's spikes
    """

    alpha: np.ndarray
    beta: np.ndarray
    from_inputs: np.ndarray
    recurrent: np.ndarray
    read: np.ndarray


class TooManyError(Exception):
    """A motif takes more than `MOST` relays; the argument says how many."""


def steps(motif: Motif) -> Steps:
    """The motif as neurons and relays. Raises TooManyError."""
    n, channels = len(motif.neurons), len(motif.inputs)
    table = motif.model.table(motif.parameters, motif.dt_ms)
    alpha, beta = table[:, P11_E], table[:, P22]
    held = motif.model.refractory_steps(motif.parameters, motif.dt_ms)
    always = _always(motif, table)
    taps = _synapses(motif, table) | {(channels, relays, post): weight for (relays, post), weight in always.items()}

    longest = {-1 - k: int(held[k]) for k in range(n) if held[k]}
    for source, relays, _ in taps:
        longest[source] = max(relays, longest.get(source, 0))
    if sum(longest.values()) > MOST:
        raise TooManyError(sum(longest.values()))
    ends = n + np.cumsum(list(longest.values()), dtype=int)
    chains = {source: np.arange(end - length, end) for (source, length), end in zip(longest.items(), ends, strict=True)}
    size = n + sum(longest.values())
    from_inputs, recurrent, read = np.zeros((size, channels + bool(always))), np.zeros((size, size)), np.eye(n, size)
    for source, chain in chains.items():
        recurrent[chain[1:], chain[:-1]] = PASS
        matrix, column = (from_inputs, source) if source >= 0 else (recurrent, -1 - source)
        matrix[chain[:1], column] = PASS
    for (source, relays, post), weight in taps.items():
        matrix, column = (recurrent, chains[source][relays - 1]) if relays else (from_inputs, source)
        matrix[post, column] += weight

    force = _more_than_any_inhibition(alpha, recurrent, chains, held) + np.abs(from_inputs[:n]).sum(1)
    for k in np.flatnonzero(held):
        chain = chains[-1 - int(k)][: held[k]]
        recurrent[k, k] += force[k]
        recurrent[k, chain] -= alpha[k] * force[k]
        recurrent[k, chain[-1]] -= force[k]
        recurrent[chain[0], chain] -= PASS
        read[k, chain] = -1
    memory = np.zeros(size - n)
    return Steps(np.r_[alpha, memory], np.r_[beta, memory], from_inputs, recurrent, read)


def _synapses(motif, table) -> Taps:
    """A spike reaches V a step after its delay: as what recurs, over a relay per step; from an input channel, over one more."""
    p = parameters(motif)
    unit = p["v_th_mv"] - p["v_reset_mv"]
    place = {neuron.id: k for k, neuron in enumerate(motif.neurons)}
    taps: Taps = defaultdict(float)
    for c, channel in enumerate(motif.inputs):
        for s in channel.synapses:
            post = place[s.post]
            taps[c, 1 + round(s.delay_ms / motif.dt_ms), post] += s.weight_mv * table[post, P21_E] / unit[post]
    for s in motif.synapses:
        pre, post, relays = place[s.pre], place[s.post], round(s.delay_ms / motif.dt_ms)
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


def _always(motif, table) -> dict[tuple[int, int], float]:
    """Weights of an input that is 1 in all steps, (relays, neuron) -> weight, so that I is `drive` in all steps and V is
    where it starts; nothing if V starts and rests at the reset."""
    p = parameters(motif)
    alpha, beta, unit = table[:, P11_E], table[:, P22], p["v_th_mv"] - p["v_reset_mv"]
    drive = (1 - beta) * (p["v_rest_mv"] + p["bias_mv"] - p["v_reset_mv"]) / unit
    first = drive + beta * (p["v_rest_mv"] - p["v_reset_mv"]) / unit
    arriving = [first, drive - alpha * first, drive - alpha * drive]  # in the first step, in the second, in all others
    changes = np.diff(arriving, axis=0, prepend=0)
    return {(int(relays), int(post)): changes[relays, post] for relays, post in zip(*np.nonzero(changes), strict=True)}


def _more_than_any_inhibition(alpha, recurrent, chains, held):
    """An input that makes neurons fire whatever inhibits them, [neurons]: I is at its least where each source has always fired
    as often as it can."""
    total = np.full(len(alpha), 2.0)
    for source, chain in chains.items():
        every = 1 if source >= 0 else held[-1 - source] + 1
        total += np.abs(np.minimum(recurrent[: len(alpha), chain], 0)).sum(1) / (1 - alpha**every)
    return total


def graph(nir: Any, made: Steps, slots: np.ndarray, alike: bool) -> Any:
    """The NIRGraph of `steps`; its output are the slots [slots, neurons].

    alike  the neurons of a node have the same alpha and beta, as SpikingJelly wants it, so that there are many nodes; else one

    What recurs has to be of the step before. The frameworks take that of nodes which they have not come to yet; snnTorch and
    SpikingJelly come to them in the order of their names, Norse depth first along the edges: hence both here. `d_spikes` also
    keeps snnTorch from taking neurons and recurrent weights for a module of its own, whose input it connects to the weights.
    """
    kinds, kind = np.unique(np.c_[made.alpha, made.beta], axis=0, return_inverse=True)
    groups = [np.flatnonzero(kind == k) for k in range(len(kinds))] if alike else [np.arange(len(kind))]
    everyone = np.eye(len(kind))
    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array([made.from_inputs.shape[1]])})}
    edges: list[tuple[str, str]] = []
    for k, own in enumerate(groups):
        tau_syn, tau_mem = DT / (1 - made.alpha[own]), DT / (1 - made.beta[own])
        ones = np.ones(len(own))
        constants = {"r": tau_mem / DT, "w_in": tau_syn / DT, "v_leak": 0 * ones, "v_threshold": ones, "v_reset": 0 * ones}
        nodes[f"a_inputs_{k}"] = nir.Linear(made.from_inputs[own])
        nodes[f"b_neurons_{k}"] = nir.CubaLIF(tau_syn=tau_syn, tau_mem=tau_mem, **constants)
        nodes[f"c_gather_{k}"] = nir.Linear(everyone[:, own])
        nodes[f"e_recurrent_{k}"] = nir.Linear(made.recurrent[own])
        path = ["input", f"a_inputs_{k}", f"b_neurons_{k}", f"c_gather_{k}", "d_spikes", f"e_recurrent_{k}", f"b_neurons_{k}"]
        edges += pairwise(path)
    if alike:
        nodes["d_spikes"] = nir.Linear(everyone)
    else:  # one gathers as well as two
        nodes["d_spikes"] = nodes.pop("c_gather_0")
        edges = [("b_neurons_0", "d_spikes") if edge[0] == "b_neurons_0" else edge for edge in edges if edge[0] != "c_gather_0"]
    nodes |= {"f_ports": nir.Linear(slots @ made.read), "output": nir.Output({"output": np.array([len(slots)])})}
    return nir.NIRGraph(nodes, [*edges, ("d_spikes", "f_ports"), ("f_ports", "output")])
