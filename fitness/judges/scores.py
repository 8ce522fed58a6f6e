"""Scores of many circuits, as somebody tells them, as the results of a judge: `evo.Evolver.tell`."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from circuits.errors import UserError
from fitness.evaluation.objectives import Objective
from fitness.judges.answers import CASES, SCORE, Answer, UnknownError, answer, results
from fitness.judges.judge import Candidates, Results

PLACE = "tell"  # in messages


def told_results(
    scores: Any, cases: Any, objectives: Mapping[str, Objective], candidates: Candidates, width: int | None
) -> Results:
    """The results that scores [n], in any of the forms of `evo.Evolver.tell`, amount to.

    cases  case scores [n, cases], or None;   width  how many there have to be, None where the first tell it
    Raises UserError for what is none, and for another number than there are candidates.
    """
    asked = len(candidates)
    if isinstance(scores, Results):
        if len(scores.score) != asked:
            raise UserError(f"{PLACE}: {len(scores.score)} results for the {asked} circuits that were asked about")
        return scores
    names = [one.key for one in objectives.values() if not one.structural]
    answers = [one if one is None else _answer(one, k, names) for k, one in enumerate(_listed(scores, asked))]
    if len(answers) != asked:
        raise UserError(f"{PLACE}: {len(answers)} scores for the {asked} circuits that were asked about")
    if cases is not None:
        rows = _listed(cases, asked)
        if len(rows) != asked:
            raise UserError(f"{PLACE}: case scores of {len(rows)} circuits for the {asked} that were asked about")
        both = enumerate(zip(answers, rows, strict=True))
        answers = [one and _answer(one.values | {CASES: row}, k, ()) for k, (one, row) in both]
    known = {one.key for one in objectives.values()} | {SCORE}
    for one in answers:
        if one is not None and (strange := sorted(one.values.keys() - known)):
            ways = " or ".join(f'"{way}:{strange[0]}"' for way in ("min", "max"))
            listed = ", ".join(objectives)
            raise UserError(f"{PLACE}: {strange[0]!r} is none of the objectives {listed}: name it there, as {ways}")
    fault = "told as None" if any(one is None for one in answers) else None
    return results(answers, objectives, candidates, f"{PLACE}:", width, fault)


def _listed(scores, asked) -> list:
    """One answer a circuit."""
    if isinstance(scores, Mapping):
        columns = {name: list(values) if isinstance(values, Iterable) else values for name, values in scores.items()}
        short = next((name for name, values in columns.items() if not isinstance(values, list) or len(values) != asked), None)
        if short is not None:
            raise UserError(f"{PLACE}: {short}: must be an array of one value for each of the {asked} circuits asked about")
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if isinstance(scores, str | bytes) or not isinstance(scores, Iterable):
        raise UserError(
            f"{PLACE}: give one score for each of the {asked} circuits that were asked about, in a list or an array"
        )
    return list(scores)


def _answer(said, k, names) -> Answer:
    place = f"{PLACE}: circuit {k}"
    if isinstance(said, tuple | list | np.ndarray) and np.ndim(said) == 1:
        if len(said) != len(names):
            raise UserError(f"{place} has {len(said)} numbers; the objectives that are told are {', '.join(names)}")
        said = dict(zip(names, said, strict=True))
    try:
        return answer(said, place)
    except UnknownError as error:
        raise UserError(f"{error}; None says that it failed") from None
