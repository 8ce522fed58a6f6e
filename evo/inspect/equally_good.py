"""The number of circuits, and of wirings, that explain measured data as well as the best circuit of a run."""

from typing import Any

import numpy as np

from evo.genome import identity
from evo.genome.wiring import live
from evo.storage.run_folder import Run


def equally_good(run: Run) -> dict[str, Any] | None:
    """The number of circuits of the run that explain the data as well as the best within its uncertainty, and of their wirings.

    As good is a score in the search within half the 95 % interval of the best's held-out score. Neurons without a path to an
    output are left out of the wirings. None if nothing was measured, or the held-out score of the best is unknown.
    """
    front = run.front if run.spec.judge_class.fits_data else []
    if not front or not np.isfinite(front[0].low):
        return None
    margin = (front[0].high - front[0].low) / 2
    rows = [(state.archive["genome"], state.archive["score"]) for state in run.states]
    rows += [(state.population["genome"], state.population["score"]) for state in run.states]
    genomes, scores = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    good = genomes[scores >= scores.max() - margin]
    return {
        "circuits": len(set(identity.keys(good))),
        "wirings": identity.wirings(live(good)),
        "margin": round(float(margin), 4),
    }


def as_text(counts: dict[str, Any]) -> str:
    """The counts of `equally_good` in a line."""
    circuits, wirings = counts["circuits"], counts["wirings"]
    explain = "one circuit explains" if circuits == 1 else f"{circuits} circuits explain"
    kinds = "one wiring" if wirings == 1 else f"{wirings} different wirings"
    return f"{explain} the data as well as the best (within {counts['margin']:.3f}): {kinds}"
