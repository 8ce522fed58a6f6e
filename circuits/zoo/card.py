"""The card of a motif: its task, scores, lesions of its parts, and the commands that reproduce it."""

from html import escape
from typing import Any, Literal

from pydantic import Field

from circuits.part import Part


class HeldOut(Part):
    """The mean score over several draws of unused trials, 0 chance and 1 perfect, with the ends of its 95 % confidence interval
    over draws.

    seed, trials  the first draw is `fitness.task(...).trials(seed, trials)`, the next one that of `seed + 1`, and so on
    draws         their number
    minimum, maximum  the lowest and the highest score of a single draw, in float64
    """

    score: float
    low: float
    high: float
    seed: int
    trials: int
    draws: int
    minimum: float
    maximum: float


class Worst(Part):
    """The lowest score of any condition, the mean over the draws; `trials` of each draw belong to the condition, and
    `conditions` is the number of those with enough trials (`fitness.scoring.conditions`). As the minimum of many scores it is
    biased slightly downwards."""

    score: float
    condition: str
    trials: int
    conditions: int


class Lesion(Part):
    """The score on the first draw after a lesion: a neuron silenced, a connection cut (synapse: from a neuron, input: from an
    input channel), all connections of an input channel or of a class ("I>E", "input>E") cut."""

    kind: Literal["neuron", "synapse", "input", "channel", "class"]
    part: str
    score: float


class Origin(Part):
    """Origin of a motif of the zoo.

    spec, spec_sha256  the run spec, as a path in the repository, and the digest of its contents
    seed, rank         of the search, and of the circuit of its front that was pruned to this one
    evaluations        number of circuits evaluated, in forks too
    forks              settings changed by each fork, KEY=VALUE
    whole              is the circuit that of the search, not pruned?
    """

    spec: str
    spec_sha256: str
    algorithm: str
    seed: int
    rank: int
    evaluations: int
    forks: tuple[tuple[str, ...], ...] = ()
    whole: bool = False


class Card(Part):
    """Known facts about a motif of the zoo.

    Parameters
    ----------
    name : str
        Name of the motif.
    title : str
        The task in a few words.
    task : dict
        Name and settings of the task.
    excitatory, inhibitory, synapses : int
        Numbers of neurons and of synapses, those from input channels included.
    held_out : HeldOut
        Mean held-out score over several draws of trials, with its 95 % confidence interval.
    energy : dict
        Per trial of the first draw: "spikes", "events" (synaptic), "joules_NAME" on hardware NAME.
    worst : Worst, optional
        Score in the worst condition, the mean over the draws; None for a task whose trials have no conditions.
    lesions : tuple of Lesion
        Scores without each part, the most harmful lesion first.
    made : Origin
        The run spec, seed and rank by which the motif was found.
    sha256 : str
        Digest of the circuit.
    picture : str
        The wiring as SVG.

    Examples
    --------
    >>> from circuits import zoo
    >>> zoo.card("gate-3").held_out.score > 0.9
    True
    """

    name: str
    title: str
    task: dict[str, Any]
    excitatory: int
    inhibitory: int
    synapses: int
    held_out: HeldOut
    energy: dict[str, float]
    worst: Worst | None
    lesions: tuple[Lesion, ...]
    made: Origin
    sha256: str
    picture: str = Field("", exclude=True, repr=False)

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that reproduce the circuit."""
        folders = [f"runs/{self.name}", *(f"runs/{self.name}-fork-{k + 1}" for k in range(len(self.made.forks)))]
        forks = (
            f"evo fork {parent} {' '.join(f'--set {setting}' for setting in settings)} --out {folder}"
            for parent, folder, settings in zip(folders[:-1], folders[1:], self.made.forks, strict=True)
        )
        last = f"export {folders[-1]} --to motif" if self.made.whole else f"prune {folders[-1]}"
        return (
            f"evo run {self.made.spec} --seed {self.made.seed} --out {folders[0]}",
            *forks,
            f"evo {last} --rank {self.made.rank} -o {self.name}.json",
        )

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the task, without its name."""
        return {key: value for key, value in self.task.items() if key != "name"}

    def _repr_html_(self) -> str:
        score, worst, harmful = self.held_out, self.worst, self.lesions[:5]
        rows = {
            "task": f"{self.task['name']}: {self.title}",
            "settings": ", ".join(f"{key} = {value}" for key, value in self.settings.items()),
            "held out": f"{score.score:.3f} (95 %: {score.low:.3f} to {score.high:.3f}), mean of {score.draws} draws of trials "
            f"({score.minimum:.3f} to {score.maximum:.3f})",
            "worst condition": f"{worst.score:.3f}: {worst.condition}" if worst else "",
            "size": f"{self.excitatory} E, {self.inhibitory} I, {self.synapses} synapses",
            "per trial": f"{self.energy['spikes']:.1f} spikes, {self.energy['events']:.1f} synaptic events",
            "without": ", ".join(f"{lesion.part} {lesion.score:.3f}" for lesion in harmful),
            "made by": "; ".join(self.commands),
        }
        cells = "".join(f"<tr><th>{escape(key)}</th><td>{escape(value)}</td></tr>" for key, value in rows.items() if value)
        return f"<div><b>{escape(self.name)}</b>{self.picture}<table>{cells}</table></div>"
