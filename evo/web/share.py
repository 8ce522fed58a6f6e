"""Results of the bench to take away: the motif with its parent, and self-contained code of the circuit."""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from circuits.errors import UserError
from circuits.export import TARGETS
from circuits.export.features import translated
from circuits.export.script_folder import SCRIPTS
from circuits.motif_file import Motif, digest, dumps, save
from circuits.part import Part
from evo.spec.starter import starter
from evo.web.bench import Query

FOLDER = "circuits"  # below the lab's folder, where circuits are kept that runs begin with
_NAME = re.compile(r"[^\w.-]+", re.ASCII)
BEGIN = {
    "nest": "nest.resolution = MOTIF['dt_ms']\nneurons, channels = build(MOTIF)\n",
    "brian2": "prefs.codegen.target = 'numpy'\ndefaultclock.dt = MOTIF['dt_ms'] * ms\n"
    "neurons, channels, synapses = build(MOTIF)\n",
}


def motif(query: Query) -> Motif:
    """The circuit after the edits, with the original as its parent; without edits, the original motif."""
    source = query.source
    if not query.edits:
        return source.motif
    origin = source.motif.provenance
    return Motif.of(query.circuit, task=origin.task, seed=origin.seed, parent=source.parent)


def keep(query: Query, name: Any, folder: Path) -> Path:
    """Write the motif below the lab's folder, so that a run can begin with it. A file of another circuit is not replaced."""
    stem = _NAME.sub("_", name if isinstance(name, str) else "").strip("._")[:60] or "circuit"
    edited = motif(query)
    path = folder / FOLDER / f"{stem}-{digest(edited.circuit)[:12]}.json"
    save(edited, path)
    return path


def code(query: Query, form: Any) -> str:
    """The circuit as code: "python", "toml" (a run that begins with it), "nest", "brian2" or "motif"."""
    edited = motif(query)
    if form == "motif":
        return dumps(edited)
    if form == "python":
        return _python(edited)
    if form == "toml":
        return _toml(edited)
    if form in BEGIN:
        return _script(edited, form)
    raise UserError(f"form: one of python, toml, nest, brian2, motif, not {form!r}")


def _python(edited: Motif) -> str:
    circuit = edited.circuit
    names = sorted({type(part).__name__ for part in _parts(circuit)})
    lines = [f"from circuits import {', '.join(names)}", "", f"circuit = {_written(circuit)}"]
    return "\n".join(lines) + "\n"


def _parts(part):
    yield part
    for name in type(part).model_fields:
        value = getattr(part, name)
        for element in value if isinstance(value, tuple) else (value,):
            if isinstance(element, Part):
                yield from _parts(element)


def _written(part, indent=""):
    """The expression that makes a part, without fields at their defaults."""
    deeper, fields = indent + "    ", type(part).model_fields
    lines = []
    for name, field in fields.items():
        value = getattr(part, name)
        if value == field.default or (value == () and not field.is_required()):
            continue
        if isinstance(value, tuple) and value and isinstance(value[0], Part):
            inner = "".join(f"{deeper}    {_written(element, deeper + '    ')},\n" for element in value)
            lines.append(f"{deeper}{name}=[\n{inner}{deeper}],\n")
        elif isinstance(value, Part):
            lines.append(f"{deeper}{name}={_written(value, deeper)},\n")
        else:
            lines.append(f"{deeper}{name}={list(value) if isinstance(value, tuple) else value!r},\n")
    flat = ", ".join(line.strip().rstrip(",") for line in lines)
    whole = f"{type(part).__name__}({flat})"
    if "\n" not in flat and "[\n" not in "".join(lines) and len(indent) + len(whole) < 118:
        return whole
    return f"{type(part).__name__}(\n{''.join(lines)}{indent})"


def _toml(edited: Motif) -> str:
    task = dict(edited.provenance.task or {})
    name = task.pop("name", None)
    if not isinstance(name, str):
        raise UserError("TOML is a run that begins with the circuit, and the circuit names no task: choose one first")
    values = {"task": task, "search": {"founders": ["circuit.json"]}}
    head = "# A run that begins with the circuit; save the motif file as circuit.json beside this one.\n"
    return head + starter(name, edited.neuron_model, values=values)


def _script(edited: Motif, target: str) -> str:
    """The script of an export without its part that runs the example, with the motif in it."""
    module = import_module(TARGETS[target])
    translated(edited, module.FORMS, target)  # raises for features that the target lacks
    text = (SCRIPTS / f"run_{target}.py").read_text(encoding="utf-8").partition("\ndef main():")[0].rstrip()
    text = re.sub(r"^from example import .*\n", "", text, flags=re.MULTILINE)
    text = text.replace("cannot_run(", "raise SystemExit(")
    body = text.partition('"""\n')[2]  # without the docstring, which speaks of the example
    docstring = f'"""This circuit in {"NEST" if target == "nest" else "Brian2"}: `build` makes it."""\n'
    motif_text = json.dumps(json.loads(dumps(edited)))
    return f"{docstring}{body}\n\n\nMOTIF = json.loads({motif_text!r})\n{BEGIN[target]}"
