from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evo
import fitness
from evo.engine.codec import from_bytes, to_bytes
from evo.engine.island import State
from evo.population.lineage import FOUNDER, ancestry, identities, pruned, step_dtype
from tests.evo.tiny import one_line_of, spec_file


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lineage")
    return evo.run(spec_file(folder, generations=30, population=24), folder / "run", workers=0)


def test_every_lineage_goes_from_a_founder_to_its_circuit_and_rises_at_every_step(run):
    for member in run.front:
        steps = run.lineage(member.rank)
        assert np.isnan(steps[0].before)
        assert steps[0].mother is None
        assert steps[-1].circuit == member.circuit
        assert steps[-1].score == member.score
        own = steps if steps[-1].score > steps[-1].before else steps[:-1]
        assert all(step.score > step.before for step in own[1:])
        generations = [step.generation for step in steps]
        assert generations == sorted(generations)


def test_scores_on_the_way_are_those_of_the_circuits(run):
    task = fitness.task(**run.spec.task)
    trials = task.trials_of("search", run.spec.search.seed, run.spec.search.trials)
    for step in run.lineage(0):
        assert task.evaluate(step.circuit, trials, "float32").value == step.score
        if step.mother is not None:
            assert task.evaluate(step.mother, trials, "float32").value == pytest.approx(step.before)


def test_circuits_that_came_from_another_island_have_a_whole_lineage_too(run):
    origins = [{step.island for step in run.lineage(m.rank)} for m in run.front]
    assert any(len(islands) > 1 for islands in origins)


def test_a_lineage_of_a_rank_that_is_not_there_is_refused(run):
    assert "there is no rank 999" in one_line_of(lambda: run.lineage(999))


def test_a_pedigree_stays_small(run):
    for state in run.states:
        living = np.concatenate([state.population["line"], state.archive["line"]])
        assert len(pruned([state.pedigree], living)) == len(state.pedigree)
        assert len(state.pedigree) < 3 * len(living)


def test_an_ancestor_that_breaks_the_bounds_is_damage(run, tmp_path):
    state = from_bytes(State, to_bytes(run.states[0]))
    state.pedigree["genome"]["readout"] = 99
    broken = evo.open_run(run.folder)
    broken.states[:] = [state] * 3
    assert "an ancestor breaks run.toml" in one_line_of(lambda: [broken.lineage(m.rank) for m in broken.front])


def test_identities_are_unlike_each_other_and_grow_with_the_generation():
    made = [identities(island, generation, 100_000) for generation in (0, 1, 10**7) for island in (0, 999)]
    assert len(np.unique(np.concatenate(made))) == 600_000
    assert all(a.max() < b.min() for a, b in pairwise(made))


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_pruning_keeps_exactly_the_ancestors_of_the_living(seed, count):
    rng = np.random.default_rng(seed)
    pedigree = np.zeros(count, step_dtype(np.dtype([("kind", "i1", 2)])))
    pedigree["id"] = np.sort(rng.choice(10**6, count, replace=False))
    for k in range(count):
        pedigree["before"][k] = FOUNDER if k == 0 or rng.random() < 0.2 else pedigree["id"][rng.integers(k)]
    living = rng.choice(pedigree["id"], rng.integers(1, count + 1))
    wanted = set()
    for line in living:
        wanted |= set(ancestry(pedigree, int(line))["id"].tolist())
    twice = np.concatenate([pedigree, pedigree])[rng.permutation(2 * count)]
    kept = pruned(np.split(twice, np.sort(rng.integers(0, 2 * count, 3))), living)
    assert kept["id"].tolist() == sorted(wanted)
