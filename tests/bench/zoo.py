"""Makes circuits/zoo: runs the committed searches, prunes what they found, and writes motif files, cards and pictures: make zoo

make cards scores the motifs that are there anew, and writes their cards; nothing is searched for.
A search that does not solve its task is repeated with the next seed. The runs stay in runs/zoo-work/, so that an interrupted
zoo goes on where it was; delete the folder to start anew.
"""

import json
import sys
from pathlib import Path
from string import ascii_lowercase
from typing import NamedTuple

import evo
from circuits.drawing.notebook import picture
from circuits.motif_file import Motif, loads, save, write_whole
from circuits.zoo import Zoo, zoo
from circuits.zoo.card import Origin
from evo.inspect import pictures
from evo.inspect.zoo_picture import sheet
from evo.storage.run_folder import Run
from evo.studies.card import card
from evo.studies.study.folder import is_study
from fitness.tasks import BUILT_IN
from tests.bench.report import told

ROOT = Path(__file__).parents[2]
WORK = ROOT / "runs" / "zoo-work"
SEEDS = range(1, 6)
SOLVED = 0.9
# in the picture of the zoo
SHEET = ("itd-5", "direction-5", "separation-3b", "gate-3", "winner-7", "xor-3", "onset-2", "toggle-2", "coincidence-4")


class Choice(NamedTuple):
    """A motif to show: of the front of this spec's run, the core that is `pick`: best (scores best), or of those that solve the
    task the smallest, the largest or the densest (has the most synapses per neuron)."""

    spec: str
    pick: str = "best"


CHOICES = [
    *(Choice(f"runs/zoo/{name}.toml") for name in BUILT_IN if name != "several"),
    Choice("runs/zoo/coincidence-narrow.toml"),
    Choice("runs/zoo/order-two.toml"),
    Choice("runs/zoo/itd-two.toml", "smallest"),
    Choice("runs/zoo/itd-lean.toml"),
    Choice("runs/zoo/itd-sounds.toml"),
    Choice("runs/zoo/separation-kinds.toml", "smallest"),
    Choice("runs/zoo/separation-kinds.toml", "largest"),
    Choice("runs/zoo/xor-kinds.toml", "smallest"),
    Choice("runs/zoo/xor-kinds.toml", "largest"),
    Choice("runs/zoo/gain-kinds.toml", "smallest"),
    Choice("runs/zoo/gain-kinds.toml", "densest"),
    Choice("runs/zoo/toggle-many.toml"),
    Choice("runs/zoo/tracking-eight.toml"),
    Choice("runs/zoo/bandpass-narrow.toml"),
]


class Candidate(NamedTuple):
    """A circuit of a front that solves its task: its rank, its core as a motif, and what the core scores."""

    rank: int
    motif: Motif
    score: float

    @property
    def size(self):
        return len(self.motif.neurons), self.motif.synapse_count


PICKS = {
    "best": lambda one: (-one.score, one.size),
    "smallest": lambda one: (one.size, -one.score),
    "largest": lambda one: (-len(one.motif.neurons), -one.score),
    "densest": lambda one: (-one.motif.synapse_count / len(one.motif.neurons), -one.score),
}


def main():
    runs = solved()
    found = [(choice, runs[choice.spec]) for choice in CHOICES if choice.spec in runs]
    for kind in ("motifs", "cards", "pictures"):
        for old in (zoo.folder / kind).glob("*"):
            old.unlink()
    names: list[str] = []
    for choice, run in found:
        names.append(write(run, choice, names, zoo.folder))
    draw_sheet()


def score_anew():
    """The cards of the motifs that are there, measured anew, whatever else was on them; where they come from stays."""
    for name in zoo:
        known = json.loads((zoo.folder / "cards" / f"{name}.json").read_bytes())
        put(name, zoo[name], Origin.model_validate(known["made"]), zoo.folder)
    draw_sheet()


def draw_sheet():
    """The picture of the zoo in the documentation."""
    shown = Zoo(zoo.folder)
    pictures.save(sheet(shown, [name for name in SHEET if name in shown]), ROOT / "docs" / "pictures" / "zoo.svg")


def solved() -> dict[str, Run]:
    """Of every spec that is solved, the first run in whose front a core solves the task: all specs with the first seed are a
    study, those that are not solved by it another one with the next seed, and so on."""
    found: dict[str, Run] = {}
    specs = list(dict.fromkeys(choice.spec for choice in CHOICES))
    for seed in SEEDS:
        left = {Path(spec).stem: spec for spec in specs if spec not in found}
        folder = WORK / f"seed-{seed}"
        if is_study(folder):
            evo.resume_study(folder, observe=told)
        elif left:
            evo.run_study(left, folder, [seed], observe=told)
        for name, spec in left.items():
            run = evo.open_run(folder / f"{name}-{seed}")
            if candidates(run):
                found[spec] = run
    if left := [spec for spec in specs if spec not in found]:
        print(f"{', '.join(left)}: not solved with seeds {SEEDS[0]} to {SEEDS[-1]}", flush=True)
    return found


def candidates(run: Run) -> list[Candidate]:
    """The cores of a run's front that solve the task on held-out trials."""
    found = []
    for member in run.front:
        analysis = run.analysis(member)
        core = analysis["core"] if analysis else None
        if core and core["confirmed"] and core["score"] >= SOLVED:
            found.append(Candidate(member.rank, loads(json.dumps(core["motif"])), core["score"]))
    return found


def write(run: Run, choice: Choice, names: list[str], folder: Path) -> str:
    """Write the motif that is to be shown, its card and its picture into the folder of a `Zoo`; returns its name."""
    one = min(candidates(run), key=PICKS[choice.pick])
    name = free_name(f"{run.spec.task['name']}-{len(one.motif.neurons)}", names)
    search = run.spec.search
    assert run.spec_sha256 is not None
    made = Origin(
        spec=choice.spec,
        spec_sha256=run.spec_sha256,
        algorithm=search.algorithm,
        seed=search.seed,
        rank=one.rank,
        evaluations=run.evaluations,
    )
    motif = put(name, one.motif, made, folder)
    write_whole(folder / "pictures" / f"{name}.svg", picture(motif.circuit))
    return name


def put(name: str, motif: Motif, made: Origin, folder: Path) -> Motif:
    """Score a motif; write it, with its scores, and its card into the folder of a `Zoo`."""
    found = card(name, motif, made)
    scores = found.held_out.model_dump(include={"score", "low", "high"})
    scores = {"held_out": scores.pop("score"), **scores} | ({"worst": found.worst.score} if found.worst else {})
    origin = motif.provenance.model_copy(update={"task": found.task, "scores": scores})
    motif = motif.model_copy(update={"provenance": origin})
    save(motif, folder / "motifs" / f"{name}.json")
    write_whole(folder / "cards" / f"{name}.json", found.model_dump_json(indent=1) + "\n")
    print(f"{name:16} {found.held_out.score:.3f}  {found.excitatory} E, {found.inhibitory} I  {made.spec}", flush=True)
    return motif


def free_name(name: str, taken: list[str]) -> str:
    """The name, with a letter where it is taken: itd-8, itd-8b, itd-8c, ..."""
    return next(free for free in (name, *(f"{name}{letter}" for letter in ascii_lowercase[1:])) if free not in taken)


if __name__ == "__main__":
    score_anew() if sys.argv[1:] == ["cards"] else main()
