"""The wiring of many genomes at once, without making their circuits."""

import numpy as np

from circuits.graph.wiring import Wiring


def wiring_of(genomes: np.ndarray) -> Wiring:
    """The wiring of the circuits of genomes. Without Dale's law a neuron that excites some targets and inhibits others is two
    neurons there: one of each sign, with the same inputs."""
    whole, weight = wiring_of_slots(genomes), genomes["weight"]
    between = weight[:, whole.channels :]
    inhibits: np.ndarray = np.any(between < 0, axis=2)
    if not inhibits.any():
        return whole
    excites = (whole.sign > 0) & (np.any(between > 0, axis=2) | whole.read | ~inhibits)
    sign = np.concatenate([excites.astype("i1"), -inhibits.astype("i1")], axis=1)
    sources = np.concatenate([weight[:, : whole.channels] > 0, between > 0, between < 0], axis=1)
    synapse = np.concatenate([sources & excites[:, None], sources & inhibits[:, None]], axis=2)
    return Wiring(sign, synapse, np.concatenate([whole.read, np.zeros_like(whole.read)], axis=1))


def wiring_of_slots(genomes: np.ndarray) -> Wiring:
    """The wiring of genomes with a neuron for each slot, whatever the signs of its synapses."""
    kind, readout = genomes["kind"], genomes["readout"]
    read = (readout[:, :, None] == np.arange(kind.shape[1])).any(1)
    return Wiring(np.sign(kind).astype("i1"), genomes["weight"] != 0, read)


def live(genomes: np.ndarray) -> np.ndarray:
    """The genomes without neurons that no path connects to an output."""
    kept, genomes = wiring_of_slots(genomes).live(), genomes.copy()
    genomes["kind"] *= kept.sign != 0
    genomes["weight"] *= kept.synapse
    return genomes
