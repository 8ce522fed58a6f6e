"""Versions of a circuit, made as tables all at once, do what circuits do that are built one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import typeof

from circuits.edit.lesion import without
from circuits.edit.variants import Variants
from circuits.errors import UserError
from circuits.neurons import MODELS
from circuits.simulation.packed import from_circuit
from circuits.simulation.population import simulate_population
from circuits.simulation.raster import pack
from circuits.simulation.simulate import simulate
from tests import reference
from tests.products import examples, few_of

pytestmark = pytest.mark.long  # machine code with and without plastic synapses and noise
TRIALS, STEPS = 20, 200
FEW = [("lif_psc_exp", None, 0), ("lif_psc_exp", None, 3)]  # that of seed 3 is noisy


def rebuilt(circuit, versions, v):
    """Version v as a circuit of its own."""
    names = circuit.model.names
    neurons = tuple(
        n.model_copy(update=dict(zip(names, map(float, row), strict=True)))
        for n, row in zip(circuit.neurons, versions.parameters[v], strict=True)
    )
    weights = iter(versions.weight[v].tolist())
    inputs = tuple(
        c.model_copy(update={"synapses": tuple(s.model_copy(update={"weight_mv": next(weights)}) for s in c.synapses)})
        for c in circuit.inputs
    )
    synapses = tuple(s.model_copy(update={"weight_mv": next(weights)}) for s in circuit.synapses)
    changed = circuit.model_copy(update={"neurons": neurons, "inputs": inputs, "synapses": synapses})
    gone = [n.id for n, there in zip(circuit.neurons, versions.present[v], strict=True) if not there]
    return without(changed, gone, np.flatnonzero(~versions.kept[v]).tolist())


def drawn(seed, **settings):
    """A circuit, input for it, and versions of it: the whole, one without any synapse, and some at random."""
    rng = np.random.default_rng(seed)
    circuit = reference.random_circuit(rng, multapses=False, **settings)
    noise = 2.0 if rng.random() < 0.5 else 0.0
    circuit = circuit.model_copy(update={"noise_mv": noise})
    versions = Variants.of(circuit, 8)
    versions.kept[1] = False
    versions.kept[2:] = rng.random(versions.kept[2:].shape) < 0.7
    read = {n for port in circuit.outputs for n in port.neurons[:1]} or {circuit.neurons[0].id}
    may_go = np.array([n.id not in read for n in circuit.neurons])
    versions.present[3:] = ~may_go | (rng.random(versions.present[3:].shape) < 0.7)
    versions.weight[4:] *= rng.uniform(0.7, 1.3, versions.weight[4:].shape)
    tau = circuit.model.names.index("tau_syn_e_ms")
    versions.parameters[5:, :, tau] *= rng.uniform(0.7, 1.3, versions.parameters[5:, :, tau].shape)
    versions.parameters[6:, :, circuit.model.names.index("t_ref_ms")] += 3 * circuit.dt_ms
    return circuit, reference.random_input(rng, circuit, TRIALS, STEPS), versions


@pytest.mark.parametrize(("model", "plastic", "seed"), few_of(MODELS, [None, "short_term", "both"], range(4), few=FEW))
def test_versions_do_what_circuits_built_one_by_one_do(model, plastic, seed):
    circuit, spikes, versions = drawn(seed, neuron_model=model, plastic=plastic)
    tables = versions.tables(circuit, np.float32).all_read()
    found = simulate_population(tables, pack(spikes), TRIALS, seed=seed)
    for v in range(len(versions.kept)):
        alone = rebuilt(circuit, versions, v)
        raster = simulate(alone, spikes, seed=seed, dtype="float32")
        np.testing.assert_array_equal(found.outputs[v, ..., : len(alone.neurons)], raster.bits)
        assert not found.outputs[v, ..., len(alone.neurons) :].any()
        fired = dict(zip(raster.names, raster.counts().sum(axis=0).tolist(), strict=True))
        heard = [spikes[..., c].sum() * len(channel.synapses) for c, channel in enumerate(alone.inputs)]
        assert found.spikes[v] == sum(fired.values())
        assert found.events[v] == sum(fired[s.pre] for s in alone.synapses) + sum(heard)
        np.testing.assert_array_equal(tables.excitatory[v, : len(alone.neurons)], alone.excitatory)
        assert tables.synapses[v] == alone.synapse_count


@examples(0.6)
@given(st.integers(0, 10_000))
def test_outputs_are_those_of_the_ports_that_are_left(seed):
    circuit, spikes, versions = drawn(seed)
    found = simulate_population(versions.tables(circuit, np.float32), pack(spikes), TRIALS, seed=1)
    slots = [n for port in circuit.outputs for n in port.neurons]
    for v in range(len(versions.kept)):
        outputs = simulate(rebuilt(circuit, versions, v), spikes, seed=1, dtype="float32").outputs
        there = [k for k, n in enumerate(slots) if n in outputs.names]
        np.testing.assert_array_equal(found.outputs[v][..., there], outputs.bits)
        assert not np.delete(found.outputs[v], there, axis=-1).any()


@pytest.mark.parametrize("plastic", [None, "both"])
@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_versions_run_the_machine_code_of_circuits_and_no_other_is_made(plastic, real):
    circuit = reference.random_circuit(np.random.default_rng(0), plastic=plastic)
    assert typeof(Variants.of(circuit, 8).tables(circuit, real)) == typeof(from_circuit(circuit, real))


def test_parts_that_are_not_there_and_ports_left_empty_are_refused():
    circuit = reference.random_circuit(np.random.default_rng(1), neurons=5)
    with pytest.raises(UserError, match="there is no neuron 'x'"):
        without(circuit, ["x"])
    with pytest.raises(UserError, match="nothing is left of output port 'out'"):
        without(circuit, circuit.outputs[0].neurons)
    with pytest.raises(UserError, match="no neuron is left"):
        without(circuit, [n.id for n in circuit.neurons])
