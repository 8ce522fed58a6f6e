"""Scores by condition: a mean over all trials can hide a condition in which a circuit always fails.

Conditions come from factors, such as direction and tone: an array [trials] each. Every combination of values that occurs is a
condition; the trials of a combination are divided further by the one graded factor (float with many values), into parts of
neighbouring values with equally many trials each. Every condition has enough trials for a meaningful score.
"""

from typing import NamedTuple

import numpy as np

from circuits.errors import UserError

REPORTED = 24  # minimum trials of a condition whose score is reported: standard error 0.06 where 9 of 10 are right
SEARCHED = 4  # the same for a search that optimises the worst condition: all circuits have the same trials
PARTS = 8  # of a graded factor, at most


class Conditions(NamedTuple):
    """Conditions of some trials.

    names    of the conditions, such as "direction 0, tone 664 to 700 Hz"
    members  the trials of each, int arrays; a trial is in one condition at most
    """

    names: tuple[str, ...]
    members: tuple[np.ndarray, ...]

    @property
    def trials(self) -> np.ndarray:
        """Number of trials of each, int64 [conditions]."""
        return np.array([len(m) for m in self.members], int)


NONE = Conditions((), ())


class ByCondition(NamedTuple):
    """Scores by condition, 0 chance and 1 perfect.

    names   [conditions];   trials  int64 [conditions], their numbers
    scores, case_scores  float64 [..., conditions]: the score, and the class-balanced mean of the case_scores, in each
    """

    names: tuple[str, ...]
    trials: np.ndarray
    scores: np.ndarray
    case_scores: np.ndarray

    @property
    def worst(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest score of a condition, and the number of the condition: [...] each; NaN and -1 without conditions."""
        if not self.names:
            shape = self.scores.shape[:-1]
            return np.full(shape, np.nan), np.full(shape, -1)
        return self.scores.min(axis=-1), self.scores.argmin(axis=-1)


def checked(factors, count: int, title: str) -> dict[str, np.ndarray]:
    """Factors as a task's `conditions` returns them, as arrays. Raises UserError unless they are factors of `count` trials."""
    if not (isinstance(factors, dict) and all(isinstance(name, str) for name in factors)):
        raise UserError(f'task {title}: conditions must return a dict such as {{"direction": labels}}, not {factors!r}'[:300])
    arrays = {name: np.asarray(values) for name, values in factors.items()}
    for name, values in arrays.items():
        if values.shape != (count,) or values.dtype.kind not in "biufU":
            actual = f"{values.dtype} {list(values.shape)}"
            raise UserError(f"task {title}: conditions must return one value per trial [{count}] of {name!r}, not {actual}")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise UserError(f"task {title}: conditions must return finite numbers, {name!r} has others")
    graded = [name for name, values in arrays.items() if _is_graded(values)]
    if len(graded) > 1:
        raise UserError(f"task {title}: conditions can have one graded factor, not {' and '.join(graded)}")
    return arrays


def grouped(factors: dict[str, np.ndarray], min_trials: int) -> Conditions:
    """The conditions from combinations of factors, each with at least `min_trials` trials: rarer combinations are pooled.

    Where the trials are too few, the last factor is left out, and so on. No conditions where fewer than two are left.
    """
    while factors:
        conditions = _combined(factors, min_trials)
        if len(conditions.names) > 1:
            return conditions
        factors = dict(list(factors.items())[:-1])
    return NONE


def _combined(factors, min_trials):
    ordered = sorted(factors.items(), key=lambda item: _is_graded(item[1]))
    plain = {name: values for name, values in ordered if not _is_graded(values)}
    graded = next((item for item in ordered if _is_graded(item[1])), None)
    count = len(ordered[0][1])
    codes = np.stack([np.unique(v, return_inverse=True)[1] for v in plain.values()] or [np.zeros(count, int)])
    _, combination = np.unique(codes, axis=1, return_inverse=True)
    names, members, rare = [], [], []
    for k in range(int(combination.max(initial=-1)) + 1):
        trials_of_k = np.flatnonzero(combination.ravel() == k)
        if len(trials_of_k) < min_trials:
            rare.append(trials_of_k)
            continue
        shared = [_named(name, values[trials_of_k[0]]) for name, values in plain.items()]
        for part in _parts(trials_of_k, graded, min_trials):
            ends = [] if graded is None else [_named(graded[0], *graded[1][part][[0, -1]])]
            names.append(", ".join(shared + ends))
            members.append(part)
    pooled = np.sort(np.concatenate(rare)) if rare else np.zeros(0, int)
    if len(pooled) >= min_trials:
        names.append(f"{len(rare)} rarer ones")
        members.append(pooled)
    return Conditions(tuple(names), tuple(members))


def _is_graded(values):
    return values.dtype.kind == "f" and len(np.unique(values)) > PARTS


def _parts(members, graded, min_trials):
    """The members in order of the graded factor, divided into parts with enough trials each."""
    if graded is None:
        return [members]
    ordered = members[np.argsort(graded[1][members], kind="stable")]
    return np.array_split(ordered, min(len(members) // min_trials, PARTS))


def _named(factor, *values):
    """The value of a factor, or its range in a part, with its unit: "tone 664 to 700 Hz"."""
    name, _, unit = factor.partition(" [")
    ends = " to ".join(dict.fromkeys(f"{v:.3g}" if isinstance(v, float) else str(v) for v in values))
    return f"{name} {ends}{' ' + unit.removesuffix(']') if unit else ''}"
