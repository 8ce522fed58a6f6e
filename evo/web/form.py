"""The spec of a run as a form: sections of fields with their texts and ranges, values, TOML, and the fields of errors."""

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema

from circuits.errors import UserError
from circuits.neurons import LIF_PSC_EXP
from circuits.part import prose
from evo.spec.circuit_section import STATIC, CircuitBounds, ranges
from evo.spec.resolve import as_toml
from evo.spec.run_spec import RunSpec, checked_with_task, parse
from evo.spec.search_section import Search, Stop
from evo.spec.starter import starter
from fitness.tasks import BUILT_IN

PLACE = "the spec"
_FIELD = re.compile(rf"{PLACE}: ((?:task|circuit|search)(?:\.\w+|\[\w+\])*): (.*)", re.DOTALL)
_SETTING = re.compile(rf"{PLACE}: task \S+: (\w+): (.*)", re.DOTALL)
LARGEST = 200_000  # characters of a spec


def form(task: Any, founder: Any = None) -> dict:
    """The form of a new run for a built-in task, with its default values; founder: a circuit that the run begins with."""
    if task not in BUILT_IN:
        raise UserError(f"task: one of {', '.join(BUILT_IN)}, not {task!r}")
    values = {"search": {"founders": [founder]}} if isinstance(founder, str) and founder else {}
    return of_toml(starter(task, values=values))


def of_toml(text: Any) -> dict:
    """The form of a spec in TOML. Raises UserError for other text."""
    if not isinstance(text, str) or len(text) > LARGEST:
        raise UserError(f"{PLACE}: must be TOML of at most {LARGEST:,} characters")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{PLACE}: not TOML: {error}") from None
    return {"values": values, "toml": text, "sections": _sections(values)}


def of_values(values: Any) -> dict:
    """The form of a spec as a dict of its sections."""
    if not isinstance(values, dict):
        raise UserError(f"{PLACE}: must be sections")
    return {"values": values, "toml": as_toml(values), "sections": _sections(values)}


def checked(text: str, folder: Path) -> tuple[RunSpec, bool]:
    """The spec in this TOML, and whether it names the user's own code. Such code is not checked: it is executed only when the
    run starts. Raises UserError."""
    spec = parse(text, PLACE)
    own = bool(spec.own_code)
    if not own:
        checked_with_task(spec, folder, PLACE)
    return spec, own


def place_of(message: str) -> tuple[str, str]:
    """The field that an error message is about ("" if none), and the rest of the message."""
    if match := _FIELD.fullmatch(message):
        return match[1], match[2]
    if match := _SETTING.fullmatch(message):
        return f"task.{match[1]}", match[2]
    return "", message.removeprefix(f"{PLACE}: ")


def _sections(values):
    circuit = values.get("circuit", {}) if isinstance(values.get("circuit"), dict) else {}
    names = circuit.get("neuron_model", LIF_PSC_EXP.name), circuit.get("synapse_model", STATIC)
    try:
        parameters = ranges(*names)
    except KeyError:
        parameters = ranges(LIF_PSC_EXP.name, STATIC)
    name = values.get("task", {}).get("name") if isinstance(values.get("task"), dict) else None
    kind = BUILT_IN.get(name) if isinstance(name, str) else None
    sections = [_section("task", kind)] if kind is not None else []
    sections += [_section("circuit", CircuitBounds, ("parameters", "types")), _section("circuit.parameters", parameters)]
    return [*sections, _section("search", Search, ("stop",)), _section("search.stop", Stop)]


def _section(name, model: type[BaseModel], leave_out=()):
    try:
        schema = model.model_json_schema()
    except PydanticInvalidForJsonSchema:
        schema = {"properties": {key: {} for key in model.model_fields}}
    fields = [
        _field(key, about, schema.get("$defs", {})) for key, about in schema["properties"].items() if key not in leave_out
    ]
    return {
        "name": name,
        "text": prose(model.__doc__).partition("\n")[0] if name != "circuit.parameters" else "",
        "fields": fields,
    }


def _field(key, about, definitions):
    parts = about.get("anyOf", [about])
    schema = next((p for p in parts if p.get("type") != "null"), {})
    schema = definitions.get(schema.get("$ref", "").rpartition("/")[2], schema)
    schema = schema | {k: v for k, v in about.items() if k != "anyOf"}
    choices = schema.get("enum") or ([schema["const"]] if "const" in schema else None)
    return {
        "key": key,
        "text": about.get("description", ""),
        "type": schema.get("type", "any"),
        "choices": choices,
        "default": about.get("default"),
        "minimum": schema.get("minimum", schema.get("exclusiveMinimum")),
        "maximum": schema.get("maximum", schema.get("exclusiveMaximum")),
        "optional": len(parts) > 1 and any(p.get("type") == "null" for p in parts),
    }
