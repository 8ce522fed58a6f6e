"""The run spec: a TOML file that determines a run, checked here and nowhere else."""

import hashlib
import json
import re
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from pydantic import SerializerFunctionWrapHandler, ValidationError, model_serializer, model_validator

import fitness
from circuits.errors import UserError, one_line
from circuits.files import read_text
from circuits.neurons import LIF_PSC_EXP
from circuits.simulation.population import Stop as StopRule
from evo import genome
from evo.algorithms import ALGORITHMS, Algorithm, own_algorithm, with_polish, with_selections
from evo.genome import AssemblyBounds, Bounds, Candidates, Encoding
from evo.genome.founders_with import founders_with, founders_without
from evo.spec.circuit_section import STATIC, CellType, CircuitBounds, ranges
from evo.spec.encoding import encoding
from evo.spec.estimate import check_memory
from evo.spec.roles import Role, check_roles
from evo.spec.search_section import Search, check_search
from evo.spec.section import Section
from fitness import judges
from fitness.base.file_data import joined, read_data
from fitness.base.trials import Interface
from fitness.checks.check import check
from fitness.checks.collect import collect
from fitness.evaluation.objectives import own_file
from fitness.judges import JUDGE, Judge, Setup
from fitness.judges.learning import DATA
from fitness.registry import of_section, own_part
from fitness.sandbox.code import TASK, Code, digests, identity, is_own, locate, merged

LARGEST, PARTS = 1_000_000, 100  # bytes of a spec, parts of a key
# keys of [search] that older runs lack
SINCE_0_5 = {"parents", "survivors", "noisy", "founders", "polish", "duplication", "initial_population", "growth", "offspring"}
SINCE_0_5 |= {"founders_with", "founders_without"}
CHECK_CIRCUITS = 5  # random circuits with which a judge is checked before a run
ALGORITHM = "search.algorithm:"
OWN = {"task.name": TASK, f"task.{JUDGE}": JUDGE, f"task.{DATA}": DATA, "search.algorithm": ALGORITHM}
ENDINGS = {"generations", "evaluations", "seconds", "stagnation", "target"}  # keys of [search]


class RunSpec(Section):
    """A whole run. `task` holds the name of the task, or of another judge (`fitness.judges`), and its settings."""

    task: dict[str, Any]
    circuit: CircuitBounds = CircuitBounds()
    roles: dict[str, Role] = {}
    search: Search = Search()

    @model_serializer(mode="wrap")
    def _without_empty_roles(self, serialised: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave [roles] out where there are none, as older specs do."""
        return {key: value for key, value in serialised(self).items() if key != "roles" or value}

    @model_validator(mode="before")
    @classmethod
    def _of_a_judge(cls, data):
        """Set other defaults of [search] where circuits are not simulated on trials of a task."""
        if isinstance(data, dict) and isinstance(data.get("task"), dict) and isinstance(data.get("search", {}), dict):
            return data | {"search": {**judges.kind(data["task"]).defaults, **data.get("search", {})}}
        return data

    @property
    def judged_by(self) -> str:
        """The name of the task, or of another judge."""
        return self.task[JUDGE if JUDGE in self.task else "name"]

    @property
    def judge_class(self) -> type[Judge]:
        """The class of the judge, which answers what readers of a run ask (`fitness.judges.judge`)."""
        return judges.kind(self.task)

    @property
    def title(self) -> str:
        """The task or judge for readers, "task itd" or "judge mine.py:score"."""
        return f"{JUDGE if JUDGE in self.task else TASK} {self.judged_by}"

    @property
    def data_file(self) -> str | None:
        """The file of data that the [task] section names, None for none. Raises UserError."""
        key = self.judge_class.data_key(self.task)
        file = None if key is None else self.task.get(key)
        if key is not None and not (isinstance(file, str) and file):
            raise UserError(f'task {self.judged_by}: {key}: must name a file, such as "cell.csv", not {file!r}')
        return file

    @property
    def own_code(self) -> dict[str, str]:
        """The user's own code that the spec names, FILE.py:NAME or PACKAGE:NAME, by the key that names it."""
        names = {f"task.{key}": name for key in self.judge_class.code_keys if isinstance(name := self.task.get(key), str)}
        names |= {f"search.objectives.{k}": own_file(name) or "" for k, name in enumerate(self.search.objectives)}
        names["search.algorithm"] = self.search.algorithm
        return {key: name for key, name in names.items() if is_own(name)}

    def with_own(self, names: dict[str, str]) -> "RunSpec":
        """The spec with other names of the user's own code, by the keys of `own_code`."""
        s, of_task = self.search, {key.removeprefix("task."): names[key] for key in names if key.startswith("task.")}
        objectives = tuple(
            name.replace(own_file(name) or "", names.get(f"search.objectives.{k}", own_file(name) or ""))
            for k, name in enumerate(s.objectives)
        )
        search = s.model_copy(update={"objectives": objectives, "algorithm": names.get("search.algorithm", s.algorithm)})
        return self.model_copy(update={"task": self.task | of_task, "search": search})

    def make_judge(self, source: Code | None = None, folder: Path = Path()) -> Judge:
        """Make the judge of the circuits; source is the user's own code (see `fitness.sandbox.code`), which without it is
        executed in place, relative to `folder`. Raises UserError."""
        s = self.search
        setup = Setup(s.objectives, s.seed, s.trials, s.held_out, s.task_seconds, self.stop_rule)
        return judges.make(self.task, setup, source, folder)

    def make_algorithm(self, source: Code | None = None, folder: Path = Path()) -> type[Algorithm]:
        """The class of the search algorithm, with the selections that the spec names. Raises UserError."""
        s = self.search
        kind = ALGORITHMS.get(s.algorithm)
        if kind is None:
            part = own_part(s.algorithm, ALGORITHM, source, s.task_seconds, folder)
            kind = own_algorithm(part, s.algorithm, s.task_seconds)
        return with_polish(with_selections(kind, s.parents, s.survivors), s.polish)

    def make_task(self, source: str | Code | None = None, folder: Path = Path()) -> fitness.Task:
        """The task; source is the user's own code (see `fitness.sandbox.code`) with the file of a task over a file; without it,
        both are read in place, relative to `folder`."""
        if not self.judge_class.simulates:
            raise UserError(f"{self.judged_by} is a judge, not a task")
        return of_section(self.task, self.search.task_seconds, source, folder)

    def collect(self, folder: Path = Path()) -> Code | None:
        """The user's own code that the spec names, relative to `folder`, and after it the file of a task over a file; None
        where there is neither. Executes the code if a module asks for its own path, see `fitness.checks.collect`. Raises
        UserError."""
        return joined(self.collect_code(folder), read_data(self.data_file, folder))

    def collect_code(self, folder: Path = Path()) -> Code | None:
        """The user's own code that the spec names, see `collect`."""
        gathered, first = None, Path()
        for key, name in self.own_code.items():
            kind = OWN.get(key, judges.OBJECTIVE)
            code, root = collect(name, folder, partial(self._try_out, folder), kind), locate(name, folder, kind).root
            if gathered is not None and root != first:
                raise UserError(
                    f"{kind} {name}: lies in {root}, not in {first} as other code that the spec names: put it there"
                )
            first, gathered = root, code if gathered is None else merged(gathered, code)
        return gathered

    def _try_out(self, folder):
        """Try out the user's own code in place, as a run uses it."""
        judge, s = self.make_judge(None, folder), self.search
        if judge.task is not None:
            check(judge.task, s.seed, min(s.trials, 64))
        elif judge.computes:
            judge.check(self.founders(judge.interface, CHECK_CIRCUITS))

    def founders(self, interface: Interface, count: int) -> Candidates:
        """Random circuits within the bounds."""
        encoding = self.encoding(interface)
        genomes = self.random_genomes(encoding.bounds, count, np.random.default_rng(self.search.seed))
        return Candidates(genomes, encoding, interface.inputs, interface.outputs)

    def random_genomes(self, bounds: Bounds | AssemblyBounds, count: int, rng: np.random.Generator) -> np.ndarray:
        """Random genomes as a search begins with them. Raises UserError where too few have the motif that the spec names."""
        if isinstance(bounds, Bounds):
            for key, draw in (("founders_with", founders_with), ("founders_without", founders_without)):
                if (name := getattr(self.search, key)) is not None:
                    try:
                        return draw(bounds, count, rng, name)
                    except UserError as error:
                        raise UserError(f"search.{key}: {error}") from None
        return genome.founders(bounds, count, rng)

    def encoding(self, task: Interface) -> Encoding:
        """The encoding of the genomes. Raises UserError for bounds that contradict each other or the task."""
        return encoding(self.circuit, self.roles, task)

    def stop_rule(self, dt_ms: float) -> StopRule:
        """[search.stop] in steps."""
        rule = self.search.stop
        check = max(1, round(rule.check_ms / dt_ms)) if rule.check_ms else 0
        quiet = round((rule.quiet_ms + self.circuit.delay_ms[1]) / dt_ms)
        return StopRule(check, quiet, rule.rate_hz * dt_ms / 1000)

    def digest(self, source: str | Code | None = None) -> str:
        """sha256 of the spec and of the user's own code, without the keys that end the run: runs with the same digest compute
        the same generations."""
        data = source is not None and self.data_file is not None
        code = None if source is None else digests(source) if data and isinstance(source, tuple) else identity(source)
        left_out = ENDINGS | {key for key in SINCE_0_5 if getattr(self.search, key) == Search.model_fields[key].default}
        of_circuit = {"gain_mv"} if self.circuit.gain_mv == CircuitBounds.model_fields["gain_mv"].default else set()
        sections = self.model_dump(mode="json", exclude={"search": left_out, "circuit": of_circuit})
        text = json.dumps([sections, code], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_toml(self) -> str:
        """The spec with every default filled in, as TOML."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def parse(text: str, where: str = "spec", **overrides) -> RunSpec:
    """A run spec from TOML text; overrides replace keys of [search]. Raises
    UserError that names `where`, the key and the remedy."""
    try:
        if any(part.count(".") > PARTS for line in text.splitlines() for part in re.split(r"[=,{}\[\]]", line)):
            raise ValueError(f"a key of more than {PARTS} parts")  # the time to read one is quadratic in them
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not valid TOML: {error}") from None
    search = {key: value for key, value in overrides.items() if value is not None}
    if search and isinstance(data.get("search", {}), dict):
        data["search"] = data.get("search", {}) | search
    try:
        spec = RunSpec.model_validate(data)
    except ValidationError as error:
        raise UserError(f"{where}: {one_line(error, _known_keys(error, data))}") from None
    _check_judge(spec, where)
    check_roles(spec, where)
    check_search(spec.search, bool(spec.roles), where)
    return spec


def _check_judge(spec, where):
    """Check the [task] section and the keys of [search] that depend on it."""
    section, s = spec.task, spec.search
    for key, value in section.items():
        try:
            json.dumps(value, allow_nan=False)  # as it is kept in the provenance of motifs
        except (TypeError, ValueError):
            raise UserError(f"{where}: task.{key}: must hold finite numbers and no dates, not {value}") from None
    if JUDGE in section and "name" in section:
        raise UserError(f"{where}: task: names a task and a judge; leave one of name and judge out")
    try:
        spec.judge_class.check_section(section)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    if not spec.judge_class.simulates:
        if "rate" in s.descriptors:
            raise UserError(f"{where}: search.descriptors: rate: only simulated tasks have spikes")
        return
    if s.target is not None and not 0 < s.target <= 1:
        raise UserError(f"{where}: search.target: must be greater than 0, and less than or equal to 1, not {s.target:g}")
    if s.noisy:
        raise UserError(
            f"{where}: search.noisy: is for judges; a task has the same trials for all circuits: raise search.trials"
        )


def changed(spec: RunSpec, changes: dict[str, str]) -> RunSpec:
    """The spec with changed values: key with its section to value as TOML, or as plain text where it is not TOML. Raises
    UserError for an unknown key or a wrong value."""
    data = spec.model_dump(mode="json", exclude_none=True)
    if changes.keys() & {"task.name", f"task.{JUDGE}"}:
        data["task"] = {}  # the settings of one task mean nothing to another
    for key, text in changes.items():
        *sections, name = key.split(".")
        inner: Any = data
        for section in sections:
            inner = inner.setdefault(section, {}) if isinstance(inner, dict) else None
        if not sections or not isinstance(inner, dict):
            raise UserError(f"{key}: name a key with its section, such as search.generations")
        try:
            inner[name] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            inner[name] = text
    return parse(tomli_w.dumps(data), "the changed spec")


def _known_keys(error, data):
    """The keys of the section with the first error."""
    section: Any = RunSpec
    of_each: Any = CellType  # the section of each entry of a dict
    for part in error.errors(include_url=False)[0]["loc"][:-1]:
        if section is CircuitBounds and part == "parameters":
            circuit = data["circuit"]
            section = ranges(circuit.get("neuron_model", LIF_PSC_EXP.name), circuit.get("synapse_model", STATIC))
        elif (section, part) in ((CircuitBounds, "types"), (RunSpec, "roles")):
            section, of_each = {}, CellType if part == "types" else Role
        elif section == {}:
            section = of_each
        else:
            field = section.model_fields.get(part)
            section = field.annotation if field else None
        if section != {} and not hasattr(section, "model_fields"):
            return ()
    return tuple(section.model_fields) if section else ()


def read(path, **overrides) -> tuple[RunSpec, Code | None]:
    """Read and check a spec file, its task and bounds included. Returns the spec and the user's own code, if any, which is
    executed. Raises UserError with one line that names the file, the key and the remedy."""
    spec = read_alone(path, **overrides)
    return spec, checked_with_task(spec, Path(path).parent, str(path))


def checked_with_task(spec: RunSpec, folder: Path, where: str) -> Code | None:
    """Check the settings of the task and the bounds of a spec. Returns the user's own code, in `folder`, which is executed.
    Raises UserError that names `where`."""
    try:
        source = spec.collect(folder)
        judge = spec.make_judge(source)
        spec.encoding(judge.interface)
        if spec.search.founders_with or spec.search.founders_without:
            spec.founders(judge.interface, CHECK_CIRCUITS)  # are there any?
        spec.make_algorithm(source)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    check_memory(spec, judge, where)
    return source


def read_alone(path, **overrides) -> RunSpec:
    """A spec file, checked without its task: nothing is executed. Raises UserError."""
    return parse(read_text(path, LARGEST), str(path), **overrides)
