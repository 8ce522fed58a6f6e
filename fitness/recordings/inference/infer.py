"""Circuits inferred from a recording, hidden neurons being added one at a time.

The measured neurons are made to fire as they were measured, and how surprising that is to them is made small (`network`,
`kernel`). They are fitted first as if there were no others. Then networks with one hidden neuron more of either sign are
fitted, all values together: with some of many random neurons, those whose spikes correlate most with what the measured
neurons lack (cascade-correlation: Fahlman and Lebiere, NIPS 2, 1990), and with others while the escape noise of hidden neurons
becomes narrower (deterministic annealing: Ueda and Nakano, Neural Netw. 11, 1998). The best of them go on in hops (basin
hopping: Wales and Doye, J. Phys. Chem. A 101, 1997): values are moved a little and fitted again. A hidden neuron that is silent
cannot be improved by a gradient, and silence is where it goes from most random values, since wrong spikes are worse than none:
at first each spike of the latter is therefore paid for, as long as it has few.

Networks are then tuned by what their circuits do by themselves (`tune`). Where a circuit still scores too low, the spikes of
hidden neurons are inferred as well, and not simulated (`posterior`), and the network is tuned again.

A value that is off by 0.3 % of its range can cost a tenth of the score, where a hidden neuron fires in bursts. So hops are
small and many, and the whole lead-in is simulated: after a short one not even the true circuit does what was measured.
"""

from collections.abc import Callable

import numpy as np

from circuits.circuit import Circuit
from fitness.recordings.inference.fit import anneal, descend
from fitness.recordings.inference.network import MIN_WEIGHT, REFRACTORY, WIDTH, Network, Observed
from fitness.recordings.inference.posterior import refined
from fitness.recordings.inference.projection import SHARP, candidates
from fitness.recordings.inference.tune import Effort, Scores, grown, lean, tuned

ENOUGH, CLOSE, PERFECT = 0.99, 0.93, 0.9995  # scores with which nothing is looked for; no further neurons; no better values
PART_MS = 300.0  # of what is scored, for starts
VISIBLE = 4  # random starts of measured neurons
DRAWN, SCREENED = 400, 0.1  # random hidden neurons of each sign, and the width of their noise
PROMISING, RANDOM, BEST = 5, 5, 3  # of each sign: the most promising, which are fitted, others, and those fitted to all
PAID_HZ = 5.0, 20.0, 20.0  # rate below which spikes of random ones are paid for
STRONG, FAINT = 0.25, 0.05  # weights with which they begin
POOR = 0.5  # of the largest surprise: a neuron that is surprised less does not need a hidden neuron
WIDTHS = 0.7, 0.35, 0.2, 0.05  # mV, one after the other
HOPS, PATIENCE, PROGRESS = 60, 15, 0.97  # hops that leave more of the surprise than this together are patience lost
SAMPLED, FIRST = 3, 2.0  # how often the best is fitted to inferred spikes; mV, the noise with which that begins
RACED = 4  # hops of each of the best starts, before it is tuned
BRIEF = Effort(0.05, 200, 10_000, 0.01)  # with which starts are tuned
# and the best of them, in turn
LONG = Effort(0.05, 400, 60_000, 0.01), Effort(0.1, 400, 60_000, 0.01), Effort(0.02, 200, 20_000, 0.003)
JOINED, JOINS, OPEN = (0.05, 0.3, 0.6), 0.1, 2.0  # delays, the weight, and the noise of measured neurons with which it begins
MORE = 0.01  # gain by a hidden neuron that is kept
JITTER, SHIFT = 0.01, 3  # of all values, as a share of their ranges; of a delay, in steps
PRUNED, DEAR = 6, 0.002  # hops after which synapses are taken away that lower the surprise by less than this share
NARROW = 0.01  # mV, the width at the end
SCORED = 3  # circuits of each round
LOSS = 0.002  # of the score, for which a synapse is taken away

Scored = tuple[float, Network]


def log(*what):
    import time

    print("   ", round(time.process_time()), *what, flush=True)


def inferred(
    observed: Observed, score: Callable[[Circuit], float], scores: Scores, rounds: int, rng: np.random.Generator
) -> list[Circuit]:
    """Circuits that may have made what was measured, the best first.

    score   of a circuit by itself;   scores  likewise, of many, and smoother ones;   rounds  how many times a hidden neuron is
    added at most
    """
    base = _visible(observed, rng)
    base, found = _improved(base, score, rng)
    log("base", found[0][0])
    reached = max(found, key=_first)[0]
    for _ in range(rounds):
        signs = [sign for sign in (1, -1) if _may(base, sign)]
        if max(found, key=_first)[0] >= ENOUGH or not signs:
            break
        tried = _with_one_more(base, signs, score, scores, rng)
        found += tried
        if tried and reached + MORE < (best := max(tried, key=_first))[0] < CLOSE:
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
    """The network and a hidden neuron: of some starts those that are least surprising, fitted and tuned, the best first."""
    found = candidates(base, rng)
    log("gains", [(round(value), sign) for value, _, sign in found])
    starts = [_joined(base, row, sign, rng) for _, row, sign in found if sign in signs]
    if not starts:
        return []
    starts.sort(key=_first)
    brief = [_tuned(network, scores, rng, BRIEF) for _, network in starts[:BEST]]
    log("starts", [(round(v), n.signs) for v, n in starts], [round(b[0], 3) for b in brief])
    best = _tuned_again(max(brief, key=_first), scores, rng)
    log("again", best[0])
    if best[0] >= ENOUGH:
        return [best]
    raced = [best]
    for _ in range(SAMPLED):
        again = best[1].copy()
        again.sources[:] = True
        network = refined(again, score, rng, FIRST)[1]
        raced.append(_tuned_again(_tuned(network, scores, rng, BRIEF), scores, rng))
        log("sampled", raced[-1][0])
        if raced[-1][0] < best[0] + LOSS or raced[-1][0] >= ENOUGH:
            break
        best = raced[-1]
    return sorted(raced, key=_first, reverse=True)[:SCORED]


def _joined(base, row, sign, rng) -> Scored:
    """The network and a hidden neuron with these values, to whose spikes the measured neurons are fitted, and how surprising
    that is."""
    best, m, own = base.more((sign,), rng), base.measured, base.count
    start = best.copy()
    best.x[-1], best.x[:-1, own], least = row, 0.0, np.full(m, np.inf)
    for k in range(len(JOINED) + VISIBLE):
        network, s = best.copy(), best.count
        network.x[:m] = start.x[:m] if k < len(JOINED) else [network.drawn(rng, n) for n in range(m)]
        network.x[:m, WIDTH] = network.share_of(OPEN)
        if k < len(JOINED):
            network.x[:m, own], network.x[:m, s + own] = JOINS, JOINED[k]
        network.within(network.x)
        descend(network, 60, SHARP, rows=slice(m))
        now = network.surprise(SHARP)
        best.x[:m] = np.where((now < least)[:, None], network.x[:m], best.x[:m])
        least = np.minimum(now, least)
    network = best
    network.within(network.x)
    descend(network, 60, SHARP, rows=slice(m))
    for width in (0.05, 0.02, NARROW):
        value = descend(network, 60, width)
    return value, network


def _raced(network, score, rng) -> Network:
    """The network fitted to all that is known, the best by score of some hops."""
    for width in (*WIDTHS[1:], NARROW):
        descend(network, 25, width)
    return max(_improved(network, score, rng, RACED)[1], key=_first)[1]


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


def _promising(base, signs, rng) -> list[Network]:
    """The network with each of those of many random hidden neurons of each sign whose spikes promise most
    (`Network.promise`)."""
    best: list[tuple[float, np.ndarray, Network]] = []
    for sign in signs:
        network, h, own = base.more((sign,), rng), base.neurons, base.count  # the row and the column of the hidden neuron
        network.x[:h, own] = 0
        network.within(network.x)
        network.surprise(SCREENED, gradient=True)
        some: list[tuple[float, np.ndarray, Network]] = []
        for _ in range(DRAWN):
            other = network.copy()
            other.x[h] = _drawn(network, h, rng)
            other.within(other.x)
            other.surprise(SCREENED)
            promise = other.promise()
            some.append((float(np.add.accumulate(promise)[-1]), promise, other))
        best += sorted(some, key=_first, reverse=True)[:PROMISING]
    for _, promise, network in best:
        m, h, own, s = network.measured, base.neurons, base.count, network.count
        network.x[:h, s + own] = rng.random(h)
        network.x[:h, own] = FAINT
        network.x[:m, own] = np.where(promise > 0.1 * promise.max(), STRONG, FAINT)
        network.x[:m, WIDTH] = network.share_of(WIDTHS[0])
    return [network for *_, network in best]


def _drawn(network, h, rng):
    """Random values of a hidden neuron."""
    s, values = network.count, network.drawn(rng, h)
    values[:s] = (0.05 + 0.95 * rng.random(s)) * (rng.random(s) < 0.6)
    values[REFRACTORY] = 0.6 * rng.random()
    return values


def _start(base, sign, rng):
    """The network with a hidden neuron of random values, and the least weights that its synapses have at first."""
    network = base.more((sign,), rng)
    measured, h = network.measured, base.neurons
    own = base.count  # the column of the hidden neuron
    network.x[h] = _drawn(network, h, rng)
    surprise = base.surprise(NARROW)
    poor = surprise > POOR * surprise.max()  # the others are explained already
    network.x[:measured, :own] *= np.where(poor, 0.3 + 0.7 * rng.random(), 1.0)[:, None]
    network.x[:measured, own] = np.where(poor, 0.1 + 0.6 * rng.random(measured), FAINT)
    network.x[measured:h, own] = 0.3 * rng.random(h - measured)
    least = np.zeros((h + 1, network.count))
    least[:measured, own] = np.where(poor, 0.7 * network.x[:measured, own], 0.0)
    network.within(network.x)
    return network, least


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
        for width in (1.0, *WIDTHS[1:], 0.05):
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
