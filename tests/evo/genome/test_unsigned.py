"""Circuits without Dale's law, the control of what it is good for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evo
from circuits.circuit import Circuit
from circuits.simulation.population import simulate_population
from circuits.simulation.raster import pack
from circuits.simulation.simulate import simulate
from evo import genome
from evo.genome import variation
from evo.spec.run_spec import parse
from tests.evo.genome.test_genome_and_variation import SETTINGS, assert_valid, crossed, forms
from tests.evo.tiny import SPEC, one_line_of, spec_file
from tests.products import some_of

UNSIGNED = SPEC.replace("[circuit]", "[circuit]\ndale = false")


@st.composite
def unsigned_forms(draw, *models):
    """A form like any other, but with neurons that have no sign; the names of inputs and outputs; a seed."""
    form, task, seed = draw(forms(*models))
    bounds = form.bounds
    places = np.arange(len(bounds.allowed))
    allowed = (places[:, None] >= max(1, bounds.readouts)) & (places == 0)
    types = {"parameter": bounds.parameter[[0, 0]], "excitatory": 1, "projects": np.ones((3, 2), bool)}
    return form._replace(bounds=bounds._replace(dale=False, allowed=allowed, **types), types=("", "")), task, seed


def evolved(bounds, seed, count=8):
    rng = np.random.default_rng(seed)
    population = variation.founders(bounds, count, rng)
    for _ in range(4):
        population = variation.mutate(crossed(population, population[::-1], bounds, rng), bounds, rng, 0.9)
        yield population


@SETTINGS
@given(unsigned_forms())
def test_circuits_without_signs_are_always_valid(case):
    form, _, seed = case
    for population in evolved(form.bounds, seed):
        assert_valid(population, form.bounds)


@pytest.mark.long
@pytest.mark.parametrize("model", some_of(["lif_psc_exp", "alif_psc_exp"], few=["lif_psc_exp"]))
@SETTINGS
@given(st.data())
def test_one_with_its_neurons_split_by_sign_fires_alike(model, data):
    form, task, seed = data.draw(unsigned_forms((model,), ("static", "short_term")))
    bounds = form.bounds
    *_, population = evolved(bounds, seed, 4)
    spikes = np.random.default_rng(seed).random((70, 60, bounds.channels)) < 0.1
    activity = simulate_population(genome.tables(population, form), pack(spikes), len(spikes))
    for g, bits in zip(population, activity.outputs, strict=True):
        circuit = genome.to_circuit(g, form, task.inputs, task.outputs)
        assert circuit == Circuit.model_validate(circuit.model_dump())
        np.testing.assert_array_equal(simulate(circuit, spikes, dtype="float32").outputs.bits, bits)


@pytest.fixture(scope="module")
def bounds():
    spec = parse(UNSIGNED)
    return spec.encoding(spec.make_task().interface).bounds


def test_neurons_come_to_excite_some_and_inhibit_others_and_inputs_only_excite(bounds):
    *_, population = evolved(bounds, 0, 200)
    weight = population["weight"]
    own = weight[:, bounds.channels :]
    mixed = (own > 0).any(axis=2) & (own < 0).any(axis=2)
    assert mixed.any(axis=1).mean() > 0.3
    assert 0.4 < (own < 0).sum() / np.count_nonzero(own) < 0.6
    assert (weight[:, : bounds.channels] >= 0).all()


def test_a_mixed_neuron_becomes_two_and_others_stay_one(bounds):
    spec = parse(UNSIGNED)
    task = spec.make_task().interface
    form = spec.encoding(task)
    for g in variation.founders(form.bounds, 50, np.random.default_rng(1)):
        circuit = genome.to_circuit(g, form, task.inputs, task.outputs)
        own = g["weight"][form.bounds.channels :]
        mute = (g["kind"] != 0) & ~(own != 0).any(axis=1)
        read = np.isin(np.arange(len(own)), g["readout"])
        excitatory = (own > 0).any(axis=1) | read | mute
        assert circuit.excitatory.sum() == excitatory.sum()
        assert (~circuit.excitatory).sum() == (own < 0).any(axis=1).sum()


def test_dales_law_is_kept_unless_the_spec_says_otherwise():
    for text in (SPEC, UNSIGNED):
        spec = parse(text)
        bounds = spec.encoding(spec.make_task().interface).bounds
        *_, population = evolved(bounds, 2, 50)
        assert (population["weight"] < 0).any() != bounds.dale


@pytest.mark.parametrize("line", ["excitatory_share = [0.2, 0.8]", "noise_mv = 1.0", 'types = { A = { sign = "E" } }'])
def test_what_needs_signs_is_refused_in_one_line(line):
    message = one_line_of(lambda: parse(UNSIGNED.replace("dale = false", f"dale = false\n{line}")))
    assert line.partition(" ")[0] in message
    assert "dale" in message


def test_a_run_without_dales_law_ends_in_circuits_that_can_be_opened_and_inspected(tmp_path):
    run = evo.run(spec_file(tmp_path, UNSIGNED), tmp_path / "run", workers=0)
    again = evo.open_run(run.folder)
    assert again.archive_sha256 == run.archive_sha256
    task = run.spec.make_task()
    trials = task.trials((3, 1), 16)
    for member in again.front:
        assert abs(task.evaluate(member.circuit, trials, "float32").value - member.held_out) < 1e-9
