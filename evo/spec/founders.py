"""Circuits that a search begins with, `search.founders` of a spec: read, checked against the bounds, and kept with the run.

In a run folder they are motif files by content, founders/NAME-DIGEST.json, and run.toml names those: whoever goes on with the
run, or starts it again, needs no other file.
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from circuits import imports
from circuits.errors import UserError
from circuits.imports.report import inexact
from circuits.motif_file import Motif, digest, dumps
from circuits.neurons import LIF_PSC_EXP
from circuits.zoo import ZOO, zoo
from evo.genome import Bounds, Encoding
from evo.genome.from_circuit import from_circuit
from evo.spec.run_spec import RunSpec
from fitness.recordings.inference import Ranges
from fitness.trials import Interface

FOLDER = "founders"
SHOWN = 12  # characters of a digest in a name
NAME = 60  # characters of a name
INFERRED, ROUNDS, MOST_ROUNDS = "inferred", 40, 10_000  # see `evo.spec.inferred`


class Founder(NamedTuple):
    """A circuit that a search begins with.

    name    what the spec calls it, without folders;   sha256  digest of the circuit, see `motif_file.digest`
    genome  a record of `genome.dtype`;   remarks  what was not taken exactly, a text each
    """

    name: str
    sha256: str
    motif: Motif
    genome: np.void
    remarks: list[str]

    @property
    def file(self) -> str:
        """Its place in a run folder."""
        return f"{FOLDER}/{self.name}-{self.sha256[:SHOWN]}.json"


def founders(spec: RunSpec, interface: Interface, folder: Path, place: str = "the spec") -> list[Founder]:
    """The founders that a spec names, files sought from `folder`. Raises UserError that names `place`, the founder, and what of
    it does not fit."""
    found: list[Founder] = []
    form = spec.form(interface) if spec.search.founders else None
    for given in spec.search.founders:
        try:
            if rounds_of(given) is not None:
                if form is not None:
                    ranges(form)
                continue
            motif, remarks = _read(given, folder)
            sha256 = digest(motif.circuit)
            same = next((other.name for other in found if other.sha256 == sha256), None)
            if same is not None:
                raise UserError(f"is the same circuit as {same}")
            assert form is not None
            encoded = from_circuit(motif.circuit, form, interface.inputs, interface.outputs)
        except UserError as error:
            raise UserError(f"{place}: search.founders: {given}: {_without(str(error), folder / given)}") from None
        if encoded.rounded:
            remarks = [*remarks, "numbers moved onto the grid of genomes, 1/256 mV or ms"]
        found.append(Founder(_name(given, sha256), sha256, motif, encoded.genome, remarks))
    if len(found) > spec.search.population:
        population = spec.search.population
        raise UserError(
            f"{place}: search.founders: {len(found)} circuits are more than the population of an island, {population}"
        )
    return found


def rounds_of(given: str) -> int | None:
    """How many rounds of inference a founder's name asks for; None for one that is read from somewhere. Raises UserError."""
    name, colon, rounds = given.partition(":")
    if name != INFERRED:
        return None
    if colon and not (rounds.isdecimal() and 0 < int(rounds) <= MOST_ROUNDS):
        raise UserError(f"after inferred: comes how many rounds there are at most, 1 to {MOST_ROUNDS}, not {rounds!r}")
    return int(rounds) if colon else ROUNDS


def ranges(form: Encoding) -> Ranges:
    """What inferred circuits may be. Raises UserError for circuits that cannot be inferred."""
    b = form.bounds
    if not isinstance(b, Bounds) or form.model is not LIF_PSC_EXP or form.noise_mv or form.synapse_model or any(form.types):
        raise UserError(f"inferred are {LIF_PSC_EXP.name} neurons without noise, with static synapses and without cell types")
    if b.sampled or not b.dale:
        raise UserError("inferred are circuits driven by spikes alone, with Dale's law")
    low, high = b.parameter[0]
    names = form.model.names
    return Ranges(
        dt_ms=b.dt_ms,
        delay_ms=(float(b.delay[0]) * b.dt_ms, float(b.delay[1]) * b.dt_ms),
        weight_mv=(float(b.weight[0, 0]), float(b.weight[0, 1])),
        inhibitory_mv=(float(b.weight[1, 0]), float(b.weight[1, 1])),
        parameters={name: (float(low[k]), float(high[k])) for k, name in enumerate(names)},
        most=tuple((int(e), int(i)) for e, i in zip(*np.nonzero(b.allowed), strict=True)),
        in_degree=b.in_degree,
    )


def kept(spec: RunSpec, found: list[Founder]) -> RunSpec:
    """The spec as it lies in the run folder."""
    if not found:
        return spec
    search = spec.search.model_copy(update={"founders": tuple(founder.file for founder in found)})
    return spec.model_copy(update={"search": search})


def files(found: list[Founder]) -> dict[str, str]:
    """Files that the run folder keeps, by their place there."""
    return {founder.file: dumps(founder.motif) for founder in found}


def place_of(what) -> Path:
    """The folder from which the files are sought that a spec names: that of its file, else the working folder."""
    return Path(what).parent if isinstance(what, str | Path) else Path()


def _read(given, folder):
    if given.startswith(ZOO):
        return zoo[given.removeprefix(ZOO)], []
    found = imports.read(folder / given)
    return found.motif, inexact(found.table)


def _name(given, sha256):
    stem = given.removeprefix(ZOO) if given.startswith(ZOO) else Path(given).stem
    stem = re.sub(r"[^\w.-]", "_", stem.removesuffix(f"-{sha256[:SHOWN]}"), flags=re.ASCII)[:NAME].lstrip(".")
    return stem or "circuit"


def _without(message, path):
    """A message that does not name the file once more."""
    return message.removeprefix(f"{path}: ")
