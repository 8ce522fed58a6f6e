"""Motifs from edge lists: tables of text with the columns source, target, sign or weight, and delay_ms.

    source,target,sign,weight,delay_ms
    retina,cell,input,30,1
    cell,partner,E,12.5,2
    partner,cell,I,8,1.5

Columns are separated by commas, semicolons or tabs; lines that begin with # are comments. `sign` is E or I (+1 or -1), of the
source neuron, or `input`: the source is an input channel. Without this column the weights are signed. Weights are in mV.
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
    """Read the motif in an edge list. inputs, outputs: the names of nodes that are input channels or get output ports."""
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
    column = _columns([name.strip().lower() for name in rows[0]], path, report)
    edges = Edges(report, dt_ms, inputs, outputs)
    for (line, _), row in zip(lines[1:], rows[1:], strict=False):
        if len(row) != len(rows[0]):
            raise UserError(f"{path}: line {line}: has {len(row)} values for {len(rows[0])} columns")
        source, target, sign, weight, delay = (row[column[key]].strip() if key in column else None for key in COLUMNS)
        location = f"line {line}"
        if not source or not target:
            report.refuse(location, "it has no source or no target")
        kind = sign_of(sign, f"{location}: sign", report)
        weight_mv, delay_ms = number(weight, f"{location}: weight", report), number(delay, f"{location}: delay_ms", report)
        edges.add(source, target, kind, weight_mv, delay_ms, location)
    return assembled(edges.finished(), report, split)


def _columns(head, path, report) -> dict[str, int]:
    """The index of each column in the table."""
    index = {key: next((head.index(name) for name in names if name in head), -1) for key, names in COLUMNS.items()}
    missing = [key for key in ("source", "target") if index[key] < 0]
    if missing or (index["sign"] < 0 and index["weight"] < 0):
        expected = "source, target, sign or weight, and delay_ms"
        raise UserError(f"{path}: no edge list: line 1 must name the columns {expected}; it names {listed(head, 6)}")
    other = [name for k, name in enumerate(head) if k not in index.values()]
    if other:
        report.say(f"columns {listed(other)}", dropped("an edge list has a source, a target, a sign, a weight and a delay"))
    return {key: k for key, k in index.items() if k >= 0}
