"""A folder of motifs with their cards, as a read-only mapping."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from html import escape
from pathlib import Path

from pydantic import ValidationError

from circuits.errors import UserError, one_line
from circuits.motif_file import Motif, load
from circuits.zoo.card import Card
from circuits.zoo.learned_parts import LearnedParts


class Zoo(Mapping[str, Motif]):
    """The motifs in a folder by name, as a read-only mapping.

    A name is the task and the number of neurons, and a letter where two motifs would share a name: "itd-8". Files are read on
    use. `circuits.zoo` is the zoo that ships with the package. Parts evolved for learning are in `parts`: indexing finds them,
    iteration does not list them.

    Parameters
    ----------
    folder : pathlib.Path
        The folder with motifs/NAME.json, cards/NAME.json and pictures/NAME.svg.

    Raises
    ------
    circuits.errors.UserError
        For an unknown name, with similar ones.

    Examples
    --------
    >>> from circuits import zoo
    >>> len(zoo), zoo["gate-3"].circuit.synapse_count
    (36, 6)
    """

    def __init__(self, folder: Path):
        self.folder, self.parts = folder, LearnedParts(folder / "learned")

    def __getitem__(self, name: str) -> Motif:
        """The motif, or the part, of this name. Raises UserError for an unknown name, with similar ones."""
        return self.parts[name] if name in self.parts else load(self._file("motifs", name, ".json"))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def get(self, name, default=None):
        """The motif of a name, or a default.

        Parameters
        ----------
        name : str
            Name of the motif.
        default : object
            Returned if there is no motif of this name.

        Returns
        -------
        Motif
            The motif, or the default.
        """
        return self[name] if name in self else default  # noqa: SIM401 - an unknown name is no KeyError here

    def card(self, name: str) -> Card:
        """The card of a motif.

        Parameters
        ----------
        name : str
            Name of the motif.

        Returns
        -------
        Card
            Scores, lesions and origin of the motif.
        """
        path = self._file("cards", name, ".json")
        try:
            card = Card.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise UserError(f"{path}: is damaged: {one_line(error)}; install evocircuits again") from None
        return card.model_copy(update={"picture": self._file("pictures", name, ".svg").read_text(encoding="utf-8")})

    @cached_property
    def _names(self) -> list[str]:
        return sorted((path.stem for path in (self.folder / "motifs").glob("*.json")), key=_in_order)

    def _file(self, kind, name, suffix):
        if name not in self:
            of_task = [motif_name for motif_name in self if motif_name.partition("-")[0] == str(name).partition("-")[0]]
            near = of_task or get_close_matches(str(name), self, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else "evo zoo lists them"
            raise UserError(f"the zoo has no {name!r}; {hint}")
        return self.folder / kind / f"{name}{suffix}"

    def _repr_html_(self) -> str:
        heading = ("motif", "task", "held out", "worst condition", "E", "I", "synapses")
        rows = [
            (
                c.name,
                c.title,
                f"{c.held_out.score:.3f}",
                f"{c.worst.score:.3f}" if c.worst else "",
                str(c.excitatory),
                str(c.inhibitory),
                str(c.synapses),
            )
            for c in map(self.card, self)
        ]
        lines = [("th", heading), *(("td", row) for row in rows)]
        cells = [f"<tr>{''.join(f'<{tag}>{escape(text)}</{tag}>' for text in row)}</tr>" for tag, row in lines]
        return f"<table>{''.join(cells)}</table>"

    def __repr__(self):
        return f"<Zoo of {len(self)} motifs: {', '.join(self)}>"


def _in_order(name):
    """The sort key: task, then size, then letter."""
    task, size, letter = re.fullmatch(r"(.*?)-?(\d*)([a-z]*)", name).groups()  # type: ignore[union-attr]
    return task, int(size or 0), letter
