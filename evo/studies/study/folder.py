"""The folder of a study, read: the progress and the outcomes of its runs. Opening one executes nothing."""

import csv
import io
import math
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from circuits.optional import optional
from evo.storage import lock
from evo.storage.run_folder import Run
from evo.storage.stored import SPEC, STORE
from evo.studies.study.design import STUDY, Arm, Design, read_design
from evo.studies.study.reached import cost_of

WAITING, REACHED = "waiting", "reached"


class StudyRun(NamedTuple):
    """The outcome of a run of a study; NaN where there is nothing yet.

    run, arm, seed         name of its folder, name of its arm, its seed
    state                  waiting, running, stopped, finished; reached: ended by the target of the study
    reached                did the circuit that does best on validation trials reach the target on held-out ones?
    evaluations_to_target, core_seconds_to_target   spent until then, or until now if it was not reached (censored)
    evaluations, core_seconds, generation           spent by now, and the generation of all islands
    held_out, low, high    score, with its 95 % confidence interval, of the circuit of the front that does best on validation
                           trials;   worst  its score in its worst condition
    best_held_out          the best held-out score of the front
    excitatory, inhibitory, synapses, energy        of the circuit that does best on validation trials; energy: spikes and
                           synaptic events per trial
    archive_sha256         digest of the archive
    """

    run: str
    arm: str
    seed: int
    state: str = WAITING
    reached: bool = False
    evaluations_to_target: int = 0
    core_seconds_to_target: float = 0.0
    evaluations: int = 0
    core_seconds: float = 0.0
    generation: int = 0
    held_out: float = math.nan
    low: float = math.nan
    high: float = math.nan
    worst: float = math.nan
    best_held_out: float = math.nan
    excitatory: int = 0
    inhibitory: int = 0
    synapses: int = 0
    energy: float = math.nan
    archive_sha256: str = ""

    @property
    def over(self) -> bool:
        """True if nothing is left to be computed."""
        return self.state in ("finished", REACHED)


class Study:
    """A study's folder, opened for reading; no code that lies in it is executed.

    Parameters
    ----------
    folder : str or path-like
        The folder of the study.

    Attributes
    ----------
    design : Design
        Which specs with which settings and seeds.

    Raises
    ------
    circuits.errors.UserError
        For a folder that holds no study, or a damaged one.

    Examples
    --------
    >>> import evo
    >>> small = {"search.population": ["16"], "search.islands": ["1"], "search.generations": ["2"]}
    >>> study = evo.run_study(["gate"], out="runs/gates", seeds=2, workers=0, settings=small)
    >>> len(study.arm("gate"))
    2
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.design = read_design(self.folder)

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.resolve().name

    @property
    def state(self) -> str:
        """State of the study, "running", "finished" or "stopped"."""
        if lock.is_held(self.folder / STUDY):
            return "running"
        return "finished" if all(run.over for run in self.runs) else "stopped"

    @cached_property
    def runs(self) -> list[StudyRun]:
        """The outcomes of all runs, all arms with the first seed first, as of the first access."""
        return [self._run(arm, seed, name) for arm, seed, name in self.design.runs]

    def arm(self, name: str) -> list[StudyRun]:
        """The runs of an arm.

        Parameters
        ----------
        name : str
            Name of the arm.

        Returns
        -------
        list of StudyRun
            Its runs, by seed.
        """
        return [run for run in self.runs if run.arm == name]

    def _run(self, arm: Arm, seed: int, name: str) -> StudyRun:
        folder, waiting = self.folder / name, StudyRun(name, arm.name, seed)
        if not ((folder / SPEC).exists() and (folder / STORE).exists()):
            return waiting
        run = Run(folder)
        return waiting._replace(**_outcome(run, self.design)) if run.epochs else waiting

    def frame(self, library: str = "pandas") -> Any:
        """The runs as a data frame.

        Parameters
        ----------
        library : {"pandas", "polars"}
            Library of the data frame.

        Returns
        -------
        pandas.DataFrame or polars.DataFrame
            A row per run: the settings in which arms differ, and all of `StudyRun`.

        Raises
        ------
        circuits.errors.MachineError
            If the library is not installed.
        """
        rows = self.rows()
        return optional(library, "frame", f"pip install {library}").DataFrame(
            {key: [row[key] for row in rows] for key in rows[0]}
        )

    def rows(self) -> list[dict[str, Any]]:
        """The rows of `frame`.

        Returns
        -------
        list of dict
            A dict per run, all with the same keys.
        """
        settings = {arm.name: {"spec": arm.given, **arm.settings} for arm in self.design.arms}
        keys = dict.fromkeys(key for of_arm in settings.values() for key in of_arm)
        return [{"arm": run.arm, **{key: settings[run.arm].get(key) for key in keys}} | run._asdict() for run in self.runs]

    def to_csv(self) -> str:
        """The rows of `frame` as CSV.

        Returns
        -------
        str
            The text of the file.
        """
        rows, text = self.rows(), io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()


def _outcome(run: Run, design: Design) -> dict[str, Any]:
    """The outcome of a run that has epochs: fields of `StudyRun`."""
    cost = cost_of(run.epochs, design.target, design.worst)
    in_step = len(set(run.progress.epoch)) == 1
    best = max(run.front, key=lambda m: (-math.inf if math.isnan(m.validation) else m.validation, m.held_out))
    stopped = run.state == "stopped"
    return {
        **{name: getattr(run, name) for name in ("evaluations", "generation", "archive_sha256")},
        **{name: getattr(best, name) for name in ("held_out", "low", "high", "worst", "excitatory", "inhibitory")},
        "state": REACHED if stopped and in_step and design.until_target and cost.reached else run.state,
        "reached": cost.reached,
        "evaluations_to_target": cost.evaluations,
        "core_seconds_to_target": cost.core_seconds,
        "core_seconds": sum(epoch["timings"]["total"] for epoch in run.epochs),
        "best_held_out": run.front[0].held_out,
        "synapses": best.circuit.synapse_count,
        "energy": best.spikes + best.events,
    }


def open_study(folder) -> Study:
    """Open the folder of a study for reading; no code that lies in it is executed.

    Parameters
    ----------
    folder : str or path-like
        The folder of the study.

    Returns
    -------
    Study
        The study.

    Raises
    ------
    circuits.errors.UserError
        For a folder that holds no study, or a damaged one.

    Examples
    --------
    >>> import evo
    >>> small = {"search.population": ["16"], "search.islands": ["1"], "search.generations": ["2"]}
    >>> study = evo.run_study(["gate"], out="runs/opened", seeds=2, workers=0, settings=small)
    >>> evo.open_study("runs/opened").state
    'finished'
    """
    return Study(folder)


def is_study(path) -> bool:
    """True for the folder of a study."""
    return (Path(path) / STUDY).is_file()
