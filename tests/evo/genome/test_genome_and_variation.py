import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.motif_file import Motif, dumps, loads
from circuits.neurons import LIF_PSC_EXP
from circuits.simulation.packed import from_circuit
from circuits.simulation.population import simulate_population
from circuits.simulation.raster import pack
from circuits.simulation.simulate import simulate
from evo import genome
from evo.genome import variation
from evo.spec.run_spec import parse
from fitness.base.trials import Interface
from tests.products import some_of

SETTINGS = settings(suppress_health_check=[HealthCheck.too_slow])


def crossed(mothers, fathers, *arguments):
    """Children of the pairs."""
    pair = np.arange(len(mothers))
    return variation.crossover(np.concatenate([mothers, fathers]), pair, pair + len(mothers), *arguments)[0]


def _range(low, high, digits=3):
    """[least, largest] in a spec, sometimes one number."""
    number = st.floats(low, high).map(lambda x: round(x, digits))
    return st.one_of(number.map(lambda x: [x, x]), st.tuples(number, number).map(sorted))


@st.composite
def cell_types(draw):
    """The text of some [circuit.types] sections, or of none."""
    names = draw(st.sampled_from([(), ("PYR", "PV"), ("PYR", "PV", "SST", "VIP"), ("L4", "L5", "PV")]))
    text = ""
    for name in names:
        targets = draw(st.none() | st.lists(st.sampled_from(names), unique=True))
        text += f"""
    [circuit.types.{name}]
    sign = "{"I" if name in ("PV", "SST", "VIP") else "E"}"
    inputs = {str(draw(st.booleans())).lower()}
    parameters = {{ tau_syn_e_ms = {draw(_range(0.01, 10))}, bias_mv = {draw(_range(-5, 25))} }}
    {"" if targets is None else f"projects_to = {targets}"}
    """
    return text


@st.composite
def forms(draw, models=("lif_psc_exp",), synapse_models=("static",)):
    """A form as a spec makes it, the names of the inputs and the outputs, and a seed."""
    dt = draw(st.sampled_from([0.05, 0.1, 0.5, 1.0]))
    outputs = draw(st.integers(1, 4))
    excitatory = draw(st.integers(outputs, 8))
    inhibitory = draw(st.integers(0, 5))
    n = excitatory + inhibitory
    neurons = [draw(st.integers(1, n)), draw(st.integers(n, 14))]
    share = excitatory / n  # at least this mix is allowed, so the bounds hold something
    shares = [draw(st.floats(0, share)), draw(st.floats(share, 1))]
    delay = sorted(draw(st.tuples(st.integers(1, 300), st.integers(1, 300))))
    threshold = draw(_range(-60, -40))
    parameters = {
        "tau_m_ms": draw(_range(0.01, 40)),
        "tau_syn_e_ms": draw(_range(0.01, 10)),
        "tau_syn_i_ms": draw(_range(0.01, 20)),
        "v_rest_mv": draw(_range(-75, -60)),
        "v_th_mv": threshold,
        "v_reset_mv": draw(_range(-80, threshold[0] - 0.1)),
        "t_ref_ms": [step * dt for step in sorted(draw(st.tuples(st.integers(0, 20), st.integers(0, 20))))],
        "bias_mv": draw(_range(-5, 25)),
    }
    text = f"""
    [task]
    name = "itd"
    [circuit]
    neuron_model = "{draw(st.sampled_from(models))}"
    synapse_model = "{draw(st.sampled_from(synapse_models))}"
    neurons = {neurons}
    excitatory_share = {shares}
    in_degree = {draw(st.integers(1, 20))}
    delay_ms = [{delay[0] * dt}, {delay[1] * dt}]
    excitatory_weight_mv = {draw(_range(0.001, 300))}
    inhibitory_weight_mv = {draw(_range(0.001, 300))}
    [circuit.parameters]
    """ + "\n".join(f"{key} = {value}" for key, value in parameters.items())
    text += draw(cell_types())
    inputs = tuple(f"in{k}" for k in range(draw(st.integers(0, 4))))
    task = Interface("any", inputs, tuple(f"out{k}" for k in range(outputs)), dt, 100 * dt)
    try:
        form = parse(text).encoding(task)
    except UserError as error:
        if "no input reaches" not in str(error):  # the one thing that random types can contradict
            raise
        reject()
    return form, task, draw(st.integers(0, 2**32))


def assert_valid(genomes, bounds):
    for g in genomes:
        assert genome.faults(g, bounds) == []


@SETTINGS
@given(forms(synapse_models=("static", "stdp")))
def test_founders_mutants_and_children_are_always_valid(case):
    form, _, seed = case
    bounds = form.bounds
    rng = np.random.default_rng(seed)
    population = variation.founders(bounds, 12, rng)
    assert_valid(population, bounds)
    for _ in range(6):
        strangers = variation.founders(bounds, 12, rng)
        population = crossed(population, rng.permutation(population), bounds, rng)
        assert_valid(population, bounds)
        population = crossed(population, strangers, bounds, rng)
        assert_valid(population, bounds)
        population = variation.mutate(population, bounds, rng, more=0.9, duplication=0.3)
        assert_valid(population, bounds)


@SETTINGS
@given(forms())
def test_all_synapses_of_a_neuron_have_its_sign_whatever_happened_to_it(case):
    form, _, seed = case
    bounds = form.bounds
    rng = np.random.default_rng(seed)
    population = variation.founders(bounds, 8, rng)
    for _ in range(4):
        population = variation.mutate(crossed(population, population[::-1], bounds, rng), bounds, rng, 0.8)
    tables = genome.tables(population, form)
    for b, g in enumerate(population):
        signs = np.r_[np.ones(bounds.channels), g["kind"][g["kind"] != 0]]  # of each source in the tables
        for n in range(tables.neurons[b]):
            for s in range(tables.bounds[b, n, 0], tables.bounds[b, n, 2]):
                source = tables.offset[s] % (bounds.channels + bounds.capacity)
                assert np.sign(tables.weight[s]) == np.sign(signs[source])


@pytest.mark.parametrize("model", some_of(["lif_psc_exp", "alif_psc_exp"], few=["lif_psc_exp"]))
@SETTINGS
@given(st.data())
def test_a_genome_as_circuit_and_as_motif_file_simulates_to_the_same_bits(model, data):
    form, task, seed = data.draw(forms((model,), ("static", "short_term")))
    bounds = form.bounds
    rng = np.random.default_rng(seed)
    population = variation.mutate(variation.founders(bounds, 4, rng), bounds, rng, 0.9)
    spikes = rng.random((70, 60, bounds.channels)) < 0.1
    activity = simulate_population(genome.tables(population, form), pack(spikes), len(spikes))
    for g, bits in zip(population, activity.outputs, strict=True):
        circuit = genome.to_circuit(g, form, task.inputs, task.outputs)
        signs = {n.id: n.sign for n in circuit.neurons}
        assert [signs[o.neurons[0]] for o in circuit.outputs] == ["E"] * bounds.readouts
        assert circuit == Circuit.model_validate(circuit.model_dump())
        again = loads(dumps(Motif.of(circuit))).circuit
        assert again == circuit
        assert from_circuit(again).synapses[0] == circuit.synapse_count == np.count_nonzero(g["weight"])
        found = simulate(again, spikes, dtype="float32").outputs
        np.testing.assert_array_equal(found.bits, bits)


WIDE = """
[task]
name = "order"
channels = 2
[circuit]
neurons = [4, 10]
excitatory_share = [0.3, 0.9]
in_degree = 5
delay_ms = [0.5, 20.0]
[circuit.parameters]
tau_m_ms = [5.0, 30.0]
"""


@pytest.fixture(scope="module")
def wide():
    spec = parse(WIDE)
    return spec.encoding(spec.make_task().interface).bounds


def test_every_part_of_a_genome_is_reached_by_mutation(wide):
    rng = np.random.default_rng(0)
    before = variation.founders(wide, 2000, rng)
    after = variation.mutate(before.copy(), wide, rng, more=0.0)
    neurons = [np.count_nonzero(g["kind"], axis=1) for g in (before, after)]
    synapses = [np.count_nonzero(g["weight"], axis=(1, 2)) for g in (before, after)]
    same_neurons = (before["kind"] == after["kind"]).all(axis=1)
    same_wiring = ((before["weight"] > 0) == (after["weight"] > 0)).all(axis=(1, 2))

    def changed(field):
        return (before[field] != after[field]).reshape(len(before), -1).any(axis=1)

    happened = {
        "neuron added": (neurons[1] > neurons[0]).sum(),
        "neuron removed": (neurons[1] < neurons[0]).sum(),
        "type flipped": ((neurons[1] == neurons[0]) & ~same_neurons).sum(),
        "synapse added": (same_neurons & (synapses[1] > synapses[0])).sum(),
        "synapse removed": (same_neurons & (synapses[1] < synapses[0])).sum(),
        "rewired": (same_neurons & ~same_wiring & (synapses[1] == synapses[0])).sum(),
        "weight": (same_wiring & changed("weight")).sum(),
        "delay": (same_wiring & changed("delay")).sum(),
        "parameter": (same_neurons & changed("parameters")).sum(),
        "output": changed("readout").sum(),
    }
    assert {what: count for what, count in happened.items() if count < 10} == {}
    assert np.mean(before == after) < 0.1  # few mutations do nothing
    grown = after
    for _ in range(100):
        grown = variation.mutate(grown, wide, rng)
    assert len(np.unique(np.count_nonzero(grown["kind"], axis=1))) == 7  # 4 to 10 neurons, all of them


def test_duplication_gives_a_neuron_the_inputs_and_parameters_of_another_with_one_delay_drawn_anew(wide):
    rng = np.random.default_rng(2)
    before = variation.founders(wide, 500, rng)
    after = variation.mutate(before.copy(), wide, rng, more=0.0, duplication=0.999_999)
    copied = 0
    for old, new in zip(before, after, strict=True):
        others = np.flatnonzero(
            (old["parameters"] != new["parameters"]).any(axis=1) | (old["weight"] != new["weight"]).any(axis=0)
        )
        np.testing.assert_array_equal(new["readout"], old["readout"])
        assert len(others) <= 1
        for slot in others:
            models = [
                np.count_nonzero(new["delay"][:, slot] != old["delay"][:, model])
                for model in np.flatnonzero(old["kind"] == new["kind"][slot])
                if (new["parameters"][slot] == old["parameters"][model]).all()
                and (new["weight"][:, slot] == old["weight"][:, model]).all()
            ]
            assert models
            assert min(models) <= 1
            copied += 1
    assert copied > 400


def test_a_mutation_is_small_one_kind_of_thing_changes(wide):
    rng = np.random.default_rng(1)
    before = variation.founders(wide, 500, rng)
    after = variation.mutate(before.copy(), wide, rng, more=0.0)
    same = (before["kind"] == after["kind"]).all(axis=1)
    moved = np.count_nonzero(before["weight"][same] != after["weight"][same], axis=(1, 2))
    assert moved.max() <= 2  # a rewired synapse leaves one place and takes another
    changed = np.count_nonzero(before["parameters"][same] != after["parameters"][same], axis=(1, 2))
    assert changed.max() <= 1


def test_a_child_has_neurons_of_both_parents_and_nothing_new(wide):
    rng = np.random.default_rng(2)
    mothers, fathers = variation.founders(wide, 400, rng), variation.founders(wide, 400, rng)
    children = crossed(mothers, fathers, wide, rng)
    taken = {"mother": 0, "father": 0}
    for child, mother, father in zip(children, mothers, fathers, strict=True):
        for slot in np.flatnonzero(child["kind"]):
            parents = [
                name
                for name, parent in (("mother", mother), ("father", father))
                if (child["parameters"][slot] == parent["parameters"][slot]).all()
            ]
            assert parents
            for name in parents:
                taken[name] += 1
    assert min(taken.values()) > 0.25 * sum(taken.values())
    nobody = np.full(len(mothers), variation.NOBODY)
    np.testing.assert_array_equal(variation.crossover(mothers, np.arange(len(mothers)), nobody, wide, rng)[0], mothers)


def test_crossover_leaves_the_parents_as_they_are(wide):
    rng = np.random.default_rng(3)
    mothers, fathers = variation.founders(wide, 50, rng), variation.founders(wide, 50, rng)
    copies = mothers.tobytes(), fathers.tobytes()
    variation.mutate(crossed(mothers, fathers, wide, rng), wide, rng)
    assert (mothers.tobytes(), fathers.tobytes()) == copies


def test_the_same_seed_makes_the_same_bytes_and_another_seed_others(wide):
    def evolve(seed):
        rng = np.random.default_rng(seed)
        population = variation.founders(wide, 40, rng)
        for _ in range(5):
            population = variation.mutate(crossed(population, population[::-1], wide, rng), wide, rng)
        return population.tobytes()

    assert evolve(5) == evolve(5)
    assert evolve(5) != evolve(6)


def test_founders_cover_every_allowed_mix_of_types(wide):
    made = variation.founders(wide, 4000, np.random.default_rng(4))
    seen = np.zeros_like(wide.allowed)
    seen[(made["kind"] > 0).sum(axis=1), (made["kind"] < 0).sum(axis=1)] = True
    np.testing.assert_array_equal(seen, wide.allowed)


def test_a_fixed_parameter_stays_what_the_spec_says(wide):
    made = variation.mutate(variation.founders(wide, 200, np.random.default_rng(5)), wide, np.random.default_rng(6), 0.95)
    used = made["parameters"][made["kind"] != 0]
    assert set(used[:, LIF_PSC_EXP.names.index("v_th_mv")]) == {-55.0}
    assert len(set(used[:, LIF_PSC_EXP.names.index("tau_m_ms")])) > 100


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda g: g["weight"].__setitem__((0, g["readout"][0]), -1), "negative weight"),
        (lambda g: g["kind"].__setitem__(g["readout"][0], -1), "readout"),
        (lambda g: g["readout"].__setitem__(0, 99), "readout"),
        (lambda g: g["readout"].__setitem__(slice(None), g["readout"][0]), "share"),
        (lambda g: g["parameters"].__setitem__((g["readout"][0], 0), np.nan), "parameter range"),
        (lambda g: g["delay"].__setitem__((g["weight"] > 0), 60_000), "delay range"),
        (lambda g: g["weight"].__setitem__((slice(None), g["readout"][0]), 10), "in-degree"),
        (lambda g: g["kind"].__setitem__(slice(None), 0), "numbers of E and I"),
    ],
)
def test_faults_finds_what_is_wrong_with_a_damaged_genome(wide, damage, named):
    g = variation.founders(wide, 1, np.random.default_rng(7))[0]
    damage(g)
    with np.errstate(invalid="ignore"):
        assert any(named in fault for fault in genome.faults(g, wide))


TYPED = """
[task]
name = "gate"
[circuit]
neurons = [6, 10]
excitatory_share = [0.3, 0.8]
delay_ms = [0.5, 5.0]
[circuit.parameters]
tau_m_ms = [10.0, 20.0]
t_ref_ms = 0.5
[circuit.types.PYR]
sign = "E"
[circuit.types.PV]
sign = "I"
projects_to = ["PYR", "PV"]
parameters = { tau_m_ms = [3.0, 6.0] }
[circuit.types.SST]
sign = "I"
projects_to = ["PYR"]
inputs = false
"""


@pytest.fixture(scope="module")
def typed():
    spec = parse(TYPED)
    task = spec.make_task().interface
    rng = np.random.default_rng(8)
    form = spec.encoding(task)
    population = variation.founders(form.bounds, 300, rng)
    for _ in range(10):
        population = variation.mutate(crossed(population, population[::-1], form.bounds, rng), form.bounds, rng, 0.8)
    return [genome.to_circuit(g, form, task.inputs, task.outputs) for g in population]


def test_cell_types_have_parameters_of_their_own(typed):
    ranges = {"PYR": (10, 20), "PV": (3, 6), "SST": (10, 20)}
    for circuit in typed:
        for n in circuit.neurons:
            low, high = ranges[n.type]
            assert low <= n.tau_m_ms <= high
            assert n.sign == ("E" if n.type == "PYR" else "I")


def test_cell_types_project_only_where_the_table_says(typed):
    pairs, fed = set(), set()
    for circuit in typed:
        kind = {n.id: n.type for n in circuit.neurons}
        pairs |= {(kind[s.pre], kind[s.post]) for s in circuit.synapses}
        fed |= {kind[s.post] for channel in circuit.inputs for s in channel.synapses}
    assert pairs == {("PYR", "PYR"), ("PYR", "PV"), ("PYR", "SST"), ("PV", "PYR"), ("PV", "PV"), ("SST", "PYR")}
    assert fed == {"PYR", "PV"}


def test_a_genome_of_a_type_that_is_not_there_or_may_not_project_is_found_out():
    spec = parse(TYPED)
    bounds = spec.encoding(spec.make_task().interface).bounds
    founders = variation.founders(bounds, 50, np.random.default_rng(9))
    sst = next(g for g in founders if (g["kind"] == -2).any())
    slot = int(np.argmax(sst["kind"] == -2))
    assert genome.faults(sst, bounds) == []
    sst["weight"][0, slot], sst["delay"][0, slot] = 10, bounds.delay[0]
    assert "synapse between types that have none" in genome.faults(sst, bounds)
    sst["kind"][slot] = -3
    assert genome.faults(sst, bounds) == ["cell type"]
