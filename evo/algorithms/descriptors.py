"""Descriptors of circuits, by name: the axes of the map that map-elites fills (search.descriptors in a spec)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from evo.genome import Bounds
from evo.population.individual import Population


class Descriptor(NamedTuple):
    """An axis of the map: `of(population, seconds)` returns the values, float64 [n], `seconds` being the length of a trial;
    `ends(bounds)` the smallest and the largest value of the axis, to which values beyond are clipped; `whole`: are the values
    integers?"""

    text: str
    of: Callable[[Population, float], np.ndarray]
    ends: Callable[[Bounds], tuple[float, float]]
    whole: bool = False


def _neurons(genomes):
    return (genomes["kind"] != 0).sum(axis=1)


def _synapses(genomes):
    return np.count_nonzero(genomes["weight"], axis=(1, 2))


def _share(population, _):
    return (population.genomes["kind"] > 0).sum(axis=1) / _neurons(population.genomes)


def _delay(population, _):
    return population.genomes["delay"].sum(axis=(1, 2), dtype="i8") / np.maximum(_synapses(population.genomes), 1)


def _rate(population, seconds):
    return population.outcomes["spikes"] / _neurons(population.genomes) / seconds


def _ends_of(value):
    """The range of `value(excitatory, inhibitory)` over the numbers of neurons that the bounds allow."""

    def ends(bounds):
        values = value(*np.nonzero(bounds.allowed))
        return float(values.min()), float(values.max())

    return ends


MAX_HZ = 100.0

DESCRIPTORS = {
    "neurons": Descriptor("neurons", lambda c, _: _neurons(c.genomes), _ends_of(lambda e, i: e + i), whole=True),
    "excitatory_share": Descriptor("share of excitatory neurons", _share, _ends_of(lambda e, i: e / (e + i))),
    "synapses": Descriptor(
        "synapses, those from inputs included",
        lambda c, _: _synapses(c.genomes),
        lambda b: (0, b.in_degree * _ends_of(lambda e, i: e + i)(b)[1]),
        whole=True,
    ),
    "delay": Descriptor("mean delay of the synapses", _delay, lambda b: (float(b.delay[0]), float(b.delay[1]))),
    "rate": Descriptor(f"spikes per neuron and second, up to {MAX_HZ:g}", _rate, lambda _: (0.0, MAX_HZ)),
}


def cells(names, bounds: Bounds, limit: int) -> list[int]:
    """The number of cells of each axis: as equal as possible, at most one a value, and their product at most `limit`."""
    counts, full = [1] * len(names), [False] * len(names)
    limits = [ends[1] - ends[0] + 1 if d.whole or ends[0] == ends[1] else np.inf for d, ends in _axes(names, bounds)]
    while not all(full):
        k = min((k for k in range(len(names)) if not full[k]), key=counts.__getitem__)
        finer = [count + (axis == k) for axis, count in enumerate(counts)]
        full[k] = finer[k] > limits[k] or int(np.prod(finer)) > limit
        counts = counts if full[k] else finer
    return counts


def cell(population: Population, names, bounds: Bounds, seconds: float, limit: int) -> np.ndarray:
    """The cell of each individual in a map of at most `limit` cells, int64 [n]; `seconds` is the length of a trial."""
    index = np.zeros(len(population.outcomes), "i8")
    for (descriptor, (low, high)), count in zip(_axes(names, bounds), cells(names, bounds, limit), strict=True):
        width = high - low + descriptor.whole
        share = (descriptor.of(population, seconds) - low) / width if width else np.zeros(len(population.outcomes))
        index = index * count + np.clip(np.floor(share * count), 0, count - 1).astype("i8")
    return index


def _axes(names, bounds):
    return [(DESCRIPTORS[name], DESCRIPTORS[name].ends(bounds)) for name in names]
