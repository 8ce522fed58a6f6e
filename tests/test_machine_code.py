"""The key of cached machine code has every source of ours that went into it: a forgotten one would run on after a change."""

import re
from importlib import import_module

import pytest

from circuits.numerics.compiled import _sources
from tests.test_rooms import MODULES

WITH_COMPILED = sorted(
    name for name in MODULES if re.search(r"^@compiled", MODULES[name].read_text(encoding="utf-8"), re.MULTILINE)
)


@pytest.mark.parametrize("name", WITH_COMPILED)
def test_what_a_compiled_function_calls_is_in_its_key(name):
    if name.startswith("circuits.torch"):
        pytest.importorskip("torch")
    module = import_module(name)
    more = re.search(r"^compiled = compiler\((.*)\)", MODULES[name].read_text(encoding="utf-8"), re.MULTILINE)
    named = [getattr(module, one.strip()).__file__ for one in more[1].split(",")] if more else []
    key = {str(file) for file in _sources((str(MODULES[name]), *named))}
    for function in vars(module).values():
        if getattr(function, "__module__", None) == name and hasattr(function, "py_func"):
            called = [vars(module).get(used) for used in function.py_func.__code__.co_names]
            sources = {one.py_func.__code__.co_filename for one in called if hasattr(one, "py_func")}
            assert sources <= key, function
