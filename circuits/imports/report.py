"""Translation of another tool's file to a motif, feature by feature, in the words of the exports
(`circuits.export.features`)."""

from collections.abc import Iterable
from typing import NoReturn

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.export.features import APPROXIMATE, DROPPED, EXACT, Kept, exact, features
from circuits.motif_file import Motif, Provenance

_WORSE = (EXACT, APPROXIMATE, DROPPED)
_MOST = 3  # remarks on one feature


class Report:
    """The remarks made while a file is read. `place` names the file in messages."""

    def __init__(self, place: str):
        self.place = place
        self._remarks: dict[str, list[Kept]] = {}

    def say(self, feature: str, kept: Kept) -> None:
        """A remark on a feature; the worst one decides what the table says of it."""
        remarks = self._remarks.setdefault(feature, [])
        if kept not in remarks:
            remarks.append(kept)

    def forget(self) -> None:
        """Take back all remarks: nothing was changed after all."""
        self._remarks.clear()

    def refuse(self, feature: str, how: str) -> NoReturn:
        """Raise the UserError of a file that has something no motif can have."""
        raise UserError(f"{self.place}: {feature} cannot be imported: {how}")

    def table(self, circuit: Circuit) -> dict[str, Kept]:
        """Translation of each feature: those of the motif first, then those that only the file has."""
        names = [
            name
            for name in features(circuit)
            if name != "provenance" or _comes_from_somewhere(circuit) or name in self._remarks
        ]
        return {name: self._of(name) for name in (*names, *(n for n in self._remarks if n not in names))}

    def _of(self, name) -> Kept:
        remarks = self._remarks.get(name)
        if not remarks:
            return exact()
        status = max((kept.status for kept in remarks), key=_WORSE.index)
        hows = [kept.how for kept in remarks if kept.status == status and kept.how]
        more = f" (and {len(hows) - _MOST} more)" if len(hows) > _MOST else ""
        return Kept(status, "; ".join(hows[:_MOST]) + more)


def _comes_from_somewhere(circuit):
    return isinstance(circuit, Motif) and circuit.provenance != Provenance()


def inexact(table: dict[str, Kept]) -> list[str]:
    """The features that were not taken exactly, as text: "delays approximate: ..."."""
    return [f"{name} {status}: {how}" for name, (status, how) in table.items() if status != EXACT]


def listed(names: Iterable, most: int = 3) -> str:
    """A few names of many."""
    shown = [str(name) for name in names]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")
