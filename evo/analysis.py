"""Why a circuit works: what is worked out about it while the task's own code is at hand, and kept in the store of the run.

An `Analysis` is plain JSON: dicts, lists, texts, numbers, and None where something could not be said. Scores are as everywhere,
0 chance and 1 perfect, on the run's held-out trials in the search's precision, so that they equal those of the front.
"""

from typing import Any, Literal, TypedDict

Number = float | None


class Scored(TypedDict):
    """A score with the ends of its 95 % confidence interval, and on how many trials."""

    score: float
    low: float
    high: float
    trials: int


class Lesion(TypedDict):
    """What is left without a part; `change` is the score less that of the whole circuit.

    kind    neuron   silenced: it stays, but nothing reaches it and it has no drive
            synapse  between two neurons, or
            input    from an input channel to a neuron: the connection is cut
            channel  all connections of an input channel are cut
            class    all of E>E, E>I, I>E, I>I, input>E or input>I
    part    how people read it: "I0", "E0>I1", "left>E0", "left", "I>E"
    source, target  of a synapse or an input, ids as in the motif file (of an input the channel's name), else None
    """

    kind: Literal["neuron", "synapse", "input", "channel", "class"]
    part: str
    source: str | int | None
    target: str | int | None
    score: float
    change: float


class Core(TypedDict):
    """The core: what is left when part after part is removed as long as the score stays within the interval of the whole
    circuit's. No neuron or synapse of it can be removed alone.

    motif           a motif file, its provenance naming the parent
    score, low, high, trials   of the core, on trials that had no part in choosing it (held-out ones)
    confirmed       is that score, too, within the interval of the whole circuit's on the same trials?
    removed         parts as in `Lesion.part`, neurons first, in the order in which they went; synapses of a removed neuron are
                    not named again
    """

    motif: dict[str, Any]
    score: float
    low: float
    high: float
    trials: int
    confirmed: bool
    removed: list[str]


class Curve(TypedDict):
    """Score against how much is changed, x[0] being nothing. low and high: of several draws the least and the largest score,
    of a single one its 95 % confidence interval."""

    x: list[float]
    score: list[float]
    low: list[float]
    high: list[float]


class Band(TypedDict):
    """Spikes per trial at each x: the mean and its 95 % confidence interval."""

    mean: list[float]
    low: list[float]
    high: list[float]


class Tuning(TypedDict):
    """What the outputs do over the task's variable.

    variable  its name, with the unit in brackets if it has one: "class", "lag [ms]"
    x         its values, ascending: those that occur, or of a continuous one the means of 12 bins with as many trials each
    trials    how many there are at each x;   outputs  by port
    """

    variable: str
    x: list[float]
    trials: list[int]
    outputs: dict[str, Band]


class Spectrum(TypedDict):
    """Power of the spikes of all neurons together, over that of as many spikes at random times (1: no rhythm)."""

    hz: list[float]
    power: list[float]


class Activity(TypedDict):
    """How the neurons fire, over all trials; lists are in the order of the circuit's neurons.

    neurons    their ids;   rate_hz  mean rates
    cv         coefficient of variation of the intervals between spikes: 0 a clock, 1 a Poisson train; None with fewer than 10
    synchrony  chi, 0 independent to 1 in step (Golomb and Rinzel, Physica D 72, 1994): the standard deviation over time of the
               mean activity, over the root of the neurons' mean variance, activity being spikes in bins of `bin_ms`; None where
               fewer than two neurons fire
    spectrum   None for trials too short or with too few spikes to show a rhythm
    """

    neurons: list[str | int]
    rate_hz: list[float]
    cv: list[Number]
    synchrony: Number
    bin_ms: float
    spectrum: Spectrum | None


class Control(TypedDict):
    """The score where it should be chance, or what else the task holds to be decisive; `control` says what was done."""

    control: str
    score: float


class State(TypedDict):
    """Something that the circuit holds between symbols; how states are told apart: `fitness.states`.

    holds    what holds in it, by neuron (its id as text) or input channel: "fires", "silent", "current above 3.2 mV",
             "potential up to -70.9 mV", "release above 60 %" (of its depressing or facilitating synapses), several joined by
             " and "; empty if there is but one state
    share    of all moments looked at that it is found in
    """

    name: str
    holds: dict[str, str]
    share: float


class Transition(TypedDict):
    """What a symbol does to a state.

    probability  of ending in `target` when `symbol` comes in `source` (numbers of states);   count  how often that was
    answers      by port: probability that the output fires before the next symbol
    """

    source: int
    symbol: str
    target: int
    probability: float
    count: int
    answers: dict[str, float]


class States(TypedDict):
    """The circuit read as a state machine, in tasks over sequences of symbols.

    symbols  their names;   states  the most frequent first;   start  number of the state before the first symbol
    explained  share of the transitions that are the most probable one of their state and symbol: 1 is deterministic
    """

    symbols: list[str]
    states: list[State]
    start: int
    transitions: list[Transition]
    explained: float


class Analysis(TypedDict):
    """All of it.

    base          the whole circuit's score
    lesions       sorted by change, the worst first
    core          None where the interval of the score includes chance: there is nothing to keep
    perturbation  curves by what is changed: "input jitter [ms]" (standard deviation of each input spike's time), "weight noise
                  [%]", "parameter noise [%]" (standard deviation), "time step [ms]"; in closed loops without the first and last
    energy        per trial: "spikes", "events" (synaptic), "joules_NAME" for each hardware of `fitness.objectives`
    states        None for tasks that are not over sequences of symbols
    """

    base: Scored
    lesions: list[Lesion]
    core: Core | None
    perturbation: dict[str, Curve]
    tuning: Tuning
    activity: Activity
    controls: list[Control]
    energy: dict[str, float]
    states: States | None
