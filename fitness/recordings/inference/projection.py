"""Hidden neurons found by what their spikes explain (variable projection: Golub and Pereyra, SIAM J. Numer. Anal. 10, 1973).

While measured neurons fire as they were measured, the spikes of a hidden neuron that they and the inputs drive are a function
of its own few values, and given these spikes the measured neurons are a convex problem (`regression`). So only the values of
the hidden neuron are searched, by CMA-ES: each candidate fires without noise, and is worth what a regression gains by it.
"""

import numpy as np

from circuits.numerics import portable
from circuits.numerics.matrix_adaptation import MatrixAdaptation
from circuits.simulation.population import simulate_population
from circuits.simulation.raster import pack
from fitness.recordings.inference.network import REFRACTORY, TAU, Network, Observed
from fitness.recordings.inference.regression import Regression

POOR = 0.25  # of the largest surprise: a neuron that is surprised less is not looked at
SLOW_HZ, FAST_HZ = 1.0, 110.0  # rates of hidden neurons
DRAWN, FAINTEST, STRONGEST, CONNECTED = 600, 0.1, 1.5, 0.5  # random neurons; their weights in units, and share of sources
LARGEST = 2.5  # weight in units
# candidates of each turn, and of each the width at first and at last, the circuits of a generation, and the generations
TURNS = (8, (0.15, 0.08, 12, 35)), (3, (0.12, 0.04, 16, 50))
LAST = 2, (0.08, 0.01, 24, 80)  # likewise, with a synapse onto itself
SHARP = 0.003  # mV, the noise of a hidden neuron that is as good as none

Candidate = tuple[float, np.ndarray, int]  # the gain in nats, the values of a hidden neuron, and its sign


def candidates(network: Network, rng: np.random.Generator) -> list[Candidate]:
    """Hidden neurons whose spikes explain most of what surprises the measured neurons of a network, the best first: values of
    a row of x of the network with one neuron more, and its sign. Only the first 64 trials are used."""
    return _Search(network, rng).found(rng)


def _trains(network):
    """When all sources fire, hidden neurons as when the surprise was computed last, uint64 [sources, steps]."""
    observed = network.observed
    fires = pack(network.fires().transpose(2, 1, 0) > 0.5)[0]
    return np.ascontiguousarray(np.concatenate([observed.spikes[0], observed.measured[0], fires], axis=1).T)


def _alone(network, trains):
    """A hidden neuron alone, in place of a measured one, which all others drive as if they were input channels."""
    observed = network.observed
    names = tuple(str(k) for k in range(len(trains)))
    silent = np.zeros((1, trains.shape[1], 1), "u8")
    driven = Observed(np.ascontiguousarray(trains.T)[None], silent, observed.scored, names, ("hidden",), observed.ranges)
    alone = Network(driven, (), np.random.default_rng(0))
    alone.inhibits = np.r_[network.inhibits, False]
    return alone


class _Search:
    """alone  the hidden neuron, driven by all others;   poor  regressions of the measured neurons that surprise most;
    free, high  the values that are searched, and their upper ends"""

    def __init__(self, network, rng):
        observed = network.observed
        observed = observed._replace(**{name: getattr(observed, name)[:1] for name in ("spikes", "measured", "scored")})
        network = network.of(observed)
        surprise, trains = network.surprise(SHARP), _trains(network)
        self.alone = _alone(network, trains)
        poor = np.flatnonzero(surprise >= POOR * surprise.max())
        self.poor = [Regression(network, int(n), trains, rng) for n in poor]
        observed = self.alone.observed
        self.seconds = np.bitwise_count(observed.scored[0]).sum() * observed.ranges.dt_ms / 1000
        self.free, self.high = np.zeros(0, "i8"), np.zeros(0)
        self.among(self.alone.count - 1)

    def among(self, sources):
        """Let the neuron have synapses of the first sources only."""
        s, count = sources, self.alone.count
        self.free = np.r_[0:s, count : count + s, 2 * count : 2 * count + REFRACTORY - TAU + 1]
        self.high = np.r_[np.full(s, LARGEST), np.ones(len(self.free) - s)]

    def fires(self, rows):
        """When each of many neurons fires, uint64 [neurons, steps]."""
        observed = self.alone.observed
        return simulate_population(self.alone.packed(rows[:, None]), observed.spikes, 64).outputs[:, 0, :, 0]

    def gains(self, rows):
        """What each of many neurons explains."""
        bits = self.fires(rows)
        rates = np.bitwise_count(bits & self.alone.observed.scored[0]).sum(axis=1) / self.seconds
        found = -np.abs(portable.log((rates + 0.01) / 20))
        for k in np.flatnonzero((rates >= SLOW_HZ) & (rates <= FAST_HZ)):
            found[k] = sum(one.gain(bits[k])[0] for one in self.poor)
        return found

    def sign(self, row):
        """Does a neuron excite those that it explains, 1, or inhibit them, -1?"""
        bits = self.fires(row[None])[0]
        return 1 if sum(value * np.sign(effect) for value, effect in (one.gain(bits) for one in self.poor)) >= 0 else -1

    def drawn(self, rng):
        """Random values."""
        rows, s = rng.random((DRAWN, self.alone.x.shape[1])), self.alone.count
        weight = portable.exp(portable.log(FAINTEST) + portable.log(STRONGEST / FAINTEST) * rows[:, :s])
        rows[:, :s] = np.where(rng.random((DRAWN, s)) < CONNECTED, weight, 0.0)
        rows[:, s - 1] = 0
        rows[:, TAU:REFRACTORY] = 0.2 + 0.6 * rows[:, TAU:REFRACTORY]
        return rows

    def found(self, rng) -> list[Candidate]:
        """The best of random values, in turns of fewer candidates and more circuits each."""
        rows = self.drawn(rng)
        some = list(zip(self.gains(rows), rows, strict=True))
        for keep, how in TURNS:
            some = sorted(some, key=lambda one: -one[0])[:keep]
            some = [self.evolved(row, how, rng) for _, row in some]
        self.among(self.alone.count)
        last = []
        for _, row in sorted(some, key=lambda one: -one[0])[: LAST[0]]:
            sign = self.sign(row)
            self.alone.inhibits[-1] = sign < 0
            last.append((*self.evolved(row, LAST[1], rng), sign))
        return sorted(last, key=lambda one: -one[0])

    def evolved(self, row, effort, rng):
        """The best of some generations of CMA-ES whose width is at most this at first and at last."""
        first, last, size, generations = effort
        strategy, best = MatrixAdaptation(row[self.free], first, size, self.high), (-np.inf, row)
        for generation in range(generations):
            rows = np.repeat(row[None], size, axis=0)
            rows[:, self.free] = strategy.ask(rng)
            if not generation:
                rows[0] = row
            values = self.gains(rows)
            order = np.argsort(-values, kind="stable")
            strategy.tell(order)
            at = generation / max(generations - 1, 1)
            strategy.sigma = min(strategy.sigma, first * float(portable.exp(at * portable.log(last / first))))
            if values[order[0]] > best[0]:
                best = float(values[order[0]]), rows[order[0]].copy()
        return best
