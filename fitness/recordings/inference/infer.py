"""Circuits inferred from a recording, hidden neurons being added one at a time.

The measured neurons are made to fire as they were measured, and how surprising that is to them is made small (`network`,
`kernel`). They are fitted first as if there were no others, and go on in hops (basin hopping: Wales and Doye, J. Phys. Chem.
A 101, 1997): values are moved a little and fitted again. Then a hidden neuron is looked for whose spikes explain most of what
they lack (`projection`), the measured neurons are fitted to its spikes, and all values together.

Networks are then tuned by what their circuits do by themselves (`tune`). Where a circuit still scores too low, the spikes of
hidden neurons are inferred as well, and not simulated (`posterior`), and the network is tuned again.

A value that is off by 0.3 % of its range can cost a tenth of the score, where a hidden neuron fires in bursts. So hops are
small and many, and the whole lead-in is simulated: after a short one not even the true circuit does what was measured.
"""

from collections.abc import Callable

import numpy as np

from circuits.circuit import Circuit
from fitness.recordings.inference.fit import anneal, descend
from fitness.recordings.inference.network import MIN_WEIGHT, WIDTH, Network, Observed
from fitness.recordings.inference.posterior import refined
from fitness.recordings.inference.projection import SHARP, candidates
from fitness.recordings.inference.tune import Effort, Scores, grown, lean, tuned

ENOUGH, CLOSE, PERFECT = 0.99, 0.93, 0.9995  # scores with which nothing is looked for; no further neurons; no better values
VISIBLE = 4  # random starts of measured neurons
WIDTHS = 1.0, 0.35, 0.2, 0.1, 0.05  # mV, one after the other
HOPS, PATIENCE, PROGRESS = 60, 15, 0.97  # hops that leave more of the surprise than this together are patience lost
SAMPLED, FIRST = 3, 2.0  # how often the best is fitted to inferred spikes; mV, the noise with which that begins
BRIEF = Effort(0.05, 200, 10_000, 0.01)  # with which starts are tuned
# and the best of them, in turn
LONG = Effort(0.05, 400, 60_000, 0.01), Effort(0.1, 400, 60_000, 0.01), Effort(0.02, 200, 20_000, 0.003)
NARROW = 0.01  # mV, the width at the end
# of measured neurons that are fitted to a hidden one: its delays as shares of their range, its weight in units, and the width
DELAYS, JOINS, OPEN = (0.05, 0.3, 0.6), 0.1, 2.0
ENDS = 0.05, 0.02, NARROW  # mV, the widths of all together
MORE = 0.01  # gain by a hidden neuron that is kept
JITTER, SHIFT = 0.01, 3  # of all values, as a share of their ranges; of a delay, in steps
PRUNED, DEAR = 6, 0.002  # hops after which synapses are taken away that lower the surprise by less than this share
SCORED = 3  # circuits of each round
LOSS = 0.002  # of the score, for which a synapse is taken away

Scored = tuple[float, Network]


def inferred(
    observed: Observed, score: Callable[[Circuit], float], scores: Scores, rounds: int, rng: np.random.Generator
) -> list[Circuit]:
    """Circuits that may have made what was measured, the best first.

    score   of a circuit by itself;   scores  likewise, of many, and smoother ones;   rounds  how many times a hidden neuron is
    added at most
    """
    base = _visible(observed, rng)
    base, found = _improved(base, score, rng)
    reached = max(found, key=_first)[0]
    for _ in range(rounds):
        signs = [sign for sign in (1, -1) if _may(base, sign)]
        if max(found, key=_first)[0] >= ENOUGH or not signs:
            break
        tried = _with_one_more(base, signs, score, scores, rng)
        found += tried
        if reached + MORE < (best := max(tried, key=_first))[0] < CLOSE:
            reached, base = best
    found.sort(key=_first, reverse=True)
    return [circuit for value, network in found for circuit in _lean(value, network, score)]


def _first(one):
    return one[0]


def _may(network, sign):
    """May there be one neuron more of this sign?"""
    inhibitory = sum(one < 0 for one in network.signs)
    e, i = network.neurons - inhibitory + (sign > 0), inhibitory + (sign < 0)
    return any(e <= max_e and i <= max_i for max_e, max_i in network.observed.ranges.counts)


def _visible(observed, rng) -> Network:
    """The measured neurons as if there were no others, each the best of some starts."""
    best, least = Network(observed, (), rng), np.inf
    for _ in range(VISIBLE):
        network = Network(observed, (), rng)
        anneal(network, 80, (0.05, 0.015), (1, 1))
        now = network.surprise(1.0)
        best.x = np.where((now < least)[:, None], network.x, best.x)
        least = np.minimum(now, least)
    descend(best, 60, 1.0)
    return best


def _with_one_more(base, signs, score, scores, rng) -> list[Scored]:
    """The network and a hidden neuron that explains much (`projection`), fitted and tuned, the best first."""
    found = candidates(base, rng)
    joined = [_joined(base, row, sign if sign in signs else signs[0], rng) for _, row, sign in found]
    brief = [_tuned(network, scores, rng, BRIEF) for network in joined]
    best = _tuned_again(max(brief, key=_first), scores, rng)
    if best[0] >= PERFECT:
        return [best]
    raced = [best]
    for _ in range(SAMPLED):
        again = best[1].copy()
        again.sources[:] = True
        network = refined(again, score, rng, FIRST)[1]
        raced.append(_tuned_again(_tuned(network, scores, rng, BRIEF), scores, rng))
        if raced[-1][0] < best[0] + LOSS or raced[-1][0] >= PERFECT:
            break
        best = raced[-1]
    return sorted(raced, key=_first, reverse=True)[:SCORED]


def _joined(base, row, sign, rng) -> Network:
    """The network and a hidden neuron with these values, to whose spikes the measured neurons are fitted, each from the best
    of some starts; then all values together."""
    best, m, own = base.more((sign,), rng), base.measured, base.count
    least, known, s = np.full(m, np.inf), best.x[:m].copy(), best.count
    best.x[-1], best.x[:-1, own] = row, 0.0
    for k in range(len(DELAYS) + VISIBLE):
        network = best.copy()
        network.x[:m] = known if k < len(DELAYS) else [network.drawn(rng, n) for n in range(m)]
        network.x[:m, WIDTH] = network.share_of(OPEN)
        if k < len(DELAYS):
            network.x[:m, own], network.x[:m, s + own] = JOINS, DELAYS[k]
        network.within(network.x)
        descend(network, 60, SHARP, rows=slice(m))
        now = network.surprise(SHARP)
        best.x[:m] = np.where((now < least)[:, None], network.x[:m], best.x[:m])
        least = np.minimum(now, least)
    best.within(best.x)
    descend(best, 60, SHARP, rows=slice(m))
    for width in ENDS:
        descend(best, 60, width)
    return best


def _tuned(network, scores, rng, effort) -> Scored:
    """The network without synapses that it does not need, tuned (`tune`)."""
    return tuned(lean(network, scores, effort.loss), scores, rng, effort, PERFECT)


def _tuned_again(best, scores, rng) -> Scored:
    """The network tuned as long as it does not suffice, each time with one synapse more if that is better."""
    for effort in LONG:
        if best[0] < PERFECT:
            network = grown(lean(best[1], scores, effort.loss), scores)
            best = max(tuned(network, scores, rng, effort, PERFECT), best, key=_first)
    return best


def _improved(network, score, rng, hops=HOPS) -> tuple[Network, list[Scored]]:
    """The least surprising network of some hops, and the best by score. Of measured neurons that have no hidden one beside
    them each hops by itself."""
    values, tried, since = network.surprise(NARROW), [_settled(network, score)], 0
    for k in range(hops):
        if max(tried, key=_first)[0] >= ENOUGH or since >= PATIENCE:
            break
        other = _hop(network, k, rng)
        now, before = other.surprise(NARROW), float(values.sum())
        if other.signs:
            better = np.full(len(other.x), now.sum() < before)
        else:
            better = now < values
        if better.any():
            network = other if better.all() else network.copy()
            network.x[better] = other.x[better]
            values = network.surprise(NARROW)
            tried.append(_settled(network, score))
        since = 0 if values.sum() < PROGRESS * before else since + 1
        if k % PRUNED == PRUNED - 1:
            network = _pruned(network)
            values = network.surprise(NARROW)
    tried.sort(key=_first, reverse=True)
    return network, tried[:SCORED]


def _hop(network, k, rng) -> Network:
    """The network, its values moved a little and fitted again."""
    other, s = network.copy(), network.count
    moved = JITTER * (2 * rng.random(other.x.shape) - 1) * (other.x > 2 * MIN_WEIGHT)
    if k % 6 == 5:
        other.x = other.within(other.x + 3 * moved)
        for width in WIDTHS:
            descend(other, 25, width)
    elif k % 3 == 0:
        other.x = other.whole(other.x + moved)
        descend(other, 40, 0.05, whole=True)
    elif k % 3 == 1:
        other.x = other.within(other.x + moved)
        descend(other, 40, 0.1)
    else:
        for n, weights in enumerate(other.x[:, :s]):
            there = np.flatnonzero(weights > 2 * MIN_WEIGHT)
            if len(there):
                steps = (1 + int(SHIFT * rng.random())) * (1 if rng.random() < 0.5 else -1)
                other.x[n, s + there[int(len(there) * rng.random())]] += steps / max(other.delay[1] - other.delay[0], 1)
        other.x = other.within(other.x)
        descend(other, 40, 0.1)
    descend(other, 40, NARROW)
    return other


def _pruned(network) -> Network:
    """The network without synapses that hardly lower the surprise."""
    network, s = network.copy(), network.count
    value = float(network.surprise(NARROW).sum())
    for place in np.argsort(network.x[:, :s], axis=None, kind="stable"):
        n, source = divmod(int(place), s)
        if not network.sources[n, source]:
            continue
        network.sources[n, source] = False
        now = float(network.surprise(NARROW).sum())
        network.sources[n, source] = now > (1 + DEAR) * value
        value = min(value, now)
    return network


def _settled(network, score) -> Scored:
    """The network with whole steps, all other values fitted to these if that is better."""
    network = network.copy()
    network.x = network.whole(network.x)
    value, other = score(network.circuit()), network.copy()
    descend(other, 20, NARROW, whole=True)
    now = score(other.circuit())
    return (now, other) if now > value else (value, network)


def _lean(value, network, score):
    """The circuit, and that without synapses that it does not need."""
    whole, network = network.circuit(), network.copy()
    s = network.count
    for place in np.argsort(network.x[:, :s], axis=None, kind="stable"):
        n, source = divmod(int(place), s)
        network.sources[n, source] = False
        now = score(network.circuit()) if network.x[n, source] > MIN_WEIGHT else value
        network.sources[n, source] = now < value - LOSS
        value = max(value, now)
    lean = network.circuit()
    return [whole] if lean == whole else [lean, whole]
