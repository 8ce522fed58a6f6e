"""Motifs from edge lists: tables of text with the columns source, target, sign or weight, and delay_ms.

    source,target,sign,weight,delay_ms
    retina,cell,input,30,1
    cell,partner,E,12.5,2
    partner,cell,I,8,1.5

Columns are parted by commas, semicolons or tabs; lines that begin with # are left out. `sign` is E or I (+1 or -1), that of the
source neuron, or `input`: the source is an input channel. Without that column the weights have the signs. Weights are in mV.
"""

import csv
import io
from pathlib import Path

from circuits.errors import UserError
from circuits.export.features import dropped
from circuits.files import read_text
from circuits.imports.draft import assembled, check_size
from circuits.imports.edges import Edges, number, sign_of
from circuits.imports.report import Report, listed
from circuits.motif_file import Motif

COLUMNS = {
    "source": ("source", "pre", "from", "presynaptic"),
    "target": ("target", "post", "to", "postsynaptic"),
    "sign": ("sign", "ei", "e/i"),
    "weight": ("weight_mv", "weight"),
    "delay": ("delay_ms", "delay"),
}


def read(
    path: Path, report: Report, dt_ms: float | None, split: bool, inputs: tuple[str, ...] = (), outputs: tuple[str, ...] = ()
) -> Motif:
    """The motif that an edge list describes; inputs and outputs: names of nodes that are input channels, that are read."""
    lines = [(k, line) for k, line in enumerate(read_text(path).splitlines(), 1) if line.strip() and not line.startswith("#")]
    if not lines:
        raise UserError(f"{path}: is empty, not an edge list")
    check_size(report, 0, len(lines) - 1)
    head = lines[0][1]
    delimiter = max(",;\t", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO("\n".join(line for _, line in lines)), delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise UserError(f"{path}: no edge list: {error}") from None
    place = _places([name.strip().lower() for name in rows[0]], path, report)
    found = Edges(report, dt_ms, inputs, outputs)
    for (line, _), row in zip(lines[1:], rows[1:], strict=False):
        if len(row) != len(rows[0]):
            raise UserError(f"{path}: line {line}: has {len(row)} values for {len(rows[0])} columns")
        source, target, sign, weight, delay = (row[place[key]].strip() if key in place else None for key in COLUMNS)
        where = f"line {line}"
        if not source or not target:
            report.refuse(where, "it has no source or no target")
        kind = sign_of(sign, f"{where}: sign", report)
        size, time = number(weight, f"{where}: weight", report), number(delay, f"{where}: delay_ms", report)
        found.add(source, target, kind, size, time, where)
    return assembled(found.finished(), report, split)


def _places(head, path, report) -> dict[str, int]:
    """Index of each column."""
    place = {key: next((head.index(name) for name in names if name in head), -1) for key, names in COLUMNS.items()}
    missing = [key for key in ("source", "target") if place[key] < 0]
    if missing or (place["sign"] < 0 and place["weight"] < 0):
        wanted = "source, target, sign or weight, and delay_ms"
        raise UserError(f"{path}: no edge list: line 1 must name the columns {wanted}; it names {listed(head, 6)}")
    other = [name for k, name in enumerate(head) if k not in place.values()]
    if other:
        report.say(f"columns {listed(other)}", dropped("an edge list has a source, a target, a sign, a weight and a delay"))
    return {key: k for key, k in place.items() if k >= 0}
