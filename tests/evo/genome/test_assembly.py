"""Assemblies: several kinds of motif in one circuit, which evolve side by side."""

import json

import numpy as np
import pytest

import circuits
import evo
from circuits.motif_file import digest
from evo import genome
from evo.engine.problem import Problem
from evo.genome import assembly
from evo.inspect.page import page_data
from evo.inspect.terminal import table
from evo.spec.run_spec import RunSpec, parse
from tests.evo.tiny import cli, one_line_of
from tests.fitness.learning.tiny import CIRCUIT, SEARCH, TASK

ROLES = {"sense": {"copies": [1, 2], "neurons": [1, 2]}, "hold": {"copies": [2, 3], "parameters": {"tau_m_ms": [10.0, 20.0]}}}


def spec(search={}, roles=ROLES, **task) -> RunSpec:  # noqa: B006 - not changed
    islands = {"islands": 2, "migrants": 2, "generations": 2, "population": 4}
    data = {"task": TASK | {"channels": 1} | task, "circuit": CIRCUIT, "search": SEARCH | islands | search, "roles": roles}
    return RunSpec.model_validate(data)


@pytest.fixture(scope="module")
def problem():
    return Problem.of(spec(), None)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    pytest.importorskip("torch")
    return evo.run(spec(), out=tmp_path_factory.mktemp("assembly") / "whole", workers=0)


@pytest.fixture
def many(problem):
    return problem.toolbox.init(200, np.random.default_rng(1))


def circuit_of(problem, one):
    return problem.candidates(np.array([one], one.dtype)).circuit(0)


def test_random_assemblies_keep_the_bounds_of_each_role(problem, many):
    bounds = problem.encoding.bounds
    assert genome.sound(many, bounds).all()
    assert set(many["copies"][:, 0].tolist()) == {1, 2}
    assert set(many["copies"][:, 1].tolist()) == {2, 3}
    assert ((many["motifs"]["kind"][:, 0] != 0).sum(axis=1) <= 2).all()
    circuit = circuit_of(problem, many[0])
    assert all(10 <= n.tau_m_ms <= 20 for n in circuit.neurons if n.id.startswith("hold"))


@pytest.mark.parametrize("role", [0, 1])
def test_operators_change_one_role_and_keep_the_bounds(problem, many, role):
    box, rng = problem.toolbox_of(role), np.random.default_rng(2)
    mothers, fathers = np.arange(100), np.arange(100, 200)
    children, crossed = box.mate(many, mothers, fathers, rng=rng)
    children = box.mutate(children, rng=rng)
    assert crossed.any()
    assert genome.sound(children, problem.encoding.bounds).all()
    other = 1 - role
    assert children["motifs"][:, other].tobytes() == many["motifs"][mothers][:, other].tobytes()
    assert np.array_equal(children["copies"][:, other], many["copies"][mothers][:, other])
    assert (children["copies"][:, role] != many["copies"][mothers][:, role]).any()
    assert genome.rewired(children, many, mothers).any()


def test_children_are_judged_with_the_partners_that_are_best_at_present(problem, many):
    children = problem.toolbox_of(0).join(many[:5].copy(), partners=many[9])
    assert all(one["motifs"][1].tobytes() == many[9]["motifs"][1].tobytes() for one in children)
    assert np.array_equal(children["motifs"][:, 0], many["motifs"][:5, 0])
    assert (children["copies"][:, 1] == many[9]["copies"][1]).all()


def test_a_damaged_assembly_is_not_sound(problem, many):
    bounds, broken = problem.encoding.bounds, many[:3].copy()
    broken["copies"][0, 1], broken["motifs"]["weight"][1, 0, 0, 0] = 9, -1.0
    assert genome.sound(broken, bounds).tolist() == [False, False, True]
    assert genome.faults(broken[0], bounds) == ["numbers of copies"]
    assert any("sense" in fault for fault in genome.faults(broken[1], bounds))
    assert genome.faults(broken[2], bounds) == []


def test_equal_assemblies_have_equal_keys_and_other_numbers_of_copies_others(many):
    again = many.copy()
    assert genome.keys(again) == genome.keys(many)
    again["copies"][:, 0] = 3 - again["copies"][:, 0]
    assert not set(genome.keys(again)) & set(genome.keys(many))
    assert genome.wirings(many) <= len(set(genome.keys(many)))


def test_every_copy_has_the_wiring_of_its_motif_and_inputs_of_its_own(problem, many):
    for one in many[:20]:
        circuit, motifs = circuit_of(problem, one), genome.motif_circuits(one, problem.encoding, ("in0",), ("out",))
        for name, motif, copies in zip(("sense", "hold"), motifs, one["copies"], strict=True):
            for k in range(copies):
                mine = f"{name}{k}."
                assert [n.id for n in circuit.neurons if n.id.startswith(mine)] == [f"{mine}{n.id}" for n in motif.neurons]
                inside = [s for s in circuit.synapses if s.pre.startswith(mine) and s.post.startswith(mine)]
                assert len(inside) == len(motif.synapses)
                (channel,) = (c for c in circuit.inputs if c.name.startswith(mine))
                assert len(channel.synapses) == len(motif.inputs[0].synapses)


def test_roles_project_to_each_other_as_their_genomes_say(problem, many):
    seen = set()
    for one in many:
        circuit, motifs = circuit_of(problem, one), genome.motif_circuits(one, problem.encoding, ("in0",), ("out",))
        for r, (name, motif) in enumerate(zip(("sense", "hold"), motifs, strict=True)):
            for q, other in enumerate(("sense", "hold")):
                heard = motif.inputs[1 + q].synapses
                own, theirs = int(one["copies"][r]), int(one["copies"][q])
                between = [
                    s
                    for s in circuit.synapses
                    if s.pre.startswith(other) and s.post.startswith(name) and s.pre.split(".")[0] != s.post.split(".")[0]
                ]
                pairs = sum(len(assembly.source_copies(k, own, theirs, q == r)) for k in range(own))
                assert len(between) == len(heard) * pairs
                seen.add((r, q, bool(heard)))
    assert len(seen) == 8  # each role hears each, and does not, in some assembly


@pytest.mark.parametrize(("copies", "others"), [(1, 1), (3, 1), (1, 3), (2, 3), (3, 2), (5, 7), (7, 5)])
def test_copies_of_two_roles_hear_each_other_as_evenly_as_can_be(copies, others):
    heard = [assembly.source_copies(k, copies, others, False) for k in range(copies)]
    assert sorted({j for each in heard for j in each}) == list(range(others)) or copies < others
    assert all(heard)
    if others > copies:
        assert sorted(j for each in heard for j in each) == list(range(others))
    sizes = [len(each) for each in heard]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(("copies", "heard"), [(1, []), (2, [1]), (3, [1, 2]), (5, [1, 4])])
def test_a_copy_hears_its_neighbours_in_a_ring(copies, heard):
    assert assembly.source_copies(0, copies, copies, True) == heard


def test_tables_of_assemblies_count_what_their_circuits_have(problem, many):
    some = problem.candidates(many[:6])
    tables = some.tables()
    for k in range(6):
        circuit = some.circuit(k)
        assert tables.neurons[k] == len(circuit.neurons)
        assert tables.synapses[k] == circuit.synapse_count


@pytest.mark.long
def test_each_island_evolves_a_role_and_partners_come_with_migrants(run):
    one, other = (state.population["genome"] for state in run.states)
    founders = {g.tobytes() for state in run.states for g in state.population[state.population["generation"] == 0]["genome"]}
    for here, role in ((one, 0), (other, 1)):
        assert any(g.tobytes() not in founders for g in here), role
    best = run.ranked[0]["genome"]
    assert genome.sound(np.array([best], best.dtype), run.spec.encoding(run.interface).bounds).all()


@pytest.mark.long
def test_a_run_of_assemblies_resumes_to_the_same_archive(run, tmp_path):
    evo.run(spec({"generations": 1}), out=tmp_path / "part", workers=0)
    assert evo.resume(tmp_path / "part", workers=0, generations=2).archive_sha256 == run.archive_sha256


@pytest.mark.long
def test_the_winner_of_each_role_and_the_whole_are_exported(run, tmp_path):
    whole, parts = run.motif(0), run.parts(0)
    assert [part.role for part in parts] == ["sense", "hold"]
    assert sum(part.copies * len(part.circuit.neurons) for part in parts) == len(whole.neurons)
    cli(tmp_path, "export", run.folder, "--to", "motif", "--role", "hold", "-o", tmp_path / "hold.json")
    cli(tmp_path, "export", run.folder, "--to", "motif", "-o", tmp_path / "whole.json")
    assert digest(circuits.load(tmp_path / "hold.json").circuit) == digest(parts[1].circuit)
    assert digest(circuits.load(tmp_path / "whole.json").circuit) == digest(whole.circuit)
    assert "there is no role 'gate'; its roles are sense, hold" in one_line_of(lambda: run.part("gate"))


@pytest.mark.long
def test_page_and_tables_show_the_roles(run, tmp_path):
    shown = page_data.of_run(run)
    assert shown["members"]
    told = table.as_json(run)["front"][0]["parts"]
    assert [part["role"] for part in told] == ["sense", "hold"]
    text = cli(tmp_path, "inspect", run.folder).stdout
    assert "sense: " in text
    json.dumps(told)


@pytest.mark.long
def test_an_assembly_that_is_too_large_for_the_network_gets_the_worst(problem, many):
    pytest.importorskip("torch")
    large = spec(parameters=10, steps=1, rungs=1).make_judge().evaluate(problem.candidates(many[:2]))
    assert (large.score == -1e9).all()
    fits = spec(parameters=1000, copies=1, steps=1, rungs=1).make_judge().evaluate(problem.candidates(many[:2]))
    assert (fits.score > -1).any()


def test_a_spec_without_roles_is_as_it_was():
    plain = RunSpec.model_validate({"task": TASK, "circuit": CIRCUIT, "search": SEARCH})
    assert "roles" not in plain.to_toml()
    assert parse(spec().to_toml()) == spec()
    assert plain.digest() != spec().digest()


@pytest.mark.long
def test_what_assemblies_cannot_have_is_refused_by_name(run, tmp_path):
    one = {"hold": ROLES["hold"]}
    for changed, said in (
        (spec({"islands": 3}), "search.islands"),
        (spec({"migrants": 0}), "search.migrants"),
        (spec({"algorithm": "cma"}), "search.algorithm"),
        (spec({"polish": 0.5}), "search.polish"),
        (spec({"founders": ["zoo:toggle-2"]}), "search.founders"),
        (spec(roles=one), "at least two"),
        (spec(roles=ROLES | {"a b": {}}), "no name of a role"),
        (spec(roles=ROLES | {"x": {"parameters": {"tau": [1, 2]}}}), "roles.x.parameters: unknown key 'tau'"),
        (spec(roles=ROLES | {"x": {"parameters": {"tau_m_ms": [-1, 2]}}}), "roles.x.parameters.tau_m_ms"),
    ):
        assert said in one_line_of(lambda changed=changed: parse(changed.to_toml()))
    task = {"task": {"name": "gate"}, "roles": ROLES, "search": {"islands": 2}}
    assert "are for task.name" in one_line_of(lambda: parse(RunSpec.model_validate(task).to_toml()))
    assert "cannot be forked" in one_line_of(lambda: evo.fork(run.folder, {"search.seed": "2"}, tmp_path / "fork", workers=0))


def test_a_wrong_key_of_a_role_is_named_with_those_that_there_are(tmp_path):
    text = spec().to_toml().replace("[roles.hold]", "[roles.hold]\ncopys = 3")
    assert "copies" in one_line_of(lambda: parse(text))
