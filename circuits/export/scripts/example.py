"""The trial that came with this motif, and what the evocircuits simulator made of it in float64 (example.npz).

INPUTS bool [steps, channels], DRIVE [steps, channels], that of the sampled channels (0 of the others), SPIKES bool [steps,
neurons] and OUTPUTS bool [steps, slots], those of the output ports; row k is the step of DT_MS that ends at (k + 1) DT_MS.
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


def compare(found, tool, exact=True, spikes=SPIKES):
    """Print what `found`, bool [steps, neurons], has in common with the simulator's spikes. Where they should be the same and
    are not, the script ends here with exit code 1."""
    count = int(spikes.sum())
    if np.array_equal(found, spikes):
        print(f"{tool}: identical to the simulator, {count} spikes of {spikes.shape[1]} neurons in {len(spikes)} steps")
        return
    first = int(np.flatnonzero((found != spikes).any(1))[0]) + 1
    same, near = alike(found, spikes, 0), alike(found, spikes, round(1 / DT_MS))
    says = f"{same:.1%} of spikes are in the same step, {near:.1%} within 1 ms"
    says += f" ({int(found.sum())} here, {count} there; the first difference is in step {first})"
    if exact:
        sys.exit(f"{tool}: NOT identical to the simulator: {says}")
    print(f"{tool}: approximates the simulator: {says}")


def alike(one, other, apart):
    """The share of spikes that have a partner in the other raster, of the same neuron and at most `apart` steps away."""
    pairs = 0
    for mine, theirs in zip(one.T, other.T, strict=True):
        a, b = np.flatnonzero(mine), np.flatnonzero(theirs)
        i = j = 0
        while i < len(a) and j < len(b):
            near = abs(int(a[i]) - int(b[j])) <= apart
            pairs += near
            i, j = i + (near or a[i] < b[j]), j + (near or a[i] > b[j])
    return 2 * pairs / max(int(one.sum() + other.sum()), 1)
