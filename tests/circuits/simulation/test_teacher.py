"""Teacher forcing: neurons that are read fire when they should, and it is noted how surprising that is."""

import numpy as np
import pytest

from circuits import Circuit, InputChannel, InputSynapse, Neuron, OutputPort, Synapse, simulate
from circuits.simulation.packed import from_circuit
from circuits.simulation.population import Stop, simulate_population
from circuits.simulation.raster import lane_masks, pack
from circuits.simulation.teacher import Teacher
from evo.genome import tables
from evo.genome.variation import founders
from evo.spec.run_spec import parse
from fitness.base.trials import Interface

SPEC = """
[task]
name = "x"
[circuit]
neuron_model = "{}"
neurons = [3, 5]
excitatory_share = [0.4, 1.0]
in_degree = 3
delay_ms = [0.5, 6.0]
excitatory_weight_mv = [20.0, 150.0]
synapse_model = "{}"
noise_mv = {}
"""
CHANNELS, PORTS, STEPS, TRIALS, DT = ("a", "b"), ("n0", "n1"), 300, 70, 0.5


def population(model="lif_psc_exp", synapse_model="static", noise_mv=0.0):
    form = parse(SPEC.format(model, synapse_model, noise_mv)).encoding(Interface("x", CHANNELS, PORTS, DT, STEPS * DT))
    return tables(founders(form.bounds, 12, np.random.default_rng(4)), form)


def one(packed, b):
    """The b-th circuit alone."""
    names = ("neurons", "bounds", "table", "n_ref", "fan_out", "readout", "excitatory")
    found = packed._replace(**{name: getattr(packed, name)[[b]] for name in names})
    for name in ("short_term", "stdp"):
        lists = getattr(packed, name)
        found = found if lists is None else found._replace(**{name: lists._replace(bounds=lists.bounds[[b]])})
    return found


def inputs(channels, share=0.04):
    return pack(np.random.default_rng(channels).random((TRIALS, STEPS, channels)) < share)


def everywhere(spikes):
    return Teacher(spikes, np.tile(lane_masks(TRIALS)[:, None], STEPS), 1.0)


@pytest.mark.parametrize(
    ("model", "synapse_model", "noise_mv"),
    [
        ("lif_psc_exp", "static", 0.0),
        pytest.param("lif_psc_exp", "stdp", 0.0, marks=pytest.mark.slow),  # each compiles two kernels of its own
        pytest.param("alif_psc_exp", "short_term", 1.0, marks=pytest.mark.slow),
    ],
)
def test_a_circuit_that_is_taught_what_it_does_does_the_same_and_is_little_surprised(model, synapse_model, noise_mv):
    packed, bits = population(model, synapse_model, noise_mv), inputs(2)
    free = simulate_population(packed, bits, TRIALS)
    assert free.surprise is None
    assert free.outputs.any()
    other = free.outputs[:, :, ::-1]  # as many spikes at other times
    for b in np.flatnonzero(free.outputs.any(axis=(1, 2, 3)))[:4]:
        alone = one(packed, b)
        taught = simulate_population(alone, bits, TRIALS, teacher=everywhere(free.outputs[b]))
        np.testing.assert_array_equal(taught.outputs[0], free.outputs[b])
        assert taught.spikes == free.spikes[b]
        assert taught.events == free.events[b]
        wrong = simulate_population(alone, bits, TRIALS, teacher=everywhere(np.ascontiguousarray(other[b])))
        np.testing.assert_array_equal(wrong.outputs[0], other[b])
        assert taught.surprise.shape == (1, TRIALS, 2)
        assert taught.surprise.sum() < 0.7 * wrong.surprise.sum()


def chain():
    """a -> E0 -> E1, both read, and an inhibitory neuron that is not."""
    return Circuit(
        dt_ms=DT,
        neurons=(Neuron(id="E0", sign="E"), Neuron(id="E1", sign="E", t_ref_ms=3.0), Neuron(id="I0", sign="I")),
        inputs=(InputChannel(name="a", synapses=(InputSynapse(post="E0", weight_mv=40.0, delay_ms=1.0),)),),
        synapses=(
            Synapse(pre="E0", post="E1", weight_mv=60.0, delay_ms=1.5),
            Synapse(pre="E0", post="I0", weight_mv=150.0, delay_ms=0.5),
            Synapse(pre="I0", post="E1", weight_mv=20.0, delay_ms=0.5),
        ),
        outputs=(OutputPort(name="first", neurons=("E0",)), OutputPort(name="second", neurons=("E1",))),
    )


def late(train, ms):
    """A train after a delay, float64 [steps]."""
    return np.concatenate([np.zeros(round(ms / DT)), train[: STEPS - round(ms / DT)]])


def surprise_by_hand(arrivals, spikes, scored, width, t_ref):
    """Of one neuron with the default parameters, reset by these spikes: bool [steps] each; arrivals [2, steps] are excitatory
    and inhibitory, in mV."""
    neuron, v, currents, last, total = Neuron(id="x", sign="E"), 0.0, np.zeros(2), -(10**6), 0.0
    taus = np.array([neuron.tau_syn_e_ms, neuron.tau_syn_i_ms])
    gain = taus / (neuron.tau_m_ms - taus) * (np.exp(-DT / neuron.tau_m_ms) - np.exp(-DT / taus))
    for k in range(len(spikes)):
        v = v * np.exp(-DT / neuron.tau_m_ms) + gain @ currents
        held = k - last <= round(t_ref / DT)
        x = (v - 15.0) / width
        if scored[k] and (spikes[k] or not held):
            total += np.logaddexp(0.0, -x if spikes[k] else x)
        if spikes[k]:
            last = k
        if spikes[k] or held:
            v = 0.0
        currents = currents * np.exp(-DT / taus) + arrivals[:, k]
    return total


def test_the_surprise_is_that_of_escape_noise_by_hand():
    rng = np.random.default_rng(3)
    given = rng.random((TRIALS, STEPS, 1)) < 0.05
    should = rng.random((TRIALS, STEPS, 2)) < 0.03
    scored = rng.random((TRIALS, STEPS, 1)) < 0.7
    teacher = Teacher(pack(should), pack(scored)[..., 0].copy(), 2.5)
    packed = from_circuit(chain(), np.float32)
    found = simulate_population(packed, pack(given), TRIALS, teacher=teacher)
    for trial in (0, 5, 69):
        first = np.stack([40.0 * late(given[trial, :, 0], 1.0), np.zeros(STEPS)])
        expected = surprise_by_hand(first, should[trial, :, 0], scored[trial, :, 0], 2.5, 2.0)
        assert found.surprise[0, trial, 0] == pytest.approx(expected, rel=0.01)
        i0 = fires(150.0 * late(should[trial, :, 0], 0.5))
        second = np.stack([60.0 * late(should[trial, :, 0], 1.5), -20.0 * late(i0, 0.5)])
        expected = surprise_by_hand(second, should[trial, :, 1], scored[trial, :, 0], 2.5, 3.0)
        assert found.surprise[0, trial, 1] == pytest.approx(expected, rel=0.01)


def fires(arrivals):
    """The spikes of a neuron with the default parameters at which 150 mV arrive in these steps, bool [steps]."""
    circuit = chain().model_copy(
        update={
            "neurons": (Neuron(id="x", sign="E"),),
            "inputs": (InputChannel(name="a", synapses=(InputSynapse(post="x", weight_mv=150.0, delay_ms=DT),)),),
            "synapses": (),
            "outputs": (OutputPort(name="first", neurons=("x",)),),
        }
    )
    given = np.append(arrivals[1:] > 0, False)  # one step before
    return simulate(circuit, given[None, :, None]).spikes()[0, :, 0]


def test_a_circuit_that_is_given_up_is_infinitely_surprised():
    packed = from_circuit(chain(), np.float32)
    teacher = everywhere(inputs(2, 0.2))
    found = simulate_population(packed, inputs(1), TRIALS, teacher=teacher, stop=Stop(check=50, ceiling=0.01))
    assert np.isinf(found.surprise).all()
