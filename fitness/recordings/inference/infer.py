"""Circuits inferred from a recording, by expectation maximisation over the spikes of hidden neurons.

Were all spikes known, every neuron could be fitted by itself, by going down an exact gradient of the likelihood of its spikes
(`neuron`). So the measured neurons are fitted first as if there were no others. Then hidden neurons are added one at a time:
their spikes are drawn from what is likely given those measured (`spikes`), at first by what their targets lack alone, all
neurons are fitted to them, and so on in turn (stochastic EM: Celeux and Diebolt, Comput. Stat. Q. 2, 1985), while the escape
noise of hidden neurons becomes narrower, until they do by themselves what was drawn (deterministic annealing: Ueda and Nakano,
Neural Netw. 11, 1998). Cycles of wider and narrower noise then go on with the best; after each every neuron is fitted to the
end (`refine`), and the network is remembered whose circuit by itself, without any measured spike, does best.
"""

from collections.abc import Callable

import numpy as np

from circuits.circuit import Circuit
from circuits.numerics import portable
from fitness.recordings.inference.network import UNIT, Fitted, Given, Network
from fitness.recordings.inference.refine import refine

ENOUGH = 0.985  # a score with which nothing more is looked for
BEHIND = 0.05  # of the score: a sign is not tried again
RISE = 0.005  # of the score, for one more hidden neuron
STRENGTHS = (15.0, 30.0, 20.0)  # weights in fifteenths of the distance to the threshold, with which hidden neurons begin
STARTS, CYCLES = 3, 6  # of each sign; with the best of them
WIDEST = 0.7, 1.0, 0.6, 0.6, 0.4  # noise with which cycles begin, in fifteenths of the distance to the threshold
VISIBLE = 5  # times four random starts of a measured neuron at most
EXPLAINED = 1 / 250  # width of the escape noise, in distances to the threshold, of a neuron that is explained
TURNS, BURN, ANNEAL = 100, 15, 30  # with a new hidden neuron: before it is fitted, and before its noise becomes narrower
REFITS = 30, 45, 58
SETTLING, DRAWS = 3, 3  # turns in which all neurons are fitted to the end; and how often spikes are drawn in each
COST = 8.0  # what a synapse has to be worth, as log likelihood

Tried = tuple[float, Network]


def inferred(given: Given, score: Callable[[Circuit], float], rounds: int, rng: np.random.Generator) -> list[Circuit]:
    """Circuits that may have made what was measured, the best first.

    score   of a circuit by itself;   rounds  how many starts and cycles there are at most
    """
    best = _visible(given, score, rng)
    found, left = [best], rounds
    while left > 0 and best[0] < ENOUGH:
        signs = [sign for sign in (1, -1) if _may(best[1], sign)]
        if not signs:
            break
        tried: list[Tried] = []
        for k in range(STARTS):
            top = max((value for value, _ in tried), default=-np.inf)
            for sign in signs:
                known = [value for value, one in tried if one.signs[-1] == sign]
                if left > 0 and top < ENOUGH and max(known, default=top) >= top - BEHIND:
                    tried.append(_with_one_more(best[1], sign, STRENGTHS[k % len(STRENGTHS)], score))
                    left -= 1
        tried.sort(key=lambda one: -one[0])
        tried, left = _improved(tried[:2], score, left)
        found += tried
        if tried[0][0] < best[0] + RISE:
            break
        best = tried[0]
    found.sort(key=lambda one: -one[0])
    return [circuit for _, network in found for circuit in _lean(network, score)]


def _may(network, sign):
    """May there be one neuron more of this sign?"""
    inhibitory = sum(one < 0 for one in network.signs)
    e, i = network.neurons - inhibitory + (sign > 0), inhibitory + (sign < 0)
    return any(e <= most_e and i <= most_i for most_e, most_i in network.given.ranges.most)


def _visible(given, score, rng) -> Tried:
    network = Network(given, (), rng)
    for n in range(network.neurons):
        last = np.inf
        for k in range(VISIBLE):
            now = network.begin(n, 4, 120, kept=k > 0)
            if now < 0.98 * last:
                network.scan(n)
                last = refine(network, n)
            if network.values(n, network.fitted[n].x)[3] < EXPLAINED * network.threshold:
                break
    return score(network.circuit()), network


def _with_one_more(base, sign, strength, score) -> Tried:
    """A hidden neuron more, which drives one of the measured neurons that are explained worst."""
    network = base.copy((*base.signs, sign))
    rng, h, worst = network.rng, network.neurons - 1, range(base.measured)
    column, weight = network.channels + h, strength / 15 / UNIT
    share = np.array([network.surprise(n) for n in worst])
    target = int(np.searchsorted(np.cumsum(share), rng.random() * share.sum()))
    for n, one in enumerate(network.fitted[:-1]):
        x, sources = one.x.copy(), one.sources.copy()
        sources[column], x[column], x[network.sources + column] = True, weight / 3, rng.random() * 0.5
        x[-1] = max(x[-1], network.share_of(0.5 / 15))
        network.fitted[n] = Fitted(x, one.n_ref, sources)
    network.fitted[target].x[column] = weight
    x = network.drawn()
    x[: network.sources], x[-1] = 0, network.share_of(3 / 15)
    sources = np.ones(network.sources, bool)
    sources[column] = False  # it may drive itself later
    network.fitted[h] = Fitted(x, min(network.refractory[0] + 3, network.refractory[1]), sources)
    best: Tried = (-np.inf, network)
    for turn in range(TURNS):
        for n in range(network.measured, network.neurons):
            network.draw(n, 0.5)
        rate = 0.03 * float(portable.exp(-2.3 * turn / TURNS))
        if turn == BURN:
            network.begin(h, 4, 80)
            network.scan(h)
        if turn in REFITS:
            network.begin(h, 4, 100, kept=True)
            network.scan(h)
        for n in range(network.neurons):
            if n == h and turn < BURN:
                continue
            if n >= network.measured and turn >= ANNEAL:
                cap = network.share_of(2 / 15 * float(portable.exp(-1.9 * (turn - ANNEAL) / (TURNS - ANNEAL))))
                network.fitted[n].x[-1] = min(network.fitted[n].x[-1], cap)
            network.descend(n, 6, rate, floor=(column, weight) if n == target and turn < TURNS // 3 else None)
            if turn % 10 == 9 and n < network.measured:
                network.refract(n)
        if turn >= ANNEAL and (turn % 5 == 4 or turn == TURNS - 1):
            value = score(network.circuit())
            if value > best[0]:
                best = value, network.copy()
    return best


def _cycle(network, widest, rate, turns=40, narrowest=0.07):
    """Wide noise of hidden neurons becomes narrow, while all are fitted to what is drawn."""
    network.moments = [None] * network.neurons
    for turn in range(turns):
        at = turn / (turns - 1)
        width = network.share_of(widest / 15 * float(portable.exp(at * portable.log(narrowest / widest))))
        for n in range(network.measured, network.neurons):
            network.fitted[n].x[-1] = width
        for n in range(network.measured, network.neurons):
            network.draw(n, 0.5)
        for n in range(network.neurons):
            if n >= network.measured:
                network.fitted[n].x[-1] = width
            network.descend(n, 10, rate * float(portable.exp(-2.3 * at)))
            if turn % 10 == 9:
                network.refract(n)


def _settled(network, score) -> Tried:
    """The best network of some turns in which hidden spikes are drawn and every neuron is fitted to the end."""
    network = network.copy()
    best: Tried = (score(network.circuit()), network.copy())
    for _ in range(SETTLING):
        for _ in range(DRAWS):
            for n in range(network.measured, network.neurons):
                network.draw(n, 0.5)
        for n in range(network.neurons):
            refine(network, n, 1)
        value = score(network.circuit())
        if value > best[0]:
            best = value, network.copy()
        if value >= ENOUGH:
            break
    return best


def _improved(tried, score, left):
    """The networks, the best of them after cycles of annealing, by score; and the rounds that are left. A cycle begins where
    the last one ended, even if its score was lower."""
    tried = sorted((_settled(network, score) for _, network in tried), key=lambda one: -one[0])
    network = tried[0][1].copy()
    for k in range(CYCLES):
        if left <= 0 or tried[0][0] >= ENOUGH:
            break
        if k == 1:  # connections that were lost may come back
            for n, one in enumerate(network.fitted):
                one.x[: network.sources] = np.where(one.sources, one.x[: network.sources], 0.02)
                network.fitted[n] = one._replace(sources=np.ones(network.sources, bool))
                network.scan(n)
        _cycle(network, WIDEST[k % len(WIDEST)], 0.006)
        value, network = _settled(network, score)
        left -= 1
        if value > tried[0][0]:
            tried[0] = value, network.copy()
    return tried, left


def _lean(network, score):
    """The circuit, and that without what it does not need."""
    whole = network.circuit()
    for n in range(network.neurons):
        network.lean(n, COST)
    lean = network.circuit()
    return [whole] if lean == whole else [lean, whole] if score(lean) >= score(whole) else [whole, lean]
