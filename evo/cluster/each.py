"""`map` on the workers of a search."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from circuits.errors import MachineError


def each_here_or_on_ray(function: Callable[..., Any], *arguments: Iterable[Any]) -> Iterator[Any]:
    """`map`, on Ray's workers while there is a Ray in this process. Raises MachineError where Ray fails."""
    if not ("ray" in sys.modules and sys.modules["ray"].is_initialized()):
        yield from map(function, *arguments)
        return
    import ray

    remote = ray.remote(_called)
    try:
        yield from ray.get([remote.remote(function, *values) for values in zip(*arguments, strict=True)])
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, MachineError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:
        text = " ".join(str(error).split())[:300]
        raise MachineError(f"Ray fails ({type(error).__name__}: {text}); everything finished is stored: go on later") from error


def _called(function, *arguments):
    return function(*arguments)
