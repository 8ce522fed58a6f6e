"""Answers about circuits, a number or several for each, checked and turned into the results of a judge.

An answer is one of
    a number                          the score, larger is better
    a dict of numbers by name         several: "score", larger is better, and others that the objectives name
    such a dict with "cases" as well  an array [cases] of how the circuit did on single cases, larger is better, for lexicase;
                                      the
                                      score is their mean where none is said
    None                              nothing is known of this circuit: it gets the worst
"""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from circuits.errors import UserError
from fitness.evaluation.objectives import WORST, Objective
from fitness.judges.judge import Candidates, Results

SCORE, CASES = "score", "cases"
LARGEST = 1e300  # of a number that is said: squares of differences stay finite


class Answer(NamedTuple):
    """values  by name;   cases  float64 [cases], or None"""

    values: dict[str, float]
    cases: np.ndarray | None


class Structure(NamedTuple):
    """Measures of circuits that need no simulation: int64 [n] each, and float64 [n], as `Evaluation` has them."""

    neurons: np.ndarray
    synapses: np.ndarray
    delay_ms: np.ndarray


def answer(said: Any, place: str) -> Answer:
    """Read the answer about one circuit. Raises UserError, which begins with `place`, for what is no answer, and UnknownError
    for a number that is none (NaN, infinite)."""
    if isinstance(said, Mapping):
        values = {_name(name, place): _number(value, name, place) for name, value in said.items() if name != CASES}
        cases = _cases(said[CASES], place) if CASES in said else None
        if SCORE not in values and cases is not None:
            values[SCORE] = float(cases.mean())
    else:
        values, cases = {SCORE: _number(said, SCORE, place)}, None
    if SCORE not in values:
        raise UserError(f'{place} says {_listed(values)}, and no "{SCORE}": larger is better')
    return Answer(values, cases)


class UnknownError(ValueError):
    """A number that is not finite."""


def mean(answers: Sequence[Answer], place: str) -> Answer:
    """The answers to several questions about one circuit as one: the score of each is a case, unless it has cases."""
    first = answers[0]
    if any(one.values.keys() != first.values.keys() or (one.cases is None) != (first.cases is None) for one in answers):
        raise UserError(
            f"{place} says other things the second time: {_listed(answers[-1].values)}, first {_listed(first.values)}"
        )
    values = {name: sum(one.values[name] for one in answers) / len(answers) for name in first.values}
    if first.cases is None:
        return Answer(values, np.array([one.values[SCORE] for one in answers]))
    return Answer(values, np.concatenate([one.cases for one in answers if one.cases is not None]))


def results(
    answers: Sequence[Answer | None],
    objectives: Mapping[str, Objective],
    candidates: Candidates,
    place: str,
    cases: int | None = None,
    fault: str | None = None,
    seconds: dict[str, float] | None = None,
) -> Results:
    """The results that answers amount to, one for each candidate, None for one that failed.

    cases  how many there have to be (None: as many as the first answer has);   fault  what is to be said of those that failed
    Raises UserError for objectives that no answer names, and for other numbers of cases.
    """
    given = [one for one in answers if one is not None]
    width = cases or next((1 if one.cases is None else len(one.cases) for one in given), 1)
    n, failed = len(answers), np.array([one is None for one in answers], bool)
    table, score = np.full((n, width), -WORST, "f4"), np.full(n, -WORST)
    for k, one in enumerate(answers):
        if one is not None:
            its = np.array([one.values[SCORE]]) if one.cases is None else one.cases
            if len(its) != width:
                raise UserError(f"{place} says {len(its)} cases of a circuit, {width} of others")
            table[k], score[k] = its, one.values[SCORE]
    columns = np.full((n, len(objectives)), WORST)
    structure = None
    for column, (name, objective) in enumerate(objectives.items()):
        if given and all(objective.key in one.values for one in given):
            columns[~failed, column] = [objective.sign * one.values[objective.key] for one in given]
        elif objective.structural and not any(objective.key in one.values for one in given):
            structure = structure or _structure(candidates)
            columns[:, column] = objective.loss(structure)
        elif given:
            raise UserError(f"{place} says {_listed(given[0].values)}, and search.objectives asks for {name}")
    columns[failed] = WORST
    columns += 0.0  # -0 is 0
    return Results.unmeasured(columns, score + 0.0, table, failed, fault, seconds)


def _structure(candidates):
    tables = candidates.tables()
    return Structure(tables.neurons, tables.synapses, tables.delay_steps * candidates.dt_ms)


def _listed(values):
    return ", ".join(map(str, values)) or "nothing"


def _name(name, place):
    if not isinstance(name, str):
        raise UserError(f"{place} names what it says by {name!r}: a name is a text")
    return name


def _number(value, name, place):
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if hasattr(value, "item") and not isinstance(value, np.ndarray):  # of numpy or torch
        value = value.item()
    if not isinstance(value, Real):
        raise UserError(f'{place} says {_shown(value)} for {name}: a number, or a dict of numbers by name, with "{SCORE}"')
    value = float(value)
    if not abs(value) <= LARGEST:
        raise UnknownError(f"{place} says {value} for {name}: not a finite number")
    return value


def _cases(value, place):
    try:
        found = np.asarray(value, "f8")
    except (TypeError, ValueError):
        found = np.empty((0, 0))
    if found.ndim != 1 or not len(found):
        raise UserError(f"{place} says {_shown(value)} for {CASES}: an array of numbers, one for each case")
    if not (np.abs(found) <= np.finfo("f4").max).all():
        raise UnknownError(f"{place} says a number for {CASES} that is not finite")
    return found


def _shown(value):
    text = f"{type(value).__name__} {value!r}" if not isinstance(value, np.ndarray) else f"an array {list(value.shape)}"
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
