"""Functions compiled as parts of those that call them.

The machine code of a compiled function contains that of all functions that it calls. By itself numba also makes each of those
callable from Python and optimises and translates it alone, which takes about half of the compiler's time and of most functions
is never used. A part stays what LLVM optimises and translates within its callers.
"""

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.environment import lookup_environment
from numba.extending import overload


class _Library(JITCodeLibrary):
    """A part's code, before optimisation and without addresses."""

    def _optimize_final_module(self):
        """Leave the optimisation to the callers."""

    def _finalize_final_module(self):
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name):
        self._ensure_finalized()
        return 0

    @property
    def codegen(self):
        return _Nowhere()


class _Nowhere:
    """The receiver of the Python objects of a function, which numba passes to its library: a part has no place for them
    until it is in a caller, see `set_environments`."""

    def set_env(self, name, environment):
        """Do nothing."""


class PartCompiler(Compiler):
    """numba's compiler, for parts."""

    def __init__(self, typingctx, targetctx, library, args, return_type, flags, locals):
        library = _Library(targetctx.codegen(), "part")
        library.enable_object_caching()
        super().__init__(typingctx, targetctx, library, args, return_type, flags, locals)


def implementations(stub):
    """A decorator, called with a kind (a NamedTuple class): in compiled code `stub` is the decorated function where its first
    argument is of this kind."""
    # What is inlined needs no machine code of its own either.
    part: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": PartCompiler}

    def of(kind):
        def declare(function):
            @overload(stub, inline="always", jit_options=part, strict=False)
            def choose(first, *_):
                return function if getattr(first, "instance_class", None) is kind else None

            return function

        return declare

    return of


def set_environments(result):
    """Set numba's environments, its Python objects of each function, in a compiled function and in its parts."""
    codegen, module = result.codegen, result.library._final_module
    for variable in module.global_variables:
        if variable.name.startswith("_ZN08NumbaEnv"):
            environment = lookup_environment(variable.name)
            if environment is not None and codegen._engine.get_global_value_address(variable.name):
                codegen.set_env(variable.name, environment)
