"""The reference circuit of each task, built by hand after the literature, as a motif file."""

from pathlib import Path

from circuits.edit.lesion import lesion
from circuits.errors import UserError
from circuits.motif_file import Motif, load
from fitness.base.task import Task

FOLDER = Path(__file__).parent


def reference(name: str) -> Motif:
    """The reference circuit of a task, built by hand for its default settings.

    Parameters
    ----------
    name : str
        Name of a task that ships.

    Returns
    -------
    Motif
        The circuit with its provenance.

    Raises
    ------
    circuits.errors.UserError
        Where there is no reference circuit.

    Examples
    --------
    >>> import fitness
    >>> fitness.reference("gate").circuit.outputs[0].name
    'out'
    """
    path = FOLDER / f"{name}.json"
    if not path.exists():
        raise UserError(
            f"task {name}: has no reference circuit; there are {', '.join(sorted(p.stem for p in FOLDER.glob('*.json')))}"
        )
    return load(path)


def reference_of(task: Task) -> Motif | None:
    """The reference circuit of a task, None for one that has none or does not ship."""
    ships = type(task).__module__.startswith("fitness.") and (FOLDER / f"{task.name}.json").exists()
    return reference(task.name) if ships else None


def lesioned(task: Task) -> Motif:
    """The reference circuit without the connections that its task calls critical."""
    return lesion(reference(task.name), connections=task.critical_connections)
