"""numba's registries are looked through when they have grown, and only then."""

import numpy as np
from numba.core.registry import cpu_target
from numba.extending import overload

from circuits.numerics.compiled import jit
from circuits.numerics.registries import refreshed_when_they_grow


def halved(x):
    raise NotImplementedError("compiled functions call it")


def test_what_is_registered_between_two_compilations_is_found():
    first = jit()(lambda x: x + 1)
    assert first(1) == 2

    @overload(halved)
    def _(x):
        return lambda x: x / 2

    assert jit()(lambda x: halved(x))(3.0) == 1.5


def test_registries_that_have_not_grown_are_left_alone(monkeypatch):
    looked = []
    jit()(lambda x: x + 2)(1)
    context = cpu_target.target_context
    load = type(context).load_additional_registries
    monkeypatch.setattr(type(context), "load_additional_registries", lambda self: looked.append(self) or load(self))
    assert jit()(lambda x: np.sqrt(x) + 3)(1.0) == 4.0
    assert looked == []
    context.refresh()
    assert looked == [context], "numba itself looks as ever"
    with refreshed_when_they_grow(), refreshed_when_they_grow():
        context.refresh()
    assert looked == [context]
    assert "refresh" not in vars(context)
