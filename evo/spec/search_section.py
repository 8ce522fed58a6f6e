"""[search] of a run spec: the algorithm and its settings, and [search.stop], early stopping."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from circuits.errors import UserError, hint
from evo.algorithms import ALGORITHMS, DEFAULT
from evo.algorithms.descriptors import DESCRIPTORS
from evo.genome.founders_with import NAMES as MOTIF_NAMES
from evo.selection.deaps import SELECTIONS
from evo.spec.section import Names, Section
from fitness.evaluation.objectives import OBJECTIVES, objective
from fitness.sandbox.code import is_own


class Stop(Section):
    """[search.stop]: early stopping of hopeless circuits, by a rule in simulated time."""

    check_ms: float = Field(20.0, ge=0, le=1e9, description="interval of the checks; 0: no early stopping")
    quiet_ms: float = Field(
        20.0, ge=0, le=1e9, description="stop where outputs are silent in 64 trials, this time after all spikes arrived"
    )
    rate_hz: float = Field(500.0, gt=0, le=1e9, description="stop where neurons fire faster than this on average")


def _algorithm(name):
    if name not in ALGORITHMS and not is_own(name):
        raise ValueError(f"there is no algorithm {name!r}; {hint(name, ALGORITHMS, ', or FILE.py:CLASS')}")
    return name


def _one_of(names):
    def check(name):
        if name is not None and name not in names:
            raise ValueError(f"must be one of {', '.join(names)}, not {name!r}")
        return name

    return AfterValidator(check)


Selection = Annotated[str | None, _one_of(SELECTIONS)]
NamedMotif = Annotated[str | None, _one_of(MOTIF_NAMES)]


class Search(Section):
    """[search]: the search."""

    seed: int = Field(1, ge=0, lt=2**63, description="seed of all random numbers")
    generations: int = Field(200, ge=1, le=10**7, description="end the run after this number of generations")
    target: float | None = Field(None, description="end the run at this score on validation trials [default: never]")
    evaluations: int | None = Field(None, ge=1, description="end the run after this number of circuits [default: never]")
    seconds: float | None = Field(None, gt=0, description="end the run after this time [default: never]")
    stagnation: int | None = Field(
        None, ge=1, description="end the run after this number of generations without a better circuit"
    )
    algorithm: Annotated[str, AfterValidator(_algorithm)] = Field(DEFAULT, description=" | ".join(ALGORITHMS))
    islands: int = Field(4, ge=1, le=1000, description="number of populations that exchange migrants")
    population: int = Field(200, ge=4, le=100_000, description="number of circuits on each island")
    initial_population: int | None = Field(
        None, ge=4, description="circuits on each island at first, which grow to its population [default: population]"
    )
    growth: Literal["epochs", "stagnation"] = Field(
        "epochs", description="when a small population doubles: epochs (each) | stagnation (those without progress)"
    )
    offspring: int | None = Field(None, ge=4, description="new circuits on each island in a generation [default: population]")
    epoch: int = Field(10, ge=1, le=10**6, description="generations between migrations, and between saves")
    migrants: int = Field(2, ge=0, description="circuits sent to the next island after each epoch")
    trials: int = Field(64, ge=1, le=65_536, description="trials on which every circuit is scored")
    held_out: int = Field(256, ge=1, le=65_536, description="held-out trials for the archive, by which nothing is selected")
    crossover: float = Field(0.5, ge=0, le=1, description="share of children with two parents")
    mutation: float = Field(0.5, ge=0, lt=1, description="probability of a further mutation after each")
    duplication: float = Field(
        0.0, ge=0, lt=1, description="share of mutations that make a neuron a copy of another, with one other delay"
    )
    polish: float = Field(
        0.0, ge=0, le=0.95, description="share of children that CMA-ES makes of good wirings: weights, delays, parameters"
    )
    descriptors: Names = Field(("neurons", "excitatory_share"), description=f"axes of map-elites: {' | '.join(DESCRIPTORS)}")
    parents: Selection = Field(None, description="a selection of DEAP, such as selTournament [default: the algorithm's]")
    survivors: Selection = Field(None, description="a selection of DEAP, such as selNSGA2 [default: the algorithm's]")
    noisy: bool = Field(
        False, description="of judges: survivors are judged again, and a lower bound of their mean score counts"
    )
    protect: Literal["none", "age"] = Field("none", description="age: circuits with new wiring are protected at first")
    archive: int = Field(50, ge=1, le=10_000, description="maximum size of the archive of an island, and of the run")
    objectives: Names = Field(("score", "energy", "wiring"), description="evo objectives lists them all")
    founders: Names = Field((), description='circuits to begin with: motif files, or "zoo:NAME" [default: random ones]')
    founders_with: NamedMotif = Field(
        None, description="a wiring motif that all random circuits have to begin with, as evo motifs names it"
    )
    founders_without: NamedMotif = Field(
        None, description="a control: a motif that none has, at the sizes of random circuits that have it"
    )
    task_seconds: float = Field(60.0, gt=0, le=86_400, description="maximum duration of a call into a task of your own")
    stop: Stop = Stop()


def check_search(search: Search, roles: bool, where: str):
    """Check the keys of [search] that depend on each other; roles: has the spec a section [roles]? Raises UserError that names
    `where`."""
    given = [key for key in ("founders_with", "founders_without") if getattr(search, key) is not None]
    if len(given) > 1 or (given and roles):
        other = "[roles]" if roles else f"search.{given[1]}"
        raise UserError(f"{where}: search.{given[0]}: cannot be set with {other}; leave one of the two out")
    axes = search.descriptors
    if not axes or len(set(axes)) != len(axes) or any(name not in DESCRIPTORS for name in axes):
        raise UserError(f"{where}: search.descriptors: must hold some of {', '.join(DESCRIPTORS)}, each once")
    names = search.objectives
    try:
        keys = [objective(name).key for name in names]
    except UserError as error:
        raise UserError(f"{where}: search.objectives: {error}") from None
    if "score" not in names or len(set(keys)) != len(keys):
        raise UserError(
            f"{where}: search.objectives: must hold score, and otherwise some of {', '.join(OBJECTIVES)}, each once"
        )
    if search.migrants > min(search.population, search.initial_population or search.population):
        raise UserError(f"{where}: search.migrants: {search.migrants} is more than the population of an island")
    if search.growth == "stagnation" and search.initial_population is None:
        raise UserError(f"{where}: search.growth: only a small population grows: set search.initial_population")
