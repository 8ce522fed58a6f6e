"""Hidden spikes drawn from their posterior, and networks fitted to them."""

from itertools import product

import numpy as np
import pytest

from circuits.circuit import OutputPort
from circuits.numerics import portable
from circuits.simulation.raster import pack
from circuits.simulation.simulate import simulate
from fitness.recordings.inference import Observed, posterior, sampler
from fitness.recordings.inference.network import REFRACTORY, WIDTH, Network
from tests.fitness.recordings.inference.test_inference import RANGES

STEPS = 9


def network_of(spikes, measured, signs, seed=1):
    """Of one measured neuron and hidden ones of these signs, all connected, with random values."""
    scored = np.full(spikes.shape[:2], True)
    observed = Observed(pack(spikes), pack(measured), pack(scored[..., None])[..., 0].copy(), ("a", "b"), ("n0",), RANGES)
    rng = np.random.default_rng(seed)
    network = Network(observed, signs, rng)
    network.x[:, : network.count] = 0.2 + 0.5 * rng.random((network.neurons, network.count))
    network.x[:, network.count : 2 * network.count] = 0.1 * rng.random((network.neurons, network.count))
    network.x[:, REFRACTORY] = 1 / 15  # two steps
    network.x[:, WIDTH] = network.share_of(3.0)
    network.within(network.x)
    return network


def poisson(seed, lanes, steps, columns, share=0.05):
    return np.random.default_rng(seed).random((lanes, steps, columns)) < share


@pytest.fixture
def many():
    """Trials of 400 ms, longer than the lead that is not counted."""
    return network_of(poisson(1, 70, 800, 2), poisson(2, 70, 800, 1, 0.02), (1, -1))


@pytest.mark.long
@pytest.mark.parametrize("eps", [0.0, posterior.EPS])
def test_what_is_known_of_a_state_is_right_after_many_moves(many, eps, monkeypatch):
    monkeypatch.setattr(posterior, "EPS", eps)
    spikes = posterior.Spikes(many, np.random.default_rng(3))
    for _ in range(3 if eps else 1):
        spikes.draw()
    told = [spikes.driven.copy(), spikes.began.copy(), spikes.surprise.copy()]
    total = _surprise(spikes)
    assert len(spikes.trains) == 70
    assert spikes.trains[:, -2:].sum() > 1000
    assert told[2].sum() == pytest.approx(total, rel=1e-3)
    if not eps:
        for before, after in zip(told, (spikes.driven, spikes.began, spikes.surprise), strict=True):
            assert np.abs(before - after).max() < 1e-6


def test_a_state_is_as_surprising_as_the_network_says_in_which_these_spikes_are_measured(many):
    spikes = posterior.Spikes(many, np.random.default_rng(3))
    for _ in range(2):
        spikes.draw()
    counted = spikes.surprise[:, :, spikes.first[0] :].sum(axis=(0, 2))
    assert spikes.fitted.surprise(1.0) == pytest.approx(counted, rel=0.01)


def test_refractory_neurons_do_not_fire(many):
    many.x[1:, REFRACTORY] = 0.5
    spikes = posterior.Spikes(many, np.random.default_rng(3))
    spikes.draw()
    for lane, neuron in np.ndindex(len(spikes.trains), 2):
        gaps = np.diff(np.flatnonzero(spikes.trains[lane, -2 + neuron]))
        assert (gaps > spikes.fitted.parts()[3][1 + neuron]).all()


@pytest.mark.long
@pytest.mark.parametrize("sign", [1, -1])
def test_trains_are_drawn_as_often_as_they_are_likely(sign):
    """All trains of a hidden neuron in a few steps, counted, against their likelihoods."""
    network = network_of(poisson(5, 1, STEPS, 2, 0.5), poisson(6, 1, STEPS, 1, 0.3), (sign,))
    spikes = posterior.Spikes(network, np.random.default_rng(7))
    n_ref = spikes.fitted.parts()[3][-1]
    trains = [np.array(one, "u1") for one in product((0, 1), repeat=STEPS)]
    trains = [one for one in trains if (np.diff(np.flatnonzero(one)) > n_ref).all()]
    surprise = []
    for one in trains:
        spikes.trains[0, -1] = one
        surprise.append(_surprise(spikes))
    expected = portable.exp(np.min(surprise) - np.array(surprise))
    expected /= expected.sum()
    counts, at = np.zeros(len(trains)), {one.tobytes(): k for k, one in enumerate(trains)}
    proposals = _fixed()
    for _ in range(8_000):
        _move(spikes, proposals)
        counts[at[spikes.trains[0, -1].tobytes()]] += 1
    assert expected.max() < 0.6
    assert np.abs(counts / counts.sum() - expected).max() < 0.02


def _what(spikes):
    signed, delay, part, n_ref, part_ref, constants, width = spikes.fitted.parts()
    inhibits = spikes.fitted.inhibits
    return signed, delay, part, inhibits, constants.ravel(), n_ref, part_ref, 1 / width, spikes.first, spikes.until


def _surprise(spikes):
    sampler.begin(spikes.trains, *_what(spikes), spikes.driven, spikes.began, spikes.surprise)
    return float(spikes.surprise.sum())


def _fixed():
    """Uneven probabilities with which spikes are added."""
    likely = np.linspace(1, 3, STEPS)[None, None] / np.linspace(1, 3, STEPS).sum()
    return np.add.accumulate(likely, axis=2), portable.log(likely)


def _move(spikes, proposals):
    sampler.sample(
        spikes.trains, 5, spikes.state, *_what(spikes), np.zeros(2), *proposals, spikes.log, spikes.driven, spikes.began,
        spikes.surprise, spikes.other, spikes.ends,
    )  # fmt: skip


@pytest.fixture(scope="module")
def driven():
    """A hidden neuron that an input makes fire, and a measured one that it makes fire."""
    spikes = poisson(8, 16, 1200, 2, 0.02)
    network = network_of(spikes, poisson(9, 16, 1200, 1), (1,))
    network.x[:, : network.count] = 0
    network.x[1, 0] = network.x[0, 3] = 1.2
    network.x[0, 1] = 0.3
    port = [OutputPort(name=name, neurons=[name]) for name in ("E0", "E1")]
    raster = simulate(network.circuit().model_copy(update={"outputs": port}), spikes).outputs.spikes()
    known = Network(network.observed._replace(measured=pack(raster[..., :1])), (1,), np.random.default_rng(1))
    known.x = network.x.copy()
    return known, raster


def test_spikes_of_a_hidden_neuron_are_found_from_what_it_does_and_what_it_gets(driven):
    network, raster = driven
    network = network.copy()
    spikes = posterior.Spikes(network, np.random.default_rng(1))
    for noise in np.geomspace(3, 0.3, 20):
        spikes.fitted.x[:, WIDTH] = network.share_of(noise)
        spikes.draw()
    found, true = spikes.trains[:, -1, 200:] != 0, raster[:, -spikes.trains.shape[2] + 200 :, 1]
    near = true.copy()
    near[:, 1:] |= true[:, :-1]
    near[:, :-1] |= true[:, 1:]
    assert (found & near).sum() > 0.9 * found.sum()
    assert found.sum() == pytest.approx(true.sum(), rel=0.1)


@pytest.mark.long
def test_fits_to_inferred_spikes_come_back_from_values_that_are_off(driven, monkeypatch):
    network, raster = driven
    off = network.copy()
    off.x = off.within(off.x + 0.1 * (2 * np.random.default_rng(4).random(off.x.shape) - 1))

    def score(circuit):
        fired = simulate(circuit, _bits(network)).outputs.spikes()[..., 0]
        return 2 * float((fired & raster[..., 0]).sum()) / float(fired.sum() + raster[..., 0].sum())

    monkeypatch.setattr(posterior, "TURNS", 30)
    value, found = posterior.refined(off, score, np.random.default_rng(2), 2.0)
    assert value == score(found.circuit())
    assert value > score(off.circuit()) + 0.2


def _bits(network):
    return posterior._lanes(network.observed.spikes)[:16].transpose(0, 2, 1) != 0
