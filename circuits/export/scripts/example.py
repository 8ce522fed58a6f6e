"""The example trial of this motif, and the response of the evocircuits simulator in float64 (example.npz).

INPUTS bool [steps, channels], DRIVE [steps, channels] of the sampled channels (0 for others), SPIKES bool [steps, neurons] and
OUTPUTS bool [steps, slots] of the output ports; row k is the step of DT_MS that ends at (k + 1) DT_MS.
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
with np.load(HERE / "example.npz", allow_pickle=False) as _example:
    INPUTS, SPIKES, OUTPUTS = (_example[name][0] for name in ("inputs", "spikes", "outputs"))
    DT_MS = float(_example["dt_ms"])
    DRIVE = _example["drive"][0] if "drive" in _example else np.zeros(INPUTS.shape)


def cannot_run(why):
    """End the script where its tool is missing or too old, with exit code 3."""
    print(why, file=sys.stderr)
    sys.exit(3)


def compare(simulated, tool, exact=True, spikes=SPIKES):
    """Compare spikes, bool [steps, neurons], with the evocircuits simulator's and print the result. If `exact` and they
    differ, the script ends with exit code 1."""
    count = int(spikes.sum())
    if np.array_equal(simulated, spikes):
        print(f"{tool}: identical to the simulator, {count} spikes of {spikes.shape[1]} neurons in {len(spikes)} steps")
        return
    first = int(np.flatnonzero((simulated != spikes).any(1))[0]) + 1
    same, near = alike(simulated, spikes, 0), alike(simulated, spikes, round(1 / DT_MS))
    summary = f"{same:.1%} of spikes are in the same step, {near:.1%} within 1 ms"
    summary += f" ({int(simulated.sum())} here, {count} there; the first difference is in step {first})"
    if exact:
        sys.exit(f"{tool}: NOT identical to the simulator: {summary}")
    print(f"{tool}: approximates the simulator: {summary}")


def alike(a, b, tolerance):
    """The share of spikes with a partner in the other raster, of the same neuron and at most `tolerance` steps away."""
    pairs = 0
    for a_train, b_train in zip(a.T, b.T, strict=True):
        a_steps, b_steps = np.flatnonzero(a_train), np.flatnonzero(b_train)
        i = j = 0
        while i < len(a_steps) and j < len(b_steps):
            near = abs(int(a_steps[i]) - int(b_steps[j])) <= tolerance
            pairs += near
            i, j = i + (near or a_steps[i] < b_steps[j]), j + (near or a_steps[i] > b_steps[j])
    return 2 * pairs / max(int(a.sum() + b.sum()), 1)
