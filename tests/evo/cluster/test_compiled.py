"""What a search compiles is on the disk for the next process."""

import os
import subprocess
import sys

import pytest

from evo.cluster.warm_up import warm_up
from evo.spec.run_spec import RunSpec
from tests.evo.tiny import ROOT, environment

pytestmark = pytest.mark.long

CODE = """
import gc

import evo
from numba.core.dispatcher import Dispatcher

assert [one for one in gc.get_objects() if issubclass(type(one), Dispatcher) and one.overloads] == [], "an import compiles"

import numpy as np
from circuits.simulation import kernel, packed, population, raster
from evo.population import individual
from evo.selection import epsilon_lexicase
from evo.genome import genes, identity, mutations, variation
from evo.cluster.warm_up import warm_up
from evo.spec.run_spec import RunSpec

warm_up(RunSpec(task={"name": "coincidence"}), None)
modules = (kernel, packed, population, raster, genes, identity, individual, mutations, epsilon_lexicase, variation)
used = {f"{m.__name__}.{n}": f for m in modules for n, f in vars(m).items() if hasattr(f, "stats") and f.signatures}
print(len(used), sorted(name for name, f in used.items() if f.stats.cache_misses))
"""


@pytest.mark.parametrize("cache", ["the one of all tests", pytest.param("an empty one", marks=pytest.mark.slow)])
def test_the_next_process_compiles_nothing_that_a_search_needs(tmp_path, cache):
    """Nor does an import. Slow with an empty cache: everything is compiled, for half a minute."""
    variables = environment() | ({"NUMBA_CACHE_DIR": str(tmp_path)} if cache == "an empty one" else {})
    answers = []
    if cache != "an empty one":
        warm_up(RunSpec(task={"name": "coincidence"}), None)
    for _ in range(2 if cache == "an empty one" else 1):
        done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, env=variables, capture_output=True, text=True, check=True)
        answers.append(done.stdout.strip())
    count, missed = answers[-1].split(" ", 1)
    assert int(count) >= 5
    assert missed == "[]"
    assert os.listdir(tmp_path) or cache != "an empty one"
