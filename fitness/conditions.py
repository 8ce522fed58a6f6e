"""Scores in the conditions that a task's trials belong to: a mean over all trials can hide one in which a circuit always fails.

Conditions come from factors, such as direction and tone: an array [trials] each. Every combination of values that occurs is a
condition; the trials of a combination are cut further by the one factor that is graded (float with many values), into parts of
neighbouring values with equally many trials each. Every condition has enough trials for its score to mean something.
"""

from typing import NamedTuple

import numpy as np

from circuits.errors import UserError

REPORTED = 24  # trials at least of a condition whose score is reported: its standard error is 0.06 where 9 of 10 are right
SEARCHED = 4  # the same where a search optimises the worst condition: all circuits face the same trials
PARTS = 8  # of a graded factor at most


class Conditions(NamedTuple):
    """Conditions of some trials.

    names    what each is called, such as "direction 0, tone 664 to 700 Hz"
    members  the trials of each, int arrays; a trial is in one condition at most
    """

    names: tuple[str, ...]
    members: tuple[np.ndarray, ...]

    @property
    def trials(self) -> np.ndarray:
        """How many each has, int64 [conditions]."""
        return np.array([len(m) for m in self.members], int)


NONE = Conditions((), ())


class ByCondition(NamedTuple):
    """Scores by condition, 0 chance and 1 perfect.

    names   [conditions];   trials  int64 [conditions], how many there are of each
    scores, case_scores  float64 [..., conditions]: the score, and the class-balanced mean of the case_scores, in each
    """

    names: tuple[str, ...]
    trials: np.ndarray
    scores: np.ndarray
    case_scores: np.ndarray

    @property
    def worst(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest score of a condition, and which it is: [...] each; NaN and -1 where there are no conditions."""
        if not self.names:
            shape = self.scores.shape[:-1]
            return np.full(shape, np.nan), np.full(shape, -1)
        return self.scores.min(axis=-1), self.scores.argmin(axis=-1)


def checked(factors, count: int, title: str) -> dict[str, np.ndarray]:
    """Check what a task's `conditions` returned, as arrays. Raises UserError unless they are factors of so many trials."""
    if not (isinstance(factors, dict) and all(isinstance(name, str) for name in factors)):
        raise UserError(f'task {title}: conditions must return a dict such as {{"direction": labels}}, not {factors!r}'[:300])
    found = {name: np.asarray(values) for name, values in factors.items()}
    for name, values in found.items():
        if values.shape != (count,) or values.dtype.kind not in "biufU":
            what = f"{values.dtype} {list(values.shape)}"
            raise UserError(f"task {title}: conditions must return one value per trial [{count}] of {name!r}, not {what}")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise UserError(f"task {title}: conditions must return finite numbers, {name!r} has others")
    graded = [name for name, values in found.items() if _is_graded(values)]
    if len(graded) > 1:
        raise UserError(f"task {title}: conditions can have one graded factor, not {' and '.join(graded)}")
    return found


def grouped(factors: dict[str, np.ndarray], least: int) -> Conditions:
    """The conditions that these factors make, each with at least so many trials: combinations with fewer are taken together.
    The last factor is left out where the trials are too few for it, and so on; none where fewer than two conditions are left,
    for then there is nothing to compare."""
    while factors:
        found = _combined(factors, least)
        if len(found.names) > 1:
            return found
        factors = dict(list(factors.items())[:-1])
    return NONE


def _combined(factors, least):
    ordered = sorted(factors.items(), key=lambda item: _is_graded(item[1]))
    plain = {name: values for name, values in ordered if not _is_graded(values)}
    graded = next((item for item in ordered if _is_graded(item[1])), None)
    count = len(ordered[0][1])
    codes = np.stack([np.unique(v, return_inverse=True)[1] for v in plain.values()] or [np.zeros(count, int)])
    _, which = np.unique(codes, axis=1, return_inverse=True)
    names, members, rest = [], [], []
    for k in range(int(which.max(initial=-1)) + 1):
        mine = np.flatnonzero(which.ravel() == k)
        if len(mine) < least:
            rest.append(mine)
            continue
        shared = [_named(name, values[mine[0]]) for name, values in plain.items()]
        for part in _parts(mine, graded, least):
            ends = [] if graded is None else [_named(graded[0], *graded[1][part][[0, -1]])]
            names.append(", ".join(shared + ends))
            members.append(part)
    others = np.sort(np.concatenate(rest)) if rest else np.zeros(0, int)
    if len(others) >= least:
        names.append(f"{len(rest)} rarer ones")
        members.append(others)
    return Conditions(tuple(names), tuple(members))


def _is_graded(values):
    return values.dtype.kind == "f" and len(np.unique(values)) > PARTS


def _parts(mine, graded, least):
    """The trials in order of the graded factor, cut into parts with enough trials each."""
    if graded is None:
        return [mine]
    ordered = mine[np.argsort(graded[1][mine], kind="stable")]
    return np.array_split(ordered, min(len(mine) // least, PARTS))


def _named(factor, *values):
    """A factor's value, or the ends of a part, with its unit: "tone 664 to 700 Hz"."""
    name, _, unit = factor.partition(" [")
    ends = " to ".join(dict.fromkeys(f"{v:.3g}" if isinstance(v, float) else str(v) for v in values))
    return f"{name} {ends}{' ' + unit.removesuffix(']') if unit else ''}"
