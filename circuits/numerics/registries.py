"""numba's registries of functions and types.

numba looks through all of them again for each function that it compiles or reads from its cache, for a tenth of the compiler's
time. Here it does so only if something was added to one of them since.
"""

from contextlib import contextmanager

from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

_sizes: dict[object, int] = {}  # of all registries of a context, when it was refreshed


@contextmanager
def refreshed_when_they_grow():
    """Within, the contexts of numba's compiler look through their registries only if one of these has grown."""
    contexts = cpu_target.typing_context, cpu_target.target_context
    with global_compiler_lock:
        outermost = [context for context in contexts if "refresh" not in vars(context)]
        for context in outermost:
            context.refresh = _refresh(context, context.refresh)
        try:
            yield
        finally:
            for context in outermost:
                del context.refresh


def _refresh(context, refresh):
    def refresh_if_grown():
        if _sizes.get(context) != _size(context):
            refresh()
            _sizes[context] = _size(context)

    return refresh_if_grown


def _size(context):
    registries = context._registries.items()
    return sum(len(getattr(registry, items)) for registry, loader in registries for items in loader.registry_items)
