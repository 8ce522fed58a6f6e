import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]

FIRST_RESULT = """
import numpy as np
from circuits import Circuit
from circuits.population import simulate_population
from circuits.raster import pack
from circuits.tables import from_circuit

synapse = {"post": 0, "weight_mv": 100, "delay_ms": 1}
ports = {"inputs": [{"name": "in", "synapses": [synapse]}], "outputs": [{"name": "out", "neurons": [0]}]}
circuit = Circuit(dt_ms=1, neurons=[{"id": 0, "sign": "E"}], **ports)
spikes = np.random.default_rng(0).random((64, 100, 1)) < 0.1
print(simulate_population(from_circuit(circuit, np.float32), pack(spikes), 64).spikes[0])
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A folder for machine code, empty at first."""
    return tmp_path_factory.mktemp("cache")


def started(cache, code=FIRST_RESULT):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, **pipes)


def test_processes_that_start_on_a_cold_cache_at_once_do_not_break_each_other_or_those_after_them(cache):
    answers = [process.communicate(timeout=300) for process in [started(cache), started(cache)]]
    answers.append(started(cache).communicate(timeout=300))
    assert {error for _, error in answers} == {""}
    assert len({answer for answer, _ in answers}) == 1
    assert int(answers[0][0]) > 0
    assert list(cache.rglob("*.nbc"))


OWN_WORLD = """
from typing import NamedTuple

from circuits.worlds import replay
from circuits.worlds.model import moves, senses
from circuits.raster import Raster

class Own(NamedTuple):
    start: np.ndarray
    channels: int = 1
    ports: int = 1

@moves(Own)
def _move(world, state, words):
    state[0] += {step}

world = Own(np.zeros((1, 1), np.float32))
print(int(replay(world, Raster(np.zeros((1, 10, 1), "u8"), 1, 1.0))[0, 0]))
"""


def test_a_world_of_ones_own_is_compiled_as_it_stands_and_does_not_get_in_the_way_of_others(cache):
    """Its source is not in the key of the cache, and no other process could import it."""
    answers = [started(cache, FIRST_RESULT + OWN_WORLD.format(step=step)).communicate(timeout=300) for step in (1, 2)]
    answers.append(started(cache).communicate(timeout=300))
    assert [error for _, error in answers] == ["", "", ""]
    assert [answer.split()[1:] for answer, _ in answers] == [["10"], ["20"], []]
