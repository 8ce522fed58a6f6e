from contextlib import suppress

import pytest

import evo
from evo import genome
from evo.genome import identity
from evo.spec.run_spec import changed
from evo.storage.fork import initial_population
from tests.evo.tiny import one_line_of, spec_file, stops_after

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fork")
    return evo.run(spec_file(folder), folder / "parent", workers=0)


def forked(parent, changes, folder, **how):
    return evo.fork(parent.folder, changes, folder, workers=0, **how)


def test_a_fork_begins_with_its_parents_circuits_and_says_whose_they_are(parent, tmp_path):
    run = forked(parent, {"search.generations": "1"}, tmp_path / "child")
    assert run.parent == {
        "run": "parent",
        "spec_sha256": parent.spec_sha256,
        "archive_sha256": parent.archive_sha256,
        "generation": parent.generation,
    }
    assert parent.parent is None
    theirs = set(identity.keys(parent.archive["genome"]))
    first = run.epochs[0]["log"][0]
    assert first["generation"] == 0
    assert max(row["log"][0]["best"] for row in run.epochs) >= parent.archive["score"].max()
    assert any(key in theirs for key in identity.keys(run.archive["genome"]))


def test_a_fork_of_the_same_settings_never_ends_below_its_parent(parent, tmp_path):
    run = forked(parent, {}, tmp_path / "child")
    assert run.archive["score"].max() >= parent.archive["score"].max()
    assert run.spec == parent.spec


def test_a_stopped_fork_ends_like_the_undisturbed_one(parent, tmp_path):
    whole = forked(parent, {"search.seed": "8"}, tmp_path / "whole")
    for count in (1, 4):
        with suppress(KeyboardInterrupt):
            forked(parent, {"search.seed": "8"}, tmp_path / str(count), observe=stops_after(count))
        assert evo.resume(tmp_path / str(count), workers=0).archive_sha256 == whole.archive_sha256


def test_a_stopped_run_can_be_forked_too_and_one_without_circuits_says_so(tmp_path):
    with suppress(KeyboardInterrupt):
        evo.run(spec_file(tmp_path), tmp_path / "run", workers=0, observe=stops_after(1))
    assert evo.fork(tmp_path / "run", {"search.islands": "2"}, tmp_path / "child", workers=0).state == "finished"


@pytest.mark.parametrize("neurons", ["[3, 4]", "[3, 12]", "[5, 6]"])
def test_founders_keep_the_changed_bounds_and_do_what_they_did(parent, neurons):
    spec = changed(parent.spec, {"circuit.neurons": neurons})
    found = initial_population(parent, spec, parent.interface)
    old, new = parent.spec.encoding(parent.interface), spec.encoding(parent.interface)
    assert all(genome.faults(one, new.bounds) == [] for one in found.genomes)
    assert set(found.island) <= set(range(3))
    theirs = [one for state in parent.states for part in (state.archive, state.population) for one in part["genome"]]
    names = parent.interface.inputs, parent.interface.outputs
    known = {genome.to_circuit(one, old, *names) for one in theirs}
    assert all(genome.to_circuit(one, new, *names) in known for one in found.genomes)
    for k in range(3):
        mine = found.genomes[found.island == k]
        assert len(set(identity.keys(mine))) == len(mine)


def test_circuits_of_the_store_that_break_the_bounds_are_not_inherited(parent):
    broken = evo.open_run(parent.folder)
    for state in broken.states:
        state.population["genome"]["readout"] = 99
    found = initial_population(broken, broken.spec, broken.interface)
    assert all(genome.faults(one, broken.spec.encoding(broken.interface).bounds) == [] for one in found.genomes)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"search.sed": "1"}, ["search.sed", "did you mean seed"]),
        ({"sed": "1"}, ["sed", "with its section"]),
        ({"search.population": "two"}, ["search.population"]),
        ({"task.name": "order"}, ["input channels", "start anew"]),
        ({"circuit.neuron_model": "izhikevich"}, ["circuit"]),
        ({"circuit.synapse_model": "stdp"}, ["circuit.synapse_model", "start anew"]),
        ({"circuit.neurons": "[1, 2]"}, ["none of its circuits fits"]),
        ({"task.volleys.x": "2"}, ["task.volleys.x"]),
    ],
)
def test_changes_that_cannot_be_made_are_one_line_and_leave_no_folder(parent, tmp_path, changes, named):
    message = one_line_of(lambda: forked(parent, changes, tmp_path / "child"))
    for part in named:
        assert part in message
    assert not (tmp_path / "child").exists()


def test_the_initial_population_moves_into_the_store(parent, tmp_path):
    run = forked(parent, {"search.generations": "1", "search.islands": "1"}, tmp_path / "child")
    assert sorted(path.name for path in run.folder.iterdir()) == ["run.db", "run.toml"]
