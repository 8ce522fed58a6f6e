"""Notebook views of runs and Evolvers: the first circuits of the front, and the wiring of the best."""

from html import escape

from circuits.drawing.notebook import of_circuit
from evo.inspect.terminal.table import row

SHOWN = 10


def of_run(run) -> str:
    more = "run.frame() has them all"
    return _of(f"<b>{escape(run.name)}</b>: {escape(repr(run))}", run.front, "nothing is stored yet", more)


def of_evolver(evolver) -> str:
    return _of(escape(repr(evolver)), evolver.front, "no scores were told yet", "evolver.front has them all")


def _of(head, front, nothing, where):
    head = f"<div>{head}</div>"
    if not front:
        return f"{head}<div>{nothing}</div>"
    columns = "".join(f"<th>{escape(name)}</th>" for name in row(front[0]))
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row(m).values())}</tr>" for m in front[:SHOWN])
    more = f"<div>and {len(front) - SHOWN} more: {where}</div>" if len(front) > SHOWN else ""
    table = f"<table><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<div>{head}{table}{more}{of_circuit(front[0].circuit)}</div>"
