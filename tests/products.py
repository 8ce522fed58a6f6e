"""Products of options: `make test` takes a few of the combinations, `make chaos` the others.

Each neuron model, each kind of plastic synapse, noise, an environment, each width of floats and each surrogate has machine code
of its own, which is made in seconds: a test of all combinations would spend its time in the compiler.
"""

from itertools import product

import pytest
from hypothesis import settings


def few_of(*options, few):
    """The product of the options, for `parametrize`: the combinations in `few` as they are, all others marked slow."""
    cases = list(product(*options))
    assert set(few) < set(cases), "the few are some of the product"
    return [case if case in few else pytest.param(*case, marks=pytest.mark.slow) for case in cases]


def some_of(options, *, few):
    """As `few_of`, of one list of options."""
    assert set(few) < set(options), "the few are some of the options"
    return [
        one if one in few else pytest.param(*(one if isinstance(one, tuple) else (one,)), marks=pytest.mark.slow)
        for one in options
    ]


def examples(share, **further):
    """hypothesis' settings for a test whose examples take long: this share of the usual number, more in `make chaos`."""
    return settings(max_examples=round(share * settings().max_examples), **further)
