"""Initial populations of a run with founders: the founders, mutants of them, and random circuits."""

import numpy as np

from evo import genome
from evo.genome import variation
from evo.spec.founders import Founder
from evo.spec.run_spec import RunSpec
from evo.storage.stored import InitialPopulation
from fitness.base.trials import Interface

VARIED = 2  # one in this number of a population descends from the founders
STREAM = 1  # of random numbers, beside those of epochs: (island, epoch)


def founded(spec: RunSpec, interface: Interface, founders: list[Founder]) -> InitialPopulation:
    """Initial population of every island of a run: the founders, and mutants of each in turn until they are half of the
    population; the rest is drawn at random. A pure function of the spec and the founders."""
    encoding, s = spec.encoding(interface), spec.search
    own = genome.empty(encoding.bounds, len(founders))
    for k, founder in enumerate(founders):
        own[k] = founder.genome
    count = max(len(founders), s.population // VARIED)
    genomes = genome.empty(encoding.bounds, s.islands * count)
    for island in range(s.islands):
        rng = np.random.default_rng(np.random.SeedSequence(s.seed, spawn_key=(island, 0, STREAM)))
        batch = own[np.arange(count) % len(founders)]
        batch[len(founders) :] = variation.mutate(
            np.ascontiguousarray(batch[len(founders) :]), encoding.bounds, rng, s.mutation, duplication=s.duplication
        )
        genomes[island * count : (island + 1) * count] = batch
    log = {"founders": [{"name": founder.name, "sha256": founder.sha256} for founder in founders], "count": count}
    return InitialPopulation(genomes, np.repeat(np.arange(s.islands), count), log)
