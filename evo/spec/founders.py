"""Circuits that a search begins with, `search.founders` of a spec: read, checked against the bounds, and kept with the run.

In a run folder they are motif files, founders/NAME-DIGEST.json, and run.toml names those, so that continuing or repeating the
run needs no other file.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from circuits import imports
from circuits.errors import UserError
from circuits.imports.report import inexact
from circuits.motif_file import Motif, digest, dumps
from circuits.zoo import ZOO, zoo
from evo.genome.from_circuit import from_circuit
from evo.spec.inferred import INFERRED, ranges, rounds_of
from evo.spec.run_spec import RunSpec
from fitness.base.trials import Interface
from fitness.judges import Judge

FOLDER = "founders"
SHOWN = 12  # characters of a digest in a name
NAME = 60  # characters of a name


class Founder(NamedTuple):
    """A circuit that a search begins with.

    name    its name in the spec, without folders;   sha256  digest of the circuit, see `motif_file.digest`
    genome  a record of `genome.dtype`;   remarks  on inexact conversions, a text each
    """

    name: str
    sha256: str
    motif: Motif
    genome: np.void
    remarks: list[str]

    @property
    def file(self) -> str:
        """Its path in a run folder."""
        return f"{FOLDER}/{self.name}-{self.sha256[:SHOWN]}.json"


def founders(spec: RunSpec, interface: Interface, folder: Path, where: str = "the spec") -> list[Founder]:
    """The founders that a spec names, files relative to `folder`. Raises UserError that names `where`, the founder, and the
    part of it that does not fit."""
    accepted: list[Founder] = []
    encoding = spec.encoding(interface) if spec.search.founders else None
    for name in spec.search.founders:
        try:
            if rounds_of(name) is not None:
                assert encoding is not None
                ranges(encoding)
                continue
            motif, remarks = _load(name, folder)
            sha256 = digest(motif.circuit)
            same = next((other.name for other in accepted if other.sha256 == sha256), None)
            if same is not None:
                raise UserError(f"is the same circuit as {same}")
            assert encoding is not None
            encoded = from_circuit(motif.circuit, encoding, interface.inputs, interface.outputs)
        except UserError as error:
            raise UserError(f"{where}: search.founders: {name}: {str(error).removeprefix(f'{folder / name}: ')}") from None
        if encoded.rounded:
            remarks = [*remarks, "numbers moved onto the grid of genomes, 1/256 mV or ms"]
        accepted.append(Founder(_stem(name, sha256), sha256, motif, encoded.genome, remarks))
    if len(accepted) > spec.search.population:
        population = spec.search.population
        raise UserError(
            f"{where}: search.founders: {len(accepted)} circuits are more than the population of an island, {population}"
        )
    return accepted


def inferred(spec: RunSpec, judge: Judge, others: Sequence[Founder]) -> list[Founder]:
    """The founders that the judge infers, if the spec asks for them, without those that are among the others: at most half a
    population. They are computed once, before a run begins. Raises UserError for a judge that cannot infer any."""
    rounds = next((count for count in map(rounds_of, spec.search.founders) if count is not None), None)
    if rounds is None:
        return []
    encoding, interface = spec.encoding(judge.interface), judge.interface
    accepted: list[Founder] = []
    known = {other.sha256 for other in others}
    for circuit in judge.inferred(ranges(encoding), rounds, np.random.default_rng(spec.search.seed)):
        sha256 = digest(circuit)
        try:
            encoded = from_circuit(circuit, encoding, interface.inputs, interface.outputs)
        except UserError:  # more neurons of a sign than excitatory_share allows
            continue
        if sha256 not in known:
            known.add(sha256)
            motif = Motif.model_validate(dict(circuit))
            accepted.append(Founder(f"{INFERRED}-{len(accepted) + 1}", sha256, motif, encoded.genome, []))
    return accepted[: max(spec.search.population // 2 - len(others), 1)]


def kept(spec: RunSpec, founders: list[Founder]) -> RunSpec:
    """The spec with the names that the founders have in the run folder."""
    if not founders:
        return spec
    search = spec.search.model_copy(update={"founders": tuple(founder.file for founder in founders)})
    return spec.model_copy(update={"search": search})


def files(founders: list[Founder]) -> dict[str, str]:
    """The motif files of founders, by their paths in a run folder."""
    return {founder.file: dumps(founder.motif) for founder in founders}


def place_of(what) -> Path:
    """The folder to which the files that a spec names are relative: that of its file, else the working folder."""
    return Path(what).parent if isinstance(what, str | Path) else Path()


def _load(name, folder):
    if name.startswith(ZOO):
        return zoo[name.removeprefix(ZOO)], []
    imported = imports.read(folder / name)
    return imported.motif, inexact(imported.table)


def _stem(name, sha256):
    stem = name.removeprefix(ZOO) if name.startswith(ZOO) else Path(name).stem
    stem = re.sub(r"[^\w.-]", "_", stem.removesuffix(f"-{sha256[:SHOWN]}"), flags=re.ASCII)[:NAME].lstrip(".")
    return stem or "circuit"
