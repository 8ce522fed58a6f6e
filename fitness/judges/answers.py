"""Answers about circuits, a number or several for each, checked and turned into the results of a judge.

An answer is one of
    a number                          the score, larger is better
    a dict of numbers by name         several: "score", larger is better, and others that the objectives name
    such a dict with "cases" as well  an array [cases] of scores on single cases, larger is better, for lexicase; the score is
                                      their mean where none is given
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
LARGEST = 1e300  # magnitude of a number in an answer: squares of differences stay finite


class Answer(NamedTuple):
    """values  by name;   cases  float64 [cases], or None"""

    values: dict[str, float]
    cases: np.ndarray | None


class Structure(NamedTuple):
    """Measures of circuits that need no simulation: int64 [n] each, and float64 [n], as `Evaluation` has them."""

    neurons: np.ndarray
    synapses: np.ndarray
    delay_ms: np.ndarray


def answer(raw: Any, where: str) -> Answer:
    """Read the answer about one circuit. Raises UserError, which begins with `where`, for anything else, and UnknownError for a
    number that is not finite."""
    if isinstance(raw, Mapping):
        values = {_name(name, where): _number(value, name, where) for name, value in raw.items() if name != CASES}
        cases = _cases(raw[CASES], where) if CASES in raw else None
        if SCORE not in values and cases is not None:
            values[SCORE] = float(cases.mean())
    else:
        values, cases = {SCORE: _number(raw, SCORE, where)}, None
    if SCORE not in values:
        raise UserError(f'{where} gives {_listed(values)}, but no "{SCORE}" (larger is better)')
    return Answer(values, cases)


class UnknownError(ValueError):
    """A number that is not finite."""


def mean(answers: Sequence[Answer], where: str) -> Answer:
    """The mean of several answers about one circuit: the score of each is a case, unless it has cases."""
    first = answers[0]
    if any(a.values.keys() != first.values.keys() or (a.cases is None) != (first.cases is None) for a in answers):
        raise UserError(
            f"{where} gives other names the second time: {_listed(answers[-1].values)}, before {_listed(first.values)}"
        )
    values = {name: sum(a.values[name] for a in answers) / len(answers) for name in first.values}
    if first.cases is None:
        return Answer(values, np.array([a.values[SCORE] for a in answers]))
    return Answer(values, np.concatenate([a.cases for a in answers if a.cases is not None]))


def results(
    answers: Sequence[Answer | None],
    objectives: Mapping[str, Objective],
    candidates: Candidates,
    where: str,
    cases: int | None = None,
    fault: str | None = None,
    seconds: dict[str, float] | None = None,
) -> Results:
    """Results of a judge from answers, one per candidate, None for one that failed.

    cases  the required number of cases (None: that of the first answer);   fault  the message about those that failed
    Raises UserError for objectives that no answer names, and for other numbers of cases.
    """
    known = [a for a in answers if a is not None]
    width = cases or next((1 if a.cases is None else len(a.cases) for a in known), 1)
    n, failed = len(answers), np.array([a is None for a in answers], bool)
    case_scores, score = np.full((n, width), -WORST, "f4"), np.full(n, -WORST)
    for k, a in enumerate(answers):
        if a is not None:
            row = np.array([a.values[SCORE]]) if a.cases is None else a.cases
            if len(row) != width:
                raise UserError(f"{where} gives {len(row)} cases for one circuit and {width} for others")
            case_scores[k], score[k] = row, a.values[SCORE]
    columns = np.full((n, len(objectives)), WORST)
    structure = None
    for column, (name, objective) in enumerate(objectives.items()):
        if known and all(objective.key in a.values for a in known):
            columns[~failed, column] = [objective.sign * a.values[objective.key] for a in known]
        elif objective.structural and not any(objective.key in a.values for a in known):
            structure = structure or _structure(candidates)
            columns[:, column] = objective.loss(structure)
        elif known:
            raise UserError(f"{where} gives {_listed(known[0].values)}, but search.objectives asks for {name}")
    columns[failed] = WORST
    columns += 0.0  # -0 is 0
    return Results.unmeasured(columns, score + 0.0, case_scores, failed, fault, seconds)


def _structure(candidates):
    tables = candidates.tables()
    return Structure(tables.neurons, tables.synapses, tables.delay_steps * candidates.dt_ms)


def _listed(values):
    return ", ".join(map(str, values)) or "nothing"


def _name(name, where):
    if not isinstance(name, str):
        raise UserError(f"{where} gives a number under {name!r}: a name must be text")
    return name


def _number(value, name, where):
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if hasattr(value, "item") and not isinstance(value, np.ndarray):  # of numpy or torch
        value = value.item()
    if not isinstance(value, Real):
        raise UserError(f'{where} gives {_shown(value)} for {name}: must be a number, or a dict of numbers with "{SCORE}"')
    value = float(value)
    if not abs(value) <= LARGEST:
        raise UnknownError(f"{where} gives {value} for {name}: not a finite number")
    return value


def _cases(value, where):
    try:
        cases = np.asarray(value, "f8")
    except (TypeError, ValueError):
        cases = np.empty((0, 0))
    if cases.ndim != 1 or not len(cases):
        raise UserError(f"{where} gives {_shown(value)} for {CASES}: must be an array of numbers, one for each case")
    if not (np.abs(cases) <= np.finfo("f4").max).all():
        raise UnknownError(f"{where} gives a number for {CASES} that is not finite")
    return cases


def _shown(value):
    text = f"{type(value).__name__} {value!r}" if not isinstance(value, np.ndarray) else f"an array {list(value.shape)}"
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
