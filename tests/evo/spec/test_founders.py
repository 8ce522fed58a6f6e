"""search.founders: runs that begin with circuits of others."""

import hashlib
import json
from contextlib import suppress

import numpy as np
import pytest

import circuits
import evo
from circuits.motif_file import digest
from evo import genome
from evo.genome import identity
from evo.genome.from_circuit import from_circuit
from evo.population.individual import joined
from evo.spec.founders import founders
from evo.spec.resolve import resolve
from evo.spec.run_spec import ENDINGS, SINCE_0_5, parse
from evo.spec.starter import starter
from tests.evo.tiny import SPEC, cli, one_line_of, spec_file, stops_after

ZOO = 'founders = ["zoo:gate-3"]'


def text(more=ZOO):
    """A tiny search with the task and bounds of the spec that ships, which the gates of the zoo fit."""
    return starter("gate").split("[search]")[0] + SPEC[SPEC.index("[search]") :].replace("[search]", f"[search]\n{more}")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("founders")
    return evo.run(spec_file(folder, text()), folder / "run", workers=0)


def test_the_first_population_has_the_founders_and_variations(run):
    form = run.spec.encoding(run.interface)
    gate = circuits.zoo["gate-3"]
    own = from_circuit(gate, form, run.interface.inputs, run.interface.outputs)
    initial = run.stored.initial
    assert initial.log["count"] == 6
    for island in range(3):
        mine = initial.genomes[initial.island == island]
        assert mine[0].tobytes() == own.genome.tobytes()
        assert len(set(identity.keys(mine))) > 3
    first = {row["island"]: row["log"][0] for row in run.epochs if row["epoch"] == 0}
    assert len({row["best"] for row in first.values()}) <= 3
    assert min(row["best"] for row in first.values()) >= 0.5  # the founder's own, or a mutant's that is better


def test_every_circuit_of_a_line_names_its_founder(run):
    gate = circuits.zoo["gate-3"]
    assert run.founders == [{"name": "gate-3", "sha256": digest(gate.circuit)}]
    assert run.parent is None
    best = run.motif(0)
    assert best.provenance.parent is not None
    assert best.provenance.parent.sha256 == digest(gate.circuit)
    first, *later = run.lineage(0)
    assert first.parent == best.provenance.parent
    assert first.mother is None
    assert all(step.parent is None for step in later)


def test_the_run_folder_has_all_that_it_takes(run, tmp_path):
    (name,) = run.spec.search.founders
    assert name == f"founders/gate-3-{run.founders[0]['sha256'][:12]}.json"
    assert circuits.load(run.folder / name) == circuits.zoo["gate-3"]
    again = evo.run(run.folder / "run.toml", tmp_path / "again", workers=0)
    assert again.archive_sha256 == run.archive_sha256
    assert again.spec_sha256 == run.spec_sha256
    assert again.spec == run.spec


def test_a_stopped_run_ends_in_the_same_archive_without_the_file_it_began_with(run, tmp_path):
    circuits.save(circuits.zoo["gate-3"], tmp_path / "mine.json")
    path = spec_file(tmp_path, text(more='founders = ["mine.json"]'))
    with suppress(KeyboardInterrupt):
        evo.run(path, tmp_path / "run", workers=0, observe=stops_after(2))
    (tmp_path / "mine.json").unlink()
    for file in (tmp_path / "run" / "founders").iterdir():
        file.unlink()
    assert evo.resume(tmp_path / "run", workers=0).archive_sha256 == run.archive_sha256


def test_a_fork_begins_with_its_parents_circuits_alone(run, tmp_path):
    child = evo.fork(run.folder, {"search.generations": "2"}, tmp_path / "child", workers=0)
    assert child.spec.search.founders == ()
    assert child.founders == []
    assert child.parent["run"] == run.name
    message = one_line_of(lambda: evo.fork(run.folder, {"search.founders": '["zoo:gate-3"]'}, tmp_path / "other", workers=0))
    assert "search.founders" in message
    assert not (tmp_path / "other").exists()


def test_status_says_with_what_a_run_began(run):
    assert "founders: gate-3" in cli(run.folder.parent, "status", "run").stdout


def test_specs_without_founders_keep_their_digest():
    spec = parse(SPEC)
    data = spec.model_dump(mode="json", exclude={"search": ENDINGS | SINCE_0_5, "circuit": {"gain_mv"}})
    assert "founders" not in data["search"]
    assert spec.digest() == hashlib.sha256(json.dumps([data, None], sort_keys=True).encode()).hexdigest()
    with_one = parse(SPEC.replace("[search]", f"[search]\n{ZOO}"))
    assert with_one.digest() != spec.digest()


def test_genomes_of_circuits_are_the_genomes_that_they_came_from():
    for dale in (True, False):
        spec = parse(SPEC.replace("[circuit]", f"[circuit]\ndale = {str(dale).lower()}"))
        interface = spec.make_task().interface
        form = spec.encoding(interface)
        drawn = genome.variation.founders(form.bounds, 30, np.random.default_rng(4))
        for one in drawn:
            circuit = genome.to_circuit(one, form, interface.inputs, interface.outputs)
            signs = {n.sign for n in circuit.neurons}
            if not dale and "I" in signs:
                continue  # a neuron of both signs has become two
            back = from_circuit(circuit, form, interface.inputs, interface.outputs)
            assert not back.rounded
            both = joined(drawn[:0], np.array([one, back.genome], one.dtype))
            assert len(set(identity.keys(both))) == 1


def gate_with(**changes):
    """gate-3 with other parts."""
    data = circuits.zoo["gate-3"].circuit.model_dump(mode="json", exclude_none=True)
    for place, value in changes.items():
        part = data
        *way, last = place.split("__")
        for key in way:
            part = part[int(key) if key.isdecimal() else key]
        part[int(last) if last.isdecimal() else last] = value
    return circuits.Circuit.model_validate(data)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"neurons__0__tau_m_ms": 4000.0}, ["tau_m_ms of", "is 4000, circuit.parameters.tau_m_ms allows"]),
        ({"synapses__0__weight_mv": 9000.0}, ["the weight from", "is 9000", "_weight_mv allows 1 to 60"]),
        ({"synapses__0__delay_ms": 900.0}, ["the delay from", "is 900 ms, circuit.delay_ms allows"]),
        ({"inputs": []}, ["0 input channels, the task has"]),
        ({"outputs": []}, ["0 neurons are read", "the task reads 1"]),
        ({"synapses__0__stdp": {}}, ["is stdp, circuit.synapse_model is static"]),
    ],
)
def test_what_does_not_fit_is_named_in_one_line(tmp_path, changes, what):
    circuits.save(gate_with(**changes), tmp_path / "mine.json")
    path = spec_file(tmp_path, text(more='founders = ["mine.json"]'))
    message = one_line_of(lambda: resolve(path))
    for part in (str(path), "search.founders: mine.json: ", *what):
        assert part in message


@pytest.mark.parametrize(
    ("more", "changes", "what"),
    [
        (ZOO, {"neurons": "[6, 9]"}, "it has 3 neurons, circuit.neurons allows 6 to 9"),
        (ZOO, {"in_degree": 1}, "circuit.in_degree allows 1"),
        (ZOO, {"neuron_model": '"alif_psc_exp"'}, "its neurons are lif_psc_exp, circuit.neuron_model is alif_psc_exp"),
        ('founders = ["none.json"]', {}, "none.json: there is no such file"),
        ('founders = ["zoo:none-9"]', {}, "the zoo has no 'none-9'"),
        ('founders = ["zoo:gate-3", "zoo:gate-3"]', {}, "is the same circuit as gate-3"),
        ('founders = "zoo:gate-3"', {}, "search.founders"),
        ('founders = ["zoo:itd-8"]', {}, "zoo:itd-8"),
    ],
)
def test_bounds_and_names_are_checked_in_one_line(tmp_path, more, changes, what):
    path = spec_file(tmp_path, text(more=more), **changes)
    assert what in one_line_of(lambda: resolve(path))


def test_others_circuits_found_a_run_with_numbers_on_the_grid(tmp_path, caplog):
    data = circuits.zoo["gate-3"].circuit.model_dump(mode="json", exclude_none=True)
    data["synapses"][0]["weight_mv"] += 0.001
    circuits.save(circuits.Circuit.model_validate(data), tmp_path / "mine.json")
    path = spec_file(tmp_path, text(more='founders = ["mine.json"]'), generations=1)
    spec = resolve(path).spec
    (found,) = founders(spec, spec.make_task().interface, tmp_path)
    assert "grid of genomes" in found.remarks[0]
    evo.run(path, tmp_path / "run", workers=0)
    assert any("search.founders: mine: not taken exactly" in message for message in caplog.messages)


def test_an_evolver_says_that_it_draws_its_first_circuits(tmp_path):
    assert "search.founders" in one_line_of(lambda: evo.Evolver(spec_file(tmp_path, text())))
