"""The spec of a run as a form: sections of fields with their texts and ranges, values and TOML of the same spec, and the field
that an error is about."""

import re
import tomllib
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema

from circuits.errors import UserError
from circuits.neurons import LIF_PSC_EXP
from circuits.part import prose
from evo.spec.run_spec import STATIC, CircuitBounds, RunSpec, Search, Stop, checked_with_task, parse, ranges
from evo.spec.starter import starter
from fitness.tasks import BUILT_IN

PLACE = "the spec"
_FIELD = re.compile(rf"{PLACE}: ((?:task|circuit|search)(?:\.\w+|\[\w+\])*): (.*)", re.DOTALL)
_SETTING = re.compile(rf"{PLACE}: task \S+: (\w+): (.*)", re.DOTALL)
LARGEST = 200_000  # characters of a spec


def form(task: Any, founder: Any = None) -> dict:
    """The form of a new run for a task that ships, with the values that suit it; founder: a circuit that it begins with."""
    if task not in BUILT_IN:
        raise UserError(f"task: one of {', '.join(BUILT_IN)}, not {task!r}")
    values = {"search": {"founders": [founder]}} if isinstance(founder, str) and founder else {}
    return of_toml(starter(task, values=values))


def of_toml(text: Any) -> dict:
    """The form of a spec that is given as TOML. Raises UserError where it is none."""
    if not isinstance(text, str) or len(text) > LARGEST:
        raise UserError(f"{PLACE}: TOML of at most {LARGEST:,} characters is wanted")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{PLACE}: not TOML: {error}") from None
    return {"values": values, "toml": text, "sections": _sections(values)}


def of_values(values: Any) -> dict:
    """The form of a spec that is given as its sections."""
    if not isinstance(values, dict):
        raise UserError(f"{PLACE}: must be sections")
    try:
        text = tomli_w.dumps(_without_none(values))
    except (TypeError, ValueError) as error:
        raise UserError(f"{PLACE}: {error}") from None
    return {"values": values, "toml": text, "sections": _sections(values)}


def checked(text: str, folder: Path) -> tuple[RunSpec, bool]:
    """The spec that TOML stands for, and whether it names code of the user's own, which is then not looked at: it is executed
    only when the run is started. Raises UserError."""
    spec = parse(text, PLACE)
    own = bool(spec.own_code)
    if not own:
        checked_with_task(spec, folder, PLACE)
    return spec, own


def place_of(message: str) -> tuple[str, str]:
    """The field that an error is about, "" where it is about none, and what is wrong with it."""
    if found := _FIELD.fullmatch(message):
        return found[1], found[2]
    if found := _SETTING.fullmatch(message):
        return f"task.{found[1]}", found[2]
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
    some = next((p for p in parts if p.get("type") != "null"), {})
    some = definitions.get(some.get("$ref", "").rpartition("/")[2], some) | {k: v for k, v in about.items() if k != "anyOf"}
    choices = some.get("enum") or ([some["const"]] if "const" in some else None)
    return {
        "key": key,
        "text": about.get("description", ""),
        "type": some.get("type", "any"),
        "choices": choices,
        "default": about.get("default"),
        "minimum": some.get("minimum", some.get("exclusiveMinimum")),
        "maximum": some.get("maximum", some.get("exclusiveMaximum")),
        "optional": len(parts) > 1 and any(p.get("type") == "null" for p in parts),
    }


def _without_none(value):
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return [_without_none(inner) for inner in value] if isinstance(value, list) else value
