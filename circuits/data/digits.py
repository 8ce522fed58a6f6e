"""Handwritten digits of 8 x 8 pixels (UCI, Alpaydin and Kaynak 1998), as scikit-learn has them, coded by latency."""

import numpy as np

from circuits.data.split import WORLD, Data, Split, at_steps
from circuits.errors import UserError
from circuits.optional import optional

BLANK = 0.1  # fraction of full ink below which pixels do not fire


def digits(test: int = 450, seed: int = 0, *, steps: int = 60, last: int = 50) -> Data:
    """Handwritten digits of 8 x 8 pixels, encoded by latency.

    1,797 images of scikit-learn (UCI; Alpaydin and Kaynak 1998). A pixel fires once, in step 0 with full ink and in step `last`
    with none, or not at all if it is blank.

    Parameters
    ----------
    test : int
        Number of images drawn at random for the test split.
    seed : int
        Seed of that draw.
    steps : int
        Steps of a trial.
    last : int
        Step in which a pixel without ink would fire.

    Returns
    -------
    Data
        Spikes bool [trials, steps, 64]; the target is the digit, int64.

    Raises
    ------
    circuits.errors.MachineError
        If scikit-learn is not installed.

    Examples
    --------
    >>> from circuits import data
    >>> train, test = data.digits(test=450)  # doctest: +SKIP
    """
    images = optional("sklearn.datasets", "digits", "pip install 'evocircuits[data]'").load_digits()
    ink, targets = images.data / 16, images.target.astype("i8")
    if not (isinstance(test, int) and 0 < test < len(ink)):
        raise UserError(f"test: from 1 to {len(ink) - 1} images, not {test!r}")
    step = np.where(ink > BLANK, np.rint((1 - ink) * last), -1).astype("i8")
    split = Split(at_steps(step, steps), targets)
    order = np.random.default_rng((seed, WORLD)).permutation(len(ink))
    return Data(*(Split(*(array[chosen] for array in split)) for chosen in (order[test:], order[:test])))
