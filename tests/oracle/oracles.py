"""Asking NEST and Brian2: circuits and inputs go into a work folder, another Python simulates them, its spikes come back."""

import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from tests.oracle import network

ROOT = Path(__file__).parents[2]


def ask(oracle, asked, *options):
    """What "nest" or "brian2" finds: a dict of arrays, of spikes `time_ms` by `circuit`, `trial` and `neuron`.

    asked    list of (circuit, bool [trials, steps, channels]) with equal steps
    options  "--record" for `potentials`, and what else the module run_nest or run_brian2 names
    """
    python = ROOT / f".venv-{oracle}/bin/python"
    if not python.exists():
        pytest.skip(f"there is no {oracle} in .venv-{oracle}; make oracle installs it")
    with tempfile.TemporaryDirectory() as folder:
        network.write(folder, [json.loads(circuit.model_dump_json()) for circuit, _ in asked], [spikes for _, spikes in asked])
        start = time.perf_counter()
        command = [python, "-m", f"tests.oracle.run_{oracle}", folder, *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        found = dict(np.load(Path(folder) / "answer.npz"))
    report(f"{oracle}: {len(asked)} circuits, {len(found['time_ms'])} spikes, {time.perf_counter() - start:.0f} s")
    return found


def rasters(found, asked):
    """The spikes that `ask` returned, as one bool [trials, steps, neurons] per circuit."""
    order = np.argsort(found["circuit"], kind="stable")
    ends = np.searchsorted(found["circuit"][order], np.arange(1, len(asked)))
    dense = []
    for (circuit, inputs), own in zip(asked, np.split(order, ends), strict=True):
        step = np.rint(found["time_ms"][own] / circuit.dt_ms).astype(int) - 1
        raster = np.zeros((*inputs.shape[:2], len(circuit.neurons)), bool)
        raster[found["trial"][own], step, found["neuron"][own]] = True
        dense.append(raster)
    return dense


def potentials(found, asked):
    """The potentials that `ask` with "--record" returned, as one [trials, steps, neurons] per circuit; the last may be NaN."""
    dense = [np.full((*inputs.shape[:2], len(circuit.neurons)), np.nan) for circuit, inputs in asked]
    for (circuit, trial, neuron), v_mv in zip(found["v_of"], found["v_mv"], strict=True):
        dense[circuit][trial, :, neuron] = v_mv
    return dense


def weights(found, asked):
    """The weights that synapses learnt, as one [trials, synapses] per circuit, in the order of `Raster.weights_mv`."""
    order = np.lexsort(found["weight_of"].T[::-1])
    ends = np.searchsorted(found["weight_of"][order, 0], np.arange(1, len(asked)))
    dense = []
    for (circuit, inputs), own in zip(asked, np.split(found["weight_mv"][order], ends), strict=True):
        dense.append(own.reshape(len(inputs), -1)[:, [number for number, _ in learning(circuit)]])
    return dense


def learning(circuit):
    """The synapses that learn, in the order of `Raster.weights_mv` (by target, E before I, by source): (number, synapse), the
    number being that in the motif, in which inputs come first."""
    place = {neuron.id: n for n, neuron in enumerate(circuit.neurons)}
    sign = {neuron.id: neuron.sign for neuron in circuit.neurons}
    keys = [((place[s.post], "E", -1, c), s) for c, channel in enumerate(circuit.inputs) for s in channel.synapses]
    keys += [((place[s.post], sign[s.pre], 0, place[s.pre]), s) for s in circuit.synapses]
    found = [(*key, s.delay_ms, s.weight_mv, s) for key, s in keys if s.stdp]
    return [(number, found[number][-1]) for number in sorted(range(len(found)), key=lambda number: found[number][:-1])]


def differences(ours, theirs):
    """One line per circuit whose rasters differ, with the first spike that only one of the two has."""
    lines = []
    for seed, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if not np.array_equal(a, b):
            step, trial, neuron = min(zip(*np.nonzero(np.swapaxes(a != b, 0, 1)), strict=True))
            whose = "only ours" if a[trial, step, neuron] else "only theirs"
            first = f"trial {trial}, neuron {neuron}, {whose} is stamped {step + 1} dt"
            lines.append(f"circuit of seed {seed}: {a.sum()} spikes, {(a != b).sum()} differences, the first: {first}")
    return lines


def report(line):
    print(f"\n{line}", flush=True)
