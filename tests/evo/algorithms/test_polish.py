"""Polishing within an algorithm, and the strategy that does it."""

import numpy as np
import pytest

import evo
from circuits.numerics.matrix_adaptation import MatrixAdaptation
from evo import genome
from evo.algorithms import ALGORITHMS, with_polish
from evo.algorithms.polish import mean_case_score
from evo.engine.codec import to_bytes
from evo.engine.stopwatch import Stopwatch
from evo.genome.variation import rewired
from evo.population.individual import Population
from tests.evo.algorithms.test_algorithms import SMALL, epochs, setting
from tests.evo.tiny import one_line_of, spec_file, stops_after
from tests.products import some_of

pytestmark = pytest.mark.long


def test_a_strategy_finds_the_lowest_point_of_a_narrow_valley():
    """Across the axes, which takes covariances: a thousand times steeper in one direction than in another."""
    rng = np.random.default_rng(0)
    turned, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    lowest, scale = 0.3 + 0.4 * rng.random(8), np.geomspace(1, 1000, 8)
    search = MatrixAdaptation(np.full(8, 0.5), 0.1)
    for _ in range(250):
        points = search.ask(rng)
        assert ((points >= 0) & (points <= 1)).all()
        search.tell(np.argsort((scale * ((points - lowest) @ turned) ** 2).sum(axis=1)))
    np.testing.assert_allclose(search.mean, lowest, atol=1e-4)


def test_no_share_is_the_algorithm_itself():
    assert with_polish(ALGORITHMS["nsga2"], 0.0) is ALGORITHMS["nsga2"]


BREED = [name for name, kind in ALGORITHMS.items() if "parents" in kind.selects]


@pytest.mark.parametrize("name", some_of(list(BREED), few=list(BREED)[::3]))
def test_every_algorithm_that_breeds_can_be_polished_and_its_circuits_are_valid(name):
    here = setting(SMALL, algorithm=name, polish=0.5, population=60)
    found, again = (list(epochs(here, 2)) for _ in range(2))
    assert [to_bytes(state) for state in again] == [to_bytes(state) for state in found]
    for state in found:
        assert 1 <= len(state.population) == len(state.grades) <= 60
        assert all(
            genome.faults(one, here.encoding.bounds) == [] for one in (*state.population["genome"], *state.archive["genome"])
        )
    assert found[1].population["losses"][:, 0].min() <= found[0].population["losses"][:, 0].min()


def polished(here, state, seed=1):
    population = Population.of(state.population, state.grades)
    return here.algorithm(here.spec.search, here.toolbox, population, np.random.default_rng(seed), Stopwatch())


def test_each_strategy_has_one_wiring_the_first_that_of_the_best_circuit():
    here = setting(SMALL, polish=0.8, population=120)
    state = next(epochs(here, 1))
    algorithm = polished(here, state)
    asked = algorithm.ask()
    assert len(asked.genomes) == 120
    end, rewires = 120 - sum(strategy.count for strategy in algorithm.strategies), []
    assert end >= 24
    for strategy in algorithm.strategies:
        some, mother = asked.genomes[end : end + strategy.count], asked.mothers[end]
        end += strategy.count
        assert not rewired(some, some, np.zeros(len(some), int)).any()
        assert len({one.tobytes() for one in some}) > 1
        rewires.append(bool(rewired(some[:1], state.population["genome"], np.array([mother]))[0]))
    assert not rewires[0]
    assert any(rewires)
    value = mean_case_score(algorithm.population)
    assert value[asked.mothers[120 - sum(strategy.count for strategy in algorithm.strategies)]] == value.max()


def test_what_is_being_polished_stays_in_the_population():
    """However bad it is: it is judged when its values are its own."""
    here = setting(SMALL, polish=0.8, population=60, algorithm="nsga2")
    state = next(epochs(here, 1))
    algorithm = polished(here, state)
    for generation in range(3):
        asked = algorithm.ask()
        outcomes = np.repeat(algorithm.population.outcomes[:1], 60)
        outcomes["losses"] = 100 + generation
        algorithm.tell(Population(asked.genomes, outcomes, np.zeros((60, state.grades.shape[1]), "f4")))
        living = {one.tobytes() for one in algorithm.population.genomes}
        assert len(algorithm.population.genomes) == 60
        assert all(strategy.best.genomes.tobytes() in living for strategy in algorithm.strategies)


def test_a_polished_run_that_was_interrupted_ends_in_the_same_archive(tmp_path):
    spec = spec_file(tmp_path, polish=0.6, population=40, islands=2, generations=4)
    whole = evo.run(spec, tmp_path / "whole", workers=0)
    with pytest.raises(KeyboardInterrupt):
        evo.run(spec, tmp_path / "cut", workers=0, observe=stops_after(2))
    assert evo.resume(tmp_path / "cut", workers=0).archive_sha256 == whole.archive_sha256


@pytest.mark.parametrize(
    "wrong", [{"polish": 1.5}, {"polish": 0.5, "algorithm": '"cma"'}, {"polish": 0.5, "algorithm": '"random"'}]
)
def test_what_cannot_be_polished_is_one_line(tmp_path, wrong):
    message = one_line_of(lambda: evo.run(spec_file(tmp_path, **wrong), tmp_path / "run", workers=0))
    assert "search.polish" in message
