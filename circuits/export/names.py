"""Ids and names of neurons, channels, ports and cell types that a file format cannot hold."""

import re
from typing import NamedTuple

from circuits.circuit import Circuit
from circuits.errors import UserError


class Forbidden(NamedTuple):
    """Characters that a format cannot hold: a regular expression and a description."""

    pattern: str
    description: str


XML = Forbidden("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "a control character, which XML cannot hold")
HDF5 = Forbidden("[\x00\ud800-\udfff]", "a null character, which HDF5 cannot hold")


def check_names(circuit: Circuit, forbidden: Forbidden, target: str) -> None:
    """Raise UserError that quotes the first name in the circuit with a forbidden character."""
    names = [str(n.id) for n in circuit.neurons] + [n.type for n in circuit.neurons]
    names += [channel.name for channel in circuit.inputs] + [port.name for port in circuit.outputs]
    for name in names:
        if re.search(forbidden.pattern, name):
            raise UserError(f"{target}: a name has {forbidden.description}; rename it in the motif file: {name!a}")
