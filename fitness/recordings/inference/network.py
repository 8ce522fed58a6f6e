"""A network in which every neuron is fitted by itself, since all spikes are known: those measured, and those drawn for hidden
neurons."""

from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit, InputChannel, InputSynapse, OutputPort, Synapse
from circuits.neurons.lif_psc_exp import Neuron
from circuits.neurons.model import current_to_potential
from circuits.numerics import portable
from circuits.numerics.simd import LANES, aligned
from fitness.recordings.inference import neuron, spikes

TIMES = ("tau_m_ms", "tau_syn_e_ms", "tau_syn_i_ms")
GRID = 256  # weights and parameters of circuits are whole multiples of 1 / GRID
UNIT = 8 / 3  # weights are in this many distances from rest to the threshold
NARROWEST, WIDEST = 1 / 500, 4 / 15  # widths of the escape noise, in such distances
LONG = 9  # steps, the longest refractory period tried first
HORIZON_MS = 40.0  # after a spike, in which it matters
EARLIER = (0, 0, 0, 1, 1, 2, 3, 5, 8)  # what the sampler tries: another answer, or to move a spike by so many steps
FAST, SLOW, SMALL = 0.9, 0.98, 1e-3  # of Adam (Kingma and Ba, ICLR 2015)


class Ranges(NamedTuple):
    """What circuits may be: of [circuit] in a spec.

    dt_ms, delay_ms, weight_mv, inhibitory_mv  the step; and the least and the largest value
    parameters  by name, likewise;   most  how many excitatory and inhibitory neurons there may be, all pairs of both
    in_degree   the most synapses onto a neuron
    """

    dt_ms: float
    delay_ms: tuple[float, float]
    weight_mv: tuple[float, float]
    inhibitory_mv: tuple[float, float]
    parameters: dict[str, tuple[float, float]]
    most: tuple[tuple[int, int], ...]
    in_degree: int


class Given(NamedTuple):
    """What is known: spikes uint64 [blocks, steps, channels], measured uint64 [blocks, steps, R], scored uint64 [blocks,
    steps], words of 64 trials; names of channels and neurons; and the ranges."""

    spikes: np.ndarray
    measured: np.ndarray
    scored: np.ndarray
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ranges: Ranges


class Fitted(NamedTuple):
    """A neuron. x float64 [2 * sources + 4]: from 0 on the weights in units (`UNIT`), delays, logarithms of time constants and
    of the width in shares of their ranges; n_ref: refractory steps; sources  bool [sources]: those that it may have."""

    x: np.ndarray
    n_ref: int
    sources: np.ndarray


class Network:
    """Neurons with all spikes: those measured come first, all excitatory, then hidden ones of these signs."""

    def __init__(self, given: Given, signs: tuple[int, ...], rng: np.random.Generator):
        self.given, self.signs, self.rng, r = given, signs, rng, given.ranges
        blocks, steps, channels = given.spikes.shape
        self.channels, self.measured = channels, given.measured.shape[2]
        self.neurons = n = self.measured + len(signs)
        self.sources = channels + n
        self.inhibits = np.r_[np.zeros(channels + self.measured, bool), np.array(signs, int) < 0]
        self.delay = tuple(ms / r.dt_ms for ms in r.delay_ms)
        longest, shortest = (round(r.parameters["t_ref_ms"][k] / r.dt_ms) for k in (1, 0))
        self.refractory = max(shortest, 1), longest
        self.history = max(int(self.delay[1]) + 2, longest + 2)
        self.middle = {name: sum(ends) / 2 for name, ends in r.parameters.items()}
        self.threshold = self.middle["v_th_mv"] - self.middle["v_rest_mv"]
        self.logs = portable.log(np.array([r.parameters[name] for name in TIMES]).T)
        self.widths = portable.log(np.array([NARROWEST, WIDEST]) * self.threshold)
        self.trains = np.zeros((blocks, self.history + steps, self.sources), "u8")
        self.trains[:, self.history :, :channels] = given.spikes
        self.trains[:, self.history :, channels : channels + self.measured] = given.measured
        until = np.bitwise_or.accumulate(given.scored[:, ::-1], axis=1)[:, ::-1]  # hidden spikes count in lead-ins as well
        self.scored = np.stack([given.scored] * self.measured + [until] * len(signs))
        self.fitted = [Fitted(self.drawn(), self.refractory[0], np.ones(self.sources, bool)) for _ in range(n)]
        self.moments: list[tuple | None] = [None] * n
        self.shortest = [self._interval(k) for k in range(n)]
        self._kept, self._met = aligned(steps * neuron.STATES * LANES, "f4"), aligned(2 * self.sources * LANES, "f4")
        self._walk = aligned(3 * n * LANES, "f4"), aligned(3 * n * LANES, "f4"), aligned(2 * n * LANES, "f4")
        for buffer in (self._kept, self._met, *self._walk):
            buffer[:] = 0

    def copy(self, signs: tuple[int, ...] | None = None) -> "Network":
        """The same neurons and spikes, with these hidden neurons in place of its own: the first of them are those."""
        other = Network(self.given, self.signs if signs is None else signs, self.rng)
        known, more = self.sources, other.sources - self.sources
        other.trains[..., :known] = self.trains
        for n, one in enumerate(self.fitted):
            s = self.sources
            x = np.concatenate([one.x[:s], np.zeros(more), one.x[s : 2 * s], np.full(more, 0.5), one.x[2 * s :]])
            other.fitted[n] = Fitted(x, one.n_ref, np.r_[one.sources, np.zeros(more, bool)])
        return other

    def _interval(self, n):
        """The most steps for which neuron n may be refractory: less than between any two of its spikes that were measured."""
        low, high = self.refractory
        column = self.trains[:, self.history :, self.channels + n]
        for gap in range(1, high + 1) if n < self.measured else ():
            if (column[:, gap:] & column[:, :-gap]).any():
                return max(gap - 1, low)
        return high

    def drawn(self) -> np.ndarray:
        """Random values."""
        s, rng = self.sources, self.rng
        weight = (0.05 + 0.45 * rng.random(s)) * np.where(np.arange(s) < self.channels, 1, 0.5)
        return np.concatenate([weight, rng.random(s), 0.2 + 0.6 * rng.random(3), [self.share_of(2 / 15)]])

    def share_of(self, width) -> float:
        """A width, in distances to the threshold, as a share of its range."""
        low, high = self.widths
        return float((portable.log(width * self.threshold) - low) / (high - low))

    def values(self, n, x):
        """Weights in mV, above 0, delays in steps, time constants in ms, and the width in mV, of neuron n."""
        s, (low, high) = self.sources, self.delay
        weight = np.where(self.fitted[n].sources, x[:s] * UNIT * self.threshold, 0.0)
        times = portable.exp(self.logs[0] + x[2 * s : 2 * s + 3] * (self.logs[1] - self.logs[0]))
        width = portable.exp(self.widths[0] + x[-1] * (self.widths[1] - self.widths[0]))
        return weight, low + x[s : 2 * s] * (high - low), times, float(width)

    def _constants(self, times):
        dt, m = self.given.ranges.dt_ms, self.middle
        decay = portable.exp(-dt / times)
        to_v = current_to_potential(dt, times[0], times[1:])
        rest = (1 - decay[0]) * m["bias_mv"], self.threshold, m["v_reset_mv"] - m["v_rest_mv"]
        return np.array([decay[0], *to_v, *decay[1:], *rest])

    def _tables(self, n, x):
        weight, delay, times, width = self.values(n, x)
        whole = np.floor(delay).astype("i8")
        signed = np.where(self.inhibits, -weight, weight).astype("f4")
        return signed, whole, (delay - whole).astype("f4"), times, width

    def surprise(self, n, x=None, n_ref=None, gradient=False):
        """How surprising the spikes of neuron n are, and the gradient of that by x."""
        x = self.fitted[n].x if x is None else x
        s = self.sources
        signed, whole, part, times, width = self._tables(n, x)
        found = np.zeros((2 * s + neuron.CONSTANTS) * gradient)
        value = neuron.surprise_of(
            self.trains, self.channels + n, self.scored[n], self.history, signed, whole, part, self.inhibits,
            self._constants(times).astype("f4"), self.fitted[n].n_ref if n_ref is None else n_ref, np.float32(1 / width),
            self._kept, self._met, found,
        )  # fmt: skip
        if not gradient:
            return value
        by_time = np.zeros(3)
        for k in range(3):
            step = np.ones(3)
            step[k] = 1 + 1e-4
            slope = (self._constants(times * step) - self._constants(times / step))[:5] / (2 * portable.log(1 + 1e-4))
            by_time[k] = np.add.accumulate(found[2 * s : 2 * s + 5] * slope)[-1]
        return value, np.concatenate(
            [
                found[:s] * np.where(self.inhibits, -1, 1) * UNIT * self.threshold,
                found[s : 2 * s] * (self.delay[1] - self.delay[0]) * self.fitted[n].sources,
                by_time * (self.logs[1] - self.logs[0]),
                [found[2 * s + 6] * (self.widths[1] - self.widths[0])],
            ]
        )

    def within(self, x) -> np.ndarray:
        """The values drawn in to their ranges."""
        s = self.sources
        most = np.where(self.inhibits, self.given.ranges.inhibitory_mv[1], self.given.ranges.weight_mv[1])
        x[:s] = np.clip(x[:s], 0, most / (UNIT * self.threshold))
        x[s:] = np.clip(x[s:], 0, 1)
        return x

    def descend(self, n, steps, rate, last=None, x=None, floor=None):
        """Go down the gradient (Adam) from x, or from where neuron n is, where it then stays: the surprise and x of the best
        step. floor: of a source, and the least weight that it has meanwhile."""
        own, x = x is None, (self.fitted[n].x if x is None else x).copy()
        mean, square, count = (self.moments[n] if own else None) or (np.zeros_like(x), np.zeros_like(x), 0)
        best, found = np.inf, x
        for k in range(steps):
            value, g = self.surprise(n, x, gradient=True)
            if value < best:
                best, found = value, x.copy()
            count += 1
            mean, square = FAST * mean + (1 - FAST) * g, SLOW * square + (1 - SLOW) * g * g
            now = rate if last is None else rate + (last - rate) * k / max(steps - 1, 1)
            x = self.within(x - now * (mean / (1 - FAST**count)) / (np.sqrt(square / (1 - SLOW**count)) + SMALL))
            if floor is not None:
                x[floor[0]] = max(x[floor[0]], floor[1])
        value = self.surprise(n, x)
        if value < best:
            best, found = value, x
        if own:
            self.fitted[n], self.moments[n] = self.fitted[n]._replace(x=found), (mean, square, count)
        return best, found

    def put(self, n, x, n_ref=None):
        """Set the values of neuron n."""
        one = self.fitted[n]
        self.fitted[n], self.moments[n] = one._replace(x=x, n_ref=one.n_ref if n_ref is None else n_ref), None

    def refract(self, n) -> float:
        """Look for the refractory period among those that the neuron's spikes allow; returns the surprise."""
        best = self.surprise(n)
        for move in (1, -1, 2, -2, 4, -4):
            n_ref = int(np.clip(self.fitted[n].n_ref + move, self.refractory[0], self.shortest[n]))
            if n_ref != self.fitted[n].n_ref and (value := self.surprise(n, n_ref=n_ref)) < best:
                best, self.fitted[n] = value, self.fitted[n]._replace(n_ref=n_ref)
        return best

    def begin(self, n, starts, steps, kept=False) -> float:
        """Fit neuron n from random values, the best of so many starts, and if it is `kept` of what it was."""
        best = (self.surprise(n), self.fitted[n]) if kept else (np.inf, self.fitted[n])
        for _ in range(starts):
            low = self.refractory[0]
            self.put(n, self.drawn(), low + int(self.rng.random() * (min(self.shortest[n], low + LONG) + 1 - low)))
            self.put(n, self.descend(n, steps, 0.05, 0.015)[1])
            value = self.refract(n)
            if value < best[0]:
                best = value, self.fitted[n]
        self.fitted[n], self.moments[n] = best[1], None
        return best[0]

    def scan(self, n):
        """Try every delay of every source of neuron n in turn."""
        s, (low, high), one = self.sources, self.delay, self.fitted[n]
        best, x = self.surprise(n), one.x
        for source in range(s):
            if not one.sources[source] or x[source] < 0.01 or high <= low:
                continue
            for delay in range(int(low), int(high) + 1):
                for share in (1.0, 0.4):
                    other = x.copy()
                    other[s + source], other[source] = (delay - low) / (high - low), share * x[source]
                    if (value := self.surprise(n, other)) < best - 2:
                        best, x = value, other
            if x is not self.fitted[n].x:
                self.put(n, x)

    def lean(self, n, cost, steps=25):
        """Take away sources of neuron n whose loss costs less than this, the weakest first, and those beyond the in-degree."""
        order = [k for k in np.argsort(self.fitted[n].x[: self.sources], kind="stable") if self.fitted[n].sources[k]]
        for source in order:
            one, before = self.fitted[n], self.surprise(n)
            sources = one.sources.copy()
            sources[source] = False
            self.fitted[n] = one._replace(sources=sources)
            x, value = one.x, self.surprise(n)
            if before + cost < value < before + 30 * cost:
                value, x = self.descend(n, steps, 0.01, 0.003, x)
            if value < before + cost or one.sources.sum() > self.given.ranges.in_degree:
                self.put(n, x)
            else:
                self.fitted[n] = one

    def draw(self, n, share):
        """Draw the spikes of hidden neuron n anew, in a share of the steps."""
        rows = [self._tables(k, one.x) for k, one in enumerate(self.fitted)]
        signed, whole, part, times, width = (np.array(column) for column in zip(*rows, strict=True))
        constants = np.array([self._constants(one) for one in times]).astype("f4").ravel()
        blocks, steps = self.trains.shape[0], self.trains.shape[1] - self.history
        which = np.array(EARLIER)[(self.rng.random((blocks, steps)) * len(EARLIER)).astype(int)]
        tried = np.where(self.rng.random((blocks, steps)) < share, which, -1)
        drawn = aligned(blocks * steps * LANES, "f4")
        drawn[:] = portable.log(1 - self.rng.random(blocks * steps * LANES))
        spikes.sweep(
            self.trains, self.scored, self.history, n, signed, whole, part, self.inhibits, constants,
            np.array([one.n_ref for one in self.fitted]), (1 / width).astype("f4"), tried, drawn,
            round(HORIZON_MS / self.given.ranges.dt_ms), *self._walk,
        )  # fmt: skip

    def circuit(self) -> Circuit:
        """The circuit that it is, its delays rounded to whole steps and all numbers to the grid of genomes."""
        given, r = self.given, self.given.ranges
        ids = [f"E{n}" for n in range(self.measured)]
        ids += [("I" if sign < 0 else "E") + str(self.measured + k) for k, sign in enumerate(self.signs)]
        afferents: list[list] = [[] for _ in given.inputs]
        neurons, synapses = [], []
        for n, one in enumerate(self.fitted):
            weight, delay, times, _ = self.values(n, one.x)
            theirs = self.middle | dict(zip(TIMES, times, strict=True))
            rounded = {name: float(np.rint(value * GRID) / GRID) for name, value in theirs.items()}
            rounded = {name: float(np.clip(value, *r.parameters[name])) for name, value in rounded.items()}
            rounded["t_ref_ms"] = one.n_ref * r.dt_ms
            neurons.append(Neuron(id=ids[n], sign=ids[n][0], **rounded))
            for source in np.argsort(-weight, kind="stable")[: r.in_degree]:
                low, high = r.inhibitory_mv if self.inhibits[source] else r.weight_mv
                if weight[source] < low / 2 or weight[source] == 0:
                    continue
                size = float(np.clip(np.rint(weight[source] * GRID) / GRID, low, high))
                values = {"post": ids[n], "weight_mv": size, "delay_ms": float(np.rint(delay[source])) * r.dt_ms}
                if source < self.channels:
                    afferents[source].append(InputSynapse(**values))
                else:
                    synapses.append(Synapse(pre=ids[source - self.channels], **values))
        channels = [InputChannel(name=name, synapses=some) for name, some in zip(given.inputs, afferents, strict=True)]
        ports = [OutputPort(name=name, neurons=[ids[k]]) for k, name in enumerate(given.outputs)]
        return Circuit(dt_ms=r.dt_ms, neurons=neurons, inputs=channels, synapses=synapses, outputs=ports)
