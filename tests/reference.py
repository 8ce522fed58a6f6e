"""A second simulator to check the first against: plain Python floats, lists and loops, no code shared with the kernel.

It follows the timing rule literally, in absolute potentials, and pushes spikes forward in time where the kernel pulls them.
Plastic synapses look back at the times of their spikes where the kernel carries traces from step to step.
"""

from collections import defaultdict
from math import exp, expm1, log, sqrt
from typing import NamedTuple

import numpy as np

from circuits import Circuit


class Found(NamedTuple):
    """Spikes bool [trials, steps, neurons]; weights_mv float [trials, synapses] of the synapses that learn, as in `Raster`."""

    spikes: np.ndarray
    weights_mv: np.ndarray


def simulate(circuit, spikes, **settings):
    """The rasters of all trials: bool [trials, steps, channels] -> bool [trials, steps, neurons]."""
    return run(circuit, spikes, **settings).spikes


def run(circuit, spikes, sequence=1, kicks=None):
    """What the circuit does in all trials, in sequences of so many, and what it has learnt at the end of each.

    kicks: the membrane noise in units of its standard deviation, float [trials, neurons, steps].
    """
    found = np.zeros((*spikes.shape[:2], len(circuit.neurons)), bool)
    learnt = []
    for trial, inputs in enumerate(spikes.tolist()):
        if trial % sequence == 0:
            synapses = _synapses(circuit)
        for synapse in synapses:
            synapse.rest()
        noise = None if kicks is None else kicks[trial].tolist()
        for n, stamps in enumerate(_trial(circuit, inputs, synapses, noise)):
            found[trial, [stamp - 1 for stamp in stamps], n] = True
        learnt.append([s.weight for s in sorted((s for s in synapses if isinstance(s, _Stdp)), key=_Stdp.place)])
    return Found(found, np.array(learnt))


def _trial(circuit, inputs, synapses, noise):
    """The spikes of one trial; inputs[k][channel] is true for an input spike stamped (k + 1) dt.

    Returns per neuron the ascending stamps of its spikes in whole steps (a spike of step k is stamped k + 1).
    """
    dt, channels = circuit.dt_ms, len(circuit.inputs)
    leaving, onto = defaultdict(list), defaultdict(list)
    for synapse in synapses:
        leaving[synapse.source].append(synapse)
        if isinstance(synapse, _Stdp):
            onto[synapse.post].append(synapse)
    arriving = defaultdict(list)  # (step, neuron) -> synapses over which a spike arrives in it

    def send(source, stamp):
        for synapse in leaving[source]:
            arriving[stamp + synapse.delay - 1, synapse.post].append(synapse)

    for k, row in enumerate(inputs):
        for channel, spike in enumerate(row):
            if spike:
                send(channel, k + 1)

    cells = [CELLS[circuit.neuron_model](neuron, dt) for neuron in circuit.neurons]
    decays = [(exp(-dt / neuron.tau_syn_e_ms), exp(-dt / neuron.tau_syn_i_ms)) for neuron in circuit.neurons]
    n_ref = [round(neuron.t_ref_ms / dt) for neuron in circuit.neurons]
    i_e, i_i, counter = [0.0] * len(cells), [0.0] * len(cells), [0] * len(cells)
    stamps = [[] for _ in cells]
    for k in range(len(inputs)):
        for n, cell in enumerate(cells):
            held = counter[n] > 0
            if noise is not None and not held:
                cell.v += noise[n][k] * circuit.noise_mv * sqrt(expm1(2 * dt / cell.tau_m))
            fired = cell.step(i_e[n], i_i[n], held) and not held
            counter[n] -= held
            i_e[n] *= decays[n][0]
            i_i[n] *= decays[n][1]
            for synapse in arriving.get((k, n), ()):
                if synapse.inhibits:
                    i_i[n] -= synapse.arrive(k)
                else:
                    i_e[n] += synapse.arrive(k)
            if fired:
                stamps[n].append(k + 1)
                cell.v = circuit.neurons[n].v_reset_mv
                counter[n] = n_ref[n]
                send(channels + n, k + 1)
                for synapse in onto[n]:
                    synapse.fired(k)
    return stamps


class _Lif:
    """Exact integration; V is held at v_reset while the neuron is refractory."""

    def __init__(self, neuron, dt):
        self.neuron, self.dt, self.v, self.tau_m = neuron, dt, neuron.v_rest_mv, neuron.tau_m_ms
        self.p22 = exp(-dt / self.tau_m)
        self.p21_e, self.p21_i = self.weight_of(neuron.tau_syn_e_ms), self.weight_of(neuron.tau_syn_i_ms)
        self.p20 = -expm1(-dt / self.tau_m)

    def weight_of(self, tau_syn):
        a = 1 / tau_syn - 1 / self.tau_m
        return exp(-self.dt / self.tau_m) / self.tau_m * (-expm1(-a * self.dt) / a if a else self.dt)

    def step(self, i_e, i_i, held):
        if not held:
            rest = self.neuron.v_rest_mv
            self.v = rest + self.p22 * (self.v - rest) + self.p21_e * i_e + self.p21_i * i_i + self.p20 * self.neuron.bias_mv
        return self.v >= self.neuron.v_th_mv


class _Alif(_Lif):
    def __init__(self, neuron, dt):
        super().__init__(neuron, dt)
        self.w = self.theta = 0.0
        self.p21_w = self.weight_of(neuron.tau_w_ms)

    def step(self, i_e, i_i, held):
        super().step(i_e, i_i, held)
        if not held:
            self.v -= self.p21_w * self.w
        self.w *= exp(-self.dt / self.neuron.tau_w_ms)
        self.theta *= exp(-self.dt / self.neuron.tau_theta_ms)
        fired = not held and self.v >= self.neuron.v_th_mv + self.theta
        self.w += fired * self.neuron.w_jump_mv
        self.theta += fired * self.neuron.theta_jump_mv
        return fired


class _LifCond:
    """Exponential Euler with the mean conductance of the step."""

    def __init__(self, neuron, dt):
        self.neuron, self.dt, self.v, self.tau_m = neuron, dt, neuron.v_rest_mv, neuron.tau_m_ms

    def step(self, i_e, i_i, held):
        if held:
            return False
        n = self.neuron
        g_e = i_e / (n.e_exc_mv - n.v_th_mv) * self.mean(n.tau_syn_e_ms)
        g_i = -i_i / (n.v_th_mv - n.e_inh_mv) * self.mean(n.tau_syn_i_ms)
        settled = (n.v_rest_mv + g_e * n.e_exc_mv + g_i * n.e_inh_mv + n.bias_mv) / (1 + g_e + g_i)
        self.v = settled + (self.v - settled) * exp(-self.dt / self.tau_m * (1 + g_e + g_i))
        return self.v >= n.v_th_mv

    def mean(self, tau):
        return tau / self.dt * (1 - exp(-self.dt / tau))


class _Izhikevich:
    """Forward Euler; u goes on while V is held."""

    tau_m = 1.0

    def __init__(self, neuron, dt):
        self.neuron, self.dt, self.v, self.u = neuron, dt, neuron.v_rest_mv, neuron.b_per_ms * neuron.v_rest_mv

    def step(self, i_e, i_i, held):
        n, v, u = self.neuron, self.v, self.u
        self.u = u + self.dt * n.a_per_ms * (n.b_per_ms * v - u)
        if held:
            return False
        self.v = v + self.dt * (0.04 * v * v + 5 * v + 140 - u + i_e + i_i + n.bias_mv)
        fired = self.v >= n.v_th_mv
        self.u += fired * n.d_mv_per_ms
        return fired


class _AdEx:
    """Heun's rule, V in its second evaluation at most v_peak, or v_reset while held. The upswing alone, tau_m dV/dt =
    delta_t exp((V - v_th) / delta_t), reaches v_peak within a step from `runaway` on."""

    def __init__(self, neuron, dt):
        self.neuron, self.dt, self.v, self.tau_m, self.w = neuron, dt, neuron.v_rest_mv, neuron.tau_m_ms, 0.0
        left = exp((neuron.v_th_mv - neuron.v_peak_mv) / neuron.delta_t_mv)
        self.runaway = neuron.v_th_mv - neuron.delta_t_mv * log(dt / neuron.tau_m_ms + left)

    def step(self, i_e, i_i, held):
        n, dt = self.neuron, self.dt
        runs_away = self.v >= self.runaway
        dv, dw = self.slopes(self.v, self.w, i_e + i_i)
        v_end = self.v if held else min(self.v + dt * dv, n.v_peak_mv)
        later = i_e * exp(-dt / n.tau_syn_e_ms) + i_i * exp(-dt / n.tau_syn_i_ms)
        dv_end, dw_end = self.slopes(v_end, self.w + dt * dw, later)
        self.w += dt * (dw + dw_end) / 2
        if held:
            return False
        self.v += dt * (dv + dv_end) / 2
        fired = self.v >= n.v_peak_mv or runs_away
        self.w += fired * n.w_jump_mv
        return fired

    def slopes(self, v, w, current):
        n = self.neuron
        upswing = n.delta_t_mv * exp(min((v - n.v_th_mv) / n.delta_t_mv, 700))
        dv = (n.v_rest_mv - v + upswing - w + current + n.bias_mv) / n.tau_m_ms
        return dv, (n.a * (v - n.v_rest_mv) - w) / n.tau_w_ms


CELLS = {
    "lif_psc_exp": _Lif,
    "alif_psc_exp": _Alif,
    "lif_cond_exp": _LifCond,
    "izhikevich": _Izhikevich,
    "aeif_psc_exp": _AdEx,
}


class _Static:
    def __init__(self, synapse, source, post, inhibits, dt):
        self.source, self.post, self.inhibits, self.weight = source, post, inhibits, synapse.weight_mv
        self.delay, self.dt = round(synapse.delay_ms / dt), dt

    def rest(self):
        pass

    def arrive(self, step):
        """The mV that a spike arriving in this step brings."""
        return self.weight


class _ShortTerm(_Static):
    def __init__(self, synapse, *place):
        super().__init__(synapse, *place)
        self.section = synapse.short_term

    def rest(self):
        self.last, self.u, self.x = 0, 0.0, 1.0

    def arrive(self, step):
        s, since = self.section, (step - self.last) * self.dt
        self.last = step
        self.x = 1 - (1 - self.x) * exp(-since / s.tau_rec_ms)
        self.u *= exp(-since / s.tau_fac_ms) if s.tau_fac_ms else 0.0
        self.u += s.use * (1 - self.u)
        released = self.u * self.x
        self.x -= released
        return self.weight * released


class _Stdp(_Static):
    def __init__(self, synapse, *place):
        super().__init__(synapse, *place)
        self.section, self.first = synapse.stdp, synapse.weight_mv

    def place(self):
        return self.post, self.inhibits, self.source, self.delay, self.first

    def rest(self):
        self.arrivals, self.spikes = [], []

    def arrive(self, step):
        self.learn(-self.section.a_minus, self.spikes, step, self.section.tau_minus_ms)
        self.arrivals.append(step)
        return self.weight

    def fired(self, step):
        """The postsynaptic neuron has fired, and what arrives in this step is there."""
        self.learn(self.section.a_plus, self.arrivals, step, self.section.tau_plus_ms)
        self.spikes.append(step)

    def learn(self, change, earlier, step, tau):
        pairs = sum(exp(-(step - then) * self.dt / tau) for then in earlier if then < step)
        self.weight = min(max(self.weight + change * self.first * pairs, 0.0), self.section.bound * self.first)


def _synapses(circuit):
    place = {neuron.id: n for n, neuron in enumerate(circuit.neurons)}
    found = [(c, False, synapse) for c, channel in enumerate(circuit.inputs) for synapse in channel.synapses]
    for synapse in circuit.synapses:
        n = place[synapse.pre]
        found.append((len(circuit.inputs) + n, circuit.neurons[n].sign == "I", synapse))

    def made(source, inhibits, synapse):
        kind = _ShortTerm if synapse.short_term else _Stdp if synapse.stdp else _Static
        return kind(synapse, source, place[synapse.post], inhibits, circuit.dt_ms)

    return [made(*one) for one in found]


def random_circuit(rng, neurons=None, dt_ms=None, multapses=True, neuron_model="lif_psc_exp", plastic=None, in_degree=5):
    """A valid circuit with everything a circuit may have, its weights such that it fires on `random_input`.

    Autapses, delays of 1 to 50 steps, n_ref of 0, 1 or 20 steps, tau_m = tau_syn in a fifth of the cases, some neurons that
    their bias alone makes fire. `neurons` (1 to 24) and `dt_ms` (1, 0.1 or 0.05; 0.25 instead of 1 for the models that
    integrate approximately) are drawn unless given.
    plastic: "short_term", "stdp" or "both": two thirds of the synapses have such a section.
    """
    count = int(rng.integers(1, 25)) if neurons is None else neurons
    coarsest = 0.25 if neuron_model in ("izhikevich", "aeif_psc_exp") else 1.0
    dt = float(rng.choice([coarsest, 0.1, 0.05])) if dt_ms is None else dt_ms
    ids = [n if rng.random() < 0.5 else f"n{n}" for n in range(count)]
    cells = [_random_neuron(rng, name, dt) for name in ids]

    def synapse(pre, post, share):
        tau_syn = post["tau_syn_e_ms"] if pre is None or pre["sign"] == "E" else post["tau_syn_i_ms"]
        depth = post["v_th_mv"] - post["v_rest_mv"]
        weight = share * depth / _peak(post["tau_m_ms"], tau_syn, dt)
        ends = {"post": post["id"]} if pre is None else {"pre": pre["id"], "post": post["id"]}
        return ends | {"weight_mv": weight, "delay_ms": int(rng.integers(1, 51)) * dt}

    inputs = [
        {"name": f"in{c}", "synapses": [synapse(None, post, rng.uniform(0.3, 1.3)) for post in cells if rng.random() < 0.6]}
        for c in range(rng.integers(1, 5))
    ]
    pairs = [(pre, post) for pre in cells for post in cells if rng.random() < min(1.0, in_degree / count)]
    if multapses:
        pairs += [pairs[k] for k in rng.integers(len(pairs), size=3)] if pairs else []
    synapses = [synapse(pre, post, rng.uniform(0.05, 0.4)) for pre, post in pairs]
    excitatory = [cell["id"] for cell in cells if cell["sign"] == "E"]
    outputs = [{"name": "out", "neurons": rng.permutation(np.array(excitatory, object)).tolist()}] if excitatory else []

    # All draws from here on are of what plain circuits do not have: those of a seed stay what they were.
    everything = [s for channel in inputs for s in channel["synapses"]] + synapses
    if neuron_model == "izhikevich":
        by_id = {cell["id"]: cell for cell in cells}
        for s in everything:  # what the weight brings in all, from rest to threshold, instead of the peak of a LIF neuron's V
            post = by_id[s["post"]]
            tau = post["tau_syn_i_ms" if "pre" in s and by_id[s["pre"]]["sign"] == "I" else "tau_syn_e_ms"]
            s["weight_mv"] *= 20 / (post["v_th_mv"] - post["v_rest_mv"]) * _peak(post["tau_m_ms"], tau, dt) / tau
    if neuron_model in _OF_THE_MODEL:
        cells = [_OF_THE_MODEL[neuron_model](rng, cell, dt) for cell in cells]
    for s in everything if plastic else ():
        if rng.random() < 2 / 3:
            kind = str(rng.choice(["short_term", "stdp"])) if plastic == "both" else plastic
            s |= {kind: random_section(rng, kind)}
            s["weight_mv"] *= 2 if kind == "short_term" else 1
    return Circuit(dt_ms=dt, neuron_model=neuron_model, neurons=cells, inputs=inputs, synapses=synapses, outputs=outputs)


def random_input(rng, circuit, trials, steps):
    """Poisson input, about 8 spikes per channel and trial: bool [trials, steps, channels]."""
    return rng.random((trials, steps, len(circuit.inputs))) < 8 / steps


def _random_neuron(rng, name, dt):
    tau_m = rng.uniform(5, 20)
    tau_e, tau_i = (tau_m if rng.random() < 0.2 else rng.uniform(1, 12) for _ in range(2))
    rest = rng.uniform(-75, -60)
    depth = rng.uniform(5, 20)
    return {
        "id": name,
        "sign": "E" if rng.random() < 0.7 else "I",
        "type": str(rng.choice(["", "basket", "pyramidal"])),
        "tau_m_ms": tau_m,
        "tau_syn_e_ms": tau_e,
        "tau_syn_i_ms": tau_i,
        "v_rest_mv": rest,
        "v_th_mv": rest + depth,
        "v_reset_mv": rest + rng.uniform(-5, 0.8 * depth),
        "t_ref_ms": int(rng.choice([0, 1, 20])) * dt,
        "bias_mv": depth * rng.uniform(1.1, 2) if rng.random() < 0.15 else depth * rng.uniform(-0.3, 0.5),
    }


def _adaptive(rng, cell, dt):
    """By a current, of the threshold, both or neither; some currents decay as the membrane does."""
    depth = cell["v_th_mv"] - cell["v_rest_mv"]
    w_jump, theta_jump = (rng.uniform(0, 0.5) * depth * (rng.random() < 0.7) for _ in range(2))
    tau_w = cell["tau_m_ms"] if rng.random() < 0.2 else rng.uniform(1, 60)
    return cell | {
        "w_jump_mv": w_jump,
        "tau_w_ms": tau_w,
        "theta_jump_mv": theta_jump,
        "tau_theta_ms": rng.uniform(1, 60),
    }


def _conductance(rng, cell, dt):
    """Inhibition hyperpolarises, shunts, or depolarises up to below the threshold."""
    at = rng.choice([cell["v_rest_mv"], cell["v_rest_mv"] - rng.uniform(1, 20), cell["v_th_mv"] - rng.uniform(1, 4)])
    return cell | {"e_exc_mv": cell["v_th_mv"] + rng.uniform(20, 80), "e_inh_mv": float(at)}


# a, b, c, d of Izhikevich's 2003 paper, figure 2.
PUBLISHED = {
    "regular spiking": (0.02, 0.2, -65.0, 8.0),
    "intrinsically bursting": (0.02, 0.2, -55.0, 4.0),
    "chattering": (0.02, 0.2, -50.0, 2.0),
    "fast spiking": (0.1, 0.2, -65.0, 2.0),
    "low-threshold spiking": (0.02, 0.25, -65.0, 2.0),
}


def _izhikevich(rng, cell, dt):
    a, b, c, d = PUBLISHED[str(rng.choice(list(PUBLISHED)))]
    kept = ("id", "sign", "type", "tau_syn_e_ms", "tau_syn_i_ms", "t_ref_ms")
    return {name: cell[name] for name in kept} | {
        "a_per_ms": a * rng.uniform(0.8, 1.2),
        "b_per_ms": b * rng.uniform(0.8, 1.1),
        "d_mv_per_ms": d,
        "v_rest_mv": rng.uniform(-72, -62),
        "v_th_mv": rng.uniform(25, 35),
        "v_reset_mv": c + rng.uniform(-2, 2),
        "bias_mv": rng.uniform(8, 20) if rng.random() < 0.3 else rng.uniform(-2, 3),
    }


def _adaptive_exponential(rng, cell, dt):
    """Some are reset above where the upswing begins, which makes bursts."""
    rest, depth = cell["v_rest_mv"], cell["v_th_mv"] - cell["v_rest_mv"]
    return cell | {
        "delta_t_mv": rng.uniform(0.5, 4),
        "v_peak_mv": cell["v_th_mv"] + rng.uniform(10, 40),
        "v_reset_mv": rest + rng.uniform(-5, 1.2 * depth),
        "a": rng.uniform(-0.2, 1),
        "w_jump_mv": rng.uniform(0, 0.5) * depth,
        "tau_w_ms": rng.uniform(5, 150),
    }


_OF_THE_MODEL = {
    "alif_psc_exp": _adaptive,
    "lif_cond_exp": _conductance,
    "izhikevich": _izhikevich,
    "aeif_psc_exp": _adaptive_exponential,
}


def random_section(rng, kind):
    """Parameters of a plastic synapse that make themselves felt within a trial and reach the bounds; Hebbian or not."""
    if kind == "short_term":
        tau_fac = 0.0 if rng.random() < 0.3 else rng.uniform(1, 500)
        return {"use": rng.uniform(0.05, 1), "tau_rec_ms": rng.uniform(1, 500), "tau_fac_ms": tau_fac}
    a_plus, a_minus = rng.uniform(-0.3, 0.6, 2)
    taus = {"tau_plus_ms": rng.uniform(1, 40), "tau_minus_ms": rng.uniform(1, 40)}
    return {"a_plus": a_plus, "a_minus": a_minus} | taus | {"bound": rng.uniform(1, 3)}


def _peak(tau_m, tau_syn, dt):
    """The peak of the postsynaptic potential per mV of weight, or what of it is reached in 100 steps."""
    if tau_m == tau_syn:
        at = min(tau_m, 100 * dt)
        return at / tau_m * exp(-at / tau_m)
    at = min(log(tau_m / tau_syn) * tau_m * tau_syn / (tau_m - tau_syn), 100 * dt)
    return tau_syn / (tau_m - tau_syn) * (exp(-at / tau_m) - exp(-at / tau_syn))
