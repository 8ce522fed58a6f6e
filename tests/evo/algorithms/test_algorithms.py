"""What holds for every search algorithm, and what each promises of its own."""

import numpy as np
import pytest

import evo
from evo import genome
from evo.algorithms import ALGORITHMS
from evo.algorithms.descriptors import DESCRIPTORS
from evo.algorithms.separable_cma import SeparableCMA
from evo.engine.codec import to_bytes
from evo.engine.epochs import run_epoch
from evo.engine.island import Founders
from evo.engine.problem import Problem
from evo.engine.stopwatch import Stopwatch
from evo.genome.variation import rewired
from evo.population.individual import Population
from evo.spec.run_spec import parse
from tests.evo.tiny import SPEC, one_line_of, spec_file
from tests.products import some_of

pytestmark = pytest.mark.long

NAMES = list(ALGORITHMS)
SMALL = """
[task]
name = "xor"
[circuit]
neurons = [1, 6]
delay_ms = [0.5, 10.0]
[circuit.parameters]
tau_m_ms = [0.5, 20.0]
[search]
population = 40
islands = 1
trials = 32
held_out = 32
epoch = 4
generations = 1000
"""


def setting(text=SPEC, **search):
    return Problem.of(parse(text, **{"generations": 1000} | search), None)


def epochs(here, count, founders=None):
    """The states of an island that gets migrants from one beside it."""
    state, other = None, run_epoch(here, 1, 0, None, None)
    for epoch in range(count):
        state = run_epoch(here, 0, epoch, state, other.migrants(2) if epoch else founders)
        yield state


@pytest.fixture(scope="module", params=NAMES)
def states(request):
    """The setting of an algorithm and three epochs of it."""
    here = setting(algorithm=request.param)
    return here, list(epochs(here, 3))


def test_every_circuit_is_valid_whatever_the_algorithm(states):
    here, found = states
    for state in found:
        assert 1 <= len(state.population) == len(state.grades) <= here.spec.search.population
        for individual in (*state.population, *state.archive):
            assert genome.faults(individual["genome"], here.encoding.bounds) == []


def test_every_algorithm_gives_the_same_bytes_again(states):
    here, found = states
    np.random.seed(3)
    again = list(epochs(Problem.of(here.spec, None), 3))
    assert [to_bytes(state) for state in again] == [to_bytes(state) for state in found]


def test_every_algorithm_ends_alike_with_any_number_of_processes(tmp_path, on_ray):
    spec = spec_file(tmp_path)
    for name in NAMES:
        settings = {"algorithm": name, "epoch": 1, "generations": 2, "islands": 2}
        here = evo.run(spec, tmp_path / name, workers=0, **settings)
        assert on_ray("run", spec, tmp_path / f"ray-{name}", **settings) == here.archive_sha256


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", some_of([1, 2], few=[1]))
def test_every_algorithm_does_better_than_its_founders(name, seed):
    here = setting(SMALL, algorithm=name, seed=seed)
    first, *_, last = epochs(here, 6)
    start, end = first.log[0]["losses"][0], last.log[-1]["losses"][0]
    assert end < start
    assert last.population["losses"][:, 0].min() <= end  # and the best it has found is still there


@pytest.mark.parametrize("name", [name for name in NAMES if name != "map-elites"])
def test_the_population_stays_as_large_as_the_spec_says(name):
    assert {len(state.population) for state in epochs(setting(algorithm=name), 2)} == {12}


def test_protected_or_not_the_same_algorithm_takes_another_way():
    ways = [to_bytes(list(epochs(setting(protect=protect), 2))[-1]) for protect in ("none", "age")]
    assert ways[0] != ways[1]


# -- what single ones promise


def algorithm(name, here, population, case_scores, seed=0, **search):
    chosen = here.spec.search.model_copy(update=search)
    return ALGORITHMS[name](
        chosen, here.toolbox, Population.of(population, case_scores), np.random.default_rng(seed), Stopwatch()
    )


def wirings(genomes):
    """The wiring of each: which neurons, which synapses, which outputs."""
    return [(g["kind"].tobytes(), (g["weight"] != 0).tobytes(), g["readout"].tobytes()) for g in genomes]


def test_random_search_inherits_nothing():
    here = setting(algorithm="random")
    state = run_epoch(here, 0, 0, None, None)
    broods = [algorithm("random", here, some, state.grades, 5).ask() for some in (state.population, state.population[::-1])]
    fresh = here.toolbox.init(12, np.random.default_rng(5))
    assert [brood.mothers for brood in broods] == [None, None]
    assert {brood.genomes.tobytes() for brood in broods} == {fresh.tobytes()}


def test_weights_only_search_never_changes_a_wiring():
    here = setting(algorithm="weights-only", epoch=10)
    known = {w for island in (0, 1) for w in wirings(here.toolbox.init(12, rng_of(here, island)))}
    for state in epochs(here, 4):
        assert set(wirings(state.population["genome"])) | set(wirings(state.archive["genome"])) <= known


def rng_of(here, island, epoch=0):
    return np.random.default_rng(np.random.SeedSequence(here.spec.search.seed, spawn_key=(island, epoch)))


@pytest.mark.parametrize("axes", [("neurons", "excitatory_share"), tuple(DESCRIPTORS), ("rate",)])
def test_map_elites_keeps_the_best_of_each_cell_and_loses_none(axes):
    here = setting(algorithm="map-elites", descriptors=axes, population=30, trials=32)
    best = {}
    for state in epochs(here, 4):
        cells = here.toolbox.cell(Population.of(state.population, state.grades)).tolist()
        assert len(set(cells)) == len(cells) <= 30
        now = dict(zip(cells, state.population["losses"][:, 0].tolist(), strict=True))
        assert best.keys() <= now.keys()
        assert all(now[cell] <= loss for cell, loss in best.items())
        best = now
    assert len(best) > 1


def test_map_elites_puts_every_circuit_in_the_cell_of_its_descriptors():
    here = setting(algorithm="map-elites", descriptors=("neurons",), population=30)
    state = run_epoch(here, 0, 0, None, None)
    neurons = (state.population["genome"]["kind"] != 0).sum(axis=1)
    assert sorted(neurons) == [3, 4, 5, 6]  # a cell for each number, one circuit in each
    np.testing.assert_array_equal(here.toolbox.cell(Population.of(state.population, state.grades)), neurons - 3)


def test_cma_changes_values_alone_and_goes_on_from_the_best_circuit():
    here = setting(SMALL, algorithm="cma")
    first = run_epoch(here, 0, 0, None, None)
    best = first.population[np.argmin(first.population["losses"][:, 0])]["genome"]
    brood = algorithm("cma", here, first.population, first.grades).ask()
    assert set(wirings(brood.genomes)) == set(wirings(best[None]))
    assert not rewired(brood.genomes, first.population["genome"], brood.mothers).any()
    assert len({genome.tobytes() for genome in brood.genomes}) > 30
    for one in brood.genomes:
        assert genome.faults(one, here.encoding.bounds) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cma_climbs_from_a_wiring_that_it_is_given(seed):
    here = setting(SMALL, algorithm="cma", seed=seed)
    started = run_epoch(setting(SMALL, seed=seed, population=12, epoch=2), 0, 0, None, None)
    founder = Founders(started.archive["genome"][[np.argmin(started.archive["losses"][:, 0])]])
    state, ends = None, []
    for epoch in range(6):
        state = run_epoch(here, 0, epoch, state, founder if epoch == 0 else None)
        ends.append(state.population["losses"][:, 0].min())
    assert ends[-1] < started.archive["losses"][:, 0].min()


def test_a_separable_cma_finds_the_lowest_point():
    rng = np.random.default_rng(0)
    lowest, scale = rng.random(10), np.geomspace(1, 100, 10)
    search = SeparableCMA(np.full(10, 0.5), np.full(10, 0.1), 20)
    for _ in range(150):
        points = search.ask(rng)
        assert ((points >= 0) & (points <= 1)).all()
        search.tell(np.argsort((scale * (points - lowest) ** 2).sum(axis=1)))
    np.testing.assert_allclose(search.mean, lowest, atol=1e-4)


@pytest.mark.parametrize("text", [SPEC, SPEC.replace("[circuit]", "[circuit]\ndale = false")])
def test_values_of_a_wiring_are_read_and_written_without_loss(text):
    here, rng = setting(text), np.random.default_rng(0)
    for one in here.toolbox.mutate(here.toolbox.init(30, rng), rng=rng):
        values = here.toolbox.free_values(one)
        read = values.read(one[None])
        assert read.shape == (1, values.count)
        assert ((read >= 0) & (read <= 1)).all()
        assert values.written(read).tobytes() == one.tobytes()
        for other in values.written(rng.random((5, values.count))):
            assert genome.faults(other, here.encoding.bounds) == []
            assert wirings(other[None]) == wirings(one[None])


# -- protection of new wiring


def test_a_new_wiring_survives_though_an_old_one_is_better_in_everything():
    here = setting()
    state = run_epoch(here, 0, 0, None, None)
    outcomes, case_scores = np.tile(Population.of(state.population, state.grades).outcomes, 3), np.zeros((36, 16), "f4")
    outcomes["losses"], outcomes["wired"] = np.arange(36.0)[:, None], 0
    outcomes["wired"][30], outcomes["generation"] = 5, 5
    kept = {
        protect: algorithm("nsga2", here, state.population, state.grades, protect=protect)
        .survivors(outcomes, case_scores)
        .tolist()
        for protect in ("none", "age")
    }
    assert kept["none"] == list(range(12))
    assert set(kept["age"]) == {*range(11), 30}


@pytest.mark.parametrize("name", ["lexicase-nsga2", "weights-only", "cma"])
def test_a_wiring_is_as_old_as_its_last_change(name):
    here, before, state = setting(epoch=1, algorithm=name), None, None
    for epoch in range(15):
        state = run_epoch(here, 0, epoch, state, None)
        now = list(zip(wirings(state.population["genome"]), state.population["wired"].tolist(), strict=True))
        assert (state.population["wired"] <= state.population["generation"]).all()
        for (wiring, wired), one in zip(now, state.population, strict=True):
            if before is not None and wired < state.generation:
                assert (wiring, wired) in before
            elif before is not None and wiring not in dict(before):
                assert wired == one["generation"] == state.generation
        before = set(now)
    assert (name == "lexicase-nsga2") == any(wired > 1 for _, wired in before)


@pytest.mark.parametrize("axes", ['["neurons", "colour"]', '["neurons", "neurons"]', "[]"])
def test_wrong_descriptors_are_refused_in_one_line(tmp_path, axes):
    path = spec_file(tmp_path, descriptors=axes)
    message = one_line_of(lambda: evo.run(path, tmp_path / "run", workers=0))
    assert "search.descriptors" in message
    assert "excitatory_share" in message
