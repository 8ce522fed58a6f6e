"""Calls into the code of a task: errors of one line that say where it fails, a time limit, and checks of what is returned."""

import os
import sys
from functools import lru_cache
from inspect import Parameter, signature
from pathlib import Path
from traceback import extract_tb

import numpy as np

from circuits.circuit import Sampled
from circuits.errors import UserError
from circuits.simulation.drive import LARGEST
from fitness.sandbox import guard
from fitness.sandbox.guard import guarded
from fitness.sandbox.modules import folder_of

BASE = Path(__file__).parents[1] / "base"
CALLERS = (__file__, guard.__file__, str(BASE / "definition.py"), str(BASE / "task.py"))  # no fault of the user's is there


def call(owner: type, title: str, seconds: float | None, method, *arguments, **named):
    """Call a method of the class `owner` for at most `seconds`. Raises UserError of one line that says where it fails."""
    try:
        name = getattr(getattr(method, "func", method), "__name__", "its code")
        return guarded(f"task {title}: {name}", seconds, method, *arguments, **named)
    except UserError:
        raise
    except Exception as error:
        module = owner.__module__
        frames = [f for f in extract_tb(error.__traceback__) if f.filename not in CALLERS]
        file, folder = getattr(sys.modules.get(module), "__file__", None), f"{folder_of(module) or os.devnull}/"
        own = [f for f in frames if f.filename == file or f.filename.startswith(folder)]
        frame = (own or frames or extract_tb(error.__traceback__))[-1]
        where = f"{Path(frame.filename).name}, line {frame.lineno}, {frame.name}"
        message = str(error).replace(folder, "")  # independent of the path of the copy of the code
        raise UserError(f"task {title}: fails in {where}: {type(error).__name__}: {message}") from error


def numbers(returned, where: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """Numbers that a method returned, checked, float64; None in `shape` stands for any length."""
    array = np.asarray(returned)
    if array.dtype.kind not in "biuf":
        raise UserError(f"{where} must return numbers, not {array.dtype}")
    if array.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, array.shape, strict=True)):
        expected = ["any" if n is None else n for n in shape]
        raise UserError(f"{where} must return an array {expected} [..., trials], not {list(array.shape)}")
    return np.asarray(array, "f8", order="C")


def trial_arrays(made, title: str, shape: tuple[int, int, int], sampled: tuple[Sampled, ...]):
    """The spikes, labels, facts and signals (None without sampled inputs) that `make` returned, checked.

    shape  trials, steps and channels of the spikes
    """
    if not isinstance(made, tuple) or len(made) not in (2, 3, 4):
        raise UserError(f"task {title}: make must return (spikes, labels) or (spikes, labels, facts)")
    spikes, labels, facts = (*made, {})[:3]
    signals = _signals(made[3] if len(made) == 4 else None, title, (*shape[:2], len(sampled)))
    spikes, labels = np.asarray(spikes), np.asarray(labels)
    if spikes.dtype != bool or spikes.shape != shape:
        raise UserError(
            f"task {title}: make must return spikes as bool {list(shape)} [trials, steps, channels], "
            f"not {spikes.dtype} {list(spikes.shape)}"
        )
    if labels.shape != shape[:1]:
        raise UserError(f"task {title}: make must return one label per trial [{shape[0]}], not {list(labels.shape)}")
    return spikes, labels, facts, signals


def _signals(signals, title, shape):
    """The signals of the sampled inputs, checked: float32, or None where there are none."""
    if not shape[-1] and signals is None:
        return None
    array = np.asarray(signals)
    if array.dtype.kind != "f" or array.shape != shape or not (np.abs(array) <= LARGEST).all():
        raise UserError(
            f"task {title}: make must return as fourth what drives the sampled inputs, float {list(shape)} "
            f"[trials, steps, sampled inputs] up to {LARGEST:g}, not {array.dtype} {list(array.shape)}"
        )
    return array.astype("f4")


@lru_cache
def takes_part(make) -> str:
    """The way in which a task's `make` takes the part: "by name", "in place" (a third argument without a default), or ""."""
    kinds = Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD
    parameters = signature(make).parameters
    if "part" in parameters and parameters["part"].kind is not Parameter.POSITIONAL_ONLY:
        return "by name"
    third = [p for p in parameters.values() if p.kind in kinds][3:4]
    return "in place" if third and third[0].default is Parameter.empty else ""
