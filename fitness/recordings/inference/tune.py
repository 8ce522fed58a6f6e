"""Networks tuned by what their circuits do by themselves, and not when measured neurons fire as they were measured.

The surprise tells what is wrong with each neuron; in what a circuit does by itself the errors of all add up, and where it is
nearly right, hops that lower the surprise no longer raise the score. It has no gradient and many local optima, delays being
whole steps. CMA-ES with some hundred circuits a generation passes over them, where one with some twenty does not (Hansen and
Kern, PPSN VIII, 2004), and the simulator makes thousands of circuits a second.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from circuits.numerics.matrix_adaptation import MatrixAdaptation
from circuits.simulation.packed import PackedCircuits
from fitness.recordings.inference.network import UNIT, WIDTH, Network

FAINT = 0.5  # mV: a weight below is no synapse
STALLED, GAIN = 60, 5e-4  # generations that raise the smooth score by less than this are the last
WEIGHTS = 0.1, 0.3  # in units, of a synapse that is added
NARROWEST, WIDER = 2e-4, 2.0  # standard deviation with which it ends; and the widest, in initial ones

Scores = Callable[[PackedCircuits], tuple[np.ndarray, np.ndarray]]  # of each circuit its score, and one that is smoother


class Effort(NamedTuple):
    """sigma  the standard deviation of all values at first, as a share of their ranges;   size  circuits of a generation, and
    `most` of all;   loss  of the smooth score, for which synapses are taken away before (`lean`)"""

    sigma: float
    size: int
    most: int
    loss: float


def tuned(network: Network, scores: Scores, rng, effort: Effort, enough: float) -> tuple[float, Network]:
    """The network with the best smooth score that CMA-ES comes to, with the synapses that there are or fewer, and its score;
    it ends with a score that is enough."""
    sigma, size, most, _ = effort
    best = -np.inf
    s, ranges = network.count, network.observed.ranges
    network = network.copy()
    network.sources = network.sources & _strong(network)
    network.x[:, :s] = np.where(network.sources, network.x[:, :s], 0.0)
    high = network.within(np.full(network.x.shape, np.inf))
    high[:, :s] = np.where(network.inhibits, ranges.inhibitory_mv[1], ranges.weight_mv[1]) / (UNIT * network.threshold)
    fitted = np.ones(network.x.shape, bool)
    fitted[:, :s] = fitted[:, s : 2 * s] = network.sources
    fitted[:, WIDTH] = False
    free = np.flatnonzero(fitted)
    strategy = MatrixAdaptation(network.x.ravel()[free], sigma, size, high.ravel()[free])
    x, value, course = network.x, 0.0, []
    for generation in range(most // size):
        points = strategy.ask(rng)
        if not generation:
            points[0] = strategy.mean
        many = np.repeat(network.x.reshape(1, -1), size, axis=0)
        many[:, free] = points
        many = many.reshape(size, *network.x.shape)
        score, smooth = scores(network.packed(many))
        order = np.argsort(-smooth, kind="stable")
        strategy.tell(order)
        strategy.sigma = min(strategy.sigma, WIDER * sigma)
        if smooth[order[0]] > best:
            best, value, x = float(smooth[order[0]]), float(score[order[0]]), many[order[0]].copy()
        course.append(best)
        stalled = generation >= STALLED and best - course[-1 - STALLED] < GAIN
        if value >= enough or stalled or strategy.sigma < NARROWEST:
            break
    network.x = x
    return value, network


def lean(network: Network, scores: Scores, loss: float) -> Network:
    """The network without synapses, the least needed first, as long as the smooth score falls by less than this from its
    highest."""
    network, s = network.copy(), network.count
    network.sources = network.sources & _strong(network)
    network.x[:, :s] = np.where(network.sources, network.x[:, :s], 0.0)
    best = scores(network.packed(network.x[None]))[1][0]
    while network.sources.any():
        places = np.nonzero(network.sources)
        many = np.repeat(network.x[None], len(places[0]), axis=0)
        many[np.arange(len(many)), *places] = 0
        smooth = scores(network.packed(many))[1]
        k = int(np.argmax(smooth))
        if smooth[k] < best - loss:
            break
        best = max(best, smooth[k])
        network.x, network.sources[places[0][k], places[1][k]] = many[k], False
    return network


def grown(network: Network, scores: Scores) -> Network:
    """The network with the one synapse more, of any delay and two weights, that raises the smooth score most, if any does."""
    s, delays = network.count, round(network.delay[1] - network.delay[0]) + 1
    absent = ~network.sources & (network.sources.sum(axis=1) < network.observed.ranges.in_degree)[:, None]
    places = np.nonzero(absent)
    if not len(places[0]):
        return network
    each = len(WEIGHTS) * delays
    post, source = (np.repeat(place, each) for place in places)
    many = np.repeat(network.x[None], len(post), axis=0)
    row = np.arange(len(post))
    many[row, post, source] = np.array(WEIGHTS)[row % each // delays]
    many[row, post, s + source] = row % delays / max(delays - 1, 1)
    other = network.copy()
    other.sources = network.sources | absent
    smooth = scores(other.packed(many))[1]
    k = int(np.argmax(smooth))
    if smooth[k] <= scores(network.packed(network.x[None]))[1][0]:
        return network
    other.x, other.sources = many[k], network.sources.copy()
    other.sources[post[k], source[k]] = True
    return other


def _strong(network):
    """The synapses that are not faint, and no more of a neuron than there may be."""
    weight = network.x[:, : network.count]
    rank = np.argsort(np.argsort(-np.where(network.sources, weight, 0.0), axis=1, kind="stable"), axis=1, kind="stable")
    return (weight * UNIT * network.threshold >= FAINT) & (rank < network.observed.ranges.in_degree)
