"""A circuit read as a state machine: its states between the symbols of a sequence, and the transitions that symbols cause.

All moments between symbols begin as one state. A state is split by the feature that best predicts what follows, that is which
outputs answer the next symbol and which state comes next: whether a neuron has just fired, or a limit on its potential or
current or on the state of its plastic synapses.
Two patterns of activity are two states only if the difference matters sooner or later to what the circuit does (McCallum's
utile distinctions, Proc. ICML 1995); splitting goes on while it shortens the description of the data (minimum description
length: Rissanen, Automatica 14, 1978).
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.simulation.raster import Raster
from fitness.base.task import Task
from fitness.base.trials import Symbols, Trials

MAX_STATES, MIN_SHARE = 8, 0.02  # number of states, and share of the moments in each
LIMITS = 15  # tried on each potential or current
MAX_RECORDED = 20_000_000  # numbers


class Condition(NamedTuple):
    """A condition that holds in a state: a value of a part of the circuit is above a limit, or not.

    part  a neuron "E0", an input channel "left" or a synapse "E0>E1"
    what  "fires"; "potential" or "current" of a neuron, in mV; "release", the transmission of a spike by the depressing or
          facilitating synapses of a neuron or channel, in % of that after rest; "weight" of a plastic synapse, in % of its
          first one
    """

    part: str
    what: str
    limit: float
    above: bool

    def __str__(self):
        if self.what == "fires":
            return "fires" if self.above else "silent"
        unit = "%" if self.what in ("release", "weight") else "mV"
        return f"{self.what} {'above' if self.above else 'up to'} {self.limit:.4g} {unit}"


class Feature(NamedTuple):
    """A feature by which a state may be split: its part, its kind, and its value, float64 [trials, moments]."""

    part: str
    what: str
    value: np.ndarray


class Machine(NamedTuple):
    """A circuit as a state machine, the most frequent state first.

    symbols    names;   conditions  of each state, all of which hold
    share      float64 [states]: of all moments;   start  the state before the first symbol
    transitions  int64 [states, symbols, states]: how often a symbol led from a state to a state
    answers    float64 [states, symbols, outputs]: share of the transitions in which an output fired before the next symbol, NaN
               where there are none
    """

    symbols: tuple[str, ...]
    conditions: tuple[tuple[Condition, ...], ...]
    share: np.ndarray
    start: int
    transitions: np.ndarray
    answers: np.ndarray

    @property
    def explained(self) -> float:
        """Share of the transitions that are the most probable one of their state and symbol: 1 if it is deterministic."""
        return float(self.transitions.max(axis=2).sum() / max(1, self.transitions.sum()))


def machine(task: Task, trials: Trials, circuit: Circuit) -> Machine | None:
    """The state machine of a circuit; None where the task has no sequences, see `Task.as_sequence`.

    The circuit is observed just before each symbol and once after the last, at the median distance of symbols or at the end of
    the trial. A neuron has just fired if it did so within half the shortest time between two such moments. At most 8 states,
    none rarer than 2 %.
    """
    symbols = sequence_of(task, trials)
    if symbols is None:
        return None
    raster = _recorded(task, trials, circuit)
    symbol, start = symbols.which[: raster.trials], symbols.start_ms[: raster.trials]
    gaps = np.diff(start, axis=1)
    end = np.minimum(start[:, -1:] + (np.median(gaps) if gaps.size else np.inf), task.duration_ms)
    rows = np.floor(np.column_stack([start, end]) / task.dt_ms + 1e-6).astype(int)  # steps that are over by then
    fired = np.stack([_fired(raster, rows[:, k], rows[:, k + 1]) for k in range(symbol.shape[1])], axis=1)
    features = _features(raster, circuit, rows, max(1, int(np.diff(rows, axis=1).min()) // 2))
    state, conditions = _split(features, symbol, fired @ (1 << np.arange(fired.shape[-1])))
    valid = symbol >= 0
    index = state[:, :-1][valid], symbol[valid], state[:, 1:][valid]
    shape = len(conditions), len(symbols.names)
    transitions, answers = np.zeros((*shape, len(conditions)), "i8"), np.zeros((*shape, fired.shape[-1]))
    np.add.at(transitions, index, 1)
    np.add.at(answers, index[:2], fired[valid])
    with np.errstate(invalid="ignore"):
        answers = answers / transitions.sum(axis=2)[..., None]
    share = np.bincount(state.ravel(), minlength=len(conditions)) / state.size
    initial = int(np.bincount(state[:, 0]).argmax())
    return Machine(symbols.names, conditions, share, initial, transitions, answers)


def sequence_of(task: Task, trials: Trials) -> Symbols | None:
    """The task's symbols in these trials, checked. Raises UserError."""
    symbols = task._call(task.as_sequence, trials)
    if symbols is None:
        return None
    where = f"task {task.title()}: as_sequence"
    if not isinstance(symbols, Symbols):
        raise UserError(f"{where} must return fitness.task.Symbols or None")
    names, which, start = tuple(symbols.names), np.asarray(symbols.which), np.asarray(symbols.start_ms, "f8")
    if which.ndim != 2 or which.shape != start.shape or which.dtype.kind not in "iu" or len(which) != len(trials):
        raise UserError(f"{where}: which (int) and start_ms must be arrays [{len(trials)} trials, symbols]")
    if which.shape[1] == 0 or which.min() < -1 or which.max() >= len(names):
        raise UserError(f"{where}: which must hold numbers of names, or -1")
    ends = np.column_stack([np.full(len(start), -1e-9), start, np.full(len(start), task.duration_ms)])
    if not (np.diff(ends, axis=1) > 0).all():
        raise UserError(f"{where}: start_ms must ascend, within the trial")
    return Symbols(names, which, start)


def _recorded(task, trials, circuit) -> Raster:
    """The raster of the circuit with all potentials and currents, in as many trials as `MAX_RECORDED` allows."""
    per_trial = task.steps * len(circuit.neurons) * len(circuit.model.states)
    recorded = range(min(len(trials), max(1, MAX_RECORDED // per_trial)))
    raster = task.simulate(circuit, trials, "float32", record="all", record_trials=recorded)
    if len(recorded) == len(trials):
        return raster
    shorter = raster.part(0, len(recorded))
    return replace(shorter, stimulus=raster.stimulus, traces=raster.traces)


def _fired(raster, first, last):
    """Did each output fire in the steps first to last - 1 of each trial? bool [trials, outputs]."""
    step = np.arange(raster.steps)
    return raster.outputs.fired_in((step >= first[:, None]) & (step < last[:, None]))


def _features(raster, circuit, rows, window) -> list[Feature]:
    """Features of the circuit at these moments, in steps of 0.1 mV: what remains of a current after many time constants depends
    on the past, too, but has no effect."""
    spikes_before = np.zeros((raster.trials, raster.steps + 1, len(circuit.neurons)), "i4")
    np.cumsum(raster.spikes(), axis=1, out=spikes_before[:, 1:])
    trial, before = np.arange(raster.trials)[:, None], np.maximum(rows - window, 0)
    traces, last_step = raster.traces, (trial, np.maximum(rows - 1, 0))
    values = {
        "fires": spikes_before[trial, rows] > spikes_before[trial, before],
        "potential": traces.v_mv[last_step].round(1),
        "current": (traces.i_e_mv[last_step] + traces.i_i_mv[last_step]).round(1),
    }
    names = [str(n.id) for n in circuit.neurons]
    features = [Feature(name, what, value[..., k]) for what, value in values.items() for k, name in enumerate(names)]
    return features + _releases(raster, circuit, rows) + _weights(raster, circuit, rows)


def _releases(raster, circuit, rows):
    """Release by synapses with short-term plasticity, see `circuits.synapses.short_term`, computed from their input spikes."""
    plastic = {(source, s.short_term): s for source, s in _plastic(circuit, "short_term")}
    spikes = _all_spikes(raster) if plastic else None
    features = []
    for (source, p), synapse in plastic.items():
        trial, at = np.nonzero(spikes[..., source])
        order = np.arange(len(trial)) - np.searchsorted(trial, trial)
        arrival = np.full((len(rows), int(order.max(initial=-1)) + 2), 10.0 * raster.steps)  # the last column: no more
        arrival[trial, order] = at + round(synapse.delay_ms / circuit.dt_ms)
        used, gone, last = np.zeros(len(rows)), np.zeros(len(rows)), np.full(len(rows), -1.0)
        value = np.zeros(rows.shape)
        for row in arrival.T:
            u, lost = _decayed(p, used[:, None], gone[:, None], (rows - last[:, None]) * circuit.dt_ms)
            now = (rows > last[:, None]) & (rows <= row[:, None])
            value = np.where(now, (u + p.use * (1 - u)) * (1 - lost), value)
            u, lost = _decayed(p, used, gone, (row - last) * circuit.dt_ms)
            used = u + p.use * (1 - u)
            gone, last = lost + used * (1 - lost), row
        features.append(Feature(str(circuit.nodes[source][1]), "release", (100 * value / max(p.use, 1e-9)).round()))
    return features


def _plastic(circuit, kind):
    """The synapses with plasticity of this kind, each with the number of its source in `circuit.nodes`."""
    number = {part: k for k, part in enumerate(circuit.nodes)}
    return [(number[source], s) for source, s in circuit.all_synapses if getattr(s, kind)]


def _all_spikes(raster):
    """Spikes of the channels and neurons in the order of `circuit.nodes`: bool [trials, steps, nodes]."""
    return np.concatenate([raster.stimulus.spikes()[: raster.trials], raster.spikes()], axis=2)


def _decayed(p, used, gone, after_ms):
    after_ms = np.maximum(after_ms, 0.0)
    return used * (np.exp(-after_ms / p.tau_fac_ms) if p.tau_fac_ms else 0.0), gone * np.exp(-after_ms / p.tau_rec_ms)


def _weights(raster, circuit, rows):
    """Weights of plastic synapses, see `circuits.synapses.stdp`, computed from pre- and postsynaptic spikes."""
    plastic = _plastic(circuit, "stdp")
    if not plastic:
        return []
    spikes = _all_spikes(raster).swapaxes(0, 1)
    delay = [round(s.delay_ms / circuit.dt_ms) for _, s in plastic]
    arriving = np.zeros((raster.steps, raster.trials, len(plastic)), bool)
    for k, (source, _) in enumerate(plastic):
        arriving[delay[k] :, :, k] = spikes[: -delay[k], :, source]
    posts = [circuit.nodes.index(("neuron", s.post)) for _, s in plastic]
    grow, lose, tau_grow, tau_lose, bound = (
        np.array([getattr(s.stdp, name) for _, s in plastic])
        for name in ("a_plus", "a_minus", "tau_plus_ms", "tau_minus_ms", "bound")
    )
    keep_x, keep_y = np.exp(-circuit.dt_ms / tau_grow), np.exp(-circuit.dt_ms / tau_lose)
    x, y, w = np.zeros(arriving.shape[1:]), np.zeros(arriving.shape[1:]), np.ones(arriving.shape[1:])
    after = np.ones((raster.steps + 1, *w.shape), "f4")
    for k in range(raster.steps):
        pre, post = arriving[k], spikes[k][:, posts]
        x, y = keep_x * x, keep_y * y
        w = np.clip(w - pre * lose * y, 0, bound)
        w = np.clip(w + post * grow * x, 0, bound)
        x, y, after[k + 1] = x + pre, y + post, w
    value = (100 * after[rows, np.arange(raster.trials)[:, None]]).round()  # [trials, moments, synapses]
    names = [f"{circuit.nodes[source][1]}>{s.post}" for source, s in plastic]
    return [Feature(name, "weight", value[..., k]) for k, name in enumerate(names)]


def _split(features, symbol, answer):
    """The states at all moments, int [trials, moments], and the conditions of each, the most frequent first.

    symbol, answer  int [trials, symbols]: the symbol after each moment, and the outputs that answer it
    """
    splits, holds = _candidates(features)  # [splits], bool [splits, trials, moments]
    state, conditions = np.zeros(features[0].value.shape, int), [()]
    valid = symbol >= 0
    while len(conditions) < MAX_STATES and splits:
        best = None
        for s in range(len(conditions)):
            members = (state[:, :-1] == s) & valid
            gain = _gain(holds[:, :, :-1][:, members], symbol[members], answer[members], state[:, 1:][members], valid.sum())
            share = (holds & (state == s)).sum(axis=(1, 2)) / state.size
            gain[(share < MIN_SHARE) | ((state == s).mean() - share < MIN_SHARE)] = -np.inf
            k = int(gain.argmax())
            if gain[k] > 0 and (best is None or gain[k] > best[0]):
                best = gain[k], s, k
        if best is None:
            break
        _, s, k = best
        state[(state == s) & ~holds[k]] = len(conditions)
        conditions.append((*conditions[s], splits[k]._replace(above=False)))
        conditions[s] = (*conditions[s], splits[k])
    order = np.argsort(-np.bincount(state.ravel(), minlength=len(conditions)), kind="stable")
    return np.argsort(order)[state], tuple(_simplified(conditions[k]) for k in order)


def _candidates(features):
    """Candidate splits: conditions, and where each holds. Limits lie in the widest gaps between values, then at quantiles."""
    splits, holds = [], []
    for part, what, value in features:
        values = np.unique(value).astype("f8")
        widest = np.argsort(values[:-1] - values[1:], kind="stable")[:LIMITS]
        limits = (values[widest] + values[widest + 1]) / 2
        if len(values) > LIMITS + 1:
            limits = np.append(limits, np.quantile(value, (np.arange(LIMITS) + 0.5) / LIMITS))
        for limit in dict.fromkeys(limits.tolist()):
            splits.append(Condition(part, what, limit, True))
            holds.append(value > limit)
    return splits, np.array(holds)


def _gain(holds, symbol, answer, following, moments):
    """The nats by which each split of a state, bool [splits, rows], shortens the description of what follows, less the cost of
    naming the split and its probabilities."""
    _, outcome = np.unique(np.stack([symbol, answer, following]), axis=1, return_inverse=True)
    outcome = outcome.ravel()
    if not len(outcome):
        return np.full(len(holds), -np.inf)
    outcomes = (outcome[:, None] == np.arange(outcome.max() + 1)).astype("f8")  # [rows, outcomes]
    of_symbol = np.zeros((outcomes.shape[1], symbol.max() + 1))
    of_symbol[outcome, symbol] = 1.0
    with_it = holds.astype("f8") @ outcomes
    without = outcomes.sum(axis=0) - with_it

    def log_likelihood(count):
        by_symbol = count @ of_symbol
        return _n_log_n(count).sum(axis=-1) - _n_log_n(by_symbol).sum(axis=-1)

    both = ((with_it @ of_symbol) > 0) & ((without @ of_symbol) > 0)
    parameters = (both * (of_symbol.sum(axis=0) - 1)).sum(axis=-1)
    gain = log_likelihood(with_it) + log_likelihood(without) - log_likelihood(outcomes.sum(axis=0))
    return gain - 0.5 * np.log(moments) * parameters - np.log(len(holds))


def _n_log_n(n):
    return n * np.log(np.maximum(n, 1.0))


def _simplified(conditions):
    """The conditions without those that others imply."""
    tightest: dict = {}
    for c in conditions:
        key = c.part, c.what, c.above
        limits = [c.limit] + ([tightest[key].limit] if key in tightest else [])
        tightest[key] = c._replace(limit=max(limits) if c.above else min(limits))
    return tuple(tightest.values())
