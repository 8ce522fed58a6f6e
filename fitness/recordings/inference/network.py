"""A network of measured and hidden neurons as one vector of values, its surprise and the gradient of that, and the circuit that
it is."""

from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit, InputChannel, InputSynapse, OutputPort, Synapse
from circuits.neurons import LIF_PSC_EXP
from circuits.neurons.lif_psc_exp import Neuron
from circuits.neurons.model import current_to_potential
from circuits.numerics import portable
from circuits.numerics.simd import LANES, aligned
from circuits.simulation.packed import PackedCircuits, from_matrices
from fitness.recordings.inference import kernel

TIMES = ("tau_m_ms", "tau_syn_e_ms", "tau_syn_i_ms")
GRID = 256  # weights and parameters of circuits are whole multiples of 1 / GRID
UNIT = 8 / 3  # weights are in this many distances from rest to the threshold: 1 is 40 mV where that is 15 mV
TYPICAL_MV = 15.0  # from rest to the threshold: widths of the escape noise are given in mV for that
NARROWEST, WIDEST = 0.03, 4.0  # mV, of measured neurons
MIN_WEIGHT = 1e-4  # weight, in units, of a synapse that may come back
TAU, REFRACTORY, WIDTH = -5, -2, -1  # columns of x; before them a weight and a delay of every source


class Ranges(NamedTuple):
    """What circuits may be: of [circuit] in a spec.

    dt_ms, delay_ms, weight_mv, inhibitory_mv  the step; and the least and the largest value
    parameters  by name, likewise;   counts  of excitatory and inhibitory neurons that are allowed, all pairs
    in_degree   the most synapses onto a neuron
    """

    dt_ms: float
    delay_ms: tuple[float, float]
    weight_mv: tuple[float, float]
    inhibitory_mv: tuple[float, float]
    parameters: dict[str, tuple[float, float]]
    counts: tuple[tuple[int, int], ...]
    in_degree: int


class Observed(NamedTuple):
    """What is known: spikes uint64 [blocks, steps, channels], measured uint64 [blocks, steps, R], scored uint64 [blocks,
    steps], words of 64 trials; names of channels and neurons; and the ranges."""

    spikes: np.ndarray
    measured: np.ndarray
    scored: np.ndarray
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ranges: Ranges

    def cut(self, lead_in_ms: float, scored_ms: float | None = None) -> "Observed":
        """The same without what is longer ago than this before half of the trials are scored, and what comes so long after."""
        there = np.bitwise_count(self.scored).sum(axis=0)
        first, dt = int(np.argmax(2 * there > there.max())), self.ranges.dt_ms
        end = None if scored_ms is None else first + round(scored_ms / dt)
        rows = slice(max(first - round(min(lead_in_ms / dt, first)), 0), end)
        return self._replace(**{name: getattr(self, name)[:, rows].copy() for name in ("spikes", "measured", "scored")})


class Network:
    """Neurons with values: those measured come first, all excitatory, then hidden ones of these signs.

    x        float64 [neurons, 2 * sources + 5]: of each neuron from 0 on the weights of its sources in units (`UNIT`), their
             delays, the logarithms of three time constants, the refractory period, and the logarithm of the width of the
             escape noise, all but weights in shares of their ranges; sources are the input channels, then the neurons
    sources  bool [neurons, sources]: those that a neuron may have
    """

    def __init__(self, observed: Observed, signs: tuple[int, ...], rng: np.random.Generator):
        self.observed, self.signs, r = observed, signs, observed.ranges
        blocks, steps, self.channels = observed.spikes.shape
        self.measured = observed.measured.shape[2]
        self.neurons = n = self.measured + len(signs)
        self.count = s = self.channels + n
        self.inhibits = np.r_[np.zeros(self.channels + self.measured, bool), np.array(signs, int) < 0]
        self.delay = tuple(ms / r.dt_ms for ms in r.delay_ms)
        longest, shortest = (round(r.parameters["t_ref_ms"][k] / r.dt_ms) for k in (1, 0))
        self.refractory = max(shortest, 1), longest
        self.history = max(int(self.delay[1]) + 2, longest + 2)
        self.middle = {name: sum(ends) / 2 for name, ends in r.parameters.items()}
        self.threshold = self.middle["v_th_mv"] - self.middle["v_rest_mv"]
        self.logs = portable.log(np.array([r.parameters[name] for name in TIMES]).T)
        self.widths = portable.log(np.array([self.noise_mv(NARROWEST), self.noise_mv(WIDEST)]))
        self.trains = np.zeros((blocks, self.history + steps, self.channels + self.measured), "u8")
        self.trains[:, self.history :, : self.channels] = observed.spikes
        self.trains[:, self.history :, self.channels :] = observed.measured
        self.longest = np.array([self._interval(k) for k in range(n)])
        self.x = np.array([self.drawn(rng, k) for k in range(n)])
        self.sources = np.ones((n, s), bool)
        rows = self.history + steps
        self._kept, self._ahead = aligned(steps * n * kernel.STATES * LANES, "f4"), aligned((steps + 2) * n * 3 * LANES, "f4")
        self._met = aligned(n * (2 * s + kernel.CONSTANTS) * LANES, "f4")
        self._fires, self._state = aligned(max(len(signs), 1) * rows * LANES, "f4"), aligned(n * 6 * LANES, "f4")

    def copy(self) -> "Network":
        """The same neurons; what is computed with it uses the same workspace."""
        other = object.__new__(Network)
        other.__dict__ |= self.__dict__ | {"x": self.x.copy(), "sources": self.sources.copy()}
        return other

    def of(self, observed: Observed) -> "Network":
        """The same neurons for another part of what is known."""
        if observed is self.observed:
            return self.copy()
        other = Network(observed, self.signs, np.random.default_rng(0))
        other.x, other.sources = self.x.copy(), self.sources.copy()
        return other

    def more(self, signs: tuple[int, ...], rng: np.random.Generator) -> "Network":
        """The same neurons and hidden ones of these signs, with random values, which drive none of these."""
        other = Network(self.observed, (*self.signs, *signs), rng)
        old, s, t = self.count, other.count, self.neurons
        other.x[:t, :old], other.x[:t, s : s + old] = self.x[:, :old], self.x[:, old : 2 * old]
        other.x[:t, old:s] = 0
        other.x[:t, TAU:] = self.x[:, TAU:]
        return other

    def as_measured(self, observed: Observed) -> "Network":
        """The same neurons, of which `observed` has the spikes of all."""
        other = Network(observed, (), np.random.default_rng(0))
        other.x, other.sources, other.inhibits = self.x.copy(), self.sources.copy(), self.inhibits
        return other

    def fire(self, measured: np.ndarray) -> None:
        """Let measured neurons fire like this, uint64 [blocks, steps, R], while the limits of their refractory periods stay."""
        self.trains[:, self.history :, self.channels :] = measured

    def _interval(self, n):
        """The most steps for which neuron n may be refractory: less than between any two of its spikes that were measured."""
        low, high = self.refractory
        for gap in range(1, high + 1) if n < self.measured else ():
            column = self.trains[:, self.history :, self.channels + n]
            if (column[:, gap:] & column[:, :-gap]).any():
                return max(gap - 1, low)
        return high

    def drawn(self, rng, n) -> np.ndarray:
        """Random values of neuron n."""
        s = self.count
        weight = (0.05 + 0.45 * rng.random(s)) * np.where(np.arange(s) < self.channels, 1, 0.5)
        refractory = rng.random() * (min(self.longest[n], self.refractory[0] + 9) - self.refractory[0])
        refractory /= max(self.refractory[1] - self.refractory[0], 1)
        return np.concatenate([weight, rng.random(s), 0.2 + 0.6 * rng.random(3), [refractory, self.share_of(2.0)]])

    def noise_mv(self, width: float) -> float:
        """A width of the escape noise that is meant for thresholds `TYPICAL_MV` above rest, for those that there are."""
        return width * (self.threshold / TYPICAL_MV)

    def share_of(self, width: float) -> float:
        """A width (`noise_mv`) as a share of its range."""
        low, high = self.widths
        return float((portable.log(self.noise_mv(width)) - low) / (high - low))

    def steps_of(self, x):
        """Refractory periods in steps."""
        low, high = self.refractory
        return low + x[..., REFRACTORY] * (high - low)

    def values(self, x):
        """Weights in mV, above 0, delays in steps, time constants in ms, refractory periods in steps, and widths in mV."""
        s, (low, high) = self.count, self.delay
        weight = np.where(self.sources, x[:, :s] * UNIT * self.threshold, 0.0)
        times = portable.exp(self.logs[0] + x[:, TAU:REFRACTORY] * (self.logs[1] - self.logs[0]))
        width = portable.exp(self.widths[0] + x[:, WIDTH] * (self.widths[1] - self.widths[0]))
        return weight, low + x[:, s : 2 * s] * (high - low), times, self.steps_of(x), width

    def _constants(self, times):
        dt, m = self.observed.ranges.dt_ms, self.middle
        decay = portable.exp(-dt / times)
        to_v = current_to_potential(dt, times[0], times[1:])
        rest = (1 - decay[0]) * m["bias_mv"], self.threshold, m["v_reset_mv"] - m["v_rest_mv"]
        return np.array([decay[0], *to_v, *decay[1:], *rest])

    def parts(self, x=None):
        """The same as the kernel wants them: signed weights, delays in whole steps and the rests, refractory periods likewise,
        constants, and widths."""
        weight, delay, times, n_ref, widths = self.values(self.x if x is None else x)
        whole, steps = np.floor(delay), np.floor(n_ref)
        constants = np.array([self._constants(one) for one in times])
        signed = np.where(self.inhibits, -weight, weight)
        return signed, whole.astype("i8"), delay - whole, steps.astype("i8"), n_ref - steps, constants, widths

    def surprise(self, width: float, x=None, gradient=False):
        """How surprising the spikes of each measured neuron are, those of hidden neurons being what escape noise of this width
        (`noise_mv`) makes of them on average; and the gradient of their sum by x."""
        x, s, n = self.x if x is None else x, self.count, self.neurons
        signed, delay, part, n_ref, part_ref, constants, widths = self.parts(x)
        widths[self.measured :] = self.noise_mv(width)
        found = np.zeros((n * gradient, 2 * s + kernel.CONSTANTS))
        value = kernel.surprise_of(
            self.trains, self.observed.scored, self.history, signed.astype("f4"), delay, part.astype("f4"), self.inhibits,
            constants.astype("f4").ravel(), n_ref, part_ref.astype("f4"), (1 / widths).astype("f4"),
            self._kept, self._ahead, self._met, self._fires, self._state, found,
        )  # fmt: skip
        if not gradient:
            return value
        times, by_time = self.values(x)[2], np.zeros((n, 3))
        for row in range(n):
            for k in range(3):
                step = np.ones(3)
                step[k] = 1 + 1e-4
                slope = (self._constants(times[row] * step) - self._constants(times[row] / step))[:5]
                slope = slope / (2 * portable.log(1 + 1e-4))
                by_time[row, k] = np.add.accumulate(found[row, 2 * s : 2 * s + 5] * slope)[-1]
        by_width = found[:, [2 * s + kernel.BY_WIDTH]] * (self.widths[1] - self.widths[0])
        by_width[self.measured :] = 0
        return value, np.concatenate(
            [
                found[:, :s] * np.where(self.inhibits, -1, 1) * UNIT * self.threshold * self.sources,
                found[:, s : 2 * s] * (self.delay[1] - self.delay[0]) * self.sources,
                by_time * (self.logs[1] - self.logs[0]),
                found[:, [2 * s + kernel.BY_N_REF]] * (self.refractory[1] - self.refractory[0]),
                by_width,
            ],
            axis=1,
        )

    def fires(self) -> np.ndarray:
        """How much hidden neurons fired when the surprise was computed last, in the last 64 trials, float32 [hidden, steps,
        64]."""
        return self._fires.reshape(-1, self.trains.shape[1], LANES)[: len(self.signs), self.history :]

    def within(self, x) -> np.ndarray:
        """The values drawn in to their ranges."""
        s, low = self.count, self.refractory[0]
        largest = np.where(self.inhibits, self.observed.ranges.inhibitory_mv[1], self.observed.ranges.weight_mv[1])
        x[:, :s] = np.clip(x[:, :s], np.where(self.sources, MIN_WEIGHT, 0.0), largest / (UNIT * self.threshold))
        x[:, s:] = np.clip(x[:, s:], 0, 1)
        x[:, REFRACTORY] = np.minimum(x[:, REFRACTORY], (self.longest - low) / max(self.refractory[1] - low, 1))
        return x

    def whole(self, x) -> np.ndarray:
        """The values with delays and refractory periods of whole steps."""
        s, x = self.count, x.copy()
        for columns, (low, high) in ((slice(s, 2 * s), self.delay), ([REFRACTORY], self.refractory)):
            if high > low:
                x[:, columns] = (np.rint(low + x[:, columns] * (high - low)) - low) / (high - low)
        return self.within(x)

    def packed(self, x: np.ndarray) -> PackedCircuits:
        """The circuits (`circuit`) of many values, float64 [B, neurons, columns], in the simulator's form, with however many
        synapses a neuron has."""
        r, s, batch = self.observed.ranges, self.count, len(x)
        low, high = (np.where(self.inhibits, r.inhibitory_mv[k], r.weight_mv[k]) for k in (0, 1))
        weight = np.where(self.sources, x[..., :s] * UNIT * self.threshold, 0.0)
        weight = np.where((weight < low / 2) | (weight == 0), 0.0, np.clip(np.rint(weight * GRID) / GRID, low, high))
        first, last = self.delay
        delay = np.rint(first + x[..., s : 2 * s] * (last - first))
        times = portable.exp(self.logs[0] + x[..., TAU:REFRACTORY] * (self.logs[1] - self.logs[0]))
        values = np.empty((batch, self.neurons, len(LIF_PSC_EXP.names)), "f4")
        for k, name in enumerate(LIF_PSC_EXP.names):
            its = times[..., TIMES.index(name)] if name in TIMES else self.middle[name]
            values[..., k] = np.clip(np.rint(np.asarray(its) * GRID) / GRID, *r.parameters[name])
            if name == "t_ref_ms":
                values[..., k] = np.rint(self.steps_of(x)) * r.dt_ms
        sign = np.tile(np.r_[np.ones(self.measured, "i8"), np.array(self.signs, "i8")], (batch, 1))
        matrices = np.where(self.inhibits, -weight, weight).astype("f4").swapaxes(1, 2), delay.astype("u2").swapaxes(1, 2)
        read = np.tile(np.arange(self.measured), (batch, 1))
        return from_matrices(LIF_PSC_EXP, sign, values, matrices[0], matrices[1], read, r.dt_ms)

    def circuit(self) -> Circuit:
        """The circuit that it is, its delays and refractory periods rounded to whole steps and all numbers to the grid of
        genomes."""
        observed, r = self.observed, self.observed.ranges
        ids = [f"E{n}" for n in range(self.measured)]
        ids += [("I" if sign < 0 else "E") + str(self.measured + k) for k, sign in enumerate(self.signs)]
        afferents: list[list] = [[] for _ in observed.inputs]
        neurons, synapses = [], []
        all_weights, delays, all_times, n_refs, _ = self.values(self.whole(self.x))
        for n, (weight, delay, times) in enumerate(zip(all_weights, delays, all_times, strict=True)):
            theirs = self.middle | dict(zip(TIMES, times, strict=True))
            rounded = {name: float(np.rint(value * GRID) / GRID) for name, value in theirs.items()}
            rounded = {name: float(np.clip(value, *r.parameters[name])) for name, value in rounded.items()}
            rounded["t_ref_ms"] = float(np.rint(n_refs[n])) * r.dt_ms
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
        channels = [InputChannel(name=name, synapses=some) for name, some in zip(observed.inputs, afferents, strict=True)]
        ports = [OutputPort(name=name, neurons=[ids[k]]) for k, name in enumerate(observed.outputs)]
        return Circuit(dt_ms=r.dt_ms, neurons=neurons, inputs=channels, synapses=synapses, outputs=ports)
