"""This motif in Brian2: runs the example trial and compares the spikes with those of the evocircuits simulator.

    python run.py

Needs Brian2 and numpy, not evocircuits. To use the motif in a network of your own, `build` it there.

Potentials and currents are plain numbers in mV, times in ms. `STEPS` holds the neurons' equations as the steps that solve them:
Brian2's "exact" method divides by zero where a synaptic time constant equals that of the membrane. Brian2 stamps a spike with
the start of its step and counts that step as refractory, so that t_ref is a step longer here.
"""

import json

import numpy as np
from example import DRIVE, DT_MS, HERE, INPUTS, cannot_run, compare

try:
    import brian2
    from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, TimedArray, defaultclock, ms, prefs
except ModuleNotFoundError:
    cannot_run("this script needs Brian2, which is not installed: pip install brian2")

# One step of V. `I_e` and `I_i` are the synaptic currents at its start; after it they decay.
STEPS = {
    # tau_m dV/dt = -(V - v_rest) + I_e + I_i + bias, solved exactly
    "lif_psc_exp": """
u = p22 * u + p21_e * I_e + p21_i * I_i + p20 * bias
""",
    # the same with - w, a current that decays and grows with every spike, as does theta, added to the threshold
    "alif_psc_exp": """
u = p22 * u + p21_e * I_e + p21_i * I_i + p20 * bias - p21_w * w
w = w * exp(-dt_ms / tau_w)
theta = theta * exp(-dt_ms / tau_theta)
""",
    # tau_m dV/dt = -(V - v_rest) + g_e (e_exc - V) + g_i (e_inh - V) + bias, solved for the mean conductances of the step
    "lif_cond_exp": """
g_e = I_e / (e_exc - v_th) * tau_syn_e / dt_ms * (1 - exp(-dt_ms / tau_syn_e))
g_i = -I_i / (v_th - e_inh) * tau_syn_i / dt_ms * (1 - exp(-dt_ms / tau_syn_i))
settled = (g_e * (e_exc - v_rest) + g_i * (e_inh - v_rest) + bias) / (1 + g_e + g_i)
u = settled + (u - settled) * exp(-dt_ms / tau_m * (1 + g_e + g_i))
""",
    # dV/dt = 0.04 V^2 + 5 V + 140 - r + I_e + I_i + bias, dr/dt = a (b V - r), by Euler's rule
    "izhikevich": """
slope = 0.04 * v**2 + 5 * v + 140 - r + I_e + I_i + bias
r = r + dt_ms * a_per_ms * (b_per_ms * v - r)
u = u + dt_ms * slope
""",
    # tau_m dV/dt = -(V - v_rest) + delta_t exp((V - v_th) / delta_t) - w + I_e + I_i + bias, tau_w dw/dt = a (V - v_rest) - w,
    # by Heun's rule; from `runs_away` on the exponential term alone reaches v_peak within the step
    "aeif_psc_exp": """
runs_away = int(v >= v_th - delta_t * log(dt_ms / tau_m + exp((v_th - v_peak) / delta_t)))
slope = (delta_t * exp(clip((v - v_th) / delta_t, -700, 700)) - u - w + I_e + I_i + bias) / tau_m
slope_w = (a * u - w) / tau_w
u_end = clip(u + dt_ms * slope, -1e300, v_peak - v_rest) * int(not_refractory) + u * int(not not_refractory)
w_end = w + dt_ms * slope_w
currents = I_e * exp(-dt_ms / tau_syn_e) + I_i * exp(-dt_ms / tau_syn_i) + bias
upswing = delta_t * exp(clip((u_end + v_rest - v_th) / delta_t, -700, 700))
u = u + dt_ms * (slope + (upswing - u_end - w_end + currents) / tau_m) / 2
w = w + dt_ms * (slope_w + (a * u_end - w_end) / tau_w) / 2
""",
}
EVERY_STEP = """
u = u * int(not_refractory) + (v_reset - v_rest) * int(not not_refractory)
I_e = I_e * exp(-dt_ms / tau_syn_e)
I_i = I_i * exp(-dt_ms / tau_syn_i)
"""
DRIVEN = """
I_e = I_e + (1 - exp(-dt_ms / tau_syn_e)) * driven(t, i)
"""
VARIABLES = {"alif_psc_exp": ("w", "theta"), "izhikevich": ("r",), "aeif_psc_exp": ("w", "runs_away")}
THRESHOLDS = {
    "alif_psc_exp": "u >= v_th - v_rest + theta",
    "izhikevich": "v >= v_th",
    "aeif_psc_exp": "v >= v_peak or runs_away > 0",
}
RESETS = {
    "alif_psc_exp": "w += w_jump\ntheta += theta_jump",
    "izhikevich": "r += d_mv_per_ms",
    "aeif_psc_exp": "w += w_jump",
}

ARRIVE = "I_e_post += {share} * w_e\nI_i_post += {share} * w_i"
STATIC = {"on_pre": {"arrive": ARRIVE.format(share="1")}}
SHORT_TERM = {
    "model": """
    dy/dt = -y / (tau_fac * ms) : 1 (event-driven)
    dx/dt = (1 - x) / (tau_rec * ms) : 1 (event-driven)
    use : 1
    tau_fac : 1
    tau_rec : 1
    """,
    "on_pre": {"arrive": "y += use * (1 - y)\n" + ARRIVE.format(share="y * x") + "\nx -= y * x"},
}
STDP = {  # weights change before the traces grow: spikes of one step are no pair
    "model": """
    dx/dt = -x / (tau_plus * ms) : 1 (event-driven)
    dy/dt = -y / (tau_minus * ms) : 1 (event-driven)
    share : 1
    a_plus : 1
    a_minus : 1
    bound : 1
    tau_plus : 1
    tau_minus : 1
    """,
    "on_pre": {
        "arrive": "share = clip(share - a_minus * y, 0, bound)\n" + ARRIVE.format(share="share"),
        "arrived": "x += 1",
    },
    "on_post": {"fire": "share = clip(share + a_plus * x, 0, bound)", "fired": "y += 1"},
}
ORDER = ("arrive", "fire", "arrived", "fired")


def build(motif, drive=None):
    """Make the motif's parts. Returns the NeuronGroup, the SpikeGeneratorGroup of its input channels (None if there are none)
    and a list of Synapses; add all of them to your Network, and set the channels' spikes with `set_spikes`.

    drive, for a motif with sampled inputs: [steps, channels], their (signal - center) / scale; 0 after its end.
    Needs `defaultclock.dt` to be the motif's dt_ms.
    """
    neurons = make_neurons(motif, currents(motif, drive))
    index = {cell["id"]: n for n, cell in enumerate(motif["neurons"])}
    signs = [-1 if cell["sign"] == "I" else 1 for cell in motif["neurons"]]
    channels = SpikeGeneratorGroup(len(motif["inputs"]), [], [] * ms) if motif["inputs"] else None
    of_spikes = [(c, channel) for c, channel in enumerate(motif["inputs"]) if not channel.get("signal")]
    afferent = [(c, 1, s) for c, channel in of_spikes for s in channel["synapses"]]
    recurrent = [(index[s["pre"]], signs[index[s["pre"]]], s) for s in motif["synapses"]]
    groups = []
    for source, rows in ((channels, afferent), (neurons, recurrent)):
        for section, rules in (("short_term", SHORT_TERM), ("stdp", STDP), (None, STATIC)):
            own = [row for row in rows if section == next((name for name in ("short_term", "stdp") if row[2].get(name)), None)]
            if own:
                groups.append(connect(source, neurons, own, section, rules, index))
    return neurons, channels, groups


def currents(motif, drive):
    """The drive of each neuron by sampled inputs, mV, before its excitatory synapses filter it: [steps, neurons]; None for a
    motif without such inputs."""
    sampled = [c for c, channel in enumerate(motif["inputs"]) if channel.get("signal")]
    if not sampled:
        return None
    index = {cell["id"]: n for n, cell in enumerate(motif["neurons"])}
    max_delay = max((round(s["delay_ms"] / motif["dt_ms"]) for c in sampled for s in motif["inputs"][c]["synapses"]), default=0)
    drive_mv = np.zeros((len(drive) + max_delay, len(index)))
    for c in sampled:
        for s in motif["inputs"][c]["synapses"]:
            delay = round(s["delay_ms"] / motif["dt_ms"])
            drive_mv[delay : delay + len(drive), index[s["post"]]] += s["weight_mv"] * drive[:, c]
    return np.vstack([drive_mv, np.zeros((1, len(index)))])


def make_neurons(motif, driven=None):
    """The NeuronGroup, at rest; its parameters are those of the motif without units, and those of `propagators`."""
    model, dt = motif["neuron_model"], motif["dt_ms"]
    names = [name for name in motif["neurons"][0] if name not in ("id", "type", "sign")]
    columns = {name: np.array([cell[name] for cell in motif["neurons"]], float) for name in names}
    columns = {shorter(name): column for name, column in columns.items()}
    columns |= propagators(columns, dt)
    equations = "u : 1  # V - v_rest\nv = v_rest + u : 1\nI_e : 1\nI_i : 1\n"
    equations += "".join(f"{name} : 1\n" for name in VARIABLES.get(model, ()))
    equations += "".join(f"{name} : 1 (constant)\n" for name in columns)
    group = NeuronGroup(
        len(motif["neurons"]),
        equations,
        threshold=THRESHOLDS.get(model, "u >= v_th - v_rest"),
        reset="u = v_reset - v_rest\n" + RESETS.get(model, ""),
        refractory="(t_ref + dt_ms) * ms",
        namespace={"dt_ms": dt} | ({} if driven is None else {"driven": TimedArray(driven, dt=dt * ms)}),
    )
    for name, column in columns.items():
        setattr(group, name, column)
    if model == "izhikevich":
        group.r = columns["b_per_ms"] * columns["v_rest"]
    group.run_regularly(STEPS[model] + EVERY_STEP + ("" if driven is None else DRIVEN), when="after_groups")
    return group


def shorter(name):
    return name if name.endswith("_per_ms") else name.removesuffix("_ms").removesuffix("_mv")


def propagators(p, dt):
    """Factors by which an exact step of length dt multiplies V and the currents, finite where tau_syn equals
    tau_m."""
    if "tau_m" not in p:
        return {}

    def p21(tau):
        a = (p["tau_m"] - tau) / (p["tau_m"] * tau)
        integral = np.where(a == 0, dt, -np.expm1(-a * dt) / np.where(a == 0, 1, a))
        return np.exp(-dt / p["tau_m"]) * integral / p["tau_m"]

    factors = {"p22": np.exp(-dt / p["tau_m"]), "p20": -np.expm1(-dt / p["tau_m"])}
    taus = {"e": "tau_syn_e", "i": "tau_syn_i", "w": "tau_w"}
    return factors | {f"p21_{x}": p21(p[tau]) for x, tau in taus.items() if tau in p}


def connect(source, neurons, rows, section, rules, index):
    """Synapses of one kind; rows are (number of the source, sign, synapse of the motif)."""
    pre, sign, synapses = zip(*rows, strict=True)
    signed = np.array(sign) * [s["weight_mv"] for s in synapses]
    delays = [round(s["delay_ms"] / (defaultclock.dt / ms)) for s in synapses] * defaultclock.dt
    model = "w_e : 1\nw_i : 1\n" + rules.get("model", "")
    group = Synapses(source, neurons, model, on_pre=rules["on_pre"], on_post=rules.get("on_post"))
    group.connect(i=list(pre), j=[index[s["post"]] for s in synapses])
    group.w_e, group.w_i = np.maximum(signed, 0), np.minimum(signed, 0)
    for name in rules["on_pre"]:
        getattr(group, name).delay = delays
    for order, name in enumerate(ORDER):
        if hasattr(group, name):
            getattr(group, name).order = order
    for name in synapses[0][section] if section else ():
        setattr(group, shorter(name), [s[section][name] for s in synapses])
    if section == "short_term":
        group.tau_fac = np.maximum(group.tau_fac[:], 1e-6)  # 0: no facilitation; it decays within a step
        group.x = 1
    if section == "stdp":
        group.share = 1
    return group


def main():
    prefs.codegen.target = "numpy"  # compiling takes longer than a small circuit runs
    motif = json.loads((HERE / "motif.json").read_text(encoding="utf-8"))
    defaultclock.dt = DT_MS * ms
    neurons, channels, synapses = build(motif, DRIVE)
    monitor = SpikeMonitor(neurons)
    network = Network(neurons, synapses, monitor)
    if channels is not None:
        step, channel = np.nonzero(INPUTS)
        channels.set_spikes(channel, step * defaultclock.dt)
        network.add(channels)
    network.run(len(INPUTS) * defaultclock.dt)

    spikes = np.zeros((len(INPUTS), len(neurons)), bool)
    spikes[np.rint(np.asarray(monitor.t / defaultclock.dt)).astype(int), np.asarray(monitor.i)] = True
    compare(spikes, f"Brian2 {brian2.__version__}")


if __name__ == "__main__":
    main()
