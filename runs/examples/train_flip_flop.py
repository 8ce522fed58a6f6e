"""Train copies of the zoo's flip-flop to remember three bits over seconds: python runs/examples/train_flip_flop.py

Each bit has eight noisy fibres that set it and eight that reset it; it is to be held until the next pulse, 0.3 to 1.2 s later,
and is read in every millisecond. Time constants are fixed. With exact gradients not one step can be used: they overflow on
their way back through a flip-flop. Dampened and bounded they train. Some three minutes of one core.
"""

import argparse

import numpy as np
import torch

import circuits
from circuits.torch import MotifLayer, MotifNetwork, fit

BITS, FIBRES, NOISE, HELD = 3, 8, 0.003, (300, 1200)  # NOISE: spikes per ms of a fibre; HELD: ms
SETTLING, BEFORE = 50, 15  # ms after a pulse and before the next one that are not judged


def flip_flop(count: int, rng: np.random.Generator, steps: int = 1500):
    """Spikes, bool [count, steps, fibres], and bits, float [count, steps, bits], NaN where they are not judged."""
    spikes = rng.random((count, steps, BITS, 2, FIBRES)) < NOISE
    bits = np.full((count, steps, BITS), np.nan)
    for trial in range(count):
        for bit in range(BITS):
            time = int(rng.uniform(20, 60))
            while time < steps - 60:
                on, following = rng.integers(2), time + int(rng.uniform(*HELD))
                for fibre in np.flatnonzero(rng.random(FIBRES) < 0.8):
                    spikes[trial, max(0, time + round(rng.normal(0, 3))), bit, 1 - on, fibre] = True
                bits[trial, time + SETTLING : following - BEFORE, bit] = on
                time = following
    return spikes.reshape(count, steps, -1), bits


def main(steps: int = 300, length: int = 1500, window: int | None = None, batch: int = 64, **passed):
    """Train, show the curve and return it. `passed`: how gradients are passed back, by default dampened and bounded."""
    torch.manual_seed(1)
    layer = MotifLayer(
        circuits.zoo["toggle-2"],
        copies=12,
        in_features=BITS * 2 * FIBRES,
        share=False,
        spread=0.3,
        rate_hz=10.0,
        projection="signed",
        trainable=("weights", "bias"),
        surrogate="arctan",
        slope=2 / 15,
        **passed or {"dampening": 0.3, "clip": 0.1},
    )
    network = MotifNetwork([layer], classes=BITS, readout_ms=20.0)
    return fit(
        network,
        lambda count, rng: flip_flop(count, rng, length),
        flip_flop(64, np.random.default_rng(999), length),
        steps=steps,
        batch=batch,
        rate=0.1,
        window=window,
        look=min(20, steps),
        progress=lambda history: print(history.line(), flush=True),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300, help="training steps")
    parser.add_argument("--length", type=int, default=1500, help="of a trial, ms")
    parser.add_argument("--window", type=int, help="of truncated backpropagation, ms; the whole trial if left out")
    given = parser.parse_args()
    torch.set_num_threads(1)
    main(given.steps, given.length, given.window)
