"""The search benchmark times the job that it says, and its rivals do that job."""

import numpy as np
import pytest

import evo
from circuits.simulation.raster import unpack
from evo import genome
from evo.engine.problem import Problem
from fitness.evaluation.evaluate import evaluate
from fitness.evaluation.objectives import values
from tests.bench import search_job
from tests.bench.contest import SCRIPTS, AbsentError, Rival, expected_spikes, write_job
from tests.bench.search_rivals import RIVALS, agrees
from tests.bench.throughput import timed

pytestmark = pytest.mark.long

MINIATURE = {"deap_torch.py": ("1", "4"), "deap_jax.py": ("fastest", "4"), "neat_iznn.py": ("1", "8")}


@pytest.fixture(scope="module")
def job():
    return search_job.drawn()


def test_the_job_is_sixteen_neurons_on_64_trials_of_200_steps_every_one_simulated():
    spec = search_job.spec(population=8)
    setting = Problem.of(spec, None)
    bounds = setting.encoding.bounds
    genomes = search_job.founders(bounds, 50, np.random.default_rng(1))
    assert not any(genome.faults(one, bounds) for one in genomes)
    tried, tables = setting.judge.evaluate(setting.candidates(genomes)), setting.candidates(genomes).tables()
    assert setting.judge.search.spikes.shape == (64, 200, 4)
    assert set(tables.neurons) == {16}
    assert set(tables.synapses) == {27 + 67}
    assert (tried.share == 1).all()
    assert len(np.unique(tried.score)) > 10  # they differ in what they do


def test_a_search_begins_with_the_founders_of_the_job(tmp_path):
    spec = search_job.spec(population=8, generations=1, islands=2)
    run = evo.resume(search_job.begin(tmp_path / "run", spec), workers=0)
    everyone = np.concatenate([state.population["genome"]["weight"] for state in run.states])
    assert ((everyone > 0).sum(axis=(1, 2)) > 80).all()


def test_the_shares_of_the_time_are_all_of_it(tmp_path):
    ran = timed(tmp_path / "run", search_job.spec(population=12, generations=6, epoch=2, islands=2), workers=0)
    assert sum(ran.shares.values()) == pytest.approx(1)
    assert {"simulate", "score", "decode", "vary", "select", "store", "driver"} <= set(ran.shares)
    assert min(ran.shares.values()) >= 0
    assert 80 < ran.synapses < 110
    assert ran.simulated == 1
    assert 0 < ran.tried <= 2 * 12 * 4  # the first epoch is not timed


def test_rivals_judge_circuits_as_the_task_does(job, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from direction import objectives

    setting = Problem.of(search_job.spec(), None)
    genomes = search_job.founders(setting.encoding.bounds, 60, np.random.default_rng(2))
    tried = evaluate(job.task, job.trials, genome.tables(genomes, setting.encoding))
    spikes = np.stack([unpack(bits, len(job.trials)) for bits in tried.raster.bits])
    score, speed = objectives(spikes[..., 0], job)
    assert np.allclose(np.stack([-score, speed], axis=1), values(["score", "speed"], tried), atol=1e-8)


@pytest.mark.slow  # rivals, for `make bench-search` alone
@pytest.mark.parametrize("entry", [e for e in RIVALS if e.script in MINIATURE and "vmap" not in e.more], ids=lambda e: e.name)
def test_rivals_search_in_miniature(job, entry, tmp_path):
    path = write_job(job, tmp_path / "job.npz", ("labels", "speed", "readout"))
    try:
        rival = Rival(entry._replace(more=MINIATURE[entry.script]), path)
    except AbsentError as absent:
        pytest.skip(str(absent))
    try:
        assert agrees(rival, job)
        if rival.about["leaves_out"] == ["delays"]:
            assert rival.about["result"] == expected_spikes(job, delays=False).tolist()
        assert rival.go() > 0
    finally:
        rival.close()
