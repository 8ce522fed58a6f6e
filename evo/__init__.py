"""How circuits are searched for, stored and shown.

run = evo.run("runs/itd.toml", workers=0)
run.front[0].held_out
circuits.save(run.motif(rank=0), "motif.json")
"""

from evo import own_packages  # noqa: F401 - first: it imports circuits and fitness

# isort: split
from circuits.version import __version__
from evo.run_folder import Member, Run, open_run
from evo.search import fork, resume, run

__all__ = ["Member", "Run", "__version__", "fork", "open_run", "resume", "run"]
