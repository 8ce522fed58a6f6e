"""Random streams: everything that is drawn besides the trials themselves has a generator of its own, from the seed of the
trials and the number of its stream.

The streams of perturbation and those of the robustness objective have numbers in common: the draws of one tell something about
those of the other, which is nowhere combined with it. Other numbers would change the scores of stored runs.
"""

import numpy as np

ROBUST_WEIGHTS, ROBUST_LOSS, ROBUST_JITTER = 0, 1, 2  # `fitness.evaluation.robustness`
WEIGHT_NOISE, PARAMETER_NOISE, INPUT_JITTER = 1, 2, 3  # `fitness.analysis.perturbation`
OTHER_TRIALS = 4  # `fitness.evaluation.controls`
RESAMPLES, MISTAKES = 5, 6  # `fitness.scoring.confidence`


def stream(seed: int, number: int) -> np.random.Generator:
    """The generator of a stream."""
    return np.random.default_rng((seed, number))
