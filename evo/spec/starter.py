"""The commented spec that `evo new` writes: every key of a run spec, with its default or the task's."""

import json
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, PydanticUserError, TypeAdapter

from circuits.errors import UserError
from circuits.neurons import LIF_PSC_EXP
from circuits.neurons import MODELS as NEURON_MODELS
from circuits.synapses import MODELS as SYNAPSE_MODELS
from evo.spec.circuit_section import STATIC, CircuitBounds, ranges
from evo.spec.run_spec import RunSpec
from evo.spec.search_section import Search, Stop
from fitness.base.task import Task
from fitness.registry import task_class
from fitness.sandbox.code import Code, is_own
from fitness.scoring.conditions import SEARCHED
from fitness.tasks import BUILT_IN

TARGET = 0.95
# Populations of built-in tasks begin small and double when they stagnate, which takes about half the circuits
# (tests/bench/budget.py), but not in a closed loop. Until they are whole they may take three epochs.
GROWING = {"population": 400, "initial_population": 50, "growth": "stagnation", "mutation": 0.7}
LATER = 30  # generations
# Tasks that take several detectors of one kind, of which duplication makes more; elsewhere it needs as many circuits as before.
DUPLICATING = {"itd": {"duplication": 0.15}}
# For tasks of one's own without ranges: those that most built-in tasks let evolve.
TIME_CONSTANTS = {"tau_m_ms": [2.0, 40.0], "tau_syn_e_ms": [1.0, 20.0], "tau_syn_i_ms": [2.0, 40.0]}


def starter(
    name: str,
    neuron_model: str | None = None,
    synapse_model: str | None = None,
    folder: Path | None = None,
    values: dict[str, dict[str, Any]] | None = None,
    growing: bool = True,
) -> str:
    """A spec for the task `name` as TOML text, each key explained; the default models are those of the task.

    folder  of the spec, to which the path of a user's own code is made relative; `name` has it relative to the working folder.
            That code is executed.
    values  of keys of the sections "task", "circuit", "search" and "stop", which replace those of the task
    growing  do populations of a built-in task begin small? False gives the spec of version 0.4
    Raises UserError for an unknown task or model.
    """
    values = values or {}
    task = task_class(name)
    defaults = task.default_spec
    if is_own(name) and folder is not None:
        where, _, class_name = name.rpartition(":")
        name = f"{Path(os.path.relpath(where, folder)).as_posix()}:{class_name}"
    circuit = defaults.get("circuit", {}) | values.get("circuit", {})
    neuron_model = neuron_model or circuit.get("neuron_model", LIF_PSC_EXP.name)
    synapse_model = synapse_model or circuit.get("synapse_model", STATIC)
    for model, known in ((neuron_model, tuple(NEURON_MODELS)), (synapse_model, (STATIC, *SYNAPSE_MODELS))):
        if model not in known:
            raise UserError(f"there is no model {model!r}; known are {', '.join(known)}")
    circuit |= {"neuron_model": neuron_model, "synapse_model": synapse_model}
    section = ranges(neuron_model, synapse_model)
    fitting = {key: value for key, value in _evolved(task).items() if key in section.model_fields}
    unused = ("gain_mv",) if getattr(task, "sampled", ()) == () and "gain_mv" not in circuit else ()
    lines = ["# Run it with: evo run THIS_FILE. A range is [minimum, maximum]; a single number stands for both.", ""]
    lines += ["[task]", f"name = {_toml(name)}", *_settings(task, values.get("task", {})), ""]
    lines += ["[circuit]", *_section(CircuitBounds, circuit, leave_out=("parameters", "types", *unused)), ""]
    lines += ["[circuit.parameters]", *_section(section, fitting), ""]
    lines += [
        "# Subtypes, if any: [circuit.types.PV] with sign, projects_to, inputs and parameters of its own.",
        "",
    ]
    search = {"target": TARGET} | defaults.get("search", {})
    if growing and name in BUILT_IN and task.environment is Task.environment:
        search |= _growing(task)
    search |= values.get("search", {})
    lines += ["[search]", *_section(Search, search, leave_out=("stop", "noisy")), ""]
    lines += [
        "[search.stop]                             # early stopping of hopeless circuits",
        *_section(Stop, values.get("stop", {})),
    ]
    return "\n".join(lines) + "\n"


def left_fixed(spec: RunSpec, source: Code | None = None) -> dict[str, list[float]]:
    """The parameters that stay at their defaults because a spec leaves them out, while `starter` lets them evolve, with the
    ranges of `starter`. source: the code of a user's own task."""
    section = spec.circuit.parameters
    out = type(section).model_fields.keys() - section.model_fields_set
    known = _evolved(type(spec.make_task(source))) if spec.judge_class.simulates else TIME_CONSTANTS
    return {key: value for key, value in known.items() if key in out and value[0] < value[1]}


def _growing(task: type[Task]) -> dict[str, Any]:
    """Keys of [search] for a built-in task; where its trials have conditions, the worst one is an objective."""
    made = task()
    default = {key: field.default for key, field in Search.model_fields.items()} | task.default_spec.get("search", {})
    conditions = made.grouped(made.trials_of("search", 0, default["trials"]), SEARCHED).names
    score, *others = default["objectives"]
    objectives = [score, *(["worst"] if conditions else []), *others]
    own = DUPLICATING.get(task.name, {})
    return GROWING | own | {"generations": default["generations"] + LATER, "objectives": objectives}


def _evolved(task: type[Task]) -> dict[str, list[float]]:
    """Ranges of the parameters for a task, [x, x] for those that do not evolve."""
    own = BUILT_IN.get(task.name) is not task
    defaults = task.default_spec.get("circuit.parameters", TIME_CONSTANTS if own else {})
    return {key: list(value) if isinstance(value, list | tuple) else [value, value] for key, value in defaults.items()}


def _settings(task: type[Task], values: dict[str, Any]):
    """The settings of a task, each with its value or default."""
    for key, field in task.model_fields.items():
        if key in values:
            setting = f"{key} = {_toml(values[key], ranges=False)}"
        elif field.is_required():
            setting = f"# {key} =   (must be set)"
        else:
            try:
                value = field.get_default(call_default_factory=True)
                value = TypeAdapter(Any).dump_python(value, mode="json")
                setting = f"{key} = {_toml(value, ranges=False)}" if value is not None else f"# {key} ="
            except (TypeError, ValueError, PydanticUserError):  # no TOML value
                setting = f"# {key} ="
        yield _explained(setting, field.description)


def _explained(setting, text):
    return f"{setting + ' ':<42}# {' '.join(text.split())}" if text else setting


def _section(model: type[BaseModel], values, leave_out=()):
    for key, field in model.model_fields.items():
        if key not in leave_out:
            value = values.get(key, field.default)
            setting = f"{key} = {_toml(value)}" if value is not None else f"# {key} ="
            yield _explained(setting, field.description)


def _toml(value, ranges=True):
    """The value as TOML; ranges with equal ends as one number."""
    if value == {}:
        return "{}"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(key)} = {_toml(v, ranges)}' for key, v in value.items())} }}"
    if isinstance(value, list | tuple):
        if ranges and len(value) == 2 and all(isinstance(v, int | float) for v in value) and len({*value}) == 1:
            return _toml(value[0])
        return f"[{', '.join(_toml(v, ranges) for v in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        raise ValueError("TOML has no None")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def _key(key):
    return key if str(key).replace("_", "").replace("-", "").isalnum() and str(key).isascii() else json.dumps(str(key))
