"""Results of a judge from the scores that a user gives to `evo.Evolver.tell`."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from circuits.errors import UserError
from fitness.evaluation.objectives import Objective
from fitness.judges.answers import CASES, SCORE, Answer, UnknownError, answer, results
from fitness.judges.judge import Candidates, Results

PLACE = "tell"  # in messages
NOT_SCORED = "told as None"  # the fault of circuits without a score


def results_of(
    scores: Any, cases: Any, objectives: Mapping[str, Objective], candidates: Candidates, width: int | None
) -> Results:
    """Results from scores [n] in any of the forms of `evo.Evolver.tell`.

    cases  case scores [n, cases], or None;   width  the required number of cases, None for that of the first circuit
    Raises UserError for anything else, and for scores of another number of circuits than there are candidates.
    """
    count = len(candidates)
    if isinstance(scores, Results):
        if len(scores.score) != count:
            raise UserError(f"{PLACE}: {len(scores.score)} results for the {count} circuits of the last ask")
        return scores
    names = [objective.key for objective in objectives.values() if not objective.structural]
    answers = [None if score is None else _answer(score, k, names) for k, score in enumerate(_listed(scores, count))]
    if len(answers) != count:
        raise UserError(f"{PLACE}: {len(answers)} scores for the {count} circuits of the last ask")
    if cases is not None:
        rows = _listed(cases, count)
        if len(rows) != count:
            raise UserError(f"{PLACE}: case scores of {len(rows)} circuits for the {count} of the last ask")
        both = enumerate(zip(answers, rows, strict=True))
        answers = [known and _answer(known.values | {CASES: row}, k, ()) for k, (known, row) in both]
    names_known = {objective.key for objective in objectives.values()} | {SCORE}
    for known in answers:
        if known is not None and (strange := sorted(known.values.keys() - names_known)):
            listed = f'{", ".join(objectives)}: name it there, as "min:{strange[0]}" or "max:{strange[0]}"'
            raise UserError(f"{PLACE}: {strange[0]!r} is none of the objectives {listed}")
    fault = NOT_SCORED if None in answers else None
    return results(answers, objectives, candidates, f"{PLACE}:", width, fault)


def _listed(scores, count) -> list:
    """The scores as a list with one answer per circuit."""
    if isinstance(scores, Mapping):
        columns = {name: list(values) if isinstance(values, Iterable) else values for name, values in scores.items()}
        short = next((name for name, values in columns.items() if not isinstance(values, list) or len(values) != count), None)
        if short is not None:
            raise UserError(f"{PLACE}: {short}: must be an array, one value for each of the {count} circuits of the last ask")
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if isinstance(scores, str | bytes) or not isinstance(scores, Iterable):
        raise UserError(f"{PLACE}: give one score for each of the {count} circuits of the last ask, in a list or an array")
    return list(scores)


def _answer(score, k, names) -> Answer:
    where = f"{PLACE}: circuit {k}"
    if isinstance(score, tuple | list | np.ndarray) and np.ndim(score) == 1:
        if len(score) != len(names):
            raise UserError(f"{where} has {len(score)} numbers; the objectives to tell are {', '.join(names)}")
        score = dict(zip(names, score, strict=True))
    try:
        return answer(score, where)
    except UnknownError as error:
        raise UserError(f"{error}; None says that it failed") from None
