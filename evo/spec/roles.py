"""Roles in a spec: kinds of motif that evolve side by side as parts of one assembly, see `evo.genome.assembly`."""

import re
from typing import Annotated, Any

from pydantic import Field, ValidationError

from circuits.errors import UserError, one_line
from evo.spec.section import FloatRange, IntRange, Section, within
from fitness.judges import LEARNING

ALGORITHMS = ("lexicase-nsga2", "nsga2", "lexicase", "weights-only", "random")  # that change genomes only by their operators
NAME = re.compile("[A-Za-z_][A-Za-z_-]{0,31}")


class Role(Section):
    """[roles.NAME]: a kind of motif in an assembly, evolved beside the others; keys that are left out are as in [circuit]."""

    copies: Annotated[IntRange, within(1, 64)] = Field((1, 3), description="number of copies in the assembly")
    neurons: Annotated[IntRange, within(1, 64)] | None = Field(None, description="number of neurons of a copy")
    excitatory_share: Annotated[FloatRange, within(0, 1)] | None = Field(None, description="share of excitatory neurons")
    in_degree: int | None = Field(None, ge=1, le=1000, description="maximum number of synapses onto a neuron of the motif")
    parameters: dict[str, FloatRange] = Field({}, description="ranges that differ from those of [circuit.parameters]")


def motif_of(circuit: Any, role: Role) -> Any:
    """[circuit] with the keys of a role, an `evo.spec.circuit_section.CircuitBounds`."""
    own = role.model_dump(exclude={"copies", "parameters"}, exclude_none=True)
    return circuit.model_copy(update=own | {"parameters": circuit.parameters.model_copy(update=role.parameters)})


def check_roles(spec: Any, where: str):
    """Check [roles] and the keys that cannot be combined with it. Raises UserError that names `where`."""
    if not spec.roles:
        return
    s, c, count = spec.search, spec.circuit, len(spec.roles)
    known = type(c.parameters).model_fields
    for name, role in spec.roles.items():
        if not NAME.fullmatch(name):
            raise UserError(f"{where}: roles: {name!r} is no name of a role: letters, - and _, at most 32")
        for key in role.parameters:
            if key not in known:
                raise UserError(f"{where}: roles.{name}.parameters: unknown key {key!r}; known are {', '.join(known)}")
        try:
            type(c.parameters).model_validate({key: list(pair) for key, pair in role.parameters.items()})
        except ValidationError as error:
            raise UserError(f"{where}: roles.{name}.parameters.{one_line(error, tuple(known))}") from None
    if spec.judged_by != LEARNING:
        raise UserError(f'{where}: roles: are for task.name = "{LEARNING}", not {spec.judged_by}')
    if count < 2:
        raise UserError(f"{where}: roles: at least two, or none: one kind of motif needs no role")
    if s.islands % count:
        raise UserError(
            f"{where}: search.islands: each evolves one of the {count} roles: a multiple of {count}, not {s.islands}"
        )
    if not s.migrants:
        raise UserError(f"{where}: search.migrants: roles exchange their motifs by migrants: at least 1")
    if s.algorithm not in ALGORITHMS:
        raise UserError(f"{where}: search.algorithm: of assemblies one of {', '.join(ALGORITHMS)}, not {s.algorithm}")
    for key, value, required in (
        ("circuit.types", c.types, {}),
        ("circuit.synapse_model", c.synapse_model, "static"),
        ("circuit.dale", c.dale, True),
        ("search.polish", s.polish, 0.0),
        ("search.founders", s.founders, ()),
    ):
        if value != required:
            raise UserError(f"{where}: {key}: cannot be combined with roles; leave it out")
