"""Evolutionary search for circuits: runs, their storage and their inspection.

A search gives a run, whose circuits are saved as motifs:

    run = evo.run("runs/itd.toml", workers=0)
    run.front[0].held_out
    circuits.save(run.motif(rank=0), "motif.json")
"""

from evo import own_packages  # noqa: F401 - first: it imports circuits and fitness

# isort: split
from circuits import show
from circuits.version import __version__
from evo.evolver import Evolver
from evo.running.search import fork, resume, run
from evo.running.study import resume_study, run_study
from evo.storage.front import Member
from evo.storage.run_folder import Run, open_run
from evo.studies.study.folder import Study, open_study


def lab(run, rank: int | None = None, height: int = 900):
    """Show a run in a notebook as `evo lab` shows it in the browser, or a circuit of it on the bench.

    Nothing in the run folder is executed. The widget needs anywidget: pip install 'evocircuits[notebook]'.

    Parameters
    ----------
    run : Run or str or path-like
        A run, or its folder.
    rank : int, optional
        Rank of a circuit of the front, which is put on the bench, where it can be changed.
    height : int
        Height of the cell in pixels.

    Returns
    -------
    anywidget.AnyWidget
        The widget, which a notebook shows.

    Raises
    ------
    circuits.errors.UserError
        For a folder that holds no run.
    circuits.errors.MachineError
        If anywidget is not installed.

    Examples
    --------
    >>> import evo
    >>> shown = evo.lab("runs/mine", rank=0)  # doctest: +SKIP
    """
    from evo.web.widget import widget

    return widget(run if isinstance(run, Run) else open_run(run), rank, height)


show.drawn_by(Run, "html", "evo.inspect.notebook:of_run")
show.drawn_by(Evolver, "html", "evo.inspect.notebook:of_evolver")

__all__ = [
    "Evolver",
    "Member",
    "Run",
    "Study",
    "__version__",
    "fork",
    "lab",
    "open_run",
    "open_study",
    "resume",
    "resume_study",
    "run",
    "run_study",
]
