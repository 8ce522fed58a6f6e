"""Random circuits with plastic synapses have the spikes that NEST and Brian2 find, and learn the weights that Brian2 finds."""

import numpy as np
import pytest

from circuits.simulation.simulate import simulate
from tests.oracle import drawing
from tests.oracle.oracles import ask, differences, learning, rasters, report, weights

pytestmark = pytest.mark.oracle
CIRCUITS = 150


def sections(circuit, kind):
    """The sections of plastic synapses: those from inputs, and those between neurons."""
    inputs = [getattr(s, kind) for channel in circuit.inputs for s in channel.synapses]
    return [s for s in inputs if s], [getattr(s, kind) for s in circuit.synapses if getattr(s, kind)]


@pytest.fixture(scope="module")
def fading():
    """Circuits without input in the first step: NEST's plastic synapses cannot have it."""
    asked = drawing.asked(CIRCUITS, drawing.short_term)
    for _, spikes in asked:
        spikes[:, 0] = False
    return asked


@pytest.mark.parametrize("oracle", ["nest", "brian2"])
def test_short_term_plasticity_equals_the_oracle_spike_for_spike(fading, oracle):
    drawn = [sections(circuit, "short_term") for circuit, _ in fading]
    assert all(sum(map(len, part)) > CIRCUITS for part in zip(*drawn, strict=True)), "from inputs and between neurons"
    assert {s.tau_fac_ms > 0 for both in drawn for part in both for s in part} == {True, False}
    ends = [[(s.pre, s.post) for s in circuit.synapses if s.short_term] for circuit, _ in fading]
    assert sum(len(set(pairs)) < len(pairs) for pairs in ends) > CIRCUITS / 2, "multapses"

    ours = [simulate(circuit, spikes).spikes() for circuit, spikes in fading]
    different = differences(ours, rasters(ask(oracle, fading), fading))
    report(
        f"short_term, {oracle}: {len(different)} of {CIRCUITS} circuits differ, {sum(raster.sum() for raster in ours)} spikes"
    )
    assert not different, "\n".join(different)


@pytest.mark.parametrize(("circuits", "trials", "sequence"), [(CIRCUITS, 4, 1), (40, 6, 3)])
def test_stdp_equals_brian2_spike_for_spike_and_weight_for_weight(circuits, trials, sequence):
    """Alone and in sequences of trials, over which the weights are kept."""
    drawn = drawing.asked(circuits, drawing.stdp, trials=trials)
    asked = [(circuit, spikes) for circuit, spikes in drawn if learning(circuit)]
    found = [simulate(circuit, spikes, sequence=sequence) for circuit, spikes in asked]
    ours, learnt = [raster.spikes() for raster in found], [raster.weights_mv for raster in found]
    theirs = ask("brian2", asked, f"--sequence={sequence}")
    different = differences(ours, rasters(theirs, asked))
    off = [np.abs(a / np.where(b, b, 1) - (b > 0)).max() for a, b in zip(learnt, weights(theirs, asked), strict=True)]
    report(
        f"stdp, {trials} trials in sequences of {sequence}: {len(different)} of {len(asked)} circuits differ, "
        f"{sum(raster.sum() for raster in ours)} spikes; {sum(w.size for w in learnt)} weights, off by {max(off):.1g} at most"
    )
    assert not different, "\n".join(different)
    assert max(off) < 1e-9

    synapses = [[s for _, s in learning(circuit)] for circuit, _ in asked]
    first = [np.array([s.weight_mv for s in own]) for own in synapses]
    share = np.concatenate([(w / w0).ravel() for w, w0 in zip(learnt, first, strict=True)])
    bound = np.concatenate([np.tile([s.stdp.bound for s in own], trials) for own in synapses])
    inside = (share > 0) & (share < bound) & (share != 1)
    report(f"{np.mean(share == 0):.3f} of them 0, {np.mean(share == bound):.3f} at the bound, {inside.mean():.3f} between")
    assert min(np.mean(share == 0), np.mean(share == bound), inside.mean()) > 0.01
    pairs = sum(coincidences(circuit, raster) for (circuit, _), raster in zip(asked, ours, strict=True))
    report(f"{pairs} spikes arrive in the very step of a spike of their target")
    assert pairs > 1000


def coincidences(circuit, raster):
    """How often a spike arrives over a synapse that learns in a step in which its target fires."""
    place = {neuron.id: n for n, neuron in enumerate(circuit.neurons)}
    ends = [(place[s.pre], place[s.post], round(s.delay_ms / circuit.dt_ms)) for s in circuit.synapses if s.stdp]
    return sum(int((raster[:, :-delay, pre] & raster[:, delay:, post]).sum()) for pre, post, delay in ends)
