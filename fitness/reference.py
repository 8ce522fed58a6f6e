"""The reference circuit of each task: built by hand after the literature, shipped as a motif file."""

from pathlib import Path

from circuits.edit.lesion import lesion
from circuits.errors import UserError
from circuits.motif_file import Motif, load
from fitness.task import Task

FOLDER = Path(__file__).parent / "references"


def reference(name: str) -> Motif:
    """The reference circuit of the task `name`, for its default settings. Raises UserError where there is none."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        raise UserError(
            f"task {name}: has no reference circuit; there are {', '.join(sorted(p.stem for p in FOLDER.glob('*.json')))}"
        )
    return load(path)


def lesioned(task: Task) -> Motif:
    """The reference circuit without the connections that its task calls decisive."""
    return lesion(reference(task.name), connections=task.decisive)
