"""The motif for frameworks that step NIR's CubaLIF nodes: snnTorch, Norse, SpikingJelly.

They read CubaLIF, LIF and Linear nodes alone, with conventions of their own. Each step of a CubaLIF node is

    I <- alpha I + x      V <- beta V + I      V > 1: a spike, V <- 0

for alpha = 1 - dt / tau_syn, beta = 1 - dt / tau_mem, r = tau_mem / dt, w_in = tau_syn / dt, v_leak = 0, and what recurs comes a
step later. That is the simulator's step once x is multiplied by its P21, and V counts from the reset in units of the threshold.
Whatever else a motif has is made of relays, which are CubaLIF neurons without memory (alpha = beta = 0) that repeat a spike a step
later:

- a delay of d steps is a chain of d relays;
- a synaptic current that decays with another factor than alpha is a sum of delayed inputs, w, w (a - alpha), w (a - alpha) a, ...
  down to `SMALLEST` w;
- a refractory neuron is made to fire in every step, which holds it at its reset; its chain does not let these spikes pass, and the
  output subtracts them;
- a constant drive, and a start elsewhere than at the reset, come from one more input channel, the last, that is 1 in all steps.
"""

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np

from circuits.errors import UserError
from circuits.export.nir_graphs import parameters, port_matrix
from circuits.motif_file import Motif
from circuits.neurons.lif_psc_exp import P21_E, P21_I, P22
from circuits.neurons.model import P11_E, P11_I

DT = 1e-4  # s: the step that snnTorch insists on; the graph knows nothing of ours
SMALLEST = 1e-7
MOST = 20_000  # relays: more take minutes to load
PASS = 2.0  # weight of a spike on a relay, whose threshold is 1


class Steps(NamedTuple):
    """P neurons, those of the motif first, then relays, at unit threshold.

    alpha, beta  [P];   from_inputs  [P, channels];   recurrent  [P, P];   read  [neurons, P], what of it are the motif's spikes
    always  whether the last channel has to be 1 in all steps
    """

    alpha: np.ndarray
    beta: np.ndarray
    from_inputs: np.ndarray
    recurrent: np.ndarray
    read: np.ndarray
    always: bool


def steps(motif: Motif) -> Steps:
    """The motif as neurons and relays.

    Raises UserError where that takes more than `MOST` relays.
    """
    p, n = parameters(motif), len(motif.neurons)
    table = motif.model.table(motif.parameters, motif.dt_ms)
    alpha, alpha_i, beta = table[:, P11_E], table[:, P11_I], table[:, P22]
    unit = p["v_th_mv"] - p["v_reset_mv"]
    held = motif.model.refractory_steps(motif.parameters, motif.dt_ms)
    place = {neuron.id: k for k, neuron in enumerate(motif.neurons)}
    taps = defaultdict(float)  # (source, relays on the way, target) -> weight; sources are channels and, from -1 down, neurons

    def add(source, relays, s, inhibits):
        post = place[s.post]
        relays += round(s.delay_ms / motif.dt_ms)
        if not inhibits:
            taps[source, relays, post] += s.weight_mv * table[post, P21_E] / unit[post]
            return
        weight = -s.weight_mv * table[post, P21_I] / unit[post]
        taps[source, relays, post] += weight
        other = alpha_i[post] - alpha[post]
        while abs(other) > SMALLEST:
            relays += 1
            taps[source, relays, post] += weight * other
            other *= alpha_i[post]
        if relays > MOST:
            raise _too_many(motif)

    for c, channel in enumerate(motif.inputs):
        for s in channel.synapses:
            add(c, 1, s, False)  # the first relay of an input fires in the step of its spike
    for synapse in motif.synapses:
        pre = place[synapse.pre]
        add(-1 - pre, 0, synapse, motif.neurons[pre].sign == "I")

    drive = (1 - beta) * (p["v_rest_mv"] + p["bias_mv"] - p["v_reset_mv"]) / unit
    start = beta * (p["v_rest_mv"] - p["v_reset_mv"]) / unit
    always = bool(np.any(drive) or np.any(start))
    if always:  # I is to be drive + start in the first step, drive from then on
        wanted = [drive + start, drive - alpha * (drive + start), drive * (1 - alpha)]
        for relays, change in enumerate(np.diff(wanted, axis=0, prepend=0)):
            for post in np.flatnonzero(change):
                taps[len(motif.inputs), relays, int(post)] += change[post]

    longest = {-1 - k: int(held[k]) for k in range(n) if held[k]}
    for source, relays, _ in taps:
        longest[source] = max(relays, longest.get(source, 0))
    if sum(longest.values()) > MOST:
        raise _too_many(motif)
    starts = dict(zip(longest, n + np.cumsum([0, *longest.values()])[:-1], strict=True))
    size = n + sum(longest.values())
    from_inputs, recurrent = np.zeros((size, len(motif.inputs) + always)), np.zeros((size, size))
    for source, length in longest.items():
        chain = starts[source] + np.arange(length)
        recurrent[chain[1:], chain[:-1]] = PASS
        if length:
            (from_inputs if source >= 0 else recurrent)[chain[0], source if source >= 0 else -1 - source] = PASS
    for (source, relays, post), weight in taps.items():
        if relays:
            recurrent[post, starts[source] + relays - 1] += weight
        else:
            from_inputs[post, source] += weight

    read = np.eye(n, size)
    force = _more_than_any_inhibition(alpha, recurrent[:n], starts, longest, held) + np.abs(drive)
    for k in np.flatnonzero(held):
        chain = starts[-1 - k] + np.arange(held[k])
        recurrent[k, k] += force[k]
        recurrent[k, chain] -= alpha[k] * force[k]
        recurrent[k, chain[-1]] -= force[k]
        recurrent[chain[0], chain] -= PASS
        read[k, chain] = -1
    memory = np.zeros(size - n)
    return Steps(np.r_[alpha, memory], np.r_[beta, memory], from_inputs, recurrent, read, always)


def _more_than_any_inhibition(alpha, weights, starts, longest, held):
    """An input that makes neurons fire whatever inhibits them, [neurons]: I is at its least where each source has always fired as
    often as it can."""
    total = np.full(len(alpha), 2.0)
    for source, length in longest.items():
        every = 1 if source >= 0 else held[-1 - source] + 1
        taps = weights[:, starts[source] + np.arange(length)]
        total += np.abs(np.minimum(taps, 0)).sum(1) / (1 - alpha**every)
    return total


def graph(nir: Any, motif: Motif) -> Any:
    """The NIRGraph of `steps`.

    SpikingJelly wants the neurons of a node to be alike, so there is a node for each pair of alpha and beta. Their spikes are
    gathered in one node, and what recurs comes from there. The frameworks take the nodes in the order of their names: neurons come
    before what recurs to them, which is why that is of the step before.
    """
    made = steps(motif)
    kinds, kind = np.unique(np.c_[made.alpha, made.beta], axis=0, return_inverse=True)
    slots, size = port_matrix(motif) @ made.read, len(made.alpha)
    nodes = {
        "input": nir.Input({"input": np.array([made.from_inputs.shape[1]])}),
        "d_spikes": nir.Linear(np.eye(size)),
        "f_ports": nir.Linear(slots),
        "output": nir.Output({"output": np.array([len(slots)])}),
    }
    edges = [("d_spikes", "f_ports"), ("f_ports", "output")]
    for k, (alpha, beta) in enumerate(kinds):
        own = np.flatnonzero(kind == k)
        ones = np.ones(len(own))
        tau_syn, tau_mem = DT / (1 - alpha) * ones, DT / (1 - beta) * ones
        constants = {"r": tau_mem / DT, "w_in": tau_syn / DT, "v_leak": 0 * ones, "v_threshold": ones, "v_reset": 0 * ones}
        nodes[f"a_inputs_{k}"] = nir.Linear(made.from_inputs[own])
        nodes[f"b_neurons_{k}"] = nir.CubaLIF(tau_syn=tau_syn, tau_mem=tau_mem, **constants)
        nodes[f"c_gather_{k}"] = nir.Linear(np.eye(size)[:, own])
        nodes[f"e_recurrent_{k}"] = nir.Linear(made.recurrent[own])
        path = ["input", f"a_inputs_{k}", f"b_neurons_{k}", f"c_gather_{k}", "d_spikes", f"e_recurrent_{k}", f"b_neurons_{k}"]
        edges += zip(path, path[1:], strict=False)
    return nir.NIRGraph(nodes, edges)


def _too_many(motif):
    return UserError(f"nir: delays and time constants take more than {MOST} relays at dt {motif.dt_ms:g} ms; use --to torch")
