"""How long a fresh process waits for its first spikes, with and without a cache of compiled code."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.report import figure

ROOT = Path(__file__).parents[2]
PRELUDE = """
import time
start = time.perf_counter()
import circuits
imported = time.perf_counter()
import numpy as np
neurons = [{"id": n, "sign": "E" if n < 6 else "I"} for n in range(8)]
synapses = [{"pre": n, "post": (n + 1) % 8, "weight_mv": 20.0, "delay_ms": 2.0} for n in range(8)]
inputs = [{"name": "in", "synapses": [{"post": 0, "weight_mv": 100.0, "delay_ms": 1.0}]}]
outputs = [{"name": "out", "neurons": [0]}]
circuit = circuits.Circuit(dt_ms=1.0, neurons=neurons, inputs=inputs, synapses=synapses, outputs=outputs)
spikes = np.random.default_rng(1).random((64, 100, 1)) < 0.1
"""
SIMULATE = "circuits.simulate(circuit, spikes)"
POPULATION = """
from circuits.simulation.raster import pack
from circuits.simulation.population import simulate_population
from circuits.simulation.packed import from_circuit
simulate_population(from_circuit(circuit, np.float32), pack(spikes), 64, threads=1)
"""
END = "\nprint(imported - start, time.perf_counter() - imported)"
FIRSTS = {"simulate": SIMULATE, "simulate_population": POPULATION}


def main():
    for name, first in FIRSTS.items():
        with TemporaryDirectory() as cache:
            _, cold = seconds(first, cache)
            warm = [seconds(first, cache) for _ in range(5)]
        imports, firsts = (min(column) for column in zip(*warm, strict=True))
        if name == "simulate":
            figure("import circuits", imports, "s")
        figure(f"first {name} after the import", firsts, "s", f"nothing compiled: {cold:.3g} s", cold / firsts)


def seconds(first, cache) -> list[float]:
    """Of a fresh process that keeps compiled code in `cache`: to import circuits, and from then to the end of `first`."""
    command, env = [sys.executable, "-c", PRELUDE + first + END], {**os.environ, "NUMBA_CACHE_DIR": cache}
    done = subprocess.run(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


if __name__ == "__main__":
    main()
