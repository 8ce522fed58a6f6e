"""Run folders, opened for reading: the spec as resolved, the front, the log. Opening one executes nothing that is in it.

A run folder holds `run.toml` (the spec), `run.db` (the store), the user's task file if there is one, and the products
`report.html` and `motifs/`.
"""

import hashlib
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from circuits import show
from circuits.circuit import Circuit
from circuits.errors import UserError, harmless
from circuits.imports.sonata_files import is_network
from circuits.motif_file import Motif, Parent, digest
from evo import genome
from evo.engine.progress import Progress
from evo.population import archive
from evo.population.lineage import FOUNDER, ancestry
from evo.spec.run_spec import RunSpec, read_alone
from evo.storage import lock, stored
from evo.storage.frames import frame
from evo.storage.front import Condition, Member, members, provenance, ranked
from evo.storage.parts import Part, parts_of
from evo.storage.recurrence import Recurrence, recurrences
from evo.storage.store import Store
from evo.storage.stored import SPEC, STORE

if TYPE_CHECKING:
    from fitness.analysis import Analysis
    from fitness.learning.curve import Curves


class Step(NamedTuple):
    """A change by which a line of circuits did better.

    generation, island  of the change;   before, score  on the search's trials, of the mother (NaN for a founder) and after
    crossed             did a father contribute, besides mutation?
    parent              name and digest of the founder in the spec that a founder is, or is a mutant of
    circuit, mother     after the change, and before it (None for a founder)
    """

    generation: int
    island: int
    before: float
    score: float
    crossed: bool
    circuit: Circuit
    mother: Circuit | None
    parent: Parent | None = None


class Run:
    """A run folder, opened for reading; no code that lies in it is executed.

    Parameters
    ----------
    folder : str or path-like
        The run folder.

    Attributes
    ----------
    spec : RunSpec
        The run spec with every default filled in.
    epochs : list of dict
        The log of every finished epoch.
    parent : dict or None
        The run from which this one was forked.

    Raises
    ------
    circuits.errors.UserError
        For a folder that holds no run, or a damaged one.

    Examples
    --------
    >>> import evo
    >>> evo.Run("runs/mine").state
    'finished'
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise UserError(f"{folder}: there is no such folder")
        self.spec = read_spec(self.folder)
        with Store.open(self.folder / STORE) as store:
            self.stored = stored.read(store, self.spec)
        self.spec_sha256, self.interface, self.examples = self.stored[:3]
        self.parent, self.epochs, self.states = self.stored.parent, self.stored.epochs, self.stored.states
        self.about, self.founders = self.stored.about, self.stored.founders
        self.conditions = [Condition(*pair) for pair in self.stored.conditions]
        archives = [state.archive for state in self.states]
        self.archive = archive.merged(archives, self.spec.search.archive) if archives else None
        self.progress = Progress.of(self.spec, self.epochs)

    @property
    def name(self) -> str:
        """Name of the run folder."""
        return self.folder.resolve().name

    @property
    def generation(self) -> int:
        """The generation that every island has finished."""
        return min(self.progress.generation)

    @property
    def evaluations(self) -> int:
        """Number of circuits evaluated."""
        return self.progress.evaluations

    @property
    def failed(self) -> tuple[int, str | None]:
        """Number of circuits for which the code of the task failed, which got the worst score, and the first message."""
        rows = [row for epoch in self.epochs for row in epoch["log"]]
        return sum(row.get("failed", 0) for row in rows), next((row["fault"] for row in rows if "fault" in row), None)

    @property
    def saved(self) -> float:
        """Share of the simulation that early stopping saved, 0 to 1."""
        rows = [row for epoch in self.epochs for row in epoch["log"]]
        simulated = [(row["evaluations"] - row["repeats"], row["simulated"]) for row in rows]
        circuits = sum(count for count, _ in simulated)
        return 1 - sum(count * share for count, share in simulated) / circuits if circuits else 0.0

    @property
    def finished(self) -> bool:
        """True if the run has ended."""
        return self.progress.ended is not None

    @property
    def state(self) -> str:
        """State of the run, "running", "finished" or "stopped"."""
        return "running" if lock.is_held(self.folder / SPEC) else "finished" if self.finished else "stopped"

    @property
    def archive_sha256(self) -> str:
        """Digest of the genomes and objectives of the archive; the same archive has the same digest on any machine."""
        digest = hashlib.sha256()
        if self.archive is not None:
            for row in self.archive:
                digest.update(row["genome"].tobytes())
                digest.update(np.ascontiguousarray(row["losses"], "<f8").tobytes())
        return digest.hexdigest()

    @cached_property
    def ranked(self):
        """The records of the front, in its order."""
        return ranked(self.archive)

    @cached_property
    def front(self) -> list[Member]:
        """The Pareto front, a list of `Member`, the best held-out score first.

        Of equals the one with the better score in the search comes first, then the cheaper one.
        """
        if self.archive is None:
            return []
        return members(self.ranked, self.spec, self.interface, self.conditions)

    def motif(self, rank: int = 0) -> Motif:
        """The motif of a circuit of the front.

        Parameters
        ----------
        rank : int
            Place in the front.

        Returns
        -------
        Motif
            The circuit with its provenance.
        """
        return provenance(self._at(rank), self.spec, self.name, self.spec_sha256, self._founder(rank))

    def parts(self, rank: int = 0) -> list[Part]:
        """The parts of an assembly of the front, where the spec has roles.

        Parameters
        ----------
        rank : int
            Place in the front.

        Returns
        -------
        list of Part
            The motif of each role, with its number of copies; none where the spec has no roles.
        """
        self._at(rank)
        if not self.spec.roles:
            return []
        encoding, interface = self.spec.encoding(self.interface), self.interface
        return parts_of(self.ranked[rank]["genome"], encoding, interface.inputs, interface.outputs)

    def part(self, role: str, rank: int = 0) -> Motif:
        """The motif of one role of an assembly of the front.

        Parameters
        ----------
        role : str
            Name of the role.
        rank : int
            Place in the front.

        Returns
        -------
        Motif
            The motif with the provenance and the scores of the assembly.

        Raises
        ------
        circuits.errors.UserError
            For a role that the spec does not have.
        """
        circuits_of = {part.role: part.circuit for part in self.parts(rank)}
        if role not in circuits_of:
            known = f"its roles are {', '.join(circuits_of)}" if circuits_of else "its circuits have no roles"
            raise UserError(f"{self.folder}: there is no role {role!r}; {known}")
        member = replace(self._at(rank), circuit=circuits_of[role])
        return provenance(member, self.spec, self.name, self.spec_sha256)

    def recurrence(self, rank: int = 0) -> Recurrence:
        """Recurrence of the wiring of a circuit of the front in the run.

        Parameters
        ----------
        rank : int
            Place in the front.

        Returns
        -------
        Recurrence
            Numbers of circuits, islands and founders with the same wiring.
        """
        self._at(rank)
        return self._recurrences[rank]

    @cached_property
    def _recurrences(self) -> list[Recurrence]:
        return recurrences(self)

    def analysis(self, member: Member) -> "Analysis | None":
        """The analysis of a circuit of the front: why it works.

        Parameters
        ----------
        member : Member
            A circuit of the front.

        Returns
        -------
        dict or None
            Plain JSON with "base", "lesions", "core", "perturbation", "tuning", "activity", "controls", "energy" and "states";
            None where none is stored: a run analyses the 100 best circuits when it ends.
        """
        return self._analysis(member, "analysis")

    def learning(self, member: Member) -> "Curves | None":
        """The learning curves of a circuit of the front, in a run by learning.

        Parameters
        ----------
        member : Member
            A circuit of the front.

        Returns
        -------
        dict or None
            Plain JSON: "search", a curve, and "held_out", a list of them; each has "steps" of training and the "accuracy" and
            "spikes" after them. None where none is stored: a run makes them for its best circuits when it ends.
        """
        return self._analysis(member, "learning")

    def _analysis(self, member, name):
        """The stored analysis of a circuit if the judge makes one of this name."""
        read = self.spec.judge_class.analyses.get(name)
        text = self._analyses.get(digest(member.circuit)) if read else None
        return None if read is None or text is None else read(text, str(self.folder / STORE))

    @cached_property
    def _analyses(self) -> dict[str, str]:
        with Store.open(self.folder / STORE) as store:
            return store.analyses()

    def lineage(self, rank: int = 0) -> list[Step]:
        """The ancestry of a circuit of the front.

        Parameters
        ----------
        rank : int
            Place in the front.

        Returns
        -------
        list of Step
            The founder, every change by which the score of its line rose, and at last the circuit itself, where it differs from
            the last of these by changes that left the score alone.
        """
        self._at(rank)
        record, steps = self.ranked[rank], self._ancestry(rank)
        chain = [self._step(step) for step in steps]
        if not chain or steps["genome"][-1].tobytes() != record["genome"].tobytes():
            base = float(steps["score"][-1]) if chain else float("nan")
            mother = chain[-1].circuit if chain else None
            when = int(record["generation"]), int(record["island"])
            chain.append(Step(*when, base, float(record["score"]), False, self.front[rank].circuit, mother))
        return chain

    def _ancestry(self, rank):
        known = np.concatenate([state.pedigree for state in self.states])
        return ancestry(known[np.unique(known["id"], return_index=True)[1]], int(self.ranked[rank]["line"]))

    def _founder(self, rank) -> Parent | None:
        """The founder in the spec from which a circuit of the front descends."""
        steps = self._ancestry(rank) if self.founders else []
        return self._parent(steps[0]) if len(steps) else None

    def _parent(self, step):
        founder = self.stored.founder_of(int(step["id"])) if step["before"] == FOUNDER else None
        return None if founder is None else Parent(**founder)

    def _step(self, step):
        encoding = self.spec.encoding(self.interface)
        founder = np.isnan(step["base"])
        both = [step["genome"]] if founder else [step["genome"], step["mother"]]
        with np.errstate(all="ignore"):
            if any(genome.faults(g, encoding.bounds) for g in both):
                raise UserError(f"{self.folder / STORE}: is damaged: an ancestor breaks {SPEC}; restore the folder from a copy")
        names = self.interface.inputs, self.interface.outputs
        circuit, *mother = (genome.to_circuit(g, encoding, *names) for g in both)
        when = int(step["generation"]), int(step["island"])
        return Step(
            *when,
            float(step["base"]),
            float(step["score"]),
            bool(step["crossed"]),
            circuit,
            *(mother or [None]),
            self._parent(step),
        )

    def _at(self, rank):
        if not 0 <= rank < len(self.front):
            raise UserError(f"{self.folder}: there is no rank {rank}; the front has ranks 0 to {len(self.front) - 1}")
        return self.front[rank]

    def frame(self, table: str = "front", library: str = "pandas"):
        """A table of the run as a data frame.

        Parameters
        ----------
        table : {"front", "generations", "epochs", "lineage"}
            One row per circuit of the front; per island and generation; per island and epoch, with seconds by phase; or per
            circuit of the front and step of its lineage.
        library : {"pandas", "polars"}
            Library of the data frame.

        Returns
        -------
        pandas.DataFrame or polars.DataFrame
            The table.

        Raises
        ------
        circuits.errors.UserError
            For another table or library.
        circuits.errors.MachineError
            If the library is not installed.
        """
        return frame(self, table, library)

    def _repr_html_(self) -> str:
        return show.draw(self, "html")

    def __repr__(self):
        best = self.front[0].held_out if self.front else float("nan")
        worst = f" ({self.front[0].worst:.3f} in its worst condition)" if self.front and self.front[0].condition else ""
        return f"<Run {harmless(self.name)}: {self.state}, generation {self.generation}, best held-out score {best:.3f}{worst}>"


def is_run(path) -> bool:
    """Is the path, which may be that of a motif, a run folder? A folder with a SONATA network is a motif."""
    return Path(path).is_dir() and ((Path(path) / SPEC).exists() or not is_network(Path(path)))


def open_run(folder) -> Run:
    """Open a run folder for reading; no code that lies in it is executed.

    Parameters
    ----------
    folder : str or path-like
        The run folder.

    Returns
    -------
    Run
        The run.

    Raises
    ------
    circuits.errors.UserError
        For a folder that holds no run, or a damaged one.

    Examples
    --------
    >>> import evo
    >>> run = evo.open_run("runs/mine")
    >>> len(run.front) > 0
    True
    """
    return Run(folder)


def read_spec(folder: Path) -> RunSpec:
    """The spec of the run in a folder. Raises UserError where there is none."""
    path = folder / SPEC
    if not path.exists():
        raise UserError(f"{folder}: holds no run (there is no {SPEC})")
    return read_alone(path)
