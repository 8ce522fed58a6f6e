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
from evo.search import fork, resume, run
from evo.storage.run_folder import Member, Run, open_run
from evo.studies.study.folder import Study, open_study
from evo.study import resume_study, run_study

show.drawn_by(Run, "html", "evo.inspect.notebook:of_run")
show.drawn_by(Evolver, "html", "evo.inspect.notebook:of_evolver")

__all__ = [
    "Evolver",
    "Member",
    "Run",
    "Study",
    "__version__",
    "fork",
    "open_run",
    "open_study",
    "resume",
    "resume_study",
    "run",
    "run_study",
]
