"""Parts of the zoo that were evolved for learning, as copies in trained networks, each with a card."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from circuits.errors import UserError, one_line
from circuits.motif_file import Motif, load
from circuits.part import Part


class Course(Part):
    """Learning curves of networks of copies of one circuit, means over trainings.

    rate        learning rate, chosen from the same candidates for all circuits in a separate training
    parameters  number of trained parameters
    steps       training steps at which accuracy is measured
    accuracy    balanced, on held-out trials;   final  at the end, of each training
    spikes      of all neurons in a trial, at the end
    """

    rate: float
    parameters: int
    steps: tuple[int, ...]
    accuracy: tuple[float, ...]
    final: tuple[float, ...]
    spikes: float


class LearnedCard(Part):
    """Card of a part: the task that it was evolved to learn, its learning curves, and those of controls.

    title     in words;   task  [task] of the spec of its search, on which all circuits are trained
    spec      the run spec, a path in the repository;   seed, evaluations  of the search
    seeds     of the trainings (trials, initial weights, order of trials), none of them the search's
    courses   by the name of the circuit, the part itself first;   chance  accuracy of guessing
    sha256    digest of the motif
    """

    name: str
    title: str
    task: dict[str, Any]
    spec: str
    seed: int
    evaluations: int
    seeds: tuple[int, ...]
    courses: dict[str, Course]
    chance: float
    sha256: str

    @property
    def text(self) -> str:
        """The card as lines of text."""
        courses = self.courses.items()
        steps = next(iter(self.courses.values())).steps
        lines = [
            f"{self.name}: {self.title}. Found by {self.spec}, seed {self.seed}, {self.evaluations:,} circuits tried.",
            f"balanced accuracy after {', '.join(map(str, steps))} steps of training, means of {len(self.seeds)}; chance is "
            f"{self.chance:.2f}:",
        ]
        width = max(len(name) for name, _ in courses)
        for name, course in courses:
            values = "  ".join(f"{value:.3f}" for value in course.accuracy)
            each = " ".join(f"{value:.3f}" for value in course.final)
            lines.append(f"  {name:<{width}}  {values}  ({each}); {course.parameters} parameters, {course.spikes:,.0f} spikes")
        return "\n".join(lines)


class LearnedParts(Mapping[str, Motif]):
    """The parts in a folder by name, NAME.json with NAME.card.json, as a read-only mapping.

    Parameters
    ----------
    folder : pathlib.Path
        The folder.

    Examples
    --------
    >>> from circuits import zoo
    >>> all(zoo.parts.card(name).courses for name in zoo.parts)
    True
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def __getitem__(self, name: str) -> Motif:
        if name not in self:
            raise KeyError(name)
        return load(self.folder / f"{name}.json")

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.stem for path in self.folder.glob("*.json") if not path.stem.endswith(".card")))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def card(self, name: str) -> LearnedCard:
        """The card of a part.

        Parameters
        ----------
        name : str
            Name of the part.

        Returns
        -------
        LearnedCard
            Learning curves of the part and of its controls, and its origin.

        Raises
        ------
        circuits.errors.UserError
            For an unknown name.
        """
        if name not in self:
            raise UserError(f"the zoo has no part {name!r}; it has {', '.join(self)}")
        path = self.folder / f"{name}.card.json"
        try:
            return LearnedCard.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise UserError(f"{path}: is damaged: {one_line(error)}; install evocircuits again") from None
