"""The files of a SONATA network: configuration, node and edge populations with their types.

https://github.com/AllenInstitute/sonata/blob/master/docs/SONATA_DEVELOPER_GUIDE.md
"""

import csv
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from circuits.errors import UserError
from circuits.files import read_text
from circuits.imports.hdf5 import Group, opened

INSTALL = "pip install 'evocircuits[sonata]'"
CONFIGS = ("circuit_config.json", "config.json", "simulation_config.json")
MAX_SUBSTITUTIONS = 20  # of variables in a value
MAX_BYTES = 4_000_000  # of a configuration, a table of types or a file of parameters
ABSENT = ("", "NULL", "NONE", "None", "null", "nan", "NaN")


@dataclass
class Population:
    """A population of nodes or edges.

    columns  attribute -> one value per member, float, str or None. Attributes of a member override those of its type;
             dynamics_params.NAME are parameters of the member itself, dynamics_params names a file of them
    """

    name: str
    size: int
    columns: dict[str, list[Any]]
    source: str = ""
    target: str = ""

    def column(self, name: str, default: Any = None) -> list[Any]:
        return self.columns.get(name, [default] * self.size)


class Folder:
    """The folder of a configuration; no file outside is read."""

    def __init__(self, path: Path):
        self.config_file = config_file(path)
        self.root = self.config_file.parent.resolve()
        self.config = self._config(self.config_file)
        network = self.config.get("network")
        if isinstance(network, str) and not isinstance(self.config.get("networks"), dict):
            circuit = self._config(self.inside(network))
            self.config = {**circuit, **{k: v for k, v in self.config.items() if k in ("run", "node_sets_file")}}
        if "run" not in self.config:
            simulation = self.root / CONFIGS[2]
            if simulation.is_file() and not simulation.is_symlink():
                other = self._config(simulation)
                self.config = {**{k: v for k, v in other.items() if k in ("run", "node_sets_file")}, **self.config}
        self._parameters: dict[Path, dict[str, Any]] = {}

    def inside(self, name: Any) -> Path:
        """The path of a file that the configuration names. Raises UserError for one outside the folder."""
        if not isinstance(name, str) or not name or "\0" in name:
            raise UserError(f"{self.config_file}: must name files by text, not {name!r}")
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root):
            raise UserError(f"{self.config_file}: {name!r} leads out of the folder; copy the file into it and name that")
        return path

    def populations(self, part: str) -> list[Population]:
        """All populations of "nodes" or "edges"."""
        networks = self.config.get("networks")
        entries = networks.get(part, []) if isinstance(networks, dict) else None
        if not isinstance(entries, list) or any(not isinstance(entry, dict) for entry in entries):
            raise UserError(f'{self.config_file}: networks.{part}: must be a list of files, {{"{part}_file": ...}}')
        populations = []
        for entry in entries:
            if entry.get("enabled", True) is False:
                continue
            table = entry.get(f"{part[:-1]}_types_file")
            types = _types(self.inside(table), f"{part[:-1]}_type_id") if table not in (None, *ABSENT) else {}
            file = self.inside(entry.get(f"{part}_file"))
            with opened(file, INSTALL) as root:
                if part not in root:
                    raise UserError(f"{file}: no SONATA {part}: it has no group {part!r}")
                group = root.group(part)
                populations += [_population(group.group(name), name, part[:-1], types, file) for name in group.groups()]
        return populations

    def parameters(self, folder: str, name: Any) -> dict[str, Any]:
        """A file of parameters, JSON, in one of the folders of `components`; {} for none."""
        if name in (None, *ABSENT):
            return {}
        components = self.config.get("components")
        parent = components.get(folder, ".") if isinstance(components, dict) else "."
        path = self.inside(f"{parent}/{name}")
        if path not in self._parameters:
            self._parameters[path] = _json(path)
        return self._parameters[path]

    def node_sets(self) -> dict[str, Any]:
        """The node sets by name; {} where there are none."""
        name = self.config.get("node_sets_file")
        return _json(self.inside(name)) if isinstance(name, str) and self.inside(name).is_file() else {}

    def _config(self, path):
        data = _json(path)
        manifest = data.get("manifest", {})
        if not isinstance(manifest, dict) or any(not isinstance(value, str) for value in manifest.values()):
            raise UserError(f"{path}: manifest: must give text for each variable")
        variables = {"configdir": ".", "workingdir": "."} | {key.strip("${}"): value for key, value in manifest.items()}
        return {key: self._filled_in(value, variables, path) for key, value in data.items() if key != "manifest"}

    def _filled_in(self, value, variables, path):
        if isinstance(value, dict):
            return {key: self._filled_in(inner, variables, path) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled_in(inner, variables, path) for inner in value]
        if not isinstance(value, str) or "$" not in value:
            return value
        for _ in range(MAX_SUBSTITUTIONS):
            names = re.findall(r"\$\{(\w+)\}|\$(\w+)", value)
            if not names:
                return value
            for braced, bare in names:
                name = braced or bare
                if name not in variables:
                    raise UserError(f"{path}: ${name} is not in the manifest")
                value = value.replace(f"${{{name}}}" if braced else f"${name}", variables[name], 1)
                if len(value) > 4096:
                    break
        raise UserError(f"{path}: manifest: its variables name one another without end")


def config_file(path: Path) -> Path:
    """The path of a configuration: the file itself, or the one in a folder. Raises UserError."""
    path = Path(path)
    if not path.is_dir():
        return path
    for name in CONFIGS:
        if (path / name).is_file():
            return path / name
    raise UserError(f"{path}: no SONATA network: it has no {', '.join(CONFIGS[:-1])} or {CONFIGS[-1]}")


def is_network(folder: Path) -> bool:
    """Does the folder have a configuration of SONATA's?"""
    return any((folder / name).is_file() for name in CONFIGS)


def _json(path) -> dict[str, Any]:
    try:
        data = json.loads(read_text(path, MAX_BYTES))
    except UserError:
        raise
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(data, dict):
        raise UserError(f"{path}: must be a JSON object")
    return data


def _types(path, key) -> dict[int, dict[str, Any]]:
    """Read a table of types by id: columns separated by spaces, texts with spaces in quotes."""
    table = csv.reader(io.StringIO(read_text(path, MAX_BYTES)), delimiter=" ", skipinitialspace=True)
    rows = [row for row in table if any(row)]
    if not rows or key not in rows[0]:
        raise UserError(f"{path}: line 1: must name the columns, {key} among them, separated by spaces")
    types = {}
    for number, row in enumerate(rows[1:], 2):
        row = row[: len(rows[0])] if not any(row[len(rows[0]) :]) else row
        if len(row) != len(rows[0]):
            raise UserError(f"{path}: row {number}: has {len(row)} values for {len(rows[0])} columns")
        values = {name: None if value in ABSENT else value for name, value in zip(rows[0], row, strict=True)}
        try:
            types[int(values[key] or "")] = values
        except ValueError:
            raise UserError(f"{path}: row {number}: {key}: must be a whole number, not {row[rows[0].index(key)]!r}") from None
    return types


def _population(group: Group, name, part, types, file) -> Population:
    """One population: the attributes of each member, from its group and its type."""
    kinds = group.numbers(f"{part}_type_id").ravel()
    size = len(kinds)
    unknown = sorted(set(kinds.tolist()) - set(types)) if types else []
    if unknown:
        raise UserError(f"{file}: {name}: there is no {part} type {unknown[0]} in the table of types")
    columns: dict[str, list[Any]] = {}
    for key in dict.fromkeys(key for kind in types.values() for key in kind):
        columns[key] = [types[int(kind)].get(key) for kind in kinds]
    which = group.numbers(f"{part}_group_id", np.zeros(size)).ravel()
    index = group.numbers(f"{part}_group_index", np.arange(size)).ravel()
    if len(which) != size or len(index) != size:
        raise UserError(f"{file}: {name}: {part}_group_id and {part}_group_index must be as long as {part}_type_id")
    for number in sorted(set(which.astype(int).tolist())):
        if str(number) not in group:
            continue
        members = np.flatnonzero(which == number)
        inner = group.group(str(number))
        for key, values in _attributes(inner).items():
            if members.size and (index[members].min() < 0 or index[members].max() >= len(values)):
                raise UserError(f"{inner.location}/{key}: is shorter than {part}_group_index asks for")
            column = columns.setdefault(key, [None] * size)
            for k in members:
                column[k] = values[int(index[k])]
    population = Population(name, size, columns)
    if part == "node":
        columns["node_id"] = group.numbers("node_id", np.arange(size)).ravel().tolist()
    else:
        for side in ("source", "target"):
            ids = group.numbers(f"{side}_node_id").ravel().tolist()
            if len(ids) != size:
                raise UserError(f"{file}: {name}: {side}_node_id must be as long as edge_type_id")
            columns[f"{side}_node_id"] = ids
            of_nodes = (group.attribute(f"{side}_node_id", key) for key in ("node_population", "network"))
            setattr(population, side, next(filter(None, of_nodes), _from_name(name, side)))
    return population


def _from_name(name, side):
    """The node population in the name SOURCE_to_TARGET of an edge population."""
    source, _, target = name.partition("_to_")
    return source if side == "source" else target


def _attributes(group: Group, prefix="") -> dict[str, list[Any]]:
    """The data sets of a group by name; those of its group dynamics_params as dynamics_params.NAME."""
    attributes: dict[str, list[Any]] = {}
    for name in group.names():
        if name in group.groups():
            if name == "dynamics_params" and not prefix:
                attributes |= _attributes(group.group(name), f"{name}.")
            continue
        if group.is_text(name):
            values = [None if value in ABSENT[1:] else value for value in group.texts(name).ravel().tolist()]
        else:
            values = group.numbers(name).reshape(-1).tolist() if group.numbers(name).ndim == 1 else []
        if values:
            attributes[prefix + name] = values
    return attributes
