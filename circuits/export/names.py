"""Names that a file format cannot hold: what of ids, channels, ports and cell types makes an export refuse."""

import re
from typing import NamedTuple

from circuits.circuit import Circuit
from circuits.errors import UserError


class Forbidden(NamedTuple):
    """Characters that a format has no room for: a regular expression, and what they are."""

    pattern: str
    what: str


XML = Forbidden("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "a control character, which XML cannot hold")
HDF5 = Forbidden("[\x00\ud800-\udfff]", "a null character, which HDF5 cannot hold")


def check_names(circuit: Circuit, forbidden: Forbidden, target: str) -> None:
    """Raise UserError that quotes the first name in the circuit with a forbidden character."""
    names = [str(n.id) for n in circuit.neurons] + [n.type for n in circuit.neurons]
    names += [channel.name for channel in circuit.inputs] + [port.name for port in circuit.outputs]
    for name in names:
        if re.search(forbidden.pattern, name):
            raise UserError(f"{target}: a name has {forbidden.what}; rename it in the motif file: {name!a}")
