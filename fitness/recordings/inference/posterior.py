"""Networks fitted to hidden spikes that are inferred, and not simulated (Monte Carlo expectation maximisation).

A simulated hidden neuron explains the recording only if its values are nearly right. Inferred spikes do so from the
beginning: they are drawn from the posterior, given the values and the measured spikes, in turns with fits of
each neuron to all spikes (Pillow and Latham, NIPS 20, 2007). Of hidden neurons the escape noise becomes narrower from turn to
turn. As it does, their spikes become those that they fire by themselves.
"""

from collections.abc import Callable

import numpy as np

from circuits.circuit import Circuit
from circuits.numerics import portable
from circuits.simulation.raster import pack
from fitness.recordings.inference import kernel, sampler
from fitness.recordings.inference.fit import descend
from fitness.recordings.inference.network import WIDTH, Network, Observed

LEAD_MS, UNKNOWN_MS = 200.0, 100.0  # before what is scored; and what is not counted of that, since what was before is unknown
MOVES = 0.45  # for each step of a hidden neuron's train, in a turn
WIDEST, NARROWEST, WARM = 4.0, 0.05, 10  # mV: the noise of the first draws, and that at the end; turns without fits
TURNS, NARROWING = 60, 0.9  # and the share of them in which noise becomes narrower
STEPS, EVERY = 8, 5  # of BFGS in a turn; turns after which the circuit is scored
UNIFORM, SOFT_MV = 0.3, 0.5  # added spikes: share that is placed anywhere; the others where the neuron nearly fires
EPS = 0.02  # widths


def refined(
    network: Network, score: Callable[[Circuit], float], rng: np.random.Generator, width: float
) -> tuple[float, Network]:
    """The network after some turns, the one with the best score of those scored; width: that of the noise in mV at first."""
    spikes = Spikes(network, rng)
    fitted, m, best = spikes.fitted, network.measured, (-np.inf, network)
    for noise in _geometric(WIDEST, width, WARM):
        fitted.x[:, WIDTH] = network.share_of(noise)
        spikes.draw()
    for turn, noise in enumerate(_geometric(width, NARROWEST, round(NARROWING * TURNS), TURNS)):
        fitted.x[m:, WIDTH] = network.share_of(noise)
        spikes.draw()
        descend(fitted, STEPS, width)
        if turn % EVERY == EVERY - 1:
            other = network.copy()
            other.x = other.within(fitted.x.copy())
            best = max(best, (score(other.circuit()), other), key=lambda one: one[0])
    return best


def _geometric(first, last, count, total=0):
    """Values in geometric progression from the first to the last, which then repeats."""
    at = np.minimum(np.arange(max(total, count)) / max(count - 1, 1), 1.0)
    return portable.exp(portable.log(first) + at * (portable.log(last) - portable.log(first)))


class Spikes:
    """Spikes of all neurons of a network, those of hidden ones drawn from their posterior.

    trains  uint8 [lanes, sources, steps];   fitted  the network whose hidden neurons fire as these say, like measured ones
    """

    def __init__(self, network: Network, rng: np.random.Generator):
        cut = network.observed.cut(LEAD_MS)
        hidden, (blocks, steps) = len(network.signs), cut.scored.shape
        ends = np.bitwise_or.accumulate(cut.scored[:, ::-1], axis=1)[:, ::-1].copy()  # what is scored, and all before
        there = np.bitwise_count(cut.scored).sum(axis=0)
        unknown = min(round(UNKNOWN_MS / cut.ranges.dt_ms), int(np.argmax(2 * there > there.max())))
        measured = np.concatenate([cut.measured, np.zeros((blocks, steps, hidden), "u8")], axis=2)
        scored = np.where(np.arange(steps) < unknown, np.uint64(0), ends)
        names = (*cut.outputs, *(f"hidden {k}" for k in range(hidden)))
        self.fitted = network.as_measured(Observed(cut.spikes, measured, scored, cut.inputs, names, cut.ranges))
        known = _lanes(np.concatenate([cut.spikes, measured], axis=2))
        counted = _lanes(ends[..., None])[:, 0]
        used = counted.any(axis=1)
        self.trains, self.until = known[used], counted[used].sum(axis=1, dtype="i8")
        self.hidden, neurons, lanes = hidden, network.neurons, len(self.trains)
        self.first = np.where(np.arange(neurons) < network.measured, unknown, 0)
        self.state = np.array([rng.integers(1, 2**63)], "u8")
        self.log = portable.log(np.maximum(np.arange(steps + 2), 1))
        self.driven, self.surprise = np.zeros((lanes, neurons, steps)), np.zeros((lanes, neurons, steps))
        self.began = np.zeros((lanes, neurons, steps + 1))
        self.other, self.ends = np.zeros((neurons, 3, steps)), np.zeros((neurons, 2), "i8")

    def draw(self) -> None:
        """Move the spikes of hidden neurons, given the values of the fitted network, which then has these spikes."""
        network, steps, h = self.fitted, self.trains.shape[2], self.hidden
        signed, delay, part, n_ref, part_ref, constants, width = network.parts()
        what = (signed, delay, part, network.inhibits, constants.ravel(), n_ref, part_ref, 1 / width, self.first, self.until)
        sampler.begin(self.trains, *what, self.driven, self.began, self.surprise)
        v = constants[-h:, kernel.A, None] * self.began[:, -h:, :-1] + self.driven[:, -h:]
        soft = np.maximum(width[-h:], network.noise_mv(SOFT_MV))
        near = 1 / (1 + portable.exp((constants[-h:, kernel.THRESHOLD, None] - v) / soft[:, None]))
        near /= np.add.accumulate(near, axis=2)[..., -1:] + 1e-9
        likely = UNIFORM / steps + (1 - UNIFORM) * near
        cumulative = np.add.accumulate(likely, axis=2)
        likely, cumulative = likely / cumulative[..., -1:], cumulative / cumulative[..., -1:]
        sampler.sample(
            self.trains, round(MOVES * steps), self.state, *what, EPS * width, cumulative, portable.log(likely), self.log,
            self.driven, self.began, self.surprise, self.other, self.ends,
        )  # fmt: skip
        network.fire(pack(self.trains[:, -network.neurons :].transpose(0, 2, 1) != 0))


def _lanes(words):
    """Words uint64 [blocks, steps, C] as lanes uint8 [blocks * 64, C, steps]."""
    bits = (words[:, None] >> np.arange(64, dtype="u8")[:, None, None]) & np.uint64(1)
    return np.ascontiguousarray(bits.astype("u1").reshape(-1, *words.shape[1:]).transpose(0, 2, 1))
