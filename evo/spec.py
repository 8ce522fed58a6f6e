"""The run spec: a TOML file that says everything about a run, checked once, here."""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tomli_w
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

import fitness
from circuits.circuit import MAX_DELAY_STEPS
from circuits.errors import UserError, one_line
from circuits.neurons import NAMES, PARAMETERS
from evo.genome import GRID, T_REF, Bounds
from fitness.objectives import OBJECTIVES
from fitness.registry import read_source
from fitness.task import Interface


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


def _pair(value):
    both = value if isinstance(value, list | tuple) else (value, value)
    return tuple(both) if len(both) == 2 else value


def _ordered(pair):
    if pair[0] > pair[1]:
        raise ValueError(f"the least, {pair[0]:g}, is above the largest, {pair[1]:g}")
    return pair


def _within(low, high):
    def check(pair):
        if pair[0] < low or pair[1] > high:
            raise ValueError(f"must stay within {low:g} to {high:g}, not {list(pair)}")
        return pair

    return AfterValidator(check)


# A `[least, largest]` pair in the spec; a single number stands for both.
IntRange = Annotated[tuple[int, int], BeforeValidator(_pair), AfterValidator(_ordered)]
FloatRange = Annotated[tuple[float, float], BeforeValidator(_pair), AfterValidator(_ordered)]
WeightRange = Annotated[FloatRange, _within(1e-6, 100_000)]


def _as_in(name: str) -> Any:
    """The range of a neuron parameter: its default unless the spec says otherwise."""
    p = PARAMETERS[name]
    return Field((p.default, p.default), description=p.text)


class Parameters(_Section):
    """[circuit.parameters]: the ranges of `circuits.neurons.PARAMETERS`."""

    tau_m_ms: FloatRange = _as_in("tau_m_ms")
    tau_syn_e_ms: FloatRange = _as_in("tau_syn_e_ms")
    tau_syn_i_ms: FloatRange = _as_in("tau_syn_i_ms")
    v_rest_mv: FloatRange = _as_in("v_rest_mv")
    v_th_mv: FloatRange = _as_in("v_th_mv")
    v_reset_mv: FloatRange = _as_in("v_reset_mv")
    t_ref_ms: FloatRange = _as_in("t_ref_ms")
    bias_mv: FloatRange = _as_in("bias_mv")

    @field_validator("*")
    @classmethod
    def _sensible(cls, pair, info):
        p = PARAMETERS[info.field_name]
        if pair[0] < p.low or pair[1] > p.high:
            raise ValueError(f"must stay within {p.low:g} to {p.high:g}, not {list(pair)}")
        return pair


class CircuitBounds(_Section):
    """[circuit]: what circuits may be."""

    neurons: Annotated[IntRange, _within(1, 64)] = Field((4, 12), description="number of neurons")
    excitatory_share: Annotated[FloatRange, _within(0, 1)] = Field((0.5, 1.0), description="share of excitatory neurons")
    in_degree: int = Field(8, ge=1, le=1000, description="most synapses onto one neuron, those from inputs included")
    delay_ms: Annotated[FloatRange, _within(0, 100_000)] = Field((1.0, 20.0), description="of every synapse")
    excitatory_weight_mv: WeightRange = Field((1.0, 150.0), description="also of input synapses")
    inhibitory_weight_mv: WeightRange = (1.0, 150.0)
    parameters: Parameters = Field(Parameters(), description="of neurons, a number or [least, largest] each")


class Search(_Section):
    """[search]: how circuits are looked for."""

    seed: int = Field(1, ge=0, lt=2**63)
    generations: int = Field(200, ge=1, le=10**7)
    islands: int = Field(4, ge=1, le=1000)
    population: int = Field(200, ge=4, le=100_000, description="of each island")
    epoch: int = Field(10, ge=1, le=10**6, description="generations between migrations, and between saves")
    migrants: int = Field(2, ge=0, description="sent to the next island after each epoch")
    trials: int = Field(64, ge=1, le=65_536, description="stimuli every circuit is scored on")
    held_out: int = Field(256, ge=1, le=65_536, description="fresh stimuli for the archive, never used in the search")
    crossover: float = Field(0.5, ge=0, le=1, description="share of children with two parents")
    mutation: float = Field(0.5, ge=0, lt=1, description="probability of a further mutation after each")
    archive: int = Field(50, ge=1, le=10_000, description="most circuits in the Pareto archive of an island, and of the run")
    objectives: Annotated[tuple[str, ...], BeforeValidator(lambda v: tuple(v) if isinstance(v, list) else v)] = (
        "score",
        "energy",
        "wiring",
    )


class RunSpec(_Section):
    """A whole run. `task` holds the task's name and its settings."""

    task: dict[str, Any]
    circuit: CircuitBounds = CircuitBounds()
    search: Search = Search()

    def make_task(self, source: str | None = None) -> fitness.Task:
        """The task; source is the text of a user's task file (see `fitness.registry.read_source`)."""
        settings = dict(self.task)
        return fitness.task(settings.pop("name"), source, **settings)

    def bounds(self, task: Interface) -> Bounds:
        """The bounds of the genomes. Raises UserError for bounds that contradict each other or the task."""
        c, outputs = self.circuit, len(task.outputs)
        low, high = c.neurons
        e, i = np.ogrid[: high + 1, : high + 1]
        share = e / np.maximum(e + i, 1)
        least, most = c.excitatory_share
        allowed = (e + i >= low) & (e + i <= high) & (share >= least - 1e-9) & (share <= most + 1e-9) & (e >= outputs)
        if not allowed.any():
            raise UserError(
                f"circuit: no circuit has {low} to {high} neurons, {least:g} to {most:g} of them excitatory, and the "
                f"{outputs} excitatory output neurons of task {task.title}: raise neurons or excitatory_share"
            )
        delay = _whole_steps("circuit.delay_ms", c.delay_ms, task.dt_ms, least=1)
        parameter = np.array([getattr(c.parameters, name) for name in NAMES]).T
        step = np.full(len(NAMES), 1 / GRID)
        step[T_REF] = task.dt_ms
        _whole_steps("circuit.parameters.t_ref_ms", c.parameters.t_ref_ms, task.dt_ms, least=0)
        parameter = _on_grid(parameter, step)
        if parameter[1, NAMES.index("v_reset_mv")] >= parameter[0, NAMES.index("v_th_mv")]:
            raise UserError("circuit.parameters: v_reset_mv must stay below v_th_mv")
        weight = np.array([c.excitatory_weight_mv, c.inhibitory_weight_mv])
        return Bounds(
            allowed,
            len(task.inputs),
            high,
            outputs,
            c.in_degree,
            delay,
            _on_grid(weight.T, 1 / GRID).T,
            parameter,
            step,
            task.dt_ms,
        )

    def digest(self, source: str | None = None) -> str:
        """sha256 of the spec and of the user's task file: the same run has the same digest."""
        text = json.dumps([self.model_dump(mode="json"), source], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_toml(self) -> str:
        """The spec with every default filled in, as TOML."""
        return tomli_w.dumps(self.model_dump(mode="json"))


def _whole_steps(place, range_ms, dt, least):
    low, high = int(np.ceil(range_ms[0] / dt - 1e-6)), int(np.floor(range_ms[1] / dt + 1e-6))
    low = max(low, least)
    if low > high or high > MAX_DELAY_STEPS:
        raise UserError(f"{place}: {list(range_ms)} holds no {least} to {MAX_DELAY_STEPS} whole steps of the task's {dt:g} ms")
    return np.array([low, high])


def _on_grid(pair, step):
    """The range [2, ...] drawn in to multiples of `step`; a range too narrow to hold one becomes the multiple next to it."""
    positive = np.where(pair[0] > 0, 1, -np.inf)
    inner = np.stack([np.maximum(np.ceil(pair[0] / step - 1e-6), positive), np.floor(pair[1] / step + 1e-6)])
    nearest = np.maximum(np.rint(pair[0] / step), positive)
    return np.where(inner[0] > inner[1], nearest, inner) * step


def parse(text: str, place: str = "spec", **overrides) -> RunSpec:
    """A run spec from TOML text; overrides replace keys of [search]. UserError names `place`, the key and the remedy."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{place}: not valid TOML: {error}") from None
    search = {key: value for key, value in overrides.items() if value is not None}
    if search and isinstance(data.get("search", {}), dict):
        data["search"] = data.get("search", {}) | search
    try:
        spec = RunSpec.model_validate(data)
    except ValidationError as error:
        raise UserError(f"{place}: {one_line(error, _known_keys(error))}") from None
    if not isinstance(spec.task.get("name"), str):
        raise UserError(f'{place}: task.name: must name a task, such as "itd"')
    unknown = [name for name in spec.search.objectives if name not in OBJECTIVES]
    if unknown or "score" not in spec.search.objectives or len(set(spec.search.objectives)) != len(spec.search.objectives):
        raise UserError(
            f"{place}: search.objectives: must hold score, and otherwise some of {', '.join(OBJECTIVES)}, each once"
        )
    if spec.search.migrants > spec.search.population:
        raise UserError(f"{place}: search.migrants: {spec.search.migrants} is more than the population of an island")
    return spec


def _known_keys(error):
    section: Any = RunSpec
    for part in error.errors(include_url=False)[0]["loc"][:-1]:
        field = section.model_fields.get(part)
        section = field.annotation if field else None
        if not hasattr(section, "model_fields"):
            return ()
    return tuple(section.model_fields)


def read(path, **overrides) -> tuple[RunSpec, str | None]:
    """Read and check a spec file, its task and bounds included. Returns the spec and the text of the user's task file, if
    the task is one. Raises UserError with one line that names the file, the key and the remedy."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a text file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    spec = parse(text, str(path), **overrides)
    try:
        source = read_source(spec.task["name"], path.parent)
        spec.bounds(spec.make_task(source).interface)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return spec, source
