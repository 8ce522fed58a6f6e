"""Pairs of spike trains, and what Elephant and PySpike make of them."""

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
OPTIONS = {"tau_ms": 8.0, "cost_per_ms": 0.3, "bin_ms": 5.0}


def drawn(rng: np.random.Generator, count: int, duration_ms: float) -> list:
    """Pairs of sorted lists of times in ms: jittered copies, independent ones, silent ones, spikes at the edges, equal ones."""
    pairs = []
    for k in range(count):
        one = rng.uniform(0.2, duration_ms - 0.2, rng.integers(0, 15))
        other = rng.uniform(0.2, duration_ms - 0.2, rng.integers(0, 15))
        if k % 3 == 0:
            other = np.clip(one + rng.normal(0, 3, len(one)), 0.2, duration_ms - 0.2)
        if k % 7 == 0:
            one = np.append(one, 0.0)
        if k % 11 == 0:
            other = np.append(other, duration_ms)
        if k % 13 == 0:
            other = np.append(other, one[:3])
        pairs.append([sorted(map(float, np.unique(train))) for train in (one, other)])
    return pairs


def ask(pairs: list, duration_ms: float) -> dict:
    """By measure: values, and the seconds that all pairs took."""
    python = ROOT / ".venv-spike_trains/bin/python"
    if not python.exists():
        pytest.skip("there is no .venv-spike_trains; make oracle installs it")
    with tempfile.TemporaryDirectory() as folder:
        asked = {"duration_ms": duration_ms, "pairs": pairs, **OPTIONS}
        (Path(folder) / "pairs.json").write_text(json.dumps(asked), encoding="utf-8")
        command = [python, "-m", "tests.oracle.run_spike_trains", folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads((Path(folder) / "answer.json").read_text(encoding="utf-8"))
