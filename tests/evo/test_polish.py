"""Polishing within an algorithm, and the strategy that does it."""

import numpy as np
import pytest

import evo
from evo import genome
from evo.algorithms import ALGORITHMS, with_polish
from evo.algorithms.matrix_adaptation import MatrixAdaptation
from evo.engine.codec import to_bytes
from evo.genome.variation import rewired
from evo.population.individual import Crowd
from evo.stopwatch import Stopwatch
from tests.evo.test_algorithms import SMALL, epochs, setting
from tests.evo.tiny import one_line_of, spec_file, stops_after


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


@pytest.mark.parametrize("name", BREED)
def test_every_algorithm_that_breeds_can_be_polished_and_its_circuits_are_valid(name):
    here = setting(SMALL, algorithm=name, polish=0.5, population=60)
    found, again = (list(epochs(here, 2)) for _ in range(2))
    assert [to_bytes(state) for state in again] == [to_bytes(state) for state in found]
    for state in found:
        assert 1 <= len(state.population) == len(state.grades) <= 60
        assert all(
            genome.faults(one, here.form.bounds) == [] for one in (*state.population["genome"], *state.archive["genome"])
        )
    assert found[1].population["losses"][:, 0].min() <= found[0].population["losses"][:, 0].min()


def test_children_that_are_polished_keep_a_wiring_of_the_population():
    here = setting(SMALL, polish=0.8, population=60)
    state = next(epochs(here, 1))
    crowd = Crowd.of(state.population, state.grades)
    algorithm = here.algorithm(here.spec.search, here.toolbox, crowd, np.random.default_rng(1), Stopwatch())
    asked = algorithm.ask()
    drawn = sum(strategy.count for strategy in algorithm.strategies)
    assert len(asked.genomes) == 60
    assert 20 < drawn <= 48
    assert not rewired(asked.genomes[-drawn:], crowd.genomes, asked.mothers[-drawn:]).any()
    assert rewired(asked.genomes[:-drawn], crowd.genomes, asked.mothers[:-drawn]).any()


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
