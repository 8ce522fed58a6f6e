"""The core of a circuit, as a motif of its own."""

import json
from pathlib import Path
from typing import NamedTuple

from circuits.errors import UserError
from circuits.imports import named as motif_of
from circuits.motif_file import Motif, loads
from evo.storage.run_folder import Run, is_run
from evo.storage.task_code import BeforeCode, checked_task
from fitness.analysis import Core, Scored, core_of, task_of, trials_for, whole


class Pruned(NamedTuple):
    """The core of a motif, and the scores of both on the same held-out trials, see `fitness.analysis`."""

    motif: Motif
    base: Scored
    core: Core

    @property
    def smaller(self) -> Motif:
        """The core, its provenance naming the motif as its parent."""
        return loads(json.dumps(self.core["motif"]), "core")


def prune(path, rank: int = 0, before_code: BeforeCode | None = None) -> Pruned:
    """The core of a circuit of a run's front, or of a motif file for a built-in task.

    A core that the run has stored is taken from there; otherwise it is computed, which executes the code of the run's own task,
    if it has one and the code is unchanged; `before_code` is called before that, with the spec and the folder. The same circuit
    gives the same core. Raises UserError if there is none, because the circuit scores no better than chance.
    """
    path = Path(path)
    motif, base, core = _of_run(path, rank, before_code) if is_run(path) else _of_motif(path)
    if core is None:
        raise UserError(
            f"{path}: nothing to keep: the circuit's score {base['score']:.3f} is not clearly above chance "
            f"(95 %: {base['low']:.3f} to {base['high']:.3f})"
        )
    return Pruned(motif, base, core)


def _of_run(path, rank, before_code):
    run = Run(path)
    motif = run.motif(rank)
    if (stored := run.analysis(run.front[rank])) is not None:
        return motif, stored["base"], stored["core"]
    task = checked_task(run.spec, run.folder, "its core is not defined", before_code)
    trials = trials_for(task, run.spec.search.seed, run.spec.search.held_out)
    return motif, whole(task, motif.circuit, trials[0]), core_of(task, motif, *trials, name=f"{run.name}, rank {rank}")


def _of_motif(path):
    motif = motif_of(str(path))
    task = task_of(motif)
    if task is None:
        named = (motif.provenance.task or {}).get("name")
        problem = "names no task in its provenance" if named is None else f"was evolved for a task of someone's own, {named}"
        raise UserError(f"{path}: {problem}: its core is not defined; prune it in its run by evo prune DIR --rank K")
    trials = trials_for(task, motif.provenance.seed or 1)
    base = whole(task, motif.circuit, trials[0])
    return motif, base, core_of(task, motif, *trials, name=path.stem)
