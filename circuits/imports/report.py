"""Report of an import: the translation of each feature of another tool's file, in the terms of `circuits.export.features`."""

from collections.abc import Iterable
from typing import NoReturn

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.export.features import APPROXIMATE, DROPPED, EXACT, Translation, exact, features
from circuits.motif_file import Motif, Provenance

_WORSE = (EXACT, APPROXIMATE, DROPPED)
_MAX_SHOWN = 3  # remarks on one feature


class Report:
    """Remarks made while a file is read. `location` is the file's name in messages."""

    def __init__(self, location: str):
        self.location = location
        self._remarks: dict[str, list[Translation]] = {}

    def say(self, feature: str, remark: Translation) -> None:
        """Add a remark on a feature; the worst remark decides the feature's status in the table."""
        remarks = self._remarks.setdefault(feature, [])
        if remark not in remarks:
            remarks.append(remark)

    def forget(self) -> None:
        """Drop all remarks: the import turned out exact."""
        self._remarks.clear()

    def refuse(self, feature: str, how: str) -> NoReturn:
        """Raise the UserError for a feature that no motif can have."""
        raise UserError(f"{self.location}: {feature} cannot be imported: {how}")

    def table(self, circuit: Circuit) -> dict[str, Translation]:
        """The translation of each feature: first the motif's features, then those of the file alone."""
        names = [
            name
            for name in features(circuit)
            if name != "provenance" or _comes_from_somewhere(circuit) or name in self._remarks
        ]
        return {name: self._of(name) for name in (*names, *(n for n in self._remarks if n not in names))}

    def _of(self, name) -> Translation:
        remarks = self._remarks.get(name)
        if not remarks:
            return exact()
        status = max((remark.status for remark in remarks), key=_WORSE.index)
        hows = [remark.how for remark in remarks if remark.status == status and remark.how]
        more = f" (and {len(hows) - _MAX_SHOWN} more)" if len(hows) > _MAX_SHOWN else ""
        return Translation(status, "; ".join(hows[:_MAX_SHOWN]) + more)


def _comes_from_somewhere(circuit):
    return isinstance(circuit, Motif) and circuit.provenance != Provenance()


def inexact(table: dict[str, Translation]) -> list[str]:
    """The features that were not imported exactly, as text: "delays approximate: ..."."""
    return [f"{name} {status}: {how}" for name, (status, how) in table.items() if status != EXACT]


def listed(names: Iterable, limit: int = 3) -> str:
    """The first names as text: "a, b, c and 5 more"."""
    texts = [str(name) for name in names]
    return ", ".join(texts[:limit]) + (f" and {len(texts) - limit} more" if len(texts) > limit else "")
